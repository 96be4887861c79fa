"""Orders in flight and what the broker says of them."""

from typing import Any

from deadband.core.orders import (
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    OrdType,
    Side,
    WorkingOrder,
)

from .inputs import NOW, PRICE

NOW_NS = int(NOW.timestamp()) * 1_000_000_000


def order(cl_ord_id: str = "db.1.000", symbol: str = "S0000", **other: Any) -> Order:
    """A limit order to buy 100 at 100 dollars, decided now."""
    defaults: dict[str, Any] = {
        "side": Side.BUY,
        "order_qty": 100,
        "ord_type": OrdType.LIMIT,
        "price": PRICE,
        "decision_id": "1",
        "reason": "BUY_TOP_K",
        "arrival": PRICE,
        "transact_time": NOW_NS,
    }
    return Order(cl_ord_id=cl_ord_id, symbol=symbol, **(defaults | other))


def working(
    cl_ord_id: str = "db.1.000",
    symbol: str = "S0000",
    *,
    status: OrdStatus = OrdStatus.NEW,
    cum_qty: int = 0,
    **other: Any,
) -> WorkingOrder:
    """An order the broker has acknowledged."""
    return WorkingOrder(order(cl_ord_id, symbol, **other), status, cum_qty)


def report(of: WorkingOrder | Order, exec_type: ExecType, **other: Any) -> ExecutionReport:
    """One report on an order; a fill needs `fill`."""
    sent = of.order if isinstance(of, WorkingOrder) else of
    defaults: dict[str, Any] = {
        "exec_id": f"{sent.cl_ord_id}.{exec_type}",
        "last_qty": 0,
        "last_px": 0.0,
        "fee_micro": 0,
        "ts": NOW_NS,
    }
    return ExecutionReport(
        cl_ord_id=sent.cl_ord_id,
        symbol=sent.symbol,
        side=sent.side,
        exec_type=exec_type,
        **(defaults | other),
    )


def fill(
    of: WorkingOrder | Order, last_qty: int, last_px: float = PRICE, **other: Any
) -> ExecutionReport:
    """A fill of `last_qty` shares at `last_px` dollars."""
    return report(of, ExecType.TRADE, last_qty=last_qty, last_px=last_px, **other)
