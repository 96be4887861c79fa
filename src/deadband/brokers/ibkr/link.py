"""The line to one gateway: begins and ends it, and hands what is said to whom it concerns.

Rules
  * Everything said is worked on in the order of the wire, whatever the session's state.
  * The line counts as alive while bytes come; silence ends it, since TCP may never say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ...core.broker import Clock, Memory, Timer
from ...core.errors import BrokerError
from ...core.events import AccountReport, BrokerEvent, SessionState, Severity
from . import said
from .books import Books
from .codes import Codes, Effect, Rule
from .fills import charged, traded
from .line import Line
from .numbers import numbered
from .orders import WHOLE
from .pacer import Lane
from .session import Need
from .settings import IbkrSettings, WrongAccount, account_fault, unreachable
from .wire import OLDEST_SERVER, first_of


class Link:
    """One gateway, one account; everything that changed is told by the line's `emit`."""

    def __init__(
        self,
        settings: IbkrSettings,
        clock: Clock,
        emit: Callable[[BrokerEvent], None],
        memory: Memory,
        codes: Codes,
    ) -> None:
        self.line = Line(settings, clock, emit, self.hear, memory)
        self.books = Books(self.line)
        self.codes = codes
        self.previews: dict[int, str] = {}
        """Keys of previews under way by the order numbers they were sent under."""
        self._refused: asyncio.Future[str] | None = None
        self._managed: tuple[str, ...] = ()
        self._told: AccountReport | None = None
        self._last_heard = 0.0
        self._is_skew_told = False
        self.skew_s: float | None = None
        """Our clock less the broker's when it last told the time, which is in whole seconds."""
        self._beat_timer: Timer | None = None

    # --- beginning and end

    async def connect(self) -> int:
        """Open the line, check whose it is, and bring the books in step; the server's version."""
        session, settings = self.line.session, self.line.settings
        if session.state is not SessionState.DISCONNECTED:
            raise BrokerError(f"the session is {session.state}. Disconnect before connecting.")
        session.to(SessionState.CONNECTING, f"to {settings.host}:{settings.port}")
        try:
            version = await self._open()
            fault = account_fault(self.line.settings, self._managed)
            if fault:
                raise WrongAccount(fault)
            self.line.session.to(SessionState.SYNCING, "connected")
            self.line.pacer.open()
            self._beat()
            await self.books.bring_in_step()
        except BaseException as fault:
            self.hang_up(str(fault) or type(fault).__name__)
            raise
        self.books.look_later()
        return version

    async def _open(self) -> int:
        settings = self.line.settings
        self._refused = asyncio.get_running_loop().create_future()
        wanted = asyncio.ensure_future(
            self.line.wire.connect(settings.host, settings.port, settings.client_id)
        )
        try:
            return await first_of(wanted, self._refused, settings.connect_s)
        except OSError as fault:
            raise BrokerError(unreachable(settings, fault)) from fault
        finally:
            self._refused = None
            if wanted.done() and not wanted.cancelled():
                # Looked at, though nobody may wait for it any more.
                wanted.exception()
            wanted.cancel()

    def hang_up(self, why: str) -> None:
        """End the session on this side: what was not sent is taken back, questions fail."""
        if self.line.session.state is SessionState.DISCONNECTED:
            return
        self.line.wire.close()
        unsent = self.line.pacer.close()
        if self._beat_timer is not None:
            self._beat_timer.cancel()
        self.books.stop()
        self.line.questions.fail_all(why)
        self.line.quotes.lost()
        self.take_back(unsent, "not sent: the session ended")
        self.line.orders.forget_addresses()
        self.line.session.to(SessionState.DISCONNECTED, why)

    def take_back(self, keys: tuple[str, ...], text: str) -> None:
        """Say of orders and changes that waited in the outbox that they will not be sent."""
        for key in keys:
            row = self.line.orders.rows.get(key.removeprefix("~"))
            if row is not None and key.startswith("~"):
                self.line.orders.drop_change(row, text)
            elif row is not None:
                self.line.orders.never_sent(row, text)

    # --- hearing

    def hear(self, one: said.Said) -> None:
        """Work on one thing the gateway said."""
        self._last_heard = self.line.clock.now()
        _HEARS[type(one)](self, one)
        if self.line.orders.doubts and self.line.session.is_up:
            self.books.ask_soon()

    def _next_id(self, one: said.NextIdSaid) -> None:
        self.line.raise_numbers(one.order_id - 1)

    def _accounts(self, one: said.AccountsSaid) -> None:
        self._managed = one.accounts

    def _order(self, one: said.OrderSaid) -> None:
        if one.client_id == self.line.settings.client_id:
            self.line.raise_numbers(one.order_id)
        self.line.orders.opened(one)

    def _end(self, one: said.EndSaid) -> None:
        if one.kind in ("account", "values"):
            self._tell_account()
        self.line.questions.end(str(one.req_id) if one.req_id >= 0 else one.kind)

    def _tell_account(self) -> None:
        """Values come in batches: say so once for each that changed something."""
        report = self.line.account.report()
        if report != self._told:
            self._told = report
            self.line.emit(report)

    def _trade(self, one: said.TradeSaid) -> None:
        traded(self.line.orders, one)
        if one.liquidation and one.req_id < 0:
            self.line.session.to(SessionState.HALTED, f"the broker liquidates {one.symbol}")

    def _position(self, one: said.PositionSaid) -> None:
        self.line.questions.row("positions", one)
        self.line.account.position(one)

    def _row_of(self, one: said.DetailsSaid | said.BarSaid) -> None:
        self.line.questions.row(str(one.req_id), one)

    def _preview(self, one: said.PreviewSaid) -> None:
        key = self.previews.pop(one.order_id, "")
        self.line.questions.row(key, one)
        self.line.questions.end(key)

    def _time(self, one: said.TimeSaid) -> None:
        skew = self.skew_s = self.line.clock.wall_ns() / 1e9 - one.epoch
        # Whole seconds are told: up to one of the difference is rounding.
        if not -self.line.settings.most_skew_s <= skew <= self.line.settings.most_skew_s + 1.0:
            if not self._is_skew_told:
                self.line.note(Severity.ERROR, f"our clock is {skew:+.1f} s off the broker's")
            self._is_skew_told = True

    def _garbled(self, one: said.GarbledSaid) -> None:
        self.line.note(Severity.ERROR, f"a message could not be read: {one.text}")
        self.line.orders.doubts.add(WHOLE)

    def _closed(self, one: said.ClosedSaid) -> None:
        if self._refused is not None and not self._refused.done():
            cure = f"Enable the API; below server version {OLDEST_SERVER} update the gateway."
            self._refused.set_result(f"{one.text} before the session began. {cure}")
        elif self.line.session.is_up:
            self.hang_up(one.text)

    def _error(self, one: said.ErrorSaid) -> None:
        """A number: about the line, then an order, a quote, a question, or no one."""
        rule = self.codes.rule(one.code)
        if rule.effect is Effect.SESSION_REFUSED and self._refused is not None:
            if not self._refused.done():
                self._refused.set_result(f"{one.text} ({one.code}). {_cure(one.code)}")
            return
        needs = self.line.session.message(rule, one.text)
        row = self.line.orders.at(one.req_id) if one.req_id >= 0 else None
        if row is not None:
            numbered(self.line.orders, row, rule, one.text)
        elif not self._about_question(one, rule):
            self.line.note(rule.severity, one.text, one.code)
        self._do(needs, one.text)

    def _about_question(self, one: said.ErrorSaid, rule: Rule) -> bool:
        if self.line.quotes.numbered(one.req_id, rule, one.text):
            return True
        gentle = rule.effect in (Effect.NOTE, Effect.ASK, Effect.DELAYED_DATA)
        key = self.previews.get(one.req_id, str(one.req_id))
        return not gentle and self.line.questions.fail(key, one.text, one.code)

    def _do(self, needs: frozenset[Need], text: str) -> None:
        if Need.HANG_UP in needs:
            self.hang_up(text)
            return
        if Need.SLOW_DOWN in needs:
            self.line.pacer.slow_down()
        if Need.RESUBSCRIBE in needs:
            self.line.quotes.resubscribe()
        if Need.RECONCILE in needs:
            self.books.start(self.books.mend())

    # --- time

    def _beat(self) -> None:
        silent = self.line.clock.now() - self._last_heard
        if silent > self.line.settings.silence_s:
            self.hang_up(f"not a byte for {silent:.0f} s: the line is dead")
            return
        self.line.pacer.put(Lane.REQUEST, self.line.wire.ask_time, "time")
        self._beat_timer = self.line.clock.later(self.line.settings.heartbeat_s, self._beat)


