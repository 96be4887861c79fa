"""Parent orders on quotes, and a broker of a few lines that answers what it is told to."""

from dataclasses import dataclass, field
from typing import Any

from deadband.core.orders import (
    Action,
    Algorithm,
    ExecType,
    ExecutionReport,
    Route,
    Side,
    Tif,
    Venue,
)
from deadband.core.parents import ChildOrder, Instruction, Parent, Progress, Tick
from deadband.core.reasons import Code
from deadband.core.tactics import Tactics
from deadband.execute.machine import Allowance, act, hear, observe

from .inputs import NOW, clock
from .orders import order

SECOND = 1_000_000_000
START = int(NOW.timestamp()) * SECOND
CLOSE = int(clock("16:00").timestamp()) * SECOND
TICK = 0.01


def route(algorithm: Algorithm = Algorithm.PASSIVE, code: Code = Code.ALGO_ASKED) -> Route:
    return Route(algorithm, Venue.SMART, Tif.DAY, code)


def parent(
    algorithm: Algorithm = Algorithm.PASSIVE,
    *,
    side: Side = Side.BUY,
    qty: int = 1000,
    collar: float | None = None,
    seconds: float = 300.0,
    tactics: Tactics | None = None,
    start: int = START,
    order_id: str = "db.20260303.000007.003",
    symbol: str = "S0000",
    reason: str = "BUY_TOP_K",
    arrival: float = 100.0,
    beta: float = 0.0,
    lot: int = 1,
    curve: tuple[float, ...] = (),
) -> Parent:
    """A thousand shares at 100 dollars and a collar of 30 cents, to be done in five minutes."""
    price = round(arrival * (1.0 + 0.003 * side.sign), 2) if collar is None else collar
    return Parent(
        order=order(
            order_id,
            symbol,
            side=side,
            order_qty=qty,
            price=price,
            reason=reason,
            arrival=arrival,
            route=route(algorithm),
        ),
        route=route(algorithm),
        start=start,
        deadline=start + int(seconds * SECOND),
        close=CLOSE,
        lot=lot,
        tick=TICK,
        sigma_day=0.02,
        adv=1_000_000.0,
        beta=beta,
        curve=curve,
        tactics=tactics or Tactics(),
    )


def tick(seconds: float = 0.0, bid: float = 99.99, ask: float = 100.01, **other: Any) -> Tick:
    """A quote of two cents around 100 dollars, `seconds` after the start."""
    given: dict[str, Any] = {"bid_size": 500.0, "ask_size": 500.0, "volume": 0}
    return Tick(START + int(seconds * SECOND), bid, ask, **(given | other))


def report(child: ChildOrder, kind: ExecType, exec_id: str, **other: Any) -> ExecutionReport:
    given: dict[str, Any] = {"last_qty": 0, "last_px": 0.0, "fee_micro": 0, "ts": START}
    return ExecutionReport(
        cl_ord_id=child.cl_ord_id,
        symbol=child.symbol,
        side=child.side,
        exec_id=exec_id,
        exec_type=kind,
        **(given | other),
    )


@dataclass
class Desk:
    """One parent at a broker that acknowledges at once; fills are given by hand."""

    progress: Progress
    sent: list[Instruction] = field(default_factory=list)
    acknowledges: bool = True
    count: int = 0

    @classmethod
    def of(cls, algorithm: Algorithm = Algorithm.PASSIVE, **given: Any) -> "Desk":
        return cls(Progress(parent(algorithm, **given)))

    def at(self, seconds: float, *, allowed: int | None = None, **quote: Any) -> Instruction | None:
        """A tick; the message that comes of it, already answered."""
        now = tick(seconds, **quote)
        allowance = None if allowed is None else Allowance(allowed, Code.ORDER_WAITS_LEGS)
        self.progress, intent = act(observe(self.progress, now), now, allowance)
        if intent is not None:
            self.sent.append(intent)
            if self.acknowledges:
                self.answer(intent)
        return intent

    def answer(self, intent: Instruction) -> None:
        kinds = {
            Action.NEW: ExecType.NEW,
            Action.REPLACE: ExecType.REPLACED,
            Action.CANCEL: ExecType.CANCELED,
        }
        self.tell(kinds[intent.action], intent.order)

    def tell(self, kind: ExecType, child: ChildOrder | None = None, **other: Any) -> None:
        """A report on the child in flight, or on one that is named."""
        if child is None:
            assert self.progress.child is not None
            child = self.progress.child.order
        self.count += 1
        self.progress = hear(self.progress, report(child, kind, f"e{self.count}", **other))

    def fill(self, qty: int, price: float = 100.0) -> None:
        self.tell(ExecType.TRADE, last_qty=qty, last_px=price)

    @property
    def child(self) -> ChildOrder:
        assert self.progress.child is not None, "no child is in flight"
        return self.progress.child.order
