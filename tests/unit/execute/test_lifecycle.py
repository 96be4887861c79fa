"""The way back: what each report does to an order, and what each fill does to the book."""

from dataclasses import replace

import numpy as np
import pytest

from deadband.core.errors import BrokerError
from deadband.core.lifecycle import FINAL, NEXT, leaves, next_status
from deadband.core.orders import (
    TRADES,
    Book,
    ExecType,
    OrdStatus,
    Replacement,
    Side,
    TradeFee,
    WorkingOrder,
)
from deadband.core.types import State
from deadband.core.units import micros
from deadband.execute.lifecycle import advance, apply
from tests import kit

NAMES = kit.universe(3)
A, B = NAMES.symbols[:2]
LIVE = frozenset(OrdStatus) - FINAL


def state_of(*working: WorkingOrder, shares: int = 0, entry_price: float = 0.0) -> State:
    """A book that holds `shares` of the first name, entered at nanosecond 5."""
    book = Book(
        np.array([shares, 0, 0]),
        micros(kit.NAV),
        np.array([entry_price, 0.0, 0.0]),
        np.array([5 if shares else -1, -1, -1]),
    )
    return replace(kit.state(NAMES, working=working), book=book)


def folded(
    order: WorkingOrder, qty: int, px: float, *, shares: int, entry: float, **other: int
) -> Book:
    return apply(
        state_of(order, shares=shares, entry_price=entry), kit.fill(order, qty, px, **other)
    ).book


# Statuses

PART = OrdStatus.PARTIALLY_FILLED
ASKED = LIVE - {OrdStatus.UNKNOWN}
EXPECTED = {
    (OrdStatus.PENDING_NEW, ExecType.NEW): PART,
    (OrdStatus.UNKNOWN, ExecType.NEW): PART,
    (OrdStatus.UNKNOWN, ExecType.RESTATED): PART,
    (OrdStatus.SUSPENDED, ExecType.NEW): PART,
    (OrdStatus.PENDING_REPLACE, ExecType.REPLACED): PART,
    (OrdStatus.PENDING_REPLACE, ExecType.CANCEL_REJECTED): PART,
    (OrdStatus.PENDING_CANCEL, ExecType.CANCEL_REJECTED): PART,
    **{(status, ExecType.CANCELED): OrdStatus.CANCELED for status in LIVE},
    **{(status, ExecType.EXPIRED): OrdStatus.EXPIRED for status in LIVE},
    **{(status, ExecType.UNKNOWN): OrdStatus.UNKNOWN for status in LIVE},
    **{(status, ExecType.REJECTED): OrdStatus.REJECTED for status in LIVE - {PART}},
    **{(status, ExecType.PENDING_CANCEL): OrdStatus.PENDING_CANCEL for status in ASKED},
    **{
        (status, ExecType.PENDING_REPLACE): OrdStatus.PENDING_REPLACE
        for status in ASKED - {OrdStatus.PENDING_CANCEL}
    },
    **{
        (status, ExecType.SUSPENDED): OrdStatus.SUSPENDED
        for status in {OrdStatus.PENDING_NEW, OrdStatus.NEW, PART, OrdStatus.UNKNOWN}
    },
    **{(status, ExecType.RESTATED): PART for status in FINAL},
}
"""Of an order that has 30 of its 100 shares."""


@pytest.mark.parametrize("status", sorted(OrdStatus))
@pytest.mark.parametrize("exec_type", sorted(frozenset(ExecType) - TRADES))
def test_a_report_moves_an_order_as_the_table_says_or_not_at_all(
    status: OrdStatus, exec_type: ExecType
) -> None:
    order = kit.working(symbol=A, status=status, cum_qty=30)
    moved = advance(order, kit.report(order, exec_type))
    assert moved == replace(order, status=EXPECTED.get((status, exec_type), status))


