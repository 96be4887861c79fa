"""Streams of prices and profit: sent once when asked for, then whenever a step changed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from . import replies
from .client import Client
from .contracts import Contract
from .fault_names import FaultName
from .market import Quote
from .replies import Message
from .requests import Request
from .wire import flag
from .world import World

MOST_LINES = 100
LIVE, DELAYED = 1, 3
_BID, _ASK, _LAST, _VOLUME, _CLOSE = 1, 2, 4, 8, 9
_LAST_TIME, _SHORTABLE, _HALTED, _SHORTABLE_SHARES = 45, 46, 49, 89
_DELAYED_IDS = {_BID: 66, _ASK: 67, _LAST: 68, _VOLUME: 74}
_PRINTS = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}


def start_line(world: World, client: Client, request: Request) -> None:
    """A market data line, or one snapshot of it."""
    req_id, contract = request.whole("reqId"), world.listing.find(request.fields)
    if contract is None:
        client.error(req_id, 200, "No security definition has been found for the request")
        return
    if _count(world, client) >= MOST_LINES:
        client.error(req_id, 101, "Max number of tickers has been reached")
        return
    kind = LIVE
    if world.strikes(FaultName.NO_LIVE_DATA, client, request.kind, contract.symbol):
        if client.data_type < DELAYED:
            client.error(req_id, 354, "Requested market data is not subscribed.")
            return
        client.error(req_id, 10167, "Requested market data is not subscribed. Displaying delayed.")
        kind = DELAYED
    client.send(replies.market_data_type(req_id, kind))
    client.send(replies.tick_req_params(req_id, 0.01))
    line = Line(world, client, contract, req_id, kind, "236" in request.text("genericTicks"))
    line.show()
    if flag(request.text("snapshot")):
        client.send(replies.end_of("tickSnapshotEnd", 57, 1, req_id))
    else:
        watch(world, client, req_id, line.show)


def start_prints(world: World, client: Client, request: Request) -> None:
    """Tick by tick: one tick a step, for there is no finer time here."""
    req_id, contract = request.whole("reqId"), world.listing.find(request.fields)
    kind = _PRINTS.get(request.text("tickType"))
    if contract is None or kind is None:
        code, said = (
            (200, "No security definition has been found for the request")
            if contract is None
            else (321, "Error validating request.-'tbt' : cause - no such tick type")
        )
        client.error(req_id, code, said)
        return

    def show() -> None:
        if world.are_ticks_silent or world.exchange.is_halted(contract):
            return
        quote = world.exchange.quote(contract)
        client.send(_print(req_id, kind, quote, world, contract), contract.symbol)

    show()
    watch(world, client, req_id, show)


def _print(req_id: int, kind: int, quote: Quote, world: World, contract: Contract) -> Message:
    now = world.timeline.now
    if kind == _PRINTS["BidAsk"]:
        sizes = (quote.bid_size, quote.ask_size)
        return replies.tick_by_tick(req_id, kind, now, quote.bid, quote.ask, *sizes, 0)
    if kind == _PRINTS["MidPoint"]:
        return replies.tick_by_tick(req_id, kind, now, quote.mid)
    exchange = contract.primary_exchange
    return replies.tick_by_tick(req_id, kind, now, quote.last, quote.last_size, 0, exchange, "")


def start_pnl(world: World, client: Client, request: Request) -> None:
    """The account's profit; all of it counts as the day's, for the books begin with the run."""
    req_id, account = request.whole("reqId"), world.account_named(request.text("account"))
    last: list[Message] = []

    def show() -> None:
        values = account.values(world.exchange.price, 0.0)
        unrealized, realized = float(values["UnrealizedPnL"]), float(values["RealizedPnL"])
        message = replies.pnl(req_id, unrealized + realized, unrealized, realized)
        if [message] != last:
            last[:] = [message]
            client.send(message)

    show()
    watch(world, client, req_id, show)


def start_pnl_single(world: World, client: Client, request: Request) -> None:
    """The profit of one position."""
    req_id, account = request.whole("reqId"), world.account_named(request.text("account"))
    con_id = request.whole("conId")

    def show() -> None:
        held = account.positions.get(con_id)
        if held is not None:
            price = world.exchange.price(held.contract)
            client.send(replies.pnl_single(req_id, held, price), held.contract.symbol)

    show()
    watch(world, client, req_id, show)


def watch(world: World, client: Client, req_id: int, show: Callable[[], None]) -> None:
    world.exchange.watchers[client.line, req_id] = show
    world.exchange.wake()


def _count(world: World, client: Client) -> int:
    return sum(key[0] == client.line for key in world.exchange.watchers)


@dataclass(slots=True)
class Line:
    """One market data line: what it has shown last, so that only changes are sent."""

    world: World
    client: Client
    contract: Contract
    req_id: int
    kind: int
    with_shortable: bool
    shown: Quote | None = None
    halted: bool | None = None
    is_dead: bool = False

    def show(self) -> None:
        """Send what has changed since the last time."""
        world = self.world
        if self.is_dead or world.are_ticks_silent:
            self.is_dead = self.is_dead or world.do_ticks_stay_silent
            return
        halted = world.exchange.is_halted(self.contract)
        if halted != self.halted:
            self.halted = halted
            self._send(replies.tick_generic(self.req_id, _HALTED, 2.0 if halted else 0.0))
        if halted and self.shown is not None:
            return
        quote, before = world.exchange.quote(self.contract), self.shown
        self.shown = quote
        known = () if before is None else _sides(before)
        for tick, price, size in _sides(quote):
            if (tick, price, size) not in known:
                mask = 0 if tick == _LAST else 1
                self._send(replies.tick_price(self.req_id, self._id(tick), price, size, mask))
        if before is None or before.volume != quote.volume:
            self._send(replies.tick_size(self.req_id, self._id(_VOLUME), quote.volume))
            when = str(int(world.timeline.now.timestamp()))
            self._send(replies.tick_string(self.req_id, _LAST_TIME, when))
        if before is None:
            self._first()

    def _first(self) -> None:
        """What a line says once: yesterday's close, and what can be borrowed if asked."""
        close = self.world.previous_close(self.contract)
        self._send(replies.tick_price(self.req_id, _CLOSE, close, 0, 0))
        if self.with_shortable:
            shares = self.contract.shortable_shares
            ease = 3.0 if shares >= 1000 else 1.0
            self._send(replies.tick_generic(self.req_id, _SHORTABLE, ease))
            self._send(replies.tick_size(self.req_id, _SHORTABLE_SHARES, shares))

    def _id(self, tick: int) -> int:
        return _DELAYED_IDS[tick] if self.kind == DELAYED else tick

    def _send(self, message: Message) -> None:
        self.client.send(message, self.contract.symbol)


def _sides(quote: Quote) -> tuple[tuple[int, float, int], ...]:
    """What has a price and a size, by tick type."""
    return (
        (_BID, quote.bid, quote.bid_size),
        (_ASK, quote.ask, quote.ask_size),
        (_LAST, quote.last, quote.last_size),
    )
