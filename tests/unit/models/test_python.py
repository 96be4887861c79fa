"""Models in Python: found, imported, made, and asked what they state of themselves."""

import sys
from pathlib import Path
from typing import Any

import pytest

from deadband.core.errors import ConfigError
from deadband.core.model_settings import ModelSettings, content_version
from deadband.core.seen import Universe
from deadband.models.python import open_python
from tests.kit.models import features

NAMES = Universe.of(("AAA", "BBB"))
SOURCE = '''\
class Fade:
    """What went up comes back."""
    version, unit, horizon_min, needs = "1.2", "bps", 30, ["return_30m"]

    def score(self, features):
        return -1e4 * features.rows(self.needs)[0]


def follow(features):
    return features.rows(("return_30m",))[0] / 0.01


class Silent:
    def __init__(self):
        raise RuntimeError("no licence")


NUMBER = 5
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


def settings(source: object, **given: Any) -> ModelSettings:
    return ModelSettings(name="mine", kind="python", source=str(source), **given)


def refusal(source: object, **given: Any) -> str:
    with pytest.raises(ConfigError) as fault:
        open_python(settings(source, **given))
    (finding,) = fault.value.findings
    assert finding.startswith("model mine: ")
    return finding.removeprefix("model mine: ")


def test_a_class_states_all_of_itself(source: Path) -> None:
    model = open_python(settings(f"{source}:Fade", budget_ms=50.0))
    assert (model.name, model.unit, model.horizon_min) == ("mine", "bps", 30.0)
    assert model.needs == ("return_30m",) and model.budget_ms == 50.0
    assert model.version == f"1.2+{content_version(SOURCE.encode())}"
    given = features(NAMES, return_30m={"AAA": 0.001, "BBB": -0.002})
    assert model.score(given).tolist() == pytest.approx([-10.0, 20.0])


FOLLOW: dict[str, Any] = {"unit": "z", "horizon": "2h", "features": ("return_30m",)}


def test_a_function_is_described_by_the_configuration(source: Path) -> None:
    model = open_python(settings(f"{source}:follow", **FOLLOW))
    assert (model.unit, model.horizon_min, model.needs) == ("z", 120.0, ("return_30m",))
    assert model.version == content_version(SOURCE.encode())
    assert model.score(features(NAMES, return_30m=0.02)).tolist() == [2.0, 2.0]


def test_the_version_follows_the_file(source: Path) -> None:
    before = open_python(settings(f"{source}:Fade")).version
    source.write_text(SOURCE + "# changed\n")
    after = open_python(settings(f"{source}:Fade")).version
    assert after != before and after.startswith("1.2+")
    assert open_python(settings(f"{source}:Fade", version="1.2")).version == after
    assert "and 1.3 is expected" in refusal(f"{source}:Fade", version="1.3")


def test_a_model_of_a_module(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(source.parent)
    model = open_python(settings("mine:Fade"))
    assert model.version == f"1.2+{content_version(SOURCE.encode())}"
    monkeypatch.delitem(sys.modules, "mine")


def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package with an entry point had been installed."""
    package = folder / "house_models-3.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: house-models\nVersion: 3.0\n")
    (package / "entry_points.txt").write_text("[deadband.models]\nfade = mine:Fade\n")
    monkeypatch.syspath_prepend(folder)


def test_a_model_by_entry_point(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(source.parent, monkeypatch)
    assert open_python(settings("fade")).needs == ("return_30m",)
    assert "no entry point fde of deadband.models; known: fade" in refusal("fde")
    monkeypatch.delitem(sys.modules, "mine")


def test_without_any_entry_point_that_is_said() -> None:
    assert "none is installed" in refusal("fade")


@pytest.mark.parametrize(
    ("name", "given", "part"),
    [
        ("Fad", {}, "has no Fad. Did you mean Fade?"),
        ("NUMBER", {}, "is a int and cannot be called"),
        ("Silent", {}, "cannot be opened (RuntimeError: no licence)"),
        ("follow", {}, "does not state its unit. Give unit in its [[models]] table"),
        ("follow", {"unit": "z"}, "does not state its horizon"),
        ("follow", {"unit": "z", "horizon": "1d"}, "does not state its features"),
        ("Fade", {"unit": "z"}, "states unit bps, and the configuration says z. Drop unit there"),
        ("Fade", {"horizon": "1d"}, "states horizon 30, and the configuration says 390.0"),
        ("Fade", {"features": ("spread",)}, "states features ('return_30m',), and"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_the_cure(
    source: Path, name: str, given: dict[str, Any], part: str
) -> None:
    assert part in refusal(f"{source}:{name}", **given)


def test_agreement_is_no_contradiction(source: Path) -> None:
    agreed = {"unit": "bps", "horizon": "30min", "features": ("return_30m",)}
    assert open_python(settings(f"{source}:Fade", **agreed)).unit == "bps"


def stating(values: str) -> str:
    return f"class A:\n    unit, horizon_min, needs = {values}\n    score = len\n"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("def f(:\n", "SyntaxError"),
        ("import nowhere_to_be_found\n", "ModuleNotFoundError"),
        ("raise SystemExit(4)\n", "SystemExit: 4"),
        (
            "class A:\n    unit, horizon_min, needs = 'pct', 1.0, ()\n    score = len\n",
            "unit 'pct'",
        ),
    ],
)
def test_a_file_that_does_not_run_is_refused(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "bad.py"
    path.write_text(text)
    assert part in refusal(f"{path}:A")
    assert not [
        name for name in sys.modules if name.startswith("deadband_model_bad") and "SyntaxE" in part
    ]


def test_a_file_that_failed_is_run_again_when_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "later.py"
    path.write_text("import waiting_for_it\ndef follow(features): return [0.0]\n")
    assert "ModuleNotFoundError" in refusal(f"{path}:follow", **FOLLOW)
    (tmp_path / "waiting_for_it.py").write_text("")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        assert open_python(settings(f"{path}:follow", **FOLLOW)).unit == "z"
    del sys.modules["waiting_for_it"]


def test_a_file_or_module_that_is_not_there(tmp_path: Path) -> None:
    assert "No such file" in refusal(f"{tmp_path / 'gone.py'}:Fade")
    assert "ModuleNotFoundError" in refusal("gone_module:Fade")
