"""The book as it is being worked out: weights, what they use of each limit, and why each moved.

Rules
  * A move never takes a limit past its bound; `room` says how far it may go and what stops it.
  * Exposures and the turnover left are kept with every move; the turnover left never rises.
  * A name's parts are summed by code; the code of the larger part will speak for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...core.arrays import Floats
from ...core.limits import Exposure, Limit, held_in
from ...core.problem import Problem
from ...core.reasons import Code

NOTHING = 1e-12
"""A move smaller than this is none."""

Move = tuple[int, float]
"""A name and its signed weight change per unit of the step."""


@dataclass(slots=True)
class Part:
    """What one code did to one name, with the numbers of its deciding test."""

    amount: float = 0.0
    counterpart: int = -1
    gap: float = 0.0
    gain: float = 0.0
    cost: float = 0.0


@dataclass(slots=True)
class Refusal:
    """The last test a candidate failed."""

    code: Code
    limit: int = 0
    counterpart: int = -1
    gap: float = 0.0
    gain: float = 0.0
    cost: float = 0.0


@dataclass(slots=True, eq=False)
class Draft:
    problem: Problem
    weights: Floats = field(init=False)
    used: Exposure = field(init=False)
    sector_gross: Floats = field(init=False)
    turnover_left: float = field(init=False)
    open: dict[float, set[int]] = field(init=False)
    invested: dict[float, float] = field(init=False)
    parts: dict[int, dict[Code, Part]] = field(default_factory=dict)
    refusals: dict[int, Refusal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.weights = self.problem.current.copy()
        self.turnover_left = self.problem.turnover_left
        self.measure()

    def measure(self) -> None:
        """Sum the exposures afresh, exactly; `open` and `invested` are by side, hedge apart."""
        held = held_in(self.weights)
        self.used = self.problem.structure.exposure_of(held)
        self.sector_gross = self.problem.structure.sector_gross_of(held)
        self.open = {1.0: set(), -1.0: set()}
        self.invested = {1.0: 0.0, -1.0: 0.0}
        for name in np.flatnonzero(self.weights).tolist():
            self._count(name, 0.0, float(self.weights[name]))

    def _count(self, name: int, before: float, after: float) -> None:
        if name == self.problem.hedge:
            return
        for side in (1.0, -1.0):
            self.invested[side] += max(0.0, side * after) - max(0.0, side * before)
            if side * after > 0.0:
                self.open[side].add(name)
            else:
                self.open[side].discard(name)

    def room(self, *moves: Move) -> tuple[float, Limit]:
        """The largest step that keeps every exposure limit, and the limit that ends it."""
        net = gross = beta = 0.0
        sectors: dict[int, tuple[float, float]] = {}
        structure = self.problem.structure
        for name, change in moves:
            outward = change * (np.sign(self.weights[name]) or np.sign(change))
            net += change
            gross += outward
            k = int(structure.group[name])
            if k >= 0:
                before = sectors.get(k, (0.0, 0.0))
                sectors[k] = before[0] + change, before[1] + outward
            if structure.beta is not None:
                beta += change * float(structure.beta[name])
        bounds, used = self.problem.bounds, self.used
        hedging = any(name == self.problem.hedge for name, _ in moves)
        lent = np.inf if hedging else self._hedge_reach(beta)
        rooms = [
            (_row_room(used.net, net, bounds.net), Limit.NET),
            (_row_room(used.gross, gross, bounds.gross), Limit.GROSS),
            (_row_room(used.beta, beta, bounds.beta + lent), Limit.BETA),
        ]
        for k, (signed, outward) in sectors.items():
            rooms.append((_row_room(used.sector[k], signed, bounds.sector[k]), Limit.SECTOR))
            sector_gross = _row_room(self.sector_gross[k], outward, bounds.sector_gross[k])
            rooms.append((sector_gross, Limit.SECTOR_GROSS))
        return min(rooms, key=lambda room: room[0])

    def _hedge_reach(self, slope: float) -> float:
        """Beta that the hedge can still take over from a book whose beta moves along `slope`."""
        problem, beta, hedge = self.problem, self.problem.structure.beta, self.problem.hedge
        if hedge < 0 or beta is None or problem.cut[hedge]:
            return 0.0
        here = float(self.weights[hedge])
        low, high = hedge_box(problem)
        against = -np.sign(slope) * float(beta[hedge])
        return float(max(0.0, against * (low - here), against * (high - here)))

    def name_turnover_left(self, name: int) -> float:
        moved = abs(float(self.weights[name]) - float(self.problem.current[name]))
        return max(0.0, self.problem.bounds.turnover_name - moved)

    def move(self, name: int, change: float, code: Code, part: Part) -> None:
        """Change one weight by a signed amount, keep the sums, and note why."""
        before = float(self.weights[name])
        after = before + change
        # A weight that was meant to be closed is closed, not left at its rounding error.
        after = 0.0 if abs(after) < NOTHING else after
        self.weights[name] = after
        self._count(name, before, after)
        outward = abs(after) - abs(before)
        self.used.net += after - before
        self.used.gross += outward
        k = int(self.problem.structure.group[name])
        if k >= 0:
            self.used.sector[k] += after - before
            self.sector_gross[k] += outward
        if self.problem.structure.beta is not None:
            self.used.beta += (after - before) * float(self.problem.structure.beta[name])
        self.turnover_left = max(0.0, self.turnover_left - abs(after - before))
        parts = self.parts.setdefault(name, {})
        part.amount = abs(change) + (parts[code].amount if code in parts else 0.0)
        parts[code] = part

    def refuse(self, name: int, refusal: Refusal) -> None:
        self.refusals[name] = refusal


def hedge_box(problem: Problem) -> tuple[float, float]:
    """Lowest and highest weight of the hedge: its permit, then its cap, then its hard box.

    In that order: a repair overrules a permit, and nothing overrules what may not trade at all.
    """
    name, bounds = problem.hedge, problem.bounds
    low, high = float(problem.low[name]), float(problem.high[name])
    for floor, ceiling in (
        (float(bounds.low[name]), float(bounds.high[name])),
        (float(problem.hard_low[name]), float(problem.hard_high[name])),
    ):
        low, high = min(max(low, floor), ceiling), min(max(high, floor), ceiling)
    return low, high


def _row_room(value: float, slope: float, bound: float) -> float:
    """How far a step may go before |value + step·slope| reaches `bound`; none if it is past it."""
    if slope == 0.0 or bound == np.inf:
        return np.inf
    ahead = bound - value if slope > 0 else bound + value
    return float(max(0.0, ahead) / abs(slope))
