"""Brings a book back inside its limits by shrinking weights only, the cheapest relief first.

Order (SEMANTICS §4.2): PER_NAME, SECTOR, BETA, NET, GROSS. What greedy relief cannot reach, because
shrinking one name would break another limit, a common factor on all movable weights does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...core.arrays import Floats, exact_sum
from ...core.limits import TOLERANCE, excesses, keeps
from ...core.reasons import Code
from .draft import NOTHING, Draft, Part


def trim(draft: Draft, *, beta: bool = True) -> None:
    """Repair every breach; `beta` False leaves beta to the hedge."""
    _trim_names(draft)
    if not _breached(draft, beta=beta):
        return
    for _ in range(2):
        for row, bound, code in _rows(draft, beta=beta):
            _relieve(draft, row, bound, code)
    if _breached(draft, beta=beta):
        _shrink_together(draft, beta=beta)


def _breached(draft: Draft, *, beta: bool) -> bool:
    problem = draft.problem
    over = excesses(problem.bounds, problem.structure, draft.weights)
    return bool(over.keys() - (set() if beta else {"BETA"}))


def _trim_names(draft: Draft) -> None:
    bounds, problem = draft.problem.bounds, draft.problem
    wanted = np.clip(draft.weights, bounds.low, bounds.high)
    wanted = np.clip(wanted, problem.hard_low, problem.hard_high)
    for name in np.flatnonzero(wanted != draft.weights).tolist():
        draft.move(name, float(wanted[name] - draft.weights[name]), Code.CAP_NAME, Part())


def _rows(draft: Draft, *, beta: bool) -> Iterator[tuple[Floats, float, Code]]:
    """Each limit as (coefficients (n,), bound, code), in the order of repair."""
    structure, bounds = draft.problem.structure, draft.problem.bounds
    for k in range(len(structure.group_names)):
        member = (structure.group == k).astype(np.float64)
        yield member, float(bounds.sector[k]), Code.CAP_SECTOR
        if bounds.sector_gross[k] < np.inf:
            yield member * np.sign(draft.weights), float(bounds.sector_gross[k]), Code.CAP_SECTOR
    if beta and structure.beta is not None:
        yield structure.beta, bounds.beta, Code.CAP_BETA
    yield np.ones(len(draft.weights)), bounds.net, Code.CAP_NET
    yield np.sign(draft.weights), bounds.gross, Code.CAP_GROSS


def _along(row: Floats, weights: Floats) -> float:
    """row·weights, summed exactly: whether a limit holds must not hang on the order of names."""
    held = np.flatnonzero(weights)
    return exact_sum(row[held] * weights[held])


def _relieve(draft: Draft, row: Floats, bound: float, code: Code) -> None:
    """Shrink names, least loss of U per unit of relief first, until |row·w| ≤ bound."""
    problem, weights = draft.problem, draft.weights
    value = _along(row, weights)
    excess = abs(value) - bound
    if excess <= TOLERANCE:
        return
    side = np.sign(weights)
    relief = np.sign(value) * row * side
    floor = np.maximum(0.0, np.where(side > 0, problem.hard_low, -problem.hard_high))
    free = np.abs(weights) - np.minimum(floor, np.abs(weights))
    helpful = np.flatnonzero((relief > 0) & (free > NOTHING))
    loss = (side * problem.edge + problem.cost)[helpful] / relief[helpful]
    ranked = sorted(
        zip(loss.tolist(), helpful.tolist(), strict=True),
        key=lambda pair: (pair[0], problem.symbols[pair[1]]),
    )
    for _, name in ranked:
        if excess <= TOLERANCE:
            return
        inward = -float(side[name])
        room, _limit = draft.room((name, inward))
        step = min(float(free[name]), excess / float(relief[name]), room)
        if step > NOTHING:
            draft.move(name, inward * step, code, Part())
            excess -= step * float(relief[name])


def _shrink_together(draft: Draft, *, beta: bool) -> None:
    """Scale all movable weights by the largest factor that keeps every limit.

    Limits are absolute sums and frozen names fit inside them (`widen`), so some factor in [0, 1]
    does; each row gives it in closed form.
    """
    problem = draft.problem
    movable = problem.hard_low != problem.hard_high
    fixed = np.where(movable, 0.0, draft.weights)
    moving = draft.weights - fixed
    factor = 1.0
    for row, bound, _code in _rows(draft, beta=beta):
        base, slope = _along(row, fixed), _along(row, moving)
        if not keeps(abs(base + slope), bound) and slope != 0.0:
            reach = (np.sign(slope) * bound - base) / slope
            factor = min(factor, max(0.0, reach))
    for name in np.flatnonzero(moving).tolist():
        change = -(1.0 - factor) * float(moving[name])
        if change != 0.0:
            draft.move(name, change, Code.CAP_GROSS, Part())
    draft.measure()
