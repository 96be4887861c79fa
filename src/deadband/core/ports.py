"""What the outside must look like: the seams at which adapters are plugged in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .ailments import Ailment
from .arrays import Floats
from .bars import Bar, SessionBars
from .features import Features
from .orders import Charge, ExecutionReport, Order, Replacement
from .seen import Scores, Universe
from .session import Session


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the data: its name, how often, and an example with its numbers."""

    ailment: Ailment
    count: int
    example: str

    def __str__(self) -> str:
        said = f"{self.ailment} {self.ailment.what}, {self.ailment.effect}"
        return f"{said}: {self.count} ({self.example})"


@dataclass(frozen=True, slots=True)
class Statement:
    """The broker's own books: shares by symbol, flat ones left out, and cash in micro-dollars."""

    shares: dict[str, int]
    cash_micro: int


class Tape(Protocol):
    """A recorded or simulated market, one session at a time."""

    universe: Universe
    bar_min: float
    findings: tuple[Finding, ...]

    def sessions(self) -> tuple[Session, ...]:
        """Sessions that can be run: those with bars and enough history before them."""
        ...

    def day(self, session: Session) -> SessionBars: ...

    def bars_before(self, session: Session, most: int) -> Iterator[tuple[Session, Bar]]:
        """All bars of up to `most` sessions before one, oldest first."""
        ...


class Model(Protocol):
    """A model of the user's, or of the reference zoo.

    `unit`: "z" (score / σ), "bps" (expected return over `horizon_min`) or "rank" (any number,
    higher is better). `needs`: the features it reads. `version` goes into the journal with its
    scores, so that a reader knows which model spoke.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def unit(self) -> str: ...

    @property
    def horizon_min(self) -> float: ...

    @property
    def needs(self) -> tuple[str, ...]: ...

    def score(self, features: Features) -> Floats:
        """Scores (n,) in the universe's order, NaN where it has no opinion."""
        ...


class ScoreSource(Protocol):
    """Model scores as they were known at an instant.

    `needs`: the features that the scores are made of; where it is empty none are measured.
    """

    @property
    def needs(self) -> tuple[str, ...]: ...

    def at(self, now: datetime, features: Features | None) -> Scores:
        """What every model says at `now`; `features` as measured then, None where none are."""
        ...


class Journal(Protocol):
    """Where records become durable; `append` returns only when they are."""

    def append(
        self,
        kind: str,
        cycle_id: str,
        at: str,
        value: object,
        laps: Mapping[str, float] | None = None,
    ) -> None: ...

    def close(self) -> None: ...


class SimulatedBroker(Protocol):
    """A broker that lives on bars; every call returns what it reports, in order."""

    def submit(self, orders: tuple[Order, ...], now: datetime) -> tuple[ExecutionReport, ...]: ...

    def cancel(self, cl_ord_ids: tuple[str, ...], now: datetime) -> tuple[ExecutionReport, ...]: ...

    def replace(
        self, changes: tuple[Replacement, ...], now: datetime
    ) -> tuple[ExecutionReport, ...]: ...

    def advance(self, bar: Bar) -> tuple[ExecutionReport | Charge, ...]: ...

    def close(self, now: datetime) -> tuple[ExecutionReport, ...]: ...

    def statement(self) -> Statement: ...
