"""A model beside a sound one fails in every way: the cycles go on as if it had not been there."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deadband.backtest.replay import replay
from deadband.backtest.report import render
from deadband.backtest.roll_call import roll_lines
from deadband.backtest.start import prepare_files
from deadband.core.errors import ConfigError
from deadband.core.model_settings import ModelSettings
from deadband.core.reasons import BY_NUMBER
from tests import kit
from tests.kit.files import BUSY, DAYS, Ran, bars, ran, scores, written

THURSDAY, FRIDAY = DAYS[3:5]
PRICES = bars()
SOURCE = """\
import numpy as np


class Model:
    unit, horizon_min, needs = "z", 30.0, ("return_30m", "realized_vol_1d")
    calls = 0

    def score(self, features):
        move, sigma = features.rows(self.needs)
        return self.spoilt(move / sigma * 4.0, features)

    def spoilt(self, z, features):
        return z


class Sound(Model):
    pass


class Raises(Model):
    def spoilt(self, z, features):
        raise RuntimeError("weights are gone")


class RaisesNowAndThen(Model):
    def spoilt(self, z, features):
        self.calls += 1
        return z[:: self.calls % 2]  # A step of zero raises.


class Leaves(Model):
    def spoilt(self, z, features):
        raise SystemExit(1)


class AllNan(Model):
    def spoilt(self, z, features):
        return np.full(len(z), np.nan)


class Infinite(Model):
    def spoilt(self, z, features):
        return np.full(len(z), -np.inf)


class Short(Model):
    def spoilt(self, z, features):
        return z[:-1]


class Words(Model):
    def spoilt(self, z, features):
        return "buy everything"


class Prices(Model):
    def spoilt(self, z, features):
        return np.full(len(z), 137.5)


class Fractions(Model):
    unit = "bps"

    def spoilt(self, z, features):
        return z * 1e-6


class OtherMarket(Model):
    def spoilt(self, z, features):
        return {"ZZZ": 5.0, "YYY": -5.0}


class Vandal(Model):
    def spoilt(self, z, features):
        features.value[:] = 1e9


class NoHistory(Model):
    needs = ("return_5d", "slot_return_30m")