def _cure(code: int) -> str:
    cures = {
        326: "Close the other program, or set another client_id.",
        502: "Start the Gateway and allow API connections.",
    }
    return cures.get(code, "Look at the gateway, and connect again.")


_HEARS: Mapping[type, Callable[[Link, Any], None]] = {
    said.StatusSaid: lambda link, one: link.line.orders.status(one),
    said.OrderSaid: Link._order,
    said.PreviewSaid: Link._preview,
    said.CompletedSaid: lambda link, one: link.line.orders.finished(one),
    said.TradeSaid: Link._trade,
    said.FeeSaid: lambda link, one: charged(link.line.orders, one),
    said.ErrorSaid: Link._error,
    said.EndSaid: Link._end,
    said.PositionSaid: Link._position,
    said.ValueSaid: lambda link, one: link.line.account.value(one),
    said.NextIdSaid: Link._next_id,
    said.AccountsSaid: Link._accounts,
    said.TimeSaid: Link._time,
    said.DetailsSaid: Link._row_of,
    said.BarSaid: Link._row_of,
    said.RuleSaid: lambda link, one: link.line.contracts.rule(one),
    said.TickSaid: lambda link, one: link.line.quotes.tick(one),
    said.DataTypeSaid: lambda link, one: link.line.quotes.data_type(one),
    said.GarbledSaid: Link._garbled,
    said.ClosedSaid: Link._closed,
}
