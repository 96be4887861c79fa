"""A trading day of a hundred names over real TCP: a broken line, kill -9, a night, and the morning.

The live loop is a process of its own (`life.py`), three of them one after another on one journal,
and speaks with ib_async's client; the gateway is here. All live on one clock that runs some hundred
times faster than the wall's. By hand, with another seed:

    python -m tests.kit.hundred FOLDER SEED
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.core.orders import Action, ExecType, ExecutionReport, Source, TradeFee
from deadband.core.session import exchange_day
from deadband.core.types import State
from deadband.journal.store import JournalReader
from deadband.live.recover import recover
from deadband.live.watch import ASKED
from deadband.twsim.desk import Desk
from deadband.twsim.gateway import Gateway
from deadband.twsim.orders import Status
from deadband.twsim.recorded import recorded
from deadband.twsim.server import Server
from deadband.twsim.ticket import Ticket
from deadband.twsim.world import GatewaySettings

from .ibkr import ACCOUNT
from .life import COSTS, market
from .scaled import Clock, run
from .tws import fault

ROOT = Path(__file__).parents[2]
CYCLES, MORNING = 78, 6
"""Five-minute bars of the whole session, and of the next morning."""
BY_DAY, BY_NIGHT = 500.0, 5_000.0
"""How fast the clock goes: a bar has 0.6 s."""
DOWN_S = 120.0
"""After its death the run is begun again, seconds."""
FAULTS = (
    fault("restart", at="11:02", seconds=420.0),
    fault("connectivity_lost", at="15:20", seconds=240.0),
    fault("restart", at="23:45", seconds=600.0),
)
"""A restart rolls the next order number back."""


@dataclass
class Killer:
    """Sends SIGKILL to a process while the gateway takes the n-th order after an instant."""

    at: datetime
    nth: int
    process: subprocess.Popen[str] | None = None
    seen: int = 0
    in_flight: int = -1
    """Orders that the gateway had not acknowledged then; −1 before."""

    def order(self, desk: Desk) -> None:
        self.seen += desk.timeline.now >= self.at
        if self.seen >= self.nth and self.in_flight < 0 and self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.in_flight = sum(one.status is Status.PENDING_SUBMIT for one in desk.orders)


@dataclass
class Day:
    """The gateway, and the lives of a run on one journal."""

    folder: Path
    killer: Killer
    host: Gateway
    lives: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.folder / "journal.db"

    # --- how it goes

    def born(self, *cycles: int) -> None:
        """A process that loads everything, so that it begins as soon as it is told to."""
        call = [sys.executable, "-m", "tests.kit.life", str(self.journal), *map(str, cycles)]
        with (self.folder / f"life{len(self.lives)}.txt").open("w") as said:
            life = subprocess.Popen(
                call,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )
        self.lives.append(life)

    def through(self) -> None:
        """Begin the clock when all processes are ready, and let the day pass."""
        for cycles in ((CYCLES, MORNING), (CYCLES, MORNING), ()):
            self.born(*cycles)
        try:
            assert [life.stdout and life.stdout.readline() for life in self.lives] == 3 * [
                "ready\n"
            ]
            clock = clock_of_the_day()
            run(clock, lambda: self.pass_(clock))
        finally:
            for life in self.lives:
                life.kill()
                life.communicate()

    async def pass_(self, clock: Clock) -> None:
        """Two sessions on a running clock, then one more start while the gateway's stands still."""
        async with Server(self.host, "127.0.0.1", 0) as server:
            self.killer.process = self.lives[0]
            await self.live(self.lives[0], clock, server)
            await asyncio.sleep(DOWN_S)
            await self.live(self.lives[1], clock, server)
        async with Server(self.host, "127.0.0.1", 0, speed=0.0) as server:
            await self.live(self.lives[2], clock, server)

    async def live(self, life: subprocess.Popen[str], clock: Clock, server: Server) -> None:
        """Let a life begin, and wait for its end."""
        assert life.stdin is not None
        life.stdin.write(f"{server.port} {clock.text()}\n")
        life.stdin.flush()
        while life.poll() is None:
            await asyncio.sleep(5.0)

    # --- what came of it

    def entries(self, kind: str = "") -> list[tuple[str, str, Any]]:
        """Kind, time and value of the journal's records of a kind; of all, without values."""
        with JournalReader(self.journal) as journal:
            return [
                (entry.kind, entry.at, journal.value(entry.tree) if kind else None)
                for entry in journal.entries()
                if kind in ("", entry.kind)
            ]

    def told(self) -> list[ExecutionReport | TradeFee]:
        return [report for *_, batch in self.entries("REPORTS") for report in batch]

    def trades(self) -> list[ExecutionReport]:
        return [r for r in self.told() if isinstance(r, ExecutionReport) and r.last_qty]

    def away(self) -> list[ExecutionReport]:
        """Trades that were heard of only when they were asked for."""
        return [
            report
            for report in self.trades()
            if report.exec_type is ExecType.TRADE and report.source is Source.RECONCILED
        ]

    def state(self) -> State:
        found = recover(self.journal, exchange_day(self.host.timeline.now))
        assert found is not None
        assert found.not_intended == (), "the last start has ended them"
        return found.state

    def check(self) -> None:
        """Everything agrees, whatever happened when."""
        ends = [life.returncode for life in self.lives]
        assert ends == [-signal.SIGKILL, 0, 0], self.said()
        self._check_books(self.state())
        self._check_executions()
        self._check_references()
        cycles = len(self.entries("CYCLE"))
        replayed = replay(self.journal)
        assert (replayed.cycles, replayed.differences) == (cycles, ())
        assert read_ledger(self.journal).cycles_off_by_a_cent == 0

    def said(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("life*.txt")))

    def _check_books(self, state: State) -> None:
        """Positions, cash to the micro-dollar and open orders are the gateway's."""
        account, book = self.host.accounts[ACCOUNT], state.book
        held = {position.contract.symbol: position.shares for position in account.held()}
        mine = zip(state.universe.symbols, book.shares.tolist(), strict=True)
        assert {symbol: qty for symbol, qty in mine if qty} == held
        assert (book.cash_micro, book.fees_micro) == (account.cash_micros, account.fees_micros)
        working = {(o.order.cl_ord_id, o.cum_qty) for o in state.working}
        assert working == {(o.ticket.text("orderRef"), o.filled) for o in self.host.desk.working()}
        assert not [o for o in state.working if o.status in ASKED]
        compared = self.entries("RECONCILED")
        assert not compared or compared[-1][2] == (), "the last comparison found nothing"

    def _check_executions(self) -> None:
        """Each report of a trade is an execution of the gateway's, fee and all, and vice versa."""
        executions, trades = self.host.exchange.books.executions, self.trades()
        mine = Counter((r.exec_id, r.cl_ord_id, r.symbol, r.last_qty, r.last_px) for r in trades)
        assert mine == Counter(
            (e.exec_id, e.order.ticket.text("orderRef"), e.order.contract.symbol, e.shares, e.price)
            for e in executions
        )
        fees: Counter[str] = Counter()
        for report in self.told():
            fees[report.exec_id] += report.fee_micro
        assert {e.exec_id: fees[e.exec_id] for e in executions} == {
            e.exec_id: e.fee_micros for e in executions
        }

    def _check_references(self) -> None:
        """No order is there twice, and none without its intent."""
        intended = Counter(
            intent.order.cl_ord_id
            for *_, batch in self.entries("INTENTS")
            for intent in batch
            if intent.action is Action.NEW
        )
        refs = Counter(order.ticket.text("orderRef") for order in self.host.desk.orders)
        assert set(intended.values()) == set(refs.values()) == {1}
        assert refs.keys() <= intended.keys()