"""
EXPECTED = {
    "Raises": "MODEL_RAISED",
    "Leaves": "MODEL_RAISED",
    "Vandal": "MODEL_RAISED",
    "AllNan": "DATA_MISSING_SCORE",
    "Infinite": "DATA_NOT_FINITE",
    "Short": "MODEL_BAD_SHAPE",
    "Words": "MODEL_BAD_SHAPE",
    "Prices": "MODEL_WRONG_UNIT",
    "OtherMarket": "DATA_MISSING_SCORE",
    "NoHistory": "MODEL_FEATURES_MISSING",
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "mine.py"
    path.write_text(SOURCE)
    return path


def over(folder: Path, *models: ModelSettings, first: date = THURSDAY) -> Ran:
    folder.mkdir(parents=True, exist_ok=True)
    PRICES.to_parquet(folder / "bars.parquet", index=False)
    settings = kit.settings(**BUSY, bars=str(folder / "bars.parquet"), models=models)
    made = ran(prepare_files(settings, first, FRIDAY), folder / "journal.db")
    made.assert_books_close()
    return made


def model(source: Path, name: str, **given: Any) -> ModelSettings:
    return ModelSettings(name=name, kind="python", source=f"{source}:{name}", **given)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Ran:
    made = over(tmp_path_factory.mktemp("alone"), model(source, "Sound"))
    assert len(made.ordered()) > 5
    return made


@pytest.mark.parametrize("name", EXPECTED)
def test_the_others_votes_stand_whatever_one_model_does(
    tmp_path: Path, source: Path, alone: Ran, name: str
) -> None:
    made = over(tmp_path, model(source, "Sound"), model(source, name))
    assert [record.plan.orders for record in made.records] == [
        record.plan.orders for record in alone.records
    ]
    for record in made.records[1:13]:
        assert record.seen.scores.models == ("Sound", name)
        assert {BY_NUMBER[n].value for n in record.seen.scores.defect[1].tolist()} == {
            EXPECTED[name]
        }
    call = made.ledger.models[name]
    assert call.silent == call.cycles == 26
    assert EXPECTED[name] in call.cycles_lost
    assert made.ledger.models["Sound"].told()["votes_lost"] == {}


def test_a_model_that_fails_now_and_then_votes_in_between(tmp_path: Path, source: Path) -> None:
    made = over(tmp_path, model(source, "Sound"), model(source, "RaisesNowAndThen"))
    call = made.ledger.models["RaisesNowAndThen"]
    assert call.cycles_lost["MODEL_RAISED"] == 13
    assert call.silent == 13
    assert call.words["MODEL_RAISED"] == "ValueError: slice step cannot be zero"


def test_what_went_wrong_is_in_the_summary_and_the_report(tmp_path: Path, source: Path) -> None:
    made = over(tmp_path, model(source, "Sound"), model(source, "Raises"))
    told = json.loads(json.dumps(made.ledger.summary()))["models"]["Raises"]
    assert told["cycles_lost"]["MODEL_RAISED"] == 26
    assert told["words"]["MODEL_RAISED"] == "RuntimeError: weights are gone"
    (line,) = roll_lines(made.ledger.models)
    assert line == (
        "model Raises: silent in 26 of 26 cycles; MODEL_RAISED in 26 (RuntimeError: weights are "
        "gone)"
    )
    page = render(made.ledger, "t", "n")
    assert "weights are gone" in page and "MODEL_RAISED: 26 cycles, 208 votes" in page


def test_all_models_failing_trades_nothing(tmp_path: Path, source: Path) -> None:
    made = over(tmp_path, model(source, "Raises"), model(source, "Short"))
    assert made.ordered() == []
    held = {code for record in made.records for code in record.decision.code.tolist()}
    assert "MODEL_RAISED" in {BY_NUMBER[code].value for code in held}


def test_fractions_for_basis_points_have_no_vote(tmp_path: Path, source: Path) -> None:
    made = over(tmp_path, model(source, "Fractions"))
    assert made.ordered() == []
    assert (
        "fractions? Multiply by 10,000" in made.ledger.models["Fractions"].words["MODEL_WRONG_UNIT"]
    )


def test_a_run_is_replayed_without_its_models(tmp_path: Path, source: Path) -> None:
    mine = tmp_path / "gone.py"
    mine.write_text(SOURCE)
    made = over(tmp_path, model(mine, "Sound"), model(mine, "Raises"))
    mine.unlink()
    replayed = replay(made.journal)
    assert (replayed.cycles, replayed.differences) == (26, ())
    (stated,) = {record.seen.scores.version for record in made.records}
    assert made.ledger.models["Sound"].version == stated[0] != ""


def test_the_same_run_comes_out_the_same(tmp_path: Path, source: Path) -> None:
    models = [model(source, "Sound"), model(source, "RaisesNowAndThen")]
    one, other = (over(tmp_path / name, *models) for name in "ab")
    for a, b in zip(one.records, other.records, strict=True):
        assert a.seen.scores.value.tobytes() == b.seen.scores.value.tobytes()
        assert a.plan.orders == b.plan.orders


# --- files of scores as models -------------------------------------------------------------------


def test_several_files_of_scores_speak_under_their_names(tmp_path: Path) -> None:
    z, other = scores(), scores(seed=5)
    settings = written(tmp_path, PRICES, z)
    other[other.symbol != "CCC"].to_parquet(tmp_path / "other.parquet", index=False)
    more = ModelSettings(
        "slow", "scores", str(tmp_path / "other.parquet"), "z", "2h", column="z", scale=0.5
    )
    made = ran(
        prepare_files(kit.settings(**BUSY, **as_given(settings), models=(more,)), THURSDAY, FRIDAY),
        tmp_path / "journal.db",
    )
    made.assert_books_close()
    said = made.records[5].seen.scores
    assert said.models == ("scores", "slow") and said.horizon_min == (30.0, 120.0)
    stated = other[(other["asof"] == made.records[5].seen.now) & (other.symbol == "AAA")].z.item()
    assert said.value[1, made.column("AAA")] == pytest.approx(0.5 * stated)
    assert made.found == ("DATA_BARS_WITHOUT_SCORE: 1 (slow: CCC)",)
    assert len(said.version[1]) == 16


def as_given(settings: Any) -> dict[str, Any]:
    data = settings.data
    return {"bars": data.bars, "scores": data.scores, "score_column": "z", "score_unit": "z"}


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    written(tmp_path, PRICES, scores())
    path = str(tmp_path / "scores.parquet")
    old = ModelSettings("file", "scores", path, "z", "2h", version="0000", column="z")
    settings = kit.settings(bars=str(tmp_path / "bars.parquet"), models=(old,))
    with pytest.raises(ConfigError, match="model file: is version .*, and 0000 is expected"):
        prepare_files(settings, THURSDAY, FRIDAY)


def test_bars_alone_are_refused_with_both_cures(tmp_path: Path) -> None:
    written(tmp_path, PRICES, scores())
    with pytest.raises(ConfigError, match=r"--scores FILE or --model MODEL.*\[\[models\]\]"):
        prepare_files(kit.settings(bars=str(tmp_path / "bars.parquet")), THURSDAY, FRIDAY)
