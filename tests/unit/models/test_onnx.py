"""ONNX files: what was exported is what is run, and what cannot be run is refused at the start."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from deadband.core.errors import ConfigError
from deadband.core.model_settings import ModelSettings, content_version
from deadband.core.seen import Universe
from deadband.models.onnx import open_onnx
from tests.kit.models import features

NAMES = Universe.of(tuple(f"S{i:02d}" for i in range(50)))
NEEDS = ("return_30m", "spread")
RNG = np.random.default_rng(4)
X, Y = RNG.normal(size=(400, 2)), RNG.normal(size=400)


def saved(folder: Path, estimator: Any, dtype: Any = np.float32) -> ModelSettings:
    path = folder / "model.onnx"
    path.write_bytes(to_onnx(estimator, X[:1].astype(dtype)).SerializeToString())
    return ModelSettings("mine", "onnx", str(path), "z", "30min", NEEDS)


def refusal(model: ModelSettings) -> str:
    with pytest.raises(ConfigError) as fault:
        open_onnx(model)
    (finding,) = fault.value.findings
    return finding


GIVEN = features(NAMES, return_30m=X[:50, 0], spread=X[:50, 1])


@pytest.mark.parametrize(
    ("estimator", "dtype", "tolerance"),
    [
        (LinearRegression(), np.float64, 1e-12),
        (LinearRegression(), np.float32, 1e-5),
        (GradientBoostingRegressor(n_estimators=20), np.float32, 1e-5),
    ],
    ids=["double", "float", "trees"],
)
def test_a_graph_says_what_the_estimator_said(
    tmp_path: Path, estimator: Any, dtype: Any, tolerance: float
) -> None:
    settings = saved(tmp_path, estimator.fit(X, Y), dtype)
    model = open_onnx(settings)
    assert model.version == content_version(Path(settings.source).read_bytes())
    said = model.score(GIVEN)
    np.testing.assert_allclose(said, estimator.predict(X[:50]), atol=tolerance)
    assert said.shape == (50,)


def test_the_same_rows_give_the_same_bits(tmp_path: Path) -> None:
    settings = saved(tmp_path, GradientBoostingRegressor(n_estimators=20).fit(X, Y))
    one, other = open_onnx(settings), open_onnx(settings)
    assert one.score(GIVEN).tobytes() == one.score(GIVEN).tobytes() == other.score(GIVEN).tobytes()


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"features": ("spread",)}, "and 1 features are listed"),
        ({"version": "0123"}, "and 0123 is expected"),
        ({"source": "gone.onnx"}, "gone.onnx cannot be read"),
        ({"source": "model.pkl"}, "model.pkl is no .onnx file. A pickle runs code"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, given: dict[str, Any], part: str) -> None:
    assert part in refusal(replace(saved(tmp_path, LinearRegression().fit(X, Y)), **given))


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    settings = saved(tmp_path, LinearRegression().fit(X, Y))
    whole = Path(settings.source).read_bytes()
    for data in (b"", b"not a graph", whole[: len(whole) // 2]):
        Path(settings.source).write_bytes(data)
        assert "is no model that onnxruntime runs" in refusal(settings)


def test_a_classifier_is_no_score(tmp_path: Path) -> None:
    settings = saved(tmp_path, LogisticRegression().fit(X, Y > 0))
    assert "Export a regressor, not a classifier" in refusal(settings)


def test_a_graph_of_several_inputs_is_refused(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    rows = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, 2]) for n in ("a", "b")]
    out = helper.make_tensor_value_info("c", TensorProto.FLOAT, [None, 2])
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "sum", rows, [out])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = tmp_path / "sum.onnx"
    path.write_bytes(made.SerializeToString())
    settings = ModelSettings("mine", "onnx", str(path), "z", "30min", NEEDS)
    assert "has 2 inputs, expected one of rows" in refusal(settings)
