"""What names are at IBKR: contract number, price steps by market rule, and hours; asked once.

Rules
  * A symbol is the US stock of that name, routed smart. None, or several, is Failed with the count.
  * Price steps are those of the smart route's market rule; the contract's own smallest step is only
    what is smallest anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ...core.broker import Answer, Failed, Hours, Instrument, Ok, PriceBand
from ...core.session import session_on
from .questions import Questions
from .said import DetailsSaid, RuleSaid
from .wire import SMART, Wire

ZONES = {"US/Eastern": "America/New_York", "EST": "America/New_York", "EST5EDT": "America/New_York"}


class Contracts:
    """Instruments by symbol; fulfills ReferenceData."""

    def __init__(self, questions: Questions, wire: Wire, next_req_id: Callable[[], int]) -> None:
        self._questions, self._wire, self._next_req_id = questions, wire, next_req_id
        self._known: dict[str, Instrument] = {}
        self._rules: dict[int, tuple[PriceBand, ...]] = {}

    def instrument(self, symbol: str) -> Instrument | None:
        return self._known.get(symbol)

    async def resolve(self, symbols: Sequence[str]) -> dict[str, Answer[Instrument]]:
        """Ask for what is not known yet, all at once; a name that fails leaves the others."""
        answers = await asyncio.gather(*(self._resolve(symbol) for symbol in symbols))
        return dict(zip(symbols, answers, strict=True))

    def rule(self, said: RuleSaid) -> None:
        self._questions.row(f"rule {said.rule_id}", said)
        self._questions.end(f"rule {said.rule_id}")

    async def _resolve(self, symbol: str) -> Answer[Instrument]:
        known = self._known.get(symbol)
        if known is not None:
            return Ok(known, 0)
        req_id = self._next_req_id()
        answer = await self._questions.ask(
            f"{req_id}", lambda: self._wire.ask_contract(req_id, symbol)
        )
        if not isinstance(answer, Ok):
            return answer
        return await self._instrument(symbol, answer)

    async def _instrument(self, symbol: str, answer: Ok[tuple[Any, ...]]) -> Answer[Instrument]:
        found: list[DetailsSaid] = [said for said in answer.value if said.currency == "USD"]
        if len(found) != 1:
            return Failed(f"{symbol} is {len(found)} US stocks at IBKR. Name one that is only one.")
        details = found[0]
        bands = await self._bands(details)
        if not isinstance(bands, Ok):
            return bands
        hours = read_hours(details.liquid_hours, details.zone)
        if hours is None:
            return Failed(f"the hours of {symbol} cannot be read: {details.liquid_hours[:60]!r}")
        instrument = Instrument(
            symbol=symbol,
            broker_id=details.con_id,
            primary_exchange=details.primary_exchange,
            currency=details.currency,
            bands=bands.value,
            liquid_hours=hours,
            long_name=details.long_name,
            size_increment=details.size_increment,
        )
        self._known[symbol] = instrument
        return Ok(instrument, answer.asof)

    async def _bands(self, details: DetailsSaid) -> Answer[tuple[PriceBand, ...]]:
        """The price steps of the smart route's rule."""
        exchanges, rules = details.exchanges.split(","), details.rules.split(",")
        by_exchange = dict(zip(exchanges, rules, strict=False))
        number = by_exchange.get(SMART, "")
        if not number.isdecimal():
            return Failed(
                f"{details.symbol} has no market rule for {SMART}, only {details.rules!r}"
            )
        rule = int(number)
        if rule not in self._rules:
            answer = await self._questions.ask(f"rule {rule}", lambda: self._wire.ask_rule(rule))
            if not isinstance(answer, Ok):
                return answer
            self._rules[rule] = tuple(PriceBand(*band) for band in answer.value[0].bands)
        return Ok(self._rules[rule], 0)


def read_hours(text: str, zone: str) -> tuple[Hours, ...] | None:
    """Read `20260302:0930-20260302:1600;20260307:CLOSED`; None where it says something else."""
    try:
        clock = ZoneInfo(ZONES.get(zone, zone))
        stretches = [part for part in text.split(";") if part and not part.endswith("CLOSED")]
        return tuple(_hours(part, clock) for part in stretches)
    except (ValueError, ZoneInfoNotFoundError):
        return None


def _hours(part: str, clock: ZoneInfo) -> Hours:
    opens, _, closes = part.partition("-")
    both = (
        datetime.strptime(text, "%Y%m%d:%H%M").replace(tzinfo=clock).astimezone(UTC)
        for text in (opens, closes)
    )
    return Hours(*both)


def disagreements(instrument: Instrument) -> tuple[str, ...]:
    """Where the broker's hours and our calendar differ, one sentence a day; no trade there."""
    found = []
    for hours in instrument.liquid_hours:
        day = hours.open.astimezone(ZoneInfo("America/New_York")).date()
        ours = session_on(day)
        if ours is None:
            found.append(f"{day}: the broker opens, our calendar is closed")
        elif (ours.open, ours.close) != (hours.open, hours.close):
            found.append(
                f"{day}: the broker trades {hours.open:%H:%M} to {hours.close:%H:%M} UTC, our "
                f"calendar says {ours.open:%H:%M} to {ours.close:%H:%M}"
            )
    return tuple(found)
