"""What a complete answer about orders settles: who lives, who is over, and who cannot be found.

Rules
  * Only a complete answer settles anything: the living first, then those that are over.
  * An order that was there and is nowhere is UNKNOWN, never rejected: its name is frozen. But one
    for a day that is over has EXPIRED; what of it had traded, the position tells.
  * One that a former process intended, that is not on record as having left, and of which no word
    ever came, did not reach the broker. Should it turn up later, it is restated. One that is on
    record is UNKNOWN like any other.
  * An order that was sent a moment ago may be on its way: nothing is concluded from its absence.
  * An order that is listed as plainly at work some time after its cancel has not got the cancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from ...core.events import Severity
from ...core.orders import ExecType, Order, OrdStatus, Source, Tif
from ...core.session import exchange_day, next_session, session_on
from .orders import WHOLE, OrderTable
from .rows import Row
from .said import CompletedSaid


def begin(table: OrderTable) -> None:
    """A list is about to be heard."""
    table.is_listing, table.asked = True, set(table.doubts)
    table.listed.clear()
    table.at_work.clear()
    table.contradicted.clear()
    table.completed.clear()
    table.foreign.begin_list()


def settle(table: OrderTable, before: float) -> None:
    """The lists are complete: conclude about every order sent by `before`, clock seconds."""
    table.foreign.end_list()
    for ref, row in table.rows.items():
        if ref in table.contradicted and not row.is_full:
            table.move(row, ExecType.RESTATED, source=Source.RECONCILED)
        elif row.is_final or not row.is_sent:
            continue
        elif ref in table.listed:
            _found_alive(table, row, before)
        elif ref in table.completed:
            _found_over(table, row, table.completed[ref])
        elif row.asked_at <= before or row.is_remembered:
            _not_found(table, row)
    table.doubts -= table.asked - {WHOLE}


def _found_alive(table: OrderTable, row: Row, before: float) -> None:
    """It lives; a change that it does not show by now was not taken."""
    if row.status is OrdStatus.UNKNOWN:
        table.move(row, ExecType.NEW, source=Source.RECONCILED)
    if row.wanted is not None and (row.asked_at <= before or row.is_remembered):
        row.wanted = None
        if row.status is OrdStatus.PENDING_REPLACE:
            text = "the broker holds it as it was"
            table.move(row, ExecType.CANCEL_REJECTED, text=text, source=Source.RECONCILED)
    is_late = row.cancel_at <= before or row.is_remembered
    if row.status is OrdStatus.PENDING_CANCEL and is_late and row.order.cl_ord_id in table.at_work:
        text = "the broker has it at work: the cancel did not arrive"
        table.move(row, ExecType.CANCEL_REJECTED, text=text, source=Source.RECONCILED)


def _found_over(table: OrderTable, row: Row, over: Mapping[int, CompletedSaid]) -> None:
    said, filled = list(over.values())[-1], sum(one.filled for one in over.values())
    # Full by its status and short of what we asked for: right where executions and the broker's own
    # count agree, since a change took the rest, or where a bust took shares back.
    is_agreed = row.cum_qty > 0 and filled == row.cum_qty
    was_busted = not all(trade.qty for trade in row.trades.values())
    is_short = said.status == "Filled" and not (is_agreed or was_busted)
    if row.is_split:
        is_short = not over.keys() >= set(row.order_ids)
    if row.wanted is not None and filled <= row.cum_qty and row.is_full and not row.is_split:
        table.full_before_change(row)
    elif filled > row.cum_qty or is_short:
        _lost(table, row, f"over with {filled:g} filled, executions say {row.cum_qty}")
    elif said.status == "Inactive" and not row.cum_qty:
        text = row.refusal[1] or said.text
        table.move(row, ExecType.REJECTED, text=text, source=Source.RECONCILED)
    else:
        table.move(row, ExecType.CANCELED, text=said.text, source=Source.RECONCILED)


def _not_found(table: OrderTable, row: Row) -> None:
    if _is_past(row.order, table.clock.wall_ns()):
        text = "its day is over, and no list of the broker has it"
        table.move(row, ExecType.EXPIRED, text=text, source=Source.INFERRED)
    elif row.is_acked or row.cum_qty:
        _lost(table, row, "it was there, and is in no list of the broker any more")
    elif row.is_remembered and not row.is_dispatched:
        text = "never reached the broker"
        table.move(row, ExecType.CANCELED, text=text, source=Source.INFERRED)
    elif row.refusal[0]:
        code, text = row.refusal
        table.move(row, ExecType.REJECTED, code=code, text=text, source=Source.RECONCILED)
    else:
        _lost(table, row, "sent without any word, and in no list of the broker")


def _is_past(order: Order, now: int) -> bool:
    """Whether the only session that an order was for was on a day before; times epoch ns.

    What it may have traded then is told by no list any more. The position tells.
    """
    if order.terms.tif in (Tif.GTC, Tif.GTD):
        return False
    sent, today = (datetime.fromtimestamp(ns / 1e9, UTC) for ns in (order.transact_time, now))
    session = session_on(exchange_day(sent))
    if session is None or sent >= session.close:
        session = next_session(exchange_day(sent))
    return exchange_day(today) > session.day


def _lost(table: OrderTable, row: Row, text: str) -> None:
    if row.status is not OrdStatus.UNKNOWN:
        table.move(row, ExecType.UNKNOWN, text=text, source=Source.INFERRED)
        table.note(Severity.ERROR, f"{row.order.cl_ord_id}: {text}. {row.symbol} is frozen.", row)
