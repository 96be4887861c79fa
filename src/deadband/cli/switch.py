"""`kill`, `reduce`, `resume`: the operator's commands, written to a file that every cycle reads.

None of them needs a run, a broker or the optimizer to be alive.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .shell import AsJson, ConfigFile, app, make_console, read_settings

if TYPE_CHECKING:
    from ..core.config import Settings
    from ..switch.file import Command

At = Annotated[
    Path | None, typer.Option("--switch", help="Switch file; gate.switch_file if not given.")
]
WAIT_S = 2.0
"""Seconds that a command waits for another one to be written; then it goes first."""
Why = Annotated[str, typer.Option(help="Why, for whoever reads it later.")]


@app.command()
def kill(
    switch: At = None, why: Why = "", config: ConfigFile = None, as_json: AsJson = False
) -> None:
    """Halt: nothing new is sent, and what works is canceled. Holds until `resume`."""
    _command(_Wanted("HALTED", (), "", why), switch, config, as_json)


@app.command()
def reduce(
    flatten: Annotated[
        list[str] | None, typer.Option(help="Sell this name to zero; GLOBAL for all.")
    ] = None,
    switch: At = None,
    account: Annotated[
        str, typer.Option(help="The account's id: to leave HALTED, which lets nothing out.")
    ] = "",
    why: Why = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Let positions only shrink, and sell names with --flatten.

    Holds until `resume`.
    """
    _command(_Wanted("REDUCING", tuple(flatten or ()), account, why), switch, config, as_json)


@app.command()
def resume(
    account: Annotated[
        str, typer.Option(prompt="Type the account id", help="The account, typed by you.")
    ],
    clear_losses: Annotated[
        bool, typer.Option("--clear-losses", help="Clear daily-loss and drawdown latches too.")
    ] = False,
    switch: At = None,
    why: Why = "",
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Trade again; the account's id is typed.

    So that nobody re-arms the wrong one.
    """
    from ..core.seen import Switch
    from ..switch.file import Command, one_at_a_time, read, write

    settings = read_settings(config)
    path = _place(switch, settings)
    with one_at_a_time(path, WAIT_S):
        before = read(path)
        known = _expect_account(account, before.account or settings.execution.account, path)
        now = datetime.now(UTC)
        # A number that only rises, also where the count before it cannot be read.
        cleared = int(now.timestamp()) if clear_losses else before.switch.cleared
        after = Command(Switch(cleared=cleared), known, _at(now), why)
        write(path, after)
    _say(path, after, as_json=as_json)


def _expect_account(typed: str, known: str, path: Path) -> str:
    from ..core.errors import ConfigError

    if typed != known:
        raise ConfigError(
            (
                f"{typed!r} was typed for the account, and {path} is for {known!r}. Nothing was "
                "changed. Type the account's id in full, or name the right file with --switch.",
            )
        )
    return known


@dataclass(frozen=True, slots=True)
class _Wanted:
    mode: str
    flatten: tuple[str, ...]
    account: str
    why: str


def _command(wanted: _Wanted, switch: Path | None, config: Path | None, as_json: bool) -> None:  # noqa: FBT001 - handed on as typer gives it
    from ..core.seen import Switch
    from ..switch.file import Command, one_at_a_time, read, write

    settings = _settings(config)
    path = _place(switch, settings)
    is_new = not path.exists()
    with one_at_a_time(path, WAIT_S):
        before = read(path)
        account = before.account or settings.execution.account
        if wanted.mode != "HALTED" and before.switch.mode == "HALTED" and not is_new:
            _expect_account(wanted.account, account, path)
        kept = before.switch
        asked = Switch(wanted.mode, wanted.flatten, kept.paused, kept.cleared)
        command = Command(asked, account, _at(datetime.now(UTC)), wanted.why)
        write(path, command)
    if is_new:
        make_console(stderr=True).print(
            f"there was no {path} before: no run reads it yet. Check --switch.",
            markup=False,
            soft_wrap=True,
        )
    _say(path, command, as_json=as_json)


def _settings(config: Path | None) -> Settings:
    """The settings, or the defaults: a configuration that is broken keeps nobody from killing."""
    from ..core.config import Settings
    from ..core.errors import ConfigError

    try:
        return read_settings(config)
    except ConfigError as fault:
        make_console(stderr=True).print(f"the configuration is passed over: {fault}", markup=False)
        return Settings()


def _place(switch: Path | None, settings: Settings) -> Path:
    from ..switch.file import NAME

    return switch or Path(settings.gate.switch_file or NAME)


def _at(now: datetime) -> str:
    return now.isoformat(timespec="seconds")


def _say(path: Path, command: Command, *, as_json: bool) -> None:
    switch = command.switch
    flat = f", flatten {' '.join(switch.flatten)}" if switch.flatten else ""
    make_console(stderr=as_json).print(
        f"{switch.mode}{flat} · account {command.account or 'not known'} · {path}",
        markup=False,
        soft_wrap=True,
    )
    if as_json:
        told = {"mode": switch.mode, "flatten": list(switch.flatten), "account": command.account}
        print(json.dumps(told | {"switch": str(path), "at": command.at}))
