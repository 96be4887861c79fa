"""A book in lots while it is searched: what every single move and every pair would do to it.

A move takes one name to its next level up or down. It gains what it takes off the program's value,
and leaves an excess over the limits that it touches. After a move the slopes of all names follow by
one column of the risk; the rest is worked out anew for the names that moved.
"""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ...core.correlation import DenseCorrelation
from ..exact.duality import admissible, impact_cost, limit_values, risk_gradient, value
from ..exact.program import Program
from ..exact.segments import own_curvature
from .levels import Levels

PAIRED = 32
"""So many moves, the nearest to paying for themselves at the prices of limits, are tried in pairs:
every pair up to 16 names."""
GAIN = 1e-13
"""Less than this, relative to 1 + |value|, is no gain."""
RELIEF = 1e-13
"""Less than this fraction of NAV is no relief."""


@dataclass(frozen=True, slots=True, eq=False)
class Touched:
    """The limits a name is part of: `limit` (k, n), numbers in the order of Program.names.

    The first `shared` are the same for all names, the last are those of its group. Number
    len(Program.names) is no limit.
    """

    limit: Ints
    shared: int


def touched(program: Program) -> Touched:
    """Every limit that some name could pass."""
    signed, groups, n = len(program.floor), len(program.sector), program.size
    turnover, none = signed + groups, len(program.names)
    shared = [*range(signed), turnover, turnover + 1]
    own = [np.full(n, number) for number in shared]
    for first in (signed, turnover + 2) if groups else ():
        own.append(np.where(program.group >= 0, first + program.group, none))
    return Touched(np.array(own), len(shared))


