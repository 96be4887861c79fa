"""What weights and prices prove: the value of a convex program, a bound on its optimum, the gap.

With λxᵀCx bounded below by its tangent at the weights given, the Lagrangian falls apart into one
piecewise linear function a name, least at one of its kinks; with market impact on top, at one of
them or where it is flat in between. So any weights and any prices give a lower bound of the
optimum, whoever made them; it meets the value only at an optimal pair.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...core.arrays import Floats, constant, highest, support
from ...core.correlation import DenseCorrelation
from ...core.limits import TOLERANCE
from .program import Answer, Program


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What an answer proves of itself. `value` and `bound` are of the objective minimized.

    `gap` is (value − bound) / (1 + |value|), at least 0 but for rounding; `violation` the most by
    which a limit or a box is passed, fraction of NAV. `slopes` are those of the answer.
    """

    value: float
    bound: float
    gap: float
    violation: float
    slopes: Slopes

    @property
    def accepted(self) -> bool:
        return self.gap <= GAP_TOLERANCE and self.violation <= TOLERANCE


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Slopes per name (n,): of the risk; of all that is smooth; of a move and of size on top.

    The prices of signed limits are in the smooth part. `bends`: where (n,) a name's part bends, and
    by what slope (n,) ≥ 0 on either side, of moves, size and the hinges, as far as they weigh.
    """

    risk: Floats
    smooth: Floats
    on_move: Floats
    on_size: Floats
    bends: tuple[tuple[Floats, Floats], ...]


GAP_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """A proven answer, and the methods that were asked before it gave one."""

    answer: Answer
    proof: Proof
    tried: tuple[str, ...]


def prove(program: Program, answer: Answer) -> Proof:
    """Check weights and prices by code that did not produce them."""
    weights = answer.weights
    risk = risk_gradient(program, weights)
    reached = value(program, weights, risk)
    prices, paid = _admitted(program, answer.prices)
    slopes = priced_slopes(program, prices, risk)
    bound = _bound(program, weights, paid, slopes)
    passed = violation(program, weights)
    if not (math.isfinite(reached) and math.isfinite(bound) and math.isfinite(passed)):
        return Proof(math.inf, -math.inf, math.inf, math.inf, slopes)
    return Proof(reached, bound, (reached - bound) / (1.0 + abs(reached)), passed, slopes)


def risk_gradient(program: Program, weights: Floats) -> Floats:
    """2λ s∘C(s∘w) (n,), read on the support of `weights` (n,) only."""
    correlation = program.correlation
    if correlation is None:
        return np.zeros(program.size)
    held = support(weights)
    x = program.scale[held] * weights[held]
    if isinstance(correlation, DenseCorrelation):
        # Symmetric, so columns are read as rows: contiguous.
        product = x.dot(correlation.matrix.take(held, axis=0))
    else:
        loadings = correlation.loadings
        product = loadings @ (loadings[held].T @ x)
        product[held] += correlation.specific[held] * x
    gradient: Floats = (2.0 * program.risk_weight) * program.scale * product
    return gradient


def value(program: Program, weights: Floats, risk: Floats | None = None) -> float:
    """What the program minimizes, at `weights` (n,); `risk` (n,) is its risk gradient if known."""
    risk = risk_gradient(program, weights) if risk is None else risk
    smooth = float(weights.dot(program.linear + 0.5 * risk))
    cost = float((program.hinge_weight * np.abs(weights - program.hinge_at)).sum())
    if program.impact is not None:
        cost += float(impact_cost(program.impact, weights - program.home).sum())
    return smooth + cost


def impact_cost(impact: Floats, moved: Floats) -> Floats:
    """κ|Δ|^{3/2} of κ `impact` (n,) and changes of weight (..., n), in units of U."""
    size = np.abs(moved)
    cost: Floats = impact * size * np.sqrt(size)
    return cost


def limit_values(program: Program, weights: Floats) -> Floats:
    """What `weights` (n,) use of every limit, in the order of Program.names; signed where it is."""
    size, moved = np.abs(weights), np.abs(weights - program.home)
    rows = program.rows.dot(weights)
    both = (np.add.reduce(moved * program.counted), np.add.reduce(size))
    groups = len(program.sector)
    if groups == 0:
        return np.concatenate((rows, both))
    # Names of no group are counted in front, and left out.
    place = program.group + 1
    sector = np.bincount(place, weights, groups + 1)[1:]
    return np.concatenate((rows, sector, both, np.bincount(place, size, groups + 1)[1:]))


def limit_bounds(program: Program) -> tuple[Floats, Floats]:
    """Lower and upper bound of every limit, in the order of Program.names."""
    return program.limit_bounds


def violation(program: Program, weights: Floats) -> float:
    """The most by which any limit or box is passed, fraction of NAV."""
    used = limit_values(program, weights)
    lower, upper = limit_bounds(program)
    box = np.maximum(program.low - weights, weights - program.high)
    return max(0.0, highest(box), highest(np.maximum(lower - used, used - upper)))


def dual_bound(
    program: Program, weights: Floats, prices: Floats, risk: Floats | None = None
) -> float:
    """A lower bound of the optimum from `prices` (limits,); wrong prices only make it weak.

    Prices of one-sided limits below zero, and of limits that are not there, count as zero.
    """
    risk = risk_gradient(program, weights) if risk is None else risk
    prices, paid = _admitted(program, prices)
    return _bound(program, weights, paid, priced_slopes(program, prices, risk))


def _bound(program: Program, weights: Floats, paid: float, slopes: Slopes) -> float:
    """The Lagrangian's least value, name by name; `paid`: the prices times their bounds."""
    kinks = [program.low, program.high, *(where for where, _ in slopes.bends)]
    if program.impact is not None:
        kinks.append(program.home)
    at = np.array(kinks)
    np.minimum(np.maximum(at, program.low, out=at), program.high, out=at)
    if program.impact is not None:
        at = np.concatenate((at, _between(program, program.impact, slopes, at)))
    least = np.minimum.reduce(_parts(program, slopes, at))
    return float(least.sum()) - paid - 0.5 * float(weights.dot(slopes.risk))


