"""One thing that was looked at before a run: how it stands, what was found, and the cure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, and costs something, or cannot be told by asking."""
    FAIL = "fail"
    """Nothing should be traded before it is cured."""


@dataclass(frozen=True, slots=True)
class Probe:
    """A check by its name; `cure` is empty where nothing has to be done."""

    name: str
    verdict: Verdict
    found: str
    cure: str = ""


def ok(name: str, found: str) -> Probe:
    return Probe(name, Verdict.OK, found)


def warn(name: str, found: str, cure: str) -> Probe:
    return Probe(name, Verdict.WARN, found, cure)


def fail(name: str, found: str, cure: str) -> Probe:
    return Probe(name, Verdict.FAIL, found, cure)


def few(names: list[str], most: int = 5) -> str:
    """The first of a list, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")
