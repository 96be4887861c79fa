"""A session's bars: what is known after each of them, and nothing of what comes later."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from deadband.core.bars import SessionBars, bar_returns
from deadband.core.seen import NEVER_S, History, Universe
from deadband.core.session import session_on

UNIVERSE = Universe.of(("AAA", "BBB", "CCC"))
NAN = np.nan
OPEN = np.array([[10.0, 20.0, NAN], [10.1, NAN, NAN], [10.2, 20.5, NAN]])
CLOSE = np.array([[10.1, 20.2, NAN], [10.3, NAN, NAN], [10.2, 20.4, NAN]])


def history() -> History:
    none = np.zeros((0, 3))
    return History(UNIVERSE, 5.0, none, none, None, 30.0, none, none, none, "v1")


def bars(**changed: Any) -> SessionBars:
    session = session_on(date(2026, 1, 5))
    assert session is not None
    given: dict[str, Any] = {
        "universe": UNIVERSE,
        "session": session,
        "bar_min": 5.0,
        "open": OPEN,
        "high": np.fmax(OPEN, CLOSE),
        "low": np.fmin(OPEN, CLOSE),
        "close": CLOSE,
        "volume": np.where(np.isfinite(CLOSE), 1000.0, NAN),
        "half_spread": np.full((3, 3), 0.01),
        "prior_close": np.array([9.9, 19.9, 29.9]),
        "prior_age_s": np.array([60.0, 60.0, NEVER_S]),
        "adv": np.full(3, 1e6),
        "sigma_day": np.full(3, 0.02),
        "norm_move": np.array([0.01, 0.02, 0.03]),
        "norm_spread": np.array([0.001, 0.002, 0.003]),
        "shortable": np.ones(3, np.bool_),
        "history": history(),
    }
    return SessionBars(**(given | changed))


def test_the_market_after_a_bar_is_quoted_around_the_last_close() -> None:
    market = bars().market_after(1)
    assert market.last.tolist() == [10.1, 20.2, 29.9]
    assert market.bid == pytest.approx([10.09, 20.19, 29.9])
    assert market.ask == pytest.approx([10.11, 20.21, 29.9])
    assert market.volume.tolist() == [1000.0, 1000.0, 0.0]
    assert market.bar_return == pytest.approx([0.01, 0.01, 0.0])
    assert (market.norm_move, market.norm_spread) == (0.01, 0.001)
    assert market.asof == bars().session.open + timedelta(minutes=5)


def test_a_name_that_did_not_trade_keeps_its_price_and_grows_old() -> None:
    market = bars().market_after(2)
    assert market.last.tolist() == [10.3, 20.2, 29.9]
    assert market.quote_age_s.tolist() == [0.0, 300.0, NEVER_S]
    assert market.bar_return == pytest.approx([10.3 / 10.1 - 1, 0.0, 0.0])
    assert bars(prior_age_s=np.full(3, 60.0)).market_after(2).quote_age_s[2] == 660.0


def test_after_a_gap_the_return_is_counted_from_the_bars_open() -> None:
    assert bars().market_after(3).bar_return == pytest.approx([10.2 / 10.3 - 1, 20.4 / 20.5 - 1, 0])


@pytest.mark.parametrize("k", [1, 2])
def test_nothing_of_later_bars_is_known(k: int) -> None:
    now, whole = bars(), bars()
    later = {
        name: np.vstack([getattr(whole, name)[:k], getattr(whole, name)[k:] * 7.0])
        for name in ("open", "high", "low", "close", "volume", "half_spread")
    }
    changed = replace(whole, **later)
    for field in ("bid", "ask", "last", "volume", "bar_return", "quote_age_s"):
        expected = getattr(now.market_after(k), field)
        assert getattr(changed.market_after(k), field).tolist() == expected.tolist()
    assert changed.market_after(3).last[0] != now.market_after(3).last[0]


def test_a_bar_starts_when_the_one_before_has_ended() -> None:
    session = bars()
    assert len(session) == 3
    assert session.bar(1).start == session.session.open
    assert session.bar(2).start == session.ended(1)
    assert session.bar(3).close[0] == 10.2


def test_a_return_needs_a_price_before_and_one_now() -> None:
    returns = bar_returns(OPEN, CLOSE)
    assert returns[:, 0] == pytest.approx([0.01, 10.3 / 10.1 - 1, 10.2 / 10.3 - 1])
    assert np.isnan(returns[1, 1])
    assert np.isnan(returns[:, 2]).all()