def _parts(program: Program, slopes: Slopes, at: Floats) -> Floats:
    """Each name's part of the Lagrangian (m, n) at weights `at` (m, n)."""
    part = slopes.smooth * at
    for where, weight in slopes.bends:
        away = at - where
        np.abs(away, out=away)
        away *= weight
        part += away
    if program.impact is not None:
        part += impact_cost(program.impact, at - program.home)
    return part


def _between(program: Program, impact: Floats, slopes: Slopes, kinks: Floats) -> Floats:
    """Between each two neighbors of `kinks` (m, n), where a name's part is least: (m − 1, n).

    All but the impact is straight there, of slope g, so the part is flat at |Δ| = (g / (3κ/2))².
    """
    ends = np.sort(kinks, axis=0)
    middle = 0.5 * (ends[:-1] + ends[1:])
    slope = np.zeros_like(middle) + slopes.smooth
    for where, weight in slopes.bends:
        slope += weight * np.sign(middle - where)
    with np.errstate(over="ignore"):
        # Without impact any place will do: the kinks are looked at as well.
        root = np.divide(slope, 1.5 * impact, out=np.zeros_like(slope), where=impact > 0.0)
        flat = program.home - root * np.abs(root)
    least: Floats = np.minimum(np.maximum(flat, ends[:-1]), ends[1:])
    return least


def admissible(program: Program, prices: Floats) -> Floats:
    """`prices` (limits,) without those that no limit can have."""
    return _admitted(program, prices)[0]


def _admitted(program: Program, prices: Floats) -> tuple[Floats, float]:
    """Prices that limits can have (limits,), and Σ price · bound."""
    lower, upper = limit_bounds(program)
    there = np.where(prices > 0.0, upper, lower)
    sound = np.isfinite(there + prices)
    clean = np.where(sound, prices, 0.0)
    return clean, float(clean.dot(np.where(sound, there, 0.0)))


def priced_slopes(program: Program, prices: Floats, risk: Floats) -> Slopes:
    """The slopes at `prices` (limits,), where the risk gradient is `risk` (n,)."""
    signed, groups = len(program.floor), len(program.sector)
    of_group, of_size = prices[signed : signed + groups], prices[signed + groups + 2 :]
    slope = program.linear + risk
    slope += prices[:signed].dot(program.rows)
    if np.count_nonzero(of_group):
        slope += group_prices(program, of_group)
    bends = list(zip(program.hinge_at, program.hinge_weight, strict=True))
    turnover, gross = prices[signed + groups : signed + groups + 2].tolist()
    on_move = on_size = nothing = constant(program.size, 0.0)
    if turnover != 0.0:
        on_move = turnover * program.counted
        bends.append((program.home, on_move))
    if gross != 0.0 or np.count_nonzero(of_size):
        on_size = gross + group_prices(program, of_size)
        bends.append((nothing, on_size))
    return Slopes(risk, slope, on_move, on_size, tuple(bends))


def group_prices(program: Program, prices: Floats) -> Floats:
    """Each name's group's price (n,), of `prices` (G,); 0 for names of none."""
    # Number −1, of no group, reads the zero at the end.
    named: Floats = np.concatenate((prices, (0.0,)))[program.group]
    return named
