"""One cell of bench_qp.py: everybody solves the same cycles, and each answer is judged.

1. Who is installed, takes the size and will not take too long is set up, before the clock starts.
2. deadband leads through a block of cycles, each from its last answer, and all others solve the
   same cycles, block after block in an order that turns. Within a block a solver is called back to
   back, as in a backtest; the first call of a block finds the caches as the others left them.
3. A solver whose time is spent stops, and the others go on. Value and violation are measured here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import perf_counter, process_time
from typing import Any

import numpy as np
from epigraph import Epigraph, epigraph
from facade import Facade
from instances import NEVER, Cycle, Setting, setting
from peers import PEERS
from rivals import SOLVERS, PiqpSolver, Reply, Rival

from deadband.core.arrays import Floats

RIVALS = (*SOLVERS, *PEERS)
OURS = "deadband"
INSIDE = 1e-8
"""An answer within this of every limit may set the best known value."""
UNHURRIED = 3.0
"""Seconds; two cycles count at least of one that takes less than this."""
LEAD = 4.0
"""Times a solver's budget that the façade may spend: without it nobody goes on."""
BLOCK = 15
"""Cycles that a solver is asked in a row."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One size, form and regime.

    `budget`: seconds for each solver; `longest`: seconds that one solve may be foreseen to take.
    """

    n: int
    form: str
    regime: str
    budget: float
    longest: float

    def __str__(self) -> str:
        return f"N = {self.n:,} {self.form}, {self.regime}"


@dataclass(slots=True)
class Racer:
    """One solver in one cell: CPU and wall seconds, U and violation by cycle, what it said."""

    name: str
    solve: Callable[[Cycle], Reply]
    lacks: str = ""
    setup: float = 0.0
    spans: dict[int, float] = field(default_factory=dict)
    walls: dict[int, float] = field(default_factory=dict)
    utility: dict[int, float] = field(default_factory=dict)
    violation: dict[int, float] = field(default_factory=dict)
    bounds: dict[int, float] = field(default_factory=dict)
    said: Counter[str] = field(default_factory=Counter)
    stopped: bool = False

    def run(self, cell: Setting, cycle: Cycle) -> Reply:
        """Solve one cycle against the clock, then judge the answer."""
        wall, started = perf_counter(), process_time()
        try:
            reply = self.solve(cycle)
        except Exception as fault:  # noqa: BLE001  A rival's fault is a result.
            reply = Reply(None, said=type(fault).__name__)
        self.spans[cycle.place] = process_time() - started
        self.walls[cycle.place] = perf_counter() - wall
        if reply.said:
            self.said[reply.said] += 1
        if reply.weights is not None and np.isfinite(reply.weights).all():
            self.utility[cycle.place] = cell.utility(cycle, reply.weights)
            self.violation[cycle.place] = cell.violation(cycle, reply.weights)
        if reply.bound is not None:
            self.bounds[cycle.place] = reply.bound
        return reply

    def spend(self, budget: float, slow: float) -> None:
        """Stop when the time is spent, but not before one cycle counts, two of a quick solver."""
        slowest = max(self.walls.values())
        least = 2 if slowest > UNHURRIED else 3
        counted = sum(wall for place, wall in self.walls.items() if place > 0)
        spent = counted > budget and len(self.walls) >= least
        self.stopped = spent or slowest > slow

    @property
    def counted(self) -> list[int]:
        """Cycles whose time counts: all but the first, unless that was the only one."""
        return [place for place in self.spans if place > 0] or list(self.spans)


@dataclass(slots=True)
class Ours:
    """The façade as a racer's solver, and what its answers said."""

    facade: Facade
    methods: Counter[str] = field(default_factory=Counter)
    gaps: list[float] = field(default_factory=list)

    def __call__(self, cycle: Cycle) -> Reply:
        return Reply(self.facade(cycle))

    def note(self) -> None:
        self.methods[self.facade.method] += 1
        gap = self.facade.certified_gap
        if gap is not None:
            self.gaps.append(gap)


