"""Codes and their numbers as columns, and what they are for names that rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arrays import EQUALITY, Floats, Ints, exact_sum
from ..core.config import OptimizationConfig
from ..core.limits import keeps
from ..core.problem import Problem
from ..core.reasons import Code
from ..core.seen import Codes
from ..core.units import BPS


@dataclass(slots=True, eq=False)
class Columns:
    """Codes and their numbers (n,), as Proposal keeps them."""

    code: Codes
    limit: Codes
    counterpart: Ints
    gap: Floats
    gain: Floats
    cost: Floats


def resting(problem: Problem, config: OptimizationConfig) -> Columns:
    """The columns of a cycle in which nothing moved and nobody was refused."""
    n = len(problem.current)
    return Columns(
        code=resting_codes(problem, config),
        limit=np.zeros(n, dtype=np.int16),
        counterpart=np.full(n, -1, dtype=np.int64),
        gap=np.zeros(n),
        gain=np.zeros(n),
        cost=np.zeros(n),
    )


def resting_codes(problem: Problem, config: OptimizationConfig) -> Codes:
    """The code (n,) of every name if none of them moved and none was refused."""
    side = np.sign(problem.current)
    code = np.full(len(side), Code.HOLD_FLAT.number, dtype=np.int16)
    held = side != 0
    code[held] = Code.HOLD_RANK.number
    keep = held & problem.scored & (side * problem.z > config.z_keep - EQUALITY)
    code[keep] = Code.HOLD_KEEP.number
    code[frozen_over(problem, config)] = Code.CAP_FROZEN.number
    return code


def frozen_over(problem: Problem, config: OptimizationConfig) -> Ints:
    """Frozen names (k,) over their cap, and all of them where they pass GROSS together."""
    frozen: Ints = (problem.hard_low == problem.hard_high).nonzero()[0]
    if not len(frozen):
        return frozen
    size = np.abs(problem.current[frozen])
    if not keeps(exact_sum(size), problem.limits.gross):
        held: Ints = frozen[size > 0.0]
        return held
    cap = np.where(frozen == problem.hedge, config.hedge_cap, config.per_name_cap)
    over: Ints = frozen[size > cap + config.repair_tolerance_bps * BPS]
    return over
