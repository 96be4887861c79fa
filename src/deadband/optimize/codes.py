"""One deciding code per name, as columns, from what was done to it and what refused it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arrays import EQUALITY, Bools, Floats, Ints, exact_sum
from ..core.config import OptimizationConfig
from ..core.limits import keeps
from ..core.reasons import Code
from ..core.seen import Codes
from ..core.types import Problem
from ..core.units import BPS
from .draft import Draft, Part

TRADE_STEPS = (Code.BUY_TOP_K, Code.BUY_BETTER)


@dataclass(slots=True, eq=False)
class Columns:
    """Codes and their numbers (n,), as Proposal keeps them."""

    code: Codes
    limit: Codes
    counterpart: Ints
    gap: Floats
    gain: Floats
    cost: Floats


def _resting(problem: Problem, config: OptimizationConfig) -> Columns:
    n = len(problem.current)
    return Columns(
        code=resting_codes(problem, config),
        limit=np.zeros(n, dtype=np.int16),
        counterpart=np.full(n, -1, dtype=np.int64),
        gap=np.zeros(n),
        gain=np.zeros(n),
        cost=np.zeros(n),
    )


def decide_codes(draft: Draft, config: OptimizationConfig, *, rotates: bool = True) -> Columns:
    """SEMANTICS §4: moved names by their larger part, the rest by why they were left alone.

    `rotates` False is for engines without ranks: a name they hold is where the optimum has it.
    """
    problem, columns = draft.problem, _resting(draft.problem, config)
    if not rotates:
        ranked = np.isin(columns.code, [Code.HOLD_KEEP.number, Code.HOLD_RANK.number])
        columns.code[ranked] = Code.HOLD_CURRENT.number
    kept = np.isin(columns.code, [Code.HOLD_KEEP.number, Code.CAP_FROZEN.number])
    for name, refusal in draft.refusals.items():
        columns.limit[name] = refusal.limit
        columns.counterpart[name] = refusal.counterpart
        columns.gap[name], columns.gain[name] = refusal.gap, refusal.gain
        columns.cost[name] = refusal.cost
        if not kept[name]:
            columns.code[name] = refusal.code.number
    for name, parts in draft.parts.items():
        if draft.weights[name] != problem.current[name]:
            code, part = _speaker(parts)
            columns.code[name] = code.number
            columns.limit[name] = 0
            columns.counterpart[name] = part.counterpart
            columns.gap[name], columns.gain[name] = part.gap, part.gain
            columns.cost[name] = part.cost
    return columns


def resting_codes(problem: Problem, config: OptimizationConfig) -> Codes:
    """The code (n,) of every name if none of them moved and none was refused."""
    side = np.sign(problem.current)
    code = np.full(len(side), Code.HOLD_FLAT.number, dtype=np.int16)
    held = side != 0
    code[held] = Code.HOLD_RANK.number
    keep = held & problem.scored & (side * problem.z > config.z_keep - EQUALITY)
    code[keep] = Code.HOLD_KEEP.number
    code[_frozen_over(problem, config)] = Code.CAP_FROZEN.number
    return code


def _frozen_over(problem: Problem, config: OptimizationConfig) -> Bools:
    """Frozen names (n,) over their cap, and all of them where they pass GROSS together."""
    frozen = (problem.hard_low == problem.hard_high) & (problem.current != 0)
    cap = np.full(len(frozen), config.per_name_cap)
    if problem.hedge >= 0:
        cap[problem.hedge] = config.hedge_cap
    gross = exact_sum(np.abs(problem.current[frozen]))
    together = not keeps(gross, problem.limits.gross)
    alone = np.abs(problem.current) > cap + config.repair_tolerance_bps * BPS
    over: Bools = frozen & (alone | together)
    return over


def _speaker(parts: dict[Code, Part]) -> tuple[Code, Part]:
    """The code of the larger part; of equal ones, the earlier step's."""
    steps = [(round(part.amount, 12), -_step(code), code, part) for code, part in parts.items()]
    *_, code, part = max(steps, key=lambda one: one[:2])
    return code, part


def _step(code: Code) -> int:
    return TRADE_STEPS.index(code) if code in TRADE_STEPS else -1