def test_a_full_order_that_has_all_its_shares_stays_full_whatever_is_said() -> None:
    for kind in frozenset(ExecType) - TRADES:
        assert next_status(OrdStatus.FILLED, kind, 100, 100) is OrdStatus.FILLED


def test_a_final_status_is_left_only_when_the_broker_says_that_the_order_lives() -> None:
    assert {kind for status, kind in NEXT if status in FINAL} == {ExecType.RESTATED}


def test_an_order_without_shares_is_new_where_one_with_shares_is_partially_filled() -> None:
    for cum_qty, after in ((0, OrdStatus.NEW), (1, PART)):
        assert next_status(OrdStatus.PENDING_REPLACE, ExecType.REPLACED, cum_qty, 5) is after


def test_a_replaced_order_has_the_size_and_price_that_the_broker_holds() -> None:
    order = kit.working(symbol=A, status=OrdStatus.PENDING_REPLACE, cum_qty=30)
    moved = advance(order, kit.report(order, ExecType.REPLACED, order_qty=60, price=99.5))
    assert (moved.order.order_qty, moved.order.price, moved.leaves_qty) == (60, 99.5, 30)


# Changes under way


def under_change(to: int, cum_qty: int = 0, **other: object) -> WorkingOrder:
    """100 shares asked to be `to`, decided at 50 dollars."""
    order = kit.working(symbol=A, cum_qty=cum_qty)
    wanted = order.changed(Replacement("db.1.000", to, 99.0), "2", "CAP_NET", 50.0, 7)
    given = {"status": OrdStatus.PENDING_REPLACE, "wanted": wanted} | other
    return replace(order, **given)  # type: ignore[arg-type]


def test_a_raise_is_decided_anew_and_a_reduction_as_it_was() -> None:
    raised, reduced = under_change(150, 40).wanted, under_change(60, 40).wanted
    assert raised is not None and reduced is not None
    assert (raised.decision_id, raised.reason, raised.transact_time) == ("2", "CAP_NET", 7)
    # 60 shares that are left at 100, 50 more at 50.
    assert raised.arrival == pytest.approx((60 * 100.0 + 50 * 50.0) / 110)
    assert reduced == replace(kit.order(symbol=A), order_qty=60, price=99.0)


@pytest.mark.parametrize(
    ("to", "cum_qty", "least", "most"), [(150, 0, 100, 150), (40, 0, 40, 100), (40, 60, 0, 40)]
)
def test_under_change_an_order_may_be_either(to: int, cum_qty: int, least: int, most: int) -> None:
    order = under_change(to, cum_qty)
    assert (order.least_leaves, order.most_leaves) == (least, most)


def test_the_answer_brings_the_terms_that_were_asked_for() -> None:
    order = under_change(150, 40)
    moved = advance(order, kit.report(order, ExecType.REPLACED))
    assert (moved.order, moved.wanted, moved.status) == (order.wanted, None, PART)


def test_a_refusal_leaves_it_as_it_was() -> None:
    order = under_change(150, 40)
    moved = advance(order, kit.report(order, ExecType.CANCEL_REJECTED))
    assert (moved.order, moved.wanted, moved.status) == (order.order, None, PART)


def test_terms_that_nobody_here_asked_for_are_no_answer() -> None:
    order = under_change(150)
    moved = advance(order, kit.report(order, ExecType.REPLACED, order_qty=80, price=98.0))
    assert (moved.order.order_qty, moved.order.price) == (80, 98.0)
    assert (moved.wanted, moved.status) == (order.wanted, OrdStatus.PENDING_REPLACE)


