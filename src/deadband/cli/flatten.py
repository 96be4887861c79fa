"""`flatten`: positions closed at the broker by the operator's command, whatever else is dead."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .account import (
    AccountId,
    ConfirmLive,
    Errand,
    Gateway,
    Host,
    OwnClient,
    Port,
    Rehearse,
    Yes,
    asked,
    continued,
    skew_fault,
)
from .shell import AsJson, ConfigFile, app, make_console, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from ..core.broker import MarketData, Memory, WriteAhead
    from ..core.config import Settings
    from ..journal.store import JournalWriter
    from ..live.begin import Counter
    from ..live.closing import Leg
    from ..live.flatten import Outcome
    from ..live.line import Line
    from ..live.recover import Recovered

FEW = 10
"""So many names are listed where none of them is held: one may be misspelled."""
HURRY_S = 0.5
"""Between two passes over the books that have to agree: someone waits for this command."""


@app.command()
def flatten(
    account: AccountId,
    symbols: Annotated[list[str] | None, typer.Argument(help="Names to close.")] = None,
    journal: Annotated[
        Path | None, typer.Option(help="Of a run that has ended; without one, a new file here.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that the account holds.")] = False,
    collar_bps: Annotated[
        float | None, typer.Option(min=0, max=500, help="Beyond the far touch; else the settings'.")
    ] = None,
    wait_s: Annotated[float, typer.Option(min=1, help="Seconds for orders to fill.")] = 60.0,
    port: Port = 4002,
    host: Host = "127.0.0.1",
    client: OwnClient = 11,
    confirm_live: ConfirmLive = "",
    rehearse: Rehearse = 0.0,
    config: ConfigFile = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Close positions by hand, with or without a run's journal.

    Cancels what works in the names, then sends one limit order for each. Without names, all of the
    journal's universe. Needs no run, no solver, no scores. What has not filled in time is
    canceled. Exit code 0 when the names are flat.
    """
    from ..core.errors import ConfigError

    names = tuple(dict.fromkeys(symbols or ()))
    if not names and journal is None and not everything:
        raise ConfigError(("nothing is named: give symbols, --journal of a run, or --all.",))
    if names and everything:
        raise ConfigError(("symbols and --all contradict each other. Give one of them.",))
    wanted = _Wanted(names, everything, journal, collar_bps, wait_s, yes)
    gateway = Gateway(
        account, host, port, client, confirm_live, rehearse=rehearse, settle_s=HURRY_S
    )
    settings, console = read_settings(config), make_console(stderr=as_json)
    outcomes, is_open = gateway.carry_out(
        lambda errand: _carried_out(_Command(errand, wanted, settings, console))
    )
    _conclude(console, outcomes, is_open=is_open, as_json=as_json)


async def _carried_out(command: _Command) -> tuple[list[Outcome], bool]:
    """What became of the names, and whether the exchange is open by the clock it went by."""
    from ..core.session import session_at

    outcomes = await command.carried_out()
    return outcomes, session_at(command.errand.wall()) is not None


@dataclass(frozen=True, slots=True)
class _Wanted:
    names: tuple[str, ...]
    everything: bool
    journal: Path | None
    collar_bps: float | None
    wait_s: float
    yes: bool


