"""`reconcile`: what a journal and the broker disagree on, read-only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.reasons import Code
from .account import (
    AccountId,
    Client,
    ConfirmLive,
    Errand,
    Gateway,
    Host,
    Port,
    Rehearse,
    skew_fault,
)
from .shell import AsJson, app, make_console

if TYPE_CHECKING:
    from ..core.broker import Memory, WriteAhead
    from ..live.begin import Counter
    from ..live.look import Look

TIMES = 5
"""How often a run that trades meanwhile is compared with, until nothing differs."""


@app.command()
def reconcile(
    journal: Annotated[Path, typer.Argument(help="Journal of a live run; it may be running.")],
    account: AccountId,
    port: Port = 4002,
    host: Host = "127.0.0.1",
    client: Client = 12,
    confirm_live: ConfirmLive = "",
    rehearse: Rehearse = 0.0,
    as_json: AsJson = False,
) -> None:
    """Compare a journal with the broker; sends and writes nothing.

    Exit code 1 where they differ.
    """
    gateway = Gateway(account, host, port, client, confirm_live, rehearse=rehearse)
    found, warning = gateway.carry_out(lambda errand: _looked(errand, journal))
    if warning:
        make_console(stderr=True).print(f"[yellow]warning[/] {warning}", soft_wrap=True)
    _show(found, journal, account)
    if as_json:
        print(json.dumps(_as_dict(found)))
    raise typer.Exit(1 if found.differences else 0)


async def _looked(errand: Errand, journal: Path) -> tuple[Look, str]:
    """What differs, and what makes that doubtful.

    The books are asked after the journal is read. What a run traded between the two looks like a
    difference, so while the journal grows it is compared again.
    """
    from ..journal.store import JournalReader
    from ..live.look import look

    made: list[Counter] = []

    def make(write_ahead: WriteAhead, memory: Memory) -> Counter:
        made.append(errand.counter(write_ahead, memory))
        return made[-1]

    for _ in range(TIMES):
        with JournalReader(journal) as reader:
            before = reader.length()
            recovered = errand.recovered(journal)
            found = await look(recovered, make, errand.wall)
            is_still = reader.length() == before
        fault = skew_fault(made[-1].broker, errand.speed)
        if is_still or not found.differences:
            return found, fault
    moving = "the run went on writing while it was compared: stop it, or ask again."
    return found, fault or moving


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
        f"cash {found.journal_cash:,.2f} in the journal, {found.broker_cash:,.2f} at the broker.",
        soft_wrap=True,
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
