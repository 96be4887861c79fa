"""Recorded days, with what is wrong in them: outages, a name that stops, half-days, wrong clocks.

The data lie beside the repository and are not part of it; without them these tests are skipped.
Nothing is written but to temporary folders, and no figure of theirs is quoted.
"""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deadband.core.ailments import Ailment
from deadband.core.config import Settings
from deadband.core.errors import DataError
from deadband.core.reasons import BY_NUMBER, Code
from deadband.core.session import EXCHANGE_ZONE, session_on, sessions_between
from deadband.feeds.doctor.adjustment import find_splits, find_survivors
from deadband.feeds.files import bar_tape, examine_bars
from deadband.feeds.universe import Listing
from tests import kit
from tests.kit.files import Ran, bars, brief, run

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded days of ../shared/data are not on this machine"
)

US_2026, US_2025, US_2018 = "us5m_2026/bars_5m", "us5m_2025/bars_5m", "us1m_2018/bars_1m"
MAX_AGE_S = 450.0


def recorded(name: str, symbols: list[str] | None = None) -> pd.DataFrame:
    filters = [("symbol", "in", symbols)] if symbols else None
    return pd.read_parquet(DATA / f"{name}.parquet", filters=filters)


def settings_2026(**given: Any) -> Settings:
    """The scores of 2026, a hundred times what an honest simple model says: they have to trade."""
    data = {
        "bars": str(DATA / f"{US_2026}.parquet"),
        "scores": str(DATA / "us5m_2026/scores_30m.parquet"),
        "universe": str(DATA / "meta/universe_2026.csv"),
        "market": "SPYM",
        "score_column": "exp_resid_bps_30m",
        "score_unit": "bps",
        "score_horizon": "30min",
        "score_scale": 100.0,
    }
    return kit.settings(**(data | given))


def random_scores(frame: pd.DataFrame, days: list[date], seed: int) -> pd.DataFrame:
    """z of every name, each half hour of the days, knowing nothing."""
    rng = np.random.default_rng(seed)
    symbols = sorted(frame.symbol.unique())
    tables = []
    for day in days:
        session = session_on(day)
        assert session is not None
        for asof in pd.date_range(session.open, session.close, freq="30min")[1:-1]:
            z = rng.normal(0, 1.2, len(symbols))
            tables.append(pd.DataFrame({"asof": asof, "symbol": symbols, "z": z}))
    return pd.concat(tables, ignore_index=True)


def assert_sound(made: Ran) -> None:
    """Books close, limits hold, and no order was decided on a stale price."""
    made.assert_books_close()
    assert len(made.ordered()) > 10, "the day trades"
    for record in made.records:
        for order in record.plan.orders:
            age = record.seen.market.quote_age_s[made.column(order.symbol)]
            assert age <= MAX_AGE_S, f"{order.symbol} at {record.seen.now}: {age} s old"