@dataclass(slots=True, eq=False)
class _Command:
    errand: Errand
    wanted: _Wanted
    settings: Settings
    console: Console

    async def carried_out(self) -> list[Outcome]:
        """With a run's journal its own names there, and others in a journal beside it."""
        stop, journal = asyncio.Event(), self.wanted.journal
        if journal is None:
            return [await self._alone(Path(), self.wanted.names, stop)]
        with continued(journal) as writer:
            recovered = self.errand.recovered(journal)
            own = recovered.state.universe.symbols
            inside = tuple(name for name in self.wanted.names if name in own)
            outcomes = []
            if inside or not self.wanted.names:
                outcomes.append(await self._in_run(writer, recovered, inside or own, stop))
        outside = tuple(name for name in self.wanted.names if name not in own)
        if outside or (self.wanted.everything and not stop.is_set()):
            outcomes.append(await self._alone(journal.parent, outside, stop, without=own))
        return outcomes

    async def _in_run(
        self,
        writer: JournalWriter,
        recovered: Recovered,
        names: tuple[str, ...],
        stop: asyncio.Event,
    ) -> Outcome:
        """In the journal of a run, so that its book stays right and the run can go on."""
        from ..live.begin import Beginning, begin
        from ..live.line import Patience

        what = Beginning(
            settings=recovered.settings,
            universe=recovered.state.universe,
            journal=writer,
            wall=self.errand.wall,
            recovered=recovered,
            patience=Patience(settle_s=HURRY_S),
            watched=(),
        )
        counters, make = self._counters()
        line = await begin(what, make)
        return await self._closed(line, counters[0], names, recovered.settings, stop)

    async def _alone(
        self,
        folder: Path,
        names: tuple[str, ...],
        stop: asyncio.Event,
        without: tuple[str, ...] = (),
    ) -> Outcome:
        """In a new journal, whose book begins as the broker's; without names, all but `without`."""
        from ..core.session import EXCHANGE_ZONE
        from ..journal.store import JournalWriter
        from ..live.flatten import open_alone
        from ..live.line import Patience

        wall = self.errand.wall
        clock = wall().astimezone(EXCHANGE_ZONE).strftime("%Y%m%d-%H%M%S")
        path = folder / f"flatten-{self.errand.settings.account}-{clock}.db"
        with JournalWriter(path) as writer:
            counters, make = self._counters()
            line = await open_alone(writer, self.settings, make, wall, Patience(settle_s=HURRY_S))
            self.console.print(f"journal {path}", markup=False, soft_wrap=True)
            held = line.standing.state.universe.symbols
            chosen = names or tuple(name for name in held if name not in without)
            return await self._closed(line, counters[0], chosen, self.settings, stop)

    def _counters(self) -> tuple[list[Counter], Callable[[WriteAhead, Memory], Counter]]:
        """A maker of brokers, and a list of what it made: quotes are asked for name by name."""
        made: list[Counter] = []

        def make(write_ahead: WriteAhead, memory: Memory) -> Counter:
            made.append(self.errand.counter(write_ahead, memory, quotes=True))
            return replace(made[-1], quotes=None)

        return made, make

    async def _closed(
        self,
        line: Line,
        counter: Counter,
        names: tuple[str, ...],
        settings: Settings,
        stop: asyncio.Event,
    ) -> Outcome:
        from ..live.closing import Reach
        from ..live.flatten import Flatten

        quotes: MarketData | None = counter.quotes
        assert quotes is not None, "it was made with its quotes"
        collar = self.wanted.collar_bps
        reach = Reach(
            settings.execution.collar_bps if collar is None else collar, settings.gate.collar_bps
        )
        prefix = settings.execution.strategy
        # Whoever has to be flat is not kept from it by a clock.
        fault = skew_fault(line.broker, self.errand.speed)
        if fault:
            self.console.print(f"[yellow]warning[/] {fault}", soft_wrap=True)
        work = Flatten(line, quotes, names, prefix, reach, fill_s=self.wanted.wait_s, stop=stop)

        async def confirm(found: tuple[Leg, ...]) -> bool:
            _show(self.console, found, names)
            working = sum(o.order.symbol in names for o in line.standing.state.working)
            if working:
                self.console.print(f"{working} orders of ours work in these names: canceled first")
            is_much = bool(found) or working > 0
            if is_much and not self.wanted.yes and not await asked("Close these?"):
                return False
            with suppress(NotImplementedError):
                # From here on Ctrl-C cancels what works, and then ends.
                asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
            return True

        try:
            return await work.over(confirm)
        finally:
            await line.broker.close()


def _show(console: Console, found: tuple[Leg, ...], names: tuple[str, ...]) -> None:
    from rich.table import Table

    table = Table("name", "held", "order", "limit", "note", show_edge=False)
    for leg in found:
        order = f"{leg.side} {leg.qty:,}" if leg.qty else "none"
        price = f"{leg.price:.4f}".rstrip("0").rstrip(".") if leg.qty else ""
        table.add_row(leg.symbol, f"{leg.held:,}", order, price, leg.note)
    few = f" ({', '.join(names)})" if 0 < len(names) <= FEW else ""
    console.print(table if found else f"none of these names is held{few}", soft_wrap=False)


def _conclude(console: Console, outcomes: list[Outcome], *, is_open: bool, as_json: bool) -> None:
    for outcome in outcomes:
        for fault in outcome.faults:
            console.print(fault, markup=False, soft_wrap=True)
        for leg in outcome.legs:
            if leg.note and not outcome.is_declined:
                console.print(f"{leg.symbol}: {leg.note}", markup=False, soft_wrap=True)
        if outcome.is_declined:
            console.print("nothing was sent")
        elif outcome.left is None:
            console.print("what is left is not known")
        elif outcome.left:
            left = ", ".join(f"{symbol} {qty:,}" for symbol, qty in outcome.left.items())
            closed = "" if is_open else " (the exchange is closed by our clock)"
            console.print(f"left: {left}{closed}", markup=False, soft_wrap=True)
        else:
            console.print("flat")
    if as_json:
        told = [
            {
                "legs": [
                    {
                        "symbol": leg.symbol,
                        "held": leg.held,
                        "qty": leg.qty,
                        "price": leg.price,
                        "working": leg.working,
                        "note": leg.note,
                    }
                    for leg in outcome.legs
                ],
                "left": outcome.left,
                "faults": list(outcome.faults),
                "declined": outcome.is_declined,
            }
            for outcome in outcomes
        ]
        print(json.dumps(told))
    raise typer.Exit(0 if all(outcome.is_flat for outcome in outcomes) else 1)
