"""An order that was changed on its way, as the pieces it was decided in.

What a raise adds was wanted from its own decision on; what a reduction takes off was wanted until
then, and is charged as unfilled at the mid of that moment. The order counts with the means over its
pieces by shares, so that its parts still add up to paper less real portfolio.
"""

from __future__ import annotations

from collections.abc import Callable

from ...core.orders import ExecType, ExecutionReport, Order

MidAt = Callable[[int], float]


class Pieces:
    """Shares with the mid and the instant (epoch ns) at which they were decided, or given up."""

    def __init__(self, order: Order) -> None:
        self.decided = [(order.order_qty, order.arrival, order.transact_time)]
        self.given_up: list[tuple[int, int]] = []
        self.stands = order.order_qty
        self.asked = 0
        """The quantity that a change without an answer would make of it; 0 none."""

    @property
    def wanted(self) -> int:
        return sum(qty for qty, _, _ in self.decided)

    @property
    def decision(self) -> float:
        if len(self.decided) == 1:
            return self.decided[0][1]
        return sum(qty * mid for qty, mid, _ in self.decided) / self.wanted

    def ask(self, qty: int, mid: float, at: int) -> None:
        """A change to `qty` is decided."""
        self.asked = qty
        if qty > self.stands:
            self.decided.append((qty - self.stands, mid, at))

    def answered(self, report: ExecutionReport) -> None:
        """A change is made or refused, also one that the broker made by itself."""
        before = max(self.stands, self.asked)
        if report.exec_type is ExecType.REPLACED:
            self.stands = report.order_qty or self.asked or self.stands
        elif not self.asked:
            return
        self.asked = 0
        if self.stands < before:
            self.given_up.append((before - self.stands, report.ts))
        elif self.stands > before:
            self.decided.append((self.stands - before, self.decision, report.ts))

    def arrival(self, mid_at: MidAt) -> float:
        """The mid when it left."""
        if len(self.decided) == 1:
            return mid_at(self.decided[0][2])
        return sum(qty * mid_at(at) for qty, _, at in self.decided) / self.wanted

    def end(self, mid_at: MidAt, filled: int, last: int) -> float:
        """The mid at which what is not filled was given up, the rest of it at `last`."""
        unfilled = left = self.wanted - filled
        if left <= 0 or not self.given_up:
            return mid_at(last)
        usd = 0.0
        for qty, at in self.given_up:
            # What filled all the same was not given up.
            gone = min(qty, left)
            usd, left = usd + gone * mid_at(at), left - gone
        return (usd + left * mid_at(last)) / unfilled
