"""`check`: a configuration, and the bars it names."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from .shell import COLORS, AsJson, ConfigFile, app, make_console, read_settings, show


@app.command()
def check(
    bars: Annotated[Path | None, typer.Option(help="Bars file (.parquet or .csv).")] = None,
    universe: Annotated[Path | None, typer.Option(help="symbol, sector and flags.")] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Check a configuration and the bars it names.

    All findings at once, with numbers and the cure; exit code 1 where one is an error.
    """
    from ..backtest.check import check as checked

    settings = read_settings(config)
    named = replace(
        settings.data,
        bars=str(bars or settings.data.bars),
        universe=str(universe or settings.data.universe),
    )
    console = make_console(stderr=as_json)
    with console.status("examining"):
        said = checked(replace(settings, data=named), datetime.now(UTC))
    for each in said:
        show(console, str(each["severity"]), str(each["text"]))
    count = {f"{name}s": sum(each["severity"] == name for each in said) for name in COLORS}
    console.print(", ".join(f"{severity}: {number}" for severity, number in count.items()))
    if as_json:
        print(json.dumps({**count, "findings": said}))
    raise typer.Exit(1 if count["errors"] else 0)
