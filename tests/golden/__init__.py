"""What was decided once is decided again."""
