"""`run`: a paper-trading day or several, and what is said at its end."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import ConfigError
from .account import Rehearse
from .shell import AsJson, ConfigFile, app, make_console, read_day, read_settings, show

if TYPE_CHECKING:
    from rich.console import Console

    from ..backtest.ledger import Ledger
    from ..backtest.start import Prepared
    from ..core.broker_settings import BrokerSettings
    from ..core.config import Settings
    from ..core.model_settings import ModelSettings

SIMULATED = "The market is simulated: invented names, invented prices. Its profits mean nothing."
RECORDED = (
    "Recorded bars, simulated fills: half-spread and impact are modeled where the file has no "
    "quotes, fees are IBKR's by its price list (docs/costs.md)."
)
AT_IBKR = (
    "Traded through a gateway as account {account} ({mode}), with the fills and fees that it told. "
    "NAV is the managed capital's alone; interest, dividends and borrow fees are not in it."
)


@app.command()
def run(
    bars: Annotated[Path | None, typer.Option(help="Bars file (.parquet or .csv).")] = None,
    scores: Annotated[Path | None, typer.Option(help="Scores file.")] = None,
    date_: Annotated[str, typer.Option("--date", help="First day, 2026-03-02.")] = "",
    to: Annotated[str, typer.Option(help="Last day; the first alone if not given.")] = "",
    config: ConfigFile = None,
    engine: Annotated[str, typer.Option(help="greedy, qp or cvxpy.")] = "",
    journal: Annotated[Path | None, typer.Option(help="Journal file to write.")] = None,
    report: Annotated[Path | None, typer.Option(help="Folder for the report.")] = None,
    universe: Annotated[Path | None, typer.Option(help="symbol, sector and flags.")] = None,
    market: Annotated[str, typer.Option(help="Market symbol for betas.")] = "",
    model: Annotated[
        list[str] | None,
        typer.Option(help="path.py:name, module:name, an entry point, or reference:name."),
    ] = None,
    score_column: Annotated[str, typer.Option(help="Column that holds the score.")] = "",
    score_unit: Annotated[str, typer.Option(help="z, bps of expected return, or rank.")] = "",
    score_horizon: Annotated[str, typer.Option(help="Horizon of bps scores: 30min.")] = "",
    score_scale: Annotated[
        float | None, typer.Option(help="Multiply scores by this, for studies.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated market.")] = 7,
    broker: Annotated[str, typer.Option(help="paper, simulated here, or ibkr.")] = "",
    account: Annotated[str, typer.Option(help="At IBKR: DU... or U...")] = "",
    host: Annotated[str, typer.Option(help="Of TWS or the Gateway.")] = "",
    port: Annotated[int | None, typer.Option(help="Likewise; 4002 unless told.")] = None,
    client: Annotated[int | None, typer.Option(help="Client number; keep it.")] = None,
    confirm_live: Annotated[str, typer.Option(help="For a live account: type it again.")] = "",
    days: Annotated[int, typer.Option(min=1, help="At IBKR: sessions to trade.")] = 1,
    rehearse: Rehearse = 0.0,
    as_json: AsJson = False,
) -> None:
    """Run a simulated or recorded day, or trade sessions at IBKR.

    Without --bars: a seeded simulated day of 100 names. With --broker ibkr: docs/live.md.
    """
    settings = read_settings(config)
    data = settings.data
    data = replace(
        data,
        bars=str(bars or data.bars),
        scores=str(scores or data.scores),
        universe=str(universe or data.universe),
        market=market or data.market,
        score_column=score_column or data.score_column,
        score_unit=score_unit or data.score_unit,
        score_horizon=score_horizon or data.score_horizon,
        score_scale=data.score_scale if score_scale is None else score_scale,
    )
    settings = replace(
        settings,
        data=data,
        engine=engine or settings.engine,
        models=(*settings.models, *map(_model, model or ())),
        broker=_broker(settings.broker, broker, account, host, port, client, confirm_live),
    )
    if settings.broker.kind == "ibkr":
        if date_ or to:
            raise ConfigError(("at IBKR it is today: drop --date and --to, and give --days.",))
        _trade(settings, journal, report, days, rehearse, as_json=as_json)
    else:
        at_ibkr = {
            "--account": account,
            "--confirm-live": confirm_live,
            "--host": host,
            "--port": port,
            "--client": client,
            "--rehearse": rehearse,
            "--days": days > 1,
        }
        _refuse_unused(at_ibkr, "for --broker ibkr alone. Give that too, or leave it out.")
        if not settings.data.bars:
            of_files = {"--scores": scores, "--universe": universe}
            _refuse_unused(
                of_files, "for bars of yours, and none are given. Give --bars too, or leave it out."
            )
        _backtest(settings, journal, report, (date_, to), seed, as_json=as_json)


def _refuse_unused(given: Mapping[str, object], why: str) -> None:
    """What is typed and would not be used was meant otherwise."""
    named = [option for option, value in given.items() if value not in (None, "", False, 0.0)]
    if named:
        raise ConfigError((f"{', '.join(named)}: {why}",))


def _broker(
    broker: BrokerSettings,
    kind: str,
    account: str,
    host: str,
    port: int | None,
    client: int | None,
    confirm_live: str,
) -> BrokerSettings:
    """The [broker] table with what the command line says instead."""
    return replace(
        broker,
        kind=kind or broker.kind,
        account=account or broker.account,
        host=host or broker.host,
        port=broker.port if port is None else port,
        client_id=broker.client_id if client is None else client,
        mode="live" if confirm_live else broker.mode,
        live_confirmation=confirm_live or broker.live_confirmation,
    )


def _trade(
    settings: Settings,
    journal: Path | None,
    report: Path | None,
    days: int,
    rehearse: float,
    *,
    as_json: bool,
) -> None:
    """Sessions at IBKR, and their report."""
    from ..backtest.ledger import has_cycles
    from .live import LiveOptions, report_folder, trade

    options = LiveOptions(journal, report, days, rehearse, as_json)
    folder = report_folder(settings, options)
    _refuse_folder(folder)
    path = trade(settings, options)
    if has_cycles(path):
        conclude(make_console(stderr=as_json), path, folder, as_json=as_json)
    else:
        make_console(stderr=as_json).print(f"no cycle was due; journal {path}", soft_wrap=True)


def _backtest(
    settings: Settings,
    journal: Path | None,
    report: Path | None,
    span: tuple[str, str],
    seed: int,
    *,
    as_json: bool,
) -> None:
    """A simulated day, or recorded ones, and their report."""
    from ..backtest.start import prepare_files, prepare_simulated

    data, (date_, to) = settings.data, span
    simulated = not data.bars
    first, last = read_day(date_ or data.first, "--date"), read_day(to or data.last, "--to")
    folder = report or Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S")  # noqa: DTZ005
    _refuse_folder(folder)
    console = make_console(stderr=as_json)
    console.print(f"[bold]deadband[/] · {SIMULATED if simulated else RECORDED}")
    if simulated:
        _refuse_dates(first, last)
        prepared = prepare_simulated(settings, seed)
    else:
        with console.status("reading bars and scores"):
            prepared = prepare_files(settings, first, last, datetime.now(UTC))
    path = journal or folder / "journal.db"
    _show_findings(console, prepared)
    _drive(console, prepared, path)
    conclude(console, path, folder, as_json=as_json)


def _model(source: str) -> ModelSettings:
    """A model that states all of itself, under the name that it has where it comes from."""
    from ..core.model_settings import ModelSettings

    place, _, name = source.rpartition(":")
    if place == "reference":
        return ModelSettings(name=name, kind="reference", source=name)
    return ModelSettings(name=name, kind="python", source=source)


def _refuse_dates(first: date | None, last: date | None) -> None:
    if first or last:
        raise ConfigError(
            ("--date and --to choose sessions of a bars file, and none is given. Give --bars.",)
        )


def _refuse_folder(folder: Path) -> None:
    """Find out before the run, not after it, that the report cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise ConfigError(
            (f"the report folder {folder} cannot be made: {fault.strerror}. Name another.",)
        ) from fault


