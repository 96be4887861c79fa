"""What a broker's report does to the book and to the working orders; the table is core's.

Rules
  * A fill of a working order is booked, whatever its status says: positions follow executions, not
    statuses. So is one of an order that is over, or beyond what an order's children were sent for,
    where the broker's own order state vouches for it (`ord_status`). Any other is refused, and
    nothing goes on until it is reconciled.
  * Each exec_id is to be passed once: a report that comes twice would be booked twice.
  * While a change has no answer the order may be either: it is PENDING_REPLACE, and may fill by the
    larger of both terms. REPLACED brings the terms that were asked for, unless the broker names
    others; then the change is still waited for.
  * Fills that a reduction came too late for are booked: they come after it, and are no error.
  * A correction takes out what it replaces and books what now counts; a bust only takes out.
  * An order leaves the working list when it is final. One that the broker then restates as alive
    comes back as far as the report describes it.
  * A report on the child of a working order moves that order by its shares, and by whether its fate
    is known. That a child has ended says nothing of its parent.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.errors import BrokerError
from ..core.events import Adjustment, ByHand, Word
from ..core.lifecycle import FINAL, next_status, standing
from ..core.orders import (
    SAME_PRICE,
    TRADES,
    Book,
    Charge,
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    OrdType,
    TradeFee,
    WorkingOrder,
)
from ..core.parents import parent_of_child
from ..core.seen import Universe
from ..core.types import State
from ..core.units import micros
from .by_hand import obey


def apply(state: State, report: ExecutionReport | TradeFee | Charge | Word) -> State:
    """Fold one report, or a word of the operator's, into the book and the working orders."""
    if isinstance(report, Adjustment | ByHand):
        return obey(state, report)
    if isinstance(report, TradeFee):
        return replace(state, book=book_fee(state.book, report.fee_micro))
    if isinstance(report, Charge):
        cash_micro = state.book.cash_micro - report.amount_micro
        return replace(state, book=replace(state.book, cash_micro=cash_micro))
    place = _place(state.working, report.cl_ord_id)
    if place is not None:
        return _advanced(state, place, report)
    place = _place(state.working, parent_of_child(report.cl_ord_id))
    is_unknown = place is not None and state.working[place].status is OrdStatus.UNKNOWN
    if _is_restated(state, report) and not is_unknown:
        return replace(state, working=(*state.working, _restated(report)))
    if place is not None:
        parent = state.working[place]
        if report.exec_type is ExecType.REPLACED:
            return _with(state, place, _grown(parent, parent.cum_qty + report.leaves_qty))
        if report.exec_type in TRADES and report.ord_status is not None:
            traded = parent.cum_qty + report.last_qty - report.prior_qty
            state = _with(state, place, _grown(parent, traded))
        moved = _for_parent(state.working[place], report)
        return state if moved is None else _advanced(state, place, moved)
    if report.symbol in state.universe.index and _is_ending(report):
        return state
    _expect_vouched(state, report)
    book = book_trade(state.book, state.universe, report)
    return replace(state, book=book, turnover_today=_turnover_of_late(state, report))


def _advanced(state: State, place: int, report: ExecutionReport) -> State:
    """The state after a report on one of the working orders."""
    order = advance(state.working[place], report)
    book = book_trade(state.book, state.universe, report)
    return replace(_with(state, place, order), book=book)


def _with(state: State, place: int, order: WorkingOrder) -> State:
    """The state with a working order as it stands now, which may be none."""
    kept = () if order.status in FINAL else (order,)
    working = state.working[:place] + kept + state.working[place + 1 :]
    turnover = _turnover(state, state.working[place], order)
    return replace(state, working=working, turnover_today=turnover)


def _grown(parent: WorkingOrder, most: int) -> WorkingOrder:
    """An order as large as what its children may trade, or have, by the broker's word.

    Two of them may fill where one had been canceled, or where the broker has made two of one.
    """
    if most <= parent.largest_qty:
        return parent
    return replace(parent, order=replace(parent.order, order_qty=most))


def _turnover(state: State, before: WorkingOrder, after: WorkingOrder) -> float:
    """The day's turnover, without the shares that an order will not trade any more."""
    if not state.last_nav > 0:
        return state.turnover_today
    stands = 0.0 if after.status in FINAL else after.committed_usd
    unused = replace(before, cum_qty=after.cum_qty).committed_usd - stands
    if not unused:
        return state.turnover_today
    return max(0.0, state.turnover_today - unused / state.last_nav)


