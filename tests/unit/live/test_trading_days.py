"""Days before a session: what the broker told, and what quotes showed where it told nothing."""

from __future__ import annotations

from datetime import date

import numpy as np

from deadband.core.session import Session, session_on
from deadband.feeds.tape import DayBars
from deadband.live.forming import empty_day
from deadband.live.trading_days import _completed

MONDAY, TUESDAY = date(2026, 3, 9), date(2026, 3, 10)


def bars(session: Session | None, price: float, *names: int) -> DayBars:
    assert session is not None
    made = empty_day(session, 30.0, 3)
    for table in (made.open, made.high, made.low, made.close, made.volume):
        table[:, list(names)] = price
    return made


def test_what_the_broker_does_not_tell_of_a_day_is_what_was_seen() -> None:
    monday = session_on(MONDAY)
    told = {MONDAY: bars(monday, 10.0, 0, 1)}
    formed = {MONDAY: bars(monday, 20.0, 1, 2), TUESDAY: bars(session_on(TUESDAY), 30.0, 0)}
    days = _completed(told, formed)
    assert sorted(days) == [MONDAY, TUESDAY]
    assert days[MONDAY].close[0].tolist() == [10.0, 10.0, 20.0]
    assert days[MONDAY].volume[-1].tolist() == [10.0, 10.0, 20.0]
    assert days[TUESDAY] is formed[TUESDAY]
    assert np.isnan(told[MONDAY].close[:, 2]).all(), "what was told is left as it was"
