"""Both ends of a shadow price: what a limit gains when loosened, and what it costs tightened.

At a degenerate optimum several sets of prices prove it. Loosening a limit by a little gains its
least price among them, tightening it loses its greatest (Bertsekas, Nonlinear Programming, §5.1).
Each is a linear program in the prices of the limits in force, with two rows a name.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from ...core.arrays import Bools, Floats
from .duality import limit_values, risk_gradient
from .program import Program

IN_FORCE = 1e-9
"""A limit this near its bound is in force."""
SLACK = 1e-8
"""Room for the rounding of an answer in its optimality conditions, relative to the edges."""


def price_ranges(program: Program, weights: Floats) -> dict[str, tuple[float, float]]:
    """(gain per unit loosened, loss per unit tightened) of each limit in force at an optimum.

    Both are at least 0, in units of U; they differ only where the optimum is degenerate.
    """
    used = limit_values(program, weights)
    lower, upper = program.limit_bounds
    at_upper, at_lower = used >= upper - IN_FORCE, used <= lower + IN_FORCE
    limits = (at_upper | at_lower).nonzero()[0]
    if len(limits) == 0:
        return {}
    rows, right = _conditions(program, weights, limits)
    spans = [
        (-np.inf if at_lower[one] else 0.0, np.inf if at_upper[one] else 0.0) for one in limits
    ]
    found: dict[str, tuple[float, float]] = {}
    for place, one in enumerate(limits.tolist()):
        goal = np.zeros(len(limits))
        goal[place] = 1.0 if at_upper[one] else -1.0
        least, most = (_least(sign * goal, rows, right, spans) for sign in (1.0, -1.0))
        if least is not None and most is not None:
            found[program.names[one]] = max(0.0, least), max(0.0, -most)
    return found


def _least(
    goal: Floats, rows: Floats, right: Floats, spans: list[tuple[float, float]]
) -> float | None:
    result = linprog(goal, A_ub=rows, b_ub=right, bounds=spans, method="highs")
    if result.status == 3:
        return -np.inf
    return float(result.fun) if result.status == 0 else None


def _conditions(program: Program, weights: Floats, limits: np.ndarray) -> tuple[Floats, Floats]:
    """rows·prices ≤ right: no name's part of the Lagrangian falls on either side of its weight."""
    smooth = program.linear + risk_gradient(program, weights)
    up, down = smooth.copy(), smooth.copy()
    for at, weight in zip(program.hinge_at, program.hinge_weight, strict=True):
        up += np.where(weights >= at, weight, -weight)
        down += np.where(weights <= at, -weight, weight)
    can_rise, can_fall = weights < program.high, weights > program.low
    slack = SLACK * (1.0 + float(np.abs(program.linear).max(initial=0.0)))
    upward, downward = (
        _coefficients(program, weights, limits, rising=side) for side in (True, False)
    )
    rows = np.vstack([-upward[can_rise], downward[can_fall]])
    return rows, np.concatenate([up[can_rise], -down[can_fall]]) + slack


def _coefficients(program: Program, weights: Floats, limits: np.ndarray, *, rising: bool) -> Floats:
    """What a unit up (rising) or down of each name uses of each limit, as slopes (n, limits)."""
    signed, groups = len(program.floor), len(program.sector)

    def away(distance: Floats) -> Floats:
        ahead: Bools = distance >= 0.0 if rising else distance > 0.0
        return np.where(ahead, 1.0, -1.0)

    member = np.equal.outer(program.group, np.arange(groups)).astype(np.float64)
    size = away(weights)
    moved = np.where(program.counted, away(weights - program.home), 0.0)
    whole = np.hstack(
        [program.rows.T, member, moved[:, None], size[:, None], member * size[:, None]]
    )
    assert whole.shape[1] == signed + 2 * groups + 2, "one column for each of Program.names"
    return whole[:, limits]
