"""Keeps a broker connected and its books compared; everything it says is taken at once.

Rules
  * A session that ends is begun again, after ever longer waits; nothing is sent meanwhile.
  * READY is not enough to trade: the driver compares the books with the journal first, at the
    start, after every reconnect and every doubt, and from time to time.
  * After a doubt everything has to stand still for it. From time to time is no reason to wait: a
    name that is trading then stays as it was compared before.
  * READ_ONLY and HALTED are left to a human.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from ..core.broker import Answer, Broker, Instrument, MarketData, Ok, ReferenceData
from ..core.errors import BrokerError
from ..core.events import SessionState, Severity
from ..core.orders import ExecType
from ..core.reasons import Code
from .reconcile import differences, expect_rest, looked, lost_asks, lost_cancels, lost_changes
from .watch import Standing

MOST_ASKED = 100
"""Names asked for at once: behind more of them the last would wait too long for its answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, seconds."""

    first_s: float = 1.0
    """Before the first attempt to connect again; each one after waits twice as long."""
    most_s: float = 60.0
    settle_s: float = 2.0
    """Between the two passes of a comparison that have to agree."""
    compare_s: float = 60.0
    """Between comparisons when nothing is odd."""
    answer_s: float = 10.0
    """At a clean stop, for answers to what was asked."""
    work_s: float = 1.0
    """Between two looks at the orders that are worked."""
    blind_s: float = 15.0
    """Without a live quote, until what rests in a name is canceled."""


@dataclass(slots=True, eq=False)
class Line:
    """One broker and the run that it serves.

    `symbols` are resolved; those of them that are `watched` are subscribed to for good.
    """

    broker: Broker
    reference: ReferenceData
    quotes: MarketData | None
    standing: Standing
    symbols: Sequence[str]
    patience: Patience = Patience()
    watched: frozenset[str] = frozenset()
    compared_at: float = -1e9
    """Loop seconds of the last comparison."""

    @property
    def is_open(self) -> bool:
        """Whether orders may be sent: the session is ready, and the books were compared."""
        return self.broker.state is SessionState.READY and self.standing.is_reconciled

    def hear(self) -> int:
        """Take everything that was heard; how many reports there were so far."""
        self.standing.hear(self.broker.taken())
        return self.standing.folded

    async def listen(self) -> None:
        """Take what is heard as it comes, until the broker is closed."""
        async for first in self.broker.events():
            self.standing.hear((first, *self.broker.taken()))

    async def hold(self) -> None:
        """Connect, compare, and do so again whenever that is due; never ends by itself."""
        wait = self.patience.first_s
        while True:
            try:
                if self.broker.state is SessionState.DISCONNECTED:
                    await self.connect()
                if self._is_comparison_due():
                    await self.compare()
                wait = self.patience.first_s
                await asyncio.sleep(self.patience.first_s)
            except BrokerError as fault:
                # Books that move while orders are worked are asked again, and nothing is wrong.
                is_up = self.broker.state is SessionState.READY
                self.standing.note(str(fault), Severity.WARNING if is_up else Severity.ERROR)
                await asyncio.sleep(wait)
                wait = min(2 * wait, self.patience.most_s)

    async def connect(self) -> None:
        """Begin a session, and learn the names in it; raises BrokerError."""
        await self.broker.connect()
        unknown = [symbol for symbol in self.symbols if self.reference.instrument(symbol) is None]
        answers: dict[str, Answer[Instrument]] = {}
        for start in range(0, len(unknown), MOST_ASKED):
            answers |= await self.reference.resolve(unknown[start : start + MOST_ASKED])
        known = [symbol for symbol in unknown if isinstance(answers.get(symbol), Ok)]
        for symbol in sorted(set(unknown) - set(known)):
            self.standing.note(f"{symbol} cannot be traded: {answers.get(symbol)}")
        if self.quotes is not None:
            self.quotes.subscribe([symbol for symbol in known if symbol in self.watched])

    def _is_comparison_due(self) -> bool:
        if self.broker.state is not SessionState.READY:
            return False
        since = asyncio.get_running_loop().time() - self.compared_at
        return not self.standing.is_reconciled or since >= self.patience.compare_s

    async def compare(self) -> None:
        """Compare the books by the broker's word that stands still; raises BrokerError."""
        seen = await looked(self.broker, self.hear, self.patience.settle_s)
        if self.broker.state is not SessionState.READY:
            raise BrokerError("the session was lost while the books were compared.")
        standing, shot, moving = self.standing, seen.shot, seen.moving
        if not standing.is_reconciled:
            expect_rest(seen)
        text = f"{Code.RECON_CANCEL_LOST}: the broker has it at work"
        for order in lost_cancels(standing.state, shot):
            if order.order.symbol not in moving:
                standing.conclude(order, ExecType.CANCEL_REJECTED, text)
        text = f"{Code.RECON_CHANGE_LOST}: the broker has it at work"
        for order, kind in lost_changes(standing.state, shot):
            if order.order.symbol not in moving:
                standing.conclude(order, kind, text)
        for child, kind in lost_asks(standing.basket, shot):
            if child.symbol not in moving:
                standing.conclude_child(child, kind, text)
        standing.compared(differences(standing.state, standing.basket, shot), moving)
        self.compared_at = asyncio.get_running_loop().time()
