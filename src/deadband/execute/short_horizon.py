"""Short-horizon execution: a plan's orders become parents, are worked on quotes, and report back.

`adopt` takes parents in, `amend` changes what they are for, `heard` folds the broker's reports. The
way back to the cycle is in its own words: a child's fill is one of its parent order, and a parent
that ends short of its quantity is canceled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace

from ..core.orders import (
    TRADES,
    Algorithm,
    ExecType,
    ExecutionReport,
    Order,
    Route,
    Side,
    Tif,
    Venue,
)
from ..core.parents import Basket, Parent, Progress, parent_of_child
from ..core.reasons import NOT_DISCRETIONARY, Code
from ..core.tactics import Tactics
from .basket import heard as heard_by_basket
from .horizon import Haste, horizon
from .volume_curve import MINUTE, volume_curve

PLAIN = Route(Algorithm.MARKETABLE, Venue.SMART, Tif.IOC, Code.ALGO_ASKED)
"""How an order without a route is worked."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a name: lot, tick (USD), σ and ADV a day, beta, its session (ns).

    `alpha`: the edge the order is sent for, as a fraction of price; 0 where it is not known.
    `short`: shares that are sold short, which a buy first covers.
    """

    lot: int
    tick: float
    sigma_day: float
    adv: float
    opens: int
    closes: int
    beta: float = 0.0
    alpha: float = 0.0
    short: int = 0


def parent_of(order: Order, facts: Facts, now: int, tactics: Tactics) -> Parent:
    """The order with the time it has: to its horizon or the close; an auction's a while longer."""
    route = order.route or PLAIN
    minutes = _minutes(order, route, facts, tactics)
    deadline = min(now + int(minutes * MINUTE), facts.closes)
    if route.algorithm is Algorithm.CLOSE:
        deadline = facts.closes + int(tactics.horizon_min * MINUTE)
    return Parent(
        order=order,
        route=route,
        start=now,
        deadline=deadline,
        close=facts.closes,
        lot=facts.lot,
        tick=facts.tick,
        sigma_day=facts.sigma_day,
        adv=facts.adv,
        beta=facts.beta,
        curve=volume_curve(now, deadline, facts.opens, facts.closes),
        tactics=tactics,
        is_cover=order.side is Side.BUY and order.order_qty <= facts.short,
    )


def _minutes(order: Order, route: Route, facts: Facts, tactics: Tactics) -> float:
    """The horizon: `horizon_min`, or where the edge and the size are known, what they make best."""
    if order.reason in NOT_DISCRETIONARY or facts.alpha <= 0 or facts.adv <= 0:
        return tactics.horizon_min
    share = order.order_qty / facts.adv
    haste = Haste(facts.alpha, tactics.alpha_tau_min, facts.sigma_day, share)
    return horizon(haste, tactics.max_horizon_min)


