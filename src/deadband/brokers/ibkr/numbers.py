"""What IBKR's message numbers do to an order: only what the table of codes allows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ...core.orders import ExecType, OrdStatus
from .codes import Effect, Rule
from .orders import OrderTable
from .rows import Row


def numbered(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    """Let a number about an order do what its rule says, and pass it on."""
    act = ACTS.get(rule.effect)
    if act is not None:
        act(table, row, rule, text)
    table.note(rule.severity, text, row, rule.code)


def _refused(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    """Refuse the new order, the change or the cancel that is under way; a working one is asked."""
    row.refusal = (rule.code, text)
    if not row.is_acked and not row.is_final:
        table.move(row, ExecType.REJECTED, code=rule.code, text=text)
    elif row.wanted is not None:
        _change_refused(table, row, rule, text)
    elif row.status is OrdStatus.PENDING_CANCEL:
        _cancel_refused(table, row, rule, text)
    else:
        table.doubts.add(row.order.cl_ord_id)


def _change_refused(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    if row.wanted is not None:
        row.wanted = None
        table.report(row, ExecType.CANCEL_REJECTED, code=rule.code, text=text)
    table.doubts.add(row.order.cl_ord_id)


def _cancel_refused(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    if row.status is OrdStatus.PENDING_CANCEL:
        table.report(row, ExecType.CANCEL_REJECTED, code=rule.code, text=text)
    table.doubts.add(row.order.cl_ord_id)


def _canceled(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    row.refusal = (rule.code, text)


def _collided(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    row.refusal = (rule.code, text)
    table.doubts.add(row.order.cl_ord_id)


def _asked(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    table.doubts.add(row.order.cl_ord_id)


def _held(table: OrderTable, row: Row, rule: Rule, text: str) -> None:
    row.is_acked = True
    table.move(row, ExecType.SUSPENDED, code=rule.code, text=text)


ACTS: Mapping[Effect, Callable[[OrderTable, Row, Rule, str], None]] = MappingProxyType(
    {
        Effect.REFUSED: _refused,
        Effect.VALIDATION: _refused,
        Effect.CHANGE_REFUSED: _change_refused,
        Effect.CANCEL_REFUSED: _cancel_refused,
        Effect.CANCELED: _canceled,
        Effect.COLLISION: _collided,
        Effect.ASK: _asked,
        Effect.HELD: _held,
        # An order asks for these too, where a security or its data is what is wrong.
        Effect.NO_DATA: _asked,
        Effect.PACED: _asked,
    }
)
"""Every other effect leaves an order as it is."""
