"""What is heard is durable before it moves the state; what cannot be folded freezes its name."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from deadband import cycle
from deadband.core.broker import Receipt
from deadband.core.errors import JournalError
from deadband.core.events import (
    BrokerEvent,
    DataQuality,
    Difference,
    Halt,
    Heard,
    Notice,
    Quality,
    SessionEvent,
    SessionState,
    Severity,
    TradingStatus,
)
from deadband.core.orders import ExecType, OrdStatus, TradeFee
from deadband.core.reasons import Code
from deadband.live.watch import Standing
from deadband.live.write_ahead import Pen
from tests import kit

NAMES = kit.universe(3)
A, B = NAMES.symbols[:2]
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@dataclass
class Kept:
    """A journal in memory, which may be full."""

    records: list[tuple[str, Any]] = field(default_factory=list)
    is_full: bool = False

    def append(self, kind: str, cycle_id: str, at: str, value: object, laps: Any = None) -> None:
        if self.is_full:
            raise JournalError("no space is left. Free some.")
        self.records.append((kind, value))

    def close(self) -> None: ...

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.records]


def standing(*working: Any) -> tuple[Standing, Kept]:
    journal = Kept()
    state = kit.state(NAMES, working=working)
    basket = cycle.open_basket(kit.settings(), 1e5, 1e5)
    return Standing(state, Pen(journal, lambda: NOW), basket, is_reconciled=True), journal


def heard(*events: BrokerEvent) -> tuple[Heard, ...]:
    return tuple(Heard(place, 0, event) for place, event in enumerate(events, 1))


def test_reports_and_fees_are_folded_and_everything_is_kept() -> None:
    order = kit.working("db.1", A)
    of, journal = standing(order)
    fee = TradeFee("db.1", A, "e1", 350_000, 0)
    notice = Notice(Severity.INFO, "hello")
    of.hear(heard(notice, kit.fill(order, 100), fee))
    assert journal.kinds == ["HEARD", "REPORTS"]
    assert of.state.book.shares[0] == 100
    assert of.state.book.fees_micro == 350_000
    assert of.state.working == ()
    assert of.is_reconciled


def test_nothing_moves_where_nothing_can_be_written() -> None:
    order = kit.working("db.1", A)
    of, journal = standing(order)
    journal.is_full = True
    before = of.state
    with pytest.raises(JournalError, match="no space is left"):
        of.hear(heard(kit.fill(order, 100)))
    assert of.state is before


def test_what_cannot_be_folded_moves_nothing_and_freezes_its_name_until_compared() -> None:
    order = kit.working("db.1", A)
    of, journal = standing(order)
    of.hear(heard(kit.fill(order, 60), kit.fill(order, 70, exec_id="e2")))
    assert journal.kinds == ["REPORTS", "REFUSED"]
    assert "filled 130 of 100" in journal.records[1][1][0].text
    assert of.state.book.shares[0] == 60
    assert of.reserved().tolist() == [70, 0, 0]
    of.compared((Difference(B, Code.RECON_POSITION_DIFFERS, 0, 9, 9),))
    assert of.reserved().tolist() == [0, 9, 0]
    of.compared(())
    assert of.reserved().tolist() == [0, 0, 0]
    assert journal.kinds[2:] == ["RECONCILED", "RECONCILED"]


@pytest.mark.parametrize(
    ("event", "is_doubt"),
    [
        (SessionEvent(SessionState.READY, ""), False),
        (SessionEvent(SessionState.DEGRADED, ""), True),
        (Notice(Severity.WARNING, "BOT 5 AAPL was not ours", symbol=A), True),
        (Notice(Severity.WARNING, "odd", symbol=A, cl_ord_id="db.1"), False),
        (Notice(Severity.INFO, "", symbol=A), False),
    ],
)
def test_a_lost_session_or_a_trade_that_is_not_ours_asks_for_a_comparison(
    event: BrokerEvent, is_doubt: bool
) -> None:
    of, _ = standing()
    of.hear(heard(event))
    assert of.is_reconciled is not is_doubt


def test_a_denied_change_leaves_the_order_as_it_was_unless_it_has_ended() -> None:
    order = kit.working("db.1", A)
    waits = replace(
        order, status=OrdStatus.PENDING_REPLACE, wanted=replace(order.order, order_qty=60)
    )
    at_rest = kit.working("db.2", B)
    of, journal = standing(waits, at_rest)
    of.not_replaced(
        [
            Receipt("db.1", Code.ORDER_UNSUPPORTED, "60 filled"),
            Receipt("db.2", Code.ORDER_IN_FLIGHT, "answered already"),
            Receipt("db.3", Code.ORDER_NOT_WORKING, "ended"),
        ]
    )
    assert of.state.working == (order, at_rest)
    [(_, [report])] = journal.records
    assert (report.exec_type, report.text) == (
        ExecType.CANCEL_REJECTED,
        "ORDER_UNSUPPORTED: 60 filled",
    )


def test_a_denied_order_is_over_and_a_denied_cancel_leaves_it_at_work() -> None:
    new = kit.working("db.1", A, status=OrdStatus.PENDING_NEW)
    old = kit.working("db.2", B, status=OrdStatus.PENDING_CANCEL)
    ended = Receipt("db.3", Code.ORDER_NOT_WORKING)
    of, journal = standing(new, old)
    of.denied([Receipt("db.1", Code.SESSION_QUIET, "restarts"), Receipt("db.2")])
    of.not_canceled([Receipt("db.2", Code.SESSION_NOT_READY, "down"), ended])
    assert [(o.order.cl_ord_id, o.status) for o in of.state.working] == [("db.2", OrdStatus.NEW)]
    told = [report for _, reports in journal.records for report in reports]
    assert [report.exec_type for report in told] == [ExecType.REJECTED, ExecType.CANCEL_REJECTED]
    assert [report.text for report in told] == [
        "SESSION_QUIET: restarts",
        "SESSION_NOT_READY: down",
    ]
    assert len({report.exec_id for report in told}) == 2
    assert all(report.exec_id.startswith("live:") for report in told)


def test_what_is_said_of_a_name_again_is_not_written_again() -> None:
    of, journal = standing()
    live, gone = DataQuality(A, Quality.LIVE), DataQuality(A, Quality.NONE, "the farm is down")
    halted = TradingStatus(A, Halt.VOLATILITY)
    for events in ((live,), (live, halted), (live, halted), (DataQuality(B, Quality.LIVE),)):
        of.hear(heard(*events))
    of.hear(heard(gone))
    of.hear(heard(live, Notice(Severity.INFO, "hello")))
    written = [one.event for _, batch in journal.records for one in batch]
    hello = Notice(Severity.INFO, "hello")
    assert written == [live, halted, DataQuality(B, Quality.LIVE), gone, live, hello]
