"""The kinked program as a smooth one: every weight is its base plus moves along straight segments.

Between two neighboring kinks a name's costs, its share of turnover and its size are linear, so

    w = base + Σ sign·x,   low ≤ x ≤ high,   base = home clipped to the box

has a smooth objective and linear limits. Moves further from the base cost no less (convexity), so
an optimum fills the segments in order, whatever it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ...core.correlation import DenseCorrelation
from .duality import limit_bounds, priced_slopes
from .program import Program

SHORTEST = 1e-12
"""Segments no longer than this are left out; names that have no other do not move."""


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """`base` (n,) and the m segments of all names, (m,) each.

    `cost`, `move` and `size` are what one unit of x adds to the hinges, to counted turnover and to
    |w|. `path` numbers the way along which segments follow each other: one above and one below the
    base of each name, so segments of one path are only useful together.
    """

    base: Floats
    name: Ints
    sign: Floats
    low: Floats
    high: Floats
    cost: Floats
    move: Floats
    size: Floats
    path: Ints

    def taken(self, chosen: Ints) -> Segments:
        """Those of the segments `chosen` (c,), in that order."""
        return Segments(
            base=self.base,
            name=self.name[chosen],
            sign=self.sign[chosen],
            low=self.low[chosen],
            high=self.high[chosen],
            cost=self.cost[chosen],
            move=self.move[chosen],
            size=self.size[chosen],
            path=self.path[chosen],
        )

    def weights(self, x: Floats) -> Floats:
        """Weights (n,) of the moves `x` (m,)."""
        moved: Floats = self.base + np.bincount(self.name, self.sign * x, len(self.base))
        return moved


@dataclass(frozen=True, slots=True, eq=False)
class Bends:
    """`priced` (limits,): limits that some weights in the box pass; the others have no price.

    `kinks` (k, n): where each name's part of the program bends, ascending, its box included; an
    end of the box is repeated where there is no further kink.
    """

    priced: Bools
    kinks: Floats


def bends_of(program: Program) -> Bends:
    """Where the program bends, given what its limits can come to price."""
    priced = _reachable(program)
    return Bends(priced, _kinks(program, priced))


def _reachable(program: Program) -> Bools:
    """Limits (limits,) that some weights in the box pass."""
    low, high, group = program.low, program.high, program.group
    groups, inside = len(program.sector), program.group >= 0
    away = np.maximum(np.abs(low - program.home), np.abs(high - program.home))
    size = np.maximum(np.abs(low), np.abs(high))
    moved = float(away[program.counted].sum())
    gross = float(size.sum())
    if program.counted.all():
        gross = min(gross, float(np.abs(program.home).sum()) + program.turnover)
    ends = np.stack([program.rows * low, program.rows * high])
    up = np.bincount(group[inside], high[inside], groups)
    down = np.bincount(group[inside], low[inside], groups)
    sector_gross = np.bincount(group[inside], size[inside], groups)
    most = np.concatenate([ends.max(axis=0).sum(axis=1), up, [moved, gross], sector_gross])
    least = np.concatenate([ends.min(axis=0).sum(axis=1), down, np.zeros(2 + groups)])
    lower, upper = limit_bounds(program)
    passed: Bools = (most > upper) | (least < lower)
    return passed


def _kinks(program: Program, priced: Bools) -> Floats:
    low, high, groups = program.low, program.high, len(program.sector)
    turnover, gross, *sector_gross = priced[-2 - groups :].tolist()
    sized = np.full(program.size, gross)
    inside = program.group >= 0
    sized[inside] |= np.array(sector_gross, np.bool_)[program.group[inside]]
    found = [low, high, np.where(program.counted & turnover, program.home, low)]
    found.append(np.where(sized, 0.0, low))
    hinges = zip(program.hinge_at, program.hinge_weight, strict=True)
    found += [np.where(weight > 0.0, at, low) for at, weight in hinges]
    kinks: Floats = np.sort(np.clip(np.array(found), low, high), axis=0)
    return kinks


def segments_of(program: Program, bends: Bends) -> Segments:
    """All segments of all names, in no particular order of names."""
    kinks = bends.kinks
    base = np.clip(program.home, program.low, program.high)
    step, name = np.nonzero(kinks[1:] - kinks[:-1] > SHORTEST)
    start, stop, at = kinks[step, name], kinks[step + 1, name], base[name]
    # A base that is no kink lies inside a segment, which then reaches both ways.
    across = (start < at) & (at < stop)
    sign = np.where(stop <= at, -1.0, 1.0)
    both_ways = np.zeros(program.size, np.bool_)
    both_ways[name[across]] = True

    def slope(kink: Floats) -> Floats:
        """d|w − kink|/dx on each segment."""
        side: Floats = np.where(start >= kink[name], sign, -sign)
        return side

    cost = np.zeros(len(name))
    for where, weight in zip(program.hinge_at, program.hinge_weight, strict=True):
        cost += weight[name] * slope(where)
    return Segments(
        base=base,
        name=name,
        sign=sign,
        low=np.where(across, start - at, 0.0),
        high=np.where(across, stop - at, stop - start),
        cost=cost,
        move=np.where(program.counted[name], slope(program.home), 0.0),
        size=slope(np.zeros(program.size)),
        path=2 * name + np.where(both_ways[name], 0, sign > 0),
    )


def limit_rows(program: Program, segments: Segments) -> Floats:
    """What one unit of each x adds to every limit, (limits, m), in the order of Program.names."""
    signed, groups, name = len(program.floor), len(program.sector), segments.name
    rows = np.zeros((signed + groups + 2 + groups, len(name)))
    rows[:signed] = program.rows[:, name] * segments.sign
    group = program.group[name]
    inside = np.flatnonzero(group >= 0)
    rows[signed + group[inside], inside] = segments.sign[inside]
    rows[signed + groups] = segments.move
    rows[signed + groups + 1] = segments.size
    rows[signed + groups + 2 + group[inside], inside] = segments.size[inside]
    return rows


def reduced_costs(program: Program, segments: Segments, prices: Floats, risk: Floats) -> Floats:
    """What one unit of each x (m,) costs at `prices` (limits,) and risk gradient `risk` (n,)."""
    slopes, name = priced_slopes(program, prices, risk), segments.name
    whole: Floats = segments.sign * slopes.smooth[name] + segments.cost
    whole += segments.move * slopes.on_move[name] + segments.size * slopes.on_size[name]
    return whole


def curvature(program: Program, segments: Segments) -> Floats:
    """Second derivatives (m, m) of the risk in the moves x: 2λ·S C S on the segments' names."""
    name, correlation = segments.name, program.correlation
    m = len(name)
    if correlation is None:
        return np.zeros((m, m))
    scale = np.sqrt(2.0 * program.risk_weight) * segments.sign * program.scale[name]
    if isinstance(correlation, DenseCorrelation):
        block = correlation.matrix[np.ix_(name, name)]
        block *= scale
        block *= scale[:, None]
        return block
    loadings = correlation.loadings[name] * scale[:, None]
    own = np.where(name[:, None] == name, np.outer(scale, scale * correlation.specific[name]), 0.0)
    common: Floats = loadings @ loadings.T
    return common + own


def own_curvature(program: Program) -> Floats:
    """Second derivative (n,) of the risk in each weight alone."""
    correlation = program.correlation
    if correlation is None:
        return np.zeros(program.size)
    if isinstance(correlation, DenseCorrelation):
        own = correlation.matrix.diagonal()
    else:
        own = (correlation.loadings**2).sum(axis=1) + correlation.specific
    second: Floats = 2.0 * program.risk_weight * program.scale**2 * own
    return second
