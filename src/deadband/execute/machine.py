"""Works one parent order: what its algorithm wishes against the one child in flight.

Rules
  * A parent has one child at a time. Filled shares and what the child may still fill never pass the
    parent's quantity; no child is priced beyond the parent's collar.
  * A change of price or size is a replace. A change of kind is a cancel, and the new child waits
    until the cancel is confirmed: two living orders could fill twice. So is a reduction that was
    refused once: it would be refused every second.
  * While an answer is pending nothing more is asked of the child, but for its cancel.
  * From the deadline on nothing is sent but cancels.
  * Fills count whenever they come, also those of a child that was given up; a report that comes
    twice counts once. A cancel or a replace that is refused leaves the child as it was.
  * After two rejected children the parent ends: what the broker refuses is not sent for ever.
  * A child that the broker makes larger by itself is as large as it says: both halves of an order
    that it splits may fill.
  * Nothing is asked of a child of unknown fate, and no other takes its place. A child that the
    broker restates after it was given up ends the parent: two living children could fill twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..core.errors import BrokerError
from ..core.orders import TRADES, Action, ExecType, ExecutionReport, OrdStatus, OrdType, Tif
from ..core.parents import Child, ChildOrder, Instruction, Parent, Progress, Tick
from ..core.reasons import Code
from ..core.units import to_tick
from .algorithms.table import SCHEDULES, WISHES
from .algorithms.wish import Wish, nothing, whole_lots

CROSSINGS = frozenset({Code.ALGO_CROSSES, Code.ALGO_ADVERSE, Code.ALGO_IMBALANCE, Code.ALGO_BEHIND})
SECOND = 1_000_000_000
MOST_REJECTS = 2
GONE = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED})
ALIVE = frozenset({ExecType.NEW, ExecType.RESTATED})


@dataclass(frozen=True, slots=True)
class Allowance:
    """Shares a parent may have working, as the basket sees it, and the code if that is too few."""

    qty: int
    code: Code | None = None


def observe(progress: Progress, tick: Tick) -> Progress:
    """Take note of a tick without acting on it; one that is not newer changes nothing."""
    if tick.ts <= progress.last_tick:
        return progress
    if not progress.arrival:
        begins = tick.is_quoted and tick.ts >= progress.parent.start
        return replace(progress, last_tick=tick.ts, arrival=tick.mid if begins else 0.0)
    return replace(progress, last_tick=tick.ts, volume=progress.volume + tick.volume)


def act(
    progress: Progress, tick: Tick, allowance: Allowance | None = None
) -> tuple[Progress, Instruction | None]:
    """What to send now, at most one message, and the progress once it is sent."""
    if progress.outcome is not None and progress.child is None:
        return progress, None
    wish = _wish(progress, tick)
    if wish.final and progress.child is None:
        return replace(progress, outcome=wish.code, waits=None), None
    wish, waits = _clipped(progress, wish, allowance)
    progress = replace(progress, waits=waits, crossing=progress.crossing or wish.crossing)
    intent = _intent(progress, wish, tick.ts)
    return (progress, None) if intent is None else (_sent(progress, intent), intent)


def _wish(progress: Progress, tick: Tick) -> Wish:
    """The algorithm's wish, where the parent still runs and there is something to trade on."""
    parent = progress.parent
    if progress.outcome is not None:
        return nothing(progress.outcome, final=True)
    if progress.leaves_qty == 0:
        return nothing(Code.ORDER_DONE, final=True)
    if tick.ts >= parent.deadline or _is_too_late(progress, tick.ts):
        return nothing(Code.ORDER_DEADLINE, final=True)
    if progress.rejects >= MOST_REJECTS:
        return nothing(Code.ORDER_CHILD_REJECTED, final=True)
    if tick.ts < parent.start:
        return nothing(Code.ALGO_RESTS)
    if not tick.is_quoted or not progress.arrival:
        return nothing(Code.ALGO_NO_QUOTE)
    return WISHES[parent.route.algorithm](progress, tick)


def _is_too_late(progress: Progress, now: int) -> bool:
    """Whether the session is over, its auction apart: a new order would be the next session's."""
    child = progress.child
    in_auction = child is not None and child.order.tif is Tif.CLS
    return now >= progress.parent.close and not in_auction


