"""The same objective as a convex program, solved to optimality by PIQP.

    maximise  aᵀw − λ wᵀΣw − costᵀp   over weights w, moves p, sizes g and factors y
    with      p ≥ |w − current|,  g ≥ |w|,  y = Bᵀ(s∘w)  (factor form only)
              Σp ≤ turnover left,  Σg ≤ gross,  |Σw| ≤ net,  |Σ_k w| ≤ sector,  |βᵀw| ≤ beta

Cuts are decided before and come in as w = 0; they use turnover and are never stopped by it. The
solver is asked to stay `MARGIN` inside every bound, so that its last bits never carry an answer
outside; a name within `SNAP` of where it was, of zero or of a bound is put there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import piqp
import scipy.sparse as sp

from ..core.arrays import Floats
from ..core.correlation import FactorCorrelation
from ..core.types import Problem
from .convex import draft_of, weight_box
from .draft import Draft

MARGIN = 1e-10
SNAP = 1e-8
ACCURACY = 1e-10
MOST_ITERATIONS = 250


@dataclass(slots=True, eq=False)
class _Rows:
    """Inequality rows over the columns (w, p, g, y), bounded above."""

    columns: int
    blocks: list[sp.csr_matrix]
    upper: list[Floats]

    def add(self, block: sp.csr_matrix, upper: Floats) -> None:
        self.blocks.append(block)
        self.upper.append(upper - MARGIN * (1.0 + np.abs(upper)))

    def both(self, row: sp.csr_matrix, bound: float) -> None:
        """|row·x| ≤ bound; no row for a bound that is not there."""
        if bound < np.inf:
            self.add(row, np.array([bound]))
            self.add(-row, np.array([bound]))


def candidates(problem: Problem) -> tuple[Draft, ...]:
    """The optimal book with a code for every move: rested at its kinks, and as the solver left it.

    Resting moves a weight by up to SNAP, which a tight limit may not forgive: the certificate
    chooses. Empty where the solver finds no answer.
    """
    weights = solve_qp(problem, invested=problem.limits.fully_invested)
    if weights is None and problem.limits.fully_invested:
        # Σw = 1 is the first limit to give way.
        weights = solve_qp(problem, invested=False)
    if weights is None:
        return ()
    return draft_of(problem, _rested(problem, weights)), draft_of(problem, weights)


def solve_qp(problem: Problem, *, invested: bool) -> Floats | None:
    """Optimal weights (n,), with Σw = 1 if `invested`; None where the solver finds no answer."""
    n = len(problem.z)
    low, high = weight_box(problem)
    factors = problem.correlation
    k = factors.loadings.shape[1] if isinstance(factors, FactorCorrelation) else 0
    columns = 3 * n + k
    quadratic = _quadratic(problem, columns, k)
    linear = np.concatenate([-problem.edge, problem.cost, np.zeros(n + k)])
    rows = _rows(problem, columns)
    equal, value = _factor_rows(problem, columns, k)
    if invested:
        whole = np.concatenate([np.ones(n), np.zeros(columns - n)])
        equal = sp.vstack([equal, sp.csc_matrix(whole)], format="csc")
        value = np.append(value, 1.0)
    wide = np.full(columns, np.inf)
    lower, upper = -wide, wide.copy()
    lower[:n], upper[:n] = low, high
    solver = piqp.SparseSolver()
    solver.settings.eps_abs = solver.settings.eps_rel = ACCURACY
    solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = ACCURACY
    solver.settings.max_iter = MOST_ITERATIONS
    limits = sp.vstack(rows.blocks, format="csc")
    below = np.full(limits.shape[0], -np.inf)
    solver.setup(
        quadratic, linear, equal, value, limits, below, np.concatenate(rows.upper), lower, upper
    )
    if solver.solve() != piqp.PIQP_SOLVED:
        return None
    weights: Floats = np.clip(np.asarray(solver.result.x[:n]), low, high)
    return weights


def _quadratic(problem: Problem, columns: int, k: int) -> sp.csc_matrix:
    """PIQP's ½xᵀPx: P = 2λΣ on the weights, or 2λ·diag(d) there and 2λ·I on the factors."""
    n, factors = len(problem.z), problem.correlation
    twice = 2.0 * problem.lambda_risk
    if factors is None or twice == 0.0:
        return sp.csc_matrix((columns, columns))
    scale = np.ones(n) if problem.scale is None else problem.scale
    if isinstance(factors, FactorCorrelation):
        diagonal = np.zeros(columns)
        diagonal[:n] = twice * factors.specific * scale**2
        diagonal[columns - k :] = twice
        return sp.diags(diagonal, format="csc")
    block = sp.csc_matrix(twice * factors.matrix * np.outer(scale, scale))
    rest = sp.csc_matrix((columns - n, columns - n))
    return sp.block_diag([block, rest], format="csc")


