"""What every broker looks like: one order interface in FIX words, for simulated, paper and live.

Rules
  * An unknown is never an empty: every answer is Ok, Failed or TimedOut, and only Ok holds data.
  * Everything a broker says comes in one stream, numbered without gaps, in the order it was heard.
  * A receipt says what happened on this side alone. What the broker does, only events say.
  * Nothing is sent before its intent is durable, and nothing is ever sent again by a timer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from .events import (
    AccountReport,
    Heard,
    Intent,
    OrderState,
    PositionReport,
    Quality,
    Quote,
    SessionState,
)
from .orders import ExecutionReport, Order, OrdType, Tif, TradeFee
from .orders import Replacement as Replacement
from .reasons import Code

T = TypeVar("T")

MOST_CL_ORD_ID = 30
"""Characters of a client order id: what every broker of ours gives back unchanged."""


# --- answers


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """A complete answer; `asof` epoch nanoseconds UTC when its end came."""

    value: T
    asof: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The broker, or the way to it, said no; `code` is the broker's number, 0 none."""

    text: str
    code: int = 0

    def __str__(self) -> str:
        return f"{self.text} ({self.code})" if self.code else self.text


@dataclass(frozen=True, slots=True)
class TimedOut:
    """No end of the answer came; what had come of it is not told, since it may be a part."""

    seconds: float

    def __str__(self) -> str:
        return f"no answer within {self.seconds:g} s"


Answer = Ok[T] | Failed | TimedOut


# --- session


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """What a broker says of itself when a session begins."""

    account: str
    is_live: bool
    server_version: int
    client_id: int


@dataclass(frozen=True, slots=True)
class BrokerSnapshot:
    """Everything at once, each section by itself known or not."""

    orders: Answer[tuple[OrderState, ...]]
    foreign: Answer[tuple[OrderState, ...]]
    """Alive and not ours: another program's, or typed by hand."""
    positions: Answer[tuple[PositionReport, ...]]
    account: Answer[AccountReport]

    @property
    def is_complete(self) -> bool:
        return all(
            isinstance(section, Ok)
            for section in (self.orders, self.foreign, self.positions, self.account)
        )


# --- asking for something


class CancelScope(StrEnum):
    OWN = "OWN"
    """Every working order of ours."""
    SYMBOL = "SYMBOL"
    OTHER_RUNS = "OTHER_RUNS"
    """Orders of another run of ours, told by how their ids begin, that this client may cancel."""
    ACCOUNT = "ACCOUNT"
    """Every order of the account, other programs' and those typed by hand too."""


@dataclass(frozen=True, slots=True)
class CancelAll:
    """Which orders shall go; ACCOUNT needs `confirm_foreign`, SYMBOL its symbol.

    OTHER_RUNS needs the `prefix` of their ids, and may name a symbol.
    """

    scope: CancelScope = CancelScope.OWN
    symbol: str = ""
    confirm_foreign: bool = False
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Whether a request was taken for sending; where not, `code` says why."""

    cl_ord_id: str
    code: Code | None = None
    text: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.code is None


@dataclass(frozen=True, slots=True)
class MarginPreview:
    """What an order would change, USD; commissions are the broker's estimate."""

    init_margin_change: float
    maint_margin_change: float
    equity_change: float
    commission_least: float
    commission_most: float
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a broker can do; what is not listed is denied here and never sent."""

    ord_types: frozenset[OrdType]
    tifs: frozenset[Tif]
    strategies: frozenset[str] = frozenset()
    replaces: bool = True
    previews: bool = True
    most_messages_per_s: float = 0.0
    """0: as many as one likes."""


# --- what the caller has to remember


@dataclass(frozen=True, slots=True)
class Memory:
    """What the journal holds of the orders that may still matter, for a broker to go on from.

    `high_water`: of the last intent; no order number beyond it was ever used. `reports`: all that
    were heard, in their order. `dispatched`: orders by reference that are known to have left.
    """

    high_water: int = 0
    intents: tuple[Intent, ...] = ()
    reports: tuple[ExecutionReport | TradeFee, ...] = field(default=())
    dispatched: frozenset[str] = frozenset()


WriteAhead = Callable[[tuple[Intent, ...]], None]
"""Makes intents durable, all or none, and returns when they are; raises if it cannot."""


# --- the seams


class Timer(Protocol):
    def cancel(self) -> None: ...


class Clock(Protocol):
    """Time as an adapter may know it."""

    def now(self) -> float:
        """Seconds that only ever grow."""
        ...

    def wall_ns(self) -> int:
        """Epoch nanoseconds UTC."""
        ...

    def later(self, seconds: float, act: Callable[[], None]) -> Timer: ...


class Broker(Protocol):
    """The order side. Only connect, disconnect and questions wait; requests return at once."""

    capabilities: Capabilities

    @property
    def state(self) -> SessionState: ...

    async def connect(self) -> SessionInfo:
        """Connect, and return when the books agree; raises BrokerError with the cure."""
        ...

    async def disconnect(self) -> None:
        """End the session; orders live on, and what was not sent yet is taken back."""
        ...

    async def close(self) -> None:
        """Disconnect for good: the stream of events ends."""
        ...

    def events(self) -> AsyncIterator[Heard]:
        """Everything heard from now on, until the broker is closed; for one listener."""
        ...

    def taken(self) -> tuple[Heard, ...]:
        """Events heard so far and not taken yet, without waiting."""
        ...

    def submit(self, orders: Sequence[Order]) -> tuple[Receipt, ...]:
        """Send new orders, their intents durable together; one receipt each."""
        ...

    def replace(self, wanted: Replacement) -> Receipt: ...

    def cancel(self, cl_ord_id: str) -> Receipt: ...

    def cancel_all(self, what: CancelAll) -> Receipt: ...

    async def snapshot(self) -> BrokerSnapshot: ...

    async def order_status(self, cl_ord_id: str) -> Answer[OrderState]:
        """Ask the broker anew; Failed where it answers and does not know the order."""
        ...

    async def preview(self, order: Order) -> Answer[MarginPreview]: ...


@dataclass(frozen=True, slots=True)
class PriceBand:
    """From `low` USD up, prices are multiples of `increment` USD."""

    low: float
    increment: float


@dataclass(frozen=True, slots=True)
class Hours:
    """One stretch of trading, both ends UTC."""

    open: datetime
    close: datetime


@dataclass(frozen=True, slots=True)
class Instrument:
    """A name as the broker knows it; `broker_id` is its number there."""

    symbol: str
    broker_id: int
    primary_exchange: str
    currency: str
    bands: tuple[PriceBand, ...]
    liquid_hours: tuple[Hours, ...]
    long_name: str = ""
    size_increment: float = 1.0

    def increment(self, price: float) -> float:
        """The step of prices at `price`, USD."""
        fits = [band.increment for band in self.bands if price >= band.low]
        return fits[-1] if fits else self.bands[0].increment


class ReferenceData(Protocol):
    """What names are; asked once, then known."""

    async def resolve(self, symbols: Sequence[str]) -> dict[str, Answer[Instrument]]: ...

    def instrument(self, symbol: str) -> Instrument | None: ...


class MarketData(Protocol):
    """Quotes; apart from orders, since they may come from elsewhere."""

    def subscribe(self, symbols: Sequence[str]) -> None: ...

    def unsubscribe(self, symbols: Sequence[str]) -> None: ...

    def quote(self, symbol: str) -> Quote | None: ...

    def quality(self, symbol: str) -> Quality: ...
