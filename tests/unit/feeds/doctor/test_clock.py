"""Labels that lie hours off: by the grid, by volume alone, on all days or since clocks changed."""

from pathlib import Path

import pandas as pd
import pytest
from tests.kit.feed import clean, clock, found, hours, nth, on

from deadband.core.errors import DataError

BARS = clean(names=8)
CHANGE = 5
"""The first day after the clocks changed: 2026-03-09."""


def moved(frame: pd.DataFrame, which: "pd.Series[bool]", by: float) -> pd.DataFrame:
    frame = frame.copy()
    frame.loc[which, "ts"] += hours(by)
    return frame


def all_day(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with bars around the clock: a hundredth of the volume, at the day's last price."""
    more = []
    for shift in (-6.5, 6.5):
        quiet = frame.copy()
        quiet["ts"] += hours(shift)
        quiet["volume"] = quiet.volume // 100
        more.append(quiet)
    return pd.concat([frame, *more], ignore_index=True)


def test_a_clean_market_has_nothing_wrong(tmp_path: Path) -> None:
    assert found(tmp_path, BARS) == []
    said = found(tmp_path, all_day(BARS))
    assert [text.split(":")[0] for text in said] == ["DATA_OUTSIDE_SESSION"]


@pytest.mark.parametrize(("by", "side"), [(1, "1 h late"), (-3, "3 h early"), (-5, "5 h early")])
def test_a_file_in_another_zone_is_told_by_its_volume_where_bars_fill_the_grid(
    tmp_path: Path, by: float, side: str
) -> None:
    frame = all_day(BARS)
    if abs(by) == 5:
        # In reality the hours beyond are filled too; six and a half each side is all there is here.
        frame = frame[clock(frame) < "20:00"]
    said = found(tmp_path, moved(frame, frame.ts.notna(), by))
    assert said[0] == f"DATA_WRONG_ZONE: 15 (2026-03-02 to 2026-03-20, {side})"


@pytest.mark.parametrize("around_the_clock", [False, True])
@pytest.mark.parametrize(("side", "by"), [("1 h early", -1), ("1 h late", 1)])
def test_an_hour_off_since_clocks_changed_is_daylight_saving(
    tmp_path: Path, side: str, by: float, around_the_clock: bool
) -> None:
    frame = all_day(BARS) if around_the_clock else BARS
    said = found(tmp_path, moved(frame, on(frame, CHANGE, 14), by))
    assert said[0] == f"DATA_DST_MISMATCH: 10 (2026-03-09 to 2026-03-20, {side})"
    before = found(tmp_path, moved(frame, on(frame, 0, CHANGE - 1), by))
    assert before[0] == f"DATA_DST_MISMATCH: 5 (2026-03-02 to 2026-03-06, {side})"


def test_an_hour_off_from_another_day_on_is_no_daylight_saving(tmp_path: Path) -> None:
    assert found(tmp_path, moved(BARS, on(BARS, 9, 14), 1))[0] == (
        "DATA_HOURS_OFF: 6 (2026-03-13 to 2026-03-20, 1 h late)"
    )
    assert found(tmp_path, moved(BARS, on(BARS, 3, 14), 1))[0] == (
        "DATA_WRONG_ZONE: 12 (2026-03-05 to 2026-03-20, 1 h late)"
    )


def test_volume_alone_needs_more_than_a_day_or_two(tmp_path: Path) -> None:
    """A feed that starts late on one day is an outage, not another time zone."""
    frame = BARS.copy()
    frame.loc[on(frame, 4) & (clock(frame) < "10:30"), "volume"] //= 50
    assert found(tmp_path, frame) == []


def test_bars_labeled_by_their_end_are_told_by_the_first_and_the_last(tmp_path: Path) -> None:
    frame = BARS.copy()
    frame["ts"] += pd.Timedelta(minutes=5)
    said = found(tmp_path, frame)
    assert said[0] == (
        "DATA_END_LABELS: 15 (2026-03-02, first bar 5 min after the open, last at the close)"
    )
    assert not any(text.startswith("DATA_CLOSING_CROSS") for text in said[1:2])


def test_a_volume_that_is_least_at_open_and_close_is_named(tmp_path: Path) -> None:
    frame = BARS.copy()
    edges = (clock(frame) < "10:00") | (clock(frame) >= "15:30")
    frame.loc[edges, "volume"] //= 6
    (said,) = found(tmp_path, frame)
    assert said.startswith("DATA_NO_U_SHAPE: 15 (2026-03-02 to 2026-03-20, open ")


def test_rows_after_now_are_left_out(tmp_path: Path) -> None:
    now = pd.Timestamp(nth(BARS, 12), tz="UTC").to_pydatetime()
    late = BARS[BARS.ts > now]
    assert found(tmp_path, BARS, now) == [f"DATA_FUTURE: {len(late)} (SIM001 2026-03-18 13:30 UTC)"]
    assert found(tmp_path, BARS, BARS.ts.max().to_pydatetime()) == []
    with pytest.raises(DataError, match="has only rows after 2026-01-01"):
        found(tmp_path, BARS, pd.Timestamp("2026-01-01", tz="UTC").to_pydatetime())
