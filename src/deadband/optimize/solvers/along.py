"""The convex program along some of its segments, all other names at their base, by PIQP.

    minimize   ½xᵀPx + fᵀx        P = 2λ·S_F C_FF S_F,  f = the slopes at the base
    within     low ≤ x ≤ high,    limits less what the base uses of them

Dense, or in factor form with y = (S_F B_F)ᵀx of its own where the segments are many.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import piqp
import scipy.sparse as sp

from ...core.arrays import Bools, Floats, Ints
from ...core.correlation import FactorCorrelation
from ..exact.duality import limit_bounds, limit_values, risk_gradient
from ..exact.program import Answer, Program
from ..exact.segments import Segments, curvature, limit_rows, reduced_costs
from .polish import unmoved

MARGIN = 1e-10
"""How far inside every limit PIQP is asked to stay, so that its last bits carry nothing outside."""
ACCURACY = 1e-10
MOST_ITERATIONS = 250
WIDE = 10
"""Factor form pays once there are this many segments to a factor."""


def optimum_along(
    program: Program, priced: Bools, segments: Segments, chosen: Ints
) -> Answer | None:
    """PIQP's weights and prices with the segments `chosen` (c,) only; None where it finds none.

    `priced` (limits,) says which limits count, as in Bends.
    Weights keep the box; they keep a limit to PIQP's accuracy.
    """
    if len(chosen) == 0:
        return unmoved(program)
    taken = segments.taken(chosen)
    none = np.zeros(len(program.names))
    slopes = reduced_costs(program, taken, none, risk_gradient(program, segments.base))
    rows = limit_rows(program, taken)
    for margin in (MARGIN, 0.0):
        # Without a margin where the limits leave no room for one.
        answer = _solve(program, priced, taken, slopes, rows, margin)
        if answer is not None:
            return answer
    return None


def _solve(
    program: Program,
    priced: Bools,
    segments: Segments,
    slopes: Floats,
    rows: Floats,
    margin: float,
) -> Answer | None:
    lower, upper = limit_bounds(program)
    used = limit_values(program, segments.base)
    room = margin * (1.0 + np.where(np.isfinite(upper), np.abs(upper), 0.0))
    equal = lower == upper
    held, limits = np.flatnonzero(equal), np.flatnonzero(priced & ~equal)
    correlation = program.correlation
    wide = (
        isinstance(correlation, FactorCorrelation)
        and len(slopes) > WIDE * correlation.loadings.shape[1]
    )
    solve = _with_factors if wide else _dense
    solver = solve(
        program,
        segments,
        slopes,
        (rows[held], (upper - used)[held]),
        (rows[limits], (lower + room - used)[limits], (upper - room - used)[limits]),
    )
    if solver is None:
        return None
    result = solver.result
    prices = np.zeros(len(used))
    prices[held] = np.asarray(result.y)[: len(held)]
    prices[limits] = np.asarray(result.z_u) - np.asarray(result.z_l)
    weights = segments.weights(np.asarray(result.x)[: len(slopes)])
    inside = np.clip(weights, program.low, program.high)
    return Answer(inside, prices, "piqp", int(result.info.iter))


Equal = tuple[Floats, Floats]
Between = tuple[Floats, Floats, Floats]


def _dense(
    program: Program, segments: Segments, slopes: Floats, equal: Equal, between: Between
) -> Any:
    """The solved solver, or None."""
    solver = piqp.DenseSolver()
    quadratic = curvature(program, segments)
    return _run(solver, quadratic, slopes, equal, between, (segments.low, segments.high))


def _with_factors(
    program: Program, segments: Segments, slopes: Floats, equal: Equal, between: Between
) -> Any:
    """The solved solver, or None; its x are the moves, then the factors."""
    assert isinstance(program.correlation, FactorCorrelation), "asked for in factor form only"
    name, m, k = segments.name, len(slopes), program.correlation.loadings.shape[1]
    scale = np.sqrt(2.0 * program.risk_weight) * segments.sign * program.scale[name]
    loadings = program.correlation.loadings[name] * scale[:, None]
    same = sp.csc_matrix((scale, (name, np.arange(m))), shape=(program.size, m))
    own = same.T @ sp.diags(program.correlation.specific) @ same
    quadratic = sp.block_diag([own, sp.identity(k)], format="csc")
    rows, value = equal
    rows = np.block([[rows, np.zeros((len(rows), k))], [loadings.T, -np.eye(k)]])
    limits, lower, upper = between
    limits = np.hstack([limits, np.zeros((len(limits), k))])
    wide = np.full(k, np.inf)
    return _run(
        piqp.SparseSolver(),
        quadratic,
        np.concatenate([slopes, np.zeros(k)]),
        (sp.csc_matrix(rows), np.concatenate([value, np.zeros(k)])),
        (sp.csc_matrix(limits), lower, upper),
        (np.concatenate([segments.low, -wide]), np.concatenate([segments.high, wide])),
    )


def _run(solver: Any, quadratic: Any, linear: Floats, equal: Any, between: Any, box: Any) -> Any:
    solver.settings.eps_abs = solver.settings.eps_rel = ACCURACY
    solver.settings.eps_duality_gap_abs = solver.settings.eps_duality_gap_rel = ACCURACY
    solver.settings.max_iter = MOST_ITERATIONS
    solver.setup(quadratic, linear, *equal, *between, *box)
    return solver if solver.solve() == piqp.PIQP_SOLVED else None
