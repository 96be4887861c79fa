"""Timings and studies; kept results lie in results/."""
