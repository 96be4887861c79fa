"""Works the orders of a run on the broker's quotes, between its cycles and whatever they decide.

Rules
  * What is about to be asked for is durable first, and then goes out by the same write-ahead as any
    other order: a schedule goes on where it stood when its process died.
  * Nothing is asked for while the session is not ready or the books were not compared.
  * A name that is halted, or that has had no live quote for a while, is shown as without a quote:
    what rests in it is canceled.
  * A switch at HALTED calls everything off at once; REDUCING, or a name commanded out, what grows.
  * An order that the state has not at work is worked no more, as when a bust takes back the last
    fill of one that was full: a cycle would decide for those shares again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from .. import cycle
from ..core.broker import MarketData, Receipt, Replacement
from ..core.config import Settings
from ..core.events import Halt, Quality
from ..core.orders import Action, ExecType, Order, OrdStatus, Side, Tif
from ..core.parents import Basket, ChildOrder, Instruction, Progress, Tick
from ..core.reasons import GLOBAL, Code
from ..core.seen import Switch
from ..core.types import CycleRecord
from ..core.units import epoch_ns
from .line import Line


@dataclass(slots=True, eq=False)
class Work:
    """The orders of one run that have a route; `wall` is the time it is."""

    line: Line
    settings: Settings
    wall: Callable[[], datetime]
    switch: Callable[[datetime], Switch]
    _eyes: dict[str, Eye] = field(default_factory=dict)

    @property
    def is_idle(self) -> bool:
        return all(one.is_over for one in self.line.standing.basket.works)

    @property
    def ends(self) -> int:
        """When the last order that is worked has to be done, epoch ns; 0 where there is none."""
        works = self.line.standing.basket.works
        return max((one.parent.deadline for one in works if not one.is_over), default=0)

    async def keep(self) -> None:
        """A round whenever it is time for one; never ends by itself."""
        while True:
            await asyncio.sleep(self.line.patience.work_s)
            self.round()

    def take_up(self, record: CycleRecord) -> None:
        """Begin to work what a cycle has just decided."""
        standing, book = self.line.standing, record.seen.portfolio
        facts = cycle.facts_of(record)
        orders = tuple(
            order
            for order in record.plan.orders
            if order.route is not None and order.symbol in facts
        )
        # Settings and NAV may be others than when the journal began.
        now = standing.basket
        cash = book.cash - self._claimed()
        basket = cycle.open_basket(self.settings, cash, book.nav, now.works)
        basket = replace(basket, sent=now.sent)
        standing.worked(cycle.take_up(basket, orders, facts, epoch_ns(self.wall())))
        self.round()

    def _claimed(self) -> float:
        """USD that buys may still take which are not worked here."""
        direct = (one for one in self.line.standing.state.working if one.order.route is None)
        return sum(o.most_leaves * o.order.price for o in direct if o.order.side is Side.BUY)

    def round(self) -> None:
        """Show every order its market, and send what comes of it."""
        self.line.hear()
        standing = self.line.standing
        if standing.basket.works and self.line.is_open:
            now = self.wall()
            basket = self._wanted(now)
            after, asked, _ = cycle.work(basket, self._ticks(now), epoch_ns(now))
            standing.worked(after)
            self._ask(after, asked)
            self.line.hear()
        standing.answer_orders()

    def leave(self) -> None:
        """Nobody will watch from here on: take back what rests at our own price.

        What the broker's algorithms work, and what waits for the auction, needs no watching.
        """
        standing = self.line.standing
        watched = {
            one.parent.order.cl_ord_id
            for one in standing.basket.works
            if one.child is None or not _needs_nobody(one.child.order)
        }
        standing.call_off(watched)
        self.round()

    def _wanted(self, now: datetime) -> Basket:
        """The basket as the state wants it: a cycle's cancels and changes, the operator's word."""
        standing = self.line.standing
        worked = [one for one in standing.state.working if one.order.route is not None]
        asked = {
            one.order.cl_ord_id for one in worked if one.status is not OrdStatus.PENDING_CANCEL
        }
        switch = self.switch(now)
        orders = [one.parent.order for one in standing.basket.works]
        off = {
            order.cl_ord_id
            for order in orders
            if order.cl_ord_id not in asked or self._is_barred(order, switch)
        }
        wanted = {one.order.cl_ord_id: one.wanted for one in worked if one.wanted is not None}
        return cycle.changed(cycle.call_off(standing.basket, off), wanted)

    def _is_barred(self, order: Order, switch: Switch) -> bool:
        """Whether the operator lets it do no more: nothing does, or it makes a position larger."""
        if switch.mode == "HALTED":
            return True
        shrinks = switch.mode == "REDUCING" or {GLOBAL, order.symbol} & set(switch.flatten)
        state = self.line.standing.state
        held = int(state.book.shares[state.universe.index[order.symbol]])
        closes = order.side is Side.SELL if held > 0 else order.side is Side.BUY and held < 0
        return bool(shrinks) and not closes

    # --- what is seen

    def _ticks(self, now: datetime) -> Mapping[str, Tick]:
        quotes = self.line.quotes
        if quotes is None:
            return {}
        works = self.line.standing.basket.works
        symbols = {one.parent.order.symbol for one in works if not one.is_over}
        seen = {
            symbol: self._eyes.setdefault(symbol, Eye()).look(
                quotes, symbol, now, self.line.patience.blind_s
            )
            for symbol in sorted(symbols)
        }
        return {symbol: tick for symbol, tick in seen.items() if tick is not None}

    # --- what is asked for

    def _ask(self, basket: Basket, asked: Iterable[Instruction]) -> None:
        """Cancels first, then changes, then new children in one batch."""
        works = {one.parent.order.cl_ord_id: one for one in basket.works}
        good = [one for one in asked if self._is_good(works[one.order.parent_id], one)]
        broker, standing = self.line.broker, self.line.standing
        for action in (Action.CANCEL, Action.REPLACE):
            for child in (one.order for one in good if one.action is action):
                receipt = self._sent(action, child)
                if not receipt.is_accepted:
                    self.line.hear()
                    standing.conclude_child(child, ExecType.CANCEL_REJECTED, _why(receipt))
        new = {one.order.cl_ord_id: one.order for one in good if one.action is Action.NEW}
        orders = [
            child.as_order(works[child.parent_id].parent.order, self._primary(child))
            for child in new.values()
        ]
        for receipt in broker.submit(orders) if orders else ():
            if not receipt.is_accepted:
                standing.conclude_child(new[receipt.cl_ord_id], ExecType.REJECTED, _why(receipt))

    def _sent(self, action: Action, child: ChildOrder) -> Receipt:
        broker = self.line.broker
        if action is Action.CANCEL:
            return broker.cancel(child.cl_ord_id)
        return broker.replace(Replacement(child.cl_ord_id, child.order_qty, child.price))

    def _is_good(self, one: Progress, asked: Instruction) -> bool:
        fault = cycle.child_fault(one, asked)
        if fault:
            kind = ExecType.REJECTED if asked.action is Action.NEW else ExecType.CANCEL_REJECTED
            text = f"{Code.ORDER_CHILD_BAD}: {fault}"
            self.line.standing.conclude_child(asked.order, kind, text)
        return not fault

    def _primary(self, child: ChildOrder) -> str:
        instrument = self.line.reference.instrument(child.symbol)
        return "" if instrument is None else instrument.primary_exchange


@dataclass(slots=True, eq=False)
class Eye:
    """One name as it is looked at: the volume last seen, and since when there is nothing to see."""

    volume: int = -1
    dark_since: datetime | None = None

    def look(self, quotes: MarketData, symbol: str, now: datetime, blind_s: float) -> Tick | None:
        """What the name shows; None where that is nothing, and has not been for `blind_s` yet."""
        quote = quotes.quote(symbol)
        is_halted = quote is not None and quote.halt is not Halt.NONE
        if quote is not None and quote.quality is Quality.LIVE and not is_halted:
            if 0 < quote.bid <= quote.ask:
                self.dark_since = None
                traded = 0 if self.volume < 0 else max(0, quote.volume - self.volume)
                self.volume = quote.volume
                ts = epoch_ns(now)
                return Tick(ts, quote.bid, quote.ask, quote.bid_size, quote.ask_size, traded)
        self.dark_since = self.dark_since or now
        dark_s = (now - self.dark_since).total_seconds()
        return Tick(epoch_ns(now), 0.0, 0.0, 0.0, 0.0) if is_halted or dark_s >= blind_s else None


def _needs_nobody(child: ChildOrder) -> bool:
    return child.hand_off is not None or child.tif is Tif.CLS


def _why(receipt: Receipt) -> str:
    return f"{receipt.code}: {receipt.text}"
