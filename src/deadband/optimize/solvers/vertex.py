"""Programs without risk, or what least turnover does, along given segments by HiGHS: a vertex."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.optimize import linprog

from ...core.arrays import Bools, Floats, Ints
from ..exact.duality import limit_bounds, limit_values
from ..exact.program import Answer, Program
from ..exact.segments import Segments, bends_of, limit_rows, reduced_costs, segments_of
from .polish import unmoved

OPTIONS = {
    "primal_feasibility_tolerance": 1e-10,
    "dual_feasibility_tolerance": 1e-10,
    # Bounded variables and few rows leave nothing to presolve.
    "presolve": False,
}


def least_turnover(program: Program) -> Floats | None:
    """Weights (n,) inside all limits with the least Σ|w − home|, few of them moved, or None."""
    nearest = replace(
        program,
        linear=np.zeros(program.size),
        risk_weight=0.0,
        correlation=None,
        hinge_at=program.home[None, :],
        hinge_weight=np.ones((1, program.size)),
    )
    bends = bends_of(nearest)
    segments = segments_of(nearest, bends)
    answer = vertex_along(nearest, bends.priced, segments, np.arange(len(segments.name)))
    return None if answer is None else answer.weights


def vertex_along(
    program: Program, priced: Bools, segments: Segments, chosen: Ints
) -> Answer | None:
    """HiGHS' weights and prices with the segments `chosen` (c,) only, None where it finds none.

    `priced` (limits,) says which limits count, as in Bends. The risk term is not read.
    """
    if len(chosen) == 0:
        return unmoved(program)
    segments = segments.taken(chosen)
    count = len(program.names)
    costs = reduced_costs(program, segments, np.zeros(count), np.zeros(program.size))
    rows, used = limit_rows(program, segments), limit_values(program, segments.base)
    lower, upper = limit_bounds(program)
    equal = np.flatnonzero(lower == upper)
    there = priced & (lower != upper)
    above = np.flatnonzero(there & (upper < np.inf))
    below = np.flatnonzero(there & (lower > -np.inf))
    found = linprog(
        costs,
        A_ub=np.vstack([rows[above], -rows[below]]),
        b_ub=np.concatenate([(upper - used)[above], (used - lower)[below]]),
        A_eq=rows[equal],
        b_eq=(upper - used)[equal],
        bounds=np.column_stack([segments.low, segments.high]),
        method="highs",
        options=OPTIONS,
    )
    if found.status != 0:
        return None
    prices = np.zeros(count)
    prices[equal] = -found.eqlin.marginals
    prices[above] -= found.ineqlin.marginals[: len(above)]
    prices[below] += found.ineqlin.marginals[len(above) :]
    weights = np.clip(segments.weights(found.x), program.low, program.high)
    return Answer(weights, prices, "linear", int(found.nit))
