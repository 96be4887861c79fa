"""States of the session: what leads where, what has to be done, and who may send."""

import pytest

from deadband.brokers.ibkr.codes import Codes
from deadband.brokers.ibkr.session import Need, Session, is_quiet
from deadband.core.events import SessionEvent, SessionState
from deadband.core.reasons import Code
from deadband.core.units import epoch_ns

from ....kit.tws import at

READY, DEGRADED, SYNCING = SessionState.READY, SessionState.DEGRADED, SessionState.SYNCING


def session(state: SessionState = READY) -> tuple[Session, list[SessionEvent]]:
    events: list[SessionEvent] = []
    made = Session(events.append)
    made.to(state, "begun")
    events.clear()
    return made, events


def said(made: Session, code: int, text: str = "said") -> frozenset[Need]:
    return made.message(Codes().rule(code), text)


@pytest.mark.parametrize(
    ("code", "state", "needs"),
    [
        (1100, DEGRADED, set()),
        (2110, DEGRADED, set()),
        (1101, SYNCING, {Need.RECONCILE, Need.RESUBSCRIBE}),
        (1102, SYNCING, {Need.RECONCILE}),
        (100, READY, {Need.SLOW_DOWN, Need.RECONCILE}),
        (1300, READY, {Need.HANG_UP}),
        (2103, READY, set()),
        (2104, READY, set()),
        (201, READY, set()),
        (99_999, READY, set()),
    ],
)
def test_a_number_leads_where_the_table_says(
    code: int, state: SessionState, needs: set[Need]
) -> None:
    made, _ = session()
    assert said(made, code) == needs
    assert made.state is state


def test_a_data_farm_that_is_back_says_nothing_about_orders() -> None:
    made, _ = session()
    said(made, 1100)
    said(made, 2104)
    assert made.state is DEGRADED


def test_read_only_ends_with_the_session_alone() -> None:
    made, events = session()
    said(made, 321, "The API interface is currently in Read-Only mode.")
    for state in (SYNCING, READY):
        made.to(state, "better")
    assert made.state is SessionState.READ_ONLY
    made.to(SessionState.DISCONNECTED, "gone")
    made.to(SessionState.CONNECTING, "again")
    assert [event.state for event in events] == [
        SessionState.READ_ONLY,
        SessionState.DISCONNECTED,
        SessionState.CONNECTING,
    ]


def test_a_refusal_that_is_not_about_read_only_leaves_the_session() -> None:
    made, events = session()
    assert said(made, 321, "cause - no price") == frozenset()
    assert events == []


def test_without_a_line_numbers_do_nothing() -> None:
    made, _ = session(SessionState.CONNECTING)
    assert said(made, 1102) == frozenset()
    assert made.state is SessionState.CONNECTING


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (SessionState.DISCONNECTED, Code.SESSION_NOT_READY),
        (SessionState.CONNECTING, Code.SESSION_NOT_READY),
        (SYNCING, Code.SESSION_NOT_READY),
        (DEGRADED, Code.SESSION_NOT_READY),
        (SessionState.READ_ONLY, Code.SESSION_READ_ONLY),
        (SessionState.HALTED, Code.SESSION_HALTED),
    ],
)
def test_every_state_but_ready_denies(state: SessionState, code: Code) -> None:
    made, _ = session(state)
    assert made.denial(is_quiet=False) is code


def test_ready_denies_around_the_restart_alone() -> None:
    made, _ = session()
    assert made.denial(is_quiet=False) is None
    assert made.denial(is_quiet=True) is Code.SESSION_QUIET


@pytest.mark.parametrize(
    ("clock", "quiet"), [("10:00", False), ("23:39", False), ("23:41", True), ("23:50", True)]
)
def test_the_quiet_window_lies_around_the_restart(clock: str, quiet: bool) -> None:
    assert is_quiet("23:45", 5.0, epoch_ns(at(clock))) is quiet


def test_the_quiet_window_reaches_over_midnight_and_needs_a_restart() -> None:
    assert is_quiet("00:02", 5.0, epoch_ns(at("23:59")))
    assert is_quiet("23:58", 5.0, epoch_ns(at("00:01")))
    assert not is_quiet("", 5.0, epoch_ns(at("23:59")))
