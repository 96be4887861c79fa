"""Commands as sentences: run a day, check a configuration, explain a name, replay a journal.

Exit codes: 0 done; 1 a replay differs or a check found an error; 2 the input cannot be used.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from .backtest.ledger import Ledger
    from .backtest.start import Prepared
    from .core.config import Settings
    from .twsim.world import GatewaySettings

app = typer.Typer(
    help="Portfolio decision engine: computes every interval, trades only when a trigger fires.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

SIMULATED = "The market is simulated: invented names, invented prices. Its profits mean nothing."
RECORDED = (
    "Recorded bars, simulated fills: half-spread and impact are modeled where the file has no "
    "quotes, fees are IBKR's fixed commission."
)

ConfigFile = Annotated[Path | None, typer.Option(help="TOML file of settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object as the last line.")]


def main() -> None:
    """Run the command line; deadband's own errors become one message and exit code 2."""
    from .core.errors import DeadbandError

    try:
        app()
    except DeadbandError as fault:
        _console(stderr=True).print(f"[bold red]{type(fault).__name__}[/]: ", end="")
        print(fault, file=sys.stderr)
        raise SystemExit(2) from None


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
    score_column: Annotated[str, typer.Option(help="Column that holds the score.")] = "",
    score_unit: Annotated[str, typer.Option(help="z, or bps of expected return.")] = "",
    score_horizon: Annotated[str, typer.Option(help="Horizon of bps scores: 30min.")] = "",
    score_scale: Annotated[
        float | None, typer.Option(help="Multiply scores by this, for studies.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the simulated market.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Run a paper-trading day (or several) on the embedded simulated broker.

    Without --bars: a seeded simulated day of 100 names.
    """
    from .backtest.start import prepare_files, prepare_simulated

    settings = _settings(config)
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
    settings = replace(settings, data=data, engine=engine or settings.engine)
    simulated = not settings.data.bars
    first, last = _day(date_, "--date"), _day(to, "--to")
    folder = report or Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S")  # noqa: DTZ005
    _refuse_folder(folder)
    console = _console(stderr=as_json)
    console.print(f"[bold]deadband[/] · {SIMULATED if simulated else RECORDED}")
    if simulated:
        _refuse_dates(first, last)
        prepared = prepare_simulated(settings, seed)
    else:
        with console.status("reading bars and scores"):
            prepared = prepare_files(settings, first, last)
    path = journal or folder / "journal.db"
    _show_findings(console, prepared)
    _drive(console, prepared, path)
    _conclude(console, path, folder, as_json=as_json)


@app.command()
def check(config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Check a configuration: every fault and doubt at once, each with numbers and a cure."""
    from .core.lint import lint

    findings = lint(_settings(config))
    console = _console(stderr=as_json)
    for finding in findings:
        color = "red" if finding.severity == "error" else "yellow"
        console.print(f"[{color}]{finding.severity}[/]", end=" ")
        console.print(finding.text, markup=False, highlight=False)
    errors = sum(finding.severity == "error" for finding in findings)
    console.print(f"errors: {errors}, warnings: {len(findings) - errors}")
    if as_json:
        listed = [{"severity": f.severity, "text": f.text} for f in findings]
        print(json.dumps({"errors": errors, "findings": listed}))
    raise typer.Exit(1 if errors else 0)


@app.command()
def explain(
    journal: Annotated[Path, typer.Argument(help="Journal of a run.")],
    symbol: Annotated[str, typer.Argument(help="The name to explain.")],
    at: Annotated[str | None, typer.Option(help="10:30, 2026-03-02T10:30, or a cycle id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a name was or was not traded: code, numbers, counterpart, limits and gates."""
    from dataclasses import asdict

    from rich.table import Table

    from .backtest.explain import explain as explained

    said = explained(journal, symbol, at)
    if as_json:
        print(json.dumps(asdict(said)))
        return
    console = _console()
    console.print(f"[bold]{said.at}[/] · cycle {said.cycle_id}")
    console.print(said.sentence, markup=False, highlight=False)
    for title, heads, rows in (
        ("", ("what", "value"), said.facts),
        ("gates that held it back", ("gate", "saw", "bound"), said.gates),
        (
            "limits of the engine's book",
            ("limit", "used", "bound", "worth of 1 % more"),
            said.limits,
        ),
    ):
        if rows:
            table = Table(*heads, title=title or None, title_justify="left", show_edge=False)
            for row in rows:
                table.add_row(*row)
            console.print(table)


@app.command()
def replay(
    journal: Annotated[Path, typer.Argument(help="Journal of a run.")],
    day: Annotated[str | None, typer.Option(help="Only this day, 2026-03-02.")] = None,
    cycle: Annotated[str | None, typer.Option(help="Only this cycle id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide every journaled cycle again and compare byte for byte."""
    from .backtest.replay import replay as replayed

    console = _console(stderr=as_json)
    with console.status("replaying"):
        result = replayed(journal, day, cycle)
    for difference in result.differences[:20]:
        console.print(str(difference), markup=False, highlight=False)
    console.print(f"{result.cycles} cycles replayed, {len(result.differences)} differences")
    if not result.same_versions:
        console.print("note: the journal was written by other versions than these")
    if as_json:
        print(json.dumps({"cycles": result.cycles, "differences": len(result.differences)}))
    if not result.cycles:
        console.print("nothing was replayed: no cycle of that day or id is in the journal")
    raise typer.Exit(1 if result.differences or not result.cycles else 0)


@app.command()
def report(
    journal: Annotated[Path, typer.Argument(help="Journal of a run.")],
    folder: Annotated[Path, typer.Argument(help="Folder to write into.")],
    as_json: AsJson = False,
) -> None:
    """Write the report of a journal again."""
    _conclude(_console(stderr=as_json), journal, folder, as_json=as_json)


@app.command()
def gateway(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 lets the system choose.")] = 4002,
    host: Annotated[str, typer.Option(help="This machine's address.")] = "127.0.0.1",
    account: Annotated[list[str] | None, typer.Option(help="Account, repeatable.")] = None,
    cash: Annotated[float, typer.Option(min=0, help="USD in each account.")] = 1_000_000.0,
    seed: Annotated[int, typer.Option(min=0, help="Seed of prices and chance.")] = 7,
    bars: Annotated[Path | None, typer.Option(help="Prices from a bars file.")] = None,
    faults: Annotated[Path | None, typer.Option(help="Fault script (.toml or .json).")] = None,
    start: Annotated[str, typer.Option(help="First instant, 2026-03-02T09:31; now if none.")] = "",
    speed: Annotated[float, typer.Option(min=0.01, help="Its seconds per second.")] = 1.0,
    master: Annotated[int | None, typer.Option(help="Client that hears of all orders.")] = None,
) -> None:
    """Serve a simulated TWS gateway on this machine, for any client of the TWS text protocol."""
    from .core.session import EXCHANGE_ZONE
    from .twsim.faults import read_faults
    from .twsim.server import serve
    from .twsim.timeline import first_instant
    from .twsim.world import GatewaySettings

    built = GatewaySettings(
        start=first_instant(start, datetime.now(EXCHANGE_ZONE)),
        accounts=tuple(account or ("DU1234567",)),
        cash_usd=cash,
        seed=seed,
        faults=read_faults(faults) if faults else (),
        master=master,
    )
    serve(_on_bars(built, bars, keep_start=bool(start)) if bars else built, host, port, speed)


def _on_bars(settings: GatewaySettings, path: Path, *, keep_start: bool) -> GatewaySettings:
    """The gateway's prices and names from a bars file, read as `deadband run` reads it.

    It starts at the first bar, unless told when to.
    """
    from .core.config import Settings
    from .feeds.files import bar_tape
    from .feeds.universe import Listing
    from .twsim.recorded import recorded

    tape = bar_tape(path, Listing(), Settings())
    found = recorded(tape.universe.symbols, tape.bar_min, tape.days)
    first = settings.start if keep_start else found.start
    return replace(settings, contracts=found.contracts, market=found.market, start=first)


def _settings(config: Path | None) -> Settings:
    from .core.errors import ConfigError
    from .core.settings import parse_settings

    if config is not None and not config.is_file():
        raise ConfigError((f"there is no config file {config}. Check --config.",))
    try:
        text = "" if config is None else config.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise ConfigError(
            (f"{config} is not UTF-8 text ({fault.reason}). Save it as UTF-8.",)
        ) from fault
    return parse_settings(text, os.environ, str(config or "environment"))


def _day(text: str, option: str) -> date | None:
    from .core.errors import ConfigError

    try:
        return date.fromisoformat(text) if text else None
    except ValueError as fault:
        raise ConfigError((f"{option} {text} is not a day. Write it as 2026-03-02.",)) from fault


def _refuse_dates(first: date | None, last: date | None) -> None:
    from .core.errors import ConfigError

    if first or last:
        raise ConfigError(
            ("--date and --to choose sessions of a bars file, and none is given. Give --bars.",)
        )


def _refuse_folder(folder: Path) -> None:
    """Find out before the run, not after it, that the report cannot be written."""
    from .core.errors import ConfigError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise ConfigError(
            (f"the report folder {folder} cannot be made: {fault.strerror}. Name another.",)
        ) from fault


def _console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def _show_findings(console: Console, prepared: Prepared) -> None:
    for finding in prepared.lint:
        console.print(f"[yellow]{finding.severity}[/]", end=" ")
        console.print(finding.text, markup=False)
    for text in prepared.findings:
        console.print("[yellow]data[/]", end=" ")
        console.print(text, markup=False)


def _drive(console: Console, prepared: Prepared, path: Path) -> None:
    """Run with a progress bar that says what is being decided."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    from .backtest.start import drive

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


def _conclude(console: Console, path: Path, folder: Path, *, as_json: bool) -> None:
    """Summary, a few decisions with their reasons, and where everything lies."""
    from .backtest.ledger import read_ledger
    from .backtest.report import write_report

    ledger = read_ledger(path)
    first, last = ledger.rows[0].at[:10], ledger.rows[-1].at[:10]
    title = f"deadband · {first}" + ("" if first == last else f" to {last}")
    notice = RECORDED if ledger.settings.data.bars else SIMULATED
    written = write_report(ledger, folder, title, notice)
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


def _called() -> str:
    """How this program was called, so that the next command can be typed as shown."""
    called = Path(sys.argv[0])
    return "python -m deadband" if called.name == "__main__.py" else str(called)


def _show_summary(console: Console, ledger: Ledger) -> None:
    from rich.table import Table

    from .backtest.report import checks, figures

    summary = ledger.summary()
    table = Table(show_header=False, show_edge=False, box=None, pad_edge=False)
    for name, value in figures(summary):
        table.add_row(name, value)
    console.print(table)
    for text, good in checks(summary):
        console.print("[green]✓[/]" if good else "[bold red]✗[/]", text)


def _show_decisions(console: Console, path: Path) -> None:
    from .backtest.explain import sample

    said = sample(path, 6)
    if said:
        console.print("[bold]Some decisions[/]")
    for explanation in said:
        console.print(f"  {explanation.at[11:16]} {explanation.sentence}", markup=False)
