"""Bars from files: every row that is left out is counted under its own name, the rest stands."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests import kit
from tests.kit.files import DAYS, at, bars, between, brief

from deadband.core.errors import DataError, MissingError
from deadband.feeds.files import bar_tape
from deadband.feeds.tape import BarTape
from deadband.feeds.universe import Listing

MONDAY, TUESDAY, WEDNESDAY = DAYS[:3]
HALF_DAY = date(2025, 11, 28)


def tape(
    folder: Path, frame: pd.DataFrame, listing: Listing | None = None, market: str = ""
) -> BarTape:
    path = folder / "bars.parquet"
    frame.to_parquet(path, index=False)
    return bar_tape(path, listing or Listing(), kit.settings(market=market))


def two_names(bar_min: int = 30, days: tuple[date, ...] = (MONDAY, TUESDAY)) -> pd.DataFrame:
    return bars(("AAA", "BBB"), days, bar_min)


def said(of: BarTape) -> list[str]:
    return [brief(finding) for finding in of.findings]


def row_of(frame: pd.DataFrame, symbol: str, day: date, hhmm: str) -> int:
    (row,) = frame.index[(frame.symbol == symbol) & (frame.ts == at(day, hhmm))]
    return int(row)


def test_clean_bars_are_laid_out_by_session_bar_and_name(tmp_path: Path) -> None:
    frame = two_names()
    made = tape(tmp_path, frame.sample(frac=1, random_state=3))
    assert said(made) == []
    assert made.bar_min == 30.0
    assert made.universe.symbols == ("AAA", "BBB")
    assert sorted(made.days) == [MONDAY, TUESDAY]
    for day, dense in made.days.items():
        for column in ("open", "high", "low", "close", "volume"):
            table = frame[between(frame, day, "09:30", "16:00")].pivot(
                index="ts", columns="symbol", values=column
            )
            np.testing.assert_array_equal(getattr(dense, column), table.to_numpy())
        assert np.isnan(dense.quoted).all()
        assert not dense.close.flags.writeable


def test_csv_and_parquet_give_the_same_tape(tmp_path: Path) -> None:
    frame = two_names()
    path = tmp_path / "bars.csv"
    frame.to_csv(path, index=False)
    from_csv = bar_tape(path, Listing(), kit.settings())
    for day, dense in tape(tmp_path, frame).days.items():
        np.testing.assert_array_equal(from_csv.days[day].close, dense.close)


@pytest.mark.parametrize(
    ("column", "value", "what"),
    [
        ("open", np.nan, "DATA_PRICE_NOT_FINITE"),
        ("close", np.inf, "DATA_PRICE_NOT_FINITE"),
        ("low", 0.0, "DATA_PRICE_NOT_POSITIVE"),
        ("close", -5.0, "DATA_PRICE_NOT_POSITIVE"),
        ("high", 0.01, "DATA_HIGH_LOW"),
        ("low", 1e6, "DATA_HIGH_LOW"),
        ("volume", -1.0, "DATA_VOLUME_INVALID"),
        ("volume", np.nan, "DATA_VOLUME_INVALID"),
        ("volume", np.inf, "DATA_VOLUME_INVALID"),
    ],
)
def test_a_row_that_cannot_be_true_is_left_out_by_name(
    tmp_path: Path, column: str, value: float, what: str
) -> None:
    frame = two_names()
    frame.loc[row_of(frame, "BBB", TUESDAY, "10:30"), column] = value
    made = tape(tmp_path, frame)
    assert said(made) == [f"{what}: 1 (BBB 2026-03-03 15:30 UTC)"]
    missing = np.isnan(made.days[TUESDAY].close)
    assert np.argwhere(missing).tolist() == [[2, 1]]
    assert not np.isnan(made.days[MONDAY].close).any()


def test_a_bar_of_quotes_alone_is_no_bar_and_no_defect(tmp_path: Path) -> None:
    frame = two_names()
    row = row_of(frame, "BBB", TUESDAY, "10:30")
    frame.loc[row, ["open", "high", "low", "close", "volume"]] = np.nan
    made = tape(tmp_path, frame)
    assert said(made) == []
    assert np.isnan(made.days[TUESDAY].close[2, 1])


def test_rows_before_the_open_and_after_the_close_are_left_out(tmp_path: Path) -> None:
    frame = two_names()
    early, late = frame.iloc[[0]].copy(), frame.iloc[[1]].copy()
    early["ts"], late["ts"] = at(MONDAY, "08:30"), at(MONDAY, "16:00")
    made = tape(tmp_path, pd.concat([frame, early, late]))
    assert said(made) == ["DATA_OUTSIDE_SESSION: 2 (AAA 2026-03-02 13:30 UTC)"]
    assert made.days[MONDAY].close.shape == (13, 2)


def test_the_evening_in_new_york_belongs_to_its_own_day(tmp_path: Path) -> None:
    """20:00 on Tuesday in New York is Wednesday in UTC, and no holiday either way."""
    frame = two_names()
    evening = frame.iloc[[0]].copy()
    evening["ts"] = at(TUESDAY, "20:00")
    made = tape(tmp_path, pd.concat([frame, evening]))
    assert said(made) == ["DATA_OUTSIDE_SESSION: 1 (AAA 2026-03-04 01:00 UTC)"]


def test_a_half_day_ends_early(tmp_path: Path) -> None:
    full = HALF_DAY - timedelta(days=2)
    frame = bars(("AAA", "BBB"), (full, HALF_DAY), 30)
    late = frame.iloc[[0]].copy()
    late["ts"] = at(HALF_DAY, "13:00")
    made = tape(tmp_path, pd.concat([frame, late]))
    assert said(made) == ["DATA_AFTER_EARLY_CLOSE: 1 (AAA 2025-11-28 18:00 UTC)"]
    assert made.days[HALF_DAY].close.shape == (7, 2)


@pytest.mark.parametrize("day", [date(2026, 2, 28), date(2026, 4, 3)])
def test_rows_of_days_without_a_session_are_left_out(tmp_path: Path, day: date) -> None:
    """A Saturday, and Good Friday."""
    frame = two_names()
    closed = frame[between(frame, MONDAY, "09:30", "16:00")].copy()
    closed["ts"] += pd.Timestamp(day.isoformat()) - pd.Timestamp(MONDAY.isoformat())
    made = tape(tmp_path, pd.concat([frame, closed], ignore_index=True))
    assert said(made)[0].startswith("DATA_NO_SESSION: 26 (AAA ")
    assert sorted(made.days) == [MONDAY, TUESDAY]


def test_equal_doubles_count_once(tmp_path: Path) -> None:
    frame = two_names()
    row = frame.loc[[row_of(frame, "BBB", TUESDAY, "10:30")]]
    made = tape(tmp_path, pd.concat([frame, row, row]))
    assert said(made) == ["DATA_DOUBLED: 2 (BBB 2026-03-03 15:30 UTC)"]
    assert made.days[TUESDAY].close[2, 1] == row.close.item()
    assert made.days[TUESDAY].volume[2, 1] == row.volume.item()


@pytest.mark.parametrize("column", ["open", "close", "volume"])
def test_doubles_that_contradict_are_all_left_out(tmp_path: Path, column: str) -> None:
    frame = two_names()
    row = frame.loc[[row_of(frame, "BBB", TUESDAY, "10:30")]]
    other = row.copy()
    other[column] = (row.low + row.high) / 2 if column != "volume" else row.volume + 1
    made = tape(tmp_path, pd.concat([frame, row, other]))
    assert said(made) == ["DATA_CONTRADICTING: 3 (BBB 2026-03-03 15:30 UTC)"]
    assert np.argwhere(np.isnan(made.days[TUESDAY].close)).tolist() == [[2, 1]]


def test_rows_between_bar_starts_are_left_out(tmp_path: Path) -> None:
    frame = two_names()
    frame.loc[row_of(frame, "BBB", TUESDAY, "10:30"), "ts"] += pd.Timedelta(seconds=30)
    made = tape(tmp_path, frame)
    assert said(made) == ["DATA_BETWEEN_BARS: 1 (BBB 2026-03-03 15:30 UTC)"]


@pytest.mark.parametrize(("hours", "side"), [(1, "1 h late"), (-1, "1 h early"), (-5, "5 h early")])
def test_a_day_that_is_hours_off_is_left_out_as_a_whole(
    tmp_path: Path, hours: int, side: str
) -> None:
    frame = two_names(days=(MONDAY, TUESDAY, WEDNESDAY))
    frame.loc[between(frame, TUESDAY, "09:30", "16:00"), "ts"] += pd.Timedelta(hours=hours)
    made = tape(tmp_path, frame)
    assert sorted(made.days) == [MONDAY, WEDNESDAY]
    shifted, silent, outside = said(made)
    assert shifted == f"DATA_HOURS_OFF: 1 (2026-03-03, {side})"
    assert outside.startswith("DATA_OUTSIDE_SESSION: ")
    assert silent == "DATA_SILENT_SESSION: 1 (2026-03-03)"


def test_days_off_by_the_same_hours_are_counted_together(tmp_path: Path) -> None:
    frame = two_names()
    frame["ts"] -= pd.Timedelta(hours=5)
    with pytest.raises(DataError, match=r"inside any session \(DATA_WRONG_ZONE") as fault:
        tape(tmp_path, frame)
    assert "left out: 2 (2026-03-02 to 2026-03-03, 5 h early)" in str(fault.value)


def test_a_late_start_with_bars_after_the_close_is_no_other_time_zone(tmp_path: Path) -> None:
    """An outage of the first hour: the evening's bars fill an hour-later grid by chance."""
    frame = two_names()
    morning = between(frame, TUESDAY, "09:30", "10:30")
    afternoon = frame[between(frame, TUESDAY, "13:00", "16:00")].copy()
    afternoon["ts"] += pd.Timedelta(hours=3)
    made = tape(tmp_path, pd.concat([frame[~morning], afternoon], ignore_index=True))
    assert said(made) == ["DATA_OUTSIDE_SESSION: 12 (AAA 2026-03-03 21:00 UTC)"]
    assert np.isfinite(made.days[TUESDAY].close).sum(axis=0).tolist() == [11, 11]


