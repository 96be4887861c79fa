"""Children of decided orders: what their reports do to the parent, and what may leave for them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband import cycle
from deadband.core.errors import BrokerError
from deadband.core.orders import Action, ExecType, OrdStatus, OrdType, Side, WorkingOrder
from deadband.core.parents import Basket, ChildOrder, Instruction, Progress
from deadband.core.reasons import Code
from deadband.core.types import State
from deadband.execute.child import child_fault
from deadband.execute.purse import affordable
from deadband.execute.short_horizon import Facts, parent_of
from tests import kit

from ...kit.parents import Desk, parent, report, tick

NAMES = kit.universe(3)
A = NAMES.symbols[0]
QTY = 1000


def state_of(status: OrdStatus = OrdStatus.PENDING_NEW) -> tuple[State, ChildOrder]:
    """One order that is worked, and its first child."""
    one = parent(symbol=A, qty=QTY)
    working = WorkingOrder(one.order, status)
    child = ChildOrder(
        f"{one.order.cl_ord_id}.1",
        one.order.cl_ord_id,
        A,
        Side.BUY,
        400,
        OrdType.LIMIT,
        100.0,
        one.route.tif,
        one.route.venue,
        Code.ALGO_RESTS,
        0,
    )
    return kit.state(NAMES, working=(working,)), child


def fold(state: State, *reports: Any) -> State:
    for one in reports:
        state = cycle.apply(state, one)
    return state


def test_a_childs_fill_is_its_parents_and_its_end_is_not() -> None:
    state, child = state_of()
    state = fold(
        state,
        report(child, ExecType.NEW, "1"),
        report(child, ExecType.TRADE, "2", last_qty=300, last_px=100.0),
        report(child, ExecType.CANCELED, "3"),
    )
    [order] = state.working
    assert (order.status, order.cum_qty) == (OrdStatus.PARTIALLY_FILLED, 300)
    assert state.book.shares[0] == 300
    other = replace(child, cl_ord_id=f"{child.parent_id}.2", order_qty=700)
    state = fold(state, report(other, ExecType.TRADE, "4", last_qty=700, last_px=100.0))
    assert state.working == ()
    assert state.book.shares[0] == QTY


def test_children_that_fill_more_than_was_decided_are_refused() -> None:
    state, child = state_of()
    with pytest.raises(BrokerError, match="filled 1001 of 1000"):
        fold(state, report(child, ExecType.TRADE, "1", last_qty=QTY + 1, last_px=100.0))


def test_a_child_of_unknown_fate_makes_its_parent_unknown_until_it_is_known_again() -> None:
    state, child = state_of(OrdStatus.NEW)
    state = fold(state, report(child, ExecType.UNKNOWN, "1"))
    assert state.working[0].status is OrdStatus.UNKNOWN
    over = fold(state, report(child, ExecType.CANCELED, "2"))
    assert over.working[0].status is OrdStatus.NEW
    alive = fold(state, report(child, ExecType.RESTATED, "2", ord_status=OrdStatus.NEW))
    assert [order.status for order in alive.working] == [OrdStatus.NEW]


def test_a_child_that_is_restated_after_it_was_over_is_an_order_of_its_own() -> None:
    state, child = state_of(OrdStatus.NEW)
    said = {"ord_status": OrdStatus.NEW, "order_qty": 400, "price": 100.0}
    state = fold(
        state,
        report(child, ExecType.CANCELED, "1"),
        report(child, ExecType.RESTATED, "2", **said),
        report(child, ExecType.TRADE, "3", last_qty=400, last_px=100.0),
    )
    [order] = state.working
    assert (order.order.cl_ord_id, order.cum_qty) == (child.parent_id, 0)
    assert state.book.shares[0] == 400


def test_an_order_is_as_large_as_its_child_when_the_broker_makes_two_of_it() -> None:
    """Both halves may trade, and what trades is booked."""
    state, child = state_of()
    said = {"ord_status": OrdStatus.NEW, "order_qty": 1_200, "leaves_qty": 1_200}
    state = fold(state, report(child, ExecType.REPLACED, "1", **said))
    [order] = state.working
    assert order.leaves_qty == 1_200
    fill = {"last_qty": 1_100, "last_px": 100.0}
    state = fold(state, report(child, ExecType.TRADE, "2", **fill))
    assert state.book.shares[0] == 1_100
    assert state.working[0].leaves_qty == 100
    # A slice that is doubled within its order makes no order larger.
    state, child = state_of()
    said = {"ord_status": OrdStatus.NEW, "order_qty": 800, "leaves_qty": 800}
    after = fold(state, report(child, ExecType.REPLACED, "1", **said))
    assert after.working == state.working


def test_a_canceled_child_and_the_next_that_both_fill_are_both_booked() -> None:
    """By the word of a broker that keeps order states; the second may come in parts."""
    state, child = state_of()
    second = replace(child, cl_ord_id=f"{child.parent_id}.2")
    said = {"last_px": 100.0, "ord_status": OrdStatus.PARTIALLY_FILLED}
    state = fold(
        state,
        report(child, ExecType.TRADE, "1", last_qty=700, **said),
        report(second, ExecType.TRADE, "2", last_qty=600, **said),
        report(second, ExecType.TRADE, "3", last_qty=400, **said),
    )
    assert state.book.shares[0] == 1_700
    assert state.working == ()


def test_a_child_that_ends_after_its_order_is_full_moves_nothing() -> None:
    state, child = state_of()
    state = fold(state, report(child, ExecType.TRADE, "1", last_qty=QTY, last_px=100.0))
    assert state.working == ()
    going = report(child, ExecType.PENDING_CANCEL, "2", ord_status=OrdStatus.PENDING_CANCEL)
    gone = report(child, ExecType.CANCELED, "3", ord_status=OrdStatus.CANCELED)
    assert fold(state, going, gone) is state


# --- in the machine


def test_a_child_that_the_broker_makes_larger_is_reduced_and_else_canceled() -> None:
    desk = Desk.of()
    desk.at(0)
    child = desk.child
    desk.acknowledges = False
    desk.tell(ExecType.REPLACED, child, order_qty=2 * QTY, leaves_qty=2 * QTY)
    assert desk.progress.worst_leaves == 2 * QTY
    reduced = desk.at(1)
    assert reduced is not None
    assert (reduced.action, reduced.order.order_qty) == (Action.REPLACE, QTY)
    desk.tell(ExecType.CANCEL_REJECTED)
    canceled = desk.at(2)
    assert canceled is not None
    assert canceled.action is Action.CANCEL
    desk.fill(QTY + 7)
    assert desk.progress.filled == QTY + 7
    desk.tell(ExecType.CANCELED)
    assert desk.at(3) is None
    assert desk.progress.is_over


def test_a_correction_and_a_bust_change_what_is_left() -> None:
    desk = Desk.of()
    desk.at(0)
    child = desk.child
    desk.fill(600)
    desk.tell(ExecType.TRADE_CORRECT, child, last_qty=500, last_px=99.0, prior_qty=600)
    assert (desk.progress.filled, desk.progress.leaves_qty) == (500, 500)
    desk.tell(ExecType.TRADE_CANCEL, child, prior_qty=500)
    assert (desk.progress.filled, desk.progress.leaves_qty) == (0, QTY)


def test_nothing_is_asked_of_a_child_of_unknown_fate() -> None:
    desk = Desk.of(seconds=60.0)
    desk.at(0)
    desk.tell(ExecType.UNKNOWN)
    assert desk.at(30, bid=100.1, ask=100.12) is None
    assert desk.at(61) is None, "not even when its time is over"
    desk.tell(ExecType.NEW)
    cancel = desk.at(62)
    assert cancel is not None
    assert cancel.action is Action.CANCEL


def test_a_reduction_that_was_refused_is_a_cancel_and_not_asked_every_second() -> None:
    desk = Desk.of()
    desk.at(0)
    one = desk.progress.parent
    desk.progress = replace(
        desk.progress, parent=replace(one, order=replace(one.order, order_qty=QTY - 400))
    )
    desk.acknowledges = False
    reduction = desk.at(1)
    assert reduction is not None
    assert (reduction.action, reduction.order.order_qty) == (Action.REPLACE, QTY - 400)
    desk.tell(ExecType.CANCEL_REJECTED)
    second = desk.at(2)
    assert second is not None
    assert second.action is Action.CANCEL
    desk.answer(second)
    third = desk.at(3)
    assert third is not None
    assert (third.action, third.order.order_qty) == (Action.NEW, QTY - 400)


def test_a_fill_says_that_a_child_of_unknown_fate_is_alive() -> None:
    desk = Desk.of(seconds=60.0)
    desk.at(0)
    desk.tell(ExecType.UNKNOWN)
    desk.fill(100)
    cancel = desk.at(61)
    assert cancel is not None
    assert cancel.action is Action.CANCEL


def test_a_child_that_comes_back_ends_its_parent() -> None:
    desk = Desk.of()
    desk.at(0)
    first = desk.child
    desk.tell(ExecType.CANCELED)
    desk.tell(ExecType.RESTATED, first)
    assert desk.at(10) is None
    assert desk.progress.is_over
    assert desk.progress.outcome is Code.ORDER_CHILD_RESTATED


def test_nothing_new_is_sent_once_the_session_is_over() -> None:
    one = parent(seconds=10_000_000.0)
    desk = Desk(Progress(replace(one, close=one.start + 60 * 10**9)))
    desk.at(0)
    desk.tell(ExecType.EXPIRED)
    assert desk.at(61) is None
    assert desk.progress.outcome is Code.ORDER_DEADLINE


# --- called off


def basket_of(*works: Progress) -> Basket:
    return cycle.open_basket(kit.settings(), 1e6, 1e6, works)


def test_what_is_called_off_takes_back_its_child_and_then_ends() -> None:
    desk = Desk.of()
    desk.at(0)
    basket = cycle.call_off(basket_of(desk.progress), {desk.progress.parent.order.cl_ord_id})
    basket, [asked], _ = cycle.work(basket, {"S0000": tick(1)}, tick(1).ts)
    assert asked.action is Action.CANCEL
    basket, _ = cycle.hear(basket, report(asked.order, ExecType.CANCELED, "c"))
    basket, asked_more, _ = cycle.work(basket, {"S0000": tick(2)}, tick(2).ts)
    assert asked_more == ()
    assert basket.works[0].is_over
    assert basket.works[0].outcome is Code.ORDER_CALLED_OFF


def test_a_cover_does_not_wait_for_cash() -> None:
    order = parent(qty=QTY).order
    facts = Facts(1, 0.01, 0.02, 1e6, 0, parent().close, short=QTY)
    tactics = parent().tactics
    cover = Progress(parent_of(order, facts, parent().start, tactics))
    opening = Progress(parent_of(order, replace(facts, short=QTY - 1), parent().start, tactics))
    costs = kit.settings().costs
    assert affordable(cover, 0.0, costs) == QTY
    assert affordable(opening, 0.0, costs) == 0


# --- the last check


@given(
    filled=st.integers(0, QTY),
    qty=st.integers(-5, 2 * QTY),
    cents=st.integers(-200, 200),
    cum_qty=st.integers(0, 300),
)
def test_no_child_leaves_beyond_its_orders_shares_or_collar(
    filled: int, qty: int, cents: int, cum_qty: int
) -> None:
    desk = Desk.of()
    desk.at(0)
    flying = desk.progress.child
    assert flying is not None
    filled = max(filled, cum_qty)
    one = replace(desk.progress, filled=filled, child=replace(flying, cum_qty=cum_qty))
    order = one.parent.order
    price = round(order.price + cents / 100, 2)
    asked = replace(flying.order, order_qty=qty, price=price)
    leaves = not child_fault(one, Instruction(Action.REPLACE, asked))
    within = 0 < qty <= QTY - (filled - cum_qty) and price <= order.price
    assert leaves == within
    assert not child_fault(one, Instruction(Action.CANCEL, asked))


def test_a_child_of_another_name_or_side_does_not_leave() -> None:
    desk = Desk.of()
    desk.at(0)
    asked = desk.child
    for other in (replace(asked, symbol="ZZZ"), replace(asked, side=Side.SELL)):
        assert "its order to" in child_fault(desk.progress, Instruction(Action.NEW, other))
