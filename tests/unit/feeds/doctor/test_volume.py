"""Volumes that change their meaning overnight, and bars that no trade made."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.kit.feed import clean, clock, found, nth, on
from tests.kit.files import bars

BARS = clean()


def scaled(which: "pd.Series[bool]", share: "float | np.ndarray") -> pd.DataFrame:
    frame = BARS.copy()
    frame.loc[which, "volume"] = np.floor(frame.volume[which] * share) + 1
    return frame


def test_a_feed_that_falls_to_one_venue_and_back_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    share = dict(zip(BARS.symbol.unique(), rng.uniform(0.02, 0.09, 20), strict=True))
    days = on(BARS, 4, 9)
    (said,) = found(tmp_path, scaled(days, BARS.symbol[days].map(share).to_numpy()))
    assert said.startswith("DATA_ONE_VENUE: 2 (2026-03-06: volume 0.0")
    assert "; 2026-03-16: volume " in said and said.endswith("times that of before for 20 names)")


@pytest.mark.parametrize(("unit", "text"), [(100, "0.01"), (1000, "0.001")])
def test_lots_after_shares_are_told_from_another_venue(
    tmp_path: Path, unit: int, text: str
) -> None:
    said = found(tmp_path, scaled(on(BARS, 6, 14), 1 / unit))
    assert said[0].startswith(f"DATA_VOLUME_UNITS: 1 (2026-03-10: volume {text}")


def test_a_quiet_day_and_a_name_of_its_own_are_no_other_feed(tmp_path: Path) -> None:
    assert found(tmp_path, scaled(on(BARS, 6), 0.35)) == []
    assert found(tmp_path, scaled(on(BARS, 6), 0.05)) == [], "one day is not lasting"
    assert found(tmp_path, scaled(on(BARS, 6, 14) & (BARS.symbol == "SIM003"), 0.05)) == []


@pytest.mark.parametrize("until", ["09:35", "10:00", "13:00"])
def test_a_last_day_that_is_still_going_on_is_no_other_feed(tmp_path: Path, until: str) -> None:
    frame = BARS[~(on(BARS, 14) & (clock(BARS) >= until))]
    (said,) = found(tmp_path, frame)
    assert said.startswith("DATA_VENDOR_OUTAGE: "), (
        "what is not there yet is said, and nothing else"
    )


def test_bars_filled_forward_are_left_out(tmp_path: Path) -> None:
    frame = BARS.copy()
    which = on(frame, 3) & (frame.symbol == "SIM003") & (clock(frame) >= "15:30")
    last = frame[on(frame, 3) & (frame.symbol == "SIM003") & (clock(frame) == "15:25")]
    for column in ("open", "high", "low", "close"):
        frame.loc[which, column] = last.close.item()
    frame.loc[which, "volume"] = 0
    assert found(tmp_path, frame) == ["DATA_FILLED: 6 (SIM003 2026-03-05 20:30 UTC)"]
    frame.loc[which, "high"] += 0.01
    assert found(tmp_path, frame) == ["DATA_RANGE_NO_VOLUME: 6 (SIM003 2026-03-05 20:30 UTC)"]


def test_an_index_without_any_volume_is_kept(tmp_path: Path) -> None:
    frame = BARS.copy()
    frame.loc[frame.symbol == "SIM003", "volume"] = 0
    assert found(tmp_path, frame) == ["DATA_NO_VOLUME: 1 (SIM003)"]


# rows around the session


def extra(frame: pd.DataFrame, day: date, hhmm: str, volume: float) -> pd.DataFrame:
    """One flat row a name at that time, of so many mean bars."""
    at = pd.Timestamp(f"{day} {hhmm}", tz="America/New_York").tz_convert("UTC").as_unit("ns")
    mine = frame[frame.ts.dt.tz_convert("America/New_York").dt.date == day]
    rows = mine.groupby("symbol", as_index=False).agg(
        close=("close", "last"), volume=("volume", "mean")
    )
    rows["volume"] = np.ceil(rows.volume * volume)
    return rows.assign(ts=at, open=rows.close, high=rows.close, low=rows.close)[frame.columns]


def test_auctions_are_kept_out_of_the_bars(tmp_path: Path) -> None:
    day = nth(BARS, 3)
    rows = [extra(BARS, day, at, size) for at, size in (("16:00", 6), ("09:25", 4), ("09:31", 4))]
    assert found(tmp_path, pd.concat([BARS, *rows])) == [
        "DATA_CLOSING_CROSS: 20 (SIM001 2026-03-05 21:00 UTC)",
        "DATA_OPENING_CROSS: 40 (SIM001 2026-03-05 14:25 UTC)",
    ]


def test_small_rows_around_the_session_are_no_auctions(tmp_path: Path) -> None:
    day = nth(BARS, 3)
    rows = [extra(BARS, day, at, 1) for at in ("16:00", "09:25")]
    assert found(tmp_path, pd.concat([BARS, *rows])) == [
        "DATA_OUTSIDE_SESSION: 40 (SIM001 2026-03-05 14:25 UTC)"
    ]
    assert found(tmp_path, pd.concat([BARS, extra(BARS, day, "09:31", 1)])) == [
        "DATA_BETWEEN_BARS: 20 (SIM001 2026-03-05 14:31 UTC)"
    ]


def test_rows_after_an_early_close_are_no_evening(tmp_path: Path) -> None:
    half_day, full = date(2025, 11, 28), date(2025, 11, 26)
    frame = bars(("AAA", "BBB", "CCC"), (full, half_day), 5)
    rows = [extra(frame, half_day, at, 1) for at in ("13:00", "15:55", "16:00")]
    assert found(tmp_path, pd.concat([frame, *rows])) == [
        "DATA_AFTER_EARLY_CLOSE: 6 (AAA 2025-11-28 18:00 UTC)",
        "DATA_OUTSIDE_SESSION: 3 (AAA 2025-11-28 21:00 UTC)",
    ]
