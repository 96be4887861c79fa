"""What every order has to be, also one that only shrinks a position.

Each check gives a denial, or None; a number that is not one fails every comparison. They are
asked in the order of `EVERY`, and the first that denies speaks.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

from ...core.orders import Order, OrdType, Side
from ...core.reasons import Code
from ...core.session import session_at
from ...core.units import BPS
from .desk import UNSURE, Denial, Desk, young

Check = Callable[[Desk, int], Denial | None]

SPARE_LOTS = 3
"""Lots beyond what was decided: one that shrinking rounds up by, two that keep a limit."""
ROUNDING = 1e-6
"""Basis points by which binary fractions may be off."""
ON_TICK = 1e-6
"""Share of a tick by which binary prices may be off it."""


def readable(desk: Desk, k: int) -> Denial | None:
    if desk.name[k] < 0:
        known = desk.orders[k].symbol in desk.asked.universe.index
        return Denial(Code.GATE_LOT if known else Code.GATE_NOT_DECIDED, 0.0, 1.0)
    price = desk.orders[k].price
    return None if isfinite(price) else Denial(Code.GATE_COLLAR, price, 0.0)


def changeable(desk: Desk, k: int) -> Denial | None:
    """What a raise adds to is at work, and nothing else is asked of it."""
    lost = k in desk.raised and desk.raised[k] is None
    return Denial(Code.GATE_CHANGE, 1.0, 0.0) if lost else None


def account(desk: Desk, k: int) -> Denial | None:
    book, wanted = desk.asked.seen.portfolio, desk.asked.settings.execution
    if (book.account, book.currency) != (wanted.account, wanted.currency):
        return Denial(Code.GATE_ACCOUNT, 0.0, 1.0)
    return None


def killed(desk: Desk, k: int) -> Denial | None:
    if desk.asked.seen.switch.mode not in ("ACTIVE", "REDUCING"):
        return Denial(Code.GATE_KILLED, 1.0, 0.0)
    return None


def tradable(desk: Desk, k: int) -> Denial | None:
    asked, name = desk.asked, int(desk.name[k])
    symbol, policy = asked.universe.symbols[name], asked.settings.policy
    closed = session_at(asked.seen.now) is None
    halted = bool(asked.seen.market.halted[name])
    if closed or halted or symbol in policy.restricted:
        return Denial(Code.GATE_NOT_TRADABLE, 1.0, 0.0)
    for_risk_only = not asked.universe.traded[name] and name != desk.hedge
    if for_risk_only and desk.growing[k]:
        return Denial(Code.GATE_NOT_TRADABLE, 1.0, 0.0)
    return None


def quoted(desk: Desk, k: int) -> Denial | None:
    market, name = desk.asked.seen.market, int(desk.name[k])
    bid, ask, last = (float(one[name]) for one in (market.bid, market.ask, market.last))
    if not (bid > 0 and ask >= bid and last > 0):
        return Denial(Code.GATE_NO_QUOTE, min(bid, last), 0.0)
    age, oldest = float(market.quote_age_s[name]), desk.asked.settings.gate.max_quote_age_s
    return None if age <= oldest else Denial(Code.GATE_STALE_QUOTE, age, oldest)


def inside_collar(desk: Desk, k: int) -> Denial | None:
    """Limit price and far touch against the last price."""
    order, market, name = desk.orders[k], desk.asked.seen.market, int(desk.name[k])
    last = float(market.last[name])
    touch = float((market.ask if order.side is Side.BUY else market.bid)[name])
    off = [abs(touch / last - 1.0)]
    if order.ord_type not in (OrdType.MARKET, OrdType.MARKET_ON_CLOSE):
        off.append(abs(order.price / last - 1.0))
    most = desk.asked.settings.gate.collar_bps
    far = [one / BPS for one in off if not one / BPS <= most + ROUNDING]
    return Denial(Code.GATE_COLLAR, max(far), most) if far else None


def on_tick(desk: Desk, k: int) -> Denial | None:
    """SEC Rule 612: whole cents from one dollar up, hundredths of a cent below."""
    order = desk.orders[k]
    if order.ord_type in (OrdType.MARKET, OrdType.MARKET_ON_CLOSE):
        return None
    tick = 0.01 if order.price >= 1.0 else 0.0001
    steps = order.price / tick
    if not abs(steps - round(steps)) <= ON_TICK:
        return Denial(Code.GATE_TICK, order.price, tick)
    return None


def decided(desk: Desk, k: int) -> Denial | None:
    """What left and leaves for a decision is never more than it asked of the name (I1).

    It was made for a book in which all that works has filled: what now goes of the other side is
    that much less to trade.
    """
    order, asked, name = desk.orders[k], desk.asked, int(desk.name[k])
    book = asked.seen.portfolio
    change = float(asked.decision.target[name] - book.weights[name])
    if order.decision_id != asked.cycle_id or not change * order.side.sign > 0:
        return Denial(Code.GATE_NOT_DECIDED, change, 0.0)
    left = {one.order.cl_ord_id: one.order for one in asked.state.working}
    left |= {one.cl_ord_id: one for one in asked.state.sent.recent}
    before = sum(
        one.order_qty
        for one in left.values()
        if (one.decision_id, one.symbol, one.side.sign)
        == (order.decision_id, order.symbol, order.side.sign)
    )
    before += abs(int(desk.qty[:k][_same_side(desk, k)].sum()))
    most = abs(change) * book.nav / float(book.price[name]) - _undone(desk, order)
    most += SPARE_LOTS * int(asked.universe.lot[name])
    total = before + order.order_qty
    return None if total <= most else Denial(Code.GATE_MORE_THAN_DECIDED, total, most)


def _undone(desk: Desk, order: Order) -> int:
    """Shares that known orders against this one will not do any more, by cancel or reduction."""
    gone = 0
    for one in desk.live.get(order.symbol, ()):
        if one.order.side.sign != order.side.sign and one.status not in UNSURE:
            canceled = one.order.cl_ord_id in desk.asked.plan.cancels
            left = 0 if canceled else min(one.least_leaves, desk.changes.left_of(one))
            gone += one.least_leaves - left
    return gone


def _same_side(desk: Desk, k: int) -> list[bool]:
    sign = desk.orders[k].side.sign
    return [
        bool(at == desk.name[k]) and one.side.sign == sign
        for one, at in zip(desk.orders[:k], desk.name[:k], strict=True)
    ]


def unique(desk: Desk, k: int) -> Denial | None:
    """No id is used twice, but by the raise of an order; no plan asks twice for the same."""
    order, earlier = desk.orders[k], desk.orders[:k]
    before = [one.order for one in desk.asked.state.working] + list(desk.asked.state.sent.recent)
    if k in desk.raised:
        before = []
    same = [one for one in (*before, *earlier) if one.cl_ord_id == order.cl_ord_id]
    same += [one for one in earlier if _does(one) == _does(order)]
    return Denial(Code.GATE_DUPLICATE, float(len(same)), 0.0) if same else None


def not_again(desk: Desk, k: int) -> Denial | None:
    """What works or was just sent is not asked for again within `duplicate_s`."""
    before = [one.order for one in desk.asked.state.working] + list(desk.asked.state.sent.recent)
    recent = young(before, desk.now, desk.asked.settings.gate.duplicate_s)
    same = [one for one in recent if _does(one) == _does(desk.orders[k])]
    return Denial(Code.GATE_DUPLICATE, float(len(same)), 0.0) if same else None


def _does(order: Order) -> tuple[str, Side, int]:
    return order.symbol, order.side, order.order_qty


def uncrossed(desk: Desk, k: int) -> Denial | None:
    """No order of our own on the other side, but those whose cancel leaves first.

    Two of one plan cannot meet: only one side of a name is decided.
    """
    order, leaving = desk.orders[k], set(desk.asked.plan.cancels)
    working = [one.order for one in desk.live.get(order.symbol, ())]
    live = [one for one in working if one.cl_ord_id not in leaving]
    against = sum(one.side.sign != order.side.sign for one in live)
    return Denial(Code.GATE_SELF_CROSS, float(against), 0.0) if against else None


def held_enough(desk: Desk, k: int) -> Denial | None:
    """A SELL closes what is held, and what working buys will bring; a SELL_SHORT has none."""
    order, name = desk.orders[k], int(desk.name[k])
    if order.side is Side.BUY:
        return None
    on_sale = int(desk.sells[name] + desk.unsure_sells[name]) + desk.before(k, Side.SELL)
    there = int(desk.held[name]) - on_sale
    if order.side is Side.SELL:
        there += int(desk.buys[name])
        if not order.order_qty <= there:
            return Denial(Code.GATE_POSITION, float(order.order_qty), float(max(0, there)))
    elif there > 0:
        return Denial(Code.GATE_POSITION, float(there), 0.0)
    return None


def may_short(desk: Desk, k: int) -> Denial | None:
    if desk.orders[k].side is not Side.SELL_SHORT:
        return None
    asked, name = desk.asked, int(desk.name[k])
    listed = asked.universe.symbols[name] in asked.settings.policy.no_short
    cash = asked.settings.gate.account_type == "cash"
    if listed or cash or not asked.seen.market.shortable[name]:
        return Denial(Code.GATE_SHORT, float(desk.orders[k].order_qty), 0.0)
    return None


EVERY: tuple[Check, ...] = (
    *(changeable, readable, account, killed, tradable, quoted, inside_collar, on_tick),
    *(decided, unique, not_again, uncrossed, held_enough, may_short),
)
SENSE: tuple[Check, ...] = (changeable, readable, decided, unique, held_enough)
"""Those that no setting changes: what fails one of them is no order at all."""
