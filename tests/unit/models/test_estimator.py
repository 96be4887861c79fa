"""scikit-learn estimators from skops files: loaded only when every type in them is known."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from deadband.core.errors import ConfigError
from deadband.core.model_settings import ModelSettings, content_version
from deadband.core.seen import Universe
from deadband.models.answer import answer_of
from deadband.models.estimator import open_estimator
from tests.kit.models import features

NAMES = Universe.of(("AAA", "BBB", "CCC"))
NEEDS = ("return_30m", "spread")
RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(200, 2)), RNG.normal(size=200)


class Constant(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """An estimator of the user's own."""

    def fit(self, x: Any, y: Any) -> "Constant":
        self.mean_, self.n_features_in_ = float(np.mean(y)), np.shape(x)[1]
        return self

    def predict(self, x: Any) -> Any:
        return np.full(len(x), self.mean_)


def saved(folder: Path, estimator: Any) -> ModelSettings:
    path = folder / "model.skops"
    skops.io.dump(estimator, path)
    return ModelSettings("mine", "sklearn", str(path), "bps", "30min", NEEDS)


def refusal(model: ModelSettings) -> str:
    with pytest.raises(ConfigError) as fault:
        open_estimator(model)
    (finding,) = fault.value.findings
    return finding


TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"


@pytest.mark.parametrize(
    ("estimator", "trusted"),
    [
        (LinearRegression(), ()),
        (make_pipeline(StandardScaler(), LinearRegression()), ()),
        (HistGradientBoostingRegressor(max_iter=5), (TREES,)),
    ],
    ids=["linear", "pipeline", "trees"],
)
def test_an_estimator_predicts_what_it_predicted_before_it_was_saved(
    tmp_path: Path, estimator: Any, trusted: tuple[str, ...]
) -> None:
    settings = saved(tmp_path, estimator.fit(X, Y))
    model = open_estimator(replace(settings, trusted=trusted))
    assert model.version == content_version(Path(settings.source).read_bytes())
    assert (model.unit, model.horizon_min, model.needs) == ("bps", 30.0, NEEDS)
    given = features(NAMES, return_30m=X[:3, 0], spread=X[:3, 1])
    assert model.score(given).tolist() == estimator.predict(X[:3]).tolist()


def test_a_name_of_which_something_is_unknown_is_not_predicted(tmp_path: Path) -> None:
    model = open_estimator(saved(tmp_path, LinearRegression().fit(X, Y)))
    given = features(NAMES, return_30m=0.1, spread={"BBB": np.nan})
    assert np.isnan(model.score(given)).tolist() == [False, True, False]
    answer = answer_of(model, given)
    assert (answer.defect != 0).tolist() == [False, True, False]
    nothing = features(NAMES, return_30m=np.nan, spread=0.1)
    assert np.isnan(model.score(nothing)).all()


def test_names_of_columns_are_the_features(tmp_path: Path) -> None:
    trained = LinearRegression().fit(pd.DataFrame(X, columns=list(NEEDS)), Y)
    settings = saved(tmp_path, trained)
    assert open_estimator(replace(settings, features=())).needs == NEEDS
    said = refusal(replace(settings, features=NEEDS[::-1]))
    assert "trained on return_30m, spread, in this order, and features lists spread, ret" in said


def test_the_names_of_columns_are_not_warned_about(tmp_path: Path) -> None:
    """The rows carry no names: in the order of the file's own, which was checked."""
    trained = LinearRegression().fit(pd.DataFrame(X, columns=list(NEEDS)), Y)
    model = open_estimator(saved(tmp_path, trained))
    answer = answer_of(model, features(NAMES, return_30m=0.1, spread=0.2))
    assert answer.speaks and answer.faults == ()


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"features": ("return_30m",)}, "was trained on 2 features, and 1 are listed"),
        ({"features": ()}, "does not know the names of its features"),
        ({"version": "0123"}, "and 0123 is expected. Was it trained again?"),
        ({"source": "gone.skops"}, "gone.skops cannot be read: No such file"),
        ({"source": "model.joblib"}, "A pickle runs code when it is read: save with skops.io.dump"),
        ({"source": "model.txt"}, "model.txt is no .skops file. Save it as .skops."),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, given: dict[str, Any], part: str) -> None:
    assert part in refusal(replace(saved(tmp_path, LinearRegression().fit(X, Y)), **given))


def test_types_that_are_not_known_are_named_with_the_cure(tmp_path: Path) -> None:
    settings = saved(tmp_path, Constant().fit(X, Y))
    kind = f"{Constant.__module__}.Constant"
    said = refusal(settings)
    assert f"types that are not known to be safe: {kind}." in said
    assert f'trusted = ["{kind}"]' in said
    model = open_estimator(replace(settings, trusted=(kind,)))
    given = features(NAMES, return_30m=0.1, spread=0.2)
    assert model.score(given).tolist() == pytest.approx([Y.mean()] * 3)


class Bomb:
    """Unpickled, it would write a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_under_another_name_is_not_run(tmp_path: Path) -> None:
    mark, path = tmp_path / "ran", tmp_path / "model.skops"
    path.write_bytes(pickle.dumps(Bomb(mark)))
    said = refusal(ModelSettings("mine", "sklearn", str(path), "z", "30min", NEEDS))
    assert "model.skops is no skops file" in said
    assert not mark.exists()


def test_a_bomb_inside_a_skops_file_is_refused_before_it_goes_off(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    trained = LinearRegression().fit(X, Y)
    trained.extra_ = Bomb(mark)
    said = refusal(saved(tmp_path, trained))
    assert "types that are not known to be safe" in said
    assert not mark.exists()


def test_a_classifier_is_no_score(tmp_path: Path) -> None:
    classifier = LogisticRegression().fit(X, Y > 0)
    assert "LogisticRegression is no regressor" in refusal(saved(tmp_path, classifier))


def test_a_model_of_several_outputs_loses_its_vote(tmp_path: Path) -> None:
    two = LinearRegression().fit(X, np.column_stack([Y, Y]))
    answer = answer_of(
        open_estimator(saved(tmp_path, two)), features(NAMES, return_30m=0.1, spread=0.2)
    )
    (fault,) = answer.faults
    assert str(fault.code) == "MODEL_RAISED" and "(3, 2) numbers for 3 rows" in fault.text
