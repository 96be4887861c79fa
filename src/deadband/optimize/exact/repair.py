"""Repairs of limits that discretionary permits stand in the way of.

A stale score or a wide spread holds a name where it is, but never a breached limit: what may trade
may shrink to mend one (SEMANTICS §3, §6). Such names shrink only as far as no other name can help,
because it is made dearer than any score, or any risk it takes off, could pay for.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...core.arrays import Floats, Ints
from ...core.limits import Limit, excesses
from ...core.problem import Problem
from ...core.reasons import Code

DEAR = 4.0
"""Times the largest slope of U: what a repair by a name that should rest costs per unit."""

CODES = {
    Limit.SECTOR: Code.CAP_SECTOR,
    Limit.SECTOR_GROSS: Code.CAP_SECTOR,
    Limit.BETA: Code.CAP_BETA,
    Limit.NET: Code.CAP_NET,
    Limit.GROSS: Code.CAP_GROSS,
}
"""The code of a repair by the limit that was passed, in the order of SEMANTICS §4.2."""


def eased(problem: Problem) -> Problem | None:
    """The problem with held names free to shrink though their permit says rest; None if none is."""
    low = np.where(problem.current > 0.0, np.minimum(problem.low, 0.0), problem.low)
    high = np.where(problem.current < 0.0, np.maximum(problem.high, 0.0), problem.high)
    freed = (low < problem.low) | (high > problem.high)
    if not freed.any():
        return None
    cost = np.where(freed, problem.cost + DEAR * _steepest(problem), problem.cost)
    return replace(problem, low=low, high=high, cost=cost)


def _steepest(problem: Problem) -> float:
    """At least the slope of U without costs, for any name and any book within GROSS."""
    edge = float(np.abs(problem.edge).max(initial=1.0))
    if problem.correlation is None:
        return edge
    largest = 1.0 if problem.scale is None else float(problem.scale.max())
    # |s∘C(s∘w)| is at most max(s)²·Σ|w|, since no entry of C passes 1.
    return edge + 2.0 * problem.lambda_risk * largest**2 * problem.bounds.gross


def outside_permit(problem: Problem, weights: Floats) -> Ints:
    """Names (k,) that left their permit, but for cuts."""
    outside = ((weights < problem.low) | (weights > problem.high)).nonzero()[0]
    moved = weights[outside] != problem.current[outside]
    left: Ints = outside[moved & (problem.cut[outside] == 0)]
    return left


def repair_code(problem: Problem) -> Code:
    """The code for it: the first limit that the book passes once its cuts are made."""
    book = np.where(problem.cut > 0, 0.0, problem.current)
    passed = {name.partition(":")[0] for name in excesses(problem.bounds, problem.structure, book)}
    found = [code for limit, code in CODES.items() if limit.value in passed]
    return found[0] if found else Code.CAP_NAME
