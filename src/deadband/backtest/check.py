"""What is wrong with the data a run is given, and whether the run may start all the same."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from ..core.ailments import SEVERITIES, Ailment
from ..core.config import Settings
from ..core.errors import DataError
from ..core.lint import lint
from ..core.ports import Finding
from ..core.seen import Universe
from ..feeds.doctor.examine import worst_first
from ..feeds.doctor.signs import SIGNS
from ..feeds.files import examine_bars
from ..feeds.universe import Listing, read_listing


def check_bars(settings: Settings, now: datetime) -> tuple[Finding, ...]:
    """Everything wrong with the bars and the universe that the settings name, the worst first.

    Raises DataError for a file that cannot be read as bars at all.
    """
    listing = read_listing(Path(settings.data.universe)) if settings.data.universe else Listing()
    bars = examine_bars(Path(settings.data.bars), now)
    universe = Universe.of(bars.symbols, not_traded=frozenset({settings.data.market} - {""}))
    found = [*bars.findings, *listing.against(universe)]
    if not bars.days:
        found.append(Finding(Ailment.DATA_NO_BARS, 1, settings.data.bars))
    return worst_first(found)


def check(settings: Settings, now: datetime) -> list[dict[str, str | int]]:
    """What `deadband check` says of settings, and of the bars they name, the worst first.

    Each has a severity and a text; a finding in the data has its name, numbers and cure besides.
    """
    said: list[dict[str, str | int]] = [
        {"severity": doubt.severity, "text": doubt.text} for doubt in lint(settings)
    ]
    if settings.data.bars:
        said += [_told(finding, settings) for finding in check_bars(settings, now)]
    return sorted(said, key=lambda each: SEVERITIES.index(str(each["severity"])))


def _told(finding: Finding, settings: Settings) -> dict[str, str | int]:
    """A finding for people and for programs; an error that was accepted is a warning."""
    ailment = finding.ailment
    accepted = ailment.severity == "error" and not stops_a_run(finding, settings)
    return {
        "severity": "warning" if accepted else ailment.severity,
        "text": f"{finding}. {ailment.cure}",
        "name": str(ailment),
        "count": finding.count,
        "example": finding.example,
        "sign": SIGNS[ailment],
        "effect": ailment.effect,
        "cure": ailment.cure,
    }


def stops_a_run(finding: Finding, settings: Settings) -> bool:
    """Whether this is an error that the user has not accepted by its name."""
    return finding.ailment.severity == "error" and finding.ailment not in settings.data.accept


def refuse_bad_data(findings: Iterable[Finding], settings: Settings) -> None:
    """Raise DataError when any finding stops a run: all of them, each with its cure."""
    bad = [finding for finding in findings if stops_a_run(finding, settings)]
    if bad:
        names = ", ".join(sorted({f'"{finding.ailment}"' for finding in bad}))
        lines = [f"{finding}. {finding.ailment.cure}" for finding in bad]
        raise DataError(
            "\n".join([*lines, f"To run on it all the same, set data.accept = [{names}]."])
        )
