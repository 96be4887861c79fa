"""Weight changes become whole-lot orders, sells before buys.

1. Growth rounds down, shrinkage up: rounding never adds risk.
2. An order through zero only closes, unless a limit needs the other side now: the hedge's, and
   those without which the book would pass a limit. A working order that opposes is canceled first.
3. Tickets below the minimum are dropped, exits and what keeps a limit apart.
4. Where cash runs short, opening buys are reduced; shares sold short are no cash to buy with.
5. Where rounding or a dropped order broke a limit, growing orders are reduced, and shares that
   were rounded up given back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from ..core.config import ExecutionSettings
from ..core.limits import excesses
from ..core.orders import Order, OrdStatus, OrdType, Side, WorkingOrder
from ..core.reasons import BY_NUMBER, FREE, Code, Reason
from ..core.seen import Market, Portfolio, Seen, Universe
from ..core.tactics import Tactics
from ..core.types import Decision, Plan, Problem
from ..core.units import BPS, epoch_ns, tick_size, to_tick
from .router import routed

STANDARD = Tactics()

FEE_ALLOWANCE = 0.001
"""Share of a buy's notional kept for its fees when cash is counted."""

NEEDED = np.append(FREE, (Code.BAND_BYPASSED.number, Code.HEDGE_BETA.number))
"""Codes of trades that keep a limit: no minimum ticket stops them."""

WHOLE = 1e-6
"""A share count this close to a whole number is that number."""


@dataclass(slots=True, eq=False)
class _Draft:
    """Signed shares (n,) to trade while they are being rounded."""

    shares: Ints
    notes: list[Reason]

    def reduce(self, universe: Universe, name: int, less: int, code: Code) -> None:
        """Take `less` shares off the order of one name."""
        self.shares[name] -= int(np.sign(self.shares[name])) * less
        self.notes.append(Reason(code, universe.symbols[name], {"shares": float(less)}))


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
    draft = _Draft(_rounded(universe, decision, seen), [])
    _note_rounded_to_zero(universe, decision, seen, draft)
    cancels = _cancels(universe, seen, working, draft, settings)
    _close_before_flip(universe, problem, seen, draft)
    _drop_small(universe, decision, seen, draft, settings)
    _keep_cash(universe, decision, problem, seen, draft, settings)
    _keep_limits(universe, decision, problem, seen, draft, settings)
    orders = _orders(universe, decision, seen, draft, cycle_id, settings)
    return Plan(
        orders=routed(orders, universe, seen, settings, tactics),
        cancels=cancels,
        notes=tuple(draft.notes),
    )


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


def _note_rounded_to_zero(
    universe: Universe, decision: Decision, seen: Seen, draft: _Draft
) -> None:
    change = decision.target - seen.portfolio.weights
    for name in np.flatnonzero((change != 0) & (draft.shares == 0)).tolist():
        facts = {"usd": float(abs(change[name])) * seen.portfolio.nav}
        draft.notes.append(Reason(Code.ORDER_ROUNDED_TO_ZERO, universe.symbols[name], facts))


def _cancelable(order: WorkingOrder) -> bool:
    return order.status not in (OrdStatus.PENDING_CANCEL, OrdStatus.UNKNOWN)


def _cancels(
    universe: Universe,
    seen: Seen,
    working: tuple[WorkingOrder, ...],
    draft: _Draft,
    settings: ExecutionSettings,
) -> tuple[str, ...]:
    """Working orders to cancel: too old, or against the new trade, which then only closes shares.

    It closes settled ones. What is being canceled already does not count as held.
    """
    oldest = epoch_ns(seen.now) - int(settings.order_life_min * 60e9)
    canceled = []
    for order in working:
        name = universe.index[order.order.symbol]
        opposes = _cancelable(order) and draft.shares[name] * order.order.side.sign < 0
        if opposes:
            symbol = order.order.symbol
            draft.notes.append(Reason(Code.ORDER_CANCEL_FIRST, symbol))
            draft.shares[name] = _against_settled(
                int(draft.shares[name]) + order.order.side.sign * order.leaves_qty,
                int(draft.shares[name]),
                int(seen.portfolio.shares[name]),
            )
        if _cancelable(order) and (opposes or order.order.transact_time <= oldest):
            canceled.append(order.order.cl_ord_id)
    return tuple(canceled)


