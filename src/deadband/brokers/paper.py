"""The embedded simulated broker behind the order port, for paper runs and for the same tests.

Whoever holds it moves it: `advance` gives it a bar, `end_of_day` lets day orders expire. It
answers at once, so that an order is acknowledged before `submit` returns.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..core.bars import Bar
from ..core.broker import (
    Answer,
    BrokerSnapshot,
    CancelAll,
    CancelScope,
    Capabilities,
    Clock,
    Failed,
    MarginPreview,
    Ok,
    Receipt,
    Replacement,
    SessionInfo,
    WriteAhead,
)
from ..core.errors import BrokerError
from ..core.events import (
    AccountReport,
    Heard,
    Intent,
    OrderState,
    PositionReport,
    SessionEvent,
    SessionState,
)
from ..core.lifecycle import FINAL, leaves, next_status
from ..core.order_checks import Denial, journal_denial, order_denial
from ..core.orders import Action, Charge, ExecType, ExecutionReport, Order, OrdStatus, OrdType, Tif
from ..core.ports import SimulatedBroker
from ..core.reasons import Code
from ..core.units import usd
from .stream import Stream

ACCOUNT = "PAPER"


@dataclass(slots=True, eq=False)
class _Row:
    order: Order
    status: OrdStatus = OrdStatus.PENDING_NEW
    cum_qty: int = 0
    value: float = 0.0
    text: str = ""

    def state(self) -> OrderState:
        order, status = self.order, self.status
        return OrderState(
            cl_ord_id=order.cl_ord_id,
            symbol=order.symbol,
            side=order.side,
            order_qty=order.order_qty,
            price=order.price,
            status=status,
            cum_qty=self.cum_qty,
            leaves_qty=leaves(status, self.cum_qty, order.order_qty),
            avg_px=self.value / self.cum_qty if self.cum_qty else 0.0,
            order_ids=(),
            text=self.text,
        )


class PaperBroker:
    """Fulfills Broker over a simulated one."""

    capabilities = Capabilities(
        ord_types=frozenset({OrdType.MARKET, OrdType.LIMIT}),
        tifs=frozenset({Tif.DAY}),
        previews=False,
    )

    def __init__(self, broker: SimulatedBroker, clock: Clock, write_ahead: WriteAhead) -> None:
        self._broker, self._clock, self._write_ahead = broker, clock, write_ahead
        self._stream = Stream(clock)
        self._rows: dict[str, _Row] = {}
        self._state = SessionState.DISCONNECTED
        self._sent = 0

    @property
    def state(self) -> SessionState:
        return self._state

    async def connect(self) -> SessionInfo:
        if self._state is not SessionState.DISCONNECTED:
            raise BrokerError(f"the session is {self._state}. Disconnect before connecting.")
        self._to(SessionState.READY, "simulated")
        return SessionInfo(ACCOUNT, is_live=False, server_version=0, client_id=0)

    async def disconnect(self) -> None:
        self._to(SessionState.DISCONNECTED, "disconnected by us")

    async def close(self) -> None:
        await self.disconnect()
        self._stream.close()

    def events(self) -> AsyncIterator[Heard]:
        return aiter(self._stream)

    def taken(self) -> tuple[Heard, ...]:
        """Events heard so far and not taken yet, without waiting."""
        return self._stream.taken()

    # --- time

    def advance(self, bar: Bar) -> None:
        """Let a bar fill what it can."""
        self._tell(self._broker.advance(bar))

    def end_of_day(self) -> None:
        self._tell(self._broker.close(self._now()))

    # --- requests

    def submit(self, orders: Sequence[Order]) -> tuple[Receipt, ...]:
        denied: dict[int, Receipt] = {}
        taken: dict[str, Order] = {}
        for place, order in enumerate(orders):
            reason = self._not_ready() or order_denial(
                order, self.capabilities, self._rows.keys() | taken.keys()
            )
            if reason is not None:
                denied[place] = Receipt(order.cl_ord_id, *reason)
            else:
                taken[order.cl_ord_id] = order
        fault = self._durable(tuple(taken.values()))
        if fault is None:
            self._rows |= {ref: _Row(order) for ref, order in taken.items()}
            self._tell(self._broker.submit(tuple(taken.values()), self._now()))
        return tuple(
            denied.get(place, Receipt(order.cl_ord_id, *(fault or ())))
            for place, order in enumerate(orders)
        )

    def replace(self, wanted: Replacement) -> Receipt:
        ref = wanted.cl_ord_id
        row = self._rows.get(ref)
        if row is None or row.status in FINAL:
            return Receipt(ref, Code.ORDER_NOT_WORKING, f"{ref} does not work")
        order = replace(row.order, order_qty=wanted.order_qty, price=wanted.price)
        reason = self._not_ready() or order_denial(order, self.capabilities, ())
        if reason is None and wanted.order_qty <= row.cum_qty:
            text = f"a change to {wanted.order_qty} with {row.cum_qty} filled. Cancel it instead."
            reason = Code.ORDER_UNSUPPORTED, text
        reason = reason or journal_denial(
            self._write_ahead, (Intent(Action.REPLACE, order, self._sent),)
        )
        if reason is not None:
            return Receipt(ref, *reason)
        self._tell(self._broker.replace((wanted,), self._now()))
        return Receipt(ref)

    def cancel(self, cl_ord_id: str) -> Receipt:
        row = self._rows.get(cl_ord_id)
        if row is None or row.status in FINAL:
            return Receipt(cl_ord_id, Code.ORDER_NOT_WORKING, f"{cl_ord_id} does not work")
        reason = self._not_ready()
        if reason is not None:
            return Receipt(cl_ord_id, *reason)
        self._tell(self._broker.cancel((cl_ord_id,), self._now()))
        return Receipt(cl_ord_id)

    def cancel_all(self, what: CancelAll) -> Receipt:
        if what.scope is CancelScope.ACCOUNT and not what.confirm_foreign:
            text = "this cancels every order of the account: confirm_foreign"
            return Receipt("", Code.BROKER_NOT_CONFIRMED, text)
        if what.scope is CancelScope.OTHER_RUNS and not what.prefix:
            return Receipt("", Code.BROKER_NOT_CONFIRMED, "no prefix says which orders are meant")
        reason = self._not_ready()
        if reason is not None:
            return Receipt("", *reason)
        if what.scope is CancelScope.OTHER_RUNS:
            # Its orders end with it: no other run has any.
            return Receipt("")
        for ref, row in self._rows.items():
            named = what.scope is not CancelScope.SYMBOL or row.order.symbol == what.symbol
            if named and row.status not in FINAL:
                self.cancel(ref)
        return Receipt("")

    # --- questions

    async def snapshot(self) -> BrokerSnapshot:
        if self._state is not SessionState.READY:
            failed = Failed(f"the session is {self._state}")
            return BrokerSnapshot(failed, failed, failed, failed)
        asof, statement = self._clock.wall_ns(), self._broker.statement()
        positions = tuple(
            PositionReport(ACCOUNT, symbol, qty, 0.0) for symbol, qty in statement.shares.items()
        )
        cash = usd(statement.cash_micro)
        account = AccountReport(
            account=ACCOUNT,
            currency="USD",
            # Shares are not marked here: the book of the run knows their prices.
            net_liq=cash,
            cash=cash,
            settled_cash=cash,
            buying_power=cash,
            available=cash,
            excess_liquidity=cash,
            init_margin=0.0,
            maint_margin=0.0,
            day_trades_left=-1,
            is_ready=not positions,
        )
        orders = tuple(row.state() for row in self._rows.values())
        return BrokerSnapshot(
            Ok(orders, asof), Ok((), asof), Ok(positions, asof), Ok(account, asof)
        )

    async def order_status(self, cl_ord_id: str) -> Answer[OrderState]:
        row = self._rows.get(cl_ord_id)
        if row is None or self._state is not SessionState.READY:
            return Failed(f"no order {cl_ord_id} is known, and the session is {self._state}")
        return Ok(row.state(), self._clock.wall_ns())

    async def preview(self, order: Order) -> Answer[MarginPreview]:
        return Failed(f"the simulated broker asks no margin; {order.cl_ord_id} is not previewed")

    # --- inside

    def _tell(self, reports: tuple[ExecutionReport | Charge, ...]) -> None:
        """Pass reports on, each with the order's state after it."""
        for report in reports:
            if isinstance(report, Charge):
                self._stream.put(report)
                continue
            row = self._rows[report.cl_ord_id]
            if report.exec_type is ExecType.TRADE:
                row.cum_qty += report.last_qty
                row.value += report.last_qty * report.last_px
            if report.exec_type is ExecType.REPLACED:
                changed = replace(row.order, order_qty=report.order_qty, price=report.price)
                row.order = changed
            row.text = report.text or row.text
            row.status = next_status(row.status, report.exec_type, row.cum_qty, row.order.order_qty)
            state = row.state()
            self._stream.put(
                replace(
                    report,
                    ord_status=state.status,
                    order_qty=state.order_qty,
                    price=state.price,
                    cum_qty=state.cum_qty,
                    leaves_qty=state.leaves_qty,
                    avg_px=state.avg_px,
                )
            )

    def _durable(self, orders: tuple[Order, ...]) -> Denial | None:
        first, self._sent = self._sent + 1, self._sent + len(orders)
        intents = (Intent(Action.NEW, order, first + place) for place, order in enumerate(orders))
        return journal_denial(self._write_ahead, tuple(intents))

    def _not_ready(self) -> Denial | None:
        if self._state is SessionState.READY:
            return None
        return Code.SESSION_NOT_READY, f"the session is {self._state}"

    def _to(self, state: SessionState, text: str) -> None:
        if state is not self._state:
            self._state = state
            self._stream.put(SessionEvent(state, text))

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_ns() // 1_000_000_000, UTC)
