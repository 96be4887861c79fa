"""A session begins with the names in it: what is known is watched, what is not is written down."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from deadband.core.broker import Answer, BrokerSnapshot, Failed, Instrument, Ok
from deadband.core.errors import BrokerError
from deadband.core.events import Difference, SessionState
from deadband.core.reasons import Code
from deadband.live.line import Line, Patience

from .test_reconcile import A, B, C, held, shot_of
from .test_watch import standing

KNOWN = Instrument("AAPL", 1, "NASDAQ", "USD", (), ())


@dataclass
class Desk:
    """Broker, names and quotes in one, that know AAPL alone."""

    connected: int = 0
    resolved: dict[str, Instrument] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    watched: list[str] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)

    async def connect(self) -> None:
        self.connected += 1

    async def resolve(self, symbols: Sequence[str]) -> dict[str, Answer[Instrument]]:
        self.asked += symbols
        self.parts.append(len(symbols))
        self.resolved |= {"AAPL": KNOWN} if "AAPL" in symbols else {}
        return {s: Ok(KNOWN, 1) if s == "AAPL" else Failed("no such stock", 200) for s in symbols}

    def instrument(self, symbol: str) -> Instrument | None:
        return self.resolved.get(symbol)

    def subscribe(self, symbols: Sequence[str]) -> None:
        self.watched += symbols


def test_known_names_are_watched_once_and_unknown_ones_are_said_and_asked_again() -> None:
    desk: Any = Desk()
    kept, journal = standing()
    names = ("AAPL", "NOPE")
    line = Line(desk, desk, desk, kept, names, watched=frozenset(names))
    for _ in range(2):
        asyncio.run(line.connect())
    assert desk.connected == 2
    assert desk.asked == ["AAPL", "NOPE", "NOPE"]
    assert desk.watched == ["AAPL"]
    said = [heard.event.text for _, records in journal.records for heard in records]
    assert len(said) == 2
    assert set(said) == {"NOPE cannot be traded: no such stock (200)"}


def test_many_names_are_asked_for_in_parts() -> None:
    desk: Any = Desk()
    kept, _ = standing()
    names = ("AAPL", *(f"N{n:03d}" for n in range(249)))
    line = Line(desk, desk, None, kept, names)
    asyncio.run(line.connect())
    assert desk.asked == list(names)
    assert desk.parts == [100, 100, 50]


@dataclass
class Busy:
    """A broker at which one name trades without pause, and another one is not as it should be."""

    told: Any = field(default_factory=lambda: count(1))
    state: SessionState = SessionState.READY

    async def snapshot(self) -> BrokerSnapshot:
        return shot_of(held(**{A: next(self.told), B: 7}))

    def taken(self) -> tuple[()]:
        return ()


def compared(line: Line) -> None:
    asyncio.run(line.compare())


def test_where_a_name_trades_on_the_others_are_compared() -> None:
    busy: Any = Busy()
    kept, journal = standing()
    line = Line(busy, busy, None, kept, (), Patience(settle_s=0.0))
    before = Difference(A, Code.RECON_POSITION_DIFFERS, 0, 9, 9), Difference(C, "x", 0, 3, 3)  # type: ignore[arg-type]
    kept.differences, kept.refused = before, {A: 4, B: 5}
    compared(line)
    other = Difference(B, Code.RECON_POSITION_DIFFERS, 0, 7, 7)
    # What was known of the name that trades stays; of the others it is what is found now.
    assert kept.differences == (before[0], other)
    assert kept.refused == {A: 4}
    assert kept.reserved().tolist() == [9 + 4, 7, 0]
    assert journal.kinds == ["RECONCILED"]


def test_after_a_doubt_all_of_the_books_have_to_stand_still() -> None:
    busy: Any = Busy()
    kept, _ = standing()
    kept.is_reconciled = False
    line = Line(busy, busy, None, kept, (), Patience(settle_s=0.0))
    with pytest.raises(BrokerError, match="still moved"):
        compared(line)
    assert not kept.is_reconciled
