"""What a live run is made of is checked before anything connects."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from deadband.core.broker_settings import BrokerSettings
from deadband.core.config import DataSettings, Settings
from deadband.core.errors import ConfigError, DataError
from deadband.core.model_settings import ModelSettings
from deadband.live.prepare import prepare
from tests.kit.feed import clean

NOW = datetime(2026, 3, 9, 15, 2, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "scores.csv").write_text(
        "asof,symbol,z\n2026-03-09T14:30:00Z,SIM001,1\n2026-03-09T14:30:00Z,SIM002,-1\n"
    )
    (tmp_path / "names.csv").write_text(
        "symbol,sector,no_short,shortable\nSIM002,Retail,0,1\nSIM001,Health,1,0\n"
    )
    return tmp_path


def settings(folder: Path, bar_min: float = 5.0, **data: str) -> Settings:
    given = {"scores": str(folder / "scores.csv"), "score_column": "z", "score_unit": "z"} | data
    broker = BrokerSettings(kind="ibkr", account="DU1", bar_min=bar_min)
    return replace(Settings(), broker=broker, data=DataSettings(**given))  # type: ignore[arg-type]


def test_names_come_from_the_listing_and_the_market_symbol_is_for_risk_only(files: Path) -> None:
    of = prepare(settings(files, universe=str(files / "names.csv"), market="SPY"), NOW)
    assert of.tape.universe.symbols == ("SIM002", "SIM001", "SPY")
    assert of.tape.universe.traded.tolist() == [True, True, False]
    assert of.tape.shortable.tolist() == [True, False, True]
    assert of.tape.universe.group_names == ("Health", "Retail")
    assert dict(of.tape.days) == {} and of.tape.bar_min == 5.0
    assert of.settings.policy.no_short == ("SIM001",)
    # Orders are of the account that is traded, or the gate would deny them.
    assert of.settings.execution.account == "DU1"
    assert of.scores.at(NOW, None).value.tolist() == [[-1.0, 1.0, 0.0]]


def test_a_file_of_bars_is_the_past_up_to_now(files: Path) -> None:
    bars = files / "bars.parquet"
    clean(2, 7).to_parquet(bars, index=False)
    of = prepare(settings(files, bars=str(bars)), NOW)
    days = sorted(of.tape.days)
    assert days[-1] == NOW.date()
    today = of.tape.days[days[-1]].close
    ended = int((NOW - NOW.replace(hour=13, minute=30)) / timedelta(minutes=5)) + 1
    assert np.isnan(today[ended:]).all() and not np.isnan(today[: ended - 1]).any()
    with pytest.raises(ConfigError, match="bars of 5 minutes, and broker.bar_min is 1"):
        prepare(settings(files, 1.0, bars=str(bars)), NOW)


def test_everything_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        prepare(replace(Settings(), broker=BrokerSettings(kind="ibkr", account="DU1")), NOW)
    assert [text.split("?")[0] for text in raised.value.findings] == [
        "there are no scores. Give --scores FILE or --model MODEL, or scores in the config's "
        "[data], or models in [[models]] tables.",
        "which names are traded",
    ]


def test_models_ask_for_features_and_answer_within_their_budget(files: Path) -> None:
    model = ModelSettings(name="reversal", kind="reference", source="reversal")
    given = settings(files, universe=str(files / "names.csv"), scores="")
    of = prepare(replace(given, models=(model,)), NOW)
    assert of.measure.needs == of.scores.needs == ("return_30m", "realized_vol_1d")
    assert of.measure.tape is of.tape


def test_files_that_cannot_be_read_and_settings_that_cannot_work_are_refused(files: Path) -> None:
    names = str(files / "names.csv")
    (files / "scores.csv").write_text("asof,symbol,z\n")
    with pytest.raises(DataError, match="no rows"):
        prepare(settings(files, universe=names), NOW)
    broken = settings(files, universe=names)
    broken = replace(broken, optimize=replace(broken.optimize, K_buy=99))
    with pytest.raises(ConfigError, match="K_buy=99"):
        prepare(broken, NOW)
