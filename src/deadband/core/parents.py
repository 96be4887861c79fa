"""Parent orders being worked: the one child each has, what was heard of it, and what is to be sent.

All values are frozen and go through the journal, so that a schedule survives a restart. Times are
epoch nanoseconds UTC, prices USD, quantities positive shares; `order.side` says the direction.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from .costs import CostSettings
from .orders import Action, Order, OrdStatus, OrdType, Route, Side, Terms, Tif, Venue
from .reasons import Code
from .tactics import Tactics


def parent_of_child(cl_ord_id: str) -> str:
    """The id of the order that a child of this id was sent for: all but its last part."""
    return cl_ord_id.rpartition(".")[0]


def decided_id(cl_ord_id: str, decided: Container[str]) -> str:
    """The id of the decided order that a report is of: its own, or for a child its parent's."""
    return cl_ord_id if cl_ord_id in decided else parent_of_child(cl_ord_id)


@dataclass(frozen=True, slots=True)
class Tick:
    """What the market shows at `ts`; `volume`: shares traded since the tick before.

    Sizes are in shares. A side that is not quoted has price 0.
    """

    ts: int
    bid: float
    ask: float
    bid_size: float
    ask_size: float
    volume: int = 0

    @property
    def is_quoted(self) -> bool:
        return 0 < self.bid <= self.ask

    @property
    def mid(self) -> float:
        return 0.5 * (self.bid + self.ask)

    @property
    def spread(self) -> float:
        return self.ask - self.bid

    def near(self, side: Side) -> float:
        """The touch a resting order joins."""
        return self.bid if side is Side.BUY else self.ask

    def far(self, side: Side) -> float:
        """The touch a crossing order takes."""
        return self.ask if side is Side.BUY else self.bid


@dataclass(frozen=True, slots=True)
class HandOff:
    """An algorithm of the broker's own (FIX TargetStrategy), its parameters as it spells them."""

    strategy: str
    params: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Parent:
    """An order to be worked from `start` until `deadline`; no child is priced beyond `order.price`.

    lot and tick (USD) of the name; sigma_day fraction, adv shares a day, beta to the market;
    `close`: end of the session; `curve`: relative market volume in equal parts of the time it has,
    empty is even; `is_cover`: it buys back shares that are short, whatever cash there is.
    """

    order: Order
    route: Route
    start: int
    deadline: int
    close: int
    lot: int
    tick: float
    sigma_day: float
    adv: float
    beta: float
    curve: tuple[float, ...]
    tactics: Tactics
    is_cover: bool = False


@dataclass(frozen=True, slots=True)
class ChildOrder:
    """What is sent for a parent. `revision` counts its changes; `reason` is the child's own."""

    cl_ord_id: str
    parent_id: str
    symbol: str
    side: Side
    order_qty: int
    ord_type: OrdType
    price: float
    tif: Tif
    venue: Venue
    reason: Code
    transact_time: int
    revision: int = 0
    hand_off: HandOff | None = None

    def as_order(self, parent: Order, primary_exchange: str = "") -> Order:
        """What a broker is asked for, with what is known of the parent order."""
        hand_off = self.hand_off or HandOff("", ())
        return Order(
            cl_ord_id=self.cl_ord_id,
            symbol=self.symbol,
            side=self.side,
            order_qty=self.order_qty,
            ord_type=self.ord_type,
            price=self.price,
            decision_id=parent.decision_id,
            reason=str(self.reason),
            arrival=parent.arrival,
            transact_time=self.transact_time,
            terms=Terms(
                tif=self.tif,
                strategy=hand_off.strategy,
                strategy_params=hand_off.params,
                exchange=primary_exchange if self.venue is Venue.PRIMARY else "",
            ),
        )


@dataclass(frozen=True, slots=True)
class Child:
    """A child in flight: its terms, the terms asked for while a replace is pending, its fills."""

    order: ChildOrder
    status: OrdStatus
    cum_qty: int = 0
    asked: ChildOrder | None = None

    @property
    def worst_leaves(self) -> int:
        """Shares that may still fill, whichever of the two terms turn out to hold."""
        most = self.order.order_qty
        if self.asked is not None:
            most = max(most, self.asked.order_qty)
        return max(0, most - self.cum_qty)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One message for the broker: a new child, new terms for it (same id), or its cancel."""

    action: Action
    order: ChildOrder


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a parent is. A fold of ticks and reports: the same ones give the same value.

    `arrival`: mid of the first quoted tick, 0 before; `volume`: market shares since then;
    `misses`: children that the market ended with shares left; `crossing`: it stopped resting;
    `last_tick`, `last_change`: ts of the newest tick, and of the newest child or replace, −1 none;
    `heard`: exec ids already folded; `waits`: what held it back at the last tick; `outcome`: why it
    ended, None while it works.
    """

    parent: Parent
    filled: int = 0
    child: Child | None = None
    children: int = 0
    replaces: int = 0
    rejects: int = 0
    misses: int = 0
    arrival: float = 0.0
    volume: int = 0
    last_tick: int = -1
    last_change: int = -1
    crossing: bool = False
    heard: tuple[str, ...] = ()
    waits: Code | None = None
    outcome: Code | None = None

    @property
    def leaves_qty(self) -> int:
        """Shares still wanted; 0 where an amended order wants less than has filled."""
        return max(0, self.parent.order.order_qty - self.filled)

    @property
    def worst_leaves(self) -> int:
        """Shares that the child in flight may still fill."""
        return 0 if self.child is None else self.child.worst_leaves

    @property
    def is_over(self) -> bool:
        """Whether it has ended and nothing of it is in flight."""
        return self.outcome is not None and self.child is None


@dataclass(frozen=True, slots=True)
class Basket:
    """Parents that are worked together out of one purse.

    `cash`: USD that buys may use, fills and fees folded in; `buffer`: USD of it they never touch;
    `sent`: ts of the messages of the last second.
    """

    works: tuple[Progress, ...]
    cash: float
    buffer: float
    nav: float
    tactics: Tactics
    costs: CostSettings
    sent: tuple[int, ...] = ()
