"""What the convex engines share: each name's box, and a draft from weights that are given."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Floats
from ..core.reasons import BY_NUMBER, Code
from ..core.types import Problem
from .draft import Draft, Part


def weight_box(problem: Problem) -> tuple[Floats, Floats]:
    """Lowest and highest weight (n,) of each name: caps, permits, turnover of one name, cuts."""
    bounds, current = problem.bounds, problem.current
    name = np.full(len(current), bounds.turnover_name)
    if problem.hedge >= 0:
        name[problem.hedge] = np.inf
    low = np.maximum.reduce([bounds.low, problem.low, problem.hard_low, current - name])
    high = np.minimum.reduce([bounds.high, problem.high, problem.hard_high, current + name])
    cut = problem.cut > 0
    zero = np.clip(0.0, problem.hard_low, problem.hard_high)
    low, high = np.where(cut, zero, low), np.where(cut, zero, high)
    # A name that must come back further than one cycle's turnover allows goes all the way.
    crossed = low > high
    home = np.clip(current, bounds.low, bounds.high)
    return np.where(crossed, home, low), np.where(crossed, home, high)


def draft_of(problem: Problem, weights: Floats) -> Draft:
    """The draft that moves every name straight to `weights` (n,)."""
    draft = Draft(problem)
    for name in np.flatnonzero(weights != problem.current).tolist():
        code = BY_NUMBER[int(problem.cut[name])] if problem.cut[name] else Code.TARGET_MOVED
        change = float(weights[name] - problem.current[name])
        draft.move(name, change, code, Part(cost=float(problem.cost[name]) * abs(change)))
        draft.weights[name] = weights[name]
    draft.measure()
    return draft
