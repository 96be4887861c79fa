"""examples/zoo: trained on bars before a day, and run from the one file that it writes."""

import json
import runpy
import sys
from datetime import date
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deadband.backtest.replay import replay
from deadband.core.session import session_on
from deadband.feeds.simulated import simulated_market
from tests import kit
from tests.unit.test_cli import call

ROOT = Path(__file__).parents[2]
MARKET = simulated_market(kit.settings(), seed=11, names=24, days=4)
FIRST, LAST = MARKET.sessions[2].day, MARKET.sessions[3].day


def bars() -> pd.DataFrame:
    """The simulated market as a file has it."""
    tables = []
    for day, made in MARKET.tape.days.items():
        session = session_on(day)
        assert session is not None
        ts = pd.date_range(session.open, session.close, freq="5min", inclusive="left")
        for name, symbol in enumerate(MARKET.tape.universe.symbols):
            columns = {
                column: getattr(made, column)[:, name]
                for column in ("open", "high", "low", "close", "volume")
            }
            tables.append(pd.DataFrame({"ts": ts.as_unit("ns"), "symbol": symbol} | columns))
    return pd.concat(tables, ignore_index=True)


BARS = bars()


def trained(folder: Path, table: pd.DataFrame, first: date = FIRST, last: date = LAST) -> Path:
    """What `python examples/zoo/train.py ...` leaves behind: the folder of its zoo."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "bars.parquet", index=False)
    arguments = [folder / "bars.parquet", folder / "zoo", "--from", first, "--to", last]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train.py", *map(str, arguments)])
        runpy.run_path(str(ROOT / "examples" / "zoo" / "train.py"), run_name="__main__")
    return folder / "zoo"


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("zoo"), BARS)


def test_the_zoo_runs_from_its_one_file(zoo: Path, tmp_path: Path) -> None:
    said = call("run", "--config", zoo / "zoo.toml", "--report", tmp_path, "--json")
    assert said.code == 0, said.err
    told = said.json
    assert (told["sessions"], told["cycles"], told["complete"]) == (2, 156, True)
    assert set(told["models"]) == {"trees", "linear", "fade"}
    for model in told["models"].values():
        assert (model["unit"], model["horizon_min"]) == ("return", 30.0)
        assert model["silent"] <= 12, "before the first half hour of each day is over"
        assert set(model["votes_lost"]) <= {"MODEL_FEATURES_MISSING"}
    for name, file in (("trees", "trees.skops"), ("linear", "linear.onnx")):
        data = (zoo / "models" / file).read_bytes()
        assert told["models"][name]["version"] == sha256(data).hexdigest()[:16]
    replayed = replay(tmp_path / "journal.db")
    assert (replayed.cycles, replayed.differences) == (156, ())
    explained = json.loads(call("explain", tmp_path / "journal.db", "SIM003", "--json").out)
    votes = {what: how for what, how in explained["facts"] if what.startswith("vote of ")}
    assert set(votes) == {"vote of trees", "vote of linear", "vote of fade"}
    assert all(" bps, " in how and ", version " in how for how in votes.values())


def test_nothing_from_the_first_day_on_is_trained_on(zoo: Path, tmp_path: Path) -> None:
    session = session_on(FIRST)
    assert session is not None
    future = BARS.ts >= pd.Timestamp(session.open)
    noise = np.random.default_rng(1).uniform(0.5, 2.0, len(BARS))
    spoiled = BARS.copy()
    for column in ("open", "high", "low", "close"):
        spoiled[column] = BARS[column].where(~future, (BARS[column] * noise).round(2))
    other = trained(tmp_path, spoiled)
    for file in ("linear.onnx", "trees.skops"):
        assert meaning(other / "models" / file) == meaning(zoo / "models" / file)


def test_an_earlier_day_is_another_training(zoo: Path, tmp_path: Path) -> None:
    """So the comparison above is of something that can differ."""
    other = trained(tmp_path, BARS, first=MARKET.sessions[1].day)
    for file in ("linear.onnx", "trees.skops"):
        assert meaning(other / "models" / file) != meaning(zoo / "models" / file)


def meaning(path: Path) -> bytes:
    """What a model file says of a thousand rows: a skops file also holds when it was written."""
    from deadband.core.model_settings import ModelSettings
    from deadband.models.opening import OPENERS
    from tests.kit.models import features

    namespace = runpy.run_path(str(ROOT / "examples" / "zoo" / "train.py"))
    needs = namespace["FEATURES"]
    kind = {".onnx": "onnx", ".skops": "sklearn"}[path.suffix]
    trusted = (namespace["TREES"],) if kind == "sklearn" else ()
    settings = ModelSettings("m", kind, str(path), "bps", "30min", needs, trusted=trusted)
    rng = np.random.default_rng(2)
    names = kit.universe(1000)
    given = features(names, **{need: rng.normal(0, 0.01, 1000) for need in needs})
    said = OPENERS[kind](settings).score(given)
    assert np.isfinite(said).all() and np.std(said) > 0
    return bytes(said.tobytes())
