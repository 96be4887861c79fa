"""U(w) = aᵀw − λ wᵀΣw − cost·|w − current|: the number every engine is judged by.

Less κ·|w − current|^{3/2} where market impact is part of the problem, and less the cost of being
short, borrowᵀmax(0, −w), and the yield that cash gives up, cash_yield·Σw. Greedy is judged by all
of it, though its own tests leave out impact, borrowing and cash.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..core.arrays import Floats, Ints, exact_sum
from ..core.limits import Held, held_in
from ..core.problem import Problem


@dataclass(slots=True, eq=False)
class Footprint:
    """What a book holds, and the names it moves: `moved` (k,) with their `change` |Δw| (k,)."""

    held: Held
    moved: Ints
    change: Floats


def footprint(problem: Problem, weights: Floats) -> Footprint:
    """What any weights (n,) hold and move: few names of many."""
    moved = (weights != problem.current).nonzero()[0]
    change = np.abs(weights[moved] - problem.current[moved])
    return Footprint(held_in(weights), moved, change)


def utility(problem: Problem, weights: Floats) -> float:
    """U of any weights (n,); Σ = diag(s) C diag(s) is read on their support only."""
    return utility_of(problem, footprint(problem, weights))


def utility_of(problem: Problem, book: Footprint) -> float:
    """U of the weights that have this footprint."""
    names, weights = book.held.names, book.held.weights
    edge = exact_sum(problem.edge[names] * weights)
    cost = exact_sum(problem.cost[book.moved] * book.change)
    if problem.impact is not None:
        cost += exact_sum(problem.impact[book.moved] * book.change * np.sqrt(book.change))
    if problem.borrow is not None and book.held.lowest < 0.0:
        cost += exact_sum(problem.borrow[names] * np.maximum(0.0, -weights))
    if problem.cash_yield != 0.0:
        cost += problem.cash_yield * math.fsum(book.held.sizes)
    risk = 0.0
    if problem.correlation is not None and problem.lambda_risk > 0 and len(names):
        scaled = weights if problem.scale is None else weights * problem.scale[names]
        risk = problem.correlation.quadratic(scaled, names)
    return edge - problem.lambda_risk * risk - cost
