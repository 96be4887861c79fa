"""`risk-check`: the risk model's forecasts against what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from .shell import AsJson, ConfigFile, app, make_console, read_day, read_settings


@app.command(name="risk-check")
def risk_check(
    bars: Annotated[Path, typer.Option(help="Bars file (.parquet or .csv).")],
    market: Annotated[str, typer.Option(help="Market symbol for betas.")] = "",
    universe: Annotated[Path | None, typer.Option(help="symbol and sector.")] = None,
    date_: Annotated[str, typer.Option("--date", help="First day, 2026-03-02.")] = "",
    to: Annotated[str, typer.Option(help="Last day; the last of the bars if not given.")] = "",
    config: ConfigFile = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random portfolios.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Compare risk forecasts with what happened.

    The risk model's, and other estimators'.

    Out of sample, half an hour ahead, on many random portfolios. Estimators of scikit-learn and
    skfolio take part where they are installed: pip install "deadband[risk-check]".
    """
    from ..backtest.risk_check import check_risk
    from ..backtest.risk_table import show
    from ..backtest.start import prepare_bars

    settings = read_settings(config)
    listed = str(universe or settings.data.universe)
    data = replace(
        settings.data, bars=str(bars), universe=listed, market=market or settings.data.market
    )
    settings, console = replace(settings, data=data), make_console(stderr=as_json)
    first, last = read_day(date_, "--date"), read_day(to, "--to")
    with console.status("reading bars") as status:
        tape, sessions = prepare_bars(settings, first, last)
        found = check_risk(
            settings, tape, sessions, seed, lambda session: status.update(f"{session.day}")
        )
    show(console, found)
    if as_json:
        print(json.dumps(found.figures()))
