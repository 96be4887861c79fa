"""What the gateway says, one function for each message: its fields in the order of the wire.

Order messages, the long ones, are in `order_replies`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..core.units import usd
from .accounts import Position
from .contracts import EXCHANGES, MARKET_RULE, ORDER_TYPES, PRICE_BANDS, Contract, hours
from .orders import Execution, Order
from .timeline import exchange_stamp, stamp
from .wire import Field

KINDS_SENT = frozenset(
    (
        "accountEnd accountSummary accountSummaryEnd accountTime accountUpdateMulti "
        "accountUpdateMultiEnd accountValue commission completedOrder completedOrdersEnd "
        "contractDetails contractDetailsEnd currentTime error execDetails execDetailsEnd "
        "historicalData historicalDataUpdate managedAccounts marketDataType marketRule "
        "nextValidId openOrder openOrderEnd orderBound orderStatus pnl pnlSingle portfolio "
        "position positionEnd serverVersion tickByTick tickGeneric tickPrice tickReqParams "
        "tickSize tickSnapshotEnd tickString"
    ).split()
)
"""Names of all messages, as fault scripts write them."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a client: its kind in words, and its fields with the id first."""

    kind: str
    fields: tuple[Field, ...]


def server_version(version: int, now: datetime) -> Message:
    return Message("serverVersion", (version, stamp(now)))


def managed_accounts(names: Sequence[str]) -> Message:
    return Message("managedAccounts", (15, 1, ",".join(names)))


def next_valid_id(order_id: int) -> Message:
    return Message("nextValidId", (9, 1, order_id))


def error(req_id: int, code: int, said: str) -> Message:
    """Errors, warnings and notices alike; `req_id` is an order's or a request's number, or -1."""
    return Message("error", (4, 2, req_id, code, said, ""))


def current_time(now: datetime) -> Message:
    return Message("currentTime", (49, 1, int(now.timestamp())))


def end_of(kind: str, *fields: Field) -> Message:
    """The message that ends a list; `fields` with the id first."""
    return Message(kind, fields)


def _identity(contract: Contract) -> tuple[Field, ...]:
    """conId to multiplier, as every row about a contract begins."""
    return (contract.con_id, contract.symbol, "STK", "", 0, "", "")


def _names(contract: Contract) -> tuple[Field, ...]:
    return ("USD", contract.symbol, contract.trading_class)


# --- reference data


def contract_details(req_id: int, contract: Contract, now: datetime) -> Message:
    exchanges = EXCHANGES.split(",")
    fields = (
        *(10, req_id, contract.symbol, "STK", "", 0, "", "SMART", "USD", contract.symbol),
        *(contract.trading_class, contract.trading_class, contract.con_id, 0.01, ""),
        *(ORDER_TYPES, EXCHANGES, 1, 0, contract.long_name, contract.primary_exchange, ""),
        *("", "", "", "US/Eastern", hours(now, liquid=False), hours(now, liquid=True), "", 0),
        # No security ids; then aggGroup, underSymbol, underSecType.
        *(0, 1, "", "", ",".join(str(MARKET_RULE) for _ in exchanges), "", "COMMON"),
        *("0.0001", "0.0001", "100"),
    )
    return Message("contractDetails", fields)


def market_rule(rule: int) -> Message:
    bands = [edge_or_step for band in PRICE_BANDS for edge_or_step in band]
    return Message("marketRule", (93, rule, len(PRICE_BANDS), *bands))


# --- accounts


def account_value(key: str, value: str, currency: str, account: str) -> Message:
    return Message("accountValue", (6, 2, key, value, currency, account))


def account_time(now: datetime) -> Message:
    return Message("accountTime", (8, 1, exchange_stamp(now)[9:14]))


def account_end(account: str) -> Message:
    return Message("accountEnd", (54, 1, account))


def portfolio(position: Position, price: float, account: str) -> Message:
    contract, shares = position.contract, position.shares
    value = shares * price
    fields = (
        *(7, 8, *_identity(contract), contract.primary_exchange, *_names(contract)),
        *(shares, price, round(value, 2), round(position.average_cost, 8)),
        round(value - usd(position.cost_micros), 2),
        *(round(usd(position.realized_micros), 2), account),
    )
    return Message("portfolio", fields)


def position(held: Position, account: str) -> Message:
    contract = held.contract
    fields = (
        *(61, 3, account, *_identity(contract), "SMART", *_names(contract)),
        *(held.shares, round(held.average_cost, 8)),
    )
    return Message("position", fields)


