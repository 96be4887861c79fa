"""`deadband risk-check`: what it measures, what it says, and what it does without peers."""

import json
from datetime import date
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from deadband.backtest import risk_check, risk_peers
from deadband.backtest.risk_quality import Outcomes, qualities
from deadband.cli import app
from deadband.core.errors import DataError
from deadband.core.session import sessions_between
from deadband.feeds.simulated import simulated_market
from tests import kit
from tests.kit.files import bars

DAYS = [session.day for session in sessions_between(date(2026, 3, 2), date(2026, 3, 9))]


def drawn(rng: np.random.Generator, days: int = 40, each: int = 10) -> tuple[Outcomes, np.ndarray]:
    """Outcomes of known variance: each day has a level of its own."""
    day = np.repeat(np.arange(days), each)
    true = np.exp(rng.normal(size=days))[day][:, None] * np.ones((1, 20))
    returns = rng.standard_normal(true.shape) * np.sqrt(true)
    return Outcomes(returns, day, 10), true


def test_the_truth_has_no_bias_and_the_best_qlike() -> None:
    rng = np.random.default_rng(0)
    outcomes, true = drawn(rng)
    draws = rng.integers(0, 40, (200, 40))
    found = qualities(
        outcomes, {"true": true, "half": true / 4.0, "flat": np.full_like(true, true.mean())}, draws
    )
    assert found["true"].bias == pytest.approx(1.0, abs=0.03)
    assert found["half"].bias == pytest.approx(2.0 * found["true"].bias)
    assert found["true"].qlike_behind == 0.0
    assert found["flat"].qlike_behind > 2.0 * found["flat"].qlike_behind_se > 0.0
    assert found["true"].bias_se == pytest.approx(1.0 / np.sqrt(2 * 8000), rel=0.5)


def test_the_errors_are_of_days_not_of_decisions() -> None:
    """One shock a day for all decisions and portfolios: only days are news."""
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(50), 20)
    returns = rng.standard_normal(50)[day][:, None] * np.ones((1, 4))
    outcomes = Outcomes(returns, day, 2)
    draws = rng.integers(0, 50, (500, 50))
    found = qualities(outcomes, {"one": np.ones_like(returns)}, draws)["one"]
    assert found.bias_se == pytest.approx(1.0 / np.sqrt(2 * 50), rel=0.4)


def test_ours_knows_the_time_of_day_and_peers_do_not() -> None:
    made = kit.settings()
    market = simulated_market(made, seed=3, names=40, days=2)
    found = risk_check.check_risk(made, market.tape, market.sessions, seed=1)
    assert list(found.quality)[0] == "ours"
    assert found.sessions == 2
    assert found.decisions == 2 * 13
    ours = found.quality["ours"]
    assert ours.qlike < found.quality["sample"].qlike - 0.02
    assert ours.bias == pytest.approx(1.0, abs=0.25)
    assert {"sample", "ewma", "ewma_1d"} < set(found.quality)
    # Told the time by our own curve, a peer gains by it.
    timed, blind = found.quality["ewma_1d_timed"], found.quality["ewma_1d"]
    assert timed.qlike < blind.qlike - 0.01


def test_peers_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        if name.startswith(("sklearn", "skfolio")):
            raise ImportError(name)
        return import_module(name)

    monkeypatch.setattr(risk_peers, "import_module", absent)
    found, left_out = risk_peers.peers(78.0, 5.0)
    assert [peer.name for peer in found] == ["sample", "ewma", "ewma_1d", "ewma_1d_timed"]
    assert left_out == ("scikit-learn", "skfolio")


def test_the_command_prints_a_table_or_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(risk_peers, "SKFOLIO", {})
    frame = bars(tuple(f"N{i:02d}" for i in range(14)), DAYS)
    frame.to_parquet(tmp_path / "bars.parquet", index=False)
    asked = ["risk-check", "--bars", str(tmp_path / "bars.parquet"), "--market", "N00"]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0, shown.output
    assert "ours" in shown.output
    told = CliRunner().invoke(app, [*asked, "--json"])
    figures = json.loads(told.output.strip().splitlines()[-1])
    assert {"bias", "bias_se", "qlike", "qlike_se", "qlike_behind_se"} < set(figures["ours"])
    assert {"ours", "sample", "ewma", "ledoit_wolf", "oas"} <= set(figures)


def test_too_few_names_are_an_error_that_says_so() -> None:
    made = kit.settings()
    market = simulated_market(made, seed=3, names=6)
    with pytest.raises(DataError, match="no decision had 10 names"):
        risk_check.check_risk(made, market.tape, market.sessions, seed=1)
