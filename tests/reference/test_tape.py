"""The tape's arrays against the same figures computed row by row with pandas groupby."""

import numpy as np
import pandas as pd
import pytest
from tests import kit
from tests.kit.files import DAYS, NAMES, bars

from deadband.core.bars import SessionBars
from deadband.core.session import session_on, sessions_between
from deadband.feeds.files import bar_tape
from deadband.feeds.universe import Listing

BAR_MIN, HISTORY, ATR_MIN = 15, 3, 30
TODAY = DAYS[4]
PAST = DAYS[4 - HISTORY : 4]


def gappy() -> pd.DataFrame:
    """A fifth of the bars missing, one name that comes late and one that is gone after a day."""
    frame = bars(bar_min=BAR_MIN).sample(frac=0.8, random_state=4).sort_values(["symbol", "ts"])
    day = frame.ts.dt.date
    late = (frame.symbol == "BBB") & (day < DAYS[3])
    gone = (frame.symbol == "CCC") & (day > DAYS[0])
    return frame[~late & ~gone].reset_index(drop=True)


FRAME = gappy()
OPENS = {session.day: pd.Timestamp(session.open) for session in sessions_between(*DAYS[::5])}


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> SessionBars:
    path = tmp_path_factory.mktemp("tape") / "bars.parquet"
    FRAME.to_parquet(path, index=False)
    settings = kit.settings(history_days=HISTORY, market="AAA", atr_bar_min=float(ATR_MIN))
    session = session_on(TODAY)
    assert session is not None
    return bar_tape(path, Listing(), settings).day(session)


def wide(series: "pd.Series[float]") -> pd.DataFrame:
    """A series indexed by (…, symbol) as a table with a column for every name."""
    return series.unstack("symbol").reindex(columns=list(NAMES))


def past_rows() -> pd.DataFrame:
    """Rows of the history with their bar of the day and their return."""
    rows = FRAME[FRAME.ts.dt.date.isin(PAST)].sort_values(["symbol", "ts"]).reset_index(drop=True)
    rows["day"] = rows.ts.dt.date
    minutes = (rows.ts - rows.day.map(OPENS)).dt.total_seconds() / 60
    rows["bar"] = (minutes / BAR_MIN).astype(int)
    previous = rows.groupby(["symbol", "day"])[["bar", "close"]].shift()
    before = previous.close.where(previous.bar == rows.bar - 1, rows.open)
    rows["return"] = rows.close / before - 1
    return rows


def test_returns_and_what_was_observed(today: SessionBars) -> None:
    rows = past_rows()
    index = pd.MultiIndex.from_product([PAST, range(390 // BAR_MIN)], names=["day", "bar"])
    expected = wide(rows.set_index(["day", "bar", "symbol"])["return"]).reindex(index)
    np.testing.assert_array_equal(today.history.observed, expected.notna())
    np.testing.assert_allclose(today.history.returns, expected.fillna(0.0), rtol=0, atol=1e-15)
    assert today.history.market is not None
    np.testing.assert_array_equal(today.history.market, today.history.returns[:, 0])


def test_average_volume_counts_the_days_a_name_traded(today: SessionBars) -> None:
    rows = past_rows()
    daily = rows.groupby(["symbol", "day"]).volume.sum()
    expected = daily.groupby("symbol").mean().reindex(list(NAMES)).fillna(0.0)
    np.testing.assert_allclose(today.adv, expected, rtol=1e-12)


def test_daily_volatility_is_that_of_the_bars_a_name_traded_in(today: SessionBars) -> None:
    returns = past_rows().groupby("symbol")["return"]
    sigma = np.sqrt(returns.apply(lambda r: (r**2).mean()) * (390 / BAR_MIN))
    np.testing.assert_allclose(today.sigma_day, sigma.reindex(list(NAMES)).fillna(0.02), rtol=1e-12)


def test_the_prior_close_and_its_age_come_from_any_day_before(today: SessionBars) -> None:
    before = FRAME[FRAME.ts.dt.date < TODAY].sort_values("ts").groupby("symbol").last()
    expected = before.reindex(list(NAMES))
    np.testing.assert_array_equal(today.prior_close, expected.close)
    opened = pd.Timestamp(today.session.open)
    age = opened - (expected.ts + pd.Timedelta(minutes=BAR_MIN))
    np.testing.assert_allclose(today.prior_age_s, age.dt.total_seconds())


def test_the_norm_of_a_bar_is_the_median_over_days_of_the_mean_move(today: SessionBars) -> None:
    rows = past_rows()
    moves = rows["return"].abs().groupby([rows.day, rows.bar]).mean()
    expected = moves.groupby("bar").median().reindex(range(390 // BAR_MIN))
    np.testing.assert_allclose(today.norm_move, expected.fillna(0.0), rtol=1e-12)


@pytest.mark.parametrize(("column", "fold"), [("high", "max"), ("low", "min"), ("close", "last")])
def test_range_bars(today: SessionBars, column: str, fold: str) -> None:
    rows = past_rows().sort_values("ts")
    rows["long"] = rows.bar // (ATR_MIN // BAR_MIN)
    index = pd.MultiIndex.from_product([PAST, range(390 // ATR_MIN)], names=["day", "long"])
    groups = rows.groupby(["day", "long", "symbol"])
    close = wide(groups.close.last()).reindex(index).ffill().fillna(0.0)
    expected = wide(getattr(groups[column], fold)()).reindex(index).fillna(close)
    made = getattr(today.history, f"range_{column}")
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize("k", [1, 2, 9, 17, 26])
def test_the_market_after_a_bar_from_the_rows_that_have_ended(today: SessionBars, k: int) -> None:
    ended = pd.Timestamp(today.ended(k))
    length = pd.Timedelta(minutes=BAR_MIN)
    known = FRAME[FRAME.ts + length <= ended].sort_values("ts").groupby("symbol").last()
    known = known.reindex(list(NAMES))
    market = today.market_after(k)
    np.testing.assert_array_equal(market.last, known.close)
    np.testing.assert_allclose(market.quote_age_s, (ended - known.ts - length).dt.total_seconds())
    fresh = (known.ts + length == ended).to_numpy()
    np.testing.assert_array_equal(market.volume, known.volume.where(fresh, 0.0))
    assert (market.ask > market.bid).tolist() == (known.ts.dt.date == TODAY).tolist()
