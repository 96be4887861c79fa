"""`deadband run --broker ibkr` against `deadband gateway`: two processes, a socket, signals."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import pandas as pd
import pytest

from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.feeds.simulated import simulated_market
from deadband.journal.store import JournalReader

from ..kit.feed import clean
from ..kit.inputs import settings

SPEED = "200"
"""Gateway seconds a second: a bar of five minutes takes one and a half."""
CONFIG = """
[optimize]
K = 3
K_buy = 3
K_sell = 4
per_name_cap = 0.2
z_keep = 0.3
delta_z_min = 0.3
[policy]
open_clamp_min = 0.0
[risk]
history_days = 5
[data]
scores = "scores.csv"
score_column = "z"
score_unit = "z"
[broker]
kind = "ibkr"
account = "DU1234567"
market_data_lines = 4
"""
CYCLE = r"^03-09 \d\d:\d\d NAV .*live"
CLI = (sys.executable, "-m", "deadband")
WAIT_S = 60.0
"""Seconds after which a process that says nothing more is killed."""


@dataclass
class Talker:
    """A process whose lines are read as they come."""

    process: subprocess.Popen[str]

    def until(self, pattern: str, times: int = 1) -> str:
        """The first line, or the n-th, that matches; all that was said if none comes."""
        assert self.process.stdout is not None
        said = []
        watchdog = Timer(WAIT_S, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stdout:
                said.append(line)
                times -= bool(re.search(pattern, line))
                if not times:
                    return line
        finally:
            watchdog.cancel()
        raise AssertionError("".join(said))

    def ended(self) -> tuple[int, str]:
        """The exit code, and what was said since the last look."""
        said, _ = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, said


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bars, scores, names and a configuration; the current folder of both processes."""
    folder = tmp_path_factory.mktemp("live")
    clean(6, 7).to_parquet(folder / "bars.parquet", index=False)
    market = simulated_market(settings(), 7, names=6, days=2)
    table = market.scores
    asof = pd.to_datetime(table.asof, utc=True).as_unit("s")
    frame = pd.DataFrame(table.value, index=asof, columns=list(market.tape.universe.symbols))
    long = frame.stack().rename("z").rename_axis(["asof", "symbol"]).reset_index()
    long.to_csv(folder / "scores.csv", index=False, date_format="%Y-%m-%dT%H:%M:%SZ")
    names = "".join(f"SIM{n:03d},{'Retail' if n % 2 else 'Health'}\n" for n in range(1, 7))
    (folder / "names.csv").write_text("symbol,sector\n" + names)
    (folder / "config.toml").write_text(CONFIG)
    return folder


@pytest.fixture
def port(files: Path) -> Iterator[str]:
    """A gateway on the bars, on the morning of their sixth day."""
    begin = ["--start", "2026-03-09T09:43", "--speed", SPEED, "--step", "5"]
    gateway = started(files, "gateway", "--port", "0", "--bars", "bars.parquet", *begin)
    try:
        said = re.search(r"127\.0\.0\.1:(\d+) ", gateway.until("listening"))
        assert said is not None
        yield said[1]
    finally:
        gateway.process.terminate()
        gateway.process.communicate()


def started(folder: Path, *words: str) -> Talker:
    piped = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    # Lines are wanted as they are said.
    environ = os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "300"}
    return Talker(subprocess.Popen([*CLI, *words], cwd=folder, env=environ, **piped))  # type: ignore[call-overload]


def trading(folder: Path, port: str, *words: str) -> Talker:
    always = ("--config", "config.toml", "--port", port, "--rehearse", SPEED)
    return started(folder, "run", *always, "--journal", "live.db", "--report", "out", *words)


def said_by(folder: Path, *words: str) -> tuple[int, str]:
    return started(folder, *words).ended()


