"""What the README and the guides show runs as shown."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from deadband.cli import app
from deadband.core.lint import lint
from deadband.core.settings import parse_settings

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)


def test_the_readmes_python_runs_and_says_what_it_promises(
    capsys: pytest.CaptureFixture[str],
) -> None:
    [example] = blocks(ROOT / "README.md", "python")
    exec(compile(example, "README.md", "exec"), {})
    weights, code = capsys.readouterr().out.splitlines()
    assert weights.startswith("{'AAPL': ")
    assert code == "CUT_SCORE"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_toml_block_is_a_configuration_that_passes_the_check(page: Path) -> None:
    for block in blocks(page, "toml"):
        settings = parse_settings(block, {})
        assert tomllib.loads(block)
        assert not [f for f in lint(settings) if f.severity == "error"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_shown_has_commands_and_options_that_exist(page: Path) -> None:
    group = get_command(app)
    for block in blocks(page, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = line.partition("#")[0].split()
            if not words or not words[0].endswith("deadband"):
                continue
            command = group.commands[words[1]]  # type: ignore[attr-defined]
            known = {option for param in command.params for option in param.opts}
            assert {word for word in words if word.startswith("--")} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_makefile_has_what_the_readme_tells_a_newcomer_to_run() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make (\w+)", "\n".join(blocks(ROOT / "README.md", "sh")), re.M):
        assert re.search(rf"^{target}:", makefile, re.M)