@pytest.mark.parametrize(
    ("said", "status"),
    [(None, OrdStatus.PENDING_REPLACE), (PART, OrdStatus.PENDING_REPLACE), ("FILLED", "FILLED")],
)
def test_full_by_the_old_terms_waits_for_the_new_ones(said: str | None, status: str) -> None:
    order = under_change(150, 40)
    moved = advance(order, kit.fill(order, 60, ord_status=said and OrdStatus(said)))
    assert moved.status == status
    if moved.status is OrdStatus.PENDING_REPLACE:
        assert (moved.leaves_qty, moved.most_leaves) == (0, 50)
        more = advance(moved, kit.fill(moved, 50, ord_status=PART))
        assert (more.cum_qty, more.most_leaves) == (150, 0)
        late = advance(moved, kit.report(moved, ExecType.CANCEL_REJECTED))
        assert late.status is OrdStatus.FILLED


def test_a_fill_that_a_reduction_came_too_late_for_is_booked() -> None:
    order = under_change(40, 30)
    moved = advance(order, kit.report(order, ExecType.REPLACED))
    assert (moved.leaves_qty, moved.most_qty) == (10, 100)
    filled = advance(moved, kit.fill(moved, 40))
    assert (filled.cum_qty, filled.leaves_qty, filled.status) == (70, 0, OrdStatus.FILLED)
    with pytest.raises(BrokerError, match="is filled 110 of 100"):
        advance(moved, kit.fill(moved, 80))


@pytest.mark.parametrize("cum_qty", [40, 60])
def test_a_reduction_that_leaves_nothing_has_found_it_full(cum_qty: int) -> None:
    order = under_change(40, cum_qty)
    moved = advance(order, kit.report(order, ExecType.REPLACED))
    assert (moved.status, moved.leaves_qty) == (OrdStatus.FILLED, 0)


def test_a_refused_cancel_still_waits_for_the_change_before_it() -> None:
    order = under_change(150, status=OrdStatus.PENDING_CANCEL)
    moved = advance(order, kit.report(order, ExecType.CANCEL_REJECTED))
    assert (moved.status, moved.wanted) == (OrdStatus.PENDING_REPLACE, order.wanted)
    changed = advance(order, kit.report(order, ExecType.REPLACED))
    assert (changed.status, changed.order) == (OrdStatus.PENDING_CANCEL, order.wanted)


def test_turnover_follows_what_an_order_may_still_trade() -> None:
    """A raise that is refused and shares that are taken off do not count."""
    raised, reduced = under_change(150), under_change(40)
    for order, kind, left in (
        (raised, ExecType.CANCEL_REJECTED, 0.3 - 0.0025),
        (raised, ExecType.REPLACED, 0.3),
        (reduced, ExecType.CANCEL_REJECTED, 0.3),
        (reduced, ExecType.REPLACED, 0.3 - 0.006),
    ):
        state = replace(state_of(order), turnover_today=0.3, last_nav=kit.NAV)
        moved = apply(state, kit.report(order, kind))
        assert moved.turnover_today == pytest.approx(left)


@pytest.mark.parametrize(
    ("status", "kind", "cum_qty", "after"),
    [
        (OrdStatus.CANCELED, ExecType.TRADE, 40, OrdStatus.CANCELED),
        (OrdStatus.CANCELED, ExecType.TRADE, 100, OrdStatus.FILLED),
        (OrdStatus.FILLED, ExecType.TRADE_CANCEL, 60, OrdStatus.CANCELED),
        (OrdStatus.FILLED, ExecType.TRADE_CORRECT, 100, OrdStatus.FILLED),
        (PART, ExecType.TRADE_CANCEL, 0, OrdStatus.NEW),
        (PART, ExecType.TRADE_CORRECT, 20, PART),
        (OrdStatus.PENDING_REPLACE, ExecType.TRADE, 40, OrdStatus.PENDING_REPLACE),
        (OrdStatus.SUSPENDED, ExecType.TRADE, 40, OrdStatus.SUSPENDED),
    ],
)
def test_trades_of_ended_and_waiting_orders_are_read_from_the_quantities(
    status: OrdStatus, kind: ExecType, cum_qty: int, after: OrdStatus
) -> None:
    assert next_status(status, kind, cum_qty, 100) is after
    assert leaves(after, cum_qty, 100) == (0 if after in FINAL else 100 - cum_qty)


