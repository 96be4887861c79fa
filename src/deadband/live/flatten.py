"""Closes positions at the operator's word, with nothing but a broker and a journal.

Rules
  * No solver, no risk model, no scores: what is held, quotes, and one limit order a name.
  * Our orders in these names are canceled first, other runs' of this client too; then positions
    and all working orders are asked for again, and only what is left is closed.
  * Orders are durable as decided before they are submitted, and once more as intents before they
    leave. Asked again, it goes by what the broker holds and has at work by then.
  * What has not filled in time is canceled: nothing of this works on unattended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from .. import cycle
from ..backtest.run import RUN, first_state, versions
from ..core.broker import BrokerSnapshot, CancelAll, CancelScope, MarketData, Memory, Ok
from ..core.config import Settings
from ..core.errors import BrokerError
from ..core.events import ByHand, Heard, Quality, SessionState
from ..core.orders import Book, ExecutionReport, OrdStatus, WorkingOrder
from ..core.ports import Journal
from ..core.seen import Universe
from ..core.session import EXCHANGE_ZONE
from ..core.types import State
from ..core.units import epoch_ns, micros
from .adopt import of_other_runs
from .begin import OpenCounter
from .closing import Leg, Reach, alive, legs, orders_of, positions
from .line import Line, Patience
from .reconcile import MOST_PASSES, agreed, differences
from .watch import GOING, Standing
from .write_ahead import Pen

UNKNOWN, REJECTED = OrdStatus.UNKNOWN, OrdStatus.REJECTED
LOOK_S = 0.25
"""Seconds between two looks at what is waited for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: legs as they were sent, what is held of the names now, and what went wrong.

    `left`: signed shares by symbol, None where the broker's books are not known any more.
    """

    legs: tuple[Leg, ...] = ()
    left: dict[str, int] | None = None
    faults: tuple[str, ...] = ()
    is_declined: bool = False

    @property
    def is_flat(self) -> bool:
        return self.left == {} and not self.is_declined


@dataclass(slots=True, eq=False)
class Flatten:
    """One command on one line; `stop` set ends it early, with what works canceled.

    `symbols`: the names to close; `quotes_s` and `fill_s`: seconds for quotes to come, and for
    orders to fill.
    """

    line: Line
    quotes: MarketData
    symbols: tuple[str, ...]
    prefix: str
    reach: Reach = Reach()
    quotes_s: float = 5.0
    fill_s: float = 60.0
    most_lines: int = 80
    """Names that are quoted at once; an account has 100 lines, and other programs use some."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    faults: list[str] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    async def over(self, confirm: Callable[[tuple[Leg, ...]], Awaitable[bool]]) -> Outcome:
        """Show `confirm` what would be sent, and where it says yes, close what is held by then.

        Raises BrokerError only before anything was asked of the broker.
        """
        shown = await self._legs()
        if not await confirm(shown):
            return Outcome(shown, await self._left(), is_declined=True)
        sent: tuple[Leg, ...] = ()
        try:
            await self._clear()
            sent = await self._legs(self._send)
            await self._filled()
            await self._cancel_own()
            left = await self._left()
            return Outcome(sent, left, tuple(self.faults))
        except BrokerError as fault:
            self.faults.append(f"{fault} What works or is held now is not known: ask again.")
            await self._cancel_own()
            return Outcome(sent, None, tuple(self.faults))

    async def _shot(self, names: Collection[str]) -> BrokerSnapshot:
        """A snapshot that two passes agree on as far as these names go.

        Others may trade all the while: an account that never rests can still be closed.
        """
        before: object = None
        for _ in range(MOST_PASSES):
            shot = await self.line.broker.snapshot()
            self.line.hear()
            if not shot.is_complete:
                raise BrokerError(f"the broker's books are not known: {shot}.")
            held = positions(shot)
            now = [(held.get(name), alive(shot, name)) for name in sorted(names)]
            if now == before:
                return shot
            before = now
            await asyncio.sleep(self.line.patience.settle_s)
        raise BrokerError(f"{', '.join(sorted(names))} still moved after {MOST_PASSES} passes.")

    async def _left(self) -> dict[str, int]:
        """What is held of the names now; says what became of orders that did not end well."""
        shot = await self._shot(self.symbols)
        assert isinstance(shot.orders, Ok), "a snapshot that was agreed on is complete"
        for order in shot.orders.value:
            if order.cl_ord_id in self._ids and order.status in (UNKNOWN, REJECTED):
                said = order.text or "no word of it; look for it in the terminal"
                self.faults.append(
                    f"{order.symbol}: order {order.cl_ord_id} {order.status}: {said}"
                )
        held = positions(shot)
        return {symbol: held[symbol] for symbol in self.symbols if symbol in held}

    async def _legs(self, act: Callable[[tuple[Leg, ...]], None] | None = None) -> tuple[Leg, ...]:
        """Legs by the broker's word of now, each batch handed to `act` while its quotes are fresh.

        No more names at once than there are market data lines.
        """
        shot = await self._shot(self.symbols)
        names = sorted(set(self.symbols) & positions(shot).keys())
        await self.line.reference.resolve(names)
        found: list[Leg] = []
        for first in range(0, len(names), self.most_lines):
            if self.stop.is_set():
                break
            batch = names[first : first + self.most_lines]
            await self._quoted(batch)
            # What is only shown may be a second old; what is sent may not.
            shot = shot if act is None else await self._shot(batch)
            these = legs(shot, batch, self.line.reference, self.quotes, self.reach)
            if len(names) > self.most_lines:
                self.quotes.unsubscribe(batch)
            if act is not None:
                act(these)
            found += these
        return tuple(found)

    async def _quoted(self, names: list[str]) -> None:
        """Wait, not for ever, until all of these have a live quote."""
        known = [name for name in names if self.line.reference.instrument(name) is not None]
        self.quotes.subscribe(known)
        until = _now() + self.quotes_s
        while not all(self._is_live(name) for name in known) and _now() < until:
            await asyncio.sleep(LOOK_S)

    def _is_live(self, symbol: str) -> bool:
        quote = self.quotes.quote(symbol)
        return quote is not None and quote.quality is Quality.LIVE and 0 < quote.bid < quote.ask

    # --- cancels

    async def _clear(self) -> None:
        """Cancel what works in these names: ours, and other runs' as far as this client may."""
        await self._cancel_own()
        shot = await self.line.broker.snapshot()
        found = [one for one in self.symbols if of_other_runs(shot, self.prefix, one)]
        for symbol in found:
            asked = CancelAll(CancelScope.OTHER_RUNS, symbol, prefix=self.prefix)
            receipt = self.line.broker.cancel_all(asked)
            if not receipt.is_accepted:
                self.faults.append(f"{symbol}: {receipt.text}")
        until = _now() + self.line.patience.answer_s
        while found and _now() < until:
            await asyncio.sleep(self.line.patience.settle_s)
            shot = await self.line.broker.snapshot()
            found = [one for one in found if of_other_runs(shot, self.prefix, one)]

    async def _cancel_own(self) -> None:
        """Cancel our orders in these names, and wait, not for ever, for the answers."""
        standing, ours = self.line.standing, self._ours()
        alive = [o.order.cl_ord_id for o in ours if o.status not in GOING]
        worked = {o.order.cl_ord_id for o in ours if o.order.route is not None}
        children = [child.cl_ord_id for child in standing.call_off(worked)]
        for ref in (*standing.direct(alive), *children):
            receipt = self.line.broker.cancel(ref)
            if not receipt.is_accepted:
                self.faults.append(f"{receipt.cl_ord_id} is not canceled: {receipt.text}")
        until = _now() + self.line.patience.answer_s
        while self._works() and _now() < until:
            await asyncio.sleep(LOOK_S)

    def _ours(self) -> tuple[WorkingOrder, ...]:
        self.line.hear()
        self.line.standing.answer_orders()
        working = self.line.standing.state.working
        return tuple(order for order in working if order.order.symbol in self.symbols)

    def _works(self) -> bool:
        """Whether an order of ours in these names may still fill, as far as anybody knows."""
        return any(order.status is not OrdStatus.UNKNOWN for order in self._ours())

    # --- orders

    def _send(self, sent: tuple[Leg, ...]) -> None:
        """Decided, durably; then the broker makes the intents durable and sends."""
        standing = self.line.standing
        wall = standing.pen.wall()
        decision = wall.astimezone(EXCHANGE_ZONE).strftime("%Y%m%d.%H%M%Sh")
        orders = orders_of(sent, decision, self.prefix, epoch_ns(wall), len(self._ids))
        if not orders:
            return
        self._ids |= {order.cl_ord_id for order in orders}
        standing.command(ByHand(orders, epoch_ns(wall)))
        receipts = self.line.broker.submit(orders)
        standing.denied(receipts)
        symbols = {order.cl_ord_id: order.symbol for order in orders}
        self.faults += [
            f"{symbols[one.cl_ord_id]} is not sent: {one.code}: {one.text}"
            for one in receipts
            if not one.is_accepted
        ]

    async def _filled(self) -> None:
        """Wait until nothing of ours works, the time is over, or the operator stops."""
        until = _now() + self.fill_s
        while self._works() and _now() < until and not self.stop.is_set():
            if self.line.broker.state is SessionState.DISCONNECTED:
                await self._again()
            await asyncio.sleep(LOOK_S)

    async def _again(self) -> None:
        """One attempt to connect after the line was lost; what happened meanwhile is heard then."""
        try:
            await self.line.broker.connect()
        except BrokerError:
            await asyncio.sleep(self.line.patience.first_s)


