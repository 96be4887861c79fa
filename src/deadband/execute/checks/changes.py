"""Changes of orders at work, as the gate reads them: what takes off, and what adds.

A reduction passes like a cancel, where it is one: of an order that may be changed, to less than it
is and more than has filled, at its own price. Everything else is judged as an order for what it
adds, and passes every check that a new order does.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...core.lifecycle import is_changeable
from ...core.orders import Order, OrdType, Replacement, Side, WorkingOrder
from ...core.types import Plan

NONE = Order("", "", Side.BUY, 0, OrdType.LIMIT, float("nan"), "", "", 0.0, 0)
"""What a change of an order that is not there would change."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Replacements that only take off, by id of their order; raises, each with its order."""

    reductions: dict[str, Replacement]
    raises: tuple[tuple[Replacement, WorkingOrder | None], ...]

    def left_of(self, order: WorkingOrder) -> int:
        """The least that may still trade of an order, once the reductions have left."""
        cut = self.reductions.get(order.order.cl_ord_id)
        least = order.least_leaves
        return least if cut is None else min(least, cut.order_qty - order.cum_qty)


def changes_of(plan: Plan, working: tuple[WorkingOrder, ...]) -> Changes:
    """A second change of an order, or one of an order that is canceled too, is none that counts."""
    there = {one.order.cl_ord_id: one for one in working}
    for gone in plan.cancels:
        there.pop(gone, None)
    reductions, raises = {}, []
    for wanted in plan.replaces:
        order = there.pop(wanted.cl_ord_id, None)
        if order is not None and _takes_off(wanted, order):
            reductions[wanted.cl_ord_id] = wanted
        else:
            raises.append((wanted, order if order is not None and is_changeable(order) else None))
    return Changes(reductions, tuple(raises))


def added(wanted: Replacement, order: WorkingOrder | None, decision_id: str, now: int) -> Order:
    """What a raise adds, as an order decided at `now` (epoch ns)."""
    of = NONE if order is None else order.order
    return Order(
        cl_ord_id=wanted.cl_ord_id,
        symbol=of.symbol,
        side=of.side,
        order_qty=wanted.order_qty - of.order_qty,
        ord_type=OrdType.LIMIT,
        price=wanted.price,
        decision_id=decision_id,
        reason=of.reason,
        arrival=of.arrival,
        transact_time=now,
    )


def _takes_off(wanted: Replacement, order: WorkingOrder) -> bool:
    qty: object = wanted.order_qty
    whole = isinstance(qty, int) and not isinstance(qty, bool)
    less = whole and order.cum_qty < wanted.order_qty < order.order.order_qty
    return is_changeable(order) and less and wanted.price == order.order.price
