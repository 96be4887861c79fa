"""The codec and the journal file."""
