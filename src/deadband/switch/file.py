"""The kill switch file: what the operator commands, durable and readable, whatever else is dead.

Rules
  * Written beside its place, flushed to the disk, then renamed over it: a reader sees the old
    command or the new one. The last line says that nothing was cut.
  * Read in every cycle. What is missing, cut, or not understood is HALTED, never ACTIVE.
  * A run makes the file where there is none yet; it never changes one that is there, so a command
    survives a restart. Only `resume`, with the account's id typed, gives the word to trade again.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..core.errors import ConfigError
from ..core.seen import Switch

NAME = "deadband.switch"
"""Where the commands look without --switch and without gate.switch_file."""
KEYS = {
    "mode": str,
    "flatten": list,
    "paused": list,
    "cleared": int,
    "account": str,
    "at": str,
    "why": str,
    "complete": bool,
}
HEAD = "# deadband kill switch. `deadband resume` lets trade again; do not edit while trading.\n"


@dataclass(frozen=True, slots=True)
class Command:
    """What the file says: the switch, whose account it is for, when and why it was commanded."""

    switch: Switch
    account: str
    at: str = ""
    why: str = ""


def write(path: Path, command: Command) -> None:
    """Make a command durable: from the moment this returns it survives a power cut."""
    switch = command.switch
    lines = [
        f"mode = {_quoted(switch.mode)}",
        f"flatten = [{', '.join(map(_quoted, switch.flatten))}]",
        f"paused = [{', '.join(map(_quoted, switch.paused))}]",
        f"cleared = {switch.cleared}",
        f"account = {_quoted(command.account)}",
        f"at = {_quoted(command.at)}",
        f"why = {_quoted(command.why)}",
        "complete = true",
    ]
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(HEAD + "\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _flush_folder(path.parent)
    except OSError as fault:
        raise ConfigError(
            (
                f"the kill switch file {path} cannot be written: {fault.strerror}. Nothing was "
                "commanded. Name another file, free the disk, and cancel at the broker meanwhile.",
            )
        ) from fault


def read(path: Path) -> Command:
    """What the file commands; HALTED, with the reason, where it does not say so plainly."""
    try:
        return _command(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _halted(f"{path} is not there")
    except Exception as fault:  # noqa: BLE001 - whatever is wrong with it, it is no leave to trade
        return _halted(f"{path} is not understood: {fault}")


@contextmanager
def one_at_a_time(path: Path, seconds: float) -> Iterator[None]:
    """Hold the file against other commands; after `seconds` go on without: a kill never waits."""
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        lock.acquire(timeout=seconds)
    except (Timeout, OSError):
        pass
    try:
        yield
    finally:
        lock.release()


def open_switch(path: Path, account: str) -> SwitchFile:
    """The file a run obeys; made ACTIVE where there is none yet."""
    if not path.exists():
        # Two runs that begin at once write the same words.
        write(path, Command(Switch(), account, why="a run made this file"))
    return SwitchFile(path, account)


@dataclass(frozen=True, slots=True)
class SwitchFile:
    """What a driver asks in every cycle; a file that is for another account halts too."""

    path: Path
    account: str

    def __call__(self, _: datetime) -> Switch:
        command = read(self.path)
        if not command.switch.fault and command.account != self.account:
            said = f"{self.path} is for account {command.account}, not {self.account}"
            return _halted(said).switch
        return command.switch


def _command(tree: dict[str, Any]) -> Command:
    missing, unknown = sorted(KEYS.keys() - tree.keys()), sorted(tree.keys() - KEYS.keys())
    if missing or unknown:
        raise ValueError(f"{', '.join(missing) or 'nothing'} missing, {', '.join(unknown)} unknown")
    wrong = [key for key, kind in KEYS.items() if type(tree[key]) is not kind]
    lists = [tree[key] for key, kind in KEYS.items() if kind is list and key not in wrong]
    if not all(isinstance(one, str) for names in lists for one in names):
        wrong.append("a name")
    if wrong or tree["complete"] is not True:
        raise ValueError(f"{', '.join(wrong) or 'complete'} is of the wrong kind")
    switch = Switch(
        mode=tree["mode"],
        flatten=tuple(tree["flatten"]),
        paused=tuple(tree["paused"]),
        cleared=tree["cleared"],
    )
    return Command(switch, tree["account"], tree["at"], tree["why"])


def _halted(why: str) -> Command:
    return Command(Switch("HALTED", fault=why), account="")


def _quoted(text: str) -> str:
    """As a TOML text: a JSON string is one."""
    return json.dumps(text, ensure_ascii=False)


def _flush_folder(folder: Path) -> None:
    """The rename itself has to be on the disk; where folders cannot be opened, it is."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
