"""A simulated broker on quotes: children meet the market a tick after they are sent.

It answers every message, in the order in which they came, before it matches. Day orders rest,
immediate ones end with the tick they meet, auction orders wait for `auction`. Commission is charged
on the child as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ..core.billing import Bill, Month, filled, owed
from ..core.costs import CostSettings
from ..core.orders import Action, ExecType, ExecutionReport, OrdType, Side, Tif
from ..core.parents import ChildOrder, Instruction, Tick
from ..core.quotes import Traded
from ..core.units import micros
from .matching import Queued, match


@dataclass(slots=True)
class _Held:
    queued: Queued
    bill: Bill = Bill()
    fee_micro: int = 0


@dataclass(slots=True, eq=False)
class QuoteBroker:
    """A broker in memory for any number of names; `advance` is told one name's second at a time."""

    costs: CostSettings
    held: dict[str, _Held] = field(default_factory=dict)
    inbox: list[Instruction] = field(default_factory=list)
    reports: int = 0
    month: Month = field(init=False)

    def __post_init__(self) -> None:
        self.month = Month(self.costs.month_shares)

    def send(self, intents: tuple[Instruction, ...]) -> None:
        """Take messages; they are answered with the next tick of their name."""
        self.inbox += intents

    def advance(self, symbol: str, tick: Tick, traded: Traded) -> tuple[ExecutionReport, ...]:
        """Answer what came in for the name, then match what rests in it."""
        mine = [intent for intent in self.inbox if intent.order.symbol == symbol]
        self.inbox = [intent for intent in self.inbox if intent.order.symbol != symbol]
        told = [self._answer(intent, tick.ts) for intent in mine]
        for one in [h for h in self.held.values() if h.queued.order.symbol == symbol]:
            if one.queued.order.tif is not Tif.CLS:
                told += self._match(one, tick, traded)
        return tuple(told)

    def auction(self, symbol: str, price: float, ts: int) -> tuple[ExecutionReport, ...]:
        """The close: auction orders fill at its price if their limit allows, the rest expires."""
        told: list[ExecutionReport] = []
        for one in [h for h in self.held.values() if h.queued.order.symbol == symbol]:
            order = one.queued.order
            allowed = order.side.sign * (order.price - price) >= 0
            at_market = order.ord_type is OrdType.MARKET_ON_CLOSE
            if order.tif is Tif.CLS and (allowed or at_market):
                told.append(self._fill(one, one.queued.leaves_qty, price, 0.0, ts))
                one.queued = replace(one.queued, cum_qty=order.order_qty)
            if one.queued.leaves_qty:
                told.append(self._report(order, ExecType.EXPIRED, ts))
            self.held.pop(order.cl_ord_id, None)
        return tuple(told)

    def _answer(self, intent: Instruction, ts: int) -> ExecutionReport:
        order = intent.order
        if intent.action is Action.NEW:
            self.held[order.cl_ord_id] = _Held(Queued(order))
            return self._report(order, ExecType.NEW, ts)
        one = self.held.get(order.cl_ord_id)
        if one is None:
            return self._report(order, ExecType.CANCEL_REJECTED, ts, text="too late")
        if intent.action is Action.CANCEL or order.order_qty <= one.queued.cum_qty:
            del self.held[order.cl_ord_id]
            return self._report(order, ExecType.CANCELED, ts)
        one.queued = _replaced(one.queued, order)
        return self._report(order, ExecType.REPLACED, ts)

    def _match(self, one: _Held, tick: Tick, traded: Traded) -> list[ExecutionReport]:
        one.queued, fills = match(one.queued, tick, traded)
        order = one.queued.order
        far = tick.far(order.side)
        told = []
        for qty, price in fills:
            # What does not reach the far touch has waited for others to come to it.
            added = 1.0 if order.side.sign * (far - price) > 1e-9 else 0.0
            told.append(self._fill(one, qty, price, added, tick.ts))
        if one.queued.leaves_qty == 0:
            del self.held[order.cl_ord_id]
        elif order.tif is Tif.IOC:
            del self.held[order.cl_ord_id]
            told.append(self._report(order, ExecType.CANCELED, tick.ts))
        return told

    def _fill(self, one: _Held, qty: int, price: float, added: float, ts: int) -> ExecutionReport:
        order, at = one.queued.order, datetime.fromtimestamp(ts // 1_000_000_000, UTC)
        one.bill += filled(qty, price, self.month.before(at, qty), added, self.costs)
        whole = micros(owed(one.bill, self.costs, sells=order.side is not Side.BUY))
        fee, one.fee_micro = whole - one.fee_micro, whole
        return self._report(order, ExecType.TRADE, ts, qty=qty, price=price, fee=fee)

    def _report(
        self,
        order: ChildOrder,
        kind: ExecType,
        ts: int,
        *,
        qty: int = 0,
        price: float = 0.0,
        fee: int = 0,
        text: str = "",
    ) -> ExecutionReport:
        self.reports += 1
        return ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            symbol=order.symbol,
            side=order.side,
            exec_id=f"{order.cl_ord_id}/{self.reports}",
            exec_type=kind,
            last_qty=qty,
            last_px=price,
            fee_micro=fee,
            ts=ts,
            text=text,
        )


def _replaced(queued: Queued, order: ChildOrder) -> Queued:
    """New terms: a new price or a larger size joins the queue at its end, a smaller size stays."""
    keeps = order.price == queued.order.price and order.order_qty <= queued.order.order_qty
    return replace(queued, order=order, ahead=queued.ahead if keeps else -1.0)