def _against_settled(without: int, wanted: int, settled: int) -> int:
    """What is left to trade once the opposing leaves are canceled; only closes settled shares."""
    if without * wanted <= 0 or settled * wanted >= 0:
        return 0
    return int(np.sign(wanted)) * min(abs(without), abs(settled))


def _close_before_flip(universe: Universe, problem: Problem, seen: Seen, draft: _Draft) -> None:
    """A name opens its other side in a later cycle, where no limit is passed by waiting.

    A hedge that waited would leave beta open; so would any name whose other side was to keep BETA,
    NET or a sector. Those that relieve most are let through, until the limits hold.
    """
    held = seen.portfolio.shares + seen.portfolio.working
    per_share = seen.portfolio.price / seen.portfolio.nav
    crossing = held * (held + draft.shares) < 0
    crossing[problem.hedge] &= problem.hedge < 0
    waiting = np.flatnonzero(crossing).tolist()
    whole = draft.shares.copy()
    draft.shares[waiting] = -held[waiting]

    def excess(through: list[int]) -> float:
        """By how much limits are passed where the names `through` go the whole way."""
        shares = held + draft.shares
        shares[through] = held[through] + whole[through]
        return sum(excesses(problem.bounds, problem.structure, shares * per_share).values())

    over = excess([]) if waiting else 0.0
    while waiting and over > 0.0:
        left, _, best = min((excess([name]), universe.symbols[name], name) for name in waiting)
        if left >= over:
            break
        draft.shares[best], over = whole[best], left
        waiting.remove(best)
    for name in waiting:
        draft.notes.append(Reason(Code.ORDER_CLOSE_FIRST, universe.symbols[name]))


def _drop_small(
    universe: Universe,
    decision: Decision,
    seen: Seen,
    draft: _Draft,
    settings: ExecutionSettings,
) -> None:
    usd = np.abs(draft.shares) * seen.portfolio.price
    optional = (decision.target != 0) & ~np.isin(decision.code, NEEDED)
    small = (draft.shares != 0) & (usd < settings.min_ticket_usd) & optional
    for name in np.flatnonzero(small).tolist():
        facts = {"usd": float(usd[name]), "minimum": settings.min_ticket_usd}
        draft.notes.append(Reason(Code.ORDER_BELOW_MIN_TICKET, universe.symbols[name], facts))
        draft.shares[name] = 0


def _growing(seen: Seen, draft: _Draft) -> Bools:
    held = seen.portfolio.shares + seen.portfolio.working
    growing: Bools = (draft.shares != 0) & (np.abs(held + draft.shares) > np.abs(held))
    return growing


def _returnable(
    universe: Universe, decision: Decision, seen: Seen, draft: _Draft, minimum_usd: float
) -> Ints:
    """Shares (n,) an order may do without: all of a growing one, of a shrinking one what it gained.

    That is the lot it was rounded up by, where what is left of it is still a ticket.
    """
    book = seen.portfolio
    size = np.abs(draft.shares)
    exact = _exact(decision, seen)
    rest = size - universe.lot
    still = (rest == 0) | (rest * book.price >= minimum_usd)
    gained = (rest >= 0) & (size > exact + WHOLE) & (decision.target != 0) & still
    spare: Ints = np.where(_growing(seen, draft), size, np.where(gained, universe.lot, 0))
    return spare


def _exact(decision: Decision, seen: Seen) -> Floats:
    """Shares (n,) the decision asks to trade before they are rounded, unsigned."""
    book = seen.portfolio
    shares: Floats = np.abs(decision.target - book.weights) * book.nav
    return shares / np.maximum(book.price, 1e-9)


def _enough(less: int, size: int, price: float, minimum_usd: float) -> int:
    """`less`, or the whole order when what is left of it would be below the minimum ticket."""
    return size if (size - less) * price < minimum_usd else less


def _cash_missing(
    universe: Universe,
    decision: Decision,
    seen: Seen,
    draft: _Draft,
    settings: ExecutionSettings,
) -> float:
    """USD by which planned and pending buys pass the cash there is; negative is what is spare."""
    book, market = seen.portfolio, seen.market
    # What may be given back later, any short sale among it, is not cash to buy with.
    returnable = _returnable(universe, decision, seen, draft, settings.min_ticket_usd)
    sold = np.abs(draft.shares) - returnable
    sells = np.where(draft.shares < 0, sold, 0) * market.bid
    buys = np.maximum(draft.shares, 0) * market.ask * (1 + FEE_ALLOWANCE)
    # Orders of unknown fate may be buys.
    pending = (np.maximum(book.working, 0) + book.unknown) * market.ask
    spare = book.cash - settings.cash_buffer * book.nav
    return float(buys.sum() + pending.sum() - sells.sum()) - spare


