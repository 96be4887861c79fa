"""The tape: which sessions can be run, and that each rests on the sessions before it alone."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from tests import kit
from tests.kit.files import DAYS

from deadband.core.errors import DataError
from deadband.core.seen import NEVER_S, Universe
from deadband.core.session import Session, session_on
from deadband.feeds.tape import BarTape, DayBars

FULL, HALF = date(2025, 11, 26), date(2025, 11, 28)


def day_bars(price: Any, bars: int = 13, volume: float = 1000.0) -> DayBars:
    """Flat bars at one price a name, NaN where it does not trade; quotes are not given."""
    close = np.broadcast_to(np.array(price, dtype=np.float64), (bars, len(price))).copy()
    traded = np.where(np.isfinite(close), volume, np.nan)
    return DayBars(close, close, close, close, traded, np.full(close.shape, np.nan))


def tape(days: dict[date, DayBars], **settings: float) -> BarTape:
    given = kit.settings(**settings)
    n = len(next(iter(days.values())).close[0])
    return BarTape(
        universe=kit.universe(n),
        bar_min=30.0,
        days=days,
        market="",
        risk=given.risk,
        costs=given.costs,
        shortable=np.ones(n, dtype=np.bool_),
    )


def on(day: date) -> Session:
    session = session_on(day)
    assert session is not None
    return session


SIX = {day: day_bars([10.0 + k, 20.0]) for k, day in enumerate(DAYS)}


@pytest.mark.parametrize(("min_days", "first"), [(3.0, 3), (2.5, 3), (1.0, 1), (5.0, 5), (9.0, 6)])
def test_sessions_with_enough_before_them_can_be_run(min_days: float, first: int) -> None:
    ready = tape(SIX, min_days=min_days).sessions()
    assert [session.day for session in ready] == list(DAYS[first:])


def test_a_day_without_bars_and_the_first_day_are_refused() -> None:
    made = tape(SIX)
    with pytest.raises(
        DataError, match="no bars for 2026-03-10; the tape has 2026-03-02 to 2026-03"
    ):
        made.day(on(date(2026, 3, 10)))
    with pytest.raises(DataError, match="2026-03-02 is the first.*Start 3 sessions later"):
        made.day(on(DAYS[0]))
    empty = BarTape(
        Universe.of(()), 30.0, {}, "", made.risk, made.costs, np.zeros(0, dtype=np.bool_)
    )
    with pytest.raises(DataError, match="the tape has none at all"):
        empty.day(on(DAYS[0]))


def test_a_day_without_a_session_is_refused() -> None:
    saturday = date(2026, 3, 7)
    with pytest.raises(DataError, match="2026-03-07 has no session.*Drop its bars"):
        tape({**SIX, saturday: day_bars([1.0, 1.0])}, min_days=1.0).sessions()


def test_history_holds_no_more_than_history_days() -> None:
    history = tape(SIX, history_days=2, min_days=1.0).day(on(DAYS[4])).history
    assert len(history.returns) == 2 * 13
    assert history.version.startswith("2026-03-04..2026-03-05:")


def test_the_version_of_a_history_changes_with_its_prices() -> None:
    other = {**SIX, DAYS[1]: day_bars([11.0, 20.5])}
    versions = [tape(days).day(on(DAYS[3])).history.version for days in (SIX, SIX, other)]
    assert versions[0] == versions[1] != versions[2]


def test_a_name_keeps_its_last_price_for_as_long_as_it_is_gone() -> None:
    """Longer than the history: a holding that stopped trading is not marked to nothing."""
    gone = {day: day_bars([10.0, 20.0 if k == 0 else np.nan]) for k, day in enumerate(DAYS)}
    day = tape(gone, history_days=2, min_days=1.0).day(on(DAYS[5]))
    assert day.prior_close.tolist() == [10.0, 20.0]
    last_seen = on(DAYS[0]).close
    assert day.prior_age_s[1] == (on(DAYS[5]).open - last_seen).total_seconds()
    market = day.market_after(2)
    assert market.last.tolist() == [10.0, 20.0]
    assert market.quote_age_s[1] == day.prior_age_s[1] + 3600.0


def test_a_name_never_seen_has_no_price_and_no_age() -> None:
    day = tape({**SIX, **{d: day_bars([10.0, np.nan]) for d in DAYS}}).day(on(DAYS[3]))
    assert (day.prior_close[1], day.prior_age_s[1], day.adv[1]) == (0.0, NEVER_S, 0.0)
    assert (day.market_after(1).quote_age_s[1], day.market_after(1).bid[1]) == (NEVER_S, 0.0)


def test_the_daily_volatility_is_that_of_a_full_day_after_a_half_day() -> None:
    rng = np.random.default_rng(5)
    bars = {13: 13, 7: 7}
    closes = {k: 100 * np.cumprod(1 + rng.choice([-0.01, 0.01], (k, 1)), axis=0) for k in bars}
    opens = {k: np.vstack([[[100.0]], closes[k][:-1]]) for k in bars}
    days = {
        day: DayBars(opens[k], closes[k], opens[k], closes[k], opens[k], np.full((k, 1), np.nan))
        for day, k in ((HALF, 7), (date(2025, 12, 1), 13))
    }
    today = date(2025, 12, 2)
    made = tape({**days, today: day_bars([100.0])}, min_days=1.0).day(on(today))
    np.testing.assert_allclose(made.sigma_day, 0.01 * np.sqrt(13), rtol=1e-12)


def test_norms_of_a_full_day_after_half_days_are_unknown_in_the_afternoon() -> None:
    days = {FULL - timedelta(days=1): day_bars([10.0]), HALF: day_bars([10.0], 7)}
    moving = days[HALF]
    days[HALF] = DayBars(
        moving.open,
        moving.high,
        moving.low,
        moving.close * 1.01 ** np.arange(1, 8)[:, None],
        moving.volume,
        moving.quoted,
    )
    today = date(2025, 12, 1)
    made = tape({**days, today: day_bars([10.0])}, min_days=1.0, history_days=1)
    norm = made.day(on(today)).norm_move
    assert len(norm) == 13
    np.testing.assert_allclose(norm[:7], 0.01)
    assert norm[7:].tolist() == [0.0] * 6


def test_quotes_set_the_spread_and_its_norm_where_they_are_given() -> None:
    quoted = {}
    for k, day in enumerate(DAYS[:4]):
        bars = day_bars([10.0, 20.0])
        half = np.full(bars.close.shape, np.nan)
        half[:, 0] = 0.01 * (k + 1)
        quoted[day] = DayBars(
            *(getattr(bars, f) for f in ("open", "high", "low", "close")), bars.volume, half
        )
    day = tape(quoted).day(on(DAYS[3]))
    assert day.half_spread[:, 0].tolist() == [0.04] * 13
    # Two names of 10 and 20 dollars that trade little: half a tick is their least modeled spread.
    assert (day.half_spread[:, 1] >= 0.005).all()
    np.testing.assert_allclose(day.norm_spread, 2 * 0.02 / 10.0)


def test_a_name_that_left_does_not_widen_the_usual_spread() -> None:
    left = {
        day: day_bars([10.0, 20.0 if k == 0 else np.nan], volume=1e7) for k, day in enumerate(DAYS)
    }
    never = {day: day_bars([10.0, np.nan], volume=1e7) for day in DAYS}
    one, other = (
        tape(days, history_days=2, min_days=1.0).day(on(DAYS[4])) for days in (left, never)
    )
    np.testing.assert_array_equal(one.norm_spread, other.norm_spread)


def test_the_market_has_its_own_column_in_the_history() -> None:
    made = tape(SIX)
    made.market = "S0001"
    history = made.day(on(DAYS[3])).history
    assert history.market is not None
    np.testing.assert_array_equal(history.market, history.returns[:, 1])
    assert history.version.endswith(":S0001")
