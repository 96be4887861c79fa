"""The convex program of a problem: its form, its proof, and what its optimum says."""
