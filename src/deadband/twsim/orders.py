"""A working order and its executions: what the gateway remembers of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ..core.billing import Bill
from ..core.units import usd
from .contracts import Contract
from .ticket import Ticket


class Status(StrEnum):
    """IBKR's own words, as orderStatus carries them."""

    PENDING_SUBMIT = "PendingSubmit"
    PRE_SUBMITTED = "PreSubmitted"
    SUBMITTED = "Submitted"
    PENDING_CANCEL = "PendingCancel"
    CANCELLED = "Cancelled"
    FILLED = "Filled"
    INACTIVE = "Inactive"


DONE = frozenset({Status.CANCELLED, Status.FILLED, Status.INACTIVE})


@dataclass(slots=True, eq=False)
class Order:
    """One order; `value_micros` is what its shares cost, in micro-dollars."""

    ticket: Ticket
    contract: Contract
    client: int
    order_id: int
    perm_id: int
    account: str
    placed: datetime
    status: Status = Status.PENDING_SUBMIT
    filled: int = 0
    value_micros: int = 0
    fee_micros: int = 0
    bill: Bill = Bill()
    last_price: float = 0.0
    why_held: str = ""
    held: bool = False
    """The exchange has not got it: not transmitted, no locate, a dialog open, a parent working."""
    triggered: bool = False
    queue_ahead: int | None = None
    """Shares that trade before it at its price; None while it has no place in a queue."""
    finished: datetime | None = None
    finish_reason: str = ""

    @property
    def is_done(self) -> bool:
        return self.status in DONE

    @property
    def remaining(self) -> int:
        return max(self.ticket.shares - self.filled, 0)

    @property
    def average(self) -> float:
        return usd(self.value_micros) / self.filled if self.filled else 0.0


@dataclass(frozen=True, slots=True)
class Execution:
    """A fill as it was first reported or as a correction replaced it; `order` is its order then."""

    exec_id: str
    order: Order = field(repr=False)
    moment: datetime
    shares: int
    price: float
    fee_micros: int
    realized_micros: int | None
    cumulative: int
    average: float
    liquidity: int
    """1 added, 2 removed, 3 routed out."""
    bill: Bill = Bill()
    """What it adds to its order's bill."""

    @property
    def side(self) -> str:
        return "BOT" if self.order.ticket.side > 0 else "SLD"
