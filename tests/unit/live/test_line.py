"""A session begins with the names in it: what is known is watched, what is not is written down."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deadband.core.broker import Answer, Failed, Instrument, Ok
from deadband.live.line import Line

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
