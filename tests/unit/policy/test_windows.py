"""Scheduled windows and clamps, on full days and half-days, and what they let through."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from deadband.core.errors import ConfigError
from deadband.core.reasons import BY_NUMBER, Code
from deadband.core.seen import Switch
from deadband.core.session import Session, session_on
from deadband.core.types import CycleRecord
from deadband.policy.decide import decide
from deadband.policy.windows import clamp, open_window, window_start
from tests import kit

FULL, HALF = "2026-03-03", "2026-11-27"
POLICY = kit.settings().policy


def session(day: str) -> Session:
    found = session_on(date.fromisoformat(day))
    assert found is not None
    return found


def windows_of(day: str, **given: Any) -> list[str]:
    """New York clock times of the minutes of a day at which a window begins or ends."""
    policy = kit.settings(**given).policy
    at = session(day).open - timedelta(minutes=1)
    before, edges = None, []
    while at <= session(day).close + timedelta(minutes=1):
        now = open_window(session(day), at, policy)
        if now != before:
            edges.append(f"{'+' if now else '-'}{clock_of(at, day)}")
        at, before = at + timedelta(minutes=1), now
    return edges


def clock_of(at: datetime, day: str) -> str:
    midnight = session(day).at_clock("00:00")
    minutes = int((at - midnight).total_seconds()) // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def test_a_full_day_has_five_windows_of_five_minutes() -> None:
    assert windows_of(FULL) == [
        *("+09:35", "-09:40"),
        *("+10:30", "-10:35"),
        *("+12:00", "-12:05"),
        *("+14:30", "-14:35"),
        *("+15:50", "-15:55"),
    ]


def test_a_half_day_moves_what_is_anchored_and_drops_what_is_past_the_close() -> None:
    assert session(HALF).is_half_day
    assert windows_of(HALF) == [
        *("+09:35", "-09:40"),
        *("+10:30", "-10:35"),
        *("+12:00", "-12:05"),
        *("+12:50", "-12:55"),
    ]


@pytest.mark.parametrize("dropped", ["open+4", "09:34", "close-4", "15:56", "09:00", "close-500"])
def test_a_window_that_begins_inside_a_clamp_or_outside_the_session_is_dropped(
    dropped: str,
) -> None:
    assert windows_of(FULL, windows=(dropped,)) == []


def test_without_a_clamp_a_window_may_begin_with_the_session() -> None:
    assert windows_of(FULL, windows=("open+0",), open_clamp_min=0.0) == ["+09:30", "-09:35"]
    assert windows_of(FULL, windows=("close-0",), close_clamp_min=0.0) == []


def test_a_half_day_drops_a_clock_window_that_falls_into_its_clamp() -> None:
    assert windows_of(HALF, windows=("12:56",)) == []
    assert windows_of(FULL, windows=("12:56",)) == ["+12:56", "-13:01"]


def test_a_window_is_closed_at_its_end_to_the_second() -> None:
    day, start = session(FULL), kit.clock("10:30")
    second = timedelta(seconds=1)
    inside = [
        open_window(day, at, POLICY)
        for at in (start - second, start, start + timedelta(minutes=5) - second)
    ]
    assert inside == [None, "10:30", "10:30"]
    assert open_window(day, start + timedelta(minutes=5), POLICY) is None


@pytest.mark.parametrize("spelled", ["noon", "open+", "close-soon", "25:00", "open5"])
def test_a_window_that_cannot_be_read_is_named(spelled: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"policy.windows has '{spelled}'")):
        window_start(session(FULL), spelled)


@pytest.mark.parametrize("day", [FULL, HALF])
def test_clamps_are_five_minutes_after_the_open_and_before_the_close(day: str) -> None:
    today = session(day)
    minute, second = timedelta(minutes=1), timedelta(seconds=1)
    at = {
        today.open: Code.WINDOW_OPEN_CLAMP,
        today.open + 5 * minute - second: Code.WINDOW_OPEN_CLAMP,
        today.open + 5 * minute: None,
        today.close - 5 * minute - second: None,
        today.close - 5 * minute: Code.WINDOW_CLOSE_CLAMP,
        today.close - second: Code.WINDOW_CLOSE_CLAMP,
    }
    assert {when: clamp(today, when, POLICY) for when in at} == at


# In the cycle

N = 30


def cycle(hhmm: str, day: str = FULL, **given: Any) -> CycleRecord:
    """One held loser by score, one name to buy."""
    names = kit.universe(N)
    z = {s: 0.5 - 0.01 * i for i, s in enumerate(names.symbols)}
    seen = kit.seen(
        names,
        now=kit.clock(hhmm, day),
        scores=kit.scores(names, z | {"S0000": 2.0, "S0028": -1.0}),
        portfolio=kit.portfolio(names, weights={"S0028": given.pop("cut", 0.05)}),
        switch=given.pop("switch", Switch()),
    )
    state = kit.state(names, portfolio=seen.portfolio, day=day)
    return kit.walk(seen, state, kit.settings(**given))[1]


def traded(record: CycleRecord) -> dict[str, Code]:
    moved = np.flatnonzero(record.decision.target != record.seen.portfolio.weights)
    return {f"S{i:04d}": BY_NUMBER[int(record.decision.code[i])] for i in moved.tolist()}


def heard(record: CycleRecord) -> list[Code]:
    return [reason.code for reason in record.decision.spoken]


@pytest.mark.parametrize(
    ("hhmm", "day", "code"),
    [
        ("09:31", FULL, Code.WINDOW_OPEN_CLAMP),
        ("15:56", FULL, Code.WINDOW_CLOSE_CLAMP),
        ("12:56", HALF, Code.WINDOW_CLOSE_CLAMP),
    ],
)
def test_a_clamp_holds_buys_and_lets_cuts_through(hhmm: str, day: str, code: Code) -> None:
    record = cycle(hhmm, day)
    assert traded(record) == {"S0028": Code.CUT_SCORE}
    assert BY_NUMBER[int(record.decision.code[0])] is code
    assert code in heard(record)


def test_windows_only_holds_discretionary_trades_outside_them() -> None:
    record = cycle("10:00", windows_only=True)
    assert traded(record) == {"S0028": Code.CUT_SCORE}
    assert BY_NUMBER[int(record.decision.code[0])] is Code.WINDOW_CLOSED
    assert heard(record) == [Code.WINDOW_CLOSED, Code.CUT_FIRED]
    record = cycle("10:30", windows_only=True)
    assert traded(record) == {"S0000": Code.BUY_TOP_K, "S0028": Code.CUT_SCORE}


def test_a_window_sets_the_portfolio_band_to_zero_and_leaves_the_name_band() -> None:
    small = {"cut": 0.0, "portfolio_drift_threshold": 0.5}
    assert traded(cycle("10:00", **small)) == {}
    record = cycle("10:30", **small)
    assert traded(record) == {"S0000": Code.BUY_TOP_K}
    assert heard(record) == [Code.DRIFT_PORTFOLIO, Code.WINDOW_OPEN]
    assert record.decision.spoken[-1].limit == "10:30"
    record = cycle("10:30", **small, name_drift_threshold=0.05)
    assert traded(record) == {}
    assert BY_NUMBER[int(record.decision.code[0])] is Code.BAND_NAME


def test_a_cut_opens_nothing_else() -> None:
    record = cycle("10:00", portfolio_drift_threshold=0.5)
    assert traded(record) == {"S0028": Code.CUT_SCORE}
    assert heard(record) == [Code.BAND_SKIP, Code.CUT_FIRED]


def test_what_the_ladder_did_is_spoken() -> None:
    record = cycle("10:00", cut=0.09, max_turnover=0.05)
    assert Code.SOLVE_RELAXED in heard(record)
    proposal = record.proposal
    for status, code in (
        ("fell_back", Code.SOLVE_FELL_BACK),
        ("held", Code.SOLVE_HELD),
    ):
        decision = decide(
            replace(proposal, status=status, relaxed={}),
            record.permits,
            record.seen,
            kit.settings(),
        )
        assert code in [reason.code for reason in decision.spoken]