def _turnover_of_late(state: State, report: ExecutionReport) -> float:
    """The day's turnover with shares that traded after their order had ended."""
    if not state.last_nav > 0:
        return state.turnover_today
    moved = report.last_qty * report.last_px - report.prior_qty * report.prior_px
    return max(0.0, state.turnover_today + moved / state.last_nav)


def _place(working: tuple[WorkingOrder, ...], cl_ord_id: str) -> int | None:
    for place, order in enumerate(working):
        if order.order.cl_ord_id == cl_ord_id:
            return place
    return None


def _for_parent(parent: WorkingOrder, report: ExecutionReport) -> ExecutionReport | None:
    """What a report on a child is to its parent; None where it is nothing.

    The broker's own state of the child says nothing of the parent's.
    """
    kind = report.exec_type
    if kind in TRADES or kind is ExecType.UNKNOWN:
        return replace(report, ord_status=None)
    if kind is ExecType.NEW or parent.status is OrdStatus.UNKNOWN:
        return replace(report, exec_type=ExecType.NEW, ord_status=None)
    return None


def _is_restated(state: State, report: ExecutionReport) -> bool:
    """Whether the broker says that an order that had ended lives, and which one."""
    return (
        report.exec_type is ExecType.RESTATED
        and report.symbol in state.universe.index
        and report.ord_status is not None
        and report.ord_status not in FINAL
        and 0 <= report.cum_qty < report.order_qty
    )


def _restated(report: ExecutionReport) -> WorkingOrder:
    """The order as the broker holds it; why it was once decided is in the journal under its id."""
    order = Order(
        cl_ord_id=report.cl_ord_id,
        symbol=report.symbol,
        side=report.side,
        order_qty=report.order_qty,
        ord_type=OrdType.LIMIT,
        price=report.price,
        decision_id="",
        reason="",
        arrival=report.price,
        transact_time=report.ts,
    )
    return WorkingOrder(order, standing(report.cum_qty), report.cum_qty)


def _is_ending(report: ExecutionReport) -> bool:
    """Whether it only says that an order ends, which moves nothing where the order is over here.

    The last child of an order may end after all of the order's shares have traded.
    """
    going = report.ord_status in FINAL or report.ord_status is OrdStatus.PENDING_CANCEL
    return going and report.exec_type not in TRADES | {ExecType.RESTATED}


def _expect_vouched(state: State, report: ExecutionReport) -> None:
    """A trade of an order that is over here, by the word of a broker that keeps order states.

    It may be alive there: then a comparison names it, and its name is frozen until it is not.
    """
    known = report.symbol in state.universe.index
    if known and report.exec_type in TRADES and report.ord_status is not None:
        return
    raise BrokerError(
        f"report for order {report.cl_ord_id}, which is not among the {len(state.working)} working "
        "orders. Reconcile before trading on."
    )


def advance(order: WorkingOrder, report: ExecutionReport) -> WorkingOrder:
    """The order after a report; a fill the order cannot have had is the broker's error."""
    _expect_of(order, report)
    sent, wanted = _terms(order, report)
    cum_qty, most_qty = order.cum_qty, order.most_qty
    if sent.order_qty < order.order.order_qty:
        most_qty = order.largest_qty
    if report.exec_type in TRADES:
        cum_qty += report.last_qty - report.prior_qty
        if not 0 <= cum_qty <= order.largest_qty:
            raise BrokerError(
                f"order {sent.cl_ord_id} is filled {cum_qty} of {order.largest_qty}. "
                "Reconcile before trading on."
            )
    status = next_status(order.status, report.exec_type, cum_qty, sent.order_qty)
    if wanted is not None:
        status = _awaiting(order.status, status, report, wanted.order_qty - cum_qty)
    if status in FINAL:
        wanted = None
    return WorkingOrder(sent, status, cum_qty, wanted, most_qty)


def _terms(order: WorkingOrder, report: ExecutionReport) -> tuple[Order, Order | None]:
    """The order as it stands after a report, and the change that is still waited for."""
    sent, wanted, kind = order.order, order.wanted, report.exec_type
    if kind is ExecType.CANCEL_REJECTED and order.status is OrdStatus.PENDING_REPLACE:
        return sent, None
    if kind is not ExecType.REPLACED:
        return sent, wanted
    if wanted is not None and _is_answer(wanted, report):
        sent, wanted = wanted, None
    qty, price = report.order_qty or sent.order_qty, report.price or sent.price
    return replace(sent, order_qty=qty, price=price), wanted


