"""A feed that is out, a halted name, one that is gone and one that seldom trades: told apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.kit.feed import clean, clock, found, nth, on

BARS = clean()


def without(which: "pd.Series[bool]") -> pd.DataFrame:
    return BARS[~which]


def within(day: int, first: str, last: str) -> "pd.Series[bool]":
    return on(BARS, day) & (clock(BARS) >= first) & (clock(BARS) < last)


def test_a_feed_that_is_out_is_one_finding_however_many_names(tmp_path: Path) -> None:
    gone = within(3, "10:00", "10:30") | within(6, "15:45", "16:00")
    assert found(tmp_path, without(gone)) == [
        "DATA_VENDOR_OUTAGE: 9 (2 stretches on 2 days: 2026-03-05 15:00 UTC to 2026-03-05 15:30 "
        "UTC, 2026-03-10 19:45 UTC to 2026-03-10 20:00 UTC)"
    ]


def test_a_few_names_that_go_on_do_not_hide_an_outage(tmp_path: Path) -> None:
    some = BARS.symbol.isin(["SIM001", "SIM002"])
    (said,) = found(tmp_path, without(within(3, "10:00", "10:30") & ~some))
    assert said.startswith("DATA_VENDOR_OUTAGE: 6 (1 stretches on 1 days: 2026-03-05 15:00 UTC")


def test_many_names_that_are_lost_by_turns_are_no_halts(tmp_path: Path) -> None:
    """As one feed did on 2026-02-24: for fifty minutes a fifth of the names, each for a while."""
    lost = pd.Series(np.zeros(len(BARS), dtype=np.bool_))
    for k in range(12):
        first, last = f"1{k // 6}:{k % 6}0", f"1{(k + 5) // 6}:{(k + 5) % 6}0"
        lost |= within(3, first, last) & (BARS.symbol == f"SIM{k + 1:03d}")
    partial, halts = found(tmp_path, without(lost))
    assert partial == (
        "DATA_PARTIAL_OUTAGE: 16 (1 stretches on 1 days: 2026-03-05 15:40 UTC to 2026-03-05 17:00 "
        "UTC)"
    )
    assert halts.startswith("DATA_HALT: 6 (SIM001 "), "the first and the last few stay alone"


def test_names_that_open_late_every_day_are_not_lost(tmp_path: Path) -> None:
    late = BARS.symbol.isin([f"SIM{k:03d}" for k in range(1, 9)]) & (clock(BARS) == "09:30")
    assert found(tmp_path, without(late)) == []


def test_one_silent_name_among_others_is_a_halt(tmp_path: Path) -> None:
    gone = within(3, "10:00", "10:30") & (BARS.symbol == "SIM004")
    assert found(tmp_path, without(gone)) == [
        "DATA_HALT: 1 (SIM004 2026-03-05 15:00 UTC for 30 min)"
    ]


def test_a_halt_during_an_outage_is_counted_without_it(tmp_path: Path) -> None:
    out = within(3, "10:00", "10:30")
    halted = within(3, "10:00", "10:35") & (BARS.symbol == "SIM004")
    (said,) = found(tmp_path, without(out | halted))
    assert said.startswith("DATA_VENDOR_OUTAGE: 6 ")


def test_a_name_that_is_gone_for_good_is_no_halt(tmp_path: Path) -> None:
    gone = on(BARS, 9, 14) & (BARS.symbol == "SIM004")
    assert found(tmp_path, without(gone)) == ["DATA_DELISTED: 1 (SIM004 after 2026-03-12)"]


def test_sessions_that_one_name_lacks_are_named(tmp_path: Path) -> None:
    gone = on(BARS, 7, 8) & (BARS.symbol == "SIM004")
    assert found(tmp_path, without(gone)) == [
        "DATA_MISSING_SESSIONS: 2 (SIM004 2026-03-11, SIM004 2026-03-12)"
    ]


def test_a_session_that_all_lack_is_not_said_for_each(tmp_path: Path) -> None:
    assert found(tmp_path, without(on(BARS, 7))) == ["DATA_SILENT_SESSION: 1 (2026-03-11)"]


def test_a_name_that_seldom_trades_is_neither_halted_nor_gone(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    seldom = (BARS.symbol == "SIM004") & (rng.random(len(BARS)) < 0.7)
    (said,) = found(tmp_path, without(seldom))
    assert said.startswith("DATA_ILLIQUID: 1 (SIM004 in ")


@pytest.mark.parametrize("missing", [0.01, 0.05, 0.2, 0.4])
def test_chance_gaps_are_not_found(tmp_path: Path, missing: float) -> None:
    rng = np.random.default_rng(4)
    assert found(tmp_path, without(pd.Series(rng.random(len(BARS)) < missing))) == []


def test_a_name_that_joins_late_is_no_finding(tmp_path: Path) -> None:
    late = (BARS.symbol == "SIM004") & (BARS.ts < pd.Timestamp(nth(BARS, 8), tz="UTC"))
    assert found(tmp_path, without(late)) == []