def test_a_session_without_a_bar_between_others_is_named(tmp_path: Path) -> None:
    made = tape(tmp_path, two_names(days=(MONDAY, WEDNESDAY)))
    assert said(made) == ["DATA_SILENT_SESSION: 1 (2026-03-03)"]


@pytest.mark.parametrize("bar_min", [1, 5, 10, 15, 30])
def test_the_length_of_bars_is_read_off_their_times(tmp_path: Path, bar_min: int) -> None:
    made = tape(tmp_path, two_names(bar_min))
    assert made.bar_min == bar_min
    assert len(made.days[MONDAY].close) == 390 // bar_min


def test_holes_do_not_change_the_length_of_bars(tmp_path: Path) -> None:
    frame = two_names(5).sample(frac=0.4, random_state=1)
    assert tape(tmp_path, frame).bar_min == 5


@pytest.mark.parametrize(("bar_min", "text"), [(60, "60"), (13, "13"), (45, "45")])
def test_bars_that_do_not_fill_a_session_are_refused(
    tmp_path: Path, bar_min: int, text: str
) -> None:
    frame = two_names(bar_min)
    with pytest.raises(DataError, match=f"has bars of {text} minutes, expected 1, 2, .*Resample"):
        tape(tmp_path, frame)


def test_seconds_are_refused(tmp_path: Path) -> None:
    frame = two_names(30).head(3)
    frame["ts"] = at(MONDAY, "10:00") + pd.to_timedelta([0, 1, 2], unit="s")
    with pytest.raises(DataError, match="bars of 0.0166667 minutes"):
        tape(tmp_path, frame)


