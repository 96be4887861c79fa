"""Greedy top-K rotation: in Python, and by the kernel to the same bits."""
