"""What docs/live.md shows is understood: its settings, its options, what it says of faults."""

from __future__ import annotations

import re

from typer.main import get_command

from deadband.cli import app
from deadband.core.lint import lint
from deadband.core.settings import parse_settings
from deadband.twsim.contracts import BUILT_IN

from .test_readme import ROOT, blocks

GUIDE = ROOT / "docs" / "live.md"
PAGES = (GUIDE, ROOT / "README.md", *(ROOT / "docs" / f"{it}.md" for it in ("operate", "gateway")))
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


def options(command: str) -> set[str]:
    return {word for one in COMMANDS[command].params for word in one.opts}


def test_the_settings_shown_can_be_read_and_work() -> None:
    [shown] = blocks(GUIDE, "toml")
    settings = parse_settings(shown, {})
    assert settings.broker.kind == "ibkr"
    assert [doubt for doubt in lint(settings) if doubt.severity == "error"] == []


def test_the_names_that_are_rehearsed_on_are_the_gateways() -> None:
    [names] = re.findall(r"' symbol ([A-Z ]+) > names.csv", GUIDE.read_text("utf-8"))
    assert names.split() == [contract.symbol for contract in BUILT_IN]


def test_every_option_that_is_shown_is_one() -> None:
    for page in PAGES:
        shown = page.read_text("utf-8").replace("\\\n", " ")
        lines = re.findall(r"^(?:    |\.venv/bin/)?deadband (.+)", shown, flags=re.MULTILINE)
        assert lines, page
        for line in lines:
            words = re.split(r"\s#\s", line)[0].split()
            named = {word for word in words if word.startswith("--")}
            assert named <= options(words[0]), line
    table = re.findall(r"^\| `(--[a-z-]+)", GUIDE.read_text("utf-8"), flags=re.MULTILINE)
    assert len(table) >= 6
    assert set(table) <= options("run")