def _clipped(
    progress: Progress, wish: Wish, allowance: Allowance | None
) -> tuple[Wish, Code | None]:
    """The wish within what is left, what is allowed, and the collar; and what held it back."""
    if wish.qty == 0:
        return wish, None if wish.final else wish.code
    parent, waits = progress.parent, None
    qty = min(wish.qty, progress.leaves_qty)
    if allowance is not None and allowance.qty < qty:
        # What is in flight was allowed when it was sent: to call it back would be to flutter.
        working = 0 if progress.child is None else progress.child.worst_leaves
        allowed = max(working, whole_lots(max(0, allowance.qty), parent.lot))
        qty, waits = min(qty, allowed), allowance.code
    sign = parent.order.side.sign
    # Crossing prices reach out to the tick, resting ones stay behind it; the collar bounds both.
    up = (sign > 0) == wish.crossing
    price = to_tick(wish.price, parent.tick, up=up)
    collar = to_tick(parent.order.price, parent.tick, up=sign < 0)
    price = sign * min(sign * price, sign * collar)
    return replace(wish, qty=qty, price=price), waits


def _intent(progress: Progress, wish: Wish, now: int) -> Instruction | None:
    """The one message that leads from the child in flight to the wish."""
    child = progress.child
    if child is None:
        fresh = wish.qty > 0 and not wish.final
        return Instruction(Action.NEW, _new_order(progress, wish, now)) if fresh else None
    if child.status in (OrdStatus.PENDING_CANCEL, OrdStatus.UNKNOWN):
        return None
    if is_locked(progress.parent, child.order, now):
        return None
    too_much = progress.filled + child.worst_leaves > progress.parent.order.order_qty
    stays = child.order.hand_off is not None or _was_refused(progress, child)
    if wish.qty == 0 or not _same_kind(child.order, wish) or (too_much and stays):
        return Instruction(Action.CANCEL, child.order)
    if child.status is not OrdStatus.NEW:
        return None
    order_qty = child.cum_qty + wish.qty
    if order_qty == child.order.order_qty and wish.price == child.order.price:
        return None
    if not _may_replace(progress, child, wish, now):
        return None
    changed = replace(
        child.order,
        order_qty=order_qty,
        price=wish.price,
        reason=wish.code,
        transact_time=now,
        revision=child.order.revision + 1,
    )
    return Instruction(Action.REPLACE, changed)


def _was_refused(progress: Progress, child: Child) -> bool:
    """Whether the last change of a child that has nothing under way was not taken."""
    return child.asked is None and child.order.transact_time < progress.last_change


def is_locked(parent: Parent, order: ChildOrder, now: int) -> bool:
    """Whether the auction's cut-off has passed, after which the exchange takes no cancel."""
    cutoff = parent.close - int(parent.tactics.close_cutoff_min * 60 * SECOND)
    return order.tif is Tif.CLS and now >= cutoff


def _same_kind(order: ChildOrder, wish: Wish) -> bool:
    """Whether a replace can lead to the wish: it changes price and size, and nothing else."""
    kind = (wish.ord_type, wish.tif, wish.venue, wish.hand_off)
    return (order.ord_type, order.tif, order.venue, order.hand_off) == kind


def _may_replace(progress: Progress, child: Child, wish: Wish, now: int) -> bool:
    """Whether a change is worth a message; one that keeps the parent within its quantity always is.

    An order that ends by itself, or that an algorithm of the broker's works, is not changed.
    """
    parent = progress.parent
    tactics = parent.tactics
    if wish.tif is Tif.IOC or wish.hand_off is not None:
        return False
    if progress.filled + child.worst_leaves > parent.order.order_qty:
        return True
    if wish.ord_type is not OrdType.LIMIT:
        return False
    first_cross = wish.crossing and child.order.reason not in CROSSINGS
    spent = progress.replaces >= replace_budget(parent) + wish.crossing
    waited = now - progress.last_change >= int(tactics.min_reprice_s * SECOND)
    return not spent and (first_cross or waited)


def replace_budget(parent: Parent) -> int:
    """Replaces of a parent; one more is kept for crossing."""
    each = parent.tactics.max_replaces
    return each * parent.tactics.slices if parent.route.algorithm in SCHEDULES else each


def _new_order(progress: Progress, wish: Wish, now: int) -> ChildOrder:
    parent = progress.parent.order
    return ChildOrder(
        cl_ord_id=f"{parent.cl_ord_id}.{progress.children + 1}",
        parent_id=parent.cl_ord_id,
        symbol=parent.symbol,
        side=parent.side,
        order_qty=wish.qty,
        ord_type=wish.ord_type,
        price=wish.price,
        tif=wish.tif,
        venue=wish.venue,
        reason=wish.code,
        transact_time=now,
        hand_off=wish.hand_off,
    )