def _keep_cash(
    universe: Universe,
    decision: Decision,
    problem: Problem,
    seen: Seen,
    draft: _Draft,
    settings: ExecutionSettings,
) -> None:
    """Reduce opening buys, least edge first, until cash covers them; covers are never reduced."""
    book, market, minimum = seen.portfolio, seen.market, settings.min_ticket_usd
    short = _cash_missing(universe, decision, seen, draft, settings)
    opening = np.flatnonzero(_growing(seen, draft) & (draft.shares > 0)).tolist()
    for name in sorted(opening, key=lambda i: (float(problem.edge[i]), universe.symbols[i])):
        if short <= 0:
            return
        price, lot = float(market.ask[name]) * (1 + FEE_ALLOWANCE), int(universe.lot[name])
        size = int(draft.shares[name])
        less = min(size, int(np.ceil(short / price / lot)) * lot)
        less = _enough(less, size, float(book.price[name]), minimum)
        short -= less * price
        draft.reduce(universe, name, less, Code.ORDER_NO_CASH)


def _keep_limits(
    universe: Universe,
    decision: Decision,
    problem: Problem,
    seen: Seen,
    draft: _Draft,
    settings: ExecutionSettings,
) -> None:
    """Give shares back, the most relieving order first, until whole shares keep every limit.

    A growing order may also take the one lot that it was rounded down by, where there is cash for
    it: in a hedged book the smaller position is not always the smaller risk.
    """
    book, minimum = seen.portfolio, settings.min_ticket_usd
    per_share = book.price / book.nav

    def excess(name: int = 0, less: int = 0) -> float:
        shares = book.shares + book.working + draft.shares
        shares[name] -= int(np.sign(draft.shares[name])) * less
        return sum(excesses(problem.bounds, problem.structure, shares * per_share).values())

    spare = _returnable(universe, decision, seen, draft, minimum)
    cut_off = _exact(decision, seen) - np.abs(draft.shares)
    short = _growing(seen, draft) & (cut_off > WHOLE) & (cut_off < universe.lot)
    while (over := excess()) > 0:
        offers = []
        for name in np.flatnonzero(spare).tolist():
            less = _fewest(partial(excess, name), over, int(spare[name]), int(universe.lot[name]))
            if spare[name] == abs(draft.shares[name]):
                less = _enough(less, int(spare[name]), float(book.price[name]), minimum)
            offers.append((excess(name, less), universe.symbols[name], name, less))
        missing = _cash_missing(universe, decision, seen, draft, settings)
        for name in np.flatnonzero(short).tolist():
            lot = int(universe.lot[name])
            cost = lot * float(seen.market.ask[name]) * (1 + FEE_ALLOWANCE)
            if draft.shares[name] < 0 or missing + cost <= 0:
                offers.append((excess(name, -lot), universe.symbols[name], name, -lot))
        left, _, best, less = min(offers, default=(over, "", -1, 0))
        if left >= over:
            return
        draft.reduce(universe, best, less, Code.ORDER_ROUNDED_FOR_LIMIT)
        short[best] &= less > 0
        spare[best] = max(0, int(spare[best]) - less)


def _fewest(excess: Callable[[int], float], over: float, spare: int, lot: int) -> int:
    """How many of `spare` shares to give back so that an excess of `over` goes, or nearly.

    `excess` is convex in the shares given back: the first lot tells how many may be needed.
    """
    first = over - excess(lot)
    if first <= 0:
        return spare
    less = min(spare, int(np.ceil(over / first)) * lot)
    while less > lot and over - excess(less) < first:
        less = max(lot, less // (2 * lot) * lot)
    return less


def _orders(
    universe: Universe,
    decision: Decision,
    seen: Seen,
    draft: _Draft,
    cycle_id: str,
    settings: ExecutionSettings,
) -> tuple[Order, ...]:
    market, book = seen.market, seen.portfolio
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
            reason=BY_NUMBER[int(decision.code[name])].value,
            arrival=float(market.mid[name]),
            transact_time=epoch_ns(seen.now),
        )
        for k, (name, side, qty) in enumerate(legs)
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
