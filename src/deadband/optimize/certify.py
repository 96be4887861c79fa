"""Checks any answer from scratch: limits, boxes and utility, by code that did not produce it."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Floats, exact_sum
from ..core.limits import Limit, keeps
from ..core.types import Certificate, Problem
from .objective import utility

GIVES_WAY = (Limit.TURNOVER, Limit.TURNOVER_NAME, Limit.TURNOVER_DAY, Limit.FULLY_INVESTED)
"""Reported beside the limits, but they refuse no answer: cuts, repairs and ramps pass them."""


def certify(problem: Problem, weights: Floats) -> Certificate:
    """Measure `weights` (n,) against every bound; accepted when finite and inside all of them.

    Turnover and full investment give way where SEMANTICS §3 says so; the ladder says by how much.
    """
    if weights.shape != problem.current.shape or not np.isfinite(weights).all():
        return Certificate(-np.inf, np.inf, {}, accepted=False)
    used = measure(problem, weights)
    checked = {name: pair for name, pair in used.items() if name not in GIVES_WAY}
    names_kept = _names_violation(problem, weights)
    violations = [(value - bound) / (1 + bound) for value, bound in checked.values()]
    violation = max([0.0, names_kept, *violations])
    accepted = all(keeps(*pair) for pair in checked.values()) and keeps(names_kept, 0.0)
    return Certificate(utility(problem, weights), violation, used, accepted)


def _names_violation(problem: Problem, weights: Floats) -> float:
    """How far any name is outside its bounds or its hard box."""
    low = np.maximum(problem.bounds.low, problem.hard_low)
    high = np.minimum(problem.bounds.high, problem.hard_high)
    # A hard box outside the cap (a frozen name over it) wins: `bounds` were widened for it.
    low, high = np.minimum(low, high), np.maximum(low, high)
    return float(np.maximum(weights - high, low - weights).max(initial=0.0))


def measure(problem: Problem, weights: Floats) -> dict[str, tuple[float, float]]:
    """Every limit by name with what is used of it and its bound, fractions of NAV."""
    bounds, structure = problem.bounds, problem.structure
    exposure = structure.exposure(weights)
    moved = np.abs(weights - problem.current)
    # The hedge is outside TURNOVER_NAME (SEMANTICS §4.5).
    by_name = moved if problem.hedge < 0 else np.delete(moved, problem.hedge)
    used = {
        Limit.PER_NAME_CAP.value: (
            float(np.abs(weights).max(initial=0.0)),
            max(float(bounds.high.max(initial=0.0)), float(-bounds.low.min(initial=0.0))),
        ),
        Limit.GROSS.value: (exposure.gross, bounds.gross),
        Limit.NET.value: (abs(exposure.net), bounds.net),
        Limit.TURNOVER.value: (exact_sum(moved[moved > 0]), bounds.turnover),
        Limit.TURNOVER_NAME.value: (float(by_name.max(initial=0.0)), bounds.turnover_name),
    }
    for k, sector in enumerate(structure.group_names):
        used[f"{Limit.SECTOR}:{sector}"] = abs(float(exposure.sector[k])), float(bounds.sector[k])
        if bounds.sector_gross[k] < np.inf:
            used[f"{Limit.SECTOR_GROSS}:{sector}"] = (
                float(exposure.sector_gross[k]),
                float(bounds.sector_gross[k]),
            )
    if problem.turnover_left < bounds.turnover:
        # What is left of the day's turnover, less than a cycle's.
        used[Limit.TURNOVER_DAY.value] = used[Limit.TURNOVER][0], problem.turnover_left
    if problem.limits.fully_invested:
        used[Limit.FULLY_INVESTED.value] = abs(1.0 - exposure.net), 0.0
    if bounds.beta < np.inf:
        used[Limit.BETA.value] = abs(exposure.beta), bounds.beta
    return used
