"""The record of what happened: append-only, hash-chained, arrays once by content."""
