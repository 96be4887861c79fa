"""What docs/gateway.md and docs/faults.md show runs and prints what they promise."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from deadband.twsim.fault_names import KINDS, FaultName
from deadband.twsim.faults import parse_faults
from deadband.twsim.rules import TIFS

from .test_readme import ROOT, blocks

GUIDE = ROOT / "docs" / "gateway.md"
FAULTS = ROOT / "docs" / "faults.md"


@pytest.fixture
def port() -> Iterator[int]:
    """A gateway started as the guide starts it, on a free port."""
    command = [sys.executable, "-m", "deadband", "gateway", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--start", "2026-03-02T09:31"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        banner = process.stdout.readline()
        said = re.fullmatch(
            r"gateway listening on 127\.0\.0\.1:(\d+) account DU1234567 server version 178\n",
            banner,
        )
        assert said, banner
        assert banner.strip().replace(said[1], "4002") in GUIDE.read_text("utf-8")
        yield int(said[1])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def test_the_quick_start_fills_an_order(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    quick_start, _ = blocks(GUIDE, "python")
    exec(compile(quick_start.replace("4002", str(port)), "gateway.md", "exec"), {})
    out = capsys.readouterr().out.strip()
    assert f"prints `{out}`" in GUIDE.read_text("utf-8")


def test_the_gateway_in_tests_runs_as_shown(capsys: pytest.CaptureFixture[str]) -> None:
    _, in_tests = blocks(GUIDE, "python")
    exec(compile(in_tests, "gateway.md", "exec"), {})
    assert capsys.readouterr().out == "178\n"


def test_the_script_shown_is_a_script() -> None:
    [script] = blocks(FAULTS, "toml faults")
    assert len(parse_faults(tomllib.loads(script))) == 3


def test_every_fault_stands_on_its_page() -> None:
    page = FAULTS.read_text("utf-8")
    rows = [f"| `{name}` | {KINDS[name].does} | {KINDS[name].known_from} |" for name in FaultName]
    assert [row for row in rows if row not in page] == []


def test_the_guide_names_every_option_time_in_force_and_code() -> None:
    guide = GUIDE.read_text("utf-8")
    for tif in TIFS:
        assert tif in guide
    refusals = re.search(r"\*\*Refusals\*\* \| (.*) \|", guide)
    assert refusals is not None
    told = {int(code) for code in re.findall(r"\b\d{3,5}\b", refusals[1])}
    sources = "".join(
        path.read_text("utf-8")
        for name in ("answers", "desk", "exchange", "history", "refusals", "rules", "session")
        for path in [Path(ROOT / "src" / "deadband" / "twsim" / f"{name}.py")]
    ) + (ROOT / "src" / "deadband" / "twsim" / "streams.py").read_text("utf-8")
    for code in told:
        assert re.search(rf"\b{code}\b", sources), f"{code} is said nowhere"
