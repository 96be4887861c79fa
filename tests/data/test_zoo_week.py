"""A recorded week run by models that were trained on the weeks before it, from one file.

As with the other recorded days: skipped where the data are not, nothing written but to temporary
folders, and no figure quoted.
"""

import runpy
import sys
from pathlib import Path

import pytest

from deadband.backtest.replay import replay
from tests.unit.test_cli import call

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the recorded days of ../shared/data are not on this machine"
)


@pytest.mark.timeout(300)
def test_a_week_runs_from_one_file_and_replays_without_the_models(tmp_path: Path) -> None:
    bars = DATA / "us5m_2026" / "bars_5m.parquet"
    arguments = [bars, tmp_path, "--from", "2026-05-04", "--to", "2026-05-08"]
    arguments += ["--market", "SPYM", "--universe", DATA / "meta" / "universe_2026.csv"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", *map(str, arguments)])
        runpy.run_path(str(ROOT / "examples" / "zoo" / "train.py"), run_name="__main__")
    said = call("run", "--config", tmp_path / "zoo.toml", "--report", tmp_path / "out", "--json")
    assert said.code == 0, said.err
    told = said.json
    assert (told["sessions"], told["cycles"], told["complete"]) == (5, 390, True)
    assert told["statements_agree"] == 5
    assert told["nav_off_by_a_cent"] == told["limit_breaches"] == 0
    for name in ("trees", "linear", "fade"):
        model = told["models"][name]
        assert model["silent"] == 25, "five bars a day, before half an hour has passed"
        # A name that has stopped trading, or has not traded today, is all that is not scored.
        assert model["votes_lost"]["MODEL_FEATURES_MISSING"] < 0.08 * 390 * 301
        assert set(model["votes_lost"]) == {"MODEL_FEATURES_MISSING"}
    for path in (tmp_path / "models").iterdir():
        path.unlink()
    replayed = replay(tmp_path / "out" / "journal.db")
    assert (replayed.cycles, replayed.differences) == (390, ())