def _factor_rows(problem: Problem, columns: int, k: int) -> tuple[sp.csc_matrix, Floats]:
    n, factors = len(problem.z), problem.correlation
    if not isinstance(factors, FactorCorrelation):
        return sp.csc_matrix((0, columns)), np.zeros(0)
    scale = np.ones(n) if problem.scale is None else problem.scale
    loadings = sp.csr_matrix((factors.loadings * scale[:, None]).T)
    row = sp.hstack([loadings, sp.csr_matrix((k, 2 * n)), -sp.identity(k)], format="csc")
    return row, np.zeros(k)


def _rows(problem: Problem, columns: int) -> _Rows:
    n, bounds, structure = len(problem.z), problem.bounds, problem.structure
    one, none = sp.identity(n, format="csr"), sp.csr_matrix((n, n))
    pad = sp.csr_matrix((n, columns - 3 * n))
    rows = _Rows(columns, [], [])

    def row(weights: Floats, part: int) -> sp.csr_matrix:
        """A single row with coefficients on one part: 0 weights, 1 moves, 2 sizes."""
        place = np.arange(n) + part * n
        return sp.csr_matrix((weights, (np.zeros(n, dtype=np.int64), place)), shape=(1, columns))

    rows.add(sp.hstack([one, -one, none, pad], format="csr"), problem.current + MARGIN)
    rows.add(sp.hstack([-one, -one, none, pad], format="csr"), -problem.current + MARGIN)
    rows.add(sp.hstack([one, none, -one, pad], format="csr"), np.zeros(n))
    rows.add(sp.hstack([-one, none, -one, pad], format="csr"), np.zeros(n))
    free = (problem.cut == 0).astype(np.float64)
    if problem.hedge >= 0:
        free[problem.hedge] = 0.0
    used = float(np.abs(problem.current[problem.cut > 0]).sum())
    if problem.turnover_left < np.inf:
        rows.add(row(free, 1), np.array([max(0.0, problem.turnover_left - used)]))
    rows.add(row(np.ones(n), 2), np.array([bounds.gross]))
    rows.both(row(np.ones(n), 0), bounds.net)
    for s in range(len(structure.group_names)):
        member = (structure.group == s).astype(np.float64)
        rows.both(row(member, 0), float(bounds.sector[s]))
        if bounds.sector_gross[s] < np.inf:
            rows.add(row(member, 2), np.array([bounds.sector_gross[s]]))
    if structure.beta is not None:
        rows.both(row(structure.beta, 0), bounds.beta)
    return rows


def _rested(problem: Problem, weights: Floats) -> Floats:
    """Weights put on a kink (a bound, zero, where they were) that they are within SNAP of."""
    low, high = weight_box(problem)
    for kink in (low, high, np.zeros_like(low), problem.current):
        inside = (kink >= low) & (kink <= high)
        near = inside & (np.abs(weights - kink) <= SNAP)
        weights = np.where(near, kink, weights)
    return weights
