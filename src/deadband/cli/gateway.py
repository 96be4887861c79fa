"""`gateway`: a simulated TWS gateway on this machine."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shell import ConfigFile, app, read_settings

if TYPE_CHECKING:
    from ..twsim.world import GatewaySettings


@app.command()
def gateway(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 lets the system choose.")
    ] = 4002,
    host: Annotated[str, typer.Option(help="This machine's address.")] = "127.0.0.1",
    account: Annotated[list[str] | None, typer.Option(help="Account, repeatable.")] = None,
    cash: Annotated[float, typer.Option(min=0, help="USD in each account.")] = 1_000_000.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of prices and chance.")] = 7,
    bars: Annotated[Path | None, typer.Option(help="Prices from a bars file.")] = None,
    faults: Annotated[Path | None, typer.Option(help="Fault script (.toml or .json).")] = None,
    start: Annotated[str, typer.Option(help="First instant, 2026-03-02T09:31; now if none.")] = "",
    speed: Annotated[float, typer.Option(min=0.01, help="Its seconds per second.")] = 1.0,
    step: Annotated[float, typer.Option(min=0.05, help="Its seconds between quotes.")] = 0.25,
    master: Annotated[int | None, typer.Option(help="Client that hears of all orders.")] = None,
    config: ConfigFile = None,
) -> None:
    """Serve a simulated TWS gateway on this machine.

    For any client of the TWS text protocol: docs/gateway.md.
    """
    from ..core.errors import ConfigError
    from ..core.lint import lint, refuse_errors
    from ..core.session import EXCHANGE_ZONE
    from ..twsim.faults import read_faults
    from ..twsim.server import serve
    from ..twsim.timeline import first_instant
    from ..twsim.world import GatewaySettings

    accounts = tuple(account or ("DU1234567",))
    if not all(accounts) or len(set(accounts)) < len(accounts):
        raise ConfigError(("--account is empty, or given twice. Write it as DU1234567.",))
    checked = read_settings(config)
    refuse_errors(lint(checked))
    built = GatewaySettings(
        start=first_instant(start, datetime.now(EXCHANGE_ZONE)),
        accounts=accounts,
        cash_usd=cash,
        seed=seed,
        step_s=step,
        faults=read_faults(faults) if faults else (),
        master=master,
        costs=checked.costs,
    )
    serve(_on_bars(built, bars, keep_start=bool(start)) if bars else built, host, port, speed)


def _on_bars(settings: GatewaySettings, path: Path, *, keep_start: bool) -> GatewaySettings:
    """The gateway's prices and names from a bars file, read as `deadband run` reads it.

    It starts at the first bar, unless told when to.
    """
    from ..core.config import Settings
    from ..feeds.files import bar_tape
    from ..feeds.universe import Listing
    from ..twsim.recorded import recorded

    tape = bar_tape(path, Listing(), Settings())
    found = recorded(tape.universe.symbols, tape.bar_min, tape.days)
    first = settings.start if keep_start else found.start
    return replace(settings, contracts=found.contracts, market=found.market, start=first)