@pytest.mark.parametrize(
    ("status", "qty", "after"),
    [
        (OrdStatus.PENDING_NEW, 40, OrdStatus.PARTIALLY_FILLED),
        (OrdStatus.NEW, 40, OrdStatus.PARTIALLY_FILLED),
        (OrdStatus.UNKNOWN, 40, OrdStatus.PARTIALLY_FILLED),
        (OrdStatus.PENDING_CANCEL, 40, OrdStatus.PENDING_CANCEL),
        (OrdStatus.PENDING_CANCEL, 70, OrdStatus.FILLED),
        (OrdStatus.NEW, 70, OrdStatus.FILLED),
    ],
)
def test_a_fill_is_read_from_the_quantities(status: OrdStatus, qty: int, after: OrdStatus) -> None:
    order = kit.working(symbol=A, status=status, cum_qty=30)
    moved = advance(order, kit.fill(order, qty))
    assert (moved.status, moved.cum_qty, moved.leaves_qty) == (after, 30 + qty, 70 - qty)


@pytest.mark.parametrize(
    "exec_type", [ExecType.CANCELED, ExecType.REJECTED, ExecType.EXPIRED, ExecType.TRADE]
)
def test_a_final_order_leaves_the_working_list_and_the_others_stay_in_turn(
    exec_type: ExecType,
) -> None:
    first, order, last = (kit.working(name, A) for name in ("first", "order", "last"))
    report = kit.report(order, exec_type, last_qty=100 * (exec_type is ExecType.TRADE), last_px=9.0)
    assert apply(state_of(first, order, last), report).working == (first, last)


# What comes late, is corrected or taken back


def test_a_fill_after_the_end_is_booked_where_the_broker_vouches_for_the_order() -> None:
    late = kit.fill(kit.order("gone", A), 10, 101.0, ord_status=OrdStatus.CANCELED)
    before = replace(state_of(), last_nav=kit.NAV)
    state = apply(before, late)
    assert int(state.book.shares[0]) == 10
    assert state.book.cash_micro == micros(kit.NAV) - 10 * micros(101.0)
    assert state.turnover_today == pytest.approx(1010.0 / kit.NAV)
    assert apply(replace(before, last_nav=0.0), late).turnover_today == 0.0


def test_a_correction_leaves_the_book_as_if_only_the_corrected_fill_had_come() -> None:
    order = kit.working("ours", A)
    begun = apply(state_of(order), kit.fill(order, 40, 100.0))
    corrected = kit.report(
        order, ExecType.TRADE_CORRECT, last_qty=40, last_px=99.0, prior_qty=40, prior_px=100.0
    )
    plain = apply(state_of(order), kit.fill(order, 40, 99.0))
    state = apply(begun, corrected)
    assert state.working == plain.working
    assert state.book.cash_micro == plain.book.cash_micro
    assert state.book.shares.tolist() == plain.book.shares.tolist()
    assert state.book.entry_price.tolist() == plain.book.entry_price.tolist()


@pytest.mark.parametrize(("held", "entry"), [(0, 0.0), (50, 90.0), (-30, 80.0), (-70, 80.0)])
def test_a_bust_takes_shares_and_cash_back(held: int, entry: float) -> None:
    order = kit.working("ours", A)
    before = state_of(order, shares=held, entry_price=entry)
    traded = apply(before, kit.fill(order, 40, 100.0, ts=9))
    busted = apply(traded, kit.report(order, ExecType.TRADE_CANCEL, prior_qty=40, prior_px=100.0))
    assert busted.working == before.working
    assert busted.book.shares.tolist() == before.book.shares.tolist()
    assert busted.book.cash_micro == before.book.cash_micro
    expected = 100.0 if held == -30 else entry
    assert float(busted.book.entry_price[0]) == pytest.approx(expected)