def test_one_time_is_no_series(tmp_path: Path) -> None:
    frame = two_names()
    with pytest.raises(DataError, match="has bars at 1 time, expected a series"):
        tape(tmp_path, frame[frame.ts == at(MONDAY, "10:00")])


def test_bars_of_two_lengths_in_one_file_are_refused(tmp_path: Path) -> None:
    by_day = [bars(("AAA", "BBB"), (MONDAY,), 5), bars(("AAA", "BBB"), (TUESDAY,), 15)]
    with pytest.raises(DataError, match="bars of 5 minutes, but AAA on 2026-03-03 has bars of 15"):
        tape(tmp_path, pd.concat(by_day))
    by_name = [bars(("AAA",), (MONDAY,), 5), bars(("BBB",), (MONDAY,), 15)]
    with pytest.raises(DataError, match="bars of 5 minutes, but BBB on 2026-03-02 has bars of 15"):
        tape(tmp_path, pd.concat(by_name))


@pytest.mark.parametrize("year", [1970, 2100])
def test_days_outside_the_session_table_are_refused(tmp_path: Path, year: int) -> None:
    frame = two_names()
    frame.loc[0, "ts"] = pd.Timestamp(f"{year}-03-02 15:00", tz="UTC")
    with pytest.raises(DataError, match=f"{year}-03-02.*sessions are known from.*unit of ts"):
        tape(tmp_path, frame)