@dataclass(slots=True, eq=False)
class Book:
    """Weights (n,) on their levels, and the moves from there: (2, n) up and down, 0 for none.

    lower, upper (limits + 1,) are what limits are kept to, the last of them infinite; `prices`
    (limits,) those of the optimum.
    """

    program: Program
    levels: Levels
    weights: Floats
    lower: Floats
    upper: Floats
    prices: InitVar[Floats]
    touched: Touched = field(init=False)
    priced: Floats = field(init=False)
    slope: Floats = field(init=False)
    used: Floats = field(init=False)
    to: Floats = field(init=False)
    step: Floats = field(init=False)
    bend: Floats = field(init=False)
    change: Floats = field(init=False)
    curvature: Floats = field(init=False)
    least_gain: float = field(init=False)

    def __post_init__(self, prices: Floats) -> None:
        program, n = self.program, self.program.size
        self.touched = touched(program)
        self.priced = np.append(admissible(program, prices), 0.0)[self.touched.limit]
        risk = risk_gradient(program, self.weights)
        self.slope = program.linear + risk
        self.used = np.append(limit_values(program, self.weights), 0.0)
        self.curvature = 0.5 * own_curvature(program)
        self.to, self.step, self.bend = np.empty((3, 2, n))
        self.change = np.empty((len(self.touched.limit), 2, n))
        self.least_gain = GAIN * (1.0 + abs(value(program, self.weights, risk)))
        self.look(np.arange(n))

    def look(self, names: Ints) -> None:
        """Work out the moves of some names (m,) from where they are."""
        program, at = self.program, self.weights[names]
        to = self.levels.beyond(at, names)
        step = to - at
        bend = self.curvature[names] * step**2
        for kink, weight in zip(program.hinge_at, program.hinge_weight, strict=True):
            bend += weight[names] * (np.abs(to - kink[names]) - np.abs(at - kink[names]))
        home, rows = program.home[names], len(program.rows)
        if program.impact is not None:
            bend += impact_cost(program.impact[names], to - home)
            bend -= impact_cost(program.impact[names], at - home)
        size = np.abs(to) - np.abs(at)
        change = [*(program.rows[:, None, names] * step)]
        change.append(program.counted[names] * (np.abs(to - home) - np.abs(at - home)))
        change.append(size)
        if len(self.touched.limit) > rows + 2:
            change += [step, size]
        self.to[:, names], self.step[:, names], self.bend[:, names] = to, step, bend
        self.change[:, :, names] = change

    def passed(self) -> float:
        """Sum of what all limits are passed by, fraction of NAV."""
        return float(_beyond(self.used, self.lower, self.upper).sum())

    def gain(self) -> Floats:
        """What each move (2, n) gains."""
        gained: Floats = -(self.slope * self.step + self.bend)
        return gained

    def improve(self) -> bool:
        """Take the move that gains most and keeps every limit, or the pair; False: none gains."""
        gain = self.gain()
        kept = (self._over() <= 0.0) & (self.step != 0.0)
        best = np.where(kept, gain, -np.inf)
        if best.max() > self.least_gain:
            self._take(int(best.argmax()))
            return True
        pairs, gains, over, _ = self._pairs(gain)
        best = np.where(over <= 0.0, gains, -np.inf)
        return self._take_pair(pairs, best, self.least_gain)

    def repair(self) -> bool:
        """Take the move, or the pair, that costs least per unit of relief; False: none relieves."""
        gain = self.gain()
        now = _beyond(self.used, self.lower, self.upper)[self.touched.limit].sum(axis=0)
        best = _worth(gain, now - self._over())
        if best.max() > -np.inf:
            self._take(int(best.argmax()))
            return True
        pairs, gains, over, before = self._pairs(gain)
        return self._take_pair(pairs, _worth(gains, before - over), -np.inf)

    def _over(self) -> Floats:
        """What the limits that a move touches are passed by after it, (2, n)."""
        limit = self.touched.limit
        room = (self.upper - self.used)[limit][:, None]
        least = (self.lower - self.used)[limit][:, None]
        passed: Floats = _beyond(self.change, least, room).sum(axis=0)
        return passed

    def _pairs(self, gain: Floats) -> tuple[Ints, Floats, Floats, Floats]:
        """Pairs of PAIRED moves: their numbers (p,), and what two gain (p, p).

        Then what the limits that they touch are passed by, after and before.
        """
        count = len(self.touched.limit)
        reduced = gain - (self.priced[:, None] * self.change).sum(axis=0)
        reduced[self.step == 0.0] = -np.inf
        order = np.argsort(-reduced, axis=None, kind="stable")[:PAIRED]
        moves = order[reduced.ravel()[order] > -np.inf]
        names = moves % self.program.size
        x = self.program.scale[names] * self.step.ravel()[moves]
        own = gain.ravel()[moves]
        gains = own[:, None] + own - self._curvature_among(names) * np.outer(x, x)
        gains[names[:, None] == names] = -np.inf
        over, before = self._over_together(names, self.change.reshape(count, -1)[:, moves])
        before[names[:, None] == names] = -np.inf
        return moves, gains, over, before

    def _over_together(self, names: Ints, change: Floats) -> tuple[Floats, Floats]:
        """What limits are passed by after two moves of `change` (k, p) at once, and before."""
        limit, shared = self.touched.limit[:, names], self.touched.shared
        room, least = (self.upper - self.used)[limit], (self.lower - self.used)[limit]
        before = _beyond(np.zeros_like(room), least, room)
        both = change[:shared, :, None] + change[:shared, None, :]
        over = _beyond(both, least[:shared, :, None], room[:shared, :, None]).sum(axis=0)
        was = np.repeat(before[:shared].sum(axis=0)[:, None], len(names), axis=1)
        group = self.program.group[names]
        same = group[:, None] == group
        for k in range(shared, len(change)):
            ends = least[k][:, None], room[k][:, None]
            first = _beyond(change[k][:, None] + same * change[k], *ends)
            second = _beyond(change[k], least[k], room[k])
            over += first + ~same * second
            was += before[k][:, None] + ~same * before[k]
        return over, was

    def _curvature_among(self, names: Ints) -> Floats:
        """2λC (p, p) among some names, right off the diagonal."""
        correlation = self.program.correlation
        if correlation is None:
            return np.zeros((len(names), len(names)))
        if isinstance(correlation, DenseCorrelation):
            among = correlation.matrix[names[:, None], names]
        else:
            among = correlation.loadings[names] @ correlation.loadings[names].T
        curved: Floats = 2.0 * self.program.risk_weight * among
        return curved

    def _take_pair(self, moves: Ints, worth: Floats, least: float) -> bool:
        if worth.size == 0 or not worth.max() > least:
            return False
        first, second = divmod(int(worth.argmax()), len(moves))
        self._take(int(moves[first]), int(moves[second]))
        return True

    def _take(self, *moves: int) -> None:
        """Make moves of different names, given by their number in (2, n)."""
        n = self.program.size
        for move in moves:
            side, name = divmod(move, n)
            self.slope += self.step[side, name] * self._column(name)
            self.used[self.touched.limit[:, name]] += self.change[:, side, name]
            self.weights[name] = self.to[side, name]
        self.look(np.array([move % n for move in moves]))

    def _column(self, name: int) -> Floats:
        """Second derivatives (n,) of the risk in one name and each."""
        program, correlation = self.program, self.program.correlation
        if correlation is None:
            return np.zeros(program.size)
        if isinstance(correlation, DenseCorrelation):
            own = correlation.matrix[name]
        else:
            own = correlation.loadings @ correlation.loadings[name]
            own[name] += correlation.specific[name]
        column: Floats = (2.0 * program.risk_weight * program.scale[name]) * program.scale * own
        return column


def _beyond(values: Floats, lower: Floats, upper: Floats) -> Floats:
    """By how much values are outside their bounds, at least 0."""
    outside: Floats = np.maximum(np.maximum(values - upper, lower - values), 0.0)
    return outside


def _worth(gain: Floats, relief: Floats) -> Floats:
    """Gain, a loss per unit of relief, −inf where a move relieves nothing."""
    some: Bools = relief > RELIEF
    return np.where(some, np.where(gain < 0.0, gain / np.where(some, relief, 1.0), gain), -np.inf)
