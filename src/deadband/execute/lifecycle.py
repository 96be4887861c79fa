"""The order state machine: one table, and the code that reads it.

Rules
  * A fill of a working order is booked, whatever its status says: positions follow executions, not
    statuses. One for an order that is not among them is refused, and nothing goes on until it is
    reconciled.
  * Each exec_id is to be passed once: a report that comes twice would be booked twice.
  * FILLED, CANCELED, REJECTED and EXPIRED are final for the status; an order leaves the working
    list when it is final.
  * A report that the table does not foresee for a status leaves the status as it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.errors import BrokerError
from ..core.orders import Book, ExecType, ExecutionReport, OrdStatus, WorkingOrder
from ..core.seen import Universe
from ..core.types import State
from ..core.units import micros

FINAL = frozenset({OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED})
NEXT: dict[tuple[OrdStatus, ExecType], OrdStatus] = {
    (OrdStatus.PENDING_NEW, ExecType.NEW): OrdStatus.NEW,
    (OrdStatus.PENDING_NEW, ExecType.REJECTED): OrdStatus.REJECTED,
    (OrdStatus.PENDING_NEW, ExecType.PENDING_CANCEL): OrdStatus.PENDING_CANCEL,
    (OrdStatus.PENDING_NEW, ExecType.CANCELED): OrdStatus.CANCELED,
    (OrdStatus.PENDING_NEW, ExecType.EXPIRED): OrdStatus.EXPIRED,
    (OrdStatus.NEW, ExecType.REJECTED): OrdStatus.REJECTED,
    (OrdStatus.NEW, ExecType.PENDING_CANCEL): OrdStatus.PENDING_CANCEL,
    (OrdStatus.NEW, ExecType.CANCELED): OrdStatus.CANCELED,
    (OrdStatus.NEW, ExecType.EXPIRED): OrdStatus.EXPIRED,
    (OrdStatus.PARTIALLY_FILLED, ExecType.PENDING_CANCEL): OrdStatus.PENDING_CANCEL,
    (OrdStatus.PARTIALLY_FILLED, ExecType.CANCELED): OrdStatus.CANCELED,
    (OrdStatus.PARTIALLY_FILLED, ExecType.EXPIRED): OrdStatus.EXPIRED,
    (OrdStatus.PENDING_REPLACE, ExecType.REPLACED): OrdStatus.NEW,
    (OrdStatus.PENDING_REPLACE, ExecType.CANCEL_REJECTED): OrdStatus.NEW,
    (OrdStatus.PENDING_REPLACE, ExecType.PENDING_CANCEL): OrdStatus.PENDING_CANCEL,
    (OrdStatus.PENDING_REPLACE, ExecType.REJECTED): OrdStatus.REJECTED,
    (OrdStatus.PENDING_REPLACE, ExecType.CANCELED): OrdStatus.CANCELED,
    (OrdStatus.PENDING_REPLACE, ExecType.EXPIRED): OrdStatus.EXPIRED,
    (OrdStatus.PENDING_CANCEL, ExecType.REJECTED): OrdStatus.REJECTED,
    (OrdStatus.PENDING_CANCEL, ExecType.CANCELED): OrdStatus.CANCELED,
    (OrdStatus.PENDING_CANCEL, ExecType.EXPIRED): OrdStatus.EXPIRED,
    (OrdStatus.UNKNOWN, ExecType.NEW): OrdStatus.NEW,
    (OrdStatus.UNKNOWN, ExecType.REJECTED): OrdStatus.REJECTED,
    (OrdStatus.UNKNOWN, ExecType.CANCELED): OrdStatus.CANCELED,
    (OrdStatus.UNKNOWN, ExecType.EXPIRED): OrdStatus.EXPIRED,
}
"""Status and report to the next status; TRADE is read from the quantities."""


def apply(state: State, report: ExecutionReport) -> State:
    """Fold one report into the book and the working orders."""
    place = _place(state.working, report.cl_ord_id)
    order = advance(state.working[place], report)
    kept = () if order.status in FINAL else (order,)
    working = state.working[:place] + kept + state.working[place + 1 :]
    book = state.book
    if report.exec_type is ExecType.TRADE:
        book = book_fill(book, state.universe, report)
    return replace(state, book=book, working=working, turnover_today=_turnover(state, order))


def _turnover(state: State, order: WorkingOrder) -> float:
    """The day's turnover, without the shares of an order that ended before they traded."""
    if order.status not in FINAL or not state.last_nav > 0:
        return state.turnover_today
    unused = order.leaves_qty * order.order.arrival / state.last_nav
    return max(0.0, state.turnover_today - unused)


def _place(working: tuple[WorkingOrder, ...], cl_ord_id: str) -> int:
    for place, order in enumerate(working):
        if order.order.cl_ord_id == cl_ord_id:
            return place
    raise BrokerError(
        f"report for order {cl_ord_id}, which is not among the {len(working)} working orders. "
        "Reconcile before trading on."
    )


def advance(order: WorkingOrder, report: ExecutionReport) -> WorkingOrder:
    """The order after a report; a fill the order cannot have had is the broker's error."""
    _expect_of(order, report)
    if report.exec_type is not ExecType.TRADE:
        status = NEXT.get((order.status, report.exec_type), order.status)
        return replace(order, status=status)
    cum_qty = order.cum_qty + report.last_qty
    if cum_qty > order.order.order_qty:
        raise BrokerError(
            f"order {order.order.cl_ord_id} is filled {cum_qty} of {order.order.order_qty}. "
            "Reconcile before trading on."
        )
    if cum_qty == order.order.order_qty:
        status = OrdStatus.FILLED
    elif order.status in (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE):
        status = order.status
    else:
        status = OrdStatus.PARTIALLY_FILLED
    return replace(order, status=status, cum_qty=cum_qty)


def _expect_of(order: WorkingOrder, report: ExecutionReport) -> None:
    sent, wanted = order.order, 1 if report.exec_type is ExecType.TRADE else 0
    if (report.symbol, report.side.sign) != (sent.symbol, sent.side.sign):
        raise BrokerError(
            f"report {report.exec_id} says {report.side} {report.symbol}, order {sent.cl_ord_id} "
            f"is to {sent.side} {sent.symbol}. Reconcile before trading on."
        )
    if report.last_qty < wanted:
        raise BrokerError(
            f"report {report.exec_id} of order {sent.cl_ord_id} fills {report.last_qty} shares, "
            f"expected at least {wanted}. Reconcile before trading on."
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
