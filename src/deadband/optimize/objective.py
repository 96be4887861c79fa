"""U(w) = aᵀw − λ wᵀΣw − cost·|w − current|: the number every engine is judged by."""

from __future__ import annotations

import math

import numpy as np

from ..core.arrays import Floats
from ..core.types import Problem


def utility(problem: Problem, weights: Floats) -> float:
    """U of any weights (n,); Σ = diag(s) C diag(s) is read on their support only."""
    held = np.flatnonzero(weights)
    moved = np.flatnonzero(weights != problem.current)
    edge = math.fsum((problem.edge[held] * weights[held]).tolist())
    cost = math.fsum(
        (problem.cost[moved] * np.abs(weights[moved] - problem.current[moved])).tolist()
    )
    risk = 0.0
    if problem.correlation is not None and problem.lambda_risk > 0 and len(held):
        scaled = weights[held] if problem.scale is None else weights[held] * problem.scale[held]
        risk = problem.correlation.quadratic(scaled, held)
    return edge - problem.lambda_risk * risk - cost
