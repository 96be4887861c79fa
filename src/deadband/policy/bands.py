"""Portfolio and name no-trade bands: the zone in which the engine computes but does not act."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arrays import EQUALITY, Floats, Ints, exact_sum
from ..core.limits import excesses
from ..core.problem import Problem
from ..core.reasons import BY_NUMBER, FREE, GLOBAL, Code, Reason
from ..core.seen import Codes

DISCRETIONARY = np.ones(max(BY_NUMBER) + 1, dtype=np.bool_)
"""Whether a trade of the code of that number is left to the bands."""
DISCRETIONARY[FREE] = False


@dataclass(frozen=True, slots=True, eq=False)
class Banded:
    """Weights (n,) and codes (n,) after the bands, and what the portfolio says of it."""

    weights: Floats
    code: Codes
    spoken: tuple[Reason, ...]


def hold_inside_bands(
    problem: Problem,
    target: Floats,
    code: Codes,
    *,
    portfolio_band: float,
    name_band: float,
    closed: Code | None = None,
) -> Banded:
    """Take back discretionary trades inside a band; cuts, repairs and commands always go through.

    `portfolio_band`, `name_band`: fractions of NAV. `closed`: hold every discretionary trade with
    this code whatever its size. When holding would break a limit, names are traded after all, the
    most relieving first, until the limits hold.
    """
    current = problem.current
    moved = (target != current).nonzero()[0]
    discretionary = moved[DISCRETIONARY[code[moved]]]
    wanted = target[discretionary]
    size = np.abs(wanted - current[discretionary])
    drift = exact_sum(size)
    facts = {"drift": drift, "band": portfolio_band}
    final = code.copy()
    if closed is not None or drift < portfolio_band - EQUALITY or not len(discretionary):
        verdict = closed or Code.BAND_SKIP
        held = discretionary
        final[held] = verdict.number
    else:
        verdict = Code.DRIFT_PORTFOLIO
        held = discretionary[(wanted != 0.0) & (size < name_band - EQUALITY)]
        final[held] = Code.BAND_NAME.number
    weights = target
    if len(held):
        weights = target.copy()
        weights[held] = current[held]
        _unhold(problem, target, weights, final, held)
    spoken = [Reason(verdict, GLOBAL, facts)]
    free = len(moved) - len(discretionary)
    if free:
        spoken.append(Reason(Code.CUT_FIRED, GLOBAL, {"names": float(free)}))
    return Banded(weights, final, tuple(spoken))


def _unhold(problem: Problem, target: Floats, weights: Floats, code: Codes, held: Ints) -> None:
    """Trade held names after all, the most relieving first, while a limit is broken."""
    waiting = set(held.tolist())
    while waiting and (over := _excess(problem, weights)) > 0:
        relief = {}
        for name in waiting:
            kept, weights[name] = weights[name], target[name]
            relief[name] = over - _excess(problem, weights)
            weights[name] = kept
        best = min(waiting, key=lambda name: (-relief[name], problem.symbols[name]))
        weights[best] = target[best]
        code[best] = Code.BAND_BYPASSED.number
        waiting.remove(best)


def _excess(problem: Problem, weights: Floats) -> float:
    return sum(excesses(problem.bounds, problem.structure, weights).values())
