"""Runs over recorded days that are not part of the repository."""