def outside(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Rows that start before the open or at or after the close of their day."""
    local = frame.ts.dt.tz_convert(EXCHANGE_ZONE)
    days = local.dt.date
    sessions = {s.day: s for s in sessions_between(days.min(), days.max())}
    opens = days.map({day: pd.Timestamp(s.open) for day, s in sessions.items()})
    closes = days.map({day: pd.Timestamp(s.close) for day, s in sessions.items()})
    mask: pd.Series[bool] = (frame.ts < opens) | (frame.ts >= closes)
    return mask


@pytest.mark.parametrize(
    ("day", "outage"),
    [
        (date(2026, 2, 26), ("14:35", "14:40", "14:45", "19:05")),
        (date(2026, 3, 23), ("14:50", "14:55", "15:00", "15:05", "15:10", "15:15", "15:20")),
    ],
)
def test_a_day_with_a_vendor_outage(tmp_path: Path, day: date, outage: tuple[str, ...]) -> None:
    """No bars for any name for a quarter to half an hour; times are UTC, ends of bars."""
    made = run(settings_2026(), tmp_path / "journal.db", day, day)
    assert_sound(made)
    assert made.finding("DATA_VENDOR_OUTAGE") == (
        "DATA_VENDOR_OUTAGE: 13 (3 stretches on 2 days: 2026-02-26 14:30 UTC to 2026-02-26 14:45 "
        "UTC, 2026-02-26 18:50 UTC to 2026-02-26 19:05 UTC, 2026-03-23 14:45 UTC to 2026-03-23 "
        "15:20 UTC)"
    )
    assert made.finding("DATA_DELISTED") == "DATA_DELISTED: 1 (RAPT after 2026-03-02)"
    assert made.finding("DATA_ADJUSTED") == "DATA_ADJUSTED: 2 (BDX, KLAC)"
    assert "VMC 2026-03-12 14:40 UTC for 40 min" in made.finding("DATA_HALT")
    assert made.finding("DATA_PARTIAL_OUTAGE").startswith(
        "DATA_PARTIAL_OUTAGE: 19 (9 stretches on 6"
    )
    spikes = made.finding("DATA_SPIKE")
    assert spikes.startswith("DATA_SPIKE: 5 (NLY 2026-01-30 bar 25: +5.2%, BRO 2026-03-26")
    assert "B 2026-04-06 bar 12: -94.4%" in spikes, "a low of 2.27 in a stock at 40"
    assert len(made.found) == 6, "and nothing else: no error, no false alarm"
    out = [record for record in made.records if "DATA_OUTAGE" in made.spoken(record)]
    assert tuple(f"{record.seen.now:%H:%M}" for record in out) == outage
    for record in out:
        assert record.plan.orders == ()
    morning = [record for record in out if record.seen.now.hour < 16]
    assert len({record.seen.portfolio.nav for record in morning}) == 1
    assert len({record.seen.portfolio.shares.tobytes() for record in morning}) == 1
    after = [record for record in made.records if record.seen.now > out[-1].seen.now]
    assert any(record.plan.orders for record in after)


def test_a_held_name_that_stops_trading_for_good(tmp_path: Path) -> None:
    """RAPT trades for the last time on 2026-03-02; it is held, kept, marked, and never ordered.

    It hardly moves any more, so that any ATR stop would cut it: that rule is set aside here.
    """
    listed = pd.read_csv(DATA / "meta/universe_2026.csv").symbol.head(30).tolist()
    symbols = [*listed, "RAPT", "SPYM"]
    frame = recorded(US_2026, symbols)
    scores = pd.read_parquet(
        DATA / "us5m_2026/scores_30m.parquet", filters=[("symbol", "in", symbols)]
    )
    scores.loc[scores.symbol == "RAPT", "exp_resid_bps_30m"] = 5.0
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    scores.to_parquet(tmp_path / "scores.parquet", index=False)
    settings = settings_2026(
        bars=str(tmp_path / "bars.parquet"),
        scores=str(tmp_path / "scores.parquet"),
        history_days=5,
        k_ATR=1000.0,
    )
    made = run(settings, tmp_path / "journal.db", date(2026, 3, 2), date(2026, 3, 4))
    assert_sound(made)
    name = made.column("RAPT")
    last = frame[frame.symbol == "RAPT"].sort_values("ts").close.iloc[-1]
    after = [record for record in made.records if record.seen.now.date() > date(2026, 3, 2)]
    assert len(after) == 156
    assert after[0].seen.portfolio.shares[name] > 0
    assert len({int(record.seen.portfolio.shares[name]) for record in after}) == 1
    assert {float(record.seen.portfolio.price[name]) for record in after} == {float(last)}
    codes = {BY_NUMBER[int(record.decision.code[name])] for record in after}
    assert codes <= {Code.DATA_STALE_QUOTE, Code.CAP_FROZEN, Code.SESSION_CLOSED}
    assert {order for order in made.ordered("RAPT") if "03-02" not in order} == set()
    assert any(record.plan.orders for record in after)


def test_a_half_day_and_rows_around_the_session(tmp_path: Path) -> None:
    """2025-11-28 closes at 13:00; the file also holds rows before the open and after the close."""
    frame = recorded(US_2025)
    half_day = date(2025, 11, 28)
    days = [session.day for session in sessions_between(date(2025, 11, 24), half_day)]
    random_scores(frame, days, seed=5).to_parquet(tmp_path / "scores.parquet", index=False)
    settings = kit.settings(
        bars=str(DATA / f"{US_2025}.parquet"),
        scores=str(tmp_path / "scores.parquet"),
        score_column="z",
        score_unit="z",
    )
    made = run(settings, tmp_path / "journal.db", half_day, half_day)
    assert_sound(made)
    counts = {str(each.ailment): each.count for each in made.prepared.tape.findings}
    assert counts == {
        "DATA_AFTER_EARLY_CLOSE": 81,
        "DATA_FILLED": ((frame.volume == 0) & ~outside(frame)).sum(),
        "DATA_HALT": 1,
        "DATA_OUTSIDE_SESSION": outside(frame).sum() - 81,
    }
    assert len(made.records) == 42
    assert made.records[-1].seen.now == made.prepared.sessions[0].close
    assert made.spoken(made.records[-1]) >= {"SESSION_CLOSED"}


def test_every_half_day_of_2025_has_as_many_bars_as_it_is_long() -> None:
    tape = bar_tape(DATA / f"{US_2025}.parquet", Listing(), kit.settings())
    lengths = {day: len(tape.days[day].close) for day in tape.days}
    halves = {day for day, bars_ in lengths.items() if bars_ == 42}
    assert halves == {date(2025, 7, 3), date(2025, 11, 28), date(2025, 12, 24)}
    assert set(lengths.values()) == {42, 78}


def test_a_day_of_minutes_without_the_closing_cross(tmp_path: Path) -> None:
    """The row of 16:00 is the closing auction of the day: it starts no bar, and is left out."""
    frame = recorded(US_2018)
    crosses = frame.ts.dt.tz_convert(EXCHANGE_ZONE).dt.strftime("%H:%M") == "16:00"
    assert crosses.sum() > 4000
    day = date(2018, 3, 6)
    few = sorted(frame.symbol.unique())[:40]
    window = frame[frame.symbol.isin(few) & (frame.ts < pd.Timestamp("2018-03-07", tz="UTC"))]
    window.to_parquet(tmp_path / "bars.parquet", index=False)
    random_scores(window, [day], seed=6).to_parquet(tmp_path / "scores.parquet", index=False)
    settings = kit.settings(
        bars=str(tmp_path / "bars.parquet"),
        scores=str(tmp_path / "scores.parquet"),
        score_column="z",
        score_unit="z",
    )
    made = run(settings, tmp_path / "journal.db", day, day)
    assert_sound(made)
    left_out = crosses[window.index].sum()
    assert made.found == (
        f"DATA_CLOSING_CROSS: {left_out - 4} (AAL 2018-02-16 21:00 UTC)",
        "DATA_OUTSIDE_SESSION: 4 (CX 2018-02-16 21:00 UTC)",
    )
    assert len(made.records) == 390
    whole = bar_tape(DATA / f"{US_2018}.parquet", Listing(), settings)
    (spike,) = [one for one in whole.findings if one.ailment == Ailment.DATA_SPIKE]
    assert spike.example == "TWLO 2018-03-27 bar 334: -9.1%"
    rows = [one for one in whole.findings if one is not spike]
    assert sum(finding.count for finding in rows) == crosses.sum()
    assert {str(finding.ailment) for finding in rows} == {
        "DATA_CLOSING_CROSS",
        "DATA_OUTSIDE_SESSION",
    }


def in_utc(labels: "pd.Series[pd.Timestamp]", zone: Any) -> "pd.Series[pd.Timestamp]":
    return labels.dt.tz_localize(zone).dt.tz_convert("UTC")


def feed(variant: str, zone: Any) -> pd.DataFrame:
    """One of the twins, its labels read on clocks of that zone."""
    twins = recorded("dirty/wrong_timezone_5m")
    rows = twins[twins.variant == variant]
    return rows.assign(ts=in_utc(rows.ts_et_label, zone)).drop(columns=["variant", "ts_et_label"])


def read_feed(folder: Path, frame: pd.DataFrame) -> list[str]:
    frame.to_parquet(folder / "bars.parquet", index=False)
    tape = bar_tape(folder / "bars.parquet", Listing(), kit.settings())
    return [brief(finding) for finding in tape.findings]


def test_five_days_of_the_corrected_feed_were_not_corrected(tmp_path: Path) -> None:
    """Nobody had noticed: on them prices are 2 % off those of another feed, on no other day."""
    frame = feed("correct_ET", EXCHANGE_ZONE)
    off, silent, seldom = read_feed(tmp_path, frame)
    assert off == "DATA_HOURS_OFF: 5 (2026-02-03 to 2026-02-09, 5 h early)"
    assert silent.startswith("DATA_SILENT_SESSION: 5 (2026-02-03, ")
    assert seldom == "DATA_ILLIQUID: 1 (VIXY in 43%)"
    both = frame.merge(recorded(US_2026), on=["ts", "symbol"], suffixes=("", "_other"))
    apart = (both.close / both.close_other - 1).abs().groupby(both.ts.dt.date).median()
    wrong = {session.day for session in sessions_between(date(2026, 2, 3), date(2026, 2, 9))}
    assert set(apart.index[apart > 0.01]) == wrong
    assert apart[[day not in wrong for day in apart.index]].max() < 1e-3


def test_a_feed_stored_in_the_wrong_zone_shows_bars_on_saturdays(tmp_path: Path) -> None:
    frame = feed("wrong_tz_as_published", EXCHANGE_ZONE)
    saturdays = (frame.ts.dt.day_of_week == 5).sum()
    assert saturdays > 300
    assert read_feed(tmp_path, frame)[:2] == [
        "DATA_WRONG_ZONE: 22 (2026-02-02 to 2026-03-04, 5 h early)",
        f"DATA_NO_SESSION: {saturdays} (AAPL 2026-02-07 14:30 UTC)",
    ]


def test_new_york_labels_taken_for_utc_are_refused(tmp_path: Path) -> None:
    """Five hours early in winter, four in summer: both are said, with how many days of each."""
    with pytest.raises(DataError, match="no bar inside any session") as fault:
        read_feed(tmp_path, feed("correct_ET", "UTC"))
    text = str(fault.value)
    assert "left out: 24 (2026-02-02 to 2026-03-06, 5 h early)" in text
    assert "left out: 8 (2026-03-09 to 2026-03-18, 4 h early)" in text


def test_labels_without_a_zone_are_refused(tmp_path: Path) -> None:
    frame = feed("correct_ET", EXCHANGE_ZONE)
    with pytest.raises(DataError, match="column ts has no time zone. Store it in UTC"):
        read_feed(tmp_path, frame.assign(ts=frame.ts.dt.tz_localize(None)))


def test_rows_on_market_holidays_are_left_out(tmp_path: Path) -> None:
    """Daily rows as published, many of them three times, taken for the first bar of their day."""
    rows = recorded("dirty/pystock_rows_on_market_holidays")
    year = rows[rows.date.str.startswith("2015")]
    opened = pd.to_datetime(year.date) + pd.Timedelta(hours=9, minutes=30)
    holidays = year.assign(ts=in_utc(opened, EXCHANGE_ZONE).dt.as_unit("ns"))
    sessions = [date(2015, 4, 2), date(2015, 12, 28)]
    around = bars(("AIRI",), sessions)
    said = read_feed(tmp_path, pd.concat([around, holidays[around.columns]], ignore_index=True))
    nothing = (year[["open", "high", "low", "close"]] <= 0).any(axis=1).sum()
    zero, closed, silent = said
    assert zero.startswith(f"DATA_PRICE_NOT_POSITIVE: {nothing} (")
    assert closed.startswith(f"DATA_NO_SESSION: {len(year) - nothing} (AIRI 2015-04")
    assert silent.startswith("DATA_SILENT_SESSION: ")


# what the doctor says of files whose truth is known


def daily(name: str) -> dict[str, "pd.DataFrame"]:
    rows = recorded(f"daily/{name}")
    columns = ("open", "close", "volume")
    tables = {c: rows.pivot(index="date", columns="symbol", values=c) for c in columns}
    if "adj_ratio_next_day" in rows:
        ratio = rows.pivot(index="date", columns="symbol", values="adj_ratio_next_day")
        tables["ratio"] = ratio
    return tables


def test_splits_of_a_thousand_raw_names_are_found_by_price_and_volume() -> None:
    """Of the nights that the file marks, simple ratios are found; odd ones of spin-offs are not."""
    tables = daily("us1000_daily_2015_2016")
    splits = find_splits(*(tables[c].to_numpy(float) for c in ("open", "close", "volume")))
    found = set(zip(splits.day.tolist(), splits.name.tolist(), strict=True))
    ratio = tables["ratio"].to_numpy()
    marked = {
        (int(day) + 1, int(name))
        for day, name in np.argwhere((ratio < 0.8) | (ratio > 1.25))
        if day + 1 < len(ratio)
    }
    assert len(marked) == 33
    assert len(found & marked) == 25
    assert len(found - marked) <= 6, "CF, GCI, ENR and MTW among them, which the file forgot"


def test_the_survivors_of_2008_are_told() -> None:
    traded = daily("us300_etf18_daily_2007_2014_adj")["close"].notna().to_numpy()
    (said,) = find_survivors(len(traded), traded)
    assert str(said.ailment) == "DATA_SURVIVORS"
    fair = daily("us1000_daily_2015_2016")["close"].notna().to_numpy()
    assert find_survivors(len(fair), fair) == [], "delisted names are in this one"


def test_quotes_with_a_split_refuse_a_run_until_it_is_accepted() -> None:
    bars_ = examine_bars(DATA / "quotes_lean/bars_quotes_minute.parquet")
    (split,) = [each for each in bars_.findings if each.ailment.severity == "error"]
    assert brief(split) == "DATA_UNADJUSTED_SPLIT: 1 (AAPL 2014-06-09, 7 for 1)"


@pytest.mark.parametrize("name", [US_2026, US_2025, US_2018])
def test_recorded_months_hold_no_error(name: str) -> None:
    found = examine_bars(DATA / f"{name}.parquet").findings
    assert [brief(each) for each in found if each.ailment.severity == "error"] == []


def test_consolidated_volume_that_falls_to_one_venue_is_found(tmp_path: Path) -> None:
    """Two per cent of the volume from the tenth day on, as of one small exchange, and back."""
    frame = recorded(US_2026)
    days = sorted(frame.ts.dt.date.unique())
    thin = (frame.ts.dt.date >= days[30]) & (frame.ts.dt.date < days[45])
    share = 0.02 * np.exp(np.random.default_rng(1).normal(0, 0.5, len(frame)))
    frame.loc[thin, "volume"] = np.ceil(frame.volume[thin] * share[thin]).astype(np.int64)
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    found = {str(each.ailment): each for each in examine_bars(tmp_path / "bars.parquet").findings}
    assert found["DATA_ONE_VENUE"].count == 2
    assert f"{days[30]}: volume " in found["DATA_ONE_VENUE"].example
    assert f"{days[45]}: volume " in found["DATA_ONE_VENUE"].example
