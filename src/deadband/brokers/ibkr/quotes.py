"""Quotes by symbol with what they may be used for: live, frozen, delayed, or none.

Rules
  * LIVE needs all of it: the gateway said live, no farm is down, no other session has the data, and
    a tick came since the last doubt.
  * After a farm comes back, a name that does not tick within `freshen_s` is subscribed again.
  * A halted name is said once, at the change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ...core.broker import Clock
from ...core.events import BrokerEvent, DataQuality, Halt, Quality, Quote, TradingStatus
from .codes import Effect, Rule
from .contracts import Contracts
from .pacer import Lane, Pacer
from .said import DataTypeSaid, TickSaid
from .wire import Wire

SHORTABLE_TICKS = "236"
_TYPES = {1: Quality.LIVE, 2: Quality.FROZEN, 3: Quality.DELAYED, 4: Quality.DELAYED}
_PRICES = {1: "bid", 2: "ask", 4: "last", 66: "bid", 67: "ask", 68: "last"}
_SIZES = {0: "bid_size", 3: "ask_size", 8: "volume", 69: "bid_size", 70: "ask_size", 74: "volume"}
_SIZE_OF_PRICE = {1: "bid_size", 2: "ask_size", 66: "bid_size", 67: "ask_size"}
_HALTED, _SHORTABLE_SHARES = 49, 89
_HALTS = {0: Halt.NONE, 1: Halt.REGULATORY, 2: Halt.VOLATILITY}
SESSION_ENDED = "the session ended"
"""Why no name has a quote while there is no session."""
FRESHEN_S = timedelta(seconds=5).total_seconds()


@dataclass(slots=True, eq=False)
class _Line:
    """One subscription."""

    quote: Quote
    req_id: int
    said: Quality = Quality.NONE
    is_fresh: bool = False
    ticks: int = 0


@dataclass(slots=True, eq=False)
class Quotes:
    """Fulfills MarketData; `emit` hears of quality, halts and shares to borrow."""

    clock: Clock
    wire: Wire
    pacer: Pacer
    contracts: Contracts
    next_req_id: Callable[[], int]
    emit: Callable[[BrokerEvent], None]
    freshen_s: float = FRESHEN_S
    _lines: dict[str, _Line] = field(default_factory=dict)
    _symbols: dict[int, str] = field(default_factory=dict)
    _is_farm_down: bool = False
    _is_competing: bool = False

    def subscribe(self, symbols: Sequence[str]) -> None:
        """Watch names that are resolved; one that is watched already stays so."""
        for symbol in symbols:
            if symbol not in self._lines and self.contracts.instrument(symbol) is not None:
                nan = math.nan
                quote = Quote(symbol, nan, nan, nan, 0, 0, 0, 0, Quality.NONE)
                self._lines[symbol] = _Line(quote, -1)
                self._watch(symbol)

    def unsubscribe(self, symbols: Sequence[str]) -> None:
        for symbol in symbols:
            line = self._lines.pop(symbol, None)
            if line is not None:
                self._unwatch(line)

    def quote(self, symbol: str) -> Quote | None:
        line = self._lines.get(symbol)
        return line.quote if line is not None else None

    def quality(self, symbol: str) -> Quality:
        line = self._lines.get(symbol)
        return line.quote.quality if line is not None else Quality.NONE

    def resubscribe(self) -> None:
        """Every subscription is lost: make them all again."""
        self._is_farm_down = self._is_competing = False
        for symbol, line in self._lines.items():
            self._unwatch(line)
            self._watch(symbol)

    def lost(self) -> None:
        """The line is gone: nothing is known any more, and the next session subscribes anew."""
        self._symbols.clear()
        for symbol, line in self._lines.items():
            line.req_id, line.is_fresh = -1, False
            self._judge(symbol, SESSION_ENDED)

    # --- what is said

    def tick(self, said: TickSaid) -> None:
        symbol = self._symbols.get(said.req_id)
        if symbol is None:
            return
        line = self._lines[symbol]
        if said.kind in _PRICES:
            self._price(line, said)
        elif said.kind in _SIZES:
            self._change(line, **{_SIZES[said.kind]: int(said.value)})
        elif said.kind == _HALTED and said.value in _HALTS:
            self._status(line, halt=_HALTS[int(said.value)])
        elif said.kind == _SHORTABLE_SHARES:
            self._status(line, shares=int(said.value))

    def data_type(self, said: DataTypeSaid) -> None:
        symbol = self._symbols.get(said.req_id)
        if symbol is not None:
            self._lines[symbol].said = _TYPES.get(said.kind, Quality.NONE)
            self._judge(symbol, "")

    def numbered(self, req_id: int, rule: Rule, text: str) -> bool:
        """A number about a subscription, or about a farm; whether it was one of ours."""
        effect = rule.effect
        if effect is Effect.FARM_DOWN and rule.code == 2103:
            self._doubt_all(text, is_farm_down=True)
        elif effect is Effect.FARM_UP and rule.code == 2104 and self._is_farm_down:
            self._doubt_all(text, is_farm_down=False)
            self.clock.later(self.freshen_s, self._freshen)
        elif effect is Effect.COMPETING:
            self._is_competing = True
            self._doubt_all(text, is_farm_down=self._is_farm_down)
        symbol = self._symbols.get(req_id)
        if symbol is None:
            return False
        line = self._lines[symbol]
        if effect is Effect.DELAYED_DATA:
            line.said = Quality.DELAYED
        elif effect is Effect.RESUBSCRIBE:
            self._unwatch(line)
            self._watch(symbol)
        elif effect not in (Effect.NOTE, Effect.COMPETING):
            line.said, line.is_fresh = Quality.NONE, False
            if line.quote.quality is Quality.NONE:
                # Nothing changes by it, but it is why there never was a quote.
                self.emit(DataQuality(symbol, Quality.NONE, text))
        self._judge(symbol, text)
        return True

    # --- inside

    def _watch(self, symbol: str) -> None:
        line, instrument = self._lines[symbol], self.contracts.instrument(symbol)
        assert instrument is not None, "a name is watched when it is resolved"
        line.req_id, line.is_fresh = self.next_req_id(), False
        self._symbols[line.req_id] = symbol
        req_id, con_id = line.req_id, instrument.broker_id
        send = lambda: self.wire.watch(req_id, con_id, symbol, SHORTABLE_TICKS)  # noqa: E731
        self.pacer.put(Lane.REQUEST, send, f"watch {req_id}")

    def _unwatch(self, line: _Line) -> None:
        if line.req_id < 0:
            return
        req_id = line.req_id
        self._symbols.pop(req_id, None)
        if not self.pacer.drop(f"watch {req_id}"):
            self.pacer.put(Lane.REQUEST, lambda: self.wire.unwatch(req_id))

    def _price(self, line: _Line, said: TickSaid) -> None:
        # IBKR writes -1 where there is no quote.
        price = said.value if said.value > 0 else math.nan
        changes: dict[str, float | int] = {_PRICES[said.kind]: price}
        if said.kind in _SIZE_OF_PRICE:
            changes[_SIZE_OF_PRICE[said.kind]] = int(said.size)
        self._change(line, **changes)

    def _change(self, line: _Line, **changes: float | int) -> None:
        line.quote = replace(line.quote, ts=self.clock.wall_ns(), **changes)  # type: ignore[arg-type]
        line.ticks += 1
        if not line.is_fresh or self._is_competing:
            line.is_fresh, self._is_competing = True, False
            self._judge(line.quote.symbol, "")

    def _status(self, line: _Line, halt: Halt | None = None, shares: int | None = None) -> None:
        old = line.quote
        new = replace(
            old,
            halt=old.halt if halt is None else halt,
            shortable_shares=old.shortable_shares if shares is None else shares,
        )
        if new != old:
            line.quote = new
            self.emit(TradingStatus(new.symbol, new.halt, new.shortable_shares))

    def _doubt_all(self, text: str, *, is_farm_down: bool) -> None:
        self._is_farm_down = is_farm_down
        for symbol, line in self._lines.items():
            line.is_fresh = False
            self._judge(symbol, text)

    def _freshen(self) -> None:
        """Subscribe again what has not ticked since its farm came back."""
        for symbol, line in self._lines.items():
            if not line.is_fresh and line.req_id >= 0:
                self._unwatch(line)
                self._watch(symbol)

    def _judge(self, symbol: str, text: str) -> None:
        line = self._lines[symbol]
        doubted = self._is_farm_down or self._is_competing or not line.is_fresh
        quality = Quality.NONE if doubted else line.said
        if quality is not line.quote.quality:
            line.quote = replace(line.quote, quality=quality)
            self.emit(DataQuality(symbol, quality, text))
