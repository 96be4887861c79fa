"""The greedy answer with its codes: by the compiled kernel, or by Python where there is none.

Both give the same bits.
"""

from __future__ import annotations

from ...core.arrays import Floats
from ...core.config import OptimizationConfig
from ...core.problem import Problem
from .. import compiled
from ..columns import Columns
from .codes import decide_codes
from .greedy import rotate_top_k


def rotated(problem: Problem, config: OptimizationConfig) -> tuple[Floats, Columns]:
    """Target weights (n,) of the top-K rotation, and why each name has the one it has."""
    if compiled.kernel is None:
        draft = rotate_top_k(problem, config)
        return draft.weights, decide_codes(draft, config)
    weights, code, limit, counterpart, gap, gain, cost = compiled.kernel.rotate(problem, config)
    return weights, Columns(code, limit, counterpart, gap, gain, cost)
