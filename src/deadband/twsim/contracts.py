"""What can be traded here: liquid US names, their rules of price, and their hours.

Contract ids of the built-in names are IBKR's as publicly known and may have changed since; prices,
volumes and volatilities are round figures that make the simulation lively, not facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ..core.session import EXCHANGE_ZONE, session_on
from ..core.units import tick_size

MARKET_RULE = 26
PRICE_BANDS = ((0.0, 0.0001), (1.0, 0.01))
"""Rule 26: lower edge USD and the increment from there up (SEC Rule 612)."""
ORDER_TYPES = "ACTIVETIM,ADJUST,ALGO,LMT,LOC,MIDPX,MKT,MOC,PEGMID,REL,STP,STPLMT"
EXCHANGES = "SMART,NASDAQ,NYSE,ARCA,IBKRATS"
_INVENTED_IDS = 900_000_001


@dataclass(frozen=True, slots=True)
class Contract:
    """One listed stock; `daily_shares` and `daily_sigma` (fraction) drive its simulated quotes."""

    con_id: int
    symbol: str
    primary_exchange: str
    trading_class: str
    long_name: str
    price_usd: float
    daily_shares: float
    daily_sigma: float = 0.018
    shortable_shares: int = 5_000_000

    def tick(self, price: float) -> float:
        """Minimum price variation in USD at a price."""
        return float(tick_size(np.array(price)))


def _stock(con_id: int, symbol: str, exchange: str, name: str, facts: str) -> Contract:
    price, millions = facts.split()
    trading_class = "NMS" if exchange == "NASDAQ" else symbol
    return Contract(
        con_id, symbol, exchange, trading_class, name, float(price), float(millions) * 1e6
    )


BUILT_IN = (
    _stock(265598, "AAPL", "NASDAQ", "APPLE INC", "200 55"),
    _stock(756733, "SPY", "ARCA", "SS SPDR S&P 500 ETF TRUST-US", "600 70"),
    _stock(272093, "MSFT", "NASDAQ", "MICROSOFT CORP", "430 20"),
    _stock(4815747, "NVDA", "NASDAQ", "NVIDIA CORP", "140 180"),
    _stock(3691937, "AMZN", "NASDAQ", "AMAZON.COM INC", "190 40"),
    _stock(208813719, "GOOGL", "NASDAQ", "ALPHABET INC-CL A", "170 28"),
    _stock(107113386, "META", "NASDAQ", "META PLATFORMS INC-CLASS A", "560 13"),
    _stock(76792991, "TSLA", "NASDAQ", "TESLA INC", "250 90"),
    _stock(4391, "AMD", "NASDAQ", "ADVANCED MICRO DEVICES", "150 45"),
    _stock(270639, "INTC", "NASDAQ", "INTEL CORP", "24 70"),
    _stock(320227571, "QQQ", "NASDAQ", "INVESCO QQQ TRUST SERIES 1", "500 35"),
    _stock(9579970, "IWM", "ARCA", "ISHARES RUSSELL 2000 ETF", "220 28"),
    _stock(1520593, "JPM", "NYSE", "JPMORGAN CHASE & CO", "220 9"),
    _stock(10098, "BAC", "NYSE", "BANK OF AMERICA CORP", "40 38"),
    _stock(13977, "XOM", "NYSE", "EXXON MOBIL CORP", "115 15"),
    _stock(8894, "KO", "NYSE", "COCA-COLA CO/THE", "68 14"),
    _stock(8314, "IBM", "NYSE", "INTL BUSINESS MACHINES CORP", "225 4"),
    _stock(6459, "DIS", "NYSE", "WALT DISNEY CO/THE", "95 10"),
)


class Listing:
    """The contracts that this gateway knows, found by id or by symbol."""

    def __init__(self, contracts: Iterable[Contract] = BUILT_IN) -> None:
        self._by_id = {contract.con_id: contract for contract in contracts}
        self._by_symbol = {contract.symbol: contract for contract in self._by_id.values()}

    def find(self, fields: Mapping[str, str]) -> Contract | None:
        """The US stock that a request's contract fields mean, or None.

        An id decides where it is given; a currency, type or exchange that contradicts finds none.
        """
        con_id = fields.get("conId", "")
        found = (
            self._by_id.get(int(con_id))
            if con_id.isdecimal() and int(con_id)
            else self._by_symbol.get(fields.get("symbol", ""))
        )
        fits = (
            fields.get("secType", "") in ("", "STK")
            and fields.get("currency", "") in ("", "USD")
            and fields.get("exchange", "") in ("", *EXCHANGES.split(","))
        )
        return found if fits else None

    def __iter__(self) -> Iterator[Contract]:
        return iter(self._by_id.values())


def listed(symbols: Iterable[str]) -> tuple[Contract, ...]:
    """Contracts for symbols: the built-in ones where known, else with invented ids."""
    known = {contract.symbol: contract for contract in BUILT_IN}
    wanted = sorted(set(symbols))
    return tuple(
        known.get(symbol)
        or Contract(_INVENTED_IDS + place, symbol, "NYSE", symbol, symbol, 50.0, 2e6)
        for place, symbol in enumerate(wanted)
    )


def hours(now: datetime, *, liquid: bool, days: int = 6) -> str:
    """Trading hours of this and the next days in IBKR's notation, on New York clocks.

    `20260302:0930-20260302:1600;20260307:CLOSED`; not liquid includes pre- and post-market, which
    are announced but not simulated.
    """
    today = now.astimezone(EXCHANGE_ZONE).date()
    said = []
    for day in (today + timedelta(days=n) for n in range(days)):
        session = session_on(day)
        if session is None:
            said.append(f"{day:%Y%m%d}:CLOSED")
            continue
        close = f"{session.close.astimezone(EXCHANGE_ZONE):%H%M}"
        late = "1700" if session.is_half_day else "2000"
        first, last = ("0930", close) if liquid else ("0400", late)
        said.append(f"{day:%Y%m%d}:{first}-{day:%Y%m%d}:{last}")
    return ";".join(said)
