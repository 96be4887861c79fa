"""One order of ours as this adapter knows it, and how a journal's memory makes it anew."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from ...core.broker import Memory
from ...core.events import OrderState
from ...core.lifecycle import FINAL, leaves, next_status
from ...core.orders import (
    TRADES,
    Action,
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    TradeFee,
)

NO_ADDRESS = -1


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution, its id without the revision that this is; no shares where it was busted.

    `perm_id`: of which of the broker's orders.
    """

    exec_id: str
    revision: str
    qty: int
    px: float
    perm_id: int = 0


@dataclass(slots=True, eq=False)
class Row:
    """Everything known of one order; `order` is as the broker holds it, as far as that was said."""

    order: Order
    status: OrdStatus = OrdStatus.PENDING_NEW
    address: int = NO_ADDRESS
    """The number it is reached by in this session."""
    order_ids: list[int] = field(default_factory=list)
    """permIds, first heard first; every order has one, and a fault may give it two."""
    live_ids: set[int] = field(default_factory=set)
    """Those last heard to be alive."""
    sizes: dict[int, int] = field(default_factory=dict)
    """Shares that each of its permIds may trade, as last listed."""
    trades: dict[str, Trade] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)
    """Micro-dollars by execution, revisions apart."""
    wanted: Order | None = None
    """What a change under way would make of it."""
    is_acked: bool = False
    is_sent: bool = False
    is_remembered: bool = False
    """Sent, if at all, before this process lived."""
    is_dispatched: bool = False
    """Known to have left, in this process or in one before it."""
    asked_at: float = 0.0
    """Clock seconds of the last order or change sent."""
    cancel_at: float = 0.0
    """Clock seconds of the last cancel asked for or sent."""
    said_filled: int = 0
    """What the gateway counts as filled."""
    refusal: tuple[int, str] = (0, "")
    """The last number that spoke against it, and its text."""
    reports: int = 0

    @property
    def symbol(self) -> str:
        return self.order.symbol

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def is_split(self) -> bool:
        """Whether the broker made two orders of it, both of which may trade."""
        return len(self.order_ids) > 1

    @property
    def widest_qty(self) -> int:
        """Shares that all the orders which the broker made of it may trade, or have."""
        done: Counter[int] = Counter()
        for trade in self.trades.values():
            done[trade.perm_id] += trade.qty
        return sum(max(self.sizes.get(one, 0), done[one]) for one in {*self.sizes, *done})

    @property
    def cum_qty(self) -> int:
        return sum(trade.qty for trade in self.trades.values())

    @property
    def is_full(self) -> bool:
        """Whether executions have filled it by the size it has, a change under way apart."""
        return self.cum_qty >= self.order.order_qty

    @property
    def avg_px(self) -> float:
        qty = self.cum_qty
        return sum(t.qty * t.px for t in self.trades.values()) / qty if qty else 0.0

    @property
    def leaves_qty(self) -> int:
        return leaves(self.status, self.cum_qty, self.order.order_qty)

    def state(self) -> OrderState:
        order = self.order
        return OrderState(
            cl_ord_id=order.cl_ord_id,
            symbol=order.symbol,
            side=order.side,
            order_qty=order.order_qty,
            price=order.price,
            status=self.status,
            cum_qty=self.cum_qty,
            leaves_qty=self.leaves_qty,
            avg_px=self.avg_px,
            order_ids=tuple(self.order_ids),
            text=self.refusal[1],
        )


def split_id(exec_id: str) -> tuple[str, str]:
    """An execution's id without its revision, and the revision, which is its last part."""
    stem, _, revision = exec_id.rpartition(".")
    return (stem, revision) if stem else (exec_id, "")


def is_newer(revision: str, known: str) -> bool:
    """Whether a revision comes after another: 10 after 9, and 02 after 01."""
    return (len(revision.lstrip("0")), revision.lstrip("0")) > (
        len(known.lstrip("0")),
        known.lstrip("0"),
    )


def remembered(memory: Memory) -> dict[str, Row]:
    """Rows by client order id as a former process left them: the fold of what it heard."""
    rows: dict[str, Row] = {}
    for intent in memory.intents:
        order = intent.order
        if intent.action is Action.NEW:
            left = order.cl_ord_id in memory.dispatched
            rows[order.cl_ord_id] = Row(order, is_remembered=True, is_sent=True, is_dispatched=left)
        elif order.cl_ord_id in rows:
            rows[order.cl_ord_id].wanted = order
    for report in memory.reports:
        row = rows.get(report.cl_ord_id)
        if row is not None:
            _remember(row, report)
    return rows


def _remember(row: Row, report: ExecutionReport | TradeFee) -> None:
    stem, revision = split_id(report.exec_id)
    if isinstance(report, TradeFee):
        row.fees[stem] = row.fees.get(stem, 0) + report.fee_micro
        return
    row.reports += 1
    if report.exec_type in TRADES:
        row.trades[stem] = Trade(stem, revision, report.last_qty, report.last_px, report.order_id)
    if report.exec_type is ExecType.REPLACED:
        qty, price = report.order_qty or row.order.order_qty, report.price or row.order.price
        row.order = replace(row.order, order_qty=qty, price=price)
    if report.exec_type in (ExecType.REPLACED, ExecType.CANCEL_REJECTED):
        row.wanted = None
    if report.order_id and report.order_id not in row.order_ids:
        row.order_ids.append(report.order_id)
        row.is_acked = True
    if len(row.order_ids) == 1:
        row.sizes[row.order_ids[0]] = row.order.order_qty
    row.status = next_status(row.status, report.exec_type, row.cum_qty, row.order.order_qty)
