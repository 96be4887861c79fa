"""Rounds an optimum to what can be traded: whole lots, and no trade below a least size.

1. Trades below the least are dropped or raised, and the program is solved again (least.py).
2. Every weight goes to its nearest level (levels.py).
3. Where that passes a limit, the move of one name to its next level, or the pair of moves, that
   costs least per unit of relief is made until none is passed: a repair goes too far rather than
   not far enough. Where no move relieves, the same is tried with every trade rounded towards home.
4. The move, or the pair, that gains most and keeps all limits is made until none gains.

What is left is a book that no single move improves, and no pair of the likeliest (lot_moves.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...core.arrays import Bools, Floats, exact_sum
from ...core.limits import TOLERANCE, Limit
from ..exact.duality import value
from ..exact.program import Answer, Program
from .least import at_least
from .levels import Levels, levels_of
from .lot_moves import Book

FULLY_INVESTED = Limit.FULLY_INVESTED.value
HALF = 0.5
"""Share of a limit's tolerance that the search may use: its sums are not exact."""
MOVES = 20
"""So many moves a name before a search ends where it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """`weights` (n,) that can be traded, None where no such book keeps every limit.

    `value` is what the program minimizes, `gap` how much more that is than at the optimum, both
    infinite without weights.
    """

    weights: Floats | None
    value: float
    gap: float


NOTHING = Rounded(None, np.inf, np.inf)


def tradable(program: Program, answer: Answer, lot: Floats | None, least: float) -> Rounded:
    """As `in_lots`; without lots (None) only trades below `least` are settled."""
    if lot is not None:
        return in_lots(program, answer, lot, least)
    settled = at_least(program, answer, least)
    return NOTHING if settled is None else _measured(program, answer, settled.weights)


def in_lots(program: Program, answer: Answer, lot: Floats, least: float) -> Rounded:
    """A book near `answer` in which names trade whole lots, none less than `least` of NAV.

    lot (n,) > 0: the weight of one lot of each name. Trades count from home, which need not be
    whole lots itself. Any name may be sold, or covered, to exactly zero; one whose box is a point
    goes there. Every limit that the answer keeps is kept to TOLERANCE·(1 + bound), except that

    - full investment, which lots cannot meet, is missed from below by no more than the smallest
      lot, or by the largest if need be,
    - turnover gives way to repairs that are a lot too long for it, if nothing else helps.

    Only these can make `gap` negative beyond rounding.
    """
    levels = levels_of(program, lot, least)
    settled = at_least(program, answer, least) if least > 0.0 else None
    near = answer if settled is None else settled
    for bounds, gives_way in _leniences(program, answer.weights, levels):
        for inward in (False, True):
            start = levels.nearest(near.weights, inward=inward)
            if start is None:
                return NOTHING
            weights = _searched(program, near, levels, start, bounds, gives_way=gives_way)
            if weights is not None:
                return _measured(program, answer, weights)
    return NOTHING


def _leniences(
    program: Program, weights: Floats, levels: Levels
) -> Iterator[tuple[tuple[Floats, Floats], bool]]:
    """What each limit (limits,) is kept to, and whether turnover gives way: the strictest first."""
    lots = levels.lot[~levels.fixed]
    smallest, largest = float(lots.min(initial=np.inf)), float(lots.max(initial=0.0))
    strict = _bounds(program, weights, min(smallest, largest))
    yield strict, False
    lenient = strict
    if program.names[0] == FULLY_INVESTED:
        lenient = _bounds(program, weights, largest)
        yield lenient, False
    yield lenient, True


def _measured(program: Program, answer: Answer, weights: Floats) -> Rounded:
    worth = value(program, weights)
    return Rounded(weights, worth, worth - value(program, answer.weights))


def _bounds(program: Program, weights: Floats, missing: float) -> tuple[Floats, Floats]:
    """Bounds of each limit (limits,), or what `weights` use beyond them.

    Full investment may lack `missing`; the sum of all weights is the first limit.
    """
    lower, upper = (bound.copy() for bound in program.limit_bounds)
    if program.names[0] == FULLY_INVESTED and lower[0] == upper[0]:
        lower[0] -= missing
    used = exact_limit_values(program, weights)
    passed = ~_keep(used, lower, upper)
    lower[passed] = np.minimum(lower, used)[passed]
    upper[passed] = np.maximum(upper, used)[passed]
    return lower, upper


def _searched(
    program: Program,
    answer: Answer,
    levels: Levels,
    start: Floats,
    bounds: tuple[Floats, Floats],
    *,
    gives_way: bool,
) -> Floats | None:
    """The book (n,) that moves lead to from a start, None where they end outside a limit."""
    lower, upper = bounds
    turnover, most = len(program.floor) + len(program.sector), MOVES * program.size
    if gives_way:
        upper = upper.copy()
        upper[turnover] = np.inf
    book = Book(program, levels, start.copy(), *_inside(lower, upper), answer.prices)
    for _ in range(most):
        if book.passed() <= 0.0 or not book.repair():
            break
    if gives_way:
        upper[turnover] = max(bounds[1][turnover], book.used[turnover])
        book.upper[turnover] = upper[turnover]
    if book.passed() <= 0.0:
        for _ in range(most):
            if not book.improve():
                break
    kept = _keep(exact_limit_values(program, book.weights), lower, upper)
    return book.weights if kept.all() else None


def _inside(lower: Floats, upper: Floats) -> tuple[Floats, Floats]:
    """Bounds (limits + 1,) for sums that are not exact, and none for what is no limit."""
    slack = HALF * TOLERANCE
    least = np.append(lower - slack * (1.0 + np.abs(lower)), -np.inf)
    return least, np.append(upper + slack * (1.0 + np.abs(upper)), np.inf)


def _keep(used: Floats, lower: Floats, upper: Floats) -> Bools:
    """Which limits (limits,) are kept, up to the last bits of their sums."""
    low, high = lower - TOLERANCE * (1.0 + np.abs(lower)), upper + TOLERANCE * (1.0 + np.abs(upper))
    kept: Bools = (used >= low) & (used <= high)
    return kept


def exact_limit_values(program: Program, weights: Floats) -> Floats:
    """What `weights` (n,) use of every limit, summed exactly, in the order of Program.names."""
    size, moved = np.abs(weights), np.abs(weights - program.home)
    held = weights.nonzero()[0]
    members = [held[program.group[held] == k] for k in range(len(program.sector))]
    return np.array(
        [
            *(exact_sum(row[held] * weights[held]) for row in program.rows),
            *(exact_sum(weights[own]) for own in members),
            exact_sum(moved[program.counted & (moved > 0.0)]),
            exact_sum(size[held]),
            *(exact_sum(size[own]) for own in members),
        ]
    )
