"""Takes a solver's answer to the last bit: names on their kinks, limits in force met exactly.

1. Names that the prices hold at a kink rest on it; the others are free along a segment.
2. On the free names and the limits in force the optimum solves one linear system. A name that
   would pass the end of its segment rests there, a limit whose price would change sides is let go,
   one that would be passed comes into force, and the system is solved again.
3. Free names that are left within SNAP of a kink rest on it if that costs nothing.

Whatever comes of it is taken only where it keeps the limits and its duality gap is no worse.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import lu_factor, lu_solve

from ...core.arrays import Bools, Floats, Ints
from ..exact.duality import (
    dual_bound,
    limit_bounds,
    limit_values,
    priced_slopes,
    risk_gradient,
    value,
)
from ..exact.program import Answer, Program
from ..exact.segments import Bends, Segments, curvature, limit_rows, own_curvature, reduced_costs

KEPT = 1e-12
"""A limit b is kept up to KEPT·(1 + |b|)."""
SNAP = 1e-8
CLOSE = 1e-4
"""Further than this from a kink, or inside a limit, nothing rests there."""
FREE_OF_CHARGE = 1e-10
"""What resting on kinks may cost, relative to 1 + |value|."""
ROUNDS = 20
RIDGE = 1e-10
"""Makes any system solvable; refinement takes it out again."""
REFINEMENTS = 5


def polished(program: Program, bends: Bends, answer: Answer) -> Answer:
    """An answer as good as the one given or better, with its method and work.

    Where the weights given pass a limit and nothing better is found, it comes back as it is.
    """
    best, least = (answer.weights, answer.prices), np.inf
    for pair in _versions(program, bends, answer.weights, answer.prices):
        gap = _gap(program, *pair)
        if gap < least - FREE_OF_CHARGE:
            best, least = pair, gap
        if least <= FREE_OF_CHARGE:
            break
    return Answer(*best, answer.method, answer.work)


def unmoved(program: Program) -> Answer | None:
    """Everything at home as far as the box allows, None where that passes a limit."""
    base = np.clip(program.home, program.low, program.high)
    if _passed(program, base).any():
        return None
    return Answer(base, np.zeros(len(program.names)), "unmoved", 0)


def _versions(
    program: Program, bends: Bends, weights: Floats, prices: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """What may be taken, the best on most days first."""
    exact, exact_prices = _on_face(program, bends, weights, prices)
    near, distance = _nearest(bends.kinks, exact)
    yield np.where(distance <= SNAP, near, exact), exact_prices
    yield exact, exact_prices
    yield weights, prices
    yield _drawn_in(program, weights), prices


def _gap(program: Program, weights: Floats, prices: Floats) -> float:
    """Duality gap relative to 1 + |value|, infinite where a limit is passed."""
    if _passed(program, weights).any():
        return np.inf
    risk = risk_gradient(program, weights)
    worth = value(program, weights, risk)
    return (worth - dual_bound(program, weights, prices, risk)) / (1.0 + abs(worth))


def _passed(program: Program, weights: Floats) -> Bools:
    """Limits (limits,) that are passed by more than rounding."""
    lower, upper = limit_bounds(program)
    used = limit_values(program, weights)
    over = np.maximum(lower - used, used - upper)
    near = np.where(used > upper, upper, lower)
    passed: Bools = over > KEPT * (1.0 + np.abs(near))
    return passed


def _drawn_in(program: Program, weights: Floats) -> Floats:
    """The first weights (n,) on the way to the base that keep all limits, if the base does."""
    base = np.clip(program.home, program.low, program.high)
    lower, upper = limit_bounds(program)
    used, end = limit_values(program, weights), limit_values(program, base)
    over = np.maximum(lower - used, used - upper)
    spare = np.minimum(end - lower, upper - end)
    there = (over > 0.0) & (spare > 0.0)
    share = float((over[there] / (over[there] + spare[there])).max(initial=0.0))
    drawn: Floats = weights + share * (base - weights)
    return drawn


def _nearest(kinks: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """The kink nearest to each weight (n,), and how far it is."""
    far = np.abs(kinks - weights)
    which = far.argmin(axis=0)
    name = np.arange(len(weights))
    return kinks[which, name], far[which, name]


def _on_face(
    program: Program, bends: Bends, weights: Floats, prices: Floats
) -> tuple[Floats, Floats]:
    """The optimum (n,) among weights with the same names at rest, and its prices (limits,)."""
    weights, free = _at_rest(program, bends.kinks, weights, prices)
    side, active = _in_force(program, bends.priced, weights, prices)
    prices = np.where(active, prices, 0.0)
    for _ in range(ROUNDS):
        names = np.flatnonzero(free)
        segments = _segments_at(program, bends.kinks, weights, names)
        x, change = _stationary(program, segments, prices, side, np.flatnonzero(active))
        ended = (x <= segments.low) | (x >= segments.high)
        if ended.any():
            weights[names[ended]] += np.clip(x, segments.low, segments.high)[ended]
            free[names[ended]] = False
            continue
        turned = (prices + change) * side < 0.0
        if turned.any():
            prices[turned], side[turned] = 0.0, 0.0
            active &= ~turned
            continue
        weights, prices = segments.weights(x), prices + change
        passed = _passed(program, weights) & ~active
        if not passed.any():
            break
        lower, upper = limit_bounds(program)
        side[passed] = np.where(limit_values(program, weights) > upper, 1.0, -1.0)[passed]
        active |= passed
    return np.clip(weights, program.low, program.high), prices


def _at_rest(
    program: Program, kinks: Floats, weights: Floats, prices: Floats
) -> tuple[Floats, Bools]:
    """Weights (n,) with those put on their kink that the prices hold there, and who is free.

    Near an optimum a name's distance from its kink and the force that holds it there have a small
    product: the smaller of the two is the one that should be zero.
    """
    near, distance = _nearest(kinks, weights)
    slopes = priced_slopes(program, prices, risk_gradient(program, weights))
    slope = slopes.smooth + own_curvature(program) * (near - weights)
    left, right = slope.copy(), slope.copy()
    for at, weight in slopes.bends:
        left += np.where(near > at, weight, -weight)
        right += np.where(near >= at, weight, -weight)
    left[near <= program.low] = -np.inf
    right[near >= program.high] = np.inf
    force = np.minimum(right, -left) / _scale(program)
    rests = (distance == 0.0) | ((distance <= CLOSE) & (distance < force))
    return np.where(rests, near, weights), ~rests


def _in_force(
    program: Program, priced: Bools, weights: Floats, prices: Floats
) -> tuple[Floats, Bools]:
    """The side on which each limit (limits,) binds, 0 for none or an equality; which are active."""
    lower, upper = limit_bounds(program)
    used = limit_values(program, weights)
    slack = np.where(prices > 0.0, upper - used, used - lower)
    equal = lower == upper
    active = equal | (priced & (slack <= CLOSE) & (slack < np.abs(prices) / _scale(program)))
    return np.where(active & ~equal, np.sign(prices), 0.0), active


def _scale(program: Program) -> float:
    """The size of prices and slopes that weights of order one go with."""
    return max(1.0, float(np.abs(program.linear).max(initial=0.0)))


def _segments_at(program: Program, kinks: Floats, weights: Floats, names: Ints) -> Segments:
    """The segment that each of `names` (f,) is on, its moves counted from `weights` (n,)."""
    at, around = weights[names], kinks[:, names]
    start = np.where(around <= at, around, -np.inf).max(axis=0)
    stop = np.where(around >= at, around, np.inf).min(axis=0)
    cost = np.zeros(len(names))
    for where, weight in zip(program.hinge_at, program.hinge_weight, strict=True):
        cost += weight[names] * np.sign(at - where[names])
    return Segments(
        base=weights,
        name=names,
        sign=np.ones(len(names)),
        low=start - at,
        high=stop - at,
        cost=cost,
        move=np.where(program.counted[names], np.sign(at - program.home[names]), 0.0),
        size=np.sign(at),
        path=names,
    )


def _stationary(
    program: Program, segments: Segments, prices: Floats, side: Floats, active: Ints
) -> tuple[Floats, Floats]:
    """Moves (f,) to the optimum under the `active` limits as equalities; change of all prices."""
    weights, free = segments.base, len(segments.name)
    change = np.zeros(len(prices))
    if free == 0:
        return np.zeros(0), change
    lower, upper = limit_bounds(program)
    slopes = reduced_costs(program, segments, prices, risk_gradient(program, weights))
    bound = np.where(side < 0.0, lower, upper)[active]
    short = bound - limit_values(program, weights)[active]
    rows = limit_rows(program, segments)[active]
    curved = curvature(program, segments)
    # In units of the largest curvature both halves of the system are of order one.
    unit = float(np.abs(curved).max()) or 1.0
    none = np.zeros((len(active), len(active)))
    system = np.block([[curved / unit, rows.T], [rows, none]])
    found = _solved(system, np.concatenate([-slopes / unit, short]), free)
    change[active] = unit * found[free:]
    return found[:free], change


def _solved(system: Floats, right: Floats, free: int) -> Floats:
    """The solution of a symmetric system, convex in its first `free` unknowns, however singular."""
    ridge = np.full(len(system), -RIDGE)
    ridge[:free] = RIDGE
    factors = lu_factor(system + np.diag(ridge), check_finite=False)
    found: Floats = np.zeros(len(system))
    for _ in range(REFINEMENTS):
        found += lu_solve(factors, right - system @ found, check_finite=False)
    return found
