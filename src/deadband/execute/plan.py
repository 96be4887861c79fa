"""Weight changes become whole-lot orders, sells before buys.

1. Growth rounds down, shrinkage up: rounding never adds risk.
2. Orders at work are amended where that is all it takes (amend.py); one that opposes otherwise is
   canceled first; one that is too old at the end, where no limit needs it.
3. An order through zero only closes, and beside a cancel nothing grows, unless a limit needs it
   now: the hedge's, and those without which the book would pass a limit.
4. Tickets below the minimum are dropped, exits and what keeps a limit apart.
5. Where cash runs short or a limit is passed, orders give shares back (keep.py).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.arrays import Floats, Ints, is_one_of
from ..core.config import ExecutionSettings
from ..core.orders import MINUTE_NS, Algorithm, Order, OrdStatus, OrdType, Side, WorkingOrder
from ..core.problem import Problem
from ..core.reasons import BY_NUMBER, FREE, Code
from ..core.seen import Market, Portfolio, Seen, Universe
from ..core.tactics import Tactics
from ..core.types import Decision, Plan
from ..core.units import BPS, epoch_ns, tick_size, to_tick
from .amend import add_to, find_room, take_back
from .draft import WHOLE, Draft
from .keep import keep_cash, keep_limits
from .router import routed

STANDARD = Tactics()
DAY_MIN = 1440.0

NEEDED = (*FREE.tolist(), Code.BAND_BYPASSED.number, Code.HEDGE_BETA.number)
"""Codes of trades that keep a limit: no minimum ticket stops them."""


def plan(
    universe: Universe,
    decision: Decision,
    problem: Problem,
    seen: Seen,
    working: tuple[WorkingOrder, ...],
    cycle_id: str,
    settings: ExecutionSettings,
    tactics: Tactics = STANDARD,
) -> Plan:
    """Orders that carry out the decision from what is settled and working now."""
    if seen.switch.mode == "HALTED":
        return Plan((), tuple(w.order.cl_ord_id for w in working if _cancelable(w)), ())
    rounded = _rounded(universe, decision, seen)
    draft = Draft(universe, decision, problem, seen, settings, rounded)
    _note_rounded_to_zero(draft)
    find_room(draft, working)
    opposing, held_back = _cancel_opposing(draft, working)
    _wait_where_limits_allow(draft, held_back)
    _drop_small(draft)
    keep_cash(draft)
    keep_limits(draft)
    reductions, undone = take_back(draft, working)
    wanted = routed(_wanted(draft, cycle_id), universe, seen, settings, tactics)
    raises = add_to(draft, working, wanted)
    replaces = reductions + tuple(raises.values())
    cancels = opposing + undone
    amended = (*cancels, *(one.cl_ord_id for one in replaces))
    cancels += _cancel_old(draft, working, amended, tactics)
    orders = _numbered(tuple(one for one in wanted if one.cl_ord_id not in raises))
    return Plan(orders=orders, cancels=cancels, notes=tuple(draft.notes), replaces=replaces)


def _rounded(universe: Universe, decision: Decision, seen: Seen) -> Ints:
    """Whole lots (n,): growth rounded down, shrinkage up, exits exact."""
    book = seen.portfolio
    held = book.shares + book.working
    change = decision.target - book.weights
    price = np.where(book.price > 0, book.price, np.inf)
    wanted = np.abs(change) * book.nav / price
    flips = decision.target * book.weights < 0
    shrinks = (np.abs(decision.target) < np.abs(book.weights)) & (change != 0) & ~flips
    lots = wanted / universe.lot
    lots = np.where(shrinks, np.ceil(lots - WHOLE), np.floor(lots + WHOLE))
    size = (lots * universe.lot).astype(np.int64)
    size = np.where(shrinks, np.minimum(size, np.abs(held)), size)
    size = np.where((decision.target == 0) & (change != 0), np.abs(held), size)
    signed: Ints = np.where(change != 0, np.sign(change) * size, 0).astype(np.int64)
    return signed


def _note_rounded_to_zero(draft: Draft) -> None:
    book = draft.seen.portfolio
    change = draft.decision.target - book.weights
    for name in np.flatnonzero((change != 0) & (draft.shares == 0)).tolist():
        draft.note(Code.ORDER_ROUNDED_TO_ZERO, name, usd=float(abs(change[name])) * book.nav)


def _cancelable(order: WorkingOrder) -> bool:
    return order.status not in (OrdStatus.PENDING_CANCEL, OrdStatus.UNKNOWN)


def _cancel_opposing(
    draft: Draft, working: tuple[WorkingOrder, ...]
) -> tuple[tuple[str, ...], dict[int, int]]:
    """Working orders against a trade of its own, which then only closes settled shares.

    What is being canceled already does not count as held. Beside them, by name, the signed shares
    that the whole trade would be once nothing of a cancel fills: those that keep the position's
    side even if all of it does.
    """
    settled, wanted, canceled = draft.seen.portfolio.shares, draft.shares.copy(), []
    whole: dict[int, int] = {}
    for order in working:
        name = draft.universe.index[order.order.symbol]
        asked, first = whole.get(name, int(wanted[name])), int(wanted[name])
        leaves = order.order.side.sign * order.least_leaves
        opposes = asked * leaves < 0 < asked * first
        if _cancelable(order) and opposes and not draft.undoes[name]:
            draft.note(Code.ORDER_CANCEL_FIRST, name)
            whole[name] = asked + leaves
            draft.canceled[name] += leaves
            draft.shares[name] = _against_settled(whole[name], first, int(settled[name]))
            canceled.append(order.order.cl_ord_id)
    least = settled + draft.canceled
    grows = {
        name: shares
        for name, shares in whole.items()
        if shares * draft.canceled[name] < 0
        and shares * settled[name] > 0
        and shares * least[name] >= 0
    }
    return tuple(canceled), grows


def _cancel_old(
    draft: Draft, working: tuple[WorkingOrder, ...], amended: tuple[str, ...], tactics: Tactics
) -> tuple[str, ...]:
    """Orders that have worked for too long: what is left of them is decided anew in a later cycle.

    One without which the book would pass a limit until then works on.
    """
    now, old = epoch_ns(draft.seen.now), []
    for order in working:
        known = order.order.cl_ord_id in amended or not _cancelable(order)
        life_min = _life_min(order.order, draft.settings, tactics)
        if known or now - order.order.transact_time < int(life_min * MINUTE_NS):
            continue
        name = draft.universe.index[order.order.symbol]
        leaves, before = order.order.side.sign * order.least_leaves, draft.excess()
        draft.canceled[name] += leaves
        if draft.excess() > before:
            draft.canceled[name] -= leaves
        else:
            old.append(order.order.cl_ord_id)
    return tuple(old)


def _life_min(order: Order, settings: ExecutionSettings, tactics: Tactics) -> float:
    """Minutes an order may work: a schedule as long as schedules are, the auction's to its end."""
    if order.route is None:
        return settings.order_life_min
    if order.route.algorithm is Algorithm.CLOSE:
        return DAY_MIN
    return max(settings.order_life_min, tactics.max_horizon_min)


