"""One deciding code per name, from what was done to it and what refused it."""

from __future__ import annotations

import numpy as np

from ...core.config import OptimizationConfig
from ...core.reasons import Code
from ..columns import Columns, resting
from .draft import Draft, Part

TRADE_STEPS = (Code.BUY_TOP_K, Code.BUY_BETTER)


def decide_codes(draft: Draft, config: OptimizationConfig) -> Columns:
    """SEMANTICS §4: moved names by their larger part, the rest by why they were left alone."""
    problem, columns = draft.problem, resting(draft.problem, config)
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


def _speaker(parts: dict[Code, Part]) -> tuple[Code, Part]:
    """The code of the larger part; of equal ones, the earlier step's."""
    steps = [(round(part.amount, 12), -_step(code), code, part) for code, part in parts.items()]
    *_, code, part = max(steps, key=lambda one: one[:2])
    return code, part


def _step(code: Code) -> int:
    return TRADE_STEPS.index(code) if code in TRADE_STEPS else -1
