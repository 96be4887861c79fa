"""The loop of a real session: at each interval gather, decide, make durable, send.

Rules
  * A cycle whose time has passed is skipped and counted, never made up for.
  * Nothing is decided while the session is not ready or the books were not compared since.
  * A cycle's record is durable before its orders are handed on, and each batch of orders once more
    as intents before any of it may leave.
  * A journal that cannot be written, or a fold that fails, ends the run; what had been sent stays
    with the broker, and the next start finds it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from threadpoolctl import threadpool_limits

from .. import cycle
from ..backtest.gather import gather
from ..backtest.run import END, Laps, Progress
from ..core.config import Settings
from ..core.errors import BrokerError
from ..core.events import Skipped
from ..core.orders import Algorithm
from ..core.ports import ScoreSource
from ..core.reasons import Code
from ..core.seen import RiskGiven, Seen, Switch
from ..core.types import Plan
from ..core.units import epoch_ns
from .halt import Halt
from .line import Line
from .market import Feed
from .work import Work


@dataclass(slots=True, eq=False)
class LiveRun:
    """One run over sessions as they happen; `switch` is what the operator commands at an instant.

    Raises BrokerError where orders are to be worked on quotes and there are none. `wall` is the
    time it is; the loop sleeps on the event loop's clock. `stop` ends it after the cycle under way.
    """

    settings: Settings
    line: Line
    scores: ScoreSource
    wall: Callable[[], datetime]
    switch: Callable[[datetime], Switch] = field(default=lambda _: Switch())
    risk_given: RiskGiven | None = None
    progress: Progress = field(default=lambda _: None)
    skipped: int = 0
    work: Work = field(init=False)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        algorithm = self.settings.execution.algorithm
        if self.line.quotes is None and algorithm not in ("", Algorithm.MARKETABLE):
            raise BrokerError(
                f"execution.algorithm is {algorithm}, which works orders on quotes, and the broker "
                "gives none. Give quotes, or set it to marketable."
            )
        self.work = Work(self.line, self.settings, self.wall, self.switch)

    def stop(self) -> None:
        self._stopped.set()

    @property
    def is_stopped(self) -> bool:
        return self._stopped.is_set()

    async def over(self, feeds: Iterable[Feed] | AsyncIterable[Feed]) -> None:
        """Run sessions in order, connected throughout; a fault of any part ends all of it."""
        try:
            async with asyncio.TaskGroup() as group:
                listening = group.create_task(self.line.listen())
                halt = Halt(self.line, self.switch, self.wall)
                beside = (self.line.hold(), self.work.keep(), halt.watch())
                tasks = [group.create_task(one) for one in beside]
                async for feed in _each(feeds):
                    await self.session(feed)
                await self._worked_out()
                if self._stopped.is_set():
                    self.work.leave()
                await self._at_rest()
                for task in tasks:
                    task.cancel()
                await self.line.broker.close()
                await listening
        finally:
            # After a fault too, nothing that still waits in the outbox may leave.
            await self.line.broker.close()
        self.line.standing.pen.write(END, {"cycles": self.line.standing.state.cycle})

    async def _worked_out(self) -> None:
        """After a session, wait for the orders that are worked beyond it, as in the auction."""
        patience = self.line.patience
        until = self.work.ends + int(patience.answer_s * 1e9)
        while not (self._stopped.is_set() or self.work.is_idle) and epoch_ns(self.wall()) < until:
            await asyncio.sleep(patience.work_s)

    async def _at_rest(self) -> None:
        """Wait, not for ever, until the broker has answered all that was asked; orders live on."""
        until = asyncio.get_running_loop().time() + self.line.patience.answer_s
        while asyncio.get_running_loop().time() < until:
            self.line.hear()
            if not (self.line.standing.asked or self.line.standing.is_clearing):
                self.line.standing.answer_orders()
                return
            await asyncio.sleep(self.line.patience.settle_s)

    async def session(self, feed: Feed) -> None:
        """All of a session's cycles that are still to come."""
        began = self.wall()
        with threadpool_limits(limits=1, user_api="blas"):
            for k in range(1, len(feed) + 1):
                if feed.due(k) <= began:
                    continue
                if self._stopped.is_set():
                    return
                await self.until(feed.due(k))
                if not self._stopped.is_set():
                    self.cycle(feed, k)

    def cycle(self, feed: Feed, k: int) -> None:
        """The cycle at the k-th bar's end, or why there was none."""
        standing, now = self.line.standing, self.wall()
        self.line.hear()
        if now >= feed.due(k) + feed.interval:
            self._skip(Code.LIVE_OVERRUN, feed.due(k), f"it is {now.isoformat()}")
            return
        if not self.line.is_open:
            state = self.line.broker.state
            compared = "compared" if standing.is_reconciled else "not compared"
            self._skip(Code.LIVE_NOT_READY, feed.due(k), f"{state}, books {compared}")
            return
        laps = Laps()
        with laps.lap("models"):
            seen = self._seen(feed, k, now)
        _, record = cycle.step(self.settings, standing.state, seen, laps)
        standing.decided(record, laps.rooms)
        self._send(record.plan)
        self.work.take_up(record)
        self.progress(record)

    def _seen(self, feed: Feed, k: int, now: datetime) -> Seen:
        seen = gather(
            self.line.standing.state,
            feed.market(k, now),
            feed.history(),
            self.scores.at(now, feed.features(k)),
            self.switch(now),
            self.settings.execution,
            self.risk_given,
        )
        unknown = seen.portfolio.unknown + self.line.standing.reserved()
        book, funds = replace(seen.portfolio, unknown=unknown), self.line.standing.funds
        return replace(seen, portfolio=book, funds=funds)

    def _send(self, plan: Plan) -> None:
        """Cancels, changes, new orders; what is not taken for sending is answered at once.

        Orders with a route are left to those who work them.
        """
        standing, broker = self.line.standing, self.line.broker
        refused = [broker.cancel(cl_ord_id) for cl_ord_id in standing.direct(plan.cancels)]
        self.line.hear()
        standing.not_canceled(refused)
        changes = standing.direct(one.cl_ord_id for one in plan.replaces)
        refused = [broker.replace(one) for one in plan.replaces if one.cl_ord_id in changes]
        self.line.hear()
        standing.not_replaced(refused)
        orders = [order for order in plan.orders if order.route is None]
        # What the gate denied is in the plan's record already; here the broker's side denies.
        standing.denied(broker.submit(orders) if orders else ())
        self.line.hear()

    def _skip(self, code: Code, due: datetime, text: str) -> None:
        self.skipped += 1
        self.line.standing.skip(Skipped(code, epoch_ns(due), text))

    async def until(self, due: datetime) -> None:
        """Sleep to an instant of the wall clock, or until the run is stopped."""
        while not self._stopped.is_set() and (left := (due - self.wall()).total_seconds()) > 0:
            try:
                await asyncio.wait_for(self._stopped.wait(), left)
            except TimeoutError:
                continue


async def _each(feeds: Iterable[Feed] | AsyncIterable[Feed]) -> AsyncIterator[Feed]:
    """Feeds as they come; those that wait for a session's morning are made only then."""
    if isinstance(feeds, AsyncIterable):
        async for feed in feeds:
            yield feed
        return
    for feed in feeds:
        yield feed
