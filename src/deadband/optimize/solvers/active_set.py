"""The compiled active-set kernel (kernel/active_set.hpp), from a start to the optimum.

It starts at a book and moves only the names that gain, so its work follows the names that trade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import Floats
from ...core.correlation import FactorCorrelation
from .. import compiled
from ..exact.program import Answer, Program

OPTIMAL, PASSED, PIVOTS, FREE, STUCK = range(5)
"""How a run ended: optimal; limits stayed passed; more pivots, or more free names, than allowed;
or rounding left no way on."""

FREE_FACTOR, FREE_DENSE, FREE_SHARE = 40, 150, 0.4
"""Free names beyond which the interior point is quicker: in factor form, and with a dense matrix
where it is this many or this share of all, whichever is more (benchmarks/bench_qp.py)."""
DESCEND_FACTOR = 600
"""Names up to which, in factor form, a descent is quicker than the interior point."""
PIVOTS_A_NAME, LEAST_PIVOTS = 20, 2_000
NO_KINK = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """An answer, optimal or as far as it came; `ended` is one of the constants above."""

    answer: Answer
    ended: int
    most_free: int


def from_book(program: Program, start: Floats) -> Run:
    """Pivot from the weights `start` (n,), or from where a descent from there comes within limits.

    Handed over early where many names come free that no descent had found.
    """
    most, descend = max(FREE_DENSE, int(FREE_SHARE * program.size)), True
    if isinstance(program.correlation, FactorCorrelation):
        most, descend = FREE_FACTOR, program.size <= DESCEND_FACTOR
    return _run(program, start, np.zeros(len(program.names)), most, NO_KINK, descend=descend)


def from_answer(program: Program, near: Answer, snap: float) -> Run:
    """Finish an answer that is `near` the optimum: weights within `snap` of a kink rest there."""
    return _run(program, near.weights, near.prices, program.size + 1, snap, descend=False)


def _run(
    program: Program, start: Floats, prices: Floats, most_free: int, snap: float, *, descend: bool
) -> Run:
    assert compiled.kernel is not None, "asked for only where the kernel was built"
    most_pivots = LEAST_PIVOTS + PIVOTS_A_NAME * program.size
    weights, dual, ended, pivots, free, _pricings = compiled.kernel.active_set(
        program, np.ascontiguousarray(start), prices, most_pivots, most_free, snap, descend
    )
    return Run(Answer(weights, dual, "active set", pivots), ended, free)
