"""`risk-check`: the risk model's forecasts against what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shell import AsJson, ConfigFile, app, make_console, read_day, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from ..backtest.risk_check import RiskCheck


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
    """Compare the risk model's forecasts, and other estimators', with what happened.

    Out of sample, half an hour ahead, on many random portfolios. Estimators of scikit-learn and
    skfolio take part where they are installed: pip install "deadband[risk-check]".
    """
    from ..backtest.risk_check import check_risk
    from ..backtest.start import prepare_bars

    settings = read_settings(config)
    data = settings.data
    data = replace(
        data,
        bars=str(bars),
        universe=str(universe or data.universe),
        market=market or data.market,
    )
    console = make_console(stderr=as_json)
    first, last = read_day(date_, "--date"), read_day(to, "--to")
    with console.status("reading bars"):
        tape, sessions = prepare_bars(replace(settings, data=data), first, last)
    with console.status("forecasting") as status:
        found = check_risk(
            settings, tape, sessions, seed, lambda session: status.update(f"{session.day}")
        )
    _show_risk(console, found)
    if as_json:
        print(json.dumps({name: quality.rounded() for name, quality in found.quality.items()}))


def _show_risk(console: Console, found: RiskCheck) -> None:
    """One line an estimator, best QLIKE first."""
    from rich.table import Table

    heads = ("estimator", "bias", "long-only", "neutral", "realized / forecast", "QLIKE behind")
    table = Table(*heads, "fitted", show_edge=False)
    for name, one in sorted(found.quality.items(), key=lambda pair: pair[1].qlike):
        table.add_row(
            name,
            f"{one.bias:.3f} ± {one.bias_se:.3f}",
            f"{one.bias_long:.3f} ± {one.bias_long_se:.3f}",
            f"{one.bias_neutral:.3f} ± {one.bias_neutral_se:.3f}",
            f"{one.volatility:.3f}",
            f"{one.qlike_behind:.4f} ± {one.qlike_behind_se:.4f}",
            found.given[name],
        )
    console.print(table)
    console.print(
        f"{found.sessions} sessions, {found.decisions} decisions, standard errors by day. Bias: "
        "std of outcomes over forecasts, 1 is right. QLIKE: less is better, 0 is the best here."
    )
    for package in found.left_out:
        console.print(f"left out: {package} is not installed")
