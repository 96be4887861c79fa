"""The fault script: which accident happens when, read from TOML or JSON, by count or chance.

Every entry waits for its moment. `nth` strikes at the n-th occasion and the `times - 1` after it;
`chance` strikes each occasion with that probability, decided by the seed; `at` is the instant of a
fault in time, and for all others the instant before which nothing strikes.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time
from pathlib import Path

from ..core.errors import ConfigError
from ..core.session import EXCHANGE_ZONE
from .chance import uniform
from .fault_names import KINDS, FaultName, Strikes
from .replies import KINDS_SENT
from .requests import KINDS_ASKED

_ALWAYS = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of a script; fields that its kind does not read are left alone."""

    name: FaultName
    at: str = ""
    """New York clock on the first day, 10:30 or 10:30:05, or an instant, 2026-03-02T10:30-05:00."""
    nth: int = 1
    """Which occasion is the first to be struck."""
    times: int = 1
    """How many occasions are struck; 0 is all of them."""
    chance: float = 0.0
    """Probability per occasion; above 0 it stands in place of `nth`."""
    symbol: str = ""
    """Only this name."""
    client: int = -1
    """Only this client."""
    message: str = ""
    """Only this kind of message or request: orderStatus, execDetails, reqPositions ..."""
    seconds: float = 5.0
    """How long it lasts, or how late it is."""
    code: int = 0
    """IBKR's code, for notice."""
    text: str = ""
    """What is said."""
    shares: int = 100
    """Signed, for manual_order."""
    move: float = -0.01
    """USD, for exec_corrected."""
    data_lost: bool = False
    """For connectivity_lost: 1101 and no streams afterwards, in place of 1102."""
    lossy: bool = False
    """What falls into the gap never comes."""


@dataclass(slots=True)
class _Entry:
    fault: Fault
    armed_from: datetime | None
    occasions: int = 0
    struck: int = 0


class Faults:
    """The script at work; `struck` lists what has happened, in order."""

    def __init__(self, script: Sequence[Fault], seed: int, day: date) -> None:
        self._seed = seed
        self._entries = [_Entry(fault, moment(fault.at, day)) for fault in script]
        self._scripted = {fault.name for fault in script}
        self.struck: list[tuple[datetime, Fault]] = []
        self.is_over = False

    def end(self) -> None:
        """Nothing strikes from now on; what has struck takes its course."""
        self.is_over = True

    def timed(self) -> list[tuple[datetime, Fault]]:
        """Faults in time with their instants, for the timeline."""
        return [
            (entry.armed_from, entry.fault)
            for entry in self._entries
            if KINDS[entry.fault.name].strikes is Strikes.TIME and entry.armed_from is not None
        ]

    def note(self, fault: Fault, now: datetime) -> None:
        self.struck.append((now, fault))

    def strikes(
        self, name: FaultName, now: datetime, *, symbol: str = "", client: int = -1, kind: str = ""
    ) -> Fault | None:
        """The fault that strikes this occasion, if any does; counts the occasion."""
        if self.is_over or name not in self._scripted:
            return None
        for place, entry in enumerate(self._entries):
            fault = entry.fault
            if fault.name is not name or not _concerns(fault, symbol, client, kind):
                continue
            if entry.armed_from is not None and now < entry.armed_from:
                continue
            entry.occasions += 1
            if self._is_struck(place, entry):
                entry.struck += 1
                self.note(fault, now)
                return fault
        return None

    def _is_struck(self, place: int, entry: _Entry) -> bool:
        fault = entry.fault
        if fault.times != _ALWAYS and entry.struck >= fault.times:
            return False
        if fault.chance > 0:
            return uniform(self._seed, "fault", place, entry.occasions) < fault.chance
        return entry.occasions >= fault.nth


def _concerns(fault: Fault, symbol: str, client: int, kind: str) -> bool:
    return (
        fault.symbol in ("", symbol)
        and fault.client in (-1, client)
        and fault.message in ("", kind)
    )


def moment(written: str, day: date) -> datetime | None:
    """The instant of `at`; a bare clock is New York's on `day`. Raises ValueError."""
    if not written:
        return None
    if "T" in written or " " in written:
        instant = datetime.fromisoformat(written)
        return instant if instant.tzinfo else instant.replace(tzinfo=EXCHANGE_ZONE)
    return datetime.combine(day, time.fromisoformat(written), EXCHANGE_ZONE)


def read_faults(path: Path) -> tuple[Fault, ...]:
    """Read a script (.toml or .json); raises ConfigError with every finding at once."""
    try:
        written = path.read_text(encoding="utf-8")
        script = json.loads(written) if path.suffix == ".json" else tomllib.loads(written)
    except OSError as fault:
        raise ConfigError((f"{path} cannot be read: {fault.strerror}. Check --faults.",)) from fault
    except ValueError as fault:
        raise ConfigError((f"{path} cannot be read: {fault}. Mend the file.",)) from fault
    return parse_faults(script)


def parse_faults(script: Mapping[str, object]) -> tuple[Fault, ...]:
    """Read a script that is parsed already: `{"fault": [{"name": ...}, ...]}`."""
    entries = script.get("fault", [])
    findings = [
        f"{key} is not known. A script holds [[fault]] alone." for key in script if key != "fault"
    ]
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ConfigError(("fault is not a list of tables. Write each as [[fault]].",))
    faults = []
    for place, entry in enumerate(entries, 1):
        wrong = [f"fault {place}: {finding}" for finding in _findings(entry)]
        findings += wrong
        if not wrong:
            faults.append(Fault(**{**entry, "name": FaultName(entry["name"])}))
    if findings:
        raise ConfigError(tuple(findings))
    return tuple(faults)


def _findings(entry: Mapping[str, object]) -> list[str]:
    """What keeps one entry from being a fault."""
    known = {field.name: field.type for field in fields(Fault)}
    name = entry.get("name")
    if name not in {known_name.value for known_name in FaultName}:
        return [f"{name!r} is no fault. docs/gateway.md lists them."]
    found = [
        f"{key} is not known. Write one of {', '.join(known)}." for key in entry if key not in known
    ]
    found += [
        f"{key} is {value!r}, expected {known[key]}."
        for key, value in entry.items()
        if key in known and key != "name" and not _fits(value, str(known[key]))
    ]
    if found:
        return found
    message = entry.get("message", "")
    if message and message not in KINDS_SENT | KINDS_ASKED:
        found.append(f"message is {message!r}. docs/gateway.md lists messages and requests.")
    at = str(entry.get("at", ""))
    if KINDS[FaultName(str(name))].strikes is Strikes.TIME and not at:
        found.append(f'{name} happens in time and has no `at`. Write at = "10:30".')
    try:
        moment(at, date(2026, 3, 2))
    except ValueError:
        found.append(f"at is {at!r}. Write 10:30, 10:30:05 or 2026-03-02T10:30.")
    return found


def _fits(value: object, kind: str) -> bool:
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "str":
        return isinstance(value, str)
    number = isinstance(value, int) if kind == "int" else isinstance(value, int | float)
    return number and not isinstance(value, bool)
