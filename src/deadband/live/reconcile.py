"""The journal against the broker: waits until the broker's word stands still, and compares.

Rules
  * Two passes in a row have to say the same, and nothing may be heard between them. Where others
    trade on, a name is compared if at least its own orders and shares stood still.
  * What differs is named and frozen, never traded over: only a human, or the broker's own word
    later on, ends it.
  * Foreign orders and positions are seen and reserved. They are never touched.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from ..core.broker import Broker, BrokerSnapshot, Ok
from ..core.errors import BrokerError
from ..core.events import Difference, OrderState
from ..core.lifecycle import FINAL
from ..core.orders import SAME_PRICE, ExecType, Order, OrdStatus, WorkingOrder
from ..core.parents import Basket, ChildOrder
from ..core.reasons import Code
from ..core.types import State

MOST_PASSES = 6
LARGEST_RATIO = 20


@dataclass(frozen=True, slots=True)
class Looked:
    """The last of some passes, and the names whose books differ from those of the pass before."""

    shot: BrokerSnapshot
    moving: frozenset[str]
    is_at_rest: bool


async def agreed(
    broker: Broker, hear: Callable[[], int], settle_s: float, passes: int = MOST_PASSES
) -> BrokerSnapshot:
    """A snapshot that two passes agree on; `hear` takes what was heard and counts it.

    Raises BrokerError where a part is not known, or where the books do not come to rest.
    """
    seen = await looked(broker, hear, settle_s, passes)
    expect_rest(seen, passes)
    return seen.shot


def expect_rest(seen: Looked, passes: int = MOST_PASSES) -> None:
    if not seen.is_at_rest:
        raise BrokerError(
            f"the broker's books still moved after {passes} passes. They are asked again."
        )


async def looked(
    broker: Broker, hear: Callable[[], int], settle_s: float, passes: int = MOST_PASSES
) -> Looked:
    """Passes until two agree, or so many; raises BrokerError where a part is not known."""
    counted, names, shot, moving = -1, dict[str, list[object]](), None, frozenset[str]()
    for _ in range(passes):
        if shot is not None:
            await asyncio.sleep(settle_s)
        shot = await broker.snapshot()
        if not shot.is_complete:
            raise BrokerError(f"the broker's books are not known: {shot}. They are asked again.")
        before, counted_before, names, counted = names, counted, _by_name(shot), hear()
        told = before.keys() | names.keys()
        moving = frozenset(name for name in told if before.get(name) != names.get(name))
        if not moving and counted == counted_before:
            return Looked(shot, moving, is_at_rest=True)
    assert shot is not None, "there is a pass at least"
    return Looked(shot, moving, is_at_rest=False)


def _by_name(shot: BrokerSnapshot) -> dict[str, list[object]]:
    """What two passes are compared by; money moves with every tick and does not count."""
    found: dict[str, list[object]] = defaultdict(list)
    for section in (shot.orders, shot.foreign, shot.positions):
        for one in section.value if isinstance(section, Ok) else ():
            found[one.symbol].append(one)
    return found


def lost_cancels(state: State, shot: BrokerSnapshot) -> tuple[WorkingOrder, ...]:
    """Orders of which we wait for a cancel, and which the broker lists as plainly at work."""
    at_work = _at_work(shot)
    return tuple(
        order
        for order in state.working
        if order.status is OrdStatus.PENDING_CANCEL and order.order.cl_ord_id in at_work
    )


def lost_changes(state: State, shot: BrokerSnapshot) -> tuple[tuple[WorkingOrder, ExecType], ...]:
    """Orders of which we wait for a change, and which the broker lists as plainly at work.

    Each with what that says: REPLACED where the broker has it as asked, else CANCEL_REJECTED.
    """
    at_work, found = _at_work(shot), []
    for order in state.working:
        there, wanted = at_work.get(order.order.cl_ord_id), order.wanted
        if there is None or wanted is None or order.status is not OrdStatus.PENDING_REPLACE:
            continue
        found.append((order, _answer(there, wanted)))
    return tuple(found)


def lost_asks(basket: Basket, shot: BrokerSnapshot) -> tuple[tuple[ChildOrder, ExecType], ...]:
    """The same of children, of which we wait for a cancel or a change."""
    at_work, found = _at_work(shot), []
    pending = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)
    for child in (one.child for one in basket.works):
        there = None if child is None else at_work.get(child.order.cl_ord_id)
        if child is None or there is None or child.status not in pending:
            continue
        answer = ExecType.CANCEL_REJECTED
        if child.asked is not None and child.status is OrdStatus.PENDING_REPLACE:
            answer = _answer(there, child.asked)
        found.append((child.order, answer))
    return tuple(found)


def _answer(there: OrderState, wanted: Order | ChildOrder) -> ExecType:
    """What became of a change, by how the broker has the order."""
    taken = there.order_qty == wanted.order_qty and abs(there.price - wanted.price) < SAME_PRICE
    return ExecType.REPLACED if taken else ExecType.CANCEL_REJECTED


def _at_work(shot: BrokerSnapshot) -> dict[str, OrderState]:
    """What the broker lists with nothing under way."""
    plain = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.SUSPENDED)
    return {order.cl_ord_id: order for order in _orders(shot) if order.status in plain}


def differences(state: State, basket: Basket, shot: BrokerSnapshot) -> tuple[Difference, ...]:
    """Everything on which state and broker disagree, and everything that is not ours."""
    found = (*positions_differing(state, shot), *_foreign(shot), *_own_orders(state, basket, shot))
    return tuple(sorted(found, key=lambda one: (one.symbol, one.code)))


def positions_differing(state: State, shot: BrokerSnapshot) -> Iterator[Difference]:
    """Names of which the broker holds other shares than the state, or that are not the run's."""
    assert isinstance(shot.positions, Ok), "only what is known is compared"
    held = {report.symbol: report.qty for report in shot.positions.value}
    book = zip(state.universe.symbols, state.book.shares.tolist(), strict=True)
    for symbol, expected in book:
        there = held.pop(symbol, 0)
        if there != expected:
            code = Code.RECON_POSITION_DIFFERS
            if _is_ratio(expected, there):
                code = Code.RECON_SPLIT_RATIO
            yield Difference(symbol, code, expected, there, abs(there - expected))
    for symbol, there in held.items():
        yield Difference(symbol, Code.RECON_FOREIGN_POSITION, 0, there, 0)