def test_a_fee_that_comes_apart_is_paid() -> None:
    before = state_of()
    state = apply(before, TradeFee("ours", A, "x.1", 350_000, 7))
    assert state.book.cash_micro == before.book.cash_micro - 350_000
    assert state.book.fees_micro == before.book.fees_micro + 350_000


@pytest.mark.parametrize(
    ("kind", "quantities", "said"),
    [
        (ExecType.TRADE, {"last_qty": 5, "last_px": 9.0, "prior_qty": 5}, "replaces 5 shares"),
        (ExecType.TRADE_CORRECT, {"last_qty": 5, "last_px": 9.0}, "replaces 0 shares"),
        (ExecType.TRADE_CANCEL, {"last_qty": 5, "prior_qty": 5}, "fills 5 shares, expected none"),
        (ExecType.TRADE_CANCEL, {"prior_qty": 70}, "filled -10 of 100"),
        (ExecType.NEW, {"prior_qty": 5}, "replaces 5 shares"),
    ],
)
def test_a_report_whose_quantities_make_no_sense_is_refused(
    kind: ExecType, quantities: dict[str, float], said: str
) -> None:
    order = kit.working("ours", A, cum_qty=60)
    with pytest.raises(BrokerError, match=said):
        apply(state_of(order), kit.report(order, kind, **quantities))


@pytest.mark.parametrize(
    "other",
    [{"symbol": "NOWHERE"}, {"exec_type": ExecType.NEW, "ord_status": OrdStatus.NEW}],
)
def test_nothing_else_of_an_ended_order_is_taken(other: dict[str, str]) -> None:
    late = kit.fill(kit.order("gone", A), 10, ord_status=OrdStatus.CANCELED)
    with pytest.raises(BrokerError, match="Reconcile"):
        apply(state_of(), replace(late, **other))


# Refusals


def test_a_report_for_an_order_we_do_not_know_is_refused() -> None:
    with pytest.raises(BrokerError, match=r"order stranger.*among the 1 working.*Reconcile"):
        apply(state_of(kit.working("ours", A)), kit.fill(kit.order("stranger", A), 1))


def test_more_filled_than_ordered_is_refused() -> None:
    order = kit.working("ours", A, cum_qty=60)
    with pytest.raises(BrokerError, match=r"order ours is filled 101 of 100\. Reconcile"):
        apply(state_of(order), kit.fill(order, 41))


@pytest.mark.parametrize("qty", [0, -1])
def test_a_fill_of_nothing_is_refused(qty: int) -> None:
    order = kit.working("ours", A, cum_qty=60)
    with pytest.raises(BrokerError, match=rf"fills {qty} shares, expected at least 1"):
        apply(state_of(order), kit.fill(order, qty))


@pytest.mark.parametrize("wrong", [{"symbol": B}, {"side": Side.SELL}])
def test_a_fill_of_another_name_or_side_is_refused(wrong: dict[str, str]) -> None:
    order = kit.working("ours", A)
    with pytest.raises(BrokerError, match=r"order ours is to BUY S0000"):
        apply(state_of(order), replace(kit.fill(order, 10), **wrong))


def test_a_short_sale_may_be_reported_as_a_sale() -> None:
    order = kit.working("ours", A, side=Side.SELL_SHORT)
    state = apply(state_of(order), replace(kit.fill(order, 10), side=Side.SELL))
    assert state.book.shares[0] == -10


# The book


def test_cash_is_exact_in_micro_dollars_fees_apart() -> None:
    order = kit.working(symbol=A)
    book = folded(order, 100, 33.333333, shares=0, entry=0.0, fee_micro=1_000_001)
    assert book.cash_micro == 1_000_000_000_000 - 3_333_333_300 - 1_000_001
    assert book.fees_micro == 1_000_001
    sale = kit.working(symbol=A, side=Side.SELL)
    book = folded(sale, 100, 0.1, shares=100, entry=1.0, fee_micro=-7)
    assert book.cash_micro == 1_000_000_000_000 + 10_000_000 + 7
    assert book.fees_micro == -7