@pytest.mark.timeout(150)
def test_a_morning_with_a_stop_a_restart_a_kill_and_books_that_agree(
    files: Path, port: str
) -> None:
    first = trading(files, port, "--universe", "names.csv")
    first.until(r"asking for bars of 5 sessions up to 2026-03-06")
    first.until(CYCLE, times=2)
    code, said = said_by(files, "run", "--config", "config.toml", "--port", port, "--rehearse",
                         SPEED, "--journal", "live.db", "--universe", "names.csv")  # fmt: skip
    assert code == 2 and "JournalLocked" in said
    first.process.send_signal(signal.SIGTERM)
    code, said = first.ended()
    assert code == 0, said
    assert "the run came to its end" in said and "report   out/report.html" in said

    # The next one takes the past from a file, and goes on.
    second = trading(files, port, "--bars", "bars.parquet", "--json")
    second.until(r"going on after cycle \d+")
    second.until(CYCLE, times=2)
    code, said = said_by(files, "kill")
    assert code == 0
    second.until("kill switch HALTED")
    second.until(f"{CYCLE}.*KILL_HALTED|KILL_HALTED")
    code, said = said_by(files, "resume", "--account", "DU1234567")
    assert code == 0
    second.process.send_signal(signal.SIGINT)
    code, said = second.ended()
    assert code == 0, said
    told = json.loads(said.splitlines()[-1])
    assert told["complete"] and told["fills"] > 2
    assert told["nav_off_by_a_cent"] == told["limit_breaches"] == 0

    code, said = said_by(files, "reconcile", "live.db", "--account", "DU1234567", "--port", port)
    assert code == 0, said
    cash = re.search(r"cash ([\d,.]+) in the journal,\s+([\d,.]+) at the broker", said)
    assert cash is not None and cash[1] == cash[2].rstrip(".")

    journal = files / "live.db"
    replayed = replay(journal)
    assert (replayed.cycles, replayed.differences) == (told["cycles"], ())
    assert read_ledger(journal).settings.broker.market_data_lines == 4
    with JournalReader(journal) as reader:
        kinds = [entry.kind for entry in reader.entries()]
    assert (kinds.count("RUN"), kinds.count("RESUMED"), kinds.count("END")) == (1, 1, 2)


@pytest.mark.timeout(150)
def test_what_cannot_begin_says_why_and_how_to_mend_it(files: Path, port: str) -> None:
    config = ("run", "--config", "config.toml", "--universe", "names.csv", "--journal", "none.db")
    cases = [
        (("--port", "1"), 2, "127.0.0.1:1 does not answer: .* Start TWS or the Gateway"),
        (("--port", port, "--account", "DU999"), 2, "deadband.switch is for account DU1234567"),
        (("--port", port, "--rehearse", "5"), 2, "goes [\\d.]+ times as fast .* says 5"),
        (("--port", "4001"), 2, "port 4001 is the other kind's, the mode is paper"),
        (("--account", "U1", "--confirm-live", "U2", "--port", "4001"), 2, "not confirmed"),
        (("--date", "2026-03-09"), 2, "at IBKR it is today"),
        (("--bars", "bars.parquet", "--scores", "x.csv"), 2, "there is no file x.csv"),
    ]
    running = [(started(files, *config, *words), code, text) for words, code, text in cases]
    for talker, code, text in running:
        found, said = talker.ended()
        assert found == code, said
        assert re.search(text, " ".join(said.split())), said
        assert "Traceback" not in said


@pytest.mark.timeout(150)
def test_other_accounts_and_clients_are_told_of_and_a_killed_run_goes_on(
    files: Path, port: str, tmp_path: Path
) -> None:
    for name in ("names.csv", "scores.csv", "config.toml"):
        (tmp_path / name).write_text((files / name).read_text())
    of = ("--universe", "names.csv")
    other = trading(tmp_path, port, *of, "--account", "DU777", "--journal", "other.db")
    code, said = other.ended()
    assert code == 2
    assert "the gateway manages DU1234567, and DU777 alone is to be traded" in said
    (tmp_path / "deadband.switch").unlink()
    first = trading(tmp_path, port, *of)
    first.until("session READY")
    code, said = trading(tmp_path, port, *of, "--journal", "second.db").ended()
    assert code == 2
    assert "client id is already in use" in said and "set another client_id" in said
    first.until(CYCLE)
    # Killed where it stands: the journal is whole, and the next one goes on.
    first.process.kill()
    first.process.communicate()
    next_one = trading(tmp_path, port, *of)
    next_one.until("going on after cycle")
    next_one.until(CYCLE)
    next_one.process.send_signal(signal.SIGTERM)
    code, said = next_one.ended()
    assert code == 0, said
    code, said = said_by(tmp_path, "reconcile", "live.db", "--account", "DU1234567", "--port", port)
    assert code == 0, said
    assert replay(tmp_path / "live.db").differences == ()
