"""`tca`: what trading cost, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from .shell import AsJson, app, make_console

TCA_WIDTH = 120
"""Columns that the table needs, whatever the terminal has."""


@app.command()
def tca(
    journal: Annotated[Path, typer.Argument(help="Journal of a run.")],
    as_json: AsJson = False,
) -> None:
    """Say what trading cost and why.

    Shortfall by part and group, mark-outs, and a [costs] table.
    """
    from rich.table import Table

    from ..backtest.tca.groups import PARTS
    from ..backtest.tca.summary import analyze

    found = analyze(journal)
    if as_json:
        print(json.dumps(found.json()))
        return
    console = make_console()
    console.width = max(console.width, TCA_WIDTH)
    console.print(f"{found.orders} orders, {found.fills} fills; bps of the notional decided")
    table = Table("by", "name", "orders", "filled", *PARTS, "95 % of total", box=None)
    for group in found.groups:
        total = group.parts["total"]
        span = f"{total.low:+.2f} to {total.high:+.2f}" if total.is_known else "too few blocks"
        figures = [f"{group.parts[part].value:+.2f}" for part in PARTS]
        counts = (str(group.orders), f"{group.fill_rate:.0%}")
        table.add_row(group.by, group.name, *counts, *figures, span)
    console.print(table)
    for seconds, (mean, fills) in found.mark_outs.items():
        console.print(f"mark-out after {seconds} s: {mean:+.2f} bps over {fills} fills")
    if found.unmarked:
        listed = ", ".join(f"{seconds} s" for seconds in found.unmarked)
        console.print(f"not marked: {listed} (the journal's quotes are further apart, or end)")
    console.print(found.calibration.toml(), markup=False)
