"""Bars of the past: asked by the week, placed where they belong, and told of where missing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from deadband.brokers.ibkr.history import HistoryAsked, HistoryBar
from deadband.core.broker import Answer, Failed, Ok, TimedOut
from deadband.core.session import session_on
from deadband.core.units import epoch_ns
from deadband.live.past import Past, ask_sessions, ask_today, bar_size, sessions_before

Bars = tuple[HistoryBar, ...]


@dataclass
class Broker:
    """Answers questions, each name's in turn; without an answer of its own it tells all bars."""

    answers: dict[str, list[Answer[Bars]]] = field(default_factory=dict)
    asked: list[HistoryAsked] = field(default_factory=list)
    extra: Bars = ()

    async def __call__(self, asked: HistoryAsked) -> Answer[Bars]:
        self.asked.append(asked)
        waiting = self.answers.get(asked.symbol)
        if waiting:
            return waiting.pop(0)
        return Ok((*whole(asked), *self.extra), 1)


def whole(asked: HistoryAsked, minutes: int = 30) -> Bars:
    """Bars of the last sessions up to the question's end."""
    end = datetime.fromtimestamp(asked.end / 1e9).astimezone()
    last = session_on(end.date())
    assert last is not None and last.close == end
    days = (*sessions_before(last.day, int(asked.duration.split()[0]) - 1), last)
    return tuple(
        bar(session.open + timedelta(minutes=at), 10 + session.day.day)
        for session in days
        for at in range(0, round(session.minutes), minutes)
    )


def bar(start: datetime, price: float = 10.0, volume: float = 100.0, **other: float) -> HistoryBar:
    prices = {"open": price, "high": price + 1, "low": price - 1, "close": price} | other
    return HistoryBar(int(start.timestamp()), volume=volume, **prices)


def past(broker: Broker, *symbols: str, day: date = date(2026, 12, 1), count: int = 5) -> Past:
    sessions = sessions_before(day, count)
    return asyncio.run(ask_sessions(broker, symbols or ("AAPL",), 30.0, sessions))


def test_sessions_are_asked_by_the_week_over_a_holiday_and_a_half_day() -> None:
    broker = Broker()
    told = past(broker)
    # Thanksgiving is no session, the Friday after it is a half-day, and Monday another week.
    assert sorted(told.days) == [date(2026, 11, day) for day in (23, 24, 25, 27, 30)]
    assert [(one.duration, one.size) for one in broker.asked] == [("4 D", "30 mins")] + [
        ("1 D", "30 mins")
    ]
    friday = session_on(date(2026, 11, 27))
    assert friday is not None and broker.asked[0].end == epoch_ns(friday.close)
    assert len(told.days[date(2026, 11, 27)].close) == 7
    assert len(told.days[date(2026, 11, 30)].close) == 13
    assert not any(np.isnan(bars.close).any() for bars in told.days.values())
    assert told.silent == {}


def test_a_week_of_which_less_is_wanted_is_the_same_question() -> None:
    few, many = Broker(), Broker()
    told = past(few, count=3)
    past(many)
    assert few.asked == many.asked
    assert sorted(told.days) == [date(2026, 11, day) for day in (25, 27, 30)]


def test_a_name_that_is_refused_leaves_the_others_and_says_why() -> None:
    no = Failed("no market data permissions", 162)
    broker = Broker({"XOM": [no, no]})
    told = past(broker, "AAPL", "XOM")
    assert told.silent == {"XOM": "no market data permissions (162)"}
    assert all(np.isnan(bars.close[:, 1]).all() for bars in told.days.values())
    assert not any(np.isnan(bars.close[:, 0]).any() for bars in told.days.values())
    assert len(broker.asked) == 4


@pytest.mark.parametrize("answer", [TimedOut(10.0), Failed("API pacing violation", 162)])
def test_silence_and_pacing_are_asked_again_but_not_for_ever(answer: Answer[Bars]) -> None:
    broker = Broker({"AAPL": [answer, answer]})
    assert past(broker, count=1).silent == {}
    assert len(broker.asked) == 3
    broker = Broker({"AAPL": [answer] * 9})
    assert past(broker, count=1, day=date(2026, 12, 2)).days == {}
    assert len(broker.asked) == 3


def test_bars_that_cannot_be_true_or_have_no_place_are_none() -> None:
    day = session_on(date(2026, 11, 30))
    assert day is not None
    opens = day.open
    told = (
        bar(opens),
        bar(opens + timedelta(minutes=30), volume=0),
        bar(opens + timedelta(minutes=60), low=12.0),
        bar(opens + timedelta(minutes=90), close=-1.0),
        bar(opens + timedelta(minutes=121)),
        bar(day.close),
        bar(opens - timedelta(days=1)),
        bar(opens + timedelta(minutes=150), high=float("inf")),
    )
    broker = Broker({"AAPL": [Ok(told, 1)]})
    found = asyncio.run(ask_today(broker, ("AAPL",), 30.0, day))
    [table] = found.days.values()
    assert np.flatnonzero(~np.isnan(table.close[:, 0])).tolist() == [0]
    assert (broker.asked[0].end, broker.asked[0].duration) == (0, "1 D")
    nothing = Broker({"AAPL": [Ok(told[1:], 1)]})
    silent = asyncio.run(ask_today(nothing, ("AAPL",), 30.0, day))
    assert silent.days == {}
    assert silent.silent == {"AAPL": "no bar of 7 lies in the sessions asked for"}


def test_bars_are_called_by_ibkrs_words() -> None:
    assert [bar_size(minutes) for minutes in (1, 5.0, 30)] == ["1 min", "5 mins", "30 mins"]
