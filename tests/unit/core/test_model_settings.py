"""[[models]] tables: read from TOML, and checked before anything is opened."""

from dataclasses import replace

import pytest

from deadband.core.config import Settings
from deadband.core.errors import ConfigError
from deadband.core.lint import lint
from deadband.core.model_settings import ModelSettings, content_version, model_faults
from deadband.core.settings import parse_settings

SOUND = ModelSettings("m", "onnx", "m.onnx", "z", "30min", ("spread",))
TEXT = """
[[models]]
name = "fade"
kind = "python"
source = "mine.py:Fade"
budget_ms = 50

[[models]]
name = "trees"
kind = "sklearn"
source = "trees.skops"
unit = "bps"
horizon = "1d"
features = ["return_1d", "spread"]
trusted = ["sklearn.tree.X"]
"""


def findings(text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_settings(text, environ, "my.toml")
    return caught.value.findings


def test_tables_are_read_in_order() -> None:
    fade, trees = parse_settings(TEXT, {}).models
    assert fade == ModelSettings("fade", "python", "mine.py:Fade", budget_ms=50.0)
    assert type(fade.budget_ms) is float
    assert trees.features == ("return_1d", "spread") and trees.trusted == ("sklearn.tree.X",)
    assert not list(model_faults((fade, trees)))


def test_slips_are_named_by_the_models_name_or_place() -> None:
    text = TEXT.replace("horizon", "horizn") + '\n[[models]]\nkind = "onnx"\nfeatures = "spread"\n'
    assert findings(text) == (
        "my.toml: models[trees].horizn is not a setting. Did you mean horizon?",
        "my.toml: models[3].features is 'spread', expected a list of texts.",
    )


@pytest.mark.parametrize("text", ["models = 5", "models = ['a']", "[models]\nname = 'a'"])
def test_what_is_no_list_of_tables_is_a_fault(text: str) -> None:
    (found,) = findings(text)
    assert found.endswith("expected tables, each under [[models]].")


def test_the_environment_cannot_reach_into_a_list() -> None:
    (found,) = findings(TEXT, DEADBAND_MODELS__FADE__UNIT="z")
    assert "expected tables, each under [[models]]" in found


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"name": ""}, "models[1] has no name"),
        ({"kind": "torch"}, "models[m].kind is 'torch', expected one of: reference, python, skl"),
        ({"source": ""}, "models[m].source is not given. Give the .onnx file."),
        ({"unit": "pct"}, "models[m].unit is 'pct', expected one of: z, bps, rank."),
        ({"unit": ""}, "models[m].unit is not said."),
        ({"horizon": ""}, "models[m].horizon is not said: over which time?"),
        ({"horizon": "soon"}, "models[m].horizon is 'soon', expected a length such as 30min"),
        ({"features": ()}, "models[m].features is empty. List the model's inputs"),
        ({"budget_ms": 0.0}, "models[m].budget_ms=0 has to be above zero."),
        ({"budget_ms": float("nan")}, "models[m].budget_ms=nan has to be above zero."),
        ({"scale": float("inf")}, "models[m].scale is inf. Write a number."),
        ({"trusted": ("x",)}, "models[m].trusted is for skops files alone."),
        ({"column": "x"}, "models[m].column is for files of scores alone."),
        ({"kind": "scores", "features": ()}, "models[m].column is not given. Which column"),
        ({"kind": "reference"}, "a reference model states its unit, horizon and features"),
    ],
)
def test_what_cannot_be_meant_is_said_with_the_cure(given: dict[str, object], part: str) -> None:
    (found,) = model_faults([replace(SOUND, **given)])  # type: ignore[arg-type]
    assert part in found


def test_two_models_of_one_name() -> None:
    (found,) = model_faults([SOUND, SOUND])
    assert found == "more than one model is called m. Give each its own name."


def test_the_config_check_knows_them() -> None:
    doubts = lint(Settings(models=(SOUND, SOUND)))
    assert "more than one model is called m" in doubts[0].text
    assert doubts[0].severity == "error"


def test_a_files_version_is_what_sha256sum_prints() -> None:
    assert content_version(b"deadband\n") == "f8ce67288bd64200"
