"""The [broker] table: what cannot be meant is refused, and what is there is in the journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deadband.core.broker_settings import BrokerSettings, broker_faults
from deadband.core.config import Settings
from deadband.core.lint import lint
from deadband.core.settings import parse_settings
from deadband.journal.store import JournalReader, JournalWriter


def test_the_defaults_are_a_simulation_and_have_no_fault() -> None:
    broker = Settings().broker
    assert (broker.kind, broker.mode) == ("paper", "paper")
    assert list(broker_faults(broker)) == []


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"kind": "tws"}, "broker.kind='tws' is expected to be one of: paper, ibkr"),
        ({"mode": "real"}, "broker.mode='real' is expected to be one of: paper, live"),
        ({"port": 0}, "broker.port=0 is no port"),
        ({"client_id": -1}, "broker.client_id=-1"),
        ({"market_data_lines": 0}, "broker.market_data_lines=0"),
        ({"bar_min": 4.0}, "broker.bar_min=4"),
        ({"bar_min": 0.5}, "broker.bar_min=0.5"),
        ({"bar_min": 60.0}, "broker.bar_min=60"),
        ({"bar_min": float("nan")}, "broker.bar_min is nan"),
        ({"restart_at": "midnight"}, "broker.restart_at='midnight'"),
        ({"restart_at": "24:00"}, "broker.restart_at='24:00'"),
        ({"restart_at": "9:5"}, "broker.restart_at='9:5'"),
    ],
)
def test_what_cannot_be_meant_is_an_error(wrong: dict[str, object], text: str) -> None:
    settings = replace(Settings(), broker=BrokerSettings(**wrong))  # type: ignore[arg-type]
    errors = [doubt.text for doubt in lint(settings) if doubt.severity == "error"]
    assert any(text in error for error in errors), errors


def test_a_file_and_the_environment_say_it() -> None:
    text = '[broker]\nkind = "ibkr"\naccount = "DU1"\nrestart_at = "23:45"\nbar_min = 15\n'
    settings = parse_settings(text, {"DEADBAND_BROKER__ACCOUNT": "DU2"})
    assert settings.broker == BrokerSettings(
        kind="ibkr", account="DU2", restart_at="23:45", bar_min=15.0
    )
    assert lint(settings) == lint(Settings())


def test_the_journal_holds_it_with_nothing_lost(tmp_path: Path) -> None:
    broker = BrokerSettings(kind="ibkr", account="U1", mode="live", live_confirmation="U1")
    settings = replace(Settings(), broker=broker)
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        writer.append("SETTINGS", "", "", settings)
    with JournalReader(path) as reader:
        [entry] = reader.entries()
        assert reader.value(entry.tree) == settings
