"""What lies on the gate's desk: the orders asked for, and all that is held and may yet fill.

Shares are counted here from the book and the working orders, not from what the planner made of
them. Whatever works without being among the state's orders (a foreign order, a report not yet
folded) counts as unknown, and so does what a change under way, or a reduction asked for now, may
take off an order or add to it. What a raise adds is an order like the new ones, and before them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ...core.config import Settings
from ...core.orders import Order, OrdStatus, Side, WorkingOrder
from ...core.reasons import Code
from ...core.seen import Seen, Universe
from ...core.types import Decision, Plan, State
from ...core.units import epoch_ns
from .changes import Changes, added, changes_of

UNSURE = (OrdStatus.UNKNOWN, OrdStatus.PENDING_CANCEL)
"""An order of this status may or may not fill what is left of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What the gate judges by: the plan, the decision it is to carry out, and what is known.

    `beta` (n,) is None where no betas are given.
    """

    cycle_id: str
    universe: Universe
    state: State
    seen: Seen
    beta: Floats | None
    decision: Decision
    plan: Plan
    settings: Settings


@dataclass(frozen=True, slots=True)
class Denial:
    """Why an order does not leave: what the check saw, and its bound."""

    code: Code
    value: float
    bound: float
    limit: str = ""


@dataclass(slots=True, eq=False)
class Desk:
    """Shares by name (n,) and the asked orders (m,) beside them, in the plan's order.

    orders (m,): what raises add, then the new orders; raised: the order that is raised, by place.
    buys, sells: leaves of known working orders; unsure_*: leaves whose fate is not known, at most.
    name (m,): −1 where an order cannot be read; qty (m,) signed shares, 0 there; sold_before (m,):
    shares of asked sells of the name that come earlier; growing (m,): orders that may make a
    position larger, whatever fills of all that works and is asked before them; sense (m,): those
    that some setting could let through.
    """

    asked: Asked
    now: int = field(init=False)
    changes: Changes = field(init=False)
    orders: tuple[Order, ...] = field(init=False)
    raised: dict[int, WorkingOrder | None] = field(init=False)
    buys: Ints = field(init=False)
    sells: Ints = field(init=False)
    unsure_buys: Ints = field(init=False)
    unsure_sells: Ints = field(init=False)
    name: Ints = field(init=False)
    qty: Ints = field(init=False)
    growing: Bools = field(init=False)
    sense: Bools = field(init=False)
    live: dict[str, list[WorkingOrder]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plan, working, decision = self.asked.plan, self.asked.state.working, self.asked.cycle_id
        self.now = epoch_ns(self.asked.seen.now)
        self.changes = changes_of(plan, working)
        raises = self.changes.raises
        self.raised = {k: order for k, (_, order) in enumerate(raises)}
        more = tuple(added(wanted, order, decision, self.now) for wanted, order in raises)
        self.orders = more + plan.orders
        self._count_working()
        self._read_orders()

    @property
    def held(self) -> Ints:
        return self.asked.seen.portfolio.shares

    @property
    def lowest(self) -> Ints:
        """The least position (n,) that may come of what is held, working and unsure."""
        lowest: Ints = self.held - self.sells - self.unsure_sells
        return lowest

    @property
    def highest(self) -> Ints:
        highest: Ints = self.held + self.buys + self.unsure_buys
        return highest

    @property
    def hedge(self) -> int:
        return self.asked.universe.index.get(self.asked.settings.optimize.hedge_symbol, -1)

    def before(self, k: int, side: Side) -> int:
        """Shares of one side of the k-th order's name that are asked for before it."""
        earlier = zip(self.orders[:k], self.name[:k].tolist(), strict=True)
        return sum(
            order.order_qty for order, at in earlier if at == self.name[k] and order.side is side
        )

    def _count_working(self) -> None:
        universe, book = self.asked.universe, self.asked.seen.portfolio
        self.buys, self.sells, self.unsure_buys, self.unsure_sells = np.zeros(
            (4, len(universe)), dtype=np.int64
        )
        stray, foreign = book.working.copy(), book.unknown.copy()
        for order in self.asked.state.working:
            name, bought = universe.index[order.order.symbol], order.order.side is Side.BUY
            self.live.setdefault(order.order.symbol, []).append(order)
            told = 0 if order.status in UNSURE else order.least_leaves
            stray[name] -= order.order.side.sign * told
            foreign[name] -= order.most_leaves - told
            sure = min(told, self.changes.left_of(order))
            (self.buys if bought else self.sells)[name] += sure
            (self.unsure_buys if bought else self.unsure_sells)[name] += order.most_leaves - sure
        foreign = np.maximum(foreign, 0)
        self.unsure_buys += foreign + np.maximum(stray, 0)
        self.unsure_sells += foreign + np.maximum(-stray, 0)

    def _read_orders(self) -> None:
        index = self.asked.universe.index
        self.name = np.array(
            [index.get(one.symbol, -1) if is_whole(one) else -1 for one in self.orders], np.int64
        )
        self.qty = np.array(
            [one.side.sign * one.order_qty if is_whole(one) else 0 for one in self.orders], np.int64
        )
        self.qty[self.name < 0] = 0
        low, high = self.lowest, self.highest
        self.growing, self.sense = np.ones((2, len(self.orders)), dtype=np.bool_)
        for k, (name, qty) in enumerate(zip(self.name.tolist(), self.qty.tolist(), strict=True)):
            if name < 0:
                continue
            # It shrinks if the position keeps its side though everything against it fills first.
            self.growing[k] = low[name] + qty < 0 if qty < 0 else high[name] + qty > 0
            (low if qty < 0 else high)[name] += qty


def is_whole(order: Order) -> bool:
    """Whether it is for at least one share, and a whole number of them."""
    qty: object = order.order_qty
    return isinstance(qty, int) and not isinstance(qty, bool) and 0 < qty < 2**40


def young(orders: Iterable[Order], now: int, seconds: float) -> list[Order]:
    """Those decided less than `seconds` before `now` (epoch ns)."""
    return [order for order in orders if now - order.transact_time <= seconds * 1e9]
