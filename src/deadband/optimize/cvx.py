"""The same problem in cvxpy, open to the user's own constraints; only this file imports cvxpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.arrays import Floats
from ..core.correlation import FactorCorrelation
from ..core.errors import SolveError
from ..core.types import Problem
from .convex import draft_of, weight_box
from .draft import Draft

MARGIN = 2e-7
"""OSQP is asked to stay this far inside every limit, relative: its answers are that exact."""

Constraints = Callable[[Any], Sequence[Any]]
"""Given cvxpy's weights (n,), constraints to add to the program."""


def cvxpy_optimum(problem: Problem, extra: Constraints | None) -> Draft | None:
    """The optimal book by cvxpy and OSQP, or None where it finds no answer.

    Raises SolveError where cvxpy is not installed.
    """
    try:
        import cvxpy
    except ImportError as fault:
        raise SolveError(
            "CvxpyRebalanceEngine needs cvxpy. Install it with: pip install 'deadband[cvxpy]'."
        ) from fault
    cp: Any = cvxpy
    low, high = weight_box(problem)
    weights = cp.Variable(len(problem.z))
    moves = cp.abs(weights - problem.current)
    utility = problem.edge @ weights - problem.cost @ moves
    if problem.correlation is not None and problem.lambda_risk > 0:
        utility -= problem.lambda_risk * cp.sum_squares(_root(problem) @ weights)
    rules = [weights >= low, weights <= high, *_limits(cp, problem, weights, moves)]
    rules += [] if extra is None else list(extra(weights))
    program = cp.Problem(cp.Maximize(utility), rules)
    program.solve(solver=cp.OSQP, eps_abs=1e-9, eps_rel=1e-9, max_iter=200_000, polishing=True)
    if program.status != cp.OPTIMAL or weights.value is None:
        return None
    return draft_of(problem, np.clip(np.asarray(weights.value), low, high))


def _root(problem: Problem) -> Floats:
    """R with RᵀR = Σ, so that the risk is a plain sum of squares."""
    scale = np.ones(len(problem.z)) if problem.scale is None else problem.scale
    factors = problem.correlation
    if isinstance(factors, FactorCorrelation):
        own = np.diag(np.sqrt(factors.specific) * scale)
        return np.vstack([factors.loadings.T * scale, own])
    assert factors is not None, "asked for only where there is a correlation"
    values, vectors = np.linalg.eigh(factors.matrix)
    root: Floats = (np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T) * scale
    return root


def _limits(cp: Any, problem: Problem, weights: Any, moves: Any) -> list[Any]:
    bounds, structure = problem.bounds, problem.structure
    kept = 1 - MARGIN
    free = np.flatnonzero(problem.cut == 0)
    used = float(np.abs(problem.current[problem.cut > 0]).sum())
    rules = [cp.norm1(weights) <= bounds.gross * kept, cp.abs(cp.sum(weights)) <= bounds.net * kept]
    if problem.turnover_left < np.inf:
        left = max(0.0, problem.turnover_left - used)
        rules.append(cp.sum(moves[free]) <= left * kept)
    for k in range(len(structure.group_names)):
        members = weights[np.flatnonzero(structure.group == k)]
        rules.append(cp.abs(cp.sum(members)) <= bounds.sector[k] * kept)
        if bounds.sector_gross[k] < np.inf:
            rules.append(cp.norm1(members) <= bounds.sector_gross[k] * kept)
    if structure.beta is not None and bounds.beta < np.inf:
        rules.append(cp.abs(structure.beta @ weights) <= bounds.beta * kept)
    return rules
