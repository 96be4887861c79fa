"""What the convex engines make of permits, caps, cuts and turnover: the box of every name."""

from __future__ import annotations

import numpy as np

from ...core.arrays import Floats
from ...core.problem import Problem


def weight_box(problem: Problem) -> tuple[Floats, Floats]:
    """Lowest and highest weight (n,) of each name: the hard box, and the turnover of one name."""
    low, high = hard_box(problem)
    current, reach = problem.current, problem.bounds.turnover_name
    near, far = current - reach, current + reach
    if problem.hedge >= 0:
        # The hedge is outside TURNOVER_NAME (SEMANTICS §4.5).
        near[problem.hedge], far[problem.hedge] = -np.inf, np.inf
    # A name that must come back further than one cycle's turnover allows goes all the way.
    inside_low, inside_high = np.maximum(low, near), np.minimum(high, far)
    stuck = (inside_low > inside_high).nonzero()[0]
    if len(stuck):
        home = np.clip(current[stuck], low[stuck], high[stuck])
        inside_low[stuck] = inside_high[stuck] = home
    return inside_low, inside_high


def hard_box(problem: Problem) -> tuple[Floats, Floats]:
    """Lowest and highest weight (n,) of each name: caps, permits and cuts, whatever turnover says.

    A permit that leaves a name no weight inside its cap gives way to the cap, the cap to the box
    of what may not trade at all.
    """
    bounds = problem.bounds
    low, high = np.maximum(bounds.low, problem.low), np.minimum(bounds.high, problem.high)
    crossed = (low > high).nonzero()[0]
    if len(crossed):
        home = np.clip(problem.current[crossed], bounds.low[crossed], bounds.high[crossed])
        low[crossed] = high[crossed] = home
    cut = problem.cut.nonzero()[0]
    low[cut] = high[cut] = 0.0
    hard_low, hard_high = problem.hard_low, problem.hard_high
    return (
        np.minimum(np.maximum(low, hard_low), hard_high),
        np.minimum(np.maximum(high, hard_low), hard_high),
    )
