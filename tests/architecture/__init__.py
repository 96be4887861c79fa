"""What may call what, and how often."""
