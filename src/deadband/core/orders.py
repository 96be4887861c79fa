"""Orders, reports and books in FIX words: closed enums, frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from .arrays import Floats, Ints, seal
from .reasons import Code

MINUTE_NS = 60_000_000_000


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"
    SELL_SHORT = "SELL_SHORT"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class OrdType(StrEnum):
    MARKET = "MARKET"
    LIMIT = "LIMIT"
    MARKET_ON_CLOSE = "MARKET_ON_CLOSE"
    LIMIT_ON_CLOSE = "LIMIT_ON_CLOSE"
    PEGGED_MIDPOINT = "PEGGED_MIDPOINT"


class Tif(StrEnum):
    """How long an order stands (FIX 59); CLS is for the closing auction."""

    DAY = "DAY"
    IOC = "IOC"
    CLS = "CLS"


class Venue(StrEnum):
    """Where it goes (FIX 100): the broker's router, or the listing exchange and its auction."""

    SMART = "SMART"
    PRIMARY = "PRIMARY"


class Algorithm(StrEnum):
    """How a parent order is worked; the last five are the broker's own."""

    MARKETABLE = "marketable"
    PASSIVE = "passive"
    PEG_MID = "peg_mid"
    TWAP = "twap"
    VWAP = "vwap"
    POV = "pov"
    CLOSE = "close"
    ARRIVAL = "arrival"
    IB_ADAPTIVE = "ib_adaptive"
    IB_TWAP = "ib_twap"
    IB_VWAP = "ib_vwap"
    IB_ARRIVAL = "ib_arrival"
    IB_PCT_VOL = "ib_pct_vol"


class OrdStatus(StrEnum):
    """Where an order stands (FIX 39)."""

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    PENDING_REPLACE = "PENDING_REPLACE"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


class ExecType(StrEnum):
    """What a report says happened (FIX 150).

    CANCEL_REJECTED: a cancel or a replace was refused and the order stands as it was (FIX 35=9).
    """

    NEW = "NEW"
    TRADE = "TRADE"
    REPLACED = "REPLACED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class Route:
    """How an order is to be worked, and the code that says why."""

    algorithm: Algorithm
    venue: Venue
    tif: Tif
    code: Code


@dataclass(frozen=True, slots=True)
class Order:
    """A new single order. `order_qty` is positive, `side` says the direction; `price` USD on tick.

    `arrival` is the mid at the decision in USD; `reason` the deciding code of the name;
    `transact_time` epoch nanoseconds UTC of the decision. With a `route` it is a parent: `price` is
    the collar beyond which none of its children goes. Without, it is a limit order as it stands.
    """

    cl_ord_id: str
    symbol: str
    side: Side
    order_qty: int
    ord_type: OrdType
    price: float
    decision_id: str
    reason: str
    arrival: float
    transact_time: int
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order in flight with what the broker has said of it so far."""

    order: Order
    status: OrdStatus
    cum_qty: int = 0

    @property
    def leaves_qty(self) -> int:
        return self.order.order_qty - self.cum_qty


@dataclass(frozen=True, slots=True)
class Sent:
    """What left for the broker: orders and USD of the day, and the orders of the last minute."""

    count: int = 0
    usd: float = 0.0
    recent: tuple[Order, ...] = ()

    def and_now(self, orders: tuple[Order, ...], now: int) -> Sent:
        """With orders that leave at `now` (epoch ns), and without those older than a minute."""
        usd = sum(order.order_qty * max(order.price, order.arrival) for order in orders)
        kept = tuple(order for order in self.recent if now - order.transact_time <= MINUTE_NS)
        return Sent(self.count + len(orders), self.usd + usd, kept + orders)


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """One thing the broker said about one order. `fee_micro` in micro-dollars, + is paid.

    last_px USD, last_qty positive shares, ts epoch nanoseconds UTC; `text` says why on a reject.
    """

    cl_ord_id: str
    symbol: str
    side: Side
    exec_id: str
    exec_type: ExecType
    last_qty: int
    last_px: float
    fee_micro: int
    ts: int
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """Positions and cash as the fold of all fills.

    shares (n,) int64 signed; cash_micro micro-dollars; entry_price (n,) average cost USD, 0 flat;
    entry_at (n,) epoch nanoseconds of the fill that left flat, −1 flat; fees_micro paid so far.
    """

    shares: Ints
    cash_micro: int
    entry_price: Floats
    entry_at: Ints
    fees_micro: int = 0

    def __post_init__(self) -> None:
        n = len(self.shares)
        for name, dtype in (
            ("shares", np.int64),
            ("entry_price", np.float64),
            ("entry_at", np.int64),
        ):
            sealed = seal(getattr(self, name), (n,), f"Book.{name}", dtype)
            object.__setattr__(self, name, sealed)

    @classmethod
    def empty(cls, n: int, cash_micro: int) -> Book:
        return cls(np.zeros(n, np.int64), cash_micro, np.zeros(n), np.full(n, -1, dtype=np.int64))