@pytest.mark.parametrize(
    ("shares", "side", "qty", "after", "entry", "at"),
    [
        (0, Side.BUY, 100, 100, 12.0, 9),
        (0, Side.SELL_SHORT, 100, -100, 12.0, 9),
        (100, Side.BUY, 100, 200, 11.0, 5),
        (-300, Side.SELL_SHORT, 100, -400, 10.5, 5),
        (100, Side.SELL, 40, 60, 10.0, 5),
        (-100, Side.BUY, 40, -60, 10.0, 5),
        (100, Side.SELL, 100, 0, 0.0, -1),
        (-100, Side.BUY, 100, 0, 0.0, -1),
        (60, Side.SELL, 100, -40, 12.0, 9),
        (-60, Side.BUY, 100, 40, 12.0, 9),
    ],
)
def test_average_cost_and_the_fill_that_left_flat(
    shares: int, side: Side, qty: int, after: int, entry: float, at: int
) -> None:
    """Held at 10, filled at 12; entered at 5, filled at 9."""
    order = kit.working(symbol=A, side=side)
    book = folded(order, qty, 12.0, shares=shares, entry=10.0 if shares else 0.0, ts=9)
    assert (int(book.shares[0]), float(book.entry_price[0]), int(book.entry_at[0])) == (
        after,
        entry,
        at,
    )
    assert not book.shares[1:].any()


def test_a_report_that_is_no_fill_leaves_the_book_as_it_is() -> None:
    order = kit.working(symbol=A)
    state = state_of(order, shares=10, entry_price=3.0)
    for exec_type in frozenset(ExecType) - TRADES:
        assert apply(state, kit.report(order, exec_type)).book is state.book


def test_what_a_canceled_order_left_does_not_count_as_turnover() -> None:
    """A buy of 100 at 50 is half a percent of a million; 40 fill, so 0.3 % is given back."""
    names = kit.universe(2)
    partly = kit.working(symbol=names.symbols[0], arrival=50.0, cum_qty=40)
    state = kit.state(names, working=(partly,), turnover_today=0.01, last_nav=1_000_000.0)
    after = apply(state, kit.report(partly, ExecType.CANCELED))
    assert after.working == ()
    assert after.turnover_today == pytest.approx(0.01 - 0.003)


def test_an_ended_order_that_the_broker_restates_works_again_as_the_report_describes_it() -> None:
    order = kit.working(symbol=A)
    said = {
        "ord_status": OrdStatus.PARTIALLY_FILLED,
        "order_qty": 100,
        "price": 10.5,
        "cum_qty": 30,
    }
    restated = kit.report(order, ExecType.RESTATED, **said)
    [back] = apply(state_of(), restated).working
    assert (back.status, back.cum_qty, back.leaves_qty) == (OrdStatus.PARTIALLY_FILLED, 30, 70)
    assert (back.order.cl_ord_id, back.order.price) == (order.order.cl_ord_id, 10.5)
    after = apply(apply(state_of(), restated), kit.fill(order, 70))
    assert after.working == ()
    assert after.book.shares[0] == 70


@pytest.mark.parametrize(
    "other", [{"ord_status": None}, {"cum_qty": 100}, {"ord_status": OrdStatus.CANCELED}]
)
def test_a_restatement_that_describes_no_living_order_is_refused(other: dict[str, object]) -> None:
    said = {"ord_status": OrdStatus.NEW, "order_qty": 100, "price": 10.5, "cum_qty": 0}
    with pytest.raises(BrokerError, match="not among the 0 working orders"):
        apply(state_of(), kit.report(kit.working(symbol=A), ExecType.RESTATED, **said | other))
