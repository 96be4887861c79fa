"""Examines bars before anything is decided on them: one file for each kind of ailment."""
