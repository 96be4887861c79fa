"""`accept`: the book takes what the broker holds, by the operator's word."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .account import (
    AccountId,
    Client,
    ConfirmLive,
    Errand,
    Gateway,
    Host,
    Port,
    Rehearse,
    Yes,
    asked,
    continued,
    skew_fault,
)
from .shell import AsJson, app, make_console

if TYPE_CHECKING:
    from rich.console import Console

    from ..core.events import Difference
    from ..live.accept import Offer, Wish


@app.command()
def accept(
    journal: Annotated[Path, typer.Argument(help="Journal of a live run that has ended.")],
    account: AccountId,
    symbols: Annotated[
        list[str] | None, typer.Argument(help="Names whose shares the broker is right about.")
    ] = None,
    held: Annotated[int | None, typer.Option(help="Signed shares that were seen there.")] = None,
    entry_price: Annotated[float | None, typer.Option(help="What a share cost, USD.")] = None,
    cash: Annotated[float, typer.Option(help="USD to add to the book's cash; + is paid in.")] = 0.0,
    nature: Annotated[
        str, typer.Option("--as", help="transfer, income or split: what of it is profit.")
    ] = "",
    why: Annotated[str, typer.Option(help="The reason, for whoever reads it later.")] = "",
    port: Port = 4002,
    host: Host = "127.0.0.1",
    client: Client = 12,
    confirm_live: ConfirmLive = "",
    rehearse: Rehearse = 0.0,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Take the broker's word for a position, or enter cash.

    Into the journal of a run that has ended. Compares first and shows what would be written. The
    run must not be alive. Exit code 1 where something still differs, or nothing was written.
    """
    from ..core.errors import ConfigError
    from ..live.accept import Nature, Wish

    if nature and nature not in list(Nature):
        raise ConfigError((f"--as {nature} is none of {', '.join(Nature)}.",))
    if yes and symbols and held is None:
        raise ConfigError(
            ("--yes asks for nothing, so --held has to say the shares that were seen there.",)
        )
    wish = Wish(
        symbols=tuple(dict.fromkeys(symbols or ())),
        held=held,
        entry_price=entry_price,
        cash=cash,
        nature=Nature(nature) if nature else None,
        why=why,
    )
    gateway = Gateway(account, host, port, client, confirm_live, rehearse=rehearse)
    done = gateway.carry_out(lambda errand: _accepted(errand, journal, wish, yes=yes))
    _concluded(done, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Done:
    """What was offered, None where it was declined, and what differs now."""

    offered: Offer | None
    left: tuple[Difference, ...]


async def _accepted(errand: Errand, journal: Path, wish: Wish, *, yes: bool) -> _Done:
    from ..core.errors import BrokerError
    from ..live.accept import accept as accepted
    from ..live.begin import Beginning, begin

    console = make_console(stderr=True)

    async def confirm(offered: Offer) -> bool:
        _show(console, offered)
        return yes or await asked("Write this into the journal?")

    with continued(journal) as writer:
        recovered = errand.recovered(journal)
        universe = recovered.state.universe
        what = Beginning(recovered.settings, universe, writer, errand.wall, recovered)
        line = await begin(what, errand.counter)
        try:
            fault = skew_fault(line.broker, errand.speed)
            if fault:
                raise BrokerError(f"nothing was written: {fault}")
            offered = await accepted(line, journal, wish, confirm)
            return _Done(offered, line.standing.differences)
        finally:
            await line.broker.close()


def _show(console: Console, offered: Offer) -> None:
    for word in offered.words:
        what = f"{word.symbol} {word.expected} → {word.shares} shares, entry {word.entry_price:.4f}"
        cash = f"cash {word.cash_micro / 1e6:+,.2f} USD"
        flow = f"{word.flow_micro / 1e6:+,.2f} USD of NAV from outside"
        text = ", ".join([what] * bool(word.symbol) + [cash, flow])
        console.print(f"{text} ({word.text})", markup=False, soft_wrap=True)
    for order in offered.lost:
        text = f"{order.order.symbol}: order {order.order.cl_ord_id} is taken for ended"
        console.print(text, markup=False, soft_wrap=True)


def _concluded(done: _Done, *, as_json: bool) -> None:
    console = make_console(stderr=as_json)
    offered = done.offered
    if offered is None:
        console.print("nothing was written")
    elif offered.is_empty:
        console.print("nothing differs there: nothing was written")
    else:
        console.print(f"written: {len(offered.words)} adjustments, {len(offered.lost)} orders")
    for one in done.left:
        console.print(f"still: {one}", markup=False, soft_wrap=True)
    if as_json:
        told = {
            "written": [
                {
                    "symbol": word.symbol,
                    "expected": word.expected,
                    "shares": word.shares,
                    "entry_price": word.entry_price,
                    "cash": word.cash_micro / 1e6,
                    "flow": word.flow_micro / 1e6,
                    "text": word.text,
                }
                for word in (offered.words if offered else ())
            ],
            "orders": [order.order.cl_ord_id for order in (offered.lost if offered else ())],
            "declined": offered is None,
            "left": [str(one) for one in done.left],
        }
        print(json.dumps(told))
    raise typer.Exit(1 if offered is None or done.left else 0)
