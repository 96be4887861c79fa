"""What all commands share: the app, options, settings from files and environment, the console."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
import typer.core

if TYPE_CHECKING:
    from rich.console import Console

    from ..core.config import Settings

ORDER = (
    *("run", "check", "explain", "replay", "report", "tca", "risk-check"),
    *("gateway", "doctor", "reconcile", "accept", "flatten", "kill", "reduce", "resume"),
)
"""Commands as they are met: a day and its journal, then a gateway and its account."""


class InOrder(typer.core.TyperGroup):
    """Lists the commands in their order."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return sorted(super().list_commands(ctx), key=ORDER.index)


app = typer.Typer(
    cls=InOrder,
    help="Portfolio decision engine: computes every interval, trades only when a trigger fires.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}
"""Severities from the worst on, and how each is shown."""

ConfigFile = Annotated[Path | None, typer.Option(help="TOML file of settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print a JSON object as the last line.")]


def read_settings(config: Path | None) -> Settings:
    from ..core.errors import ConfigError
    from ..core.settings import parse_settings

    if config is not None and not config.is_file():
        raise ConfigError((f"there is no config file {config}. Check --config.",))
    try:
        text = "" if config is None else config.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise ConfigError(
            (f"{config} is not UTF-8 text ({fault.reason}). Save it as UTF-8.",)
        ) from fault
    return parse_settings(text, os.environ, str(config or "environment"))


def read_day(text: str, option: str) -> date | None:
    from ..core.errors import ConfigError

    try:
        return date.fromisoformat(text) if text else None
    except ValueError as fault:
        raise ConfigError((f"{option} {text} is not a day. Write it as 2026-03-02.",)) from fault


def make_console(*, stderr: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def show(console: Console, severity: str, text: str) -> None:
    console.print(f"[{COLORS[severity]}]{severity}[/]", end=" ")
    console.print(text, markup=False, soft_wrap=True)
