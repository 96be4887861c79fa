"""Bars in, features out: folded bar by bar, O(names) each, from bars that have ended alone."""
