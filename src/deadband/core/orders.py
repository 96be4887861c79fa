"""Orders, reports and books in FIX words: closed enums, frozen values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from .arrays import Floats, Ints, seal
from .reasons import Code

MINUTE_NS = 60_000_000_000
SAME_PRICE = 1e-9
"""USD by which a broker's word for a price may be off ours."""


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
    STOP = "STOP"
    STOP_LIMIT = "STOP_LIMIT"
    MARKET_ON_CLOSE = "MARKET_ON_CLOSE"
    LIMIT_ON_CLOSE = "LIMIT_ON_CLOSE"
    MIDPRICE = "MIDPRICE"
    PEGGED_PRIMARY = "PEGGED_PRIMARY"
    PEGGED_MIDPOINT = "PEGGED_MIDPOINT"


class Tif(StrEnum):
    """How long an order stands (FIX 59); OPG and CLS are for the auctions."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"
    OPG = "OPG"
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


class Action(StrEnum):
    """What is asked of the broker: a new order, other terms for one, or its end."""

    NEW = "NEW"
    REPLACE = "REPLACE"
    CANCEL = "CANCEL"


class OrdStatus(StrEnum):
    """Where an order stands (FIX 39).

    SUSPENDED is alive and held back, as for want of shares to borrow. UNKNOWN was sent, and nobody
    can say what became of it: it may still trade.
    """

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    SUSPENDED = "SUSPENDED"
    PENDING_REPLACE = "PENDING_REPLACE"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    UNKNOWN = "UNKNOWN"


class ExecType(StrEnum):
    """What a report says happened (FIX 150).

    CANCEL_REJECTED: a cancel or a replace was refused and the order stands as it was (FIX 35=9).
    TRADE_CORRECT and TRADE_CANCEL replace an earlier fill, named by `exec_ref_id`. RESTATED: an
    order that was thought to be over is alive. UNKNOWN: it was sent and cannot be found.
    """

    PENDING_NEW = "PENDING_NEW"
    NEW = "NEW"
    TRADE = "TRADE"
    TRADE_CORRECT = "TRADE_CORRECT"
    TRADE_CANCEL = "TRADE_CANCEL"
    SUSPENDED = "SUSPENDED"
    PENDING_REPLACE = "PENDING_REPLACE"
    REPLACED = "REPLACED"
    CANCEL_REJECTED = "CANCEL_REJECTED"
    PENDING_CANCEL = "PENDING_CANCEL"
    CANCELED = "CANCELED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    RESTATED = "RESTATED"
    UNKNOWN = "UNKNOWN"


TRADES = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL})
"""Reports that move shares."""


class Source(StrEnum):
    """How a report came to be known."""

    LIVE = "LIVE"
    """The broker said it by itself."""
    RECONCILED = "RECONCILED"
    """The broker said it when it was asked."""
    INFERRED = "INFERRED"
    """The broker was silent, and what it did say leaves nothing else."""
    LOCAL = "LOCAL"
    """It happened on this side: asked for, or taken back before it was sent."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an order may say beyond size and price; every default is a plain day order.

    Prices USD; times epoch nanoseconds UTC, 0 none; quantities positive shares, 0 none.
    """

    tif: Tif = Tif.DAY
    stop_px: float = 0.0
    """Of STOP and STOP_LIMIT; for pegs, the offset."""
    effective_time: int = 0
    expire_time: int = 0
    """Asked for by GTD."""
    display_qty: int = 0
    min_qty: int = 0
    outside_rth: bool = False
    oca_group: str = ""
    """Orders of one group: when one fills, the others are canceled."""
    strategy: str = ""
    """The broker's own algorithm (FIX 847), by the broker's name."""
    strategy_params: tuple[tuple[str, str], ...] = ()
    exchange: str = ""
    """Where it goes (FIX 100); empty is the broker's router."""


