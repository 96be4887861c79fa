"""Rows, days and symbols that are there twice, and symbols that are badly written."""

from pathlib import Path

import pandas as pd
import pytest
from tests.kit.feed import clean, found, on

BARS = clean()


def renamed(old: str, new: str) -> pd.DataFrame:
    return BARS.assign(symbol=BARS.symbol.replace(old, new))


def test_a_day_under_a_second_label_is_told_whatever_the_label(tmp_path: Path) -> None:
    first = BARS[on(BARS, 2)]
    again = first.assign(ts=first.ts + pd.Timedelta(days=1))
    frame = pd.concat([BARS[~on(BARS, 3)], again])
    assert found(tmp_path, frame) == [
        "DATA_DAY_REPEATED: 1 (2026-03-05 repeats 2026-03-04 in 100% of the names)"
    ]


def test_some_names_that_stand_still_make_no_repeated_day(tmp_path: Path) -> None:
    first = BARS[on(BARS, 2) & BARS.symbol.isin(["SIM001", "SIM002"])]
    again = first.assign(ts=first.ts + pd.Timedelta(days=1))
    frame = pd.concat([BARS[~(on(BARS, 3) & BARS.symbol.isin(["SIM001", "SIM002"]))], again])
    assert found(tmp_path, frame) == []


def test_one_company_under_two_symbols_is_told(tmp_path: Path) -> None:
    twin = BARS[BARS.symbol == "SIM003"].assign(symbol="XYZ")
    assert found(tmp_path, pd.concat([BARS, twin])) == ["DATA_SYMBOL_REPEATED: 1 (SIM003 = XYZ)"]
    almost = twin.copy()
    almost.iloc[50, almost.columns.get_loc("volume")] += 1
    assert found(tmp_path, pd.concat([BARS, almost])) == []


@pytest.mark.parametrize("odd", [" SIM003", "SIM003 ", "Sim003", "SIM 003"])
def test_a_badly_written_symbol_is_named(tmp_path: Path, odd: str) -> None:
    assert found(tmp_path, renamed("SIM003", odd)) == [f"DATA_SYMBOL_GLITCH: 1 ({odd!r})"]


def test_the_sign_before_a_class_is_no_glitch(tmp_path: Path) -> None:
    assert found(tmp_path, renamed("SIM003", "BRK.B")) == []


@pytest.mark.parametrize(("one", "other"), [("BRK.B", "BRK-B"), ("BRK/B", "BRK B"), ("AB", "ab")])
def test_one_company_written_in_two_ways_is_an_error(tmp_path: Path, one: str, other: str) -> None:
    frame = renamed("SIM003", one)
    late = on(frame, 8, 14) & (frame.symbol == one)
    frame.loc[late, "symbol"] = other
    said = found(tmp_path, frame)
    assert said[0] == "DATA_SYMBOL_TWICE: 1 ({!r} = {!r})".format(*sorted((one, other)))
