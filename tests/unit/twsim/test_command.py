"""`deadband gateway`: what it serves from its options, and what it refuses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deadband import cli
from deadband.core.errors import ConfigError
from deadband.core.session import EXCHANGE_ZONE
from deadband.twsim import server
from deadband.twsim.timeline import first_instant
from deadband.twsim.world import GatewaySettings

from ...kit.tws import at

NOW = datetime(2026, 3, 2, 18, tzinfo=UTC)
BARS = """ts,symbol,open,high,low,close,volume,bid,ask
2026-03-02T14:30:00Z,AAPL,100,104,98,102,6000,101.9,102.1
2026-03-02T14:35:00Z,AAPL,102,103,99,100,6000,99.9,100.1
2026-03-02T14:30:00Z,ZZZ,10,11,9,10,600,9.9,10.1
2026-03-02T14:35:00Z,ZZZ,10,11,9,10,600,9.9,10.1
"""
Served = Callable[..., tuple[GatewaySettings, str, int, float]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """What the command would serve."""

    def call(*arguments: object) -> tuple[GatewaySettings, str, int, float]:
        told: list[tuple[GatewaySettings, str, int, float]] = []
        monkeypatch.setattr(server, "serve", lambda *built: told.append(built))
        monkeypatch.setattr(sys, "argv", ["deadband", "gateway", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 0
        return told[0]

    return call


def test_options_become_settings(served: Served, tmp_path: Path) -> None:
    script = tmp_path / "faults.toml"
    script.write_text('[[fault]]\nname = "order_lost"\n')
    settings, host, port, speed = served(
        *("--port", 5000, "--account", "DU1", "--account", "DU2", "--seed", 3, "--cash", 5000),
        *("--faults", script, "--start", "2026-03-02T10:00", "--speed", 60, "--master", 9),
    )
    assert (host, port, speed) == ("127.0.0.1", 5000, 60)
    assert settings.accounts == ("DU1", "DU2")
    assert settings.start == at("10:00")
    assert (settings.seed, settings.cash_usd, settings.master) == (3, 5000, 9)
    assert [fault.name for fault in settings.faults] == ["order_lost"]


def test_without_options_it_is_now_with_one_account(served: Served) -> None:
    settings, *_ = served()
    assert settings.accounts == ("DU1234567",)
    assert abs((settings.start - datetime.now(UTC)).total_seconds()) < 60


def test_a_bars_file_gives_names_prices_and_the_first_instant(
    served: Served, tmp_path: Path
) -> None:
    bars = tmp_path / "bars.csv"
    bars.write_text(BARS)
    settings, *_ = served("--bars", bars)
    assert settings.start == at("09:30")
    assert [contract.symbol for contract in settings.contracts] == ["AAPL", "ZZZ"]
    assert settings.market is not None
    assert settings.market.mid(settings.contracts[0], at("09:35")) == 102
    assert settings.market.half_quote(settings.contracts[0], 102.0, at("09:31")) == pytest.approx(
        0.1
    )
    told, *_ = served("--bars", bars, "--start", "2026-03-02T09:33")
    assert told.start == at("09:33")


def test_instants_of_the_command_line() -> None:
    assert first_instant("", NOW) == NOW
    assert first_instant("2026-03-02T13:00", NOW) == NOW
    assert first_instant("2026-03-02T18:00+00:00", NOW) == NOW
    assert first_instant("2026-03-02T13:00", NOW).tzinfo is EXCHANGE_ZONE
    with pytest.raises(ConfigError, match="is no instant"):
        first_instant("Monday", NOW)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--host", "0.0.0.0"), "is not this machine"),
        (("--start", "Monday"), "is no instant"),
        (("--faults", "absent.toml"), "Check --faults"),
    ],
)
def test_what_cannot_be_served_ends_with_two_and_a_cure(
    wrong: tuple[str, ...],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["deadband", "gateway", *wrong])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_the_gateways_price_list_comes_from_the_settings(served: Served, tmp_path: Path) -> None:
    config = tmp_path / "deadband.toml"
    config.write_text('[costs]\nplan = "tiered"\nborrow_pct = 0.25\n')
    settings, *_ = served("--config", config)
    assert (settings.costs.plan, settings.costs.borrow_pct) == ("tiered", 0.25)
