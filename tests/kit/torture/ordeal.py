"""One schedule, lived: processes die and come back, then the faults end, and all is compared."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.history import HistoryAsked
from deadband.core.broker import CancelAll, Replacement
from deadband.core.errors import BrokerError
from deadband.core.orders import OrdStatus, WorkingOrder
from deadband.core.seen import Switch
from deadband.core.types import CycleRecord

from ..death import Death
from ..ibkr import buy
from ..inputs import settings
from ..live import Mortal, World
from ..tws import RawClient, place_order, quote_of
from . import checks
from .schedule import CYCLE_S, FOREIGN, OPERATOR, Act, Schedule, Stretch, draw

MOST_STARTS = 8
"""Attempts to begin, half a minute apart, before a gateway counts as one that never serves."""
LONGEST_S = 3 * 3600.0
OTHER_CLIENT = 9


@dataclass(slots=True)
class Outcome:
    """What happened under a seed; `failure` is empty where all that must hold did."""

    seed: int
    failure: str = ""
    trace: str = ""
    faults: Counter[str] = field(default_factory=Counter)
    """Strikes by kind."""
    deaths: Counter[str] = field(default_factory=Counter)
    """By boundary, before or after it."""
    acts: Counter[str] = field(default_factory=Counter)
    lives: int = 0
    failed_starts: int = 0
    records: int = 0
    cycles: int = 0
    orders: int = 0
    fills: int = 0
    digest: str = ""
    """Of the journal's bytes and the gateway's books."""


def torment(seed: int, folder: Path) -> Outcome:
    """Live the schedule of a seed in an empty folder; never raises for what goes wrong in it."""
    outcome = Outcome(seed)
    ordeal = Ordeal(draw(seed), folder / "journal.db", outcome)
    try:
        ordeal.live_through()
    except Exception as fault:  # noqa: BLE001 - whatever it is, it is what the seed came to
        outcome.failure = _said(fault)
        outcome.trace = "".join(traceback.format_exception(fault))
    ordeal.count()
    return outcome


def _said(fault: BaseException) -> str:
    while isinstance(fault, BaseExceptionGroup):
        fault = fault.exceptions[0]
    return f"{type(fault).__name__}: {fault}"


def compared(world: World) -> None:
    """One more start that trades nothing: others may have traded since the last look."""

    async def look(journal: Mortal) -> None:
        line = await world.begun(journal)
        line.hear()
        await line.broker.close()
        line.hear()

    world.live(look)
    checks.expect_end(world)


class Ordeal:
    """The world of one schedule, and who acts in it."""

    def __init__(self, schedule: Schedule, path: Path, outcome: Outcome) -> None:
        self.schedule, self.outcome = schedule, outcome
        self.world = World(
            path,
            schedule.names,
            faults=schedule.faults,
            begins_min=schedule.begins_min,
            step_s=schedule.step_s,
            settings=settings(**schedule.settings),
            changes=schedule.broker,
            compare_s=schedule.compare_s,
            first_s=10.0,
            work_s=5.0,
            market_seed=schedule.market,
            watches=schedule.watches,
            switch=self._switch,
            longest_s=LONGEST_S,
            seed=schedule.seed,
        )
        self.host = self.world.host
        self.start = self.host.timeline.now
        self.is_recovering = False
        self._other: RawClient | None = None
        self._other_ids = 0
        for act in schedule.acts:
            if act.what in FOREIGN:
                self.host.timeline.at(self._at(act.after_s), self._foreign(act))

    # --- the course of it

    def live_through(self) -> None:
        last = int(self.schedule.begins_min * 60 // CYCLE_S) + self.schedule.cycles
        for stretch in (*self.schedule.lives, Stretch(Death())):
            self._begin(stretch, last)
            self.host.timeline.run_for(stretch.away_s)
        self._end_faults()
        open_s = (self.host.timeline.now - self.world.market.sessions[0].open).total_seconds()
        before = len(self.world.records)
        assert self._begin(Stretch(Death()), int(open_s // CYCLE_S) + 3), "it never begins again"
        if self.host.timeline.now < self.world.market.sessions[0].close:
            assert len(self.world.records) > before, "it never trades again"
        compared(self.world)

    def _end_faults(self) -> None:
        """Let what has struck take its course, and strike no more."""
        self.host.faults.end()
        longest = max((fault.seconds for fault in self.schedule.faults), default=0.0)
        self.host.timeline.run_for(longest + 60.0)
        self.host.is_rate_strict = False
        if not self.host.desk.is_connected:
            self.host.desk.reconnected()
        self.is_recovering = True

    def _begin(self, stretch: Stretch, last: int) -> bool:
        """One life up to a cycle of the session; starts that are refused are tried again."""
        for _ in range(MOST_STARTS):
            begun: list[bool] = []

            async def work(journal: Mortal, begun: list[bool] = begun) -> None:
                begun.append(await self._process(journal, stretch, last))

            self.world.line = self.world.run = None
            journal = self.world.live(work, death=stretch.death)
            self.outcome.lives += 1
            if journal.died.is_set():
                death = stretch.death
                when = "after" if death.is_after else "before"
                self.outcome.deaths[f"{when} {death.boundary}"] += 1
                return True
            if begun == [True]:
                return True
            self.outcome.failed_starts += 1
            self.host.timeline.run_for(30.0)
        return False

    async def _process(self, journal: Mortal, stretch: Stretch, last: int) -> bool:
        """A run with its operator; whether it could begin."""
        operator = asyncio.ensure_future(self._operate())
        before = len(self.world.records)

        def cycled(record: CycleRecord) -> None:
            checks.expect_within_belief(self.world)
            if self.world.run and len(self.world.records) - before == stretch.stops_after:
                self.world.run.stop()

        try:
            await self.world.trade(journal, last, also=cycled)
        except BrokerError:
            if self.world.run is not None:
                raise
            return False
        finally:
            operator.cancel()
            [ended] = await asyncio.gather(operator, return_exceptions=True)
        if isinstance(ended, Exception) and not isinstance(ended, asyncio.CancelledError):
            raise ended
        return True

    # --- the operator

    def _switch(self, now: datetime) -> Switch:
        since = [one for after, one in self.schedule.commands if now >= self._at(after)]
        return since[-1] if since and not self.is_recovering else Switch()

    async def _operate(self) -> None:
        acts = [act for act in self.schedule.acts if act.what in OPERATOR]
        for act in sorted(acts, key=lambda one: one.after_s):
            wait = (self._at(act.after_s) - self.world.wall()).total_seconds()
            if wait > 0:
                await asyncio.sleep(wait)
                await self._act(act)

    async def _act(self, act: Act) -> None:
        line = self.world.line
        if line is None:
            return
        broker = line.broker
        assert isinstance(broker, IbkrBroker)
        working = self._one_of(line.standing.state.working, act.symbol)
        self.outcome.acts[act.what] += 1
        if act.what == "cancel own":
            broker.cancel_all(CancelAll())
        elif act.what == "preview":
            await broker.preview(buy("preview", abs(act.shares), 50.0, act.symbol))
        elif act.what == "history":
            await broker.history.bars(HistoryAsked(act.symbol, 0, "1 D", "5 mins"))
        elif act.what == "order status" and working is not None:
            await broker.order_status(working.order.cl_ord_id)
        elif act.what == "change" and working is not None:
            broker.replace(_smaller(working, act))

    @staticmethod
    def _one_of(working: tuple[WorkingOrder, ...], symbol: str) -> WorkingOrder | None:
        plain = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
        alive = [one for one in working if one.status in plain]
        return next((one for one in alive if one.order.symbol == symbol), (alive or [None])[0])

    # --- others

    def _foreign(self, act: Act) -> Callable[[], None]:
        """Somebody else at the same account, with a client of their own."""

        def happen() -> None:
            if self._other is None or self._other.is_closed:
                if self.host.is_refusing:
                    return
                self._other = RawClient(self.host, OTHER_CLIENT)
            self.outcome.acts[act.what] += 1
            if act.what == "global cancel":
                self._other.send(58, 1)
            elif act.what == "foreign cancel":
                self._other.cancel(self._other_ids)
            else:
                self._place(self._other, act)

        return happen

    def _place(self, other: RawClient, act: Act) -> None:
        self._other_ids += 1
        bid, ask = quote_of(self.host, act.symbol)
        side = 1 if act.shares > 0 else -1
        price = (ask if side > 0 else bid) * (1 + side * (-0.05 if act.is_resting else 0.01))
        other.send(
            *place_order(
                self._other_ids,
                other.version,
                symbol=act.symbol,
                action="BUY" if side > 0 else "SELL",
                orderRef="other",
                totalQuantity=abs(act.shares),
                lmtPrice=f"{price:.2f}",
            )
        )

    # --- counting

    def _at(self, after_s: float) -> datetime:
        return self.start + timedelta(seconds=after_s)

    def count(self) -> None:
        """Fill in what happened, and what the bytes of it are."""
        outcome, host = self.outcome, self.host
        outcome.faults = Counter(fault.name.value for _, fault in host.faults.struck)
        mine = checks.ours(host)
        outcome.orders, outcome.cycles = len(mine), len(self.world.records)
        executions = host.exchange.books.executions
        outcome.fills = sum(bool(checks.ref_of(one.order)) for one in executions)
        told = hashlib.blake2b(digest_size=16)
        for order in host.desk.orders:
            told.update(
                repr((order.perm_id, order.status, order.filled, order.fee_micros)).encode()
            )
        for one in executions:
            told.update(repr((one.exec_id, one.shares, one.price, one.moment)).encode())
        outcome.records, last = _last_record(self.world.path)
        told.update(last)
        outcome.digest = told.hexdigest()


def _last_record(path: Path) -> tuple[int, bytes]:
    """The number of the last record, and its chain, which holds the bytes of all before it."""
    with closing(sqlite3.connect(path)) as journal:
        row = journal.execute("SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1").fetchone()
    return row or (0, b"")


def _smaller(working: WorkingOrder, act: Act) -> Replacement:
    """A change that asks for no more shares than were decided."""
    order, left = working.order, working.leaves_qty
    qty = working.cum_qty + max(1, left - left // 3)
    return Replacement(order.cl_ord_id, qty, round(order.price + 0.01 * (act.shares % 5 - 2), 2))
