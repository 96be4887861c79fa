"""The execute room: orders out, reports in."""
