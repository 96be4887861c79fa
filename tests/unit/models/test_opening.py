"""All models of a configuration at once: every fault of every one, and extras that are absent."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deadband.core.errors import ConfigError
from deadband.core.model_settings import KINDS, ModelSettings
from deadband.core.seen import Universe
from deadband.models.desk import AtOnce, Beside
from deadband.models.opening import OPENERS, open_models, open_zoo
from tests.kit.models import features

KNOWN = ("return_30m", "return_1d", "spread")
NAMES = Universe.of(("AAA", "BBB"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(
        "class Model:\n"
        "    unit, horizon_min = 'z', 30.0\n"
        "    def score(self, features): return features.rows(self.needs)[0]\n"
        "class Fade(Model): needs = ('return_30m',)\n"
        "class Odd(Model): needs = ('return_3m', 'moon')\n"
    )
    return path


def python(name: str, source: object) -> ModelSettings:
    return ModelSettings(name=name, kind="python", source=str(source))


def test_every_kind_but_scores_has_its_opener() -> None:
    assert set(OPENERS) == set(KINDS) - {"scores"}


def test_faults_of_all_models_come_at_once(source: Path) -> None:
    with pytest.raises(ConfigError) as fault:
        open_models(
            [
                python("gone", source.with_name("gone.py:Fade")),
                python("fade", f"{source}:Fade"),
                python("odd", f"{source}:Odd"),
                ModelSettings("net", "onnx", "net.onnx", "z", "30min", ("spread",)),
            ],
            KNOWN,
        )
    assert [finding.split(":")[0] for finding in fault.value.findings] == [
        "model gone",
        "model net",
        "model odd",
        "model odd",
    ]
    assert fault.value.findings[2].endswith(
        "return_3m is no feature of these bars. Did you mean return_30m?"
    )
    assert fault.value.findings[3].endswith("Known: return_30m, return_1d, spread.")


def test_a_zoo_waits_in_a_backtest_and_does_not_when_live(source: Path) -> None:
    settings = [python("fade", f"{source}:Fade")]
    waiting = open_zoo(settings, NAMES, KNOWN)
    live = open_zoo(settings, NAMES, KNOWN, live=True)
    assert [type(desk) for desk in (*waiting.desks, *live.desks)] == [AtOnce, Beside]
    given = features(NAMES, return_30m=0.5)
    assert waiting.at(given.asof, given).value.tolist() == [[0.5, 0.5]]
    assert live.at(given.asof, given).value.tolist() == [[0.5, 0.5]]


def test_a_reference_model_states_all_of_itself() -> None:
    settings = ModelSettings("mine", "reference", "reversal", version="1")
    (model,) = open_models([settings], ("return_30m", "realized_vol_1d"))
    assert (model.name, model.version, model.unit) == ("mine", "1", "z")
    assert model.needs == ("return_30m", "realized_vol_1d")


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"source": "reversl"}, "there is no reference model reversl. Did you mean reversal?"),
        ({"source": "x"}, "Known: reversal, momentum"),
        ({"version": "9"}, "is version 1, and 9 is expected"),
    ],
)
def test_a_reference_model_that_is_not_there(given: dict[str, str], part: str) -> None:
    settings = replace(ModelSettings("mine", "reference", "reversal"), **given)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=re.escape(part)):
        open_models([settings], KNOWN)


@pytest.mark.parametrize(
    ("kind", "suffix", "package", "extra"),
    [
        ("sklearn", "skops", "skops", "deadband[sklearn]"),
        ("onnx", "onnx", "onnxruntime", "deadband[onnx]"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_its_extra(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    suffix: str,
    package: str,
    extra: str,
) -> None:
    path = tmp_path / f"model.{suffix}"
    path.write_bytes(b"something")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=f"Install {extra}".replace("[", r"\[")):
        open_models([ModelSettings("m", kind, str(path), "z", "30min", ("spread",))], KNOWN)
