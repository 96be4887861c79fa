"""The mission's own examples, run as they stand."""
