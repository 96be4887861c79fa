"""The page on features names every feature and model there is, and quotes results that are kept."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deadband.models.reference import REFERENCE_ZOO
from deadband.signals.features.catalog import FEATURES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "features.md").read_text("utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Cells of every table row that begins with a word in code."""
    found = re.findall(r"^\| `(.*)\|$", text, flags=re.MULTILINE)
    return [[cell.strip(" `") for cell in row.split("|")] for row in found]


def kept(name: str) -> Any:
    return json.loads((ROOT / "benchmarks" / "results" / f"{name}.json").read_text())["result"]


def test_every_feature_is_documented_and_every_documented_one_exists() -> None:
    """Each once, with formula, unit and when it is known."""
    told = rows(section("What is measured"))
    assert sorted(name for name, *_ in told) == sorted(FEATURES)
    assert [row for row in told if len(row) != 4 or not all(row)] == []


def test_every_reference_model_is_documented_with_the_feature_it_scores() -> None:
    told = {name: score for name, score, _ in rows(section("The reference zoo"))}
    assert list(told) == [model.name for model in REFERENCE_ZOO]
    for model in REFERENCE_ZOO:
        assert model.needs[0] in told[model.name]


def test_what_models_are_worth_is_quoted_as_measured() -> None:
    result = kept("study_reference")
    for name, of in result["models"].items():
        at_once, later = of["at once"], of["a bar later"]
        cells = (at_once["mean_ic"], at_once["t"], later["mean_ic"], later["t"])
        row = "| {} | {:+.4f} | {:+.1f} | {:+.4f} | {:+.1f} |".format(name, *cells)
        assert row in PAGE, row
    assert f"scatter by {result['sigma_bps']:.0f} bps" in PAGE


@pytest.mark.parametrize("names", ["300", "3000"])
def test_what_features_cost_is_quoted_as_measured(names: str) -> None:
    for kind, of in kept("features")[names].items():
        row = (
            f"| {names} | {kind}, {of['cycle_ms']:.1f} ms | {of['features_ms']:.2f} ms "
            f"| {of['features_share']:.1%} | {of['features_share_of_means']:.1%} "
            f"| {of['zoo_ms']:.2f} ms |"
        )
        assert row in PAGE, row
