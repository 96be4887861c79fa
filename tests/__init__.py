"""Tests, by the kind of trust they give."""
