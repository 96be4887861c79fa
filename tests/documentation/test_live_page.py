"""What docs/live.md shows is understood: its settings, its options, what it says of faults."""

from __future__ import annotations

import re

from typer.main import get_command

from deadband.cli import app
from deadband.core.lint import lint
from deadband.core.settings import parse_settings

from .test_readme import ROOT, blocks

GUIDE = ROOT / "docs" / "live.md"
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]


def options(command: str) -> set[str]:
    return {word for one in COMMANDS[command].params for word in one.opts}


def test_the_settings_shown_can_be_read_and_work() -> None:
    [shown] = blocks(GUIDE, "toml")
    settings = parse_settings(shown, {})
    assert settings.broker.kind == "ibkr"
    assert [doubt for doubt in lint(settings) if doubt.severity == "error"] == []


def test_every_option_that_is_shown_is_one() -> None:
    for page in (GUIDE, ROOT / "README.md"):
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                words = line.removesuffix("&").split()
                if "deadband" in words[:1]:
                    named = {word for word in words if word.startswith("--")}
                    assert named <= options(words[1]), line
    table = re.findall(r"^\| `(--[a-z-]+)", GUIDE.read_text("utf-8"), flags=re.MULTILINE)
    assert len(table) >= 6
    assert set(table) <= options("run")
