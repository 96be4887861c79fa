"""The optimum of a convex program by cvxpy, stated straight from the formula in program.py."""

from __future__ import annotations

import warnings
from typing import Any

import cvxpy as cp
import numpy as np

from deadband.core.arrays import Floats
from deadband.core.correlation import DenseCorrelation
from deadband.optimize.exact.program import Program

EXACT = {
    "CLARABEL": {"tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11, "max_iter": 200},
}


def optimum_by_cvxpy(program: Program, solver: str = "CLARABEL") -> tuple[Floats, float] | None:
    """Weights (n,) and value as the solver left them, or None where it says infeasible.

    Raises AssertionError where it says anything else.
    """
    weights = cp.Variable(program.size)
    stated = cp.Problem(cp.Minimize(_objective(program, weights)), _limits(program, weights))
    with warnings.catch_warnings():
        # "May be inaccurate" is said of tolerances below a solver's own default.
        warnings.simplefilter("ignore")
        stated.solve(solver=solver, **EXACT.get(solver, {}))
    if stated.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE):
        return None
    assert stated.status in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE), stated.status
    return np.asarray(weights.value), float(stated.value)


def _objective(program: Program, weights: Any) -> Any:
    cost = program.linear @ weights
    for at, weight in zip(program.hinge_at, program.hinge_weight, strict=True):
        cost += weight @ cp.abs(weights - at)
    if program.impact is not None:
        cost += program.impact @ cp.power(cp.abs(weights - program.home), 1.5)
    if program.correlation is None or program.risk_weight == 0.0:
        return cost
    return cost + program.risk_weight * cp.sum_squares(_root(program) @ weights)


def _root(program: Program) -> Floats:
    """R with RᵀR = S C S, so that the risk is a plain sum of squares."""
    correlation = program.correlation
    assert correlation is not None
    if isinstance(correlation, DenseCorrelation):
        values, vectors = np.linalg.eigh(correlation.matrix)
        root = np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
    else:
        root = np.vstack([correlation.loadings.T, np.diag(np.sqrt(correlation.specific))])
    return root * program.scale


def _limits(program: Program, weights: Any) -> list[Any]:
    rules = [weights >= program.low, weights <= program.high]
    for row, floor, ceiling in zip(program.rows, program.floor, program.ceiling, strict=True):
        if floor == ceiling:
            rules.append(row @ weights == floor)
            continue
        rules += [row @ weights >= floor] if floor > -np.inf else []
        rules += [row @ weights <= ceiling] if ceiling < np.inf else []
    counted = np.flatnonzero(program.counted)
    if program.turnover < np.inf and len(counted):
        rules.append(cp.norm1(weights[counted] - program.home[counted]) <= program.turnover)
    if program.gross < np.inf:
        rules.append(cp.norm1(weights) <= program.gross)
    for k, (net, gross) in enumerate(zip(program.sector, program.sector_gross, strict=True)):
        members = np.flatnonzero(program.group == k)
        if len(members) and net < np.inf:
            rules.append(cp.abs(cp.sum(weights[members])) <= net)
        if len(members) and gross < np.inf:
            rules.append(cp.norm1(weights[members]) <= gross)
    return rules
