"""The convex program solved by PIQP on a few names at a time, every other name at its base.

1. Start from the segments (segments.py) that look best at the prices of an earlier answer, or at
   none, and the best among those of names held.
2. Solve the program restricted to them (along.py). Should they not be able to keep the limits,
   the names join that the least turnover into the limits moves; back to 2.
3. Price all other segments. The best join, and back to 2; when none gains, the answer is optimal
   for the whole program: its KKT conditions hold.
4. Polish (polish.py): names rest at their kinks, the limits in force hold to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ..exact.duality import risk_gradient
from ..exact.program import Answer, Program
from ..exact.segments import Bends, Segments, bends_of, reduced_costs, segments_of
from .along import optimum_along
from .polish import polished
from .vertex import least_turnover

FEW = 40
"""Segments that join at a time, at the least."""
GROWTH = 0.5
"""Or this share of those at work, so that an optimum with many free names is not far away."""
SHARE = 0.7
"""With more than this share of all segments at work, all are put to work."""
WORTH = 1e-9
"""A segment joins if a unit along it gains more than this, relative to the largest score."""


Solve = Callable[[Program, Bools, Segments, Ints], Answer | None]
"""The optimum along the chosen segments, given which limits count; None where none keeps them."""

Rescue = Callable[[Program, Segments, Bools], Bools]
"""Segments (m,) to add to those chosen where these cannot keep the limits; none gives up."""


def sift(program: Program, start: Answer | None = None) -> Answer | None:
    """The optimum, sought first among the segments that the prices of `start` make look best.

    `start`, an answer to any program with the same limits and names, changes the work but not the
    value. None where no weights keep the limits. Work is PIQP's iterations in all.
    """
    bends = bends_of(program)
    segments = segments_of(program, bends)
    found = sifted(program, bends, segments, start, optimum_along, _into_limits)
    return None if found is None else polished(program, bends, replace(found, method="sift"))


def sifted(
    program: Program,
    bends: Bends,
    segments: Segments,
    start: Answer | None,
    solve: Solve,
    rescue: Rescue,
) -> Answer | None:
    """Steps 1 to 3 around any solver that prices limits; as exact as its answers are."""
    chosen = _first(program, segments, start)
    work = 0
    while True:
        found = solve(program, bends.priced, segments, np.flatnonzero(chosen))
        if found is None:
            joining = rescue(program, segments, chosen)
        else:
            work += found.work
            joining = _better(program, segments, chosen, found)
        if not joining.any():
            return None if found is None else replace(found, work=work)
        chosen |= joining
        if chosen.sum() > SHARE * len(chosen):
            chosen[:] = True


def general(program: Program) -> Answer | None:
    """The optimum from all names at once, or None where PIQP finds no weights that keep the limits.

    O(m³) an iteration with m segments, two or three a name, where the correlation is dense.
    """
    bends = bends_of(program)
    segments = segments_of(program, bends)
    found = optimum_along(program, bends.priced, segments, np.arange(len(segments.name)))
    return None if found is None else polished(program, bends, replace(found, method="general"))


def _first(program: Program, segments: Segments, start: Answer | None) -> Bools:
    """The segments (m,) to begin with."""
    at_rest = Answer(segments.base, np.zeros(len(program.names)), "", 0)
    gains = _gains(program, segments, at_rest if start is None else start)
    held = np.flatnonzero(segments.base[segments.name] != 0.0)
    first = [_best(gains, np.arange(len(gains)), FEW), _best(gains, held, FEW)]
    return _with_paths(segments, np.concatenate(first))


def _into_limits(program: Program, segments: Segments, chosen: Bools) -> Bools:
    """Segments (m,) without which the limits cannot be kept; none where nothing keeps them."""
    weights = least_turnover(program)
    if weights is None:
        return np.zeros(len(chosen), np.bool_)
    moved: Bools = (weights != segments.base)[segments.name] & ~chosen
    return moved if moved.any() else ~chosen


def _better(program: Program, segments: Segments, chosen: Bools, found: Answer) -> Bools:
    """Segments (m,) not yet chosen that gain most at the prices found."""
    gains = _gains(program, segments, found)
    gains[chosen] = -np.inf
    worth = WORTH * (1.0 + float(np.abs(program.linear).max(initial=0.0)))
    many = max(FEW, int(GROWTH * chosen.sum()))
    best = _best(gains, np.flatnonzero(gains > worth), many)
    return _with_paths(segments, best) & ~chosen


def _gains(program: Program, segments: Segments, answer: Answer) -> Floats:
    """What a unit along each segment (m,) gains at the answer's prices."""
    weights = np.clip(answer.weights, program.low, program.high)
    costs = reduced_costs(program, segments, answer.prices, risk_gradient(program, weights))
    gains: Floats = np.where(segments.low < 0.0, np.abs(costs), -costs)
    return gains


def _best(gains: Floats, among: Ints, many: int) -> Ints:
    if len(among) <= many:
        return among
    return among[np.argpartition(-gains[among], many)[:many]]


def _with_paths(segments: Segments, chosen: Ints) -> Bools:
    """The segments (m,) on the paths of those `chosen`."""
    used = np.zeros(2 * len(segments.base), np.bool_)
    used[segments.path[chosen]] = True
    return used[segments.path]
