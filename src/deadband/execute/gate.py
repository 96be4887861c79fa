"""The pre-trade gate: the last check between the planner's orders and the broker.

It counts shares, limits and margin by itself, knows nothing of how the optimizer or the planner
came to their orders, and fails closed: what it cannot judge does not leave.

1. Every order, also one that only shrinks a position: quote, price, account, decision, duplicates.
2. Orders that grow a position: size, rate, the day's count, notional and loss.
3. A short sale goes only where the sale before it goes.
4. The book at its worst case, again until nothing more is denied: limits, margin, cash. Only what
   grows is denied here, and of that only what pushes the limit that is passed.

Cancels always pass, and so do reductions of orders at work. What a raise adds is judged like a new
order. Every denied order is kept in the plan, with a note that says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..core.arrays import Bools
from ..core.orders import Order, Replacement, Side
from ..core.reasons import GLOBAL, Code, Reason
from ..core.types import Plan
from .checks.book import breaches
from .checks.desk import Asked as Asked
from .checks.desk import Denial, Desk
from .checks.funds import shortages
from .checks.growth import GROWING
from .checks.margin import shortfalls
from .checks.single import EVERY, SENSE, Check
from .checks.weights import Breach, Weights, priced

Denials = dict[int, Denial]
"""By the place of the order on the desk."""


def gate(asked: Asked) -> Plan:
    """The plan without the orders that may not leave, and with the reason of each."""
    plan = asked.plan
    try:
        desk = Desk(asked)
        denials, fault = _denials(desk), ""
        orders, replaces = desk.orders, _passed(desk, denials)
        aside = [Reason(Code.KILL_UNREADABLE, GLOBAL)] if asked.seen.switch.fault else []
    except Exception as raised:  # noqa: BLE001 - whatever goes wrong in here, nothing leaves
        orders, replaces = plan.orders, ()
        denials = dict.fromkeys(range(len(orders)), Denial(Code.GATE_FAILED, 1.0, 0.0))
        fault, aside = type(raised).__name__, _unchanged(plan)
    notes = tuple(_note(orders[k], denials[k], fault) for k in sorted(denials))
    new = range(len(orders) - len(plan.orders), len(orders))
    return replace(
        plan,
        orders=tuple(orders[k] for k in new if k not in denials),
        replaces=replaces,
        notes=plan.notes + notes + tuple(aside),
        denied=plan.denied + tuple(orders[k] for k in sorted(denials)),
    )


def _passed(desk: Desk, denials: Denials) -> tuple[Replacement, ...]:
    """Reductions, and the raises that were not denied."""
    raises = (one for k, (one, _) in enumerate(desk.changes.raises) if k not in denials)
    return (*desk.changes.reductions.values(), *raises)


def _unchanged(plan: Plan) -> list[Reason]:
    """Where the gate failed, no change of an order leaves: it may not be what it says it is."""
    failed, changes = Code.GATE_FAILED, plan.replaces
    return [Reason(failed, GLOBAL, counterpart=one.cl_ord_id) for one in changes]


def _denials(desk: Desk) -> Denials:
    if not desk.orders:
        return {}
    places = range(len(desk.orders))
    desk.sense = np.array([_first(SENSE, desk, k) is None for k in places], dtype=np.bool_)
    denials: Denials = {}
    for k in places:
        checks = (*EVERY, *GROWING) if desk.growing[k] else EVERY
        denial = _first(checks, desk, k)
        if denial is not None:
            denials[k] = denial
    weights = Weights(desk)
    weights.order[~desk.sense] = 0.0
    while more := _depending(weights, denials):
        denials |= more
    return denials


def _first(checks: tuple[Check, ...], desk: Desk, k: int) -> Denial | None:
    """The first denial; a check that fails denies."""
    for check in checks:
        try:
            denial = check(desk, k)
        except Exception:  # noqa: BLE001 - an order that a check cannot read does not leave
            return Denial(Code.GATE_FAILED, 1.0, 0.0)
        if denial is not None:
            return denial
    return None


def _depending(weights: Weights, denials: Denials) -> Denials:
    """What has to go beside what is denied: short sales without their sale, what breaks a bound."""
    desk = weights.desk
    denied = np.zeros(len(desk.orders), dtype=np.bool_)
    denied[list(denials)] = True
    more = dict.fromkeys(_orphans(desk, denied), Denial(Code.GATE_LEG, 1.0, 0.0))
    broken = list(_broken(weights, denied))
    whole = _broken(Weights(desk), np.zeros_like(denied)) if broken else ()
    alone = {(one.denial.code, one.denial.limit) for one in whole}
    for breach in broken:
        own = breach.denial
        if (own.code, own.limit) not in alone:
            # Nothing would break it if all that was asked left: a denied leg was needed.
            own = replace(own, code=Code.GATE_LEG)
        for k in np.flatnonzero(breach.pushing & desk.growing & ~denied).tolist():
            more.setdefault(k, own)
    return more


def _broken(weights: Weights, denied: Bools) -> Iterator[Breach]:
    unpriced = priced(weights.desk)
    if unpriced is not None:
        yield unpriced
    yield from breaches(weights, denied)
    yield from shortfalls(weights, denied)
    yield from shortages(weights, denied)


def _orphans(desk: Desk, denied: Bools) -> Iterator[int]:
    """Short sales whose sale of what is held was denied: they would be sales of it."""
    for k, order in enumerate(desk.orders):
        if order.side is Side.SELL_SHORT and not denied[k]:
            sales = zip(desk.orders[:k], denied[:k].tolist(), strict=True)
            if any(
                gone and one.side is Side.SELL and one.symbol == order.symbol for one, gone in sales
            ):
                yield k


def _note(order: Order, denial: Denial, fault: str) -> Reason:
    sign = order.side.sign if isinstance(order.side, Side) else 0
    facts = {
        "shares": _number(order.order_qty) * sign,
        "price": _number(order.price),
        "value": denial.value,
        "bound": denial.bound,
    }
    return Reason(denial.code, order.symbol, facts, counterpart=fault, limit=denial.limit)


def _number(given: object) -> float:
    return float(given) if isinstance(given, int | float) else float("nan")
