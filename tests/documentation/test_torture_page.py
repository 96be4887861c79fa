"""The figures that the README states are those of the result that is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from deadband.twsim.fault_names import FaultName

ROOT = Path(__file__).parents[2]


def kept() -> dict[str, Any]:
    text = (ROOT / "benchmarks" / "results" / "torture.json").read_text("utf-8")
    result: dict[str, Any] = json.loads(text)
    return result


def flat(page: str) -> str:
    return " ".join((ROOT / page).read_text("utf-8").split())


def test_the_readme_states_what_was_measured() -> None:
    result = kept()
    boundaries = sum(result["every_boundary"]["deaths"].values())
    failures = len(result["failures"]) + sum(
        len(result[part]["failures"]) for part in ("every_boundary", "real_kills")
    )
    assert (
        f"**{result['seeds']:,} schedules** with {sum(result['deaths'].values()):,} deaths, "
        f"{sum(result['faults'].values()):,} faults of {len(result['faults'])} kinds and "
        f"{result['orders']:,} orders; {boundaries:,} deaths at every boundary of one session; "
        f"{result['real_kills']['kills']} kills by the operating system. "
        f"**{failures} failure{'' if failures == 1 else 's'}**"
    ) in flat("README.md")


def test_every_kind_of_fault_struck() -> None:
    result = kept()
    assert result["faults"].keys() | result["never_drawn"].keys() == {f.value for f in FaultName}


def test_the_page_counts_the_boundaries() -> None:
    result = kept()["every_boundary"]["deaths"]
    assert f"{sum(result.values()):,} deaths" in flat("docs/torture.md")
    assert f"{result['receive'] // 2} frames read" in flat("docs/torture.md")