def clock_of_the_day() -> Clock:
    first, second = market().sessions
    return Clock.begun(
        _start(),
        (first.close + timedelta(minutes=5), BY_DAY),
        (second.open - timedelta(minutes=5), BY_NIGHT),
        (second.close, BY_DAY),
    )


def _start() -> datetime:
    return market().sessions[0].open - timedelta(minutes=5)


def lived(folder: Path, seed: int) -> Day:
    """The day as it was; where the process dies is drawn, between noon and half past two."""
    chance, placed = Random(seed), Desk.place
    noon = market().sessions[0].at_clock("12:00")
    killer = Killer(noon + timedelta(minutes=chance.uniform(0, 150)), chance.randint(1, 6))
    tape = market().tape
    given = recorded(tape.universe.symbols, tape.bar_min, tape.days)
    # Quotes move every two minutes, which is a quarter of a second of the wall's.
    host = Gateway(
        GatewaySettings(
            start=_start(),
            seed=seed,
            step_s=120.0,
            latency_s=5.0,
            faults=FAULTS,
            contracts=given.contracts,
            market=given.market,
            costs=COSTS,
        )
    )

    def place(desk: Desk, client: int, ticket: Ticket) -> None:
        placed(desk, client, ticket)
        killer.order(desk)

    day = Day(folder, killer, host)
    with patch.object(Desk, "place", place):
        day.through()
    return day


def main() -> None:
    """Live a day, check it, and say what it was."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True)
    day = lived(folder, seed)
    day.check()
    state = day.state()
    print(f"killed after {day.killer.at:%H:%M} UTC with {day.killer.in_flight} orders in flight")
    print(f"{len(day.host.desk.orders)} orders, {len(day.trades())} executions,", end=" ")
    print(f"{len(day.away())} of them while nobody listened, {len(state.working)} orders open")
    print(
        f"{len(day.entries('CYCLE'))} cycles replay; cash {state.book.cash_micro / 1e6:,.6f} USD,"
    )
    print(f"positions, orders and executions are the gateway's. journal {day.journal}")


if __name__ == "__main__":
    main()
