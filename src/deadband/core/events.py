"""What brokers say, and what is about to be said to them: what a journal keeps of a session."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from .orders import Action, Charge, ExecutionReport, Order, OrdStatus, Side, TradeFee
from .reasons import Code


class SessionState(StrEnum):
    """How far the broker can be trusted; orders are sent when READY alone."""

    DISCONNECTED = "DISCONNECTED"
    CONNECTING = "CONNECTING"
    SYNCING = "SYNCING"
    """Connected, and what happened meanwhile is being asked."""
    READY = "READY"
    DEGRADED = "DEGRADED"
    """Connected to a gateway that has lost the broker: what it says is still heard."""
    READ_ONLY = "READ_ONLY"
    HALTED = "HALTED"
    """Something that a human has to look at, such as a liquidation; only a new session ends it."""


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """The session went into a state; `code` is the broker's number for why, 0 none."""

    state: SessionState
    text: str
    code: int = 0


class Severity(StrEnum):
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    FATAL = "FATAL"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something said that moves no order: a warning, or a contradiction that was not believed."""

    severity: Severity
    text: str
    code: int = 0
    cl_ord_id: str = ""
    symbol: str = ""


# --- market state as brokers tell it


class Quality(StrEnum):
    """What a quote may be used for: only LIVE may drive an order."""

    LIVE = "LIVE"
    FROZEN = "FROZEN"
    DELAYED = "DELAYED"
    NONE = "NONE"


class Halt(StrEnum):
    NONE = "NONE"
    REGULATORY = "REGULATORY"
    VOLATILITY = "VOLATILITY"


@dataclass(frozen=True, slots=True)
class DataQuality:
    symbol: str
    quality: Quality
    text: str = ""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """An order has left for the broker, under this number of the session; no word of it yet."""

    cl_ord_id: str
    symbol: str
    number: int


@dataclass(frozen=True, slots=True)
class TradingStatus:
    """Whether a name trades, and how many of its shares may be borrowed (−1 not said)."""

    symbol: str
    halt: Halt
    shortable_shares: int = -1


@dataclass(frozen=True, slots=True)
class Quote:
    """Best bid and ask as last heard: USD and shares, NaN and 0 where nothing was said."""

    symbol: str
    bid: float
    ask: float
    last: float
    bid_size: int
    ask_size: int
    volume: int
    ts: int
    """Epoch nanoseconds of the last change; 0 before the first."""
    quality: Quality
    halt: Halt = Halt.NONE
    shortable_shares: int = -1


# --- books as brokers tell them


@dataclass(frozen=True, slots=True)
class PositionReport:
    """Signed shares and average cost USD a share, fees as the broker counts them."""

    account: str
    symbol: str
    qty: int
    avg_cost: float


@dataclass(frozen=True, slots=True)
class AccountReport:
    """An account's money in `currency`; while not `is_ready` its amounts mean nothing.

    day_trades_left −1: no limit. `available_overnight`: what would be available by the margins
    that hold next, over the close; None where the broker does not say.
    """

    account: str
    currency: str
    net_liq: float
    cash: float
    settled_cash: float
    buying_power: float
    available: float
    excess_liquidity: float
    init_margin: float
    maint_margin: float
    day_trades_left: int
    is_ready: bool
    available_overnight: float | None = None


@dataclass(frozen=True, slots=True)
class OrderState:
    """One order as the broker has it; `cl_ord_id` is empty for an order that is not ours.

    `order_ids`: the broker's own; more than one alive is a fault that a human has to look at.
    """

    cl_ord_id: str
    symbol: str
    side: Side
    order_qty: int
    price: float
    status: OrdStatus
    cum_qty: int
    leaves_qty: int
    avg_px: float
    order_ids: tuple[int, ...]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """What may be sent once this is durable.

    `high_water`: no order number of the broker's beyond it is used by then. An order gets its own
    when it leaves, since orders may overtake one another on the way out.
    """

    action: Action
    order: Order
    high_water: int = 0


BrokerEvent = (
    ExecutionReport
    | TradeFee
    | Charge
    | SessionEvent
    | Notice
    | Dispatched
    | TradingStatus
    | DataQuality
    | AccountReport
)


@dataclass(frozen=True, slots=True)
class Heard:
    """One event in the stream: its number, and when it was heard, epoch nanoseconds UTC."""

    seq: int
    ts_recv: int
    event: BrokerEvent


# --- what a driver makes of it


@dataclass(frozen=True, slots=True)
class Difference:
    """A name on which the journal and the broker disagree, or that others hold or trade.

    `expected` and `held`: signed shares by the journal and by the broker, of an order what is
    filled of it; `reserved`: shares, unsigned, that are kept apart for what may come of it.
    """

    symbol: str
    code: Code
    expected: int
    held: int
    reserved: int
    text: str = ""

    def __str__(self) -> str:
        said = f"{self.code} {self.symbol}: journal {self.expected}, broker {self.held}"
        return f"{said}, {self.reserved} reserved{f' ({self.text})' if self.text else ''}"


@dataclass(frozen=True, slots=True)
class Refused:
    """A report that fits no order or no quantity of ours; the books were left as they were."""

    report: ExecutionReport
    text: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A cycle that did not take place; `due` epoch nanoseconds UTC."""

    code: Code
    due: int
    text: str = ""


# --- what the operator says


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What the operator says of the book: a name's shares, what they cost, and cash.

    Signed `shares` take the place of `expected`, which the book has to hold until then; an empty
    `symbol` is cash alone. `entry_price` USD average cost afterwards, 0 flat; `cash_micro` is added
    to the cash. `flow_micro`: how much of the change of NAV came from outside, and is no profit or
    loss of the day. `ts` epoch nanoseconds UTC.
    """

    symbol: str
    expected: int
    shares: int
    entry_price: float
    cash_micro: int
    flow_micro: int
    ts: int
    text: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """Orders that the operator commanded outside of any cycle; `ts` epoch nanoseconds UTC."""

    orders: tuple[Order, ...]
    ts: int


Word = Adjustment | ByHand
"""What moves a run's state by the operator's command alone."""
