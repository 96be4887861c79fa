"""What a feed of quotes says of names that have a line, had one, or never did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import pytest

from deadband.backtest.measure import Measure
from deadband.core.events import Halt, Quality, Quote
from deadband.core.seen import NEVER_S
from deadband.feeds.tape import BarTape
from deadband.live.forming import Forming, empty_day
from deadband.live.quote_bars import QuoteFeed, Sighted
from tests.kit.live import market_of

SESSION = market_of(4, 1).sessions[0]
SYMBOLS = market_of(4, 1).tape.universe.symbols


@dataclass
class Lines:
    """Quotes of the names that have a line."""

    said: dict[str, Quote] = field(default_factory=dict)

    def quote(self, symbol: str) -> Quote | None:
        return self.said.get(symbol)

    def quality(self, symbol: str) -> Quality:
        return self.said[symbol].quality

    def subscribe(self, symbols: object) -> None: ...

    def unsubscribe(self, symbols: object) -> None: ...

    def tick(self, symbol: str, at: float, last: float = 100.0, **other: object) -> None:
        """A live quote of so many seconds after the open."""
        ts = int((SESSION.open + timedelta(seconds=at)).timestamp() * 1e9)
        volume = self.said[symbol].volume + 100 if symbol in self.said else 1000
        made = Quote(symbol, last - 0.05, last + 0.05, last, 1, 1, volume, ts, Quality.LIVE)
        self.said[symbol] = replace(made, **other)  # type: ignore[arg-type]


def feed(lines: Lines) -> QuoteFeed:
    tape = market_of(4, 1).tape
    today = empty_day(SESSION, tape.bar_min, 4)
    days = {day: bars for day, bars in tape.days.items() if day < SESSION.day}
    tape = replace(tape, days=days | {SESSION.day: today})
    forming = Forming(SESSION, tape.bar_min, today)
    return QuoteFeed(tape.day(SESSION), Measure(tape, ()), Sighted(lines), forming)


def at(seconds: float) -> object:
    return SESSION.open + timedelta(seconds=seconds)


def test_a_bar_is_what_was_seen_and_the_market_what_is_quoted() -> None:
    lines = Lines()
    of, name = feed(lines), SYMBOLS[0]
    for second, price in ((-1, 90), (10, 100), (60, 102), (290, 101)):
        lines.tick(name, second, price)
        of.look([name], at(second))  # type: ignore[arg-type]
    lines.tick(name, 299, 101.5)
    market = of.market(1, of.due(1))
    assert of.day.open[0, 0] == 100 and of.day.high[0, 0] == 102 and of.day.close[0, 0] == 101
    assert market.volume.tolist() == [300, 0, 0, 0]
    assert market.bar_return[0] == pytest.approx(0.01)
    assert market.last[0] == 101.5
    assert market.quote_age_s.tolist() == [1.0, NEVER_S, NEVER_S, NEVER_S]
    assert of.day.half_spread[0, 0] == pytest.approx(0.05)
    # Names that were never seen keep the price they had, which is old, and no bar is made of it.
    assert (market.last[1:] == of.day.prior_close[1:]).all()
    assert np.isnan(of.day.close[:, 1:]).all()


def test_a_name_whose_line_went_to_another_is_as_old_as_it_was_last_seen() -> None:
    lines = Lines()
    of, name = feed(lines), SYMBOLS[0]
    lines.tick(name, 100, halt=Halt.VOLATILITY)
    of.look([name], at(100))  # type: ignore[arg-type]
    del lines.said[name]
    market = of.market(1, of.due(1))
    assert market.quote_age_s[0] == 200.0
    assert market.halted[0]
    # Watched again, and nothing said yet: what was seen before still stands.
    lines.said[name] = Quote(name, np.nan, np.nan, np.nan, 0, 0, 0, 0, Quality.NONE)
    assert of.market(1, of.due(1)).quote_age_s[0] == 200.0
    # The line has spoken, and is not live: it is no quote, whatever was seen before.
    lines.tick(name, 280, quality=Quality.NONE)
    assert of.market(1, of.due(1)).quote_age_s[0] == NEVER_S


def test_nothing_that_was_seen_counts_once_most_lines_are_in_doubt() -> None:
    lines = Lines()
    of = feed(lines)
    for name in SYMBOLS:
        lines.tick(name, 100)
    of.look(SYMBOLS, at(100))  # type: ignore[arg-type]
    del lines.said[SYMBOLS[3]]
    lines.tick(SYMBOLS[0], 150, quality=Quality.NONE)
    of.look(SYMBOLS[:3], at(150))  # type: ignore[arg-type]
    assert of.market(1, of.due(1)).quote_age_s[3] == 200.0
    lines.tick(SYMBOLS[1], 160, quality=Quality.NONE)
    of.look(SYMBOLS[:3], at(160))  # type: ignore[arg-type]
    assert of.market(1, of.due(1)).quote_age_s[3] == NEVER_S


@pytest.mark.parametrize(
    "other",
    [{"quality": Quality.FROZEN}, {"quality": Quality.DELAYED}, {"bid": np.nan}, {"ask": 99.0}],
)
def test_a_quote_that_is_not_live_with_two_sides_makes_no_bar(other: dict[str, object]) -> None:
    lines = Lines()
    of, name = feed(lines), SYMBOLS[0]
    for second in (10, 20, 30):
        lines.tick(name, second, 100.0 + second, **other)
        of.look([name], at(second))  # type: ignore[arg-type]
    assert np.isnan(of.day.close).all()
    assert of.market(1, of.due(1)).quote_age_s[0] == NEVER_S


def test_a_name_without_shares_to_borrow_is_not_sold_short() -> None:
    lines = Lines()
    of = feed(lines)
    lines.tick(SYMBOLS[0], 10, shortable_shares=0)
    lines.tick(SYMBOLS[1], 10, shortable_shares=5)
    lines.tick(SYMBOLS[2], 10)
    assert of.market(1, of.due(1)).shortable.tolist() == [False, True, True, True]


def test_history_is_that_of_the_days_before() -> None:
    of = feed(Lines())
    tape: BarTape = market_of(4, 1).tape
    assert of.history().version == tape.day(SESSION).history.version
    assert len(of) == 78 and of.due(78) == SESSION.close
    assert of.features(1) is None
