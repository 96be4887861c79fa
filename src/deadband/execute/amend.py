"""What a new decision makes of orders at work: reduced, raised, or canceled where neither fits.

1. A trade that undoes no more than the orders against it would still do takes that off them, the
   newest first: their quantity falls, their price stays, and what is left keeps its place in the
   queue. An order of which less than a lot would be left is canceled.
2. A trade the way an order goes already makes that order larger, at the limit price that a new one
   would have: both its old and its new shares are then priced as of now.
3. What cannot be changed is canceled first where it opposes, and joined by a second order where it
   does not: an order of a broker's algorithm (IBKR's 440), and one whose last request has no answer
   yet, or whose fate is not known. One with a route can be changed whatever works it: its child is
   another order. Only what waits for the auction is not raised: it is one child, as it stands. Nor
   is a patient order by one that may not wait: the added shares would rest as its own do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.lifecycle import is_changeable
from ..core.orders import Algorithm, Order, Replacement, Side, WorkingOrder
from ..core.reasons import NOT_DISCRETIONARY, Code
from .draft import Draft

Working = tuple[WorkingOrder, ...]


def opposing(draft: Draft, working: Working, name: int) -> Iterator[WorkingOrder]:
    """Changeable orders against what the draft would trade of a name, the newest first."""
    for order in reversed(working):
        against = int(draft.shares[name]) * order.order.side.sign < 0
        if against and draft.universe.index[order.order.symbol] == name and is_changeable(order):
            yield order


def find_room(draft: Draft, working: Working) -> None:
    """Note where a trade is no more than what orders against it would still do."""
    for name in np.flatnonzero(draft.shares).tolist():
        leaves = sum(order.leaves_qty for order in opposing(draft, working, name))
        if abs(int(draft.shares[name])) <= leaves:
            draft.undoes[name] = leaves


def take_back(draft: Draft, working: Working) -> tuple[tuple[Replacement, ...], tuple[str, ...]]:
    """Reductions and cancels in place of the trades that only undo what orders would still do."""
    replaces, cancels = [], []
    for name in np.flatnonzero((draft.shares != 0) & (draft.undoes > 0)).tolist():
        left, lot = abs(int(draft.shares[name])), int(draft.universe.lot[name])
        for order in opposing(draft, working, name):
            less = min(left, order.leaves_qty)
            if less <= 0:
                break
            if order.leaves_qty - less < lot:
                less = order.leaves_qty
                cancels.append(order.order.cl_ord_id)
                draft.note(Code.ORDER_CANCEL_FIRST, name)
            else:
                to = order.order.order_qty - less
                replaces.append(Replacement(order.order.cl_ord_id, to, order.order.price))
                draft.note_change(Code.ORDER_REDUCED, order, to)
            draft.canceled[name] += order.order.side.sign * less
            left -= less
        draft.shares[name] = 0
    return tuple(replaces), tuple(cancels)


def add_to(draft: Draft, working: Working, new: tuple[Order, ...]) -> dict[str, Replacement]:
    """Raises by the id of the new order that they stand for.

    A short sale that a sale of what is held has to leave before is not one: raises leave first.
    """
    raises: dict[str, Replacement] = {}
    sold = {order.symbol for order in new if order.side is Side.SELL}
    for order in new:
        waits = order.side is Side.SELL_SHORT and order.symbol in sold
        found = None if waits else _same(working, order)
        if found is not None:
            to = found.order.order_qty + order.order_qty
            raises[order.cl_ord_id] = Replacement(found.order.cl_ord_id, to, order.price)
            draft.note_change(Code.ORDER_RAISED, found, to)
    return raises


def _same(working: Working, new: Order) -> WorkingOrder | None:
    """The newest changeable order of the name and side, worked by an executor as the new one is."""
    for order in reversed(working):
        same = (order.order.symbol, order.order.side) == (new.symbol, new.side)
        if (
            same
            and _worked_alike(order.order, new)
            and is_changeable(order)
            and not _waits_for_auction(order.order)
        ):
            return order
    return None


def _worked_alike(there: Order, new: Order) -> bool:
    """Whether shares added to an order are worked as the new order would have them."""
    if there.route is None or new.route is None:
        return there.route is new.route
    return new.reason not in NOT_DISCRETIONARY or there.route.algorithm is new.route.algorithm


def _waits_for_auction(order: Order) -> bool:
    return order.route is not None and order.route.algorithm is Algorithm.CLOSE