class Race:
    """One cell: who runs, and cycle after cycle of it."""

    def __init__(self, cell: Cell, cycles: int, slow: float, foreseen: dict[str, float]) -> None:
        self.cell, self.cycles, self.slow = cell, cycles, slow
        self.setting = setting(cell.n, cell.form, cell.regime, cycles)
        self.target = opening(self.setting)
        self.first = self.setting.cycle(0, self.target)
        self.ours = Ours(Facade(self.setting))
        self.leader = Racer(OURS, self.ours)
        self.racers = [self.leader]
        self.absent: dict[str, str] = {}
        for rival in RIVALS:
            self._enter(rival, foreseen.get(rival.name, 0.0))
        exact = PiqpSolver(epigraph(self.setting), dense=False, accuracy=1e-10)
        self.reference = Racer("reference", exact)
        self.reference.stopped = foreseen.get("PIQP", 0.0) > cell.budget

    def _enter(self, rival: Rival, foreseen: float) -> None:
        if not rival.installed:
            self.absent[rival.name] = f"not installed: {how_to_install(rival)}"
        elif not rival.takes(self.setting):
            self.absent[rival.name] = "not tried at this size"
        elif foreseen > self.cell.longest:
            about = f"about {foreseen:,.0f} s" if foreseen < NEVER else "too long"
            self.absent[rival.name] = f"not run: would take {about} a solve"
        else:
            started = perf_counter()
            try:
                solve = rival.make(self.setting, self.first)
            except Exception as fault:  # noqa: BLE001  A rival's fault is a result.
                self.absent[rival.name] = f"failed to set up: {type(fault).__name__}"
                return
            spent = perf_counter() - started
            self.racers.append(Racer(rival.name, solve, rival.lacks(self.setting), spent))

    def run(self, deadline: float) -> None:
        rivals = [*self.racers[1:], self.reference]
        for first in range(0, self.cycles, BLOCK):
            block = self._led(range(first, min(first + BLOCK, self.cycles)))
            turn = (first // BLOCK) % len(rivals)
            for racer in (*rivals[turn:], *rivals[:turn]):
                self._follow(racer, block, deadline)
            if self.leader.stopped or perf_counter() > deadline:
                break

    def _led(self, places: range) -> list[Cycle]:
        """The cycles of a block, each from the façade's last answer, drifted."""
        block = []
        for place in places:
            if self.leader.stopped:
                break
            cycle = self.setting.cycle(place, self.target)
            weights = self.leader.run(self.setting, cycle).weights
            self.leader.spend(self.cell.budget * LEAD, self.slow)
            self.ours.note()
            block.append(cycle)
            if weights is None or self.leader.violation.get(place, np.inf) > INSIDE:
                weights = self.reference.run(self.setting, cycle).weights
            self.target = self.target if weights is None else weights
        return block

    def _follow(self, racer: Racer, block: list[Cycle], deadline: float) -> None:
        for cycle in block:
            late = cycle.place > 0 and perf_counter() > deadline
            if racer.stopped or late:
                return
            if cycle.place not in racer.spans:
                racer.run(self.setting, cycle)
                racer.spend(self.cell.budget, self.slow)

    def rows(self) -> list[dict[str, Any]]:
        best, bound = self._best()
        rows = [self._row(racer, best) for racer in self.racers]
        reached = self.leader.utility
        proved = [(bound[p] - reached[p]) / abs(best[p]) for p in best if p in reached]
        rows[0] |= {
            "methods": dict(self.ours.methods),
            "gap_to_bound": max(proved, default=None),
            "certified_gap": max(self.ours.gaps, default=None),
        }
        head = {"n": self.cell.n, "form": self.cell.form, "regime": self.cell.regime}
        absent = [{"who": name, "absent": why} for name, why in self.absent.items()]
        return [head | row for row in [*rows, *absent]]

    def _best(self) -> tuple[dict[int, float], dict[int, float]]:
        """Best known value and lowest dual bound, of the cycles that somebody has bounded."""
        everybody = [*self.racers, self.reference]
        best: dict[int, float] = {}
        bound: dict[int, float] = {}
        for racer in everybody:
            for place, value in racer.bounds.items():
                bound[place] = min(value, bound.get(place, np.inf))
        for racer in everybody:
            for place, value in racer.utility.items():
                if place in bound and racer.violation[place] <= INSIDE:
                    best[place] = max(value, best.get(place, -np.inf))
        return best, bound

    def _row(self, racer: Racer, best: dict[int, float]) -> dict[str, Any]:
        counted = racer.counted
        spans = np.array([racer.spans[place] for place in counted]) * 1e3
        ours = [self.leader.spans[place] for place in counted if place in self.leader.spans]
        gaps = [(best[p] - u) / abs(best[p]) for p, u in racer.utility.items() if p in best]
        return {
            "who": racer.name,
            "cycles": len(counted),
            "p50_ms": float(np.median(spans)),
            "p99_ms": float(np.quantile(spans, 0.99)),
            "max_ms": float(spans.max()),
            "longest_ms": max(racer.spans.values()) * 1e3,
            "wall_p50_ms": float(np.median([racer.walls[place] for place in counted])) * 1e3,
            "gap": max(gaps, key=abs, default=None),
            "violation": max(racer.violation.values(), default=None),
            "ratio": float(np.median(spans) / np.median(ours) / 1e3),
            "failed": len(racer.spans) - len(racer.utility),
            "said": dict(racer.said),
            "states": racer.lacks or "everything",
            "setup_ms": racer.setup * 1e3,
        }


def opening(asked: Setting) -> Floats:
    """A book (n,) to begin with: the optimum from cash, turnover being free of limits."""
    unlimited = replace(asked.config, max_turnover=NEVER, max_turnover_per_name=NEVER)
    free = replace(asked, config=unlimited)
    cycle = Cycle(0, asked.scores[0], np.zeros(asked.size))
    weights = Facade(free)(cycle)
    if free.violation(cycle, weights) <= INSIDE:
        return weights
    other = PiqpSolver(Epigraph(free), dense=False)(cycle).weights
    return weights if other is None else other


def how_to_install(rival: Rival) -> str:
    if rival.license == "permissive":
        return "pip install 'deadband[bench]'"
    return f"pip install {rival.name}  ({rival.license}, so not in deadband[bench])"
