"""`reconcile`: what a journal and the broker disagree on, read-only."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shell import AsJson, app, make_console

if TYPE_CHECKING:
    from ..core.broker import Memory, WriteAhead
    from ..live.begin import Counter
    from ..live.look import Look


@app.command()
def reconcile(
    journal: Annotated[Path, typer.Argument(help="Journal of a live run; it may be running.")],
    account: Annotated[str, typer.Option(help="The account, DU... or U...")],
    port: Annotated[int, typer.Option(help="Of TWS or the Gateway.")] = 4002,
    host: Annotated[str, typer.Option(help="Where it runs.")] = "127.0.0.1",
    client: Annotated[int, typer.Option(help="Client number; another one than the run's.")] = 12,
    confirm_live: Annotated[str, typer.Option(help="For a live account: type it again.")] = "",
    as_json: AsJson = False,
) -> None:
    """Compare a journal with the broker, sending and writing nothing; exit 1 where they differ."""
    from ..brokers.ibkr.broker import IbkrBroker
    from ..brokers.ibkr.clock import LoopClock
    from ..brokers.ibkr.settings import IbkrSettings, Mode
    from ..core.errors import JournalError
    from ..core.session import EXCHANGE_ZONE
    from ..live.begin import Counter
    from ..live.look import look
    from ..live.recover import recover

    settings = IbkrSettings(
        account=account,
        host=host,
        port=port,
        client_id=client,
        mode=Mode.PAPER if account.startswith("DU") else Mode.LIVE,
        live_confirmation=confirm_live,
    )
    recovered = recover(journal, datetime.now(EXCHANGE_ZONE).date())
    if recovered is None:
        raise JournalError(f"no run has begun in {journal}. Name the journal of a live run.")

    def open_counter(write_ahead: WriteAhead, memory: Memory) -> Counter:
        broker = IbkrBroker(settings, LoopClock(time.time_ns), write_ahead, memory)
        return Counter(broker, broker.contracts)

    found = asyncio.run(look(recovered, open_counter, lambda: datetime.now(UTC)))
    _show(found)
    if as_json:
        print(json.dumps(_as_dict(found)))
    raise typer.Exit(1 if found.differences else 0)


def _show(found: Look) -> None:
    console = make_console()
    for one in found.differences:
        console.print(str(one))
    for order in found.not_intended:
        console.print(f"RECON_NOT_INTENDED {order.order.symbol}: {order.order.cl_ord_id}")
    for order in found.lost_cancels:
        console.print(f"RECON_CANCEL_LOST {order.order.symbol}: {order.order.cl_ord_id}")
    for order in found.lost_changes:
        console.print(f"RECON_CHANGE_LOST {order.order.symbol}: {order.order.cl_ord_id}")
    console.print(
        f"{len(found.differences)} differences; {found.news} reports are new to the journal; "
        f"cash {found.journal_cash:,.2f} in the journal, {found.broker_cash:,.2f} at the broker."
    )


def _as_dict(found: Look) -> dict[str, object]:
    return {
        "differences": [
            {
                "symbol": one.symbol,
                "code": str(one.code),
                "expected": one.expected,
                "held": one.held,
                "reserved": one.reserved,
            }
            for one in found.differences
        ],
        "news": found.news,
        "not_intended": [order.order.cl_ord_id for order in found.not_intended],
        "lost_cancels": [order.order.cl_ord_id for order in found.lost_cancels],
        "lost_changes": [order.order.cl_ord_id for order in found.lost_changes],
        "journal_cash": found.journal_cash,
        "broker_cash": found.broker_cash,
    }
