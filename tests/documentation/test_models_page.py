"""docs/models.md: its code is run, its configuration opened, and every model of it speaks."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deadband.backtest.speakers import speakers
from deadband.core.model_settings import KINDS, ModelSettings
from deadband.core.reasons import Code
from deadband.core.settings import parse_settings
from deadband.feeds.simulated import simulated_market
from tests import kit
from tests.documentation.test_readme import ROOT, blocks
from tests.kit.models import features
from tests.unit.test_cli import call

PAGE = ROOT / "docs" / "models.md"
MARKET = simulated_market(kit.settings(), seed=1, names=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the page's code has run, in its order; a block that begins with a file's name is it."""
    folder, before, namespace = tmp_path_factory.mktemp("page"), Path.cwd(), {}
    os.chdir(folder)
    try:
        for block in blocks(PAGE, "python"):
            first = block.partition("\n")[0].removeprefix("# ")
            if first.endswith(".py"):
                Path(first).write_text(block, encoding="utf-8")
            else:
                exec(compile(block, PAGE.name, "exec"), namespace)
        yield folder
    finally:
        os.chdir(before)


def models() -> tuple[ModelSettings, ...]:
    return parse_settings("\n".join(blocks(PAGE, "toml")), {}).models


def test_every_kind_has_its_example(folder: Path) -> None:
    assert {model.kind for model in models()} == set(KINDS)


def test_every_model_on_the_page_opens_and_speaks(folder: Path) -> None:
    names = MARKET.tape.universe
    stated = {"asof": [kit.NOW], "symbol": [names.symbols[0]], "exp_bps": [12.0]}
    pd.DataFrame(stated).to_parquet("scores.parquet", index=False)
    source = speakers(kit.settings(models=models()), MARKET.tape, None).source
    rng = np.random.default_rng(1)
    measured = {need: rng.uniform(0.001, 0.01, len(names)) for need in source.needs}
    said = source.at(kit.NOW, features(names, **measured))
    assert said.troubles == ()
    assert sorted(said.models) == sorted(model.name for model in models())
    assert (said.defect == 0).any(axis=1).all()


def test_the_models_of_the_page_run_a_day_together(folder: Path) -> None:
    """In three units and two horizons, from one file; the file of scores knows other names."""
    tables = [block for block in blocks(PAGE, "toml") if '"scores"' not in block]
    Path("page.toml").write_text("\n".join(tables), encoding="utf-8")
    said = call("run", "--config", "page.toml", "--report", "page", "--json")
    assert said.code == 0, said.err
    told = said.json["models"]
    assert {name: one["unit"] for name, one in told.items()} == {
        **{"fade": "z", "reversal": "z", "follow": "return", "ridge": "return", "net": "return"},
    }
    assert all(one["silent"] < 10 for one in told.values())


def test_the_class_runs_from_the_command_line(folder: Path) -> None:
    said = call("run", "--model", "fade.py:Fade", "--report", "fade", "--json")
    assert said.code == 0, said.err
    assert said.json["models"]["Fade"]["silent"] < 10
    assert said.json["orders"] > 0


def test_every_code_of_the_models_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    assert [code for code in Code if code.startswith("MODEL_") and f"`{code}`" not in text] == []
