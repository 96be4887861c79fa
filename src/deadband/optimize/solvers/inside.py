"""Brings weights that are right to a solver's tolerance inside every limit, by as little as it can.

1. Names near a kink (a bound, home, zero, a hinge) are put on it.
2. The others move by the least squares that put each binding limit on its bound.

For programs with more in them than is written down, which nothing can polish.
"""

from __future__ import annotations

import numpy as np

from ...core.arrays import Floats, Ints
from ..exact.duality import limit_bounds, limit_values
from ..exact.program import Program

SNAP = 1e-8
"""A name this near to a kink rests on it."""
BINDS = 1e-7
"""A limit this near to its bound counts as binding."""
ROUNDS = 4
"""Each takes up what the last one left, down to rounding."""
RANK = 1e-9


def drawn_in(program: Program, weights: Floats) -> Floats:
    """Weights (n,) at their kinks and inside all limits, where those given were nearly so."""
    low, high = program.low, program.high
    free = np.ones(program.size, dtype=np.bool_)
    for kink in (low, high, np.zeros_like(low), program.home, *program.hinge_at):
        near = free & (kink >= low) & (kink <= high) & (np.abs(weights - kink) <= SNAP)
        weights, free = np.where(near, kink, weights), free & ~near
    for _ in range(ROUNDS):
        binding, off = _binding(program, weights)
        slopes = _slopes(program, weights)[binding][:, free]
        moved = weights[free] + np.linalg.lstsq(slopes, off, rcond=RANK)[0]
        weights[free] = np.clip(moved, low[free], high[free])
    return weights


def _binding(program: Program, weights: Floats) -> tuple[Ints, Floats]:
    """The limits within BINDS of a bound, or past it, and how far each is from it."""
    lower, upper = limit_bounds(program)
    used = limit_values(program, weights)
    over = used - np.clip(used, lower + BINDS, upper - BINDS)
    binding = np.flatnonzero(over)
    return binding, np.where(over > 0.0, upper, lower)[binding] - used[binding]


def _slopes(program: Program, weights: Floats) -> Floats:
    """d(limit)/d(weight) (limits, n) at weights off their kinks, in the order of Program.names."""
    groups, side = len(program.sector), np.sign(weights)
    member = (program.group == np.arange(groups)[:, None]).astype(np.float64)
    moved = np.where(program.counted, np.sign(weights - program.home), 0.0)
    return np.vstack([program.rows, member, moved, side, member * side])
