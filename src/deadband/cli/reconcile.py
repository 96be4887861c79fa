"""`reconcile`: what a journal and the broker disagree on, read-only."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.reasons import Code
from .account import (
    AccountId,
    Client,
    ConfirmLive,
    Gateway,
    Host,
    Port,
    counter_of,
    recovered_from,
    utc_now,
)
from .shell import AsJson, app, make_console

if TYPE_CHECKING:
    from ..live.look import Look


@app.command()
def reconcile(
    journal: Annotated[Path, typer.Argument(help="Journal of a live run; it may be running.")],
    account: AccountId,
    port: Port = 4002,
    host: Host = "127.0.0.1",
    client: Client = 12,
    confirm_live: ConfirmLive = "",
    as_json: AsJson = False,
) -> None:
    """Compare a journal with the broker, sending and writing nothing; exit 1 where they differ."""
    from ..live.look import look

    settings = Gateway(account, host, port, client, confirm_live).settings()
    recovered = recovered_from(journal)
    found = asyncio.run(
        look(recovered, lambda ahead, memory: counter_of(settings, ahead, memory), utc_now)
    )
    _show(found, journal, account)
    if as_json:
        print(json.dumps(_as_dict(found)))
    raise typer.Exit(1 if found.differences else 0)


def _show(found: Look, journal: Path, account: str) -> None:
    console = make_console()
    for one in found.differences:
        console.print(str(one))
        if one.code in (Code.RECON_POSITION_DIFFERS, Code.RECON_SPLIT_RATIO):
            words = f"{journal} {one.symbol} --account {account} --held {one.held}"
            console.print(f"  deadband accept {words}", markup=False, soft_wrap=True)
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