def netted(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """One order a name where several strategies trade it: what is left of buys against sells.

    It keeps the terms of the largest order of the side that is left, and the tightest price on it.
    """
    signed: Counter[str] = Counter()
    for order in orders:
        signed[order.symbol] += order.side.sign * order.order_qty
    kept = []
    for symbol in dict.fromkeys(order.symbol for order in orders):
        same = [o for o in orders if o.symbol == symbol and o.side.sign * signed[symbol] > 0]
        if not same:
            continue
        if len({order.side for order in same}) > 1:
            kept += _sells_then_shorts(same, abs(signed[symbol]))
            continue
        kept.append(_merged(same, abs(signed[symbol])))
    return tuple(kept)


def _merged(same: list[Order], qty: int) -> Order:
    largest = max(same, key=lambda order: (order.order_qty, order.cl_ord_id))
    sign = largest.side.sign
    price = sign * min(sign * order.price for order in same)
    return replace(largest, order_qty=qty, price=price)


def _sells_then_shorts(same: list[Order], qty: int) -> list[Order]:
    """A sale of what is held, then a short sale of the rest."""
    held = [order for order in same if order.side is Side.SELL]
    rest = [order for order in same if order.side is Side.SELL_SHORT]
    sold = min(qty, sum(order.order_qty for order in held))
    legs = [_merged(held, sold)] if sold else []
    return legs + ([_merged(rest, qty - sold)] if qty > sold else [])


def adopt(basket: Basket, parents: tuple[Parent, ...]) -> Basket:
    """Take in new parents; what has ended and has nothing in flight is let go."""
    kept = tuple(one for one in basket.works if one.outcome is None or one.child is not None)
    return replace(basket, works=kept + tuple(Progress(parent) for parent in parents))


def amend(basket: Basket, wanted: tuple[Parent, ...]) -> Basket:
    """The target has moved while orders work: what they are for changes, they are not all canceled.

    `wanted` says what is to be traded from now on, from settled positions. A working parent of the
    same name and side takes over its quantity and deadline, on top of what it has filled, and where
    it has become an exit or one for the auction, how it is worked; one that is no longer wanted
    winds down; what is left over becomes a new parent.
    """
    fresh = {(p.order.symbol, p.order.side): p for p in wanted}
    works = []
    for one in basket.works:
        if one.outcome is None:
            order = one.parent.order
            found = fresh.pop((order.symbol, order.side), None)
            one = _rerouted(replace(one, parent=_amended(one, found)), found)
        works.append(one)
    return adopt(replace(basket, works=tuple(works)), tuple(fresh.values()))


def call_off(basket: Basket, cl_ord_ids: Container[str]) -> Basket:
    """Orders that are wanted no more: what they have in flight is to be canceled, then they end."""
    works = tuple(
        replace(one, outcome=Code.ORDER_CALLED_OFF)
        if one.outcome is None and one.parent.order.cl_ord_id in cl_ord_ids
        else one
        for one in basket.works
    )
    return replace(basket, works=works)


def changed(basket: Basket, orders: Mapping[str, Order]) -> Basket:
    """Orders are for other shares, or another collar, than they were; `orders` by their ids.

    What is raised gets the time anew that the order had at first.
    """
    works = []
    for one in basket.works:
        order = orders.get(one.parent.order.cl_ord_id, one.parent.order)
        if one.outcome is None and order != one.parent.order:
            later = max(0, order.transact_time - one.parent.order.transact_time)
            deadline = min(one.parent.deadline + later, max(one.parent.close, one.parent.deadline))
            parent = replace(one.parent, order=order, deadline=deadline)
            one = replace(one, parent=parent)
        works.append(one)
    return replace(basket, works=tuple(works))


def _amended(one: Progress, wanted: Parent | None) -> Parent:
    parent = one.parent
    if wanted is None:
        return replace(parent, order=replace(parent.order, order_qty=one.filled))
    order = replace(
        parent.order, order_qty=one.filled + wanted.order.order_qty, price=wanted.order.price
    )
    return replace(parent, order=order, deadline=wanted.deadline)


def _rerouted(one: Progress, wanted: Parent | None) -> Progress:
    """Worked as the new decision has it, where the old way would be too slow or past the close.

    Elsewhere it stays as it is: another algorithm would give up the child's place in the queue.
    """
    if wanted is None:
        return one
    reason, at_close = wanted.order.reason, wanted.route.algorithm is Algorithm.CLOSE
    if reason not in NOT_DISCRETIONARY and not at_close:
        return one
    order = replace(one.parent.order, reason=reason, route=wanted.order.route)
    return replace(one, parent=replace(one.parent, order=order, route=wanted.route), misses=0)


def heard(basket: Basket, report: ExecutionReport) -> tuple[Basket, tuple[ExecutionReport, ...]]:
    """Fold a child's report; a fill comes back as one of the parent order.

    So does a fill of a parent that is not here any more: the cycle refuses it, and nothing goes on
    until it is reconciled. A fill is never dropped.
    """
    after = heard_by_basket(basket, report)
    parent_id = parent_of_child(report.cl_ord_id)
    known = any(one.parent.order.cl_ord_id == parent_id for one in basket.works)
    if report.exec_type not in TRADES or (known and after is basket):
        return after, ()
    return after, (replace(report, cl_ord_id=parent_id),)


def ended(before: Basket, after: Basket, now: int) -> tuple[ExecutionReport, ...]:
    """What the cycle is told of parents that ended in this round with shares left."""
    running = {one.parent.order.cl_ord_id for one in before.works if one.outcome is None}
    return tuple(
        _canceled(one, now)
        for one in after.works
        if one.outcome is not None and one.leaves_qty > 0 and one.parent.order.cl_ord_id in running
    )


def _canceled(one: Progress, now: int) -> ExecutionReport:
    order = one.parent.order
    return ExecutionReport(
        cl_ord_id=order.cl_ord_id,
        symbol=order.symbol,
        side=order.side,
        exec_id=f"{order.cl_ord_id}.{one.outcome}",
        exec_type=ExecType.CANCELED,
        last_qty=0,
        last_px=0.0,
        fee_micro=0,
        ts=now,
        text=str(one.outcome),
    )
