"""Runs models of the user's, so that no fault of theirs stops a cycle."""
