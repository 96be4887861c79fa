"""`doctor`: a gateway and an account examined before anything is traded through them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .account import AccountId, Client, ConfirmLive, Errand, Gateway, Host, Port, Rehearse
from .shell import AsJson, ConfigFile, app, make_console, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from ..brokers.ibkr.broker import IbkrBroker
    from ..core.config import Settings
    from ..core.events import Intent
    from ..live.doctor.examine import Case
    from ..live.doctor.probe import Probe

COLORS = {"ok": "green", "warn": "yellow", "fail": "red"}
MARKET = "SPY"
"""Looked at where no names are given."""


@app.command()
def doctor(
    account: AccountId,
    port: Port = 4002,
    host: Host = "127.0.0.1",
    client: Client = 13,
    symbol: Annotated[list[str] | None, typer.Option(help="A name to trade, repeatable.")] = None,
    universe: Annotated[Path | None, typer.Option(help="Universe file: all its names.")] = None,
    config: ConfigFile = None,
    sample: Annotated[int, typer.Option(min=1, max=100, help="Names to look at.")] = 20,
    lines: Annotated[
        int | None,
        typer.Option(min=1, help="Market data lines the account has; else the config's."),
    ] = None,
    bar_min: Annotated[
        float | None, typer.Option(min=0.1, help="Minutes of a cycle; else the config's.")
    ] = None,
    restart_at: Annotated[
        str, typer.Option(help="Daily restart of the gateway, HH:MM; else the config's.")
    ] = "",
    what_if: Annotated[
        bool, typer.Option("--what-if", help="Ask what an order would need: shows read-only.")
    ] = False,
    confirm_live: ConfirmLive = "",
    rehearse: Rehearse = 0.0,
    as_json: AsJson = False,
) -> None:
    """Examine a gateway and an account before a run; sends no order.

    Exit code 1 where a check fails. Configuration and bars are examined by `check`, a journal
    against its broker by `reconcile`.
    """
    from ..live.doctor.examine import Case

    settings = read_settings(config)
    names = _names(symbol or [], universe, settings)
    broker = settings.broker
    case = Case(
        settings,
        names,
        sample,
        lines or broker.market_data_lines,
        bar_min or broker.bar_min,
        asks_what_if=what_if,
    )
    # What sends no order needs no second word for a live account.
    confirmed = confirm_live if what_if else confirm_live or account
    hour = _hour(restart_at or broker.restart_at)
    gateway = Gateway(account, host, port, client, confirmed, hour, rehearse)
    console = make_console(stderr=as_json)
    examined = _Examined(console)
    examined.at(gateway, case)
    examined.show()
    count = {kind: sum(one.verdict == kind for one in examined.probes) for kind in COLORS}
    if as_json:
        checks = [asdict(probe) for probe in examined.probes]
        print(json.dumps({**count, "checks": checks}))
    raise typer.Exit(1 if count["fail"] else 0)


def _hour(text: str) -> str:
    from datetime import time

    from ..core.errors import ConfigError

    try:
        return time.fromisoformat(text).strftime("%H:%M") if text else ""
    except ValueError as fault:
        raise ConfigError((f"--restart-at {text} is no hour. Write it as 23:45.",)) from fault


def _names(given: list[str], universe: Path | None, settings: Settings) -> tuple[str, ...]:
    """What a run would watch: as given, else of the universe file, else the market alone."""
    from ..feeds.universe import read_listing

    named = str(universe or settings.data.universe)
    listed = read_listing(Path(named)).symbols if named and not given else ()
    market = settings.data.market
    extra = (market,) if market and (given or listed) else ()
    return tuple(dict.fromkeys((*given, *listed, *extra))) or (market or MARKET,)


@dataclass(slots=True, eq=False)
class _Examined:
    console: Console
    probes: list[Probe] = field(default_factory=list)

    def at(self, gateway: Gateway, case: Case) -> None:
        """Examine the gateway; a fault of what it is to be is one more finding."""
        from ..core.errors import BrokerError, ConfigError
        from ..live.doctor.probe import fail

        try:
            gateway.carry_out(lambda errand: self._through(errand, case))
        except ConfigError as fault:
            for text in fault.findings:
                found, _, cure = text.rpartition(". ")
                self.probes.append(fail("settings", f"{found}.", cure))
        except BrokerError as fault:
            found, _, cure = str(fault).rpartition(". ")
            self.probes.append(fail("connection", f"{found}.", cure))

    async def _through(self, errand: Errand, case: Case) -> None:
        from ..live.doctor.examine import examine

        with self.console.status("examining"):
            async for probe in examine(case, _broker(errand), errand.wall):
                self.probes.append(probe)

    def show(self) -> None:
        from rich.table import Table
        from rich.text import Text

        table = Table("", "check", "found, and the cure", show_edge=False, box=None, expand=False)
        for one in self.probes:
            said = Text(one.found)
            if one.cure:
                said.append(f"\n{one.cure}", style="italic")
            table.add_row(Text(one.verdict, style=COLORS[one.verdict]), one.name, said)
        self.console.print(table)
        count = {kind: sum(one.verdict == kind for one in self.probes) for kind in COLORS}
        self.console.print(", ".join(f"{kind}: {number}" for kind, number in count.items()))


def _broker(errand: Errand) -> IbkrBroker:
    from ..brokers.ibkr.broker import IbkrBroker
    from ..core.broker import Memory

    broker = errand.counter(_refuse, Memory()).broker
    assert isinstance(broker, IbkrBroker), "it was made so"
    return broker


def _refuse(intents: tuple[Intent, ...]) -> None:
    from ..core.errors import BrokerError

    raise BrokerError(f"{len(intents)} orders were to be sent by an examination: it sends none.")