def _against_settled(without: int, wanted: int, settled: int) -> int:
    """What is left to trade once the opposing leaves are canceled; only closes settled shares."""
    if without * wanted <= 0 or settled * wanted >= 0:
        return 0
    return int(np.sign(wanted)) * min(abs(without), abs(settled))


def _wait_where_limits_allow(draft: Draft, held_back: dict[int, int]) -> None:
    """A name opens its other side, or grows beside a cancel, in a later cycle.

    Not where a limit is passed by waiting: a hedge that waited would leave beta open; so would any
    name whose shares were to keep BETA, NET or a sector. Those that relieve most are let through,
    until the limits hold.
    """
    held, hedge = draft.held, draft.problem.hedge
    crossing = held * (held + draft.shares) < 0
    crossing[hedge] &= hedge < 0
    closing = np.flatnonzero(crossing).tolist()
    whole = draft.shares.copy()
    draft.shares[closing] = -held[closing]
    for name, shares in held_back.items():
        whole[name] = shares
    waiting = closing + list(held_back)

    def excess_through(name: int) -> float:
        shares = draft.shares.copy()
        shares[name] = whole[name]
        return draft.excess(shares)

    over = draft.excess() if waiting else 0.0
    while waiting and over > 0.0:
        symbols = draft.universe.symbols
        left, _, best = min((excess_through(name), symbols[name], name) for name in waiting)
        if left >= over:
            break
        draft.shares[best], over = whole[best], left
        waiting.remove(best)
    for name in closing:
        if name in waiting:
            draft.note(Code.ORDER_CLOSE_FIRST, name)


def _drop_small(draft: Draft) -> None:
    usd, minimum = np.abs(draft.shares) * draft.seen.portfolio.price, draft.settings.min_ticket_usd
    optional = (draft.decision.target != 0) & ~is_one_of(draft.decision.code, NEEDED)
    for name in np.flatnonzero((draft.shares != 0) & (usd < minimum) & optional).tolist():
        draft.note(Code.ORDER_BELOW_MIN_TICKET, name, usd=float(usd[name]), minimum=minimum)
        draft.shares[name] = 0


def _wanted(draft: Draft, cycle_id: str) -> tuple[Order, ...]:
    """An order for each leg of the draft, whether it will be sent or added to one at work."""
    universe, settings = draft.universe, draft.settings
    market, book = draft.seen.market, draft.seen.portfolio
    usd: Floats = np.abs(draft.shares) * book.price
    traded = np.flatnonzero(draft.shares).tolist()
    traded.sort(key=lambda i: (draft.shares[i] > 0, -usd[i], universe.symbols[i]))
    legs = [(name, *leg) for name in traded for leg in _legs(name, book, int(draft.shares[name]))]
    return tuple(
        Order(
            cl_ord_id=f"{settings.strategy}.{cycle_id}.{k:03d}",
            symbol=universe.symbols[name],
            side=side,
            order_qty=qty,
            ord_type=OrdType.LIMIT,
            price=_limit_price(market, name, side, settings),
            decision_id=cycle_id,
            reason=BY_NUMBER[int(draft.decision.code[name])].value,
            arrival=float(market.mid[name]),
            transact_time=epoch_ns(draft.seen.now),
        )
        for k, (name, side, qty) in enumerate(legs)
    )


def _numbered(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """Numbered in turn, without the places of those that are not sent."""
    return tuple(
        replace(order, cl_ord_id=f"{order.cl_ord_id.rpartition('.')[0]}.{k:03d}")
        for k, order in enumerate(orders)
    )


def _legs(name: int, book: Portfolio, shares: int) -> list[tuple[Side, int]]:
    """A sale through zero is a sell of what is held and a short sale of the rest."""
    if shares > 0:
        return [(Side.BUY, shares)]
    held = max(0, int(book.shares[name] + book.working[name]))
    sold, short = min(-shares, held), max(0, -shares - held)
    return [leg for leg in ((Side.SELL, sold), (Side.SELL_SHORT, short)) if leg[1]]


def _limit_price(market: Market, name: int, side: Side, settings: ExecutionSettings) -> float:
    """The collar beyond the far touch, USD on tick."""
    touch = float(market.ask[name] if side is Side.BUY else market.bid[name])
    tick = float(tick_size(market.last[[name]])[0])
    return to_tick(touch * (1 + side.sign * settings.collar_bps * BPS), tick, up=side is Side.BUY)
