"""The risk model on recorded days: nearer to what happened than estimators without a clock."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from deadband.backtest import risk_peers
from deadband.backtest.risk_check import check_risk
from deadband.backtest.start import prepare_bars
from deadband.core.config import Settings
from tests import kit

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded days of ../shared/data are not on this machine"
)


@pytest.mark.parametrize("form", ("dense", "factor"))
def test_minutes_of_2018(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Six sessions: σ is right within a fifth, and no estimator without a clock is nearer."""
    monkeypatch.setattr(risk_peers, "SKFOLIO", {})
    monkeypatch.setattr(risk_peers, "SKLEARN", {})
    made: Settings = kit.settings(bars=str(DATA / "us1m_2018/bars_1m.parquet"))
    made = replace(made, risk=replace(made.risk, form=form))
    tape, sessions = prepare_bars(made, date(2018, 3, 19), date(2018, 3, 26))
    found = check_risk(made, tape, sessions, seed=7)
    assert (found.sessions, found.decisions) == (6, 6 * 13)
    ours = found.quality["ours"]
    assert 0.8 < ours.bias < 1.2
    assert {"sample", "ewma", "ewma_1d"} < set(found.quality)
    assert ours.qlike_behind == 0.0
