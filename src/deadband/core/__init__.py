"""The furniture every room may use; imports nothing of ours outside itself."""
