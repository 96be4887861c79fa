"""Prices that stand still, jump and are back, are finer than a tick, split, or all survive."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.kit.feed import clean, clock, found, on
from tests.kit.files import brief

from deadband.feeds.doctor.adjustment import find_survivors

BARS = clean()
PRICES = ["open", "high", "low", "close"]
MINE = BARS.symbol == "SIM003"


def at(day: int, hhmm: str) -> "pd.Series[bool]":
    return MINE & on(BARS, day) & (clock(BARS) == hhmm)


def test_a_feed_that_stands_still_is_told(tmp_path: Path) -> None:
    frame = BARS.copy()
    still = MINE & on(frame, 3) & (clock(frame) >= "11:00") & (clock(frame) < "12:05")
    frame.loc[still, PRICES] = frame.loc[at(3, "11:00"), PRICES].to_numpy()
    assert found(tmp_path, frame) == ["DATA_FROZEN: 1 (SIM003 2026-03-05, 13 bars)"]
    shorter = frame.copy()
    shorter.loc[at(3, "11:30"), "high"] += 0.01
    assert found(tmp_path, shorter) == []


@pytest.mark.parametrize(("jump", "text"), [(1.3, "+30.0%"), (0.7, "-30.0%")])
def test_a_jump_that_is_back_in_the_next_bar_is_told(
    tmp_path: Path, jump: float, text: str
) -> None:
    frame = BARS.copy()
    before = float(frame.close[at(3, "11:00")].item())
    frame.loc[at(3, "11:05"), "close"] = round(before * jump, 2)
    for column, best in (("high", np.maximum), ("low", np.minimum)):
        frame[column] = best(frame[column], frame.close)
    said = found(tmp_path, frame)
    assert said == [f"DATA_SPIKE: 1 (SIM003 2026-03-05 bar 19: {text})"]


def test_a_jump_that_is_back_after_two_bars_is_told(tmp_path: Path) -> None:
    frame = BARS.copy()
    two = at(3, "11:05") | at(3, "11:10")
    frame.loc[two, PRICES] = (frame.loc[two, PRICES] * 2.0).round(2)
    (said,) = found(tmp_path, frame)
    assert said.startswith("DATA_SPIKE: 1 (SIM003 2026-03-05 bar 19: +")


@pytest.mark.parametrize(("column", "times"), [("high", 3.0), ("high", 1.07), ("low", 0.06)])
def test_a_high_or_low_far_from_its_own_bar_is_told(
    tmp_path: Path, column: str, times: float
) -> None:
    frame = BARS.copy()
    frame.loc[at(3, "11:05"), column] = (frame.loc[at(3, "11:05"), column] * times).round(2)
    (said,) = found(tmp_path, frame)
    assert said.startswith("DATA_SPIKE: 1 (SIM003 2026-03-05 bar 19: ")


@pytest.mark.parametrize("times", (100.0, 0.01))
def test_prices_in_another_unit_from_some_bar_on_are_told(tmp_path: Path, times: float) -> None:
    frame = BARS.copy()
    later = MINE & on(frame, 3) & (clock(frame) >= "11:05")
    frame.loc[later, PRICES] = frame.loc[later, PRICES] * times
    assert any(said.startswith("DATA_SPIKE: 1 (SIM003") for said in found(tmp_path, frame))


def test_a_jump_that_stays_is_news(tmp_path: Path) -> None:
    frame = BARS.copy()
    later = MINE & (frame.ts >= frame.ts[at(3, "11:05")].item())
    frame.loc[later, PRICES] = (frame.loc[later, PRICES] * 1.3).round(2)
    assert found(tmp_path, frame) == []


def test_prices_that_no_trade_could_have_are_told(tmp_path: Path) -> None:
    frame = BARS.copy()
    rng = np.random.default_rng(2)
    some = MINE & (rng.random(len(frame)) < 0.1)
    frame.loc[some, "close"] = frame.loc[some, ["low", "high"]].mean(axis=1) + 0.00003
    frame.loc[some, "high"] = np.maximum(frame.high[some], frame.close[some])
    assert found(tmp_path, frame) == ["DATA_OFF_TICK: 1 (SIM003)"]


def split(frame: pd.DataFrame, which: "pd.Series[bool]", shares: float) -> pd.DataFrame:
    """The same market if each old share became so many new ones from there on."""
    frame = frame.copy()
    frame.loc[which, PRICES] = (frame.loc[which, PRICES] / shares).round(2)
    frame.loc[which, "volume"] = np.ceil(frame.volume[which] * shares)
    return frame


@pytest.mark.parametrize(
    ("shares", "text"), [(2.0, "2 for 1"), (1.5, "1.5 for 1"), (0.1, "0.1 for 1")]
)
def test_a_split_in_raw_prices_is_an_error_with_its_night(
    tmp_path: Path, shares: float, text: str
) -> None:
    assert found(tmp_path, split(BARS, MINE & on(BARS, 6, 14), shares)) == [
        f"DATA_UNADJUSTED_SPLIT: 1 (SIM003 2026-03-10, {text})"
    ]


def test_a_price_that_halves_on_far_more_volume_is_bad_news(tmp_path: Path) -> None:
    frame = split(BARS, MINE & on(BARS, 6, 14), 2.0)
    frame.loc[MINE & on(BARS, 6, 14), "volume"] *= 8
    assert found(tmp_path, frame) == []


def adjusted(frame: pd.DataFrame, which: "pd.Series[bool]") -> pd.DataFrame:
    frame = frame.copy()
    frame.loc[which, PRICES] = (frame.loc[which, PRICES] * 0.98765).round(4)
    return frame


def test_adjusted_prices_are_told_by_their_grid(tmp_path: Path) -> None:
    assert found(tmp_path, adjusted(BARS, MINE & on(BARS, 0, 6))) == ["DATA_ADJUSTED: 1 (SIM003)"]


def test_raw_beside_adjusted_prices_are_an_error(tmp_path: Path) -> None:
    others = BARS.symbol.isin([f"SIM{i:03d}" for i in range(4, 12)])
    frame = split(adjusted(BARS, others), MINE & on(BARS, 6, 14), 4.0)
    assert found(tmp_path, frame) == [
        "DATA_UNADJUSTED_SPLIT: 1 (SIM003 2026-03-10, 4 for 1)",
        "DATA_MIXED_ADJUSTMENT: 1 (SIM003, while 40% of the symbols are adjusted)",
        "DATA_ADJUSTED: 8 (SIM004, SIM005, SIM006, SIM007, SIM008, …)",
    ]


def test_a_universe_that_nobody_leaves_is_told_where_that_is_unlikely() -> None:
    traded = np.ones((1260, 300), dtype=np.bool_)
    (said,) = find_survivors(1260, traded)
    assert brief(said) == (
        "DATA_SURVIVORS: 300 (0 leave and 0 join of 300 in 1260 sessions; about 45 would leave)"
    )
    assert find_survivors(70, traded[:70]) == [], "70 sessions say nothing"
    leaving = traded.copy()
    leaving[900:, :40] = False
    assert find_survivors(1260, leaving) == []
