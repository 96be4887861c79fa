"""For all inputs: the order of rows changes no finding, and no place hides a defect."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.feeds.files import examine_bars
from tests.kit.feed import clean, clock, found, on

BARS = clean(names=5, days=8)
DAY = BARS.ts.dt.date.rank(method="dense").astype(int) - 1
BAR = BARS.groupby(["symbol", DAY]).cumcount()
PRICES = ["open", "high", "low", "close"]


def sick() -> pd.DataFrame:
    """A file with something of every kind of row wrong."""
    frame = BARS.copy()
    mine = frame.symbol == "SIM003"
    frame = frame[~(mine & on(frame, 4) & clock(frame).between("11:00", "11:40"))]
    mine = frame.symbol == "SIM003"
    frame.loc[mine & on(frame, 1) & (clock(frame) == "10:00"), "close"] = -1.0
    frame.loc[mine & on(frame, 1) & (clock(frame) == "10:05"), "volume"] = np.nan
    frame.loc[on(frame, 2) & (clock(frame) == "10:05"), "ts"] += pd.Timedelta(seconds=7)
    frame.loc[on(frame, 6), "ts"] += pd.Timedelta(hours=1)
    twice = frame[on(frame, 3) & (clock(frame) == "12:00")]
    other = frame[on(frame, 3) & (clock(frame) == "12:05")]
    other = other.assign(volume=other.volume + 1)
    return pd.concat([frame, twice, other], ignore_index=True)


SICK = sick()


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_no_finding_and_no_bar(seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        before = found(Path(folder), SICK)
        assert len(before) >= 7
        assert found(Path(folder), SICK.sample(frac=1, random_state=seed)) == before


@settings(deadline=None, max_examples=15)
@given(
    name=st.integers(1, 5),
    day=st.integers(0, 7),
    first=st.integers(1, 60),
    length=st.integers(4, 16),
)
def test_a_halt_is_found_wherever_it_is(name: int, day: int, first: int, length: int) -> None:
    mine = (BARS.symbol == f"SIM{name:03d}") & (DAY == day)
    gone = mine & BAR.between(first, first + length - 1)
    with tempfile.TemporaryDirectory() as folder:
        (said,) = found(Path(folder), BARS[~gone])
    assert said.startswith(f"DATA_HALT: 1 (SIM{name:03d} ")
    assert said.endswith(f"for {length * 5} min)")


@settings(deadline=None, max_examples=10)
@given(scale=st.sampled_from([0.01, 0.1, 3.0, 1000.0]), price=st.sampled_from([0.2, 1.0, 7.0]))
def test_no_unit_of_price_or_volume_makes_a_clean_market_sick(scale: float, price: float) -> None:
    frame = BARS.copy()
    frame["volume"] = np.ceil(frame.volume * scale)
    frame[PRICES] = (frame[PRICES] * price).round(2)
    with tempfile.TemporaryDirectory() as folder:
        assert found(Path(folder), frame) == []


def test_what_was_left_out_is_not_in_the_bars(tmp_path: Path) -> None:
    """Sound rows all stay, whatever lies beside them."""
    found(tmp_path, SICK)
    kept = examine_bars(tmp_path / "bars.parquet").days
    sound = BARS[on(BARS, 0)]
    np.testing.assert_array_equal(
        kept[min(kept)].close.ravel(), sound.close.to_numpy(), "the first day is whole"
    )
    assert len(kept) == 7, "the day that was an hour off is not there"
