"""What an algorithm asks for: the one child it would like to have working, or an end.

An algorithm is a pure function `wish(progress, tick) -> Wish`. It keeps no state of its own and
sends nothing: the machine compares the wish with the child in flight, clips it to what is left and
to the collar, and sends what is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...core.orders import OrdType, Tif, Venue
from ...core.parents import HandOff, Parent, Progress, Tick
from ...core.reasons import Code
from ...core.units import BPS


@dataclass(frozen=True, slots=True)
class Wish:
    """A child of `qty` shares at `price` USD; qty 0 is none, and `code` says why.

    `crossing`: it means to take the far touch, now and from here on. `final`: nothing more is
    wanted, and the parent ends with `code` once no child is left.
    """

    qty: int
    price: float
    code: Code
    ord_type: OrdType = OrdType.LIMIT
    tif: Tif = Tif.DAY
    venue: Venue = Venue.SMART
    hand_off: HandOff | None = None
    crossing: bool = False
    final: bool = False


Wisher = Callable[[Progress, Tick], Wish]
"""What each file of this folder holds one of."""


def nothing(code: Code, *, final: bool = False) -> Wish:
    """No child is wanted, because of `code`."""
    return Wish(0, 0.0, code, final=final)


def elapsed(parent: Parent, now: int) -> float:
    """Share of the parent's time that has passed, 0 to 1."""
    whole = parent.deadline - parent.start
    return 1.0 if whole <= 0 else min(1.0, max(0.0, (now - parent.start) / whole))


def whole_lots(shares: float, lot: int) -> int:
    """Shares as whole lots, rounded down; a hair short of one is one."""
    return int(shares / lot + 1e-9) * lot


def crossed(progress: Progress, tick: Tick, qty: int, code: Code) -> Wish:
    """Take the far touch and `sweep_bps` beyond; rest as it stands where the spread is too wide."""
    parent = progress.parent
    tactics, side = parent.tactics, parent.order.side
    if tick.spread > tactics.max_spread_bps * BPS * tick.mid:
        return rested(progress, tick, qty, 0.0, Code.ALGO_NO_QUOTE)
    price = tick.far(side) * (1.0 + side.sign * tactics.sweep_bps * BPS)
    return Wish(qty, price, code, crossing=True)


def rested(progress: Progress, tick: Tick, qty: int, place: float, code: Code) -> Wish:
    """Rest at `place` spreads from the near touch, and never step back from where it rests."""
    side = progress.parent.order.side
    price = tick.near(side) + side.sign * place * tick.spread
    child = progress.child
    if child is not None and child.order.ord_type is OrdType.LIMIT:
        price = side.sign * max(side.sign * price, side.sign * child.order.price)
    return Wish(qty, price, code)


def laddered(progress: Progress, tick: Tick, qty: int, passed: float) -> Wish:
    """Rest, step up the ladder as `passed` (0 to 1) of the time goes by, cross at `cross_at`."""
    tactics = progress.parent.tactics
    if passed >= tactics.cross_at:
        return crossed(progress, tick, qty, Code.ALGO_CROSSES)
    rung = int(passed / tactics.cross_at * tactics.rungs)
    place = tactics.start_at + (1.0 - tactics.start_at) * rung / tactics.rungs
    return rested(progress, tick, qty, place, Code.ALGO_RESTS)
