"""Bar rows as columns, thinned out step by step, with a finding for whatever is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Bools, Floats, Ints
from ...core.ports import Finding
from ...core.session import EXCHANGE_ZONE, Session
from ...core.units import epoch_ns

PRICES = ("open", "high", "low", "close")
QUOTES = ("bid", "ask")
MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
EXAMPLES = 5
"""Names or days listed in one example."""


@dataclass(slots=True, eq=False)
class Rows:
    """Bar rows in any order; `name` numbers `symbols`, `ts` is ns since the epoch."""

    symbols: tuple[str, ...]
    ts: Ints
    name: Ints
    values: dict[str, Floats]
    findings: list[Finding] = field(default_factory=list)

    def keep(self, which: Bools) -> None:
        if which.all():
            return
        self.ts, self.name = self.ts[which], self.name[which]
        self.values = {key: column[which] for key, column in self.values.items()}

    def note(self, ailment: Ailment, bad: Bools) -> None:
        """Record the rows under a name, the earliest as an example; none leave no trace."""
        if bad.any():
            rows = np.flatnonzero(bad)
            # Not the first of the file: the order of rows is to change nothing.
            first = rows[np.lexsort((self.name[rows], self.ts[rows]))[0]]
            example = f"{self.symbols[self.name[first]]} {stamp(int(self.ts[first]))}"
            self.findings.append(Finding(ailment, len(rows), example))

    @property
    def flat(self) -> Bools:
        """Rows whose four prices are equal."""
        value = self.values
        same: Bools = (value["high"] == value["low"]) & (value["open"] == value["close"])
        same &= value["open"] == value["high"]
        return same


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The sessions a file may have bars of, and the length of a bar in ns."""

    sessions: tuple[Session, ...]
    step: int
    opens: Ints = field(init=False)
    closes: Ints = field(init=False)

    def __post_init__(self) -> None:
        opens = [epoch_ns(session.open) for session in self.sessions]
        closes = [epoch_ns(session.close) for session in self.sessions]
        object.__setattr__(self, "opens", np.array(opens, dtype=np.int64))
        object.__setattr__(self, "closes", np.array(closes, dtype=np.int64))

    def starts(self, place: int) -> Ints:
        """When the bars of a session start."""
        return np.arange(self.opens[place], self.closes[place], self.step)


def moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / 1e9, UTC)


def stamp(ns: int) -> str:
    return moment(ns).strftime("%Y-%m-%d %H:%M UTC")


def exchange_day(ns: int) -> date:
    """The day in New York: 20:00 there is the next day in UTC."""
    return moment(ns).astimezone(EXCHANGE_ZONE).date()


def listed(symbols: Sequence[str]) -> str:
    """The first few, and a sign that there are more."""
    return ", ".join(symbols[:EXAMPLES]) + (", …" if len(symbols) > EXAMPLES else "")
