"""What a gateway says, as frozen values in its own words: the codec's objects go no further."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StatusSaid:
    """orderStatus: the life of an order; `filled` is the gateway's own count."""

    order_id: int
    client_id: int
    perm_id: int
    status: str
    filled: float
    remaining: float
    avg_px: float
    why_held: str = ""


@dataclass(frozen=True, slots=True)
class OrderSaid:
    """openOrder: an order as the gateway holds it now."""

    order_id: int
    client_id: int
    perm_id: int
    ref: str
    account: str
    symbol: str
    action: str
    qty: float
    ord_type: str
    price: float
    status: str


@dataclass(frozen=True, slots=True)
class PreviewSaid:
    """openOrder as the answer to a what-if; USD."""

    order_id: int
    init_margin_change: float
    maint_margin_change: float
    equity_change: float
    commission_least: float
    commission_most: float
    warning: str


@dataclass(frozen=True, slots=True)
class CompletedSaid:
    """completedOrder: an order that is over, today; it carries no order number."""

    perm_id: int
    ref: str
    account: str
    symbol: str
    filled: float
    status: str
    text: str


@dataclass(frozen=True, slots=True)
class TradeSaid:
    """execDetails; `ts` epoch nanoseconds UTC, `req_id` −1 where it was not asked for."""

    req_id: int
    order_id: int
    client_id: int
    perm_id: int
    ref: str
    exec_id: str
    account: str
    symbol: str
    side: str
    shares: float
    price: float
    ts: int
    liquidation: int = 0


@dataclass(frozen=True, slots=True)
class FeeSaid:
    """commissionReport; `amount` is the gateway's, sentinels and all."""

    exec_id: str
    amount: float
    currency: str


@dataclass(frozen=True, slots=True)
class ErrorSaid:
    """error: a number with its text, about an order, a question, or (−1) neither."""

    req_id: int
    code: int
    text: str


@dataclass(frozen=True, slots=True)
class EndSaid:
    """The end of a list: `kind` is the question's name, `req_id` −1 where it has none."""

    kind: str
    req_id: int = -1


@dataclass(frozen=True, slots=True)
class PositionSaid:
    account: str
    symbol: str
    qty: float
    avg_cost: float


@dataclass(frozen=True, slots=True)
class ValueSaid:
    """One account value."""

    account: str
    key: str
    value: str
    currency: str


@dataclass(frozen=True, slots=True)
class NextIdSaid:
    order_id: int


@dataclass(frozen=True, slots=True)
class AccountsSaid:
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TimeSaid:
    """The broker's clock, epoch seconds UTC."""

    epoch: int


@dataclass(frozen=True, slots=True)
class DetailsSaid:
    """contractDetails, as far as it is used."""

    req_id: int
    con_id: int
    symbol: str
    primary_exchange: str
    currency: str
    long_name: str
    exchanges: str
    rules: str
    zone: str
    liquid_hours: str
    min_tick: float
    size_increment: float


@dataclass(frozen=True, slots=True)
class RuleSaid:
    """marketRule: pairs of lower edge and increment, USD."""

    rule_id: int
    bands: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TickSaid:
    """One tick: price and size, or a size, or a number, by IBKR's tick types."""

    req_id: int
    kind: int
    value: float
    size: float = 0.0


@dataclass(frozen=True, slots=True)
class DataTypeSaid:
    """marketDataType: 1 live, 2 frozen, 3 delayed, 4 delayed and frozen."""

    req_id: int
    kind: int


@dataclass(frozen=True, slots=True)
class BarSaid:
    """One bar of history; `when` as it was asked for."""

    req_id: int
    when: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    average: float
    count: int


@dataclass(frozen=True, slots=True)
class GarbledSaid:
    """A message that could not be read, or not be worked on: something is not known now."""

    text: str


@dataclass(frozen=True, slots=True)
class ClosedSaid:
    """The line is gone."""

    text: str


Said = (
    StatusSaid
    | OrderSaid
    | PreviewSaid
    | CompletedSaid
    | TradeSaid
    | FeeSaid
    | ErrorSaid
    | EndSaid
    | PositionSaid
    | ValueSaid
    | NextIdSaid
    | AccountsSaid
    | TimeSaid
    | DetailsSaid
    | RuleSaid
    | TickSaid
    | DataTypeSaid
    | BarSaid
    | GarbledSaid
    | ClosedSaid
)
