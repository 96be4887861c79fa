"""How the market is looked at while orders are worked: what is not live is dark, then unquoted."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from deadband.core.events import Halt, Quality, Quote
from deadband.live.work import Eye

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
LIVE = Quote("AAPL", 99.9, 100.1, 100.0, 300, 200, 5_000, 1, Quality.LIVE)


@dataclass
class Screen:
    """MarketData with one quote."""

    shown: Quote | None

    def quote(self, symbol: str) -> Quote | None:
        return self.shown

    def quality(self, symbol: str) -> Quality:
        return Quality.NONE if self.shown is None else self.shown.quality

    def subscribe(self, symbols: object) -> None: ...

    def unsubscribe(self, symbols: object) -> None: ...


def test_a_live_quote_is_a_tick_with_the_volume_since_the_last() -> None:
    eye = Eye()
    first = eye.look(Screen(LIVE), "AAPL", NOW, 15.0)
    assert first is not None
    assert (first.bid, first.ask, first.bid_size, first.ask_size, first.volume) == (
        *(99.9, 100.1, 300, 200),
        0,
    )
    second = eye.look(Screen(replace(LIVE, volume=5_700)), "AAPL", NOW, 15.0)
    assert second is not None
    assert second.volume == 700


@pytest.mark.parametrize(
    "shown",
    [
        None,
        replace(LIVE, quality=Quality.DELAYED),
        replace(LIVE, quality=Quality.NONE),
        replace(LIVE, bid=float("nan")),
        replace(LIVE, bid=0.0),
        replace(LIVE, bid=100.2),
    ],
)
def test_what_is_not_live_shows_nothing_and_after_a_while_that_there_is_nothing(
    shown: Quote | None,
) -> None:
    eye = Eye()
    assert eye.look(Screen(shown), "AAPL", NOW, 15.0) is None
    assert eye.look(Screen(shown), "AAPL", NOW + timedelta(seconds=14), 15.0) is None
    tick = eye.look(Screen(shown), "AAPL", NOW + timedelta(seconds=15), 15.0)
    assert tick is not None
    assert not tick.is_quoted
    # One live quote, and the patience begins anew.
    assert eye.look(Screen(LIVE), "AAPL", NOW + timedelta(seconds=20), 15.0) is not None
    assert eye.look(Screen(shown), "AAPL", NOW + timedelta(seconds=21), 15.0) is None


def test_a_halted_name_is_unquoted_at_once() -> None:
    halted = replace(LIVE, halt=Halt.VOLATILITY)
    tick = Eye().look(Screen(halted), "AAPL", NOW, 15.0)
    assert tick is not None
    assert not tick.is_quoted
