"""Bars of the past, drawn from the same prices as the quotes, and the bar that is growing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from types import MappingProxyType

from ..core.errors import DataError
from ..core.session import EXCHANGE_ZONE, previous_session, session_on
from ..core.session import Session as MarketDay
from . import replies
from .client import Client
from .contracts import Contract
from .fault_names import FaultName
from .replies import HistoryBar
from .requests import Request
from .streams import watch
from .timeline import exchange_stamp, parse_stamp
from .wire import flag
from .world import World

MOST_BARS = 20_000
SAMPLES = 8
"""Instants in a bar at which its price is looked at."""
UPDATE_S = 5.0
_UNITS_S = MappingProxyType(
    {"sec": 1, "secs": 1, "min": 60, "mins": 60, "hour": 3600, "hours": 3600}
)
_SESSIONS = MappingProxyType({"D": 1, "W": 5, "M": 21, "Y": 252})
_SHOWN = frozenset({"TRADES", "MIDPOINT", "BID", "ASK"})
_SHARES_A_TRADE = 120


def answer_history(world: World, client: Client, request: Request) -> None:
    req_id, contract = request.whole("reqId"), world.listing.find(request.fields)
    if contract is None:
        client.error(req_id, 200, "No security definition has been found for the request")
        return
    if world.is_history_down or world.strikes(
        FaultName.HISTORY_PACING, client, request.kind, contract.symbol
    ):
        said = "HMDS query returned no data" if world.is_history_down else "API pacing violation"
        client.error(req_id, 162, f"Historical Market Data Service error message:{said}")
        return
    try:
        asked = _Asked(world, contract, request)
    except (ValueError, DataError) as fault:
        client.error(req_id, 321, f"Error validating request.-'history' : cause - {fault}")
        return
    bars = list(asked.bars())
    start = bars[0].when if bars else exchange_stamp(asked.end)
    client.send(
        replies.historical_data(req_id, start, exchange_stamp(asked.end), bars), contract.symbol
    )
    if flag(request.text("keepUpToDate")):
        _keep_up_to_date(world, client, request)


def _keep_up_to_date(world: World, client: Client, request: Request) -> None:
    req_id, contract = request.whole("reqId"), world.listing.find(request.fields)
    sent = [world.timeline.now]

    def show() -> None:
        now = world.timeline.now
        if contract is None or world.is_history_down:
            return
        if now - sent[0] < timedelta(seconds=UPDATE_S):
            return
        sent[0] = now
        latest = list(_Asked(world, contract, request).bars())[-1:]
        for bar in latest:
            client.send(replies.historical_update(req_id, bar), contract.symbol)

    watch(world, client, req_id, show)


class _Asked:
    """One request, read; raises ValueError that says what cannot be given."""

    def __init__(self, world: World, contract: Contract, request: Request) -> None:
        self._world, self._contract = world, contract
        self._show = request.text("whatToShow").upper()
        if self._show not in _SHOWN:
            raise ValueError(f"whatToShow {self._show} is not simulated, only {sorted(_SHOWN)}")
        ends = request.text("endDateTime")
        now = world.timeline.now
        self.end = min(parse_stamp(ends), now) if ends else now
        self._size_s = _bar_seconds(request.text("barSize"))
        self._in_epoch = request.text("formatDate") == "2"
        self._duration = request.text("duration")
        self._days = self._market_days()

    def bars(self) -> Iterator[HistoryBar]:
        for day, first in self._days:
            start = day.open
            length = timedelta(seconds=self._size_s or day.minutes * 60)
            while start < min(day.close, self.end):
                stop = min(start + length, day.close, self.end)
                if start >= first:
                    yield self._bar(start, stop)
                start += length

    def _bar(self, start: datetime, stop: datetime) -> HistoryBar:
        step = (stop - start) / SAMPLES
        prices = [self._price(start + step * n) for n in range(SAMPLES + 1)]
        volume_at = self._world.market.volume
        before = volume_at(self._contract, start)
        done = max(int(volume_at(self._contract, stop) - before), 0)
        traded = done if self._show == "TRADES" else -1
        mean = round(sum(prices) / len(prices), 4)
        count = done // _SHARES_A_TRADE if traded >= 0 else -1
        high, low = max(prices), min(prices)
        when = self._when(start)
        return HistoryBar(when, prices[0], high, low, prices[-1], traded, mean, count)

    def _price(self, moment: datetime) -> float:
        market, contract = self._world.market, self._contract
        side = {"BID": -1, "ASK": 1}.get(self._show, 0)
        mid = market.mid(contract, moment)
        half = market.half_quote(contract, mid, moment) if side else 0.0
        return round(mid + side * half, 2)

    def _when(self, start: datetime) -> str:
        if not self._size_s:
            return f"{start.astimezone(EXCHANGE_ZONE):%Y%m%d}"
        return str(int(start.timestamp())) if self._in_epoch else exchange_stamp(start)

    def _market_days(self) -> list[tuple[MarketDay, datetime]]:
        """The sessions that the duration reaches back to, each with the first instant wanted."""
        found = re.fullmatch(r"(\d+) ([SDWMY])", self._duration)
        if not found:
            raise ValueError(f"duration {self._duration!r} is not like '1 D' or '3600 S'")
        amount, unit = int(found[1]), found[2]
        day = session_on(self.end.astimezone(EXCHANGE_ZONE).date())
        if day is None or day.open >= self.end:
            day = previous_session(self.end.astimezone(EXCHANGE_ZONE).date())
        if unit == "S":
            reach = min(self.end, day.close) - timedelta(seconds=amount)
            return [(day, reach)]
        days = [day]
        wanted = amount * _SESSIONS[unit]
        a_day = day.minutes * 60 / self._size_s if self._size_s else 1
        if wanted * a_day > MOST_BARS:
            raise ValueError(f"more than {MOST_BARS} bars are asked for")
        while len(days) < wanted:
            days.append(previous_session(days[-1].day))
        return [(d, d.open) for d in reversed(days)]


def _bar_seconds(size: str) -> int:
    """Seconds of a bar size such as `5 mins`; 0 for a day."""
    if size == "1 day":
        return 0
    number, _, unit = size.partition(" ")
    if not number.isdecimal() or int(number) < 1 or unit not in _UNITS_S:
        raise ValueError(f"bar size {size!r} is not simulated")
    return int(number) * _UNITS_S[unit]