PLAIN = Terms()


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
    terms: Terms = PLAIN


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a working order shall be instead; its client order id stays. Price USD."""

    cl_ord_id: str
    order_qty: int
    price: float


@dataclass(frozen=True, slots=True)
class WorkingOrder:
    """An order in flight with what the broker has said of it so far.

    `order` is as the broker last had it. `wanted`: what a change that has no answer yet would make
    of it. `most_qty`: the largest quantity it has had, 0 where it was never reduced: fills may be
    heard after the reduction that they came before.
    """

    order: Order
    status: OrdStatus
    cum_qty: int = 0
    wanted: Order | None = None
    most_qty: int = 0

    @property
    def leaves_qty(self) -> int:
        return max(0, self.order.order_qty - self.cum_qty)

    @property
    def least_leaves(self) -> int:
        """Shares that may still trade, whether a change under way is taken or not."""
        return min(self.leaves_qty, self._leaves_wanted)

    @property
    def most_leaves(self) -> int:
        """Shares that may still trade by the larger of the terms there may be."""
        return max(self.leaves_qty, self._leaves_wanted)

    @property
    def largest_qty(self) -> int:
        """No more than this can have filled."""
        wanted = 0 if self.wanted is None else self.wanted.order_qty
        return max(self.order.order_qty, wanted, self.most_qty)

    @property
    def committed_usd(self) -> float:
        """What may still trade, at the mid of its decision."""
        usd = self.leaves_qty * self.order.arrival
        return usd if self.wanted is None else max(usd, self._leaves_wanted * self.wanted.arrival)

    @property
    def _leaves_wanted(self) -> int:
        if self.wanted is None:
            return self.leaves_qty
        return max(0, self.wanted.order_qty - self.cum_qty)

    def changed(
        self, to: Replacement, decision_id: str, reason: str, mid: float, now: int
    ) -> Order:
        """What a replacement decided at `now` (epoch ns) makes of it, `mid` USD.

        What is raised is decided anew: its mid is that of both decisions, by shares. A reduction
        leaves the rest of an order as it was decided.
        """
        more = to.order_qty - self.order.order_qty
        if more <= 0:
            return replace(self.order, order_qty=to.order_qty, price=to.price)
        before = self.leaves_qty
        return replace(
            self.order,
            order_qty=to.order_qty,
            price=to.price,
            decision_id=decision_id,
            reason=reason,
            arrival=(before * self.order.arrival + more * mid) / (before + more),
            transact_time=now,
        )


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

    A correction says what now counts in last_qty and last_px, and in prior_qty and prior_px what no
    longer does; a bust has last_qty 0. Where the broker keeps order states of its own, ord_status,
    cum_qty, leaves_qty and avg_px are as they stand after the report, order_qty and price as it
    holds them (None and 0 elsewhere). `order_id` is the broker's own (FIX 37), `code` its number.
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
    order_id: int = 0
    exec_ref_id: str = ""
    prior_qty: int = 0
    prior_px: float = 0.0
    ord_status: OrdStatus | None = None
    order_qty: int = 0
    price: float = 0.0
    cum_qty: int = 0
    leaves_qty: int = 0
    avg_px: float = 0.0
    code: int = 0
    source: Source = Source.LIVE


@dataclass(frozen=True, slots=True)
class TradeFee:
    """What a fill cost, said apart from it: the change in micro-dollars, + is paid."""

    cl_ord_id: str
    symbol: str
    exec_id: str
    fee_micro: int
    ts: int


class ChargeKind(StrEnum):
    BORROW = "BORROW"
    """The fee for shares sold short."""
    DEBIT_INTEREST = "DEBIT_INTEREST"
    CREDIT_INTEREST = "CREDIT_INTEREST"


@dataclass(frozen=True, slots=True)
class Charge:
    """Money that belongs to no trade: micro-dollars, + is paid, for `days` nights.

    `symbol` is empty where it is of the account as a whole; ts epoch nanoseconds UTC.
    """

    kind: ChargeKind
    symbol: str
    amount_micro: int
    days: int
    ts: int


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
