"""What the operator's commands share: which account at which gateway, and a broker made for it."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from ..brokers.ibkr.settings import IbkrSettings
    from ..core.broker import Broker, Memory, WriteAhead
    from ..journal.store import JournalWriter
    from ..live.begin import Counter
    from ..live.recover import Recovered

AccountId = Annotated[str, typer.Option(help="The account, DU... or U...")]
Port = Annotated[int, typer.Option(help="Of TWS or the Gateway.")]
Host = Annotated[str, typer.Option(help="Where it runs.")]
Client = Annotated[int, typer.Option(help="Client number; another one than a running run's.")]
OwnClient = Annotated[int, typer.Option(help="Client number; the run's, whose orders it reaches.")]
ConfirmLive = Annotated[str, typer.Option(help="For a live account: type it again.")]
Rehearse = Annotated[
    float, typer.Option(min=0, help="Take time from `deadband gateway --speed` of this speed.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

Wall = Callable[[], datetime]
Result = TypeVar("Result")
UNNAMED = "SIM"
"""The account of settings that name none."""
MOST_SKEW_S = 60.0
"""Beyond it our clock tells another hour than the broker's, and maybe another day."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway and an account as the command line names them."""

    account: str
    host: str
    port: int
    client: int
    confirm_live: str = ""
    restart_at: str = ""
    rehearse: float = 0.0
    """Speed of the simulated gateway whose time is taken; 0: this machine's time."""
    settle_s: float = 2.0
    """Between two passes over the broker's books that have to agree."""

    def settings(self) -> IbkrSettings:
        """Raises ConfigError where they do not go together."""
        from ..brokers.ibkr.settings import IbkrSettings, Mode

        return IbkrSettings(
            account=self.account,
            host=self.host,
            port=self.port,
            client_id=self.client,
            mode=Mode.PAPER if self.account.startswith("DU") else Mode.LIVE,
            live_confirmation=self.confirm_live,
            restart_at=self.restart_at,
            settle_s=self.settle_s,
        )

    def carry_out(self, work: Callable[[Errand], Coroutine[Any, Any, Result]]) -> Result:
        """Do a command's work in this machine's time, or in the simulated gateway's."""
        settings = self.settings()
        if not self.rehearse:
            return asyncio.run(work(Errand(settings, utc_now)))
        from ..live.rehearsal import FastLoop, patient, read_clock, refuse_live

        refuse_live(settings)
        clock = read_clock(settings, self.rehearse)
        errand = Errand(patient(settings, self.rehearse), clock, self.rehearse)
        with asyncio.Runner(loop_factory=lambda: FastLoop(self.rehearse)) as runner:
            return runner.run(work(errand))


@dataclass(frozen=True, slots=True)
class Errand:
    """What a command works with: a checked gateway, and the time it is."""

    settings: IbkrSettings
    wall: Wall
    speed: float = 1.0

    def counter(self, write_ahead: WriteAhead, memory: Memory, *, quotes: bool = False) -> Counter:
        return counter_of(self.settings, self.wall, write_ahead, memory, quotes=quotes)

    def recovered(self, journal: Path) -> Recovered:
        """Where the run of a journal stands; raises JournalError where it is another account's."""
        from ..core.errors import JournalError

        recovered = recovered_from(journal, self.wall)
        known, account = recovered.settings.execution.account, self.settings.account
        # A run in code may have left its account at the default.
        if known not in (account, UNNAMED):
            raise JournalError(
                f"journal {journal} is of account {known}, and {account} is named. Give "
                f"--account {known}, or that account's journal."
            )
        return recovered


def counter_of(
    settings: IbkrSettings,
    wall: Wall,
    write_ahead: WriteAhead,
    memory: Memory,
    *,
    quotes: bool = False,
) -> Counter:
    """A broker that is not connected yet, with its quotes where they are wanted."""
    from ..brokers.ibkr.broker import IbkrBroker
    from ..brokers.ibkr.clock import LoopClock
    from ..live.begin import Counter

    # What the codec logs comes back as errors that say more; it must not end up in a table.
    logging.getLogger("ib_async").addHandler(logging.NullHandler())
    clock = LoopClock(lambda: int(wall().timestamp() * 1e9))
    broker = IbkrBroker(settings, clock, write_ahead, memory)
    return Counter(broker, broker.contracts, broker.quotes if quotes else None)


def continued(journal: Path) -> JournalWriter:
    """The journal of a run that has ended, to write on; raises JournalError where it has not."""
    from ..core.errors import JournalError
    from ..journal.store import JournalWriter

    if not journal.exists():
        raise JournalError(f"there is no journal {journal}. Name the journal of a live run.")
    return JournalWriter(journal, goes_on=True)


def recovered_from(journal: Path, wall: Wall) -> Recovered:
    """Where the run of a journal stands; raises JournalError where there is none."""
    from ..core.errors import JournalError
    from ..core.session import exchange_day
    from ..live.recover import recover

    recovered = recover(journal, exchange_day(wall()))
    if recovered is None:
        raise JournalError(f"no run has begun in {journal}. Name the journal of a live run.")
    return recovered


async def asked(question: str) -> bool:
    """Ask the operator, and let the session live on meanwhile; anything but y or yes is no."""
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[str] = loop.create_future()

    def settle(line: str) -> None:
        if not answered.done():
            answered.set_result(line)

    def read() -> None:
        loop.call_soon_threadsafe(settle, sys.stdin.readline())

    print(f"{question} [y/N]: ", end="", file=sys.stderr, flush=True)
    # A thread of its own, which keeps nobody from leaving: Ctrl-C must end a question too.
    threading.Thread(target=read, daemon=True).start()
    return (await answered).strip().lower() in ("y", "yes")


def skew_fault(broker: Broker, speed: float = 1.0) -> str:
    """What is wrong where our clock is minutes off the broker's, else nothing.

    `speed`: of a rehearsal, where a busy machine is late by as many seconds for each of its own.
    """
    skew_s = getattr(broker, "skew_s", None)
    if skew_s is None or abs(skew_s) <= MOST_SKEW_S * max(speed, 1.0):
        return ""
    return (
        f"our clock is {skew_s:+,.0f} s off the broker's: orders and fills of another day would be "
        "taken for today's. Set this machine's clock, or give --rehearse SPEED where "
        "`deadband gateway --speed SPEED` is rehearsed on."
    )


def utc_now() -> datetime:
    return datetime.now(UTC)