def _is_ratio(expected: int, held: int) -> bool:
    """Whether one is a small multiple of the other, or half as much again, as splits make it."""
    if expected * held <= 0:
        return False
    ratio = Fraction(held, expected)
    small = max(ratio.numerator, ratio.denominator) <= LARGEST_RATIO
    return small and (min(ratio.numerator, ratio.denominator) == 1 or ratio == Fraction(3, 2))


def _foreign(shot: BrokerSnapshot) -> Iterator[Difference]:
    assert isinstance(shot.foreign, Ok), "only what is known is compared"
    for order in shot.foreign.value:
        code = Code.RECON_FOREIGN_ORDER
        yield Difference(order.symbol, code, 0, order.cum_qty, max(order.leaves_qty, 1), order.text)


def _own_orders(state: State, basket: Basket, shot: BrokerSnapshot) -> Iterator[Difference]:
    """Orders of ours that one side has alive and the other has not, or filled otherwise."""
    told = {order.cl_ord_id: order for order in _orders(shot)}
    for ref, symbol, cum_qty, leaves_qty in _expected(state, basket):
        there = told.pop(ref, None)
        if there is None or there.status in FINAL or there.cum_qty != cum_qty:
            held = 0 if there is None else there.cum_qty
            code = Code.RECON_ORDER_DIFFERS
            yield Difference(symbol, code, cum_qty, held, max(leaves_qty, 1), ref)
    for ref, there in told.items():
        if there.status not in FINAL:
            reserved = max(there.leaves_qty, 1)
            code = Code.RECON_ORDER_DIFFERS
            yield Difference(there.symbol, code, 0, there.cum_qty, reserved, ref)


def _expected(state: State, basket: Basket) -> Iterator[tuple[str, str, int, int]]:
    """What the broker should have alive: id, symbol, shares filled and left.

    Of an order that is worked, that is its child in flight.
    """
    for order in state.working:
        if order.order.route is None:
            yield order.order.cl_ord_id, order.order.symbol, order.cum_qty, order.leaves_qty
    for one in basket.works:
        if one.child is not None:
            child = one.child
            yield child.order.cl_ord_id, child.order.symbol, child.cum_qty, child.worst_leaves


def _orders(shot: BrokerSnapshot) -> tuple[OrderState, ...]:
    assert isinstance(shot.orders, Ok), "only what is known is compared"
    return shot.orders.value
