"""The operator's hand on the book: a file that commands, and a cancel that needs no engine."""
