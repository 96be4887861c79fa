"""The line to one gateway and all that hangs on it: hears, and keeps the books in step.

Rules
  * Everything said is worked on in the order of the wire, whatever the session's state.
  * The line counts as alive while bytes come; silence ends it, since TCP may never say so.
  * The books are in step when a full round of questions taught nothing new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from typing import Any

from ...core.broker import Answer, Clock, Memory, Ok, Timer
from ...core.errors import BrokerError
from ...core.events import AccountReport, BrokerEvent, Notice, SessionState, Severity
from ...core.orders import OrdStatus
from . import said, settle
from .account import Account
from .codes import Codes, Effect, Rule
from .contracts import Contracts
from .numbers import numbered
from .orders import OrderTable
from .pacer import Lane, Pacer
from .questions import Questions
from .quotes import Quotes
from .rows import remembered
from .session import Need, Session
from .settings import IbkrSettings, account_fault
from .wire import Wire, first_of

FIRST_REQUEST = 1_000_000_000
"""Questions are numbered from here, so that no number means an order and a question."""
MOST_PASSES = 6
LISTS = ("executions", "orders", "completed", "positions", "account")

Answers = dict[str, Answer[Any]]


class Link:
    """One gateway, one account; `emit` hears everything that changed."""

    def __init__(
        self,
        settings: IbkrSettings,
        clock: Clock,
        emit: Callable[[BrokerEvent], None],
        memory: Memory,
        codes: Codes,
    ) -> None:
        self.settings, self.clock, self.emit, self.codes = settings, clock, emit, codes
        self.session = Session(emit)
        self.pacer = Pacer(clock, settings.messages_per_s, settings.burst)
        self.questions = Questions(clock, self.pacer, settings.answer_s)
        self.wire = Wire(self.hear)
        self.orders = OrderTable(
            settings.account, settings.client_id, clock, emit, rows=remembered(memory)
        )
        self.account = Account(settings.account)
        self.high_water = self._used = memory.high_water
        self.previews: dict[int, str] = {}
        self._req_ids = count(FIRST_REQUEST)
        self.contracts = Contracts(self.questions, self.wire, self.next_req_id)
        self.quotes = Quotes(clock, self.wire, self.pacer, self.contracts, self.next_req_id, emit)
        self._refused: asyncio.Future[str] | None = None
        self._managed: tuple[str, ...] = ()
        self._told: AccountReport | None = None
        self._last_heard = 0.0
        self._is_skew_told = False
        self._reconciling = asyncio.Lock()
        self._doubt_timer: Timer | None = None
        self._timers: dict[str, Timer] = {}
        self._tasks: set[asyncio.Task[object]] = set()

    def next_req_id(self) -> int:
        return next(self._req_ids)

    def reserve(self) -> int:
        """One more order number may be used, as soon as that is durable; the greatest now."""
        self.high_water += 1
        return self.high_water

    def number(self) -> int:
        """The number of an order that leaves now: numbers have to grow on the wire."""
        self._used += 1
        self.high_water = max(self.high_water, self._used)
        return self._used

    def _raise_numbers(self, used: int) -> None:
        self._used = max(self._used, used)
        self.high_water = max(self.high_water, self._used)

    # --- beginning and end

    async def connect(self) -> int:
        """Open the line, check whose it is, and bring the books in step; the server's version."""
        if self.session.state is not SessionState.DISCONNECTED:
            raise BrokerError(f"the session is {self.session.state}. Disconnect before connecting.")
        self.session.to(SessionState.CONNECTING, f"to {self.settings.host}:{self.settings.port}")
        try:
            version = await self._open()
            fault = account_fault(self.settings, self._managed)
            if fault:
                raise BrokerError(fault)
            self.session.to(SessionState.SYNCING, "connected")
            self.pacer.open()
            self._beat()
            await self._sync()
        except BaseException as fault:
            self.hang_up(str(fault) or type(fault).__name__)
            raise
        self._look_later()
        return version

    async def _open(self) -> int:
        settings = self.settings
        self._refused = asyncio.get_running_loop().create_future()
        wanted = asyncio.ensure_future(
            self.wire.connect(settings.host, settings.port, settings.client_id)
        )
        try:
            return await first_of(wanted, self._refused, settings.connect_s)
        except OSError as fault:
            raise BrokerError(
                f"{settings.host}:{settings.port} does not answer: {fault}. Start TWS or the "
                "Gateway, and allow API connections on this port."
            ) from fault
        finally:
            self._refused = None
            if not wanted.done():
                wanted.cancel()

    def hang_up(self, why: str) -> None:
        """End the session on this side: what was not sent is taken back, questions fail."""
        if self.session.state is SessionState.DISCONNECTED:
            return
        self.wire.close()
        unsent = self.pacer.close()
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._doubt_timer = None
        for task in self._tasks:
            task.cancel()
        self.questions.fail_all(why)
        self.quotes.lost()
        self.take_back(unsent, "not sent: the session ended")
        self.orders.forget_addresses()
        self.session.to(SessionState.DISCONNECTED, why)

    def take_back(self, keys: tuple[str, ...], text: str) -> None:
        """Say of orders and changes that waited in the outbox that they will not be sent."""
        for key in keys:
            row = self.orders.rows.get(key.removeprefix("~"))
            if row is not None and key.startswith("~"):
                self.orders.drop_change(row, text)
            elif row is not None:
                self.orders.never_sent(row, text)

    # --- hearing

    def hear(self, one: said.Said) -> None:
        """Work on one thing the gateway said."""
        self._last_heard = self.clock.now()
        _HEARS[type(one)](self, one)
        if self.orders.doubts and self.session.is_up:
            self.ask_soon()

    def _next_id(self, one: said.NextIdSaid) -> None:
        self._raise_numbers(one.order_id - 1)

    def _accounts(self, one: said.AccountsSaid) -> None:
        self._managed = one.accounts

    def _order(self, one: said.OrderSaid) -> None:
        if one.client_id == self.settings.client_id:
            self._raise_numbers(one.order_id)
        self.orders.opened(one)

    def _end(self, one: said.EndSaid) -> None:
        if one.kind in ("account", "values"):
            self._tell_account()
        self.questions.end(str(one.req_id) if one.req_id >= 0 else one.kind)

    def _tell_account(self) -> None:
        """Values come in batches: say so once for each that changed something."""
        report = self.account.report()
        if report != self._told:
            self._told = report
            self.emit(report)

    def _trade(self, one: said.TradeSaid) -> None:
        self.orders.traded(one)
        if one.liquidation and one.req_id < 0:
            self.session.to(SessionState.HALTED, f"the broker liquidates {one.symbol}")

    def _position(self, one: said.PositionSaid) -> None:
        self.questions.row("positions", one)
        self.account.position(one)

    def _row_of(self, one: said.DetailsSaid | said.BarSaid) -> None:
        self.questions.row(str(one.req_id), one)

    def _preview(self, one: said.PreviewSaid) -> None:
        key = self.previews.pop(one.order_id, "")
        self.questions.row(key, one)
        self.questions.end(key)

    def _time(self, one: said.TimeSaid) -> None:
        skew = self.clock.wall_ns() / 1e9 - one.epoch
        # Whole seconds are told: up to one of the difference is rounding.
        if not -self.settings.most_skew_s <= skew <= self.settings.most_skew_s + 1.0:
            if not self._is_skew_told:
                self._note(Severity.ERROR, f"our clock is {skew:+.1f} s off the broker's")
            self._is_skew_told = True

    def _garbled(self, one: said.GarbledSaid) -> None:
        self._note(Severity.ERROR, f"a message could not be read: {one.text}")
        self.orders.doubts.add("")

    def _closed(self, one: said.ClosedSaid) -> None:
        if self._refused is not None and not self._refused.done():
            self._refused.set_result(f"{one.text} before the session began. Is the API enabled?")
        elif self.session.is_up:
            self.hang_up(one.text)

    def _error(self, one: said.ErrorSaid) -> None:
        """A number: about the line, then an order, a quote, a question, or no one."""
        rule = self.codes.rule(one.code)
        if rule.effect is Effect.SESSION_REFUSED and self._refused is not None:
            if not self._refused.done():
                self._refused.set_result(f"{one.text} ({one.code}). {_cure(one.code)}")
            return
        needs = self.session.message(rule, one.text)
        row = self.orders.at(one.req_id) if one.req_id >= 0 else None
        if row is not None:
            numbered(self.orders, row, rule, one.text)
        elif not self._about_question(one, rule):
            self._note(rule.severity, one.text, one.code)
        self._do(needs, one.text)

    def _about_question(self, one: said.ErrorSaid, rule: Rule) -> bool:
        if self.quotes.numbered(one.req_id, rule, one.text):
            return True
        gentle = rule.effect in (Effect.NOTE, Effect.ASK, Effect.DELAYED_DATA)
        key = self.previews.get(one.req_id, str(one.req_id))
        return not gentle and self.questions.fail(key, one.text, one.code)

    def _do(self, needs: frozenset[Need], text: str) -> None:
        if Need.HANG_UP in needs:
            self.hang_up(text)
            return
        if Need.SLOW_DOWN in needs:
            self.pacer.slow_down()
        if Need.RESUBSCRIBE in needs:
            self.quotes.resubscribe()
        if Need.RECONCILE in needs:
            self._start(self._resync())

    # --- the books in step

    async def _sync(self) -> None:
        """Ask until asking teaches nothing new; READY then."""
        for attempt in range(MOST_PASSES):
            learned, held = self.orders.learned, self.account.held()
            answers = await self.ask_everything()
            failed = {name: one for name, one in answers.items() if not isinstance(one, Ok)}
            if failed:
                raise BrokerError(f"the books cannot be brought in step: {failed}. Connect again.")
            if attempt and (learned, held) == (self.orders.learned, self.account.held()):
                break
            await asyncio.sleep(self.settings.settle_s)
        else:
            self._note(Severity.WARNING, f"the books still moved after {MOST_PASSES} rounds")
        self.session.to(SessionState.READY, "the books agree")
        self.quotes.resubscribe()

    async def _resync(self) -> None:
        """Bring the books in step again, however long it takes, while the line stands."""
        while self.session.state is SessionState.SYNCING:
            try:
                await self._sync()
            except BrokerError as fault:
                self._note(Severity.ERROR, str(fault))
                await asyncio.sleep(self.settings.settle_s)
        if self.session.is_up:
            await self.reconcile()

    async def ask_everything(self) -> Answers:
        """Orders, executions, positions and money, each known or not."""
        orders, positions, account = await asyncio.gather(
            self.reconcile(),
            self._ask("positions", self.wire.ask_positions),
            self._ask("account", lambda: self.wire.ask_account(self.settings.account)),
        )
        if isinstance(positions, Ok):
            self.account.listed(positions.value)
        return {**orders, "positions": positions, "account": account}

    async def reconcile(self) -> Answers:
        """Ask what became of every order; concludes when all three lists are complete."""
        async with self._reconciling:
            started, req_id = self.clock.now(), self.next_req_id()
            settle.begin(self.orders)
            # The living before those that are over: an order that ends meanwhile is in one of both.
            executions, orders, completed = await asyncio.gather(
                self._ask(str(req_id), lambda: self.wire.ask_executions(req_id)),
                self._ask("orders", self.wire.ask_orders),
                self._ask("completed", self.wire.ask_completed),
            )
            answers: Answers = dict(zip(LISTS[:3], (executions, orders, completed), strict=True))
            if all(isinstance(one, Ok) for one in answers.values()):
                settle.settle(self.orders, started - self.settings.ack_s)
            elif self.session.is_up:
                self._note(Severity.WARNING, f"orders could not be asked about: {answers}")
            return answers

    async def _ask(self, key: str, send: Callable[[], None]) -> Answer[tuple[Any, ...]]:
        return await self.questions.ask(key, send, lane=Lane.REDUCE)

    def ask_soon(self) -> None:
        """Ask about doubts in a moment, unless that is due already."""
        if self._doubt_timer is None:
            self._doubt_timer = self.clock.later(self.settings.doubt_s, self._ask_now)

    def _ask_now(self) -> None:
        self._doubt_timer = None
        if self.session.is_up and self.orders.doubts:
            self._start(self._ask_about())

    async def _ask_about(self) -> None:
        if "" in self.orders.doubts:
            await self.ask_everything()
        else:
            await self.reconcile()

    def ask_if_silent(self, cl_ord_id: str) -> None:
        """Some time after an order was sent: look for it if no word of it has come."""
        row = self.orders.rows[cl_ord_id]
        if not row.is_acked and not row.is_final and self.session.is_up:
            self.orders.doubts.add(cl_ord_id)
            self.ask_soon()

    # --- time

    def _beat(self) -> None:
        silent = self.clock.now() - self._last_heard
        if silent > self.settings.silence_s:
            self.hang_up(f"not a byte for {silent:.0f} s: the line is dead")
            return
        self.pacer.put(Lane.REQUEST, self.wire.ask_time, "time")
        self._timers["beat"] = self.clock.later(self.settings.heartbeat_s, self._beat)

    def _look_later(self) -> None:
        """Reconcile from time to time, oftener while an order is of unknown fate."""
        unknown = any(row.status is OrdStatus.UNKNOWN for row in self.orders.rows.values())
        seconds = self.settings.answer_s if unknown else self.settings.reconcile_s
        self._timers["look"] = self.clock.later(seconds, self._look)

    def _look(self) -> None:
        self._start(self._ask_about())
        self._look_later()

    def _start(self, work: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, severity: Severity, text: str, code: int = 0) -> None:
        self.emit(Notice(severity, text, code))


