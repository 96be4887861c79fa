"""A program's limits as one linear system in which each may be passed, at a price or up to a total.

Every weight is its home plus moves along straight segments: on these every limit, and how far a
name is outside its box, is linear. Solved by HiGHS.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.optimize import linprog

from ...core.arrays import Floats
from .duality import limit_bounds, limit_values
from .program import Program
from .segments import Segments, limit_rows

HAIR = 1e-12
"""What is allowed is widened by this, relative, so that rounding does not close it."""
UNIT = 1e4
"""HiGHS counts in basis points: its least tolerance is 1e-10 of a unit, so 1e-14 of NAV."""
OPTIONS = {
    # A few dozen rows: preparing costs more than solving.
    "presolve": False,
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
}
Box = tuple[Floats, Floats]
"""Lowest and highest weights (n,), (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Elastic:
    """matrix·(moves, slacks, totals) ≤ bound, all of them ≥ 0.

    Moves are along `segments`, whose `cost` is what they add to leaving the box. Each limit has a
    slack, the boxes have the last one, and each of `labels` has a total of its limits' slacks.
    `empty` where the hard box of some name is.
    """

    segments: Segments
    matrix: sp.csc_matrix
    bound: Floats
    labels: tuple[str, ...]
    empty: bool

    @property
    def columns(self) -> int:
        return int(self.matrix.shape[1])

    def total(self, x: Floats, label: str) -> float:
        """The total of `label` in a solution `x`, and a hair."""
        used = float(x[self.columns - len(self.labels) + self.labels.index(label)])
        return used * (1.0 + HAIR)

    def weights(self, x: Floats) -> Floats:
        """Weights (n,) of a solution `x`."""
        return self.segments.weights(x[: len(self.segments.name)])


def elastic(
    program: Program, hard: Box, labels: tuple[str, ...], *, alike: bool = False
) -> Elastic:
    """The limits by their `labels`, in the order of Program.names, and the boxes by the last one.

    Nothing leaves the `hard` box. The slack of the boxes low, high is the sum over names of how
    far they are outside, or the most that any is if `alike`.
    """
    segments = _segments(program, hard)
    base, name = segments.base, segments.name
    rows, used = limit_rows(program, segments), limit_values(program, base)
    lower, upper = limit_bounds(program)
    above, below = np.flatnonzero(upper < np.inf), np.flatnonzero(lower > -np.inf)
    outside = np.maximum(0.0, program.low - base) + np.maximum(0.0, base - program.high)
    if not alike:
        name, outside = np.zeros_like(name), np.array([math.fsum(outside.tolist())])
    place = (name, np.arange(len(name)))
    leaving = sp.csc_matrix((segments.cost, place), (len(outside), len(name)))
    slack, kinds = -np.eye(len(labels)), tuple(dict.fromkeys(labels))
    members = np.array([[own == kind for own in labels] for kind in kinds], dtype=np.float64)
    blocks = [
        [rows[above], slack[above], None],
        [-rows[below], slack[below], None],
        [leaving, np.tile(slack[-1], (len(outside), 1)), None],
        [None, members, -np.eye(len(kinds))],
    ]
    spare = [(upper - used)[above], (used - lower)[below], -outside, np.zeros(len(kinds))]
    return Elastic(
        segments=segments,
        matrix=sp.block_array(blocks, format="csc"),
        bound=np.concatenate(spare),
        labels=kinds,
        empty=bool((hard[0] > hard[1]).any()),
    )


def least_total(system: Elastic, label: str, allowed: Mapping[str, float]) -> Floats | None:
    """A solution with the least total of `label`, or any if there is none of that name."""
    before = np.zeros(system.columns - len(system.labels))
    cost = np.concatenate([before, [own == label for own in system.labels]])
    return least_cost(system, cost, allowed)


def least_cost(system: Elastic, cost: Floats, allowed: Mapping[str, float]) -> Floats | None:
    """The solution of least `cost` (columns,) with totals up to what is `allowed`, others zero.

    None where there is none.
    """
    if system.empty:
        return None
    most = np.full(system.columns, np.inf)
    most[: len(system.segments.name)] = system.segments.high
    most[-len(system.labels) :] = [allowed.get(label, 0.0) for label in system.labels]
    found = linprog(
        cost,
        A_ub=system.matrix,
        b_ub=UNIT * system.bound,
        bounds=np.column_stack([np.zeros(system.columns), UNIT * most]),
        method="highs",
        options=OPTIONS,
    )
    if found.status != 0:
        return None
    x: Floats = np.clip(found.x / UNIT, 0.0, most)
    return x


def _segments(program: Program, hard: Box) -> Segments:
    """All moves inside the `hard` box, bent where a limit or the box low, high may bend."""
    base = np.clip(program.home, *hard)
    bends = np.array([*hard, base, program.low, program.high, np.zeros(program.size)])
    kinks = np.sort(np.clip(bends, *hard), axis=0)
    step, name = np.nonzero(kinks[1:] > kinks[:-1])
    start, stop = kinks[step, name], kinks[step + 1, name]
    sign = np.where(stop <= base[name], -1.0, 1.0)

    def slope(kink: Floats) -> Floats:
        """d|w − kink|/dx on each segment."""
        side: Floats = np.where(start >= kink[name], sign, -sign)
        return side

    return Segments(
        base=base,
        name=name,
        sign=sign,
        low=np.zeros(len(name)),
        high=stop - start,
        # max(0, low − w) + max(0, w − high) = ½|w − low| + ½|w − high| + a constant.
        cost=0.5 * (slope(program.low) + slope(program.high)),
        move=np.where(program.counted[name], slope(program.home), 0.0),
        size=slope(np.zeros(program.size)),
        path=2 * name + (sign > 0.0),
    )
