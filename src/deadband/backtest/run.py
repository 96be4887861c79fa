"""Runs the cycle over a tape: the same step, journal and fold as live, on a virtual clock.

At each bar's end, in this order:
  1. the broker reports what filled in the bar that ended, and with a session's first what the
     nights before it cost; the reports are journaled and folded
  2. gather: the market from bars that have ended, what models and score files say by now, the
     marked book
  3. step: decide, and let the gate take out what may not leave
  4. the record, with every order's intent, becomes durable in the journal
  5. cancels, changes and orders go to the broker; its receipts are journaled and folded
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cache
from importlib.metadata import version
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from .. import cycle
from ..core.bars import SessionBars
from ..core.config import Settings
from ..core.orders import Book, Charge, ExecutionReport
from ..core.ports import Journal, ScoreSource, SimulatedBroker, Tape
from ..core.seen import RiskGiven, Switch, Universe
from ..core.session import Session
from ..core.types import CycleRecord, State, Watch
from ..core.units import micros
from .gather import gather
from .measure import Measure

RUN, SETTINGS, CYCLE, REPORTS = "RUN", "SETTINGS", "CYCLE", "REPORTS"
STATEMENT, END, OPERATOR = "STATEMENT", "END", "OPERATOR"
"""Kinds of journal records."""

Progress = Callable[[CycleRecord], None]


@dataclass(slots=True)
class Laps:
    """Milliseconds a room, as a Stopwatch of the cycle."""

    rooms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def lap(self, room: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.rooms[room] = self.rooms.get(room, 0.0) + (perf_counter() - started) * 1e3


@dataclass(slots=True, eq=False)
class Run:
    """One run over sessions of a tape; `switch` is what the operator commands at an instant.

    `over` runs whole sessions; `open`, `bar`, `close` and `end` are its steps, for callers that
    go bar by bar.
    """

    settings: Settings
    tape: Tape
    scores: ScoreSource
    broker: SimulatedBroker
    journal: Journal
    switch: Callable[[datetime], Switch] = field(default=lambda _: Switch())
    risk_given: RiskGiven | None = None
    state: State = field(init=False)
    cycle_id: str = field(default="")
    _measure: Measure = field(init=False)

    def __post_init__(self) -> None:
        self._measure = Measure(self.tape, self.scores.needs)

    def over(self, sessions: tuple[Session, ...], progress: Progress) -> State:
        """Run the sessions in order; returns the final state."""
        # One BLAS thread: sums then come out the same on every machine with the same library.
        with threadpool_limits(limits=1, user_api="blas"):
            self.open(sessions[0].open)
            for session in sessions:
                day = self.tape.day(session)
                for k in range(1, len(day) + 1):
                    progress(self.bar(day, k))
                self.close(day)
            self.end(sessions[-1].close)
        return self.state

    def open(self, now: datetime) -> None:
        """Begin with an account of nothing but cash, and journal what replay will need."""
        self.state = first_state(self.tape.universe, self.settings)
        opening = {
            "settings": self.settings,
            "state": self.state,
            "versions": versions(),
            "findings": tuple(str(finding) for finding in self.tape.findings),
        }
        self._write(RUN, now, opening)

    def change(self, settings: Settings, now: datetime) -> None:
        """Decide by other settings from here on; the journal says from when."""
        self.settings = settings
        self._write(SETTINGS, now, settings)

    def bar(self, day: SessionBars, k: int) -> CycleRecord:
        """The k-th bar, from 1: fold what filled in it, decide at its end, send."""
        now = day.ended(k)
        self._fold(self.broker.advance(day.bar(k)), now)
        laps = Laps()
        with laps.lap("models"):
            scores = self.scores.at(now, self._measure.at(day, k))
        seen = gather(
            self.state,
            day.market_after(k),
            day.history,
            scores,
            self.switch(now),
            self.settings.execution,
            self.risk_given,
        )
        after, record = cycle.step(self.settings, self.state, seen, laps)
        self.cycle_id = record.cycle_id
        self.journal.append(CYCLE, record.cycle_id, now.isoformat(), record, laps.rooms)
        # From here on the orders are intended, durably: only now may they leave.
        self.state = after
        self._fold(self.broker.cancel(record.plan.cancels, now), now)
        self._fold(self.broker.replace(record.plan.replaces, now), now)
        self._fold(self.broker.submit(record.plan.orders, now), now)
        return record

    def close(self, day: SessionBars) -> None:
        """Day orders expire, and the broker states its books."""
        now = day.session.close
        self._fold(self.broker.close(now), now)
        self._write(STATEMENT, now, asdict(self.broker.statement()))

    def end(self, now: datetime) -> None:
        self._write(END, now, {"cycles": self.state.cycle})

    def _fold(self, reports: tuple[ExecutionReport | Charge, ...], now: datetime) -> None:
        if not reports:
            return
        self._write(REPORTS, now, reports)
        for report in reports:
            self.state = cycle.apply(self.state, report)

    def _write(self, kind: str, now: datetime, value: object) -> None:
        self.journal.append(kind, self.cycle_id, now.isoformat(), value)


def first_state(universe: Universe, settings: Settings) -> State:
    """An account of nothing but cash."""
    n = len(universe)
    return State(
        universe=universe,
        book=Book.empty(n, micros(settings.execution.capital_usd)),
        working=(),
        cycle=0,
        day="",
        turnover_today=0.0,
        start_nav=0.0,
        peak_nav=0.0,
        last_nav=0.0,
        cut_at=np.full(n, -1, dtype=np.int64),
        watch=Watch(),
        risk=None,
    )


def versions() -> dict[str, str]:
    """What byte-exact replay depends on."""
    return {
        **{name: _version(name) for name in ("deadband", "numpy", "scipy", "piqp")},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


@cache
def _version(name: str) -> str:
    """Read once a process: it stands in a file, and a run that begins again asks again."""
    return version(name)