def _cure(code: int) -> str:
    cures = {
        326: "Close the other program, or set another client_id.",
        502: "Start the Gateway and allow API connections.",
    }
    return cures.get(code, "Look at the gateway, and connect again.")


_HEARS: Mapping[type, Callable[[Link, Any], None]] = {
    said.StatusSaid: lambda link, one: link.orders.status(one),
    said.OrderSaid: Link._order,
    said.PreviewSaid: Link._preview,
    said.CompletedSaid: lambda link, one: link.orders.finished(one),
    said.TradeSaid: Link._trade,
    said.FeeSaid: lambda link, one: link.orders.charged(one),
    said.ErrorSaid: Link._error,
    said.EndSaid: Link._end,
    said.PositionSaid: Link._position,
    said.ValueSaid: lambda link, one: link.account.value(one),
    said.NextIdSaid: Link._next_id,
    said.AccountsSaid: Link._accounts,
    said.TimeSaid: Link._time,
    said.DetailsSaid: Link._row_of,
    said.BarSaid: Link._row_of,
    said.RuleSaid: lambda link, one: link.contracts.rule(one),
    said.TickSaid: lambda link, one: link.quotes.tick(one),
    said.DataTypeSaid: lambda link, one: link.quotes.data_type(one),
    said.GarbledSaid: Link._garbled,
    said.ClosedSaid: Link._closed,
}