def _now() -> float:
    return asyncio.get_running_loop().time()


# --- without a run: a journal of its own


async def open_alone(
    journal: Journal,
    settings: Settings,
    open_counter: OpenCounter,
    wall: Callable[[], datetime],
    patience: Patience,
) -> Line:
    """A line whose book is what the broker holds; raises BrokerError with the cure.

    The journal begins there: it says what was held, and then all that is ordered and heard.
    """
    pen = Pen(journal, wall)
    counter = open_counter(pen.intend, Memory())
    broker, kept = counter.broker, list[Heard]()

    def hear() -> int:
        kept.extend(broker.taken())
        return sum(isinstance(one.event, ExecutionReport) for one in kept)

    try:
        await broker.connect()
        shot = await agreed(broker, hear, patience.settle_s)
        state = _held(shot, settings, epoch_ns(wall()))
        # Nothing is worked here: orders by hand have no route.
        basket = cycle.open_basket(settings, 0.0, 1.0)
        standing = Standing(state, pen, basket)
        opening = {
            "settings": settings,
            "state": standing.state,
            "versions": versions(),
            "findings": (),
        }
        pen.write(RUN, opening)
        standing.hear(kept)
        standing.compared(differences(standing.state, standing.basket, shot))
    except BaseException:
        await broker.close()
        raise
    return Line(broker, counter.reference, None, standing, (), patience)


def _held(shot: BrokerSnapshot, settings: Settings, now: int) -> State:
    """The broker's books as a first state."""
    assert isinstance(shot.positions, Ok) and isinstance(shot.account, Ok), "agreed on is complete"
    held = shot.positions.value
    universe = Universe.of(tuple(one.symbol for one in held))
    return replace(
        first_state(universe, settings),
        book=Book(
            shares=np.array([one.qty for one in held], dtype=np.int64),
            cash_micro=micros(shot.account.value.cash),
            entry_price=np.array([one.avg_cost for one in held], dtype=np.float64),
            entry_at=np.full(len(held), now, dtype=np.int64),
        ),
    )
