"""The order state machine of every broker: one table from status and report to the next status.

Rules
  * FILLED, CANCELED, REJECTED and EXPIRED are final. Two things lead out of them: a late fill or a
    bust, read from the quantities, and RESTATED, the broker's own word that the order lives.
  * A fill moves the status by its quantities alone: full is FILLED; less leaves a pending or final
    status as it is, and makes any other PARTIALLY_FILLED.
  * A change, or its refusal, that leaves nothing to trade has found the order full.
  * A report that the table does not foresee for a status leaves the status as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .orders import TRADES, ExecType, OrdStatus, OrdType, WorkingOrder

FINAL = frozenset({OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED})
AT_WORK = frozenset({OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED})
"""At the broker, with nothing asked of it: such an order may be changed."""
PENDING = frozenset({OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE})

_S, _E = OrdStatus, ExecType
_ENDS = {
    _E.CANCELED: _S.CANCELED,
    _E.REJECTED: _S.REJECTED,
    _E.EXPIRED: _S.EXPIRED,
    _E.UNKNOWN: _S.UNKNOWN,
}
_ASKED = {_E.PENDING_CANCEL: _S.PENDING_CANCEL, _E.PENDING_REPLACE: _S.PENDING_REPLACE}
_HELD = {_E.SUSPENDED: _S.SUSPENDED}
_ROWS: dict[OrdStatus, dict[ExecType, OrdStatus]] = {
    _S.PENDING_NEW: {_E.NEW: _S.NEW, **_HELD, **_ASKED, **_ENDS},
    _S.NEW: {**_HELD, **_ASKED, **_ENDS},
    # What has traded was accepted: it can end, but not be rejected any more.
    _S.PARTIALLY_FILLED: {
        **_HELD,
        **_ASKED,
        **{kind: end for kind, end in _ENDS.items() if kind is not _E.REJECTED},
    },
    _S.SUSPENDED: {_E.NEW: _S.NEW, **_ASKED, **_ENDS},
    _S.PENDING_REPLACE: {
        _E.REPLACED: _S.NEW,
        _E.CANCEL_REJECTED: _S.NEW,
        _E.PENDING_CANCEL: _S.PENDING_CANCEL,
        **_ENDS,
    },
    _S.PENDING_CANCEL: {_E.CANCEL_REJECTED: _S.NEW, **_ENDS},
    _S.UNKNOWN: {_E.NEW: _S.NEW, _E.RESTATED: _S.NEW, **_HELD, **_ENDS},
    _S.CANCELED: {_E.RESTATED: _S.NEW},
    _S.REJECTED: {_E.RESTATED: _S.NEW},
    _S.EXPIRED: {_E.RESTATED: _S.NEW},
    # An order of which the broker made two lives on when the first is full.
    _S.FILLED: {_E.RESTATED: _S.NEW},
}
NEXT: Mapping[tuple[OrdStatus, ExecType], OrdStatus] = MappingProxyType(
    {(status, kind): after for status, row in _ROWS.items() for kind, after in row.items()}
)
"""Status and report to the next status; NEW means PARTIALLY_FILLED where shares have traded."""


def next_status(status: OrdStatus, exec_type: ExecType, cum_qty: int, order_qty: int) -> OrdStatus:
    """The status after a report; `cum_qty` counts the report's own shares already."""
    if exec_type in TRADES:
        return _after_trade(status, cum_qty, order_qty)
    after = NEXT.get((status, exec_type))
    is_full = status is OrdStatus.FILLED and cum_qty >= order_qty
    if after is None or is_full:
        return status
    if after is not OrdStatus.NEW:
        return after
    return OrdStatus.FILLED if 0 < order_qty <= cum_qty else standing(cum_qty)


def is_changeable(order: WorkingOrder) -> bool:
    """Whether size and price of an order may be changed as it stands.

    It is a plain limit order at work with nothing asked of it. One that is worked by children may
    wait for its turn, and for no answer.
    """
    sent = order.order
    plain = sent.ord_type is OrdType.LIMIT and not sent.terms.strategy
    waits = sent.route is not None and order.status is OrdStatus.PENDING_NEW
    return plain and (order.status in AT_WORK or waits) and order.wanted is None


def standing(cum_qty: int) -> OrdStatus:
    """The status of an order at work that has `cum_qty` shares."""
    return OrdStatus.PARTIALLY_FILLED if cum_qty > 0 else OrdStatus.NEW


def _after_trade(status: OrdStatus, cum_qty: int, order_qty: int) -> OrdStatus:
    if cum_qty >= order_qty:
        return OrdStatus.FILLED
    if status is OrdStatus.FILLED:
        # A bust took shares back. The exchange is done with the order: it does not work on.
        return OrdStatus.CANCELED
    if status in PENDING or status in FINAL or status is OrdStatus.SUSPENDED:
        return status
    return standing(cum_qty)


def leaves(status: OrdStatus, cum_qty: int, order_qty: int) -> int:
    """Shares that may still trade, as far as the status says; none when it is final."""
    return 0 if status in FINAL else max(order_qty - cum_qty, 0)
