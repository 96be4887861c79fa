"""Keeps our books and the broker's in step: asks at the start, after every doubt, and now and then.

Rules
  * The books are in step when a full round of questions taught nothing new.
  * Rounds follow one another: two at once would mix their lists.
  * A round without an answer concludes nothing; what was in doubt stays so and is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ...core.broker import Answer, Ok, Timer
from ...core.errors import BrokerError
from ...core.events import SessionState, Severity
from ...core.orders import OrdStatus
from . import settle
from .line import Line
from .orders import WHOLE
from .pacer import Lane

MOST_PASSES = 6
LISTS = ("executions", "orders", "completed")

Answers = dict[str, Answer[Any]]


class Books:
    """Asks and concludes, for one line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._reconciling = asyncio.Lock()
        self._doubt_timer: Timer | None = None
        self._look_timer: Timer | None = None
        self._tasks: set[asyncio.Task[object]] = set()

    async def bring_in_step(self) -> None:
        """Ask until asking teaches nothing new; READY then."""
        for attempt in range(MOST_PASSES):
            learned, held = self._line.orders.learned, self._line.account.held()
            answers = await self.ask_everything()
            failed = {name: one for name, one in answers.items() if not isinstance(one, Ok)}
            if failed:
                raise BrokerError(f"the books cannot be brought in step: {failed}. Connect again.")
            if attempt and (learned, held) == (
                self._line.orders.learned,
                self._line.account.held(),
            ):
                break
            await asyncio.sleep(self._line.settings.settle_s)
        else:
            self._line.note(Severity.WARNING, f"the books still moved after {MOST_PASSES} rounds")
        # The servers may have been lost meanwhile: then their return asks anew.
        if self._line.session.state is SessionState.SYNCING:
            self._line.session.to(SessionState.READY, "the books agree")
            self._line.quotes.resubscribe()

    async def mend(self) -> None:
        """Bring the books in step again, however long it takes, while the line stands."""
        while self._line.session.state is SessionState.SYNCING:
            try:
                await self.bring_in_step()
            except BrokerError as fault:
                self._line.note(Severity.ERROR, str(fault))
                await asyncio.sleep(self._line.settings.settle_s)
        if self._line.session.is_up:
            await self.reconcile()

    async def ask_everything(self) -> Answers:
        """Orders, executions, positions and money, each known or not."""
        orders, positions, account = await asyncio.gather(
            self.reconcile(),
            self._ask("positions", self._line.wire.ask_positions),
            self._ask("account", lambda: self._line.wire.ask_account(self._line.settings.account)),
        )
        if isinstance(positions, Ok):
            self._line.account.listed(positions.value)
            self._line.orders.doubts.discard(WHOLE)
        return {**orders, "positions": positions, "account": account}

    async def reconcile(self) -> Answers:
        """Ask what became of every order; concludes when all three lists are complete."""
        async with self._reconciling:
            started, req_id = self._line.clock.now(), self._line.next_req_id()
            settle.begin(self._line.orders)
            try:
                # The living before those that are over: what ends meanwhile is in one of both.
                executions, orders, completed = await asyncio.gather(
                    self._ask(str(req_id), lambda: self._line.wire.ask_executions(req_id)),
                    self._ask("orders", self._line.wire.ask_orders),
                    self._ask("completed", self._line.wire.ask_completed),
                )
            finally:
                self._line.orders.is_listing = False
            answers: Answers = dict(zip(LISTS[:3], (executions, orders, completed), strict=True))
            if all(isinstance(one, Ok) for one in answers.values()):
                settle.settle(self._line.orders, started - self._line.settings.ack_s)
            elif self._line.session.is_up:
                self._line.note(Severity.WARNING, f"orders could not be asked about: {answers}")
            return answers

    async def _ask(self, key: str, send: Callable[[], None]) -> Answer[tuple[Any, ...]]:
        return await self._line.questions.ask(key, send, lane=Lane.REDUCE)

    def ask_soon(self) -> None:
        """Ask about doubts in a moment, unless that is due already."""
        if self._doubt_timer is None:
            self._doubt_timer = self._line.clock.later(self._line.settings.doubt_s, self._ask_now)

    def _ask_now(self) -> None:
        self._doubt_timer = None
        if self._line.session.is_up and self._line.orders.doubts:
            self.start(self._ask_about())

    async def _ask_about(self) -> None:
        if WHOLE in self._line.orders.doubts:
            await self.ask_everything()
        else:
            await self.reconcile()

    def ask_if_silent(self, cl_ord_id: str) -> None:
        """Some time after an order was sent: look for it if no word of it has come."""
        row = self._line.orders.rows[cl_ord_id]
        if not row.is_acked and not row.is_final and self._line.session.is_up:
            self._line.orders.doubts.add(cl_ord_id)
            self.ask_soon()

    def look_later(self) -> None:
        """Reconcile from time to time, oftener while an order is of unknown fate."""
        rows, settings = self._line.orders.active.values(), self._line.settings
        unknown = any(row.status is OrdStatus.UNKNOWN for row in rows)
        seconds = settings.answer_s if unknown else settings.reconcile_s
        self._look_timer = self._line.clock.later(seconds, self._look)

    def _look(self) -> None:
        self.start(self._ask_about())
        self.look_later()

    def start(self, work: Coroutine[Any, Any, object]) -> None:
        """Work that nobody waits for, until the session ends."""
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """The session has ended: ask no more."""
        for timer in (self._doubt_timer, self._look_timer):
            if timer is not None:
                timer.cancel()
        self._doubt_timer = self._look_timer = None
        for task in self._tasks:
            task.cancel()
