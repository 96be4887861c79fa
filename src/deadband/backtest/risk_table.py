"""The risk check as a table to read: one line an estimator, best QLIKE first."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from .risk_check import RiskCheck

HEADS = ("estimator", "bias", "long-only", "neutral", "realized / forecast", "QLIKE behind")


def show(console: Console, found: RiskCheck) -> None:
    """Print the table, what it rests on, and what could not take part."""
    table = Table(*HEADS, "fitted", show_edge=False)
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
