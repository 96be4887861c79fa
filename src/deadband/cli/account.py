"""What the operator's commands share: which account at which gateway, and a broker made for it."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..brokers.ibkr.settings import IbkrSettings
    from ..core.broker import Memory, WriteAhead
    from ..journal.store import JournalWriter
    from ..live.begin import Counter
    from ..live.recover import Recovered

AccountId = Annotated[str, typer.Option(help="The account, DU... or U...")]
Port = Annotated[int, typer.Option(help="Of TWS or the Gateway.")]
Host = Annotated[str, typer.Option(help="Where it runs.")]
Client = Annotated[int, typer.Option(help="Client number; another one than a running run's.")]
OwnClient = Annotated[int, typer.Option(help="Client number; the run's, whose orders it reaches.")]
ConfirmLive = Annotated[str, typer.Option(help="For a live account: type it again.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway and an account as the command line names them."""

    account: str
    host: str
    port: int
    client: int
    confirm_live: str = ""
    restart_at: str = ""
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


def counter_of(
    settings: IbkrSettings, write_ahead: WriteAhead, memory: Memory, *, quotes: bool = False
) -> Counter:
    """A broker that is not connected yet, with its quotes where they are wanted."""
    from ..brokers.ibkr.broker import IbkrBroker
    from ..brokers.ibkr.clock import LoopClock
    from ..live.begin import Counter

    # What the codec logs comes back as errors that say more; it must not end up in a table.
    logging.getLogger("ib_async").addHandler(logging.NullHandler())
    broker = IbkrBroker(settings, LoopClock(time.time_ns), write_ahead, memory)
    return Counter(broker, broker.contracts, broker.quotes if quotes else None)


def continued(journal: Path) -> JournalWriter:
    """The journal of a run that has ended, to write on; raises JournalError where it has not."""
    from ..core.errors import JournalError
    from ..journal.store import JournalWriter

    if not journal.exists():
        raise JournalError(f"there is no journal {journal}. Name the journal of a live run.")
    return JournalWriter(journal, goes_on=True)


def recovered_from(journal: Path) -> Recovered:
    """Where the run of a journal stands; raises JournalError where there is none."""
    from ..core.errors import JournalError
    from ..live.recover import recover

    recovered = recover(journal, exchange_today())
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


def exchange_today() -> date:
    from ..core.session import EXCHANGE_ZONE

    return datetime.now(EXCHANGE_ZONE).date()


def utc_now() -> datetime:
    return datetime.now(UTC)