def _show_findings(console: Console, prepared: Prepared) -> None:
    for doubt in prepared.lint:
        show(console, doubt.severity, doubt.text)
    for finding in prepared.tape.findings:
        show(console, finding.ailment.severity, str(finding))


def _drive(console: Console, prepared: Prepared, path: Path) -> None:
    """Run with a progress bar that says what is being decided."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from ..backtest.start import drive

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[said]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("cycles", total=prepared.cycles, said="")

        def show(record: Any) -> None:
            first = record.decision.spoken[0].code.value if record.decision.spoken else ""
            said = f"{record.seen.now:%m-%d %H:%M} {first} {len(record.plan.orders)} orders"
            progress.update(task, advance=1, said=said)

        drive(prepared, path, show)


def conclude(console: Console, path: Path, folder: Path, *, as_json: bool) -> None:
    """Summary, a few decisions with their reasons, and where everything lies."""
    from ..backtest.ledger import read_ledger
    from ..backtest.report import write_report

    ledger = read_ledger(path)
    first, last = ledger.rows[0].at[:10], ledger.rows[-1].at[:10]
    title = f"deadband · {first}" + ("" if first == last else f" to {last}")
    written = write_report(ledger, folder, title, _notice(ledger.settings))
    _show_summary(console, ledger)
    _show_decisions(console, path)
    console.print(f"journal  {path}", soft_wrap=True)
    console.print(f"report   {written.page}", soft_wrap=True)
    console.print(f"table    {written.table}", soft_wrap=True)
    traded = next(iter(ledger.last_traded), "")
    if traded:
        console.print(f"next     {_called()} explain {path} {traded}", soft_wrap=True)
    if as_json:
        places = {"journal": str(path), "report": str(written.page), "table": str(written.table)}
        print(json.dumps(ledger.summary() | places))


def _notice(settings: Settings) -> str:
    """What the figures are worth."""
    broker = settings.broker
    if broker.kind == "ibkr":
        return AT_IBKR.format(account=broker.account, mode=broker.mode)
    return RECORDED if settings.data.bars else SIMULATED


def _called() -> str:
    """How this program was called, so that the next command can be typed as shown."""
    called = Path(sys.argv[0])
    return "python -m deadband" if called.name == "__main__.py" else str(called)


def _show_summary(console: Console, ledger: Ledger) -> None:
    from rich.table import Table

    from ..backtest.report import checks, figures
    from ..backtest.roll_call import roll_lines

    summary = ledger.summary()
    table = Table(show_header=False, show_edge=False, box=None, pad_edge=False)
    for name, value in figures(summary):
        table.add_row(name, value)
    console.print(table)
    for text, good in checks(summary):
        console.print("[green]✓[/]" if good else "[bold red]✗[/]", text)
    for line in roll_lines(ledger.models):
        console.print(line, markup=False)


def _show_decisions(console: Console, path: Path) -> None:
    from ..backtest.explain import sample

    said = sample(path, 6)
    if said:
        console.print("[bold]Some decisions[/]")
    for explanation in said:
        console.print(f"  {explanation.at[11:16]} {explanation.sentence}", markup=False)
