"""What holds every name where the optimum has it: edge, risk, cost and limits, at the margin.

At an optimum a name's edge is met by its marginal risk, its cost and the prices of limits. A name
that would go further is stopped by one limit: the bound it rests at, or the one whose price weighs
most against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...core.arrays import Floats, highest, sealed
from ...core.config import OptimizationConfig
from ...core.limits import Limit
from ...core.reasons import Code
from ...core.seen import Codes
from ...core.types import Problem
from .. import compiled
from ..columns import Columns, frozen_over
from .duality import Slopes, group_prices
from .program import Answer, Program, half_borrow
from .repair import outside_permit, repair_code

HELD, FLAT = np.int16(Code.HOLD_CURRENT.number), np.int16(Code.HOLD_FLAT.number)
MOVED = np.int16(Code.TARGET_MOVED.number)
SAME = 1e-12
NEGLIGIBLE = 1e-9
"""A wish this small, relative to the largest edge, is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Marginals:
    """Per name (n,), in units of U per unit of weight; signs as for buying more.

    edge a; risk −2λΣw; priced: what the prices of limits add, those on moves and size apart;
    wish: edge + risk after one-way cost, towards the side it points to, 0 where cost holds it.
    limit: number of the limit that stops the wish, 0 none; weight_of: by how much.
    """

    edge: Floats
    risk: Floats
    priced: Floats
    wish: Floats
    limit: Codes
    weight_of: Floats


def marginals(
    problem: Problem, program: Program, weights: Floats, prices: Floats, slopes: Slopes
) -> Marginals:
    """Marginals of `weights` (n,) at the `prices` (limits,) of a proof with these `slopes`."""
    edge = -program.linear
    gain = edge - slopes.risk
    least = problem.cost * (weights == problem.current)
    half = half_borrow(problem)
    if half is not None:
        # A short pays to grow and is paid to shrink; from zero only selling costs.
        gain -= half * np.sign(weights)
        least += half * (weights == 0.0)
    least += NEGLIGIBLE * (1.0 + highest(np.abs(edge)))
    size = np.abs(gain)
    side = np.sign(gain) * (size > least)
    limit, weight_of = _stoppers(problem, program, weights, prices, side)
    return Marginals(
        edge=edge,
        risk=-slopes.risk,
        priced=-gain - slopes.smooth,
        wish=side * (size - least),
        limit=limit,
        weight_of=weight_of,
    )


def _stoppers(
    problem: Problem,
    program: Program,
    weights: Floats,
    prices: Floats,
    side: Floats,
) -> tuple[Codes, Floats]:
    """The limit (n,) that weighs most against going further to `side`, and how much."""
    best = np.zeros(len(weights), dtype=np.int16)
    most = np.zeros(len(weights))

    def weigh(limit: Limit, against: Floats) -> None:
        heavier = against > most
        best[heavier] = limit.number
        np.copyto(most, against, where=heavier)

    signed, groups = len(program.floor), len(program.sector)
    for row in prices[:signed].nonzero()[0].tolist():
        weigh(limit_named(program.names[row]), side * prices[row] * program.rows[row])
    of_sector = prices[signed : signed + groups]
    if np.count_nonzero(of_sector):
        weigh(Limit.SECTOR, side * group_prices(program, of_sector))
    if prices[signed + groups] > 0.0:
        on_move = prices[signed + groups] * program.counted
        weigh(Limit.TURNOVER, _outward(side, weights - problem.current) * on_move)
    if prices[signed + groups + 1] > 0.0:
        weigh(Limit.GROSS, _outward(side, weights) * prices[signed + groups + 1])
    of_size = prices[signed + groups + 2 :]
    if np.count_nonzero(of_size):
        weigh(Limit.SECTOR_GROSS, _outward(side, weights) * group_prices(program, of_size))
    _weigh_boxes(problem, program, weights, side, best)
    return best, most


def _outward(side: Floats, distance: Floats) -> Floats:
    """1 where a step to `side` adds to |distance| (n,), −1 where it takes off, 0 without a side."""
    return np.where(distance == 0.0, np.abs(side), side * np.sign(distance))


def _weigh_boxes(
    problem: Problem, program: Program, weights: Floats, side: Floats, best: Codes
) -> None:
    """A name at the end of its box that would go on is stopped by that, whatever else weighs."""
    at = ((side > 0) & (weights >= program.high)) | ((side < 0) & (weights <= program.low))
    names = at.nonzero()[0]
    if len(names) == 0:
        return
    there = weights[names]
    cap = np.where(side[names] > 0, problem.bounds.high[names], problem.bounds.low[names])
    moved = np.abs(there - problem.current[names])
    turned = np.abs(moved - problem.bounds.turnover_name) <= SAME
    other = np.where(turned, Limit.TURNOVER_NAME.number, Limit.PERMIT.number)
    best[names] = np.where(there == cap, Limit.PER_NAME_CAP.number, other)


def limit_named(name: str) -> Limit:
    """The limit of a row called `name`; rows of the user's own are ROW."""
    known = name.partition(":")[0]
    return Limit[known] if known in Limit.__members__ else Limit.ROW


def exact_columns(
    problem: Problem, config: OptimizationConfig, program: Program, answer: Answer, slopes: Slopes
) -> Columns:
    """Code and numbers of every name at an optimum: moved, or at rest and held by a limit.

    gain: what another unit towards the name's wish would add to U but for limits; cost: one-way,
    per unit; limit: what stops that wish.
    """
    weights, n = answer.weights, len(answer.weights)
    code, limit, gain = explained(problem, program, answer, slopes)
    hedge = problem.hedge
    if hedge >= 0 and weights[hedge] != problem.current[hedge] and code[hedge] == MOVED:
        code[hedge] = Code.HEDGE_BETA.number
    over = frozen_over(problem, config)
    code[over] = Code.CAP_FROZEN.number
    mended = outside_permit(problem, weights)
    if len(mended):
        code[mended] = repair_code(problem).number
    return Columns(
        code=code,
        limit=limit,
        counterpart=np.full(n, -1, dtype=np.int64),
        gap=np.zeros(n),
        gain=gain,
        cost=problem.cost.copy(),
    )


def explained(
    problem: Problem, program: Program, answer: Answer, slopes: Slopes
) -> tuple[Codes, Codes, Floats]:
    """Code, limit and gain (n,) as the optimum alone has them, frozen names and repairs apart."""
    if compiled.kernel is not None:
        return compiled.kernel.margins(
            problem,
            program,
            _row_limits(program.names[: len(program.floor)]),
            answer.weights,
            answer.prices,
            slopes.risk,
            half_borrow(problem),
        )
    weights, current = answer.weights, problem.current
    found = marginals(problem, program, weights, answer.prices, slopes)
    code = np.where(current != 0.0, HELD, FLAT)
    code[found.limit > 0] = Code.HOLD_LIMIT.number
    moved = (weights != current).nonzero()[0]
    cut = problem.cut[moved]
    code[moved] = np.where(cut > 0, cut, MOVED)
    return code, found.limit, np.abs(found.wish)


@lru_cache(maxsize=16)
def _row_limits(names: tuple[str, ...]) -> Codes:
    limits: Codes = sealed(np.array([limit_named(name).number for name in names], dtype=np.int16))
    return limits