def _sent(progress: Progress, intent: Instruction) -> Progress:
    """The progress once the message is on its way."""
    order, child = intent.order, progress.child
    if intent.action is Action.NEW:
        return replace(
            progress,
            child=Child(order, OrdStatus.PENDING_NEW),
            children=progress.children + 1,
            last_change=order.transact_time,
        )
    assert child is not None, "only a child in flight is changed or canceled"
    if intent.action is Action.CANCEL:
        return replace(progress, child=replace(child, status=OrdStatus.PENDING_CANCEL))
    return replace(
        progress,
        child=replace(child, status=OrdStatus.PENDING_REPLACE, asked=order),
        replaces=progress.replaces + 1,
        last_change=order.transact_time,
    )


def hear(progress: Progress, report: ExecutionReport) -> Progress:
    """Fold a report on one of the parent's children; one heard before changes nothing."""
    if report.exec_id in progress.heard:
        return progress
    progress = replace(progress, heard=(*progress.heard, report.exec_id))
    child = progress.child
    current = child is not None and child.order.cl_ord_id == report.cl_ord_id
    if report.exec_type in TRADES:
        filled = progress.filled + report.last_qty - report.prior_qty
        progress = replace(progress, filled=filled)
    if child is None or not current:
        if report.exec_type is ExecType.RESTATED:
            return replace(progress, outcome=Code.ORDER_CHILD_RESTATED)
        return progress
    if report.exec_type in GONE:
        rejected = report.exec_type is ExecType.REJECTED
        missed = not rejected and child.status is not OrdStatus.PENDING_CANCEL
        rejects, misses = progress.rejects + rejected, progress.misses + missed
        return replace(progress, child=None, rejects=rejects, misses=misses)
    after = _filled(child, report) if report.exec_type in TRADES else _told(child, report)
    return replace(progress, child=after)


def _filled(child: Child, report: ExecutionReport) -> Child | None:
    """The child after a fill; None once it is done."""
    cum_qty = child.cum_qty + report.last_qty - report.prior_qty
    most = child.cum_qty + child.worst_leaves
    if not 0 <= cum_qty <= most:
        raise BrokerError(
            f"child {child.order.cl_ord_id} is filled {cum_qty} of {most}. "
            "Reconcile before trading on."
        )
    if cum_qty == most:
        return None
    # A fill says that it is live, even where no acknowledgment came, or nobody could find it.
    is_silent = child.status in (OrdStatus.PENDING_NEW, OrdStatus.UNKNOWN)
    status = OrdStatus.NEW if is_silent else child.status
    return replace(child, cum_qty=cum_qty, status=status)


def _told(child: Child, report: ExecutionReport) -> Child | None:
    """The child after an answer of the broker's."""
    if report.exec_type is ExecType.UNKNOWN:
        return replace(child, status=OrdStatus.UNKNOWN)
    if report.exec_type in ALIVE and child.status in (OrdStatus.PENDING_NEW, OrdStatus.UNKNOWN):
        return replace(child, status=OrdStatus.NEW)
    if report.exec_type is ExecType.CANCEL_REJECTED:
        return _refused(child)
    if report.exec_type is ExecType.REPLACED and child.asked is not None:
        pending = child.status is OrdStatus.PENDING_CANCEL
        status = OrdStatus.PENDING_CANCEL if pending else OrdStatus.NEW
        asked = replace(child, order=child.asked, asked=None, status=status)
        return _unless_filled(_grown(asked, report))
    return _grown(child, report) if report.exec_type is ExecType.REPLACED else child


def _grown(child: Child, report: ExecutionReport) -> Child:
    """The child by the broker's word for its size, where that is the larger."""
    order_qty = max(child.order.order_qty, report.order_qty)
    return replace(child, order=replace(child.order, order_qty=order_qty))


def _refused(child: Child) -> Child | None:
    """The child after a refusal: of the replace where both were asked, for it was asked first."""
    if child.asked is None:
        return replace(child, status=OrdStatus.NEW)
    pending = child.status is OrdStatus.PENDING_CANCEL
    status = OrdStatus.PENDING_CANCEL if pending else OrdStatus.NEW
    return _unless_filled(replace(child, asked=None, status=status))


def _unless_filled(child: Child) -> Child | None:
    return child if child.worst_leaves > 0 else None
