"""The shape of the house: one way through it, a sentence over every door, no oddments."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import deadband

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "deadband").rglob("*.py"))
ODDMENTS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "misc"}
MOST_LINES = 400
HEAVY = ("pyarrow", "pandas", "typer", "jinja2", "rich")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_import_contracts_hold() -> None:
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_every_file_opens_with_one_sentence(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    opening = text.split("\n\n")[0].split("\nRules")[0]
    assert opening, f"{named(path)} has no docstring"
    assert re.fullmatch(r"[A-Z`].*?[.?:]", " ".join(opening.split())), opening
    assert not re.search(r"[.?] [A-Z]", opening), f"{named(path)} opens with more than a sentence"


def test_nothing_is_called_by_a_name_that_says_nothing() -> None:
    assert [named(path) for path in SOURCES if path.stem in ODDMENTS] == []


def test_files_are_short_enough_to_hold_in_the_head() -> None:
    lengths = {named(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    too_long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES}
    assert too_long == {}


def test_the_public_names_are_sorted_and_there() -> None:
    assert deadband.__all__ == sorted(deadband.__all__)
    assert [name for name in deadband.__all__ if not hasattr(deadband, name)] == []


def test_the_package_is_light_to_import() -> None:
    probe = f"import sys, deadband; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_package_is_marked_as_typed() -> None:
    assert Path(deadband.__file__).with_name("py.typed").exists()
