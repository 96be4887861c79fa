"""Quotes at any instant, and the seeded market they come from by default.

The seeded mid is a sum of noises, each straight between seeded points two, four, eight ... times
as far apart, so that moves grow with the root of time as a price's do, and any instant can be asked
for in any order. Spreads are `core.costs`'; volume follows the day's U.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from ..core.costs import half_spread, spread_curve
from ..core.session import EXCHANGE_ZONE, Session, open_minutes, session_on
from ..core.units import to_tick
from .chance import normal, uniform
from .contracts import Contract

_ORIGIN = datetime(2020, 1, 2, 12, tzinfo=UTC)
_SHORTEST_MIN, _NOISES = 0.125, 17
_MINUTES_A_DAY = 390.0
_HALF_LOG_NOISE = 0.5
"""A sum of such noises of amplitude ½σ√period moves about σ√time over any time between them."""
LOT = 100


@dataclass(frozen=True, slots=True)
class Quote:
    """The best bid and offer USD with sizes in shares, the last trade, and the day's volume."""

    bid: float
    ask: float
    bid_size: int
    ask_size: int
    last: float
    last_size: int
    volume: int

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2


class Market(Protocol):
    """Where prices come from."""

    def mid(self, contract: Contract, moment: datetime) -> float: ...
    def half_quote(self, contract: Contract, price: float, moment: datetime) -> float: ...
    def volume(self, contract: Contract, moment: datetime) -> float: ...


def quote(market: Market, contract: Contract, moment: datetime, seed: int) -> Quote:
    """The quote that stands at an instant; the same for everyone who asks."""
    mid = market.mid(contract, moment)
    half = market.half_quote(contract, mid, moment)
    tick = contract.tick(mid)
    bid = max(to_tick(mid - half, tick, up=False), tick)
    ask = max(to_tick(mid + half, tick, up=True), round(bid + tick, 10))
    key = (contract.con_id, moment.timestamp())
    lots = contract.daily_shares / 2e7
    bid_size, ask_size, last_size = (
        LOT * (1 + int(-math.log(uniform(seed, side, *key)) * lots))
        for side in ("bid", "ask", "last")
    )
    last = ask if uniform(seed, "print", *key) > 0.5 else bid
    volume = int(market.volume(contract, moment))
    return Quote(bid, ask, bid_size, ask_size, last, last_size, volume)


def volume_share(minute: float, length: float) -> float:
    """Share of a session's volume done by `minute` of `length`: busy at the open and the close."""

    def done(at: float) -> float:
        opening = 20.0 * 2.0 * (1 - math.exp(-at / 20.0))
        closing = 15.0 * 1.5 * (math.exp((at - length) / 15.0) - math.exp(-length / 15.0))
        return at + opening + closing

    return done(min(max(minute, 0.0), length)) / done(length)


def _session_place(moment: datetime) -> tuple[Session | None, float]:
    """The session of the instant's day, and the minute of it, clipped to its ends."""
    session = session_on(moment.astimezone(EXCHANGE_ZONE).date())
    if session is None:
        return None, 0.0
    minute = (moment - session.open).total_seconds() / 60
    return session, min(max(minute, 0.0), session.minutes)


def modeled_half_spread(contract: Contract, price: float, moment: datetime) -> float:
    """Half the spread USD that `core.costs` expects of a name at that time of day."""
    session, minute = _session_place(moment)
    length = session.minutes if session else _MINUTES_A_DAY
    one = np.array([price])
    dollars = one * contract.daily_shares
    tick = np.array([contract.tick(price)])
    return float(half_spread(one, dollars, tick, spread_curve(minute, length), 1.0)[0])


@dataclass(slots=True)
class SeededMarket:
    """Prices that belong to the seed; the same every run, on every machine."""

    seed: int

    def mid(self, contract: Contract, moment: datetime) -> float:
        at = open_minutes(_ORIGIN, moment)
        sigma = contract.daily_sigma / math.sqrt(_MINUTES_A_DAY)
        log = 0.0
        for step in range(_NOISES):
            period = _SHORTEST_MIN * 2.0**step
            place = at / period
            left = int(place)
            rest = place - left
            key = (contract.con_id, step)
            before, after = normal(self.seed, *key, left), normal(self.seed, *key, left + 1)
            value = before * (1 - rest) + after * rest
            log += _HALF_LOG_NOISE * sigma * math.sqrt(period) * value
        return contract.price_usd * math.exp(log)

    def half_quote(self, contract: Contract, price: float, moment: datetime) -> float:
        return modeled_half_spread(contract, price, moment)

    def volume(self, contract: Contract, moment: datetime) -> float:
        session, minute = _session_place(moment)
        if session is None:
            return 0.0
        busy = 0.7 + 0.6 * uniform(self.seed, "volume", contract.con_id, session.day)
        return contract.daily_shares * busy * volume_share(minute, session.minutes)
