"""Checks any answer from scratch: limits, boxes and utility, by code that did not produce it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ..core.arrays import Floats, exact_sum, highest
from ..core.limits import (
    BETA,
    FULLY_INVESTED,
    GROSS,
    NET,
    PER_NAME_CAP,
    TOLERANCE,
    TURNOVER,
    TURNOVER_DAY,
    TURNOVER_NAME,
    Held,
    keeps,
    sector_limits,
    suspects,
)
from ..core.types import Certificate, Problem, Proof
from .objective import Footprint, footprint, utility_of

GIVES_WAY = (TURNOVER, TURNOVER_NAME, TURNOVER_DAY, FULLY_INVESTED)
"""Reported beside the limits, but they refuse no answer: cuts, repairs and ramps pass them."""
NOTHING: Mapping[str, float] = MappingProxyType({})
REFUSED = Certificate(-np.inf, np.inf, {}, accepted=False)


def certify(
    problem: Problem,
    weights: Floats,
    given_up: Mapping[str, float] = NOTHING,
    proof: Proof | None = None,
) -> Certificate:
    """Measure `weights` (n,) against every bound; accepted when finite and inside all of them.

    `given_up`: by how much each limit was relaxed because limits conflict, fraction of NAV.
    `proof`: of an exact answer, to stand beside what is measured here.
    Turnover and full investment give way where SEMANTICS §3 says so, by cuts and repairs too.
    """
    if weights.shape != problem.current.shape:
        return REFUSED
    book = footprint(problem, weights)
    # What is not finite is not zero, and a NaN among the names held is both extremes.
    if not (math.isfinite(book.held.lowest) and math.isfinite(book.held.highest)):
        return REFUSED
    used = measure(problem, book)
    if given_up and problem.rows:
        given_up = {**given_up, **_by_side(problem, given_up)}
    violation = _names_violation(problem, weights, book.held)
    accepted = keeps(violation, 0.0)
    for name, (value, bound) in used.items():
        if value > bound and name not in GIVES_WAY:
            room = given_up.get(name, 0.0)
            # A bound below zero comes nearer to it as it gives way; its last bits stay as large.
            passed, scale = value - (bound + room), 1.0 + abs(bound) + room
            violation = max(violation, passed / scale)
            accepted = accepted and passed <= TOLERANCE * scale
    return Certificate(utility_of(problem, book), violation, used, accepted, proof)


def _by_side(problem: Problem, given_up: Mapping[str, float]) -> dict[str, float]:
    """What own rows gave up, by the names of their sides: it is told by the name of the row."""
    return {
        side: given_up[row.name]
        for row in problem.rows
        if row.name in given_up
        for side, _, _ in row.sides(0.0)
    }


def _names_violation(problem: Problem, weights: Floats, held: Held) -> float:
    """How far any name is outside its bounds or its hard box."""
    names = suspects(problem.reach, held)
    if names is None:
        return 0.0
    low = np.maximum(problem.bounds.low[names], problem.hard_low[names])
    high = np.minimum(problem.bounds.high[names], problem.hard_high[names])
    # A hard box outside the cap (a frozen name over it) wins: `bounds` were widened for it.
    low, high = np.minimum(low, high), np.maximum(low, high)
    w = weights[names]
    return max(0.0, highest(np.maximum(w - high, low - w)))


def measure(problem: Problem, book: Footprint) -> dict[str, tuple[float, float]]:
    """Every limit by name with what is used of it and its bound, fractions of NAV."""
    bounds, structure = problem.bounds, problem.structure
    exposure = structure.exposure_of(book.held)
    changes = book.change.tolist()
    # The hedge is outside TURNOVER_NAME (SEMANTICS §4.5).
    by_name = changes if problem.hedge < 0 else book.change[book.moved != problem.hedge].tolist()
    used = {
        PER_NAME_CAP: (max(book.held.highest, -book.held.lowest), problem.bounds.reach[2]),
        GROSS: (exposure.gross, bounds.gross),
        NET: (abs(exposure.net), bounds.net),
        TURNOVER: (math.fsum(changes), bounds.turnover),
        TURNOVER_NAME: (max(by_name, default=0.0), bounds.turnover_name),
    }
    signed, sized = sector_limits(structure.group_names)
    own = map(abs, exposure.sector.tolist())
    used |= zip(signed, zip(own, bounds.sector.tolist(), strict=True), strict=True)
    if problem.limits.sector_gross is not None:
        sizes = structure.sector_gross_of(book.held).tolist()
        used |= zip(sized, zip(sizes, bounds.sector_gross.tolist(), strict=True), strict=True)
    if problem.turnover_left < bounds.turnover:
        # What is left of the day's turnover, less than a cycle's.
        used[TURNOVER_DAY] = used[TURNOVER][0], problem.turnover_left
    if problem.limits.fully_invested:
        used[FULLY_INVESTED] = abs(1.0 - exposure.net), 0.0
    if bounds.beta < np.inf:
        used[BETA] = abs(exposure.beta), bounds.beta
    held = book.held
    for row in problem.rows:
        total = exact_sum(row.coefficients[held.names] * held.weights)
        used |= {name: (value, bound) for name, value, bound in row.sides(total)}
    return used
