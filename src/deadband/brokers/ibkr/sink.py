"""Callbacks of the codec in, our own values out: the one place that reads the codec's objects.

The method names are IBKR's; the codec calls them. A callback that is not here says nothing that is
used, and is passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC
from typing import Any

from . import said
from .said import Said

UNSET = 1.7976931348623157e308
"""What IBKR writes for a number that is not there."""


HOOKS = frozenset({"tcpDataArrived", "tcpDataProcessed"})
"""What the codec calls for every packet, if it is there."""


def _pass_over(*_said: object) -> None:
    """A callback that nobody needs."""


class _Zone:
    """What the codec asks of its owner: the zone of times that carry none, as older gateways do."""

    TimezoneTWS = "America/New_York"


class Sink:
    """Hands what the codec calls to `hear`, one value a callback, in the order of the wire."""

    def __init__(self, hear: Callable[[Said], None]) -> None:
        self._hear = hear
        self.ib, self.defaultTimezone = _Zone(), UTC

    # --- the codec's own

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_") or name in HOOKS:
            raise AttributeError(name)
        return _pass_over

    def connectAck(self) -> None:
        """The greeting is over; nothing is known yet."""

    def setEventsDone(self) -> None:
        """The line is gone, whether it was ready or not."""
        self._hear(said.ClosedSaid("the gateway closed the line"))

    def connectionClosed(self) -> None:
        """Called after setEventsDone where the line was ready: there is nothing more to say."""

    def exception(self, text: str) -> None:
        """The codec's logger: it writes here what it could not read, where others lose it."""
        self._hear(said.GarbledSaid(text[:200]))

    # --- session

    def nextValidId(self, order_id: int) -> None:
        self._hear(said.NextIdSaid(order_id))

    def managedAccounts(self, accounts: str) -> None:
        self._hear(said.AccountsSaid(tuple(name for name in accounts.split(",") if name)))

    def currentTime(self, epoch: int) -> None:
        self._hear(said.TimeSaid(epoch))

    def error(self, req_id: int, code: int, text: str, _advanced: str = "") -> None:
        self._hear(said.ErrorSaid(req_id, code, text))

    # --- orders

    def orderStatus(
        self,
        order_id: int,
        status: str,
        filled: float,
        remaining: float,
        avg_px: float,
        perm_id: int,
        _parent: int,
        _last: float,
        client_id: int,
        why_held: str,
        _cap: float = 0.0,
    ) -> None:
        self._hear(
            said.StatusSaid(
                order_id, client_id, perm_id, status, filled, remaining, avg_px, why_held
            )
        )

    def openOrder(self, order_id: int, contract: Any, order: Any, state: Any) -> None:
        if order.whatIf:
            # A first answer may come without numbers; the one that counts follows.
            if _is_set(state.initMarginChange):
                self._hear(_preview(order_id, state))
            return
        self._hear(
            said.OrderSaid(
                order_id=order_id,
                client_id=order.clientId,
                perm_id=order.permId,
                ref=order.orderRef,
                account=order.account,
                symbol=contract.symbol,
                action=order.action,
                qty=float(order.totalQuantity),
                ord_type=order.orderType,
                price=_number(order.lmtPrice),
                status=state.status,
            )
        )

    def openOrderEnd(self) -> None:
        self._hear(said.EndSaid("orders"))

    def completedOrder(self, contract: Any, order: Any, state: Any) -> None:
        self._hear(
            said.CompletedSaid(
                perm_id=order.permId,
                ref=order.orderRef,
                account=order.account,
                symbol=contract.symbol,
                filled=_number(order.filledQuantity),
                status=state.status,
                text=state.completedStatus,
            )
        )

    def completedOrdersEnd(self) -> None:
        self._hear(said.EndSaid("completed"))

    def execDetails(self, req_id: int, contract: Any, execution: Any) -> None:
        self._hear(
            said.TradeSaid(
                req_id=req_id,
                order_id=execution.orderId,
                client_id=execution.clientId,
                perm_id=execution.permId,
                ref=execution.orderRef,
                exec_id=execution.execId,
                account=execution.acctNumber,
                symbol=contract.symbol,
                side=execution.side,
                shares=float(execution.shares),
                price=float(execution.price),
                ts=int(execution.time.timestamp()) * 1_000_000_000,
                liquidation=execution.liquidation,
            )
        )

    def execDetailsEnd(self, req_id: int) -> None:
        self._hear(said.EndSaid("executions", req_id))

    def commissionReport(self, report: Any) -> None:
        self._hear(said.FeeSaid(report.execId, float(report.commission), report.currency))

    # --- account

    def position(self, account: str, contract: Any, qty: float, avg_cost: float) -> None:
        self._hear(said.PositionSaid(account, held_as(contract), qty, avg_cost))

    def positionEnd(self) -> None:
        self._hear(said.EndSaid("positions"))

    def updateAccountValue(self, key: str, value: str, currency: str, account: str) -> None:
        self._hear(said.ValueSaid(account, key, value, currency))

    def updateAccountTime(self, _clock: str) -> None:
        self._hear(said.EndSaid("values"))

    def accountDownloadEnd(self, _account: str) -> None:
        self._hear(said.EndSaid("account"))

    # --- reference data

    def contractDetails(self, req_id: int, details: Any) -> None:
        contract = details.contract
        self._hear(
            said.DetailsSaid(
                req_id=req_id,
                con_id=contract.conId,
                symbol=contract.symbol,
                primary_exchange=contract.primaryExchange,
                currency=contract.currency,
                long_name=details.longName,
                exchanges=details.validExchanges,
                rules=details.marketRuleIds,
                zone=details.timeZoneId,
                liquid_hours=details.liquidHours,
                min_tick=float(details.minTick),
                size_increment=float(details.sizeIncrement),
            )
        )

    def contractDetailsEnd(self, req_id: int) -> None:
        self._hear(said.EndSaid("contract", req_id))

    def marketRule(self, rule_id: int, increments: Any) -> None:
        bands = tuple((float(one.lowEdge), float(one.increment)) for one in increments)
        self._hear(said.RuleSaid(rule_id, bands))

    # --- market data and history

    def priceSizeTick(self, req_id: int, kind: int, price: float, size: float) -> None:
        self._hear(said.TickSaid(req_id, kind, price, size))

    def tickSize(self, req_id: int, kind: int, size: float) -> None:
        self._hear(said.TickSaid(req_id, kind, size))

    def tickGeneric(self, req_id: int, kind: int, value: float) -> None:
        self._hear(said.TickSaid(req_id, kind, value))

    def marketDataType(self, req_id: int, kind: int) -> None:
        self._hear(said.DataTypeSaid(req_id, kind))

    def historicalData(self, req_id: int, bar: Any) -> None:
        self._hear(
            said.BarSaid(
                req_id=req_id,
                when=str(bar.date),
                open=bar.open,
                high=bar.high,
                low=bar.low,
                close=bar.close,
                volume=float(bar.volume),
                average=bar.average,
                count=bar.barCount,
            )
        )

    def historicalDataEnd(self, req_id: int, _start: str, _end: str) -> None:
        self._hear(said.EndSaid("history", req_id))


def _preview(order_id: int, state: Any) -> said.PreviewSaid:
    return said.PreviewSaid(
        order_id=order_id,
        init_margin_change=_number(state.initMarginChange),
        maint_margin_change=_number(state.maintMarginChange),
        equity_change=_number(state.equityWithLoanChange),
        commission_least=_number(state.minCommission),
        commission_most=_number(state.maxCommission),
        warning=state.warningText or "",
    )


def _number(value: Any) -> float:
    """A number as the codec holds it; 0 where IBKR wrote none."""
    return float(value) if _is_set(value) else 0.0


def _is_set(value: Any) -> bool:
    return value not in ("", None) and float(value) < UNSET and not math.isnan(float(value))


def held_as(contract: Any) -> str:
    """The symbol of a US stock; of anything else a name that no US stock has.

    An option is held under its stock's symbol: read as that, it would count as shares.
    """
    if (contract.secType, contract.currency) == ("STK", "USD"):
        return str(contract.symbol)
    return f"{contract.localSymbol or contract.symbol} {contract.secType} {contract.currency}"
