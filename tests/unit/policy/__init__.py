"""The policy room: what may trade, and when."""
