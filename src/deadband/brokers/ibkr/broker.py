"""IBKR behind the order port: requests in, receipts at once, everything else as events.

Rules
  * An order's intent is durable before it enters the outbox, a batch with one write; its number is
    taken when it leaves.
  * A cancel needs no intent: it must go through when nothing can be written any more.
  * Nothing is sent twice. An order without an answer is asked about.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from ...core.broker import (
    Answer,
    BrokerSnapshot,
    CancelAll,
    CancelScope,
    Capabilities,
    Clock,
    Failed,
    MarginPreview,
    Memory,
    Ok,
    Receipt,
    Replacement,
    SessionInfo,
    WriteAhead,
)
from ...core.events import (
    BrokerEvent,
    Dispatched,
    Heard,
    Intent,
    OrderState,
    SessionState,
)
from ...core.order_checks import Denial, journal_denial
from ...core.orders import Action, ExecType, ExecutionReport, Order, Source, Tif
from ...core.reasons import Code
from ..stream import Stream
from . import said
from .checks import STRATEGIES, change_denial, is_cancelable, new_denial, price_denial
from .codes import Codes, Effect
from .history import History
from .link import Link
from .pacer import ORDERS, Lane, Meter
from .rows import NO_ADDRESS, Row
from .session import is_quiet
from .settings import IbkrSettings, Mode
from .wire import IB_TYPES


class IbkrBroker:
    """One account at one gateway: Broker; its `contracts` are ReferenceData, `quotes` MarketData.

    `write_ahead` makes intents durable before anything is sent; `memory` is what the journal holds
    of orders that may still matter. `overrides` gives codes another effect.
    """

    def __init__(
        self,
        settings: IbkrSettings,
        clock: Clock,
        write_ahead: WriteAhead,
        memory: Memory | None = None,
        *,
        overrides: Mapping[int, Effect] | None = None,
        history_folder: Path | None = None,
    ) -> None:
        self.settings, self._clock, self._write_ahead = settings, clock, write_ahead
        self.capabilities = Capabilities(
            ord_types=frozenset(IB_TYPES),
            tifs=frozenset(Tif),
            strategies=STRATEGIES,
            most_messages_per_s=settings.messages_per_s,
        )
        self._stream = Stream(clock)
        self._link = Link(settings, clock, self._heard, memory or Memory(), Codes(overrides))
        self._line = line = self._link.line
        self._orders, self._pacer = line.orders, line.pacer
        self.contracts, self.quotes = line.contracts, line.quotes
        self.history = History(
            line.questions,
            line.wire,
            self.contracts,
            line.next_req_id,
            clock,
            history_folder,
        )
        self._previewed_at: float | None = None

    @property
    def state(self) -> SessionState:
        return self._line.session.state

    @property
    def skew_s(self) -> float | None:
        """Our clock less the broker's, seconds, to one of rounding; None before it was told."""
        return self._link.skew_s

    @property
    def meter(self) -> Meter:
        """What was sent, how long it waited, and orders for each execution."""
        return self._pacer.meter

    @property
    def high_water(self) -> int:
        """No order number beyond it was ever used; intents carry it too."""
        return self._line.high_water

    async def connect(self) -> SessionInfo:
        version = await self._link.connect()
        settings = self.settings
        is_live = settings.mode is Mode.LIVE
        return SessionInfo(settings.account, is_live, version, settings.client_id)

    async def disconnect(self) -> None:
        self._link.hang_up("disconnected by us")

    async def close(self) -> None:
        await self.disconnect()
        self._stream.close()

    def events(self) -> AsyncIterator[Heard]:
        return aiter(self._stream)

    def taken(self) -> tuple[Heard, ...]:
        """Events heard so far and not taken yet, without waiting."""
        return self._stream.taken()

    # --- requests

    def submit(self, orders: Sequence[Order]) -> tuple[Receipt, ...]:
        denied: dict[int, Receipt] = {}
        intents: dict[int, Intent] = {}
        used: dict[str, Order] = {}
        for place, order in enumerate(orders):
            reason = self._new_denial(order, used)
            if reason is not None:
                denied[place] = Receipt(order.cl_ord_id, *reason)
            else:
                used[order.cl_ord_id] = order
                intents[place] = Intent(Action.NEW, order, self._line.reserve())
        fault = journal_denial(self._write_ahead, tuple(intents.values()))
        for place, intent in intents.items():
            if fault is not None:
                denied[place] = Receipt(intent.order.cl_ord_id, *fault)
            else:
                self._post(intent)
        return tuple(
            denied.get(place, Receipt(order.cl_ord_id)) for place, order in enumerate(orders)
        )

    def replace(self, wanted: Replacement) -> Receipt:
        ref = wanted.cl_ord_id
        row = self._orders.rows.get(ref)
        reason = self._session_denial() or change_denial(wanted, row, self._orders)
        if reason is not None or row is None:
            return Receipt(ref, *(reason or (Code.ORDER_NOT_WORKING, "")))
        order = replace(row.order, order_qty=wanted.order_qty, price=wanted.price)
        reason = price_denial(order, self.contracts.instrument(order.symbol))
        intent = Intent(Action.REPLACE, order, self._line.high_water)
        reason = reason or journal_denial(self._write_ahead, (intent,))
        if reason is not None:
            return Receipt(ref, *reason)
        if not row.is_sent:
            row.order = order
            text = "changed before it was sent"
            self._orders.report(row, ExecType.REPLACED, text=text, source=Source.LOCAL)
            return Receipt(ref)
        row.wanted = order
        self._orders.move(row, ExecType.PENDING_REPLACE, source=Source.LOCAL)
        takes_off = order.order_qty < row.order.order_qty and order.price == row.order.price
        lane = Lane.REDUCE if takes_off else Lane.NEW
        self._pacer.put(lane, lambda: self._send_change(row), f"~{ref}")
        return Receipt(ref)

    def cancel(self, cl_ord_id: str) -> Receipt:
        row = self._orders.rows.get(cl_ord_id)
        if row is None or not is_cancelable(row):
            return Receipt(cl_ord_id, Code.ORDER_NOT_WORKING, f"{cl_ord_id} does not work")
        if not row.is_sent and self._pacer.drop(cl_ord_id):
            self._orders.never_sent(row, "canceled before it was sent")
            return Receipt(cl_ord_id)
        if not self._line.session.is_up:
            return Receipt(cl_ord_id, Code.SESSION_NOT_READY, f"the session is {self.state}")
        if row.address == NO_ADDRESS:
            text = f"{cl_ord_id} is not known by a number of this client"
            return Receipt(cl_ord_id, Code.ORDER_NOT_WORKING, text)
        if self._pacer.drop(f"~{cl_ord_id}"):
            self._orders.drop_change(row, "a cancel overtook the change")
        row.cancel_at = self._clock.now()
        self._orders.move(row, ExecType.PENDING_CANCEL, source=Source.LOCAL)
        self._pacer.put(Lane.KILL, lambda: self._send_cancel(row), f"!{cl_ord_id}")
        return Receipt(cl_ord_id)

    def cancel_all(self, what: CancelAll) -> Receipt:
        if what.scope is CancelScope.ACCOUNT:
            return self._cancel_account(what)
        if what.scope is CancelScope.OTHER_RUNS:
            return self._cancel_other_runs(what)
        if what.scope is CancelScope.OWN:
            # Nothing new may slip out between two cancels.
            self._link.take_back(self._pacer.purge(ORDERS), "taken back: everything is canceled")
        rows = list(self._orders.active.values())
        refused = [
            receipt
            for row in rows
            if what.scope is CancelScope.OWN or row.symbol == what.symbol
            if not (receipt := self.cancel(row.order.cl_ord_id)).is_accepted
        ]
        return refused[0] if refused else Receipt("")

    def _cancel_account(self, what: CancelAll) -> Receipt:
        if not what.confirm_foreign:
            text = "this cancels orders of other programs and those typed by hand: confirm_foreign"
            return Receipt("", Code.BROKER_NOT_CONFIRMED, text)
        if not self._line.session.is_up:
            return Receipt("", Code.SESSION_NOT_READY, f"the session is {self.state}")
        self._link.take_back(self._pacer.purge(ORDERS), "taken back: everything is canceled")
        for row in list(self._orders.active.values()):
            row.cancel_at = self._clock.now()
            self._orders.move(row, ExecType.PENDING_CANCEL, source=Source.LOCAL)
        self._pacer.put(Lane.KILL, self._line.wire.cancel_everything, "!")
        return Receipt("")

    def _cancel_other_runs(self, what: CancelAll) -> Receipt:
        """Cancel by number what this client's earlier runs left; others' numbers do not reach."""
        if not what.prefix:
            return Receipt("", Code.BROKER_NOT_CONFIRMED, "no prefix says which orders are meant")
        if not self._line.session.is_up:
            return Receipt("", Code.SESSION_NOT_READY, f"the session is {self.state}")
        found = self._orders.foreign.of_runs(what.prefix, what.symbol)
        for one in found:
            if one.client_id == self.settings.client_id and one.order_id > 0:
                self._pacer.put(Lane.KILL, partial(self._line.wire.cancel, one.order_id))
        others = [one for one in found if one.client_id != self.settings.client_id]
        if not others:
            return Receipt("")
        clients = ", ".join(sorted({str(one.client_id) for one in others}))
        text = f"{len(others)} are of client {clients}: only it may cancel them. Connect as it."
        return Receipt(others[0].ref, Code.ORDER_NOT_WORKING, text)

    # --- questions

    async def snapshot(self) -> BrokerSnapshot:
        answers = await self._link.books.ask_everything()
        lists = [answers[name] for name in ("executions", "orders", "completed")]
        orders: Answer[tuple[OrderState, ...]] = next(
            (one for one in lists if not isinstance(one, Ok)),
            Ok(tuple(row.state() for row in self._orders.rows.values()), self._clock.wall_ns()),
        )
        foreign: Answer[tuple[OrderState, ...]] = orders
        if isinstance(orders, Ok):
            foreign = Ok(tuple(self._orders.foreign.alive.values()), orders.asof)
        positions, account = answers["positions"], answers["account"]
        if isinstance(positions, Ok):
            positions = Ok(self._line.account.held(), positions.asof)
        if isinstance(account, Ok):
            account = Ok(self._line.account.report(), account.asof)
        return BrokerSnapshot(orders, foreign, positions, account)

    async def order_status(self, cl_ord_id: str) -> Answer[OrderState]:
        answers = await self._link.books.reconcile()
        failed = [one for one in answers.values() if not isinstance(one, Ok)]
        if failed:
            return failed[0]
        row = self._orders.rows.get(cl_ord_id)
        if row is None:
            return Failed(f"no order {cl_ord_id} is known, here or at the broker")
        return Ok(row.state(), self._clock.wall_ns())

    async def preview(self, order: Order) -> Answer[MarginPreview]:
        """What an order would ask; IBKR wants no more than one a minute."""
        now, settings = self._clock.now(), self.settings
        if self._previewed_at is not None and now - self._previewed_at < settings.preview_s:
            wait = self._previewed_at + settings.preview_s - now
            return Failed(f"the next preview is possible in {wait:.0f} s")
        reason = self._session_denial() or self._new_denial(order, {})
        instrument = self.contracts.instrument(order.symbol)
        if reason is not None or instrument is None:
            return Failed(str(reason))
        self._previewed_at = now
        key, con_id = f"preview {self._line.next_req_id()}", instrument.broker_id

        def send() -> None:
            number = self._line.number()
            self._link.previews[number] = key
            self._line.wire.preview(number, con_id, order, settings.account)

        answer = await self._line.questions.ask(key, send)
        if not isinstance(answer, Ok):
            return answer
        shown: said.PreviewSaid = answer.value[0]
        preview = MarginPreview(
            shown.init_margin_change,
            shown.maint_margin_change,
            shown.equity_change,
            shown.commission_least,
            shown.commission_most,
            shown.warning,
        )
        return Ok(preview, answer.asof)

    # --- sending

    def _post(self, intent: Intent) -> None:
        """Put a durable order into the outbox, in the lane of what it does to the position."""
        order = intent.order
        row = self._orders.add(order)
        held = self._line.account.qty(order.symbol)
        reduces = held * order.side.sign < 0 and order.order_qty <= abs(held)
        lane = Lane.REDUCE if reduces else Lane.NEW
        self._pacer.put(lane, lambda: self._send_new(row), order.cl_ord_id)

    def _send_new(self, row: Row) -> None:
        # Numbered here and not before: the lanes may have let others pass, and IBKR answers 103 to
        # a number that is not above the last.
        self._orders.number(row, self._line.number())
        row.asked_at = self._clock.now()
        self.meter.orders += 1
        instrument = self.contracts.instrument(row.symbol)
        assert instrument is not None, "an order is taken when its name is resolved"
        self._line.wire.place(row.address, instrument.broker_id, row.order, self.settings.account)
        row.is_dispatched = True
        self._heard(Dispatched(row.order.cl_ord_id, row.symbol, row.address))
        ref = row.order.cl_ord_id
        self._clock.later(self.settings.ack_s, lambda: self._link.books.ask_if_silent(ref))

    def _send_change(self, row: Row) -> None:
        instrument = self.contracts.instrument(row.symbol)
        if row.wanted is None or row.is_final or instrument is None:
            return
        row.asked_at = self._clock.now()
        self.meter.changes += 1
        self._line.wire.place(row.address, instrument.broker_id, row.wanted, self.settings.account)

    def _send_cancel(self, row: Row) -> None:
        if not row.is_final and row.address != NO_ADDRESS:
            self.meter.cancels += 1
            row.cancel_at = self._clock.now()
            self._line.wire.cancel(row.address)

    def _session_denial(self) -> Denial | None:
        settings = self.settings
        quiet = is_quiet(settings.restart_at, settings.quiet_min, self._clock.wall_ns())
        code = self._line.session.denial(is_quiet=quiet)
        return None if code is None else (code, f"the session is {self.state}")

    def _new_denial(self, order: Order, used: Mapping[str, Order]) -> Denial | None:
        denied = self._session_denial()
        if denied is None and order.cl_ord_id in used:
            denied = Code.ORDER_BAD_ID, f"{order.cl_ord_id} is in this batch twice"
        return denied or new_denial(
            order,
            self._orders,
            self.contracts.instrument(order.symbol),
            self.capabilities,
            self.settings.most_active_a_side - _alike(order, used),
        )

    def _heard(self, event: BrokerEvent) -> None:
        if isinstance(event, ExecutionReport) and event.exec_type is ExecType.TRADE:
            self.meter.executions += 1
        self._stream.put(event)


def _alike(order: Order, batch: Mapping[str, Order]) -> int:
    """Orders of the same name and side that the same batch holds already."""
    return sum(
        other.symbol == order.symbol and other.side.sign == order.side.sign
        for other in batch.values()
    )