def _is_answer(wanted: Order, report: ExecutionReport) -> bool:
    """Whether these terms are those that were asked for; a broker may leave them out."""
    qty, price = report.order_qty or wanted.order_qty, report.price or wanted.price
    return qty == wanted.order_qty and abs(price - wanted.price) < SAME_PRICE


def _awaiting(
    before: OrdStatus, status: OrdStatus, report: ExecutionReport, more: int
) -> OrdStatus:
    """The status while a change has no answer, by which `more` shares would be left.

    Full by the old terms is not yet full by the new, unless the broker's own state says so.
    """
    if status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED):
        return OrdStatus.PENDING_REPLACE
    waits = status is OrdStatus.FILLED and more > 0 and report.ord_status not in FINAL
    return before if waits else status


def _expect_of(order: WorkingOrder, report: ExecutionReport) -> None:
    sent = order.order
    if (report.symbol, report.side.sign) != (sent.symbol, sent.side.sign):
        raise BrokerError(
            f"report {report.exec_id} says {report.side} {report.symbol}, order {sent.cl_ord_id} "
            f"is to {sent.side} {sent.symbol}. Reconcile before trading on."
        )
    kind = report.exec_type
    wanted = 1 if kind in (ExecType.TRADE, ExecType.TRADE_CORRECT) else 0
    if report.last_qty < wanted or (kind is ExecType.TRADE_CANCEL and report.last_qty):
        raise BrokerError(
            f"report {report.exec_id} of order {sent.cl_ord_id} fills {report.last_qty} shares, "
            f"expected {'at least 1' if wanted else 'none'}. Reconcile before trading on."
        )
    replaces = kind in (ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL)
    if report.prior_qty < 0 or bool(report.prior_qty) != replaces:
        raise BrokerError(
            f"report {report.exec_id} of order {sent.cl_ord_id} replaces {report.prior_qty} "
            f"shares, which a {kind} does not. Reconcile before trading on."
        )


def book_trade(book: Book, universe: Universe, report: ExecutionReport) -> Book:
    """The book after a fill, a correction or a bust; any other report leaves it as it is."""
    if report.exec_type not in TRADES:
        return book
    if report.prior_qty:
        book = _take_out(book, universe, report)
    return book_fill(book, universe, report) if report.last_qty else book


def book_fee(book: Book, fee_micro: int) -> Book:
    """The book after a fee that came apart from its fill."""
    return replace(
        book, cash_micro=book.cash_micro - fee_micro, fees_micro=book.fees_micro + fee_micro
    )


def _take_out(book: Book, universe: Universe, report: ExecutionReport) -> Book:
    """Undo an earlier fill. Average cost is undone where the fill had grown the position.

    A fill that had closed the position took the entry with it: its own price then stands for it.
    """
    name = universe.index[report.symbol]
    signed = report.side.sign * report.prior_qty
    before = int(book.shares[name])
    after = before - signed
    shares, price, at = book.shares.copy(), book.entry_price.copy(), book.entry_at.copy()
    shares[name] = after
    if after == 0:
        price[name], at[name] = 0.0, -1
    elif before * after <= 0:
        price[name], at[name] = report.prior_px, report.ts
    elif abs(after) < abs(before):
        price[name] = (before * price[name] - signed * report.prior_px) / after
    return Book(
        shares=shares,
        cash_micro=book.cash_micro + signed * micros(report.prior_px),
        entry_price=np.asarray(price),
        entry_at=at,
        fees_micro=book.fees_micro,
    )


def book_fill(book: Book, universe: Universe, report: ExecutionReport) -> Book:
    """Shares, cash and average cost after a fill; entry is the fill that left flat."""
    name = universe.index[report.symbol]
    signed = report.side.sign * report.last_qty
    before = int(book.shares[name])
    after = before + signed
    shares, price, at = book.shares.copy(), book.entry_price.copy(), book.entry_at.copy()
    shares[name] = after
    if after == 0:
        price[name], at[name] = 0.0, -1
    elif before * after <= 0:
        price[name], at[name] = report.last_px, report.ts
    elif abs(after) > abs(before):
        price[name] = (before * price[name] + signed * report.last_px) / after
    return Book(
        shares=shares,
        cash_micro=book.cash_micro - signed * micros(report.last_px) - report.fee_micro,
        entry_price=np.asarray(price),
        entry_at=at,
        fees_micro=book.fees_micro + report.fee_micro,
    )
