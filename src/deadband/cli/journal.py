"""What a journal tells: `explain` a name, `replay` its cycles, write the `report` again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .run import conclude
from .shell import AsJson, app, make_console


@app.command()
def explain(
    journal: Annotated[Path, typer.Argument(help="Journal of a run.")],
    symbol: Annotated[str, typer.Argument(help="The name to explain.")],
    at: Annotated[str | None, typer.Option(help="10:30, 2026-03-02T10:30, or a cycle id.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say why a name was or was not traded, and how it was worked.

    Code, numbers, counterpart, limits, gates, and its orders child by child.
    """
    from dataclasses import asdict

    from rich.table import Table

    from ..backtest.explain import explain as explained

    said = explained(journal, symbol, at)
    if as_json:
        print(json.dumps(asdict(said)))
        return
    console = make_console()
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
    from ..backtest.replay import replay as replayed

    console = make_console(stderr=as_json)
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
    conclude(make_console(stderr=as_json), journal, folder, as_json=as_json)
