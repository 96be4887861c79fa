"""A market looked at late is older, and only a live quote with two sides may drive an order."""

from dataclasses import dataclass, replace
from datetime import timedelta
from math import nan

from deadband.core.events import Halt, Quality, Quote
from deadband.core.seen import NEVER_S
from deadband.live.market import aged, quoted
from tests import kit

NAMES = kit.universe(4)
MARKET = kit.market(NAMES)


@dataclass
class Quotes:
    """Quotes by name."""

    said: dict[str, Quote]

    def quote(self, symbol: str) -> Quote | None:
        return self.said.get(symbol)

    def quality(self, symbol: str) -> Quality:
        return self.said[symbol].quality

    def subscribe(self, symbols: object) -> None: ...

    def unsubscribe(self, symbols: object) -> None: ...


def quote(place: int, **other: object) -> Quote:
    ts = int((MARKET.asof - timedelta(seconds=3)).timestamp() * 1e9)
    made = Quote(NAMES.symbols[place], 99.0, 101.0, 100.5, 1, 1, 1, ts, Quality.LIVE)
    return replace(made, **other)  # type: ignore[arg-type]


def test_a_market_looked_at_late_is_as_much_older() -> None:
    late = aged(MARKET, MARKET.asof + timedelta(seconds=7))
    assert (late.quote_age_s == MARKET.quote_age_s + 7).all()
    assert late.asof == MARKET.asof + timedelta(seconds=7)
    assert (aged(MARKET, MARKET.asof).quote_age_s == MARKET.quote_age_s).all()


def test_only_a_live_quote_with_two_sides_counts() -> None:
    said = [
        quote(0),
        quote(1, quality=Quality.DELAYED),
        quote(2, bid=nan, halt=Halt.VOLATILITY),
        quote(3, last=nan),
    ]
    market = quoted(MARKET, Quotes({one.symbol: one for one in said}))
    assert market.bid[0] == 99.0 and market.ask[0] == 101.0 and market.last[0] == 100.5
    assert market.last[3] == 100.0
    assert market.quote_age_s.round(3).tolist() == [3.0, NEVER_S, NEVER_S, 3.0]
    assert market.halted.tolist() == [False, False, True, False]
    assert (market.last[1:3] == MARKET.last[1:3]).all()
    assert (quoted(MARKET, Quotes({})).quote_age_s == NEVER_S).all()