def test_a_file_without_a_bar_inside_a_session_says_why(tmp_path: Path) -> None:
    frame = two_names()
    frame["close"] = 0.0
    with pytest.raises(DataError, match=r"no bar inside any session \(DATA_PRICE_NOT_POSITIVE"):
        tape(tmp_path, frame)


def test_the_market_is_not_traded_and_must_be_there(tmp_path: Path) -> None:
    frame = two_names()
    assert tape(tmp_path, frame, market="BBB").universe.traded.tolist() == [True, False]
    with pytest.raises(MissingError, match="market symbol BBC has no usable bars.*mean BBB"):
        tape(tmp_path, frame, market="BBC")
    frame.loc[frame.symbol == "BBB", "close"] = -1.0
    with pytest.raises(MissingError, match="symbol BBB has no usable bars in .*Add them, or"):
        tape(tmp_path, frame, market="BBB")


def test_quotes_give_the_spread_and_unsound_ones_are_named(tmp_path: Path) -> None:
    frame = two_names()
    frame["bid"], frame["ask"] = frame.close - 0.03, frame.close + 0.05
    broken = [row_of(frame, "BBB", TUESDAY, f"{hour}:30") for hour in (10, 11, 12, 13)]
    frame.loc[broken[0], "bid"] = frame.loc[broken[0], "ask"] + 1
    frame.loc[broken[1], "bid"] = 0.0
    frame.loc[broken[2], "ask"] = np.inf
    frame.loc[broken[3], ["bid", "ask"]] = np.nan
    made = tape(tmp_path, frame)
    quoted = made.days[TUESDAY].quoted
    assert np.argwhere(np.isnan(quoted)).tolist() == [[2, 1], [4, 1], [6, 1], [8, 1]]
    np.testing.assert_allclose(quoted[np.isfinite(quoted)], 0.04, atol=1e-9)
    assert said(made) == ["DATA_QUOTE_INVALID: 3 (BBB 2026-03-03 15:30 UTC)"]


def test_a_bid_without_an_ask_is_no_quote(tmp_path: Path) -> None:
    frame = two_names()
    frame["bid"] = frame.close
    assert np.isnan(tape(tmp_path, frame).days[MONDAY].quoted).all()


def test_sectors_and_borrow_come_from_the_listing(tmp_path: Path) -> None:
    listing = Listing({"BBB": "Energy"}, {}, ("AAA",), ("AAA", "BBB"))
    made = tape(tmp_path, two_names(), listing)
    assert made.universe.group_names == ("Energy",)
    assert made.universe.group.tolist() == [-1, 0]
    assert made.shortable.tolist() == [False, True]
