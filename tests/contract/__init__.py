"""What every adapter of a seam has to keep."""