def account_summary(req_id: int, account: str, tag: str, value: str, currency: str) -> Message:
    return Message("accountSummary", (63, 1, req_id, account, tag, value, currency))


def account_multi(req_id: int, account: str, key: str, value: str, currency: str) -> Message:
    return Message("accountUpdateMulti", (73, 1, req_id, account, "", key, value, currency))


def pnl(req_id: int, daily: float, unrealized: float, realized: float) -> Message:
    amounts = (round(amount, 2) for amount in (daily, unrealized, realized))
    return Message("pnl", (94, req_id, *amounts))


def pnl_single(req_id: int, held: Position, price: float) -> Message:
    value = held.shares * price
    unrealized = value - usd(held.cost_micros)
    realized = usd(held.realized_micros)
    amounts = (round(a, 2) for a in (unrealized + realized, unrealized, realized, value))
    return Message("pnlSingle", (95, req_id, held.shares, *amounts))


# --- executions


def exec_details(req_id: int, execution: Execution, version: int) -> Message:
    """One execution; `req_id` is -1 when it has just happened."""
    order, contract = execution.order, execution.order.contract
    fields: tuple[Field, ...] = (
        *(11, req_id, order.order_id, *_identity(contract), contract.primary_exchange),
        *(*_names(contract), execution.exec_id, stamp(execution.moment), order.account),
        *(contract.primary_exchange, execution.side, execution.shares, execution.price),
        *(order.perm_id, order.client, 0, execution.cumulative, execution.average),
        *(order.ticket.text("orderRef"), "", "", order.ticket.text("modelCode")),
        execution.liquidity,
    )
    return Message("execDetails", fields if version < 178 else (*fields, 0))


def commission(execution: Execution) -> Message:
    realized = execution.realized_micros
    fields = (
        *(59, 1, execution.exec_id, usd(execution.fee_micros), "USD"),
        *("" if realized is None else usd(realized), "", ""),
    )
    return Message("commission", fields)


def order_status(order: Order, status: str = "") -> Message:
    """An order's state; `status` in place of its own tells a lie on purpose."""
    fields = (
        *(3, order.order_id, status or order.status.value, order.filled, order.remaining),
        *(order.average, order.perm_id, order.ticket.parent_id, order.last_price),
        *(order.client, order.why_held, 0),
    )
    return Message("orderStatus", fields)


def order_bound(order: Order) -> Message:
    return Message("orderBound", (100, order.perm_id, order.client, order.order_id))


# --- market data


def market_data_type(req_id: int, kind: int) -> Message:
    return Message("marketDataType", (58, 1, req_id, kind))


def tick_req_params(req_id: int, tick: float) -> Message:
    return Message("tickReqParams", (81, req_id, tick, "9c0001", 3))


def tick_price(req_id: int, tick_type: int, price: float, size: int, mask: int) -> Message:
    return Message("tickPrice", (1, 6, req_id, tick_type, price, size, mask))


def tick_size(req_id: int, tick_type: int, size: int) -> Message:
    return Message("tickSize", (2, 6, req_id, tick_type, size))


def tick_generic(req_id: int, tick_type: int, value: float) -> Message:
    return Message("tickGeneric", (45, 6, req_id, tick_type, value))


def tick_string(req_id: int, tick_type: int, value: str) -> Message:
    return Message("tickString", (46, 6, req_id, tick_type, value))


def tick_by_tick(req_id: int, kind: int, now: datetime, *fields: Field) -> Message:
    """`kind` 1 Last, 2 AllLast, 3 BidAsk, 4 MidPoint decides what the fields are."""
    return Message("tickByTick", (99, req_id, kind, int(now.timestamp()), *fields))


@dataclass(frozen=True, slots=True)
class HistoryBar:
    """One bar of an answer to reqHistoricalData; `when` is already written as asked for."""

    when: str
    open: float
    high: float
    low: float
    close: float
    volume: int
    average: float
    count: int


def historical_data(req_id: int, start: str, end: str, bars: Sequence[HistoryBar]) -> Message:
    rows = [
        field
        for bar in bars
        for field in (
            bar.when,
            bar.open,
            bar.high,
            bar.low,
            bar.close,
            bar.volume,
            bar.average,
            bar.count,
        )
    ]
    return Message("historicalData", (17, req_id, start, end, len(bars), *rows))


def historical_update(req_id: int, bar: HistoryBar) -> Message:
    """The bar that is still growing; mind the order: close comes before high and low."""
    fields = (
        *(90, req_id, bar.count, bar.when, bar.open, bar.close, bar.high, bar.low),
        *(bar.average, bar.volume),
    )
    return Message("historicalDataUpdate", fields)
