"""The last check of a child on its way out: within the order that the gate has let through.

The gate judges orders, and their children are judged by nothing but this: it counts by itself, and
knows nothing of the machine that made them.
"""

from __future__ import annotations

from ..core.order_checks import WITH_PRICE
from ..core.orders import Action
from ..core.parents import Instruction, Progress

HAIR = 1e-9


def child_fault(one: Progress, asked: Instruction) -> str:
    """What keeps a message from leaving for the order that `one` works; empty if nothing does.

    `one` is as it stands once the message is on its way. A cancel always leaves.
    """
    if asked.action is Action.CANCEL:
        return ""
    child, order = asked.order, one.parent.order
    if (child.symbol, child.side) != (order.symbol, order.side):
        return f"it is to {child.side} {child.symbol}, its order to {order.side} {order.symbol}"
    done = 0 if one.child is None else one.child.cum_qty
    most = order.order_qty - (one.filled - done)
    if not 0 < child.order_qty <= most:
        return f"it is for {child.order_qty} shares, its order leaves it {most}"
    if child.ord_type in WITH_PRICE:
        beyond = child.side.sign * (child.price - order.price)
        if not (child.price > 0 and beyond <= one.parent.tick / 2 + HAIR):
            return f"its price is {child.price:g}, the collar of its order {order.price:g}"
    return ""
