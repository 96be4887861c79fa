"""Reading fault scripts: what they may say, and what is said of those that cannot work."""

from __future__ import annotations

import ast
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from deadband import twsim
from deadband.core.errors import ConfigError
from deadband.twsim.fault_names import KINDS, FaultName
from deadband.twsim.faults import moment, parse_faults, read_faults
from deadband.twsim.mishaps import MISHAPS
from deadband.twsim.replies import KINDS_SENT

from ...kit.tws import MONDAY, at, fault, gateway

SCRIPT = """
[[fault]]
name = "order_lost"
nth = 3
symbol = "AAPL"

[[fault]]
name = "connectivity_lost"
at = "10:30"
seconds = 30
data_lost = true
"""


def test_a_script_is_read_from_toml_or_json(tmp_path: Path) -> None:
    toml, as_json = tmp_path / "s.toml", tmp_path / "s.json"
    toml.write_text(SCRIPT)
    entries = [
        {"name": "order_lost", "nth": 3, "symbol": "AAPL"},
        {"name": "connectivity_lost", "at": "10:30", "seconds": 30, "data_lost": True},
    ]
    as_json.write_text(json.dumps({"fault": entries}))
    assert (
        read_faults(toml)
        == read_faults(as_json)
        == (
            fault("order_lost", nth=3, symbol="AAPL"),
            fault("connectivity_lost", at="10:30", seconds=30, data_lost=True),
        )
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"name": "explode"}, "'explode' is no fault"),
        ({}, "None is no fault"),
        ({"name": "order_lost", "colour": 1}, "colour is not known"),
        ({"name": "order_lost", "nth": "third"}, "nth is 'third', expected int"),
        ({"name": "order_lost", "nth": True}, "nth is True"),
        ({"name": "order_lost", "lossy": 1}, "lossy is 1"),
        ({"name": "order_lost", "symbol": 5}, "symbol is 5"),
        ({"name": "restart"}, "has no `at`"),
        ({"name": "restart", "at": "soon"}, "at is 'soon'"),
        ({"name": "drop_message", "message": "everything"}, "message is 'everything'"),
    ],
)
def test_what_cannot_be_a_fault(entry: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as told:
        parse_faults({"fault": [entry]})
    assert said in str(told.value)
    assert str(told.value).startswith("fault 1: ")


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as told:
        parse_faults({"fault": [{"name": "x"}, {"name": "restart"}], "speed": 3})
    assert len(told.value.findings) == 3
    for wrong in ("{", "fault = 3"):
        bad = tmp_path / "bad.toml"
        bad.write_text(wrong)
        with pytest.raises(ConfigError):
            read_faults(bad)
    with pytest.raises(ConfigError, match="Check --faults"):
        read_faults(tmp_path / "absent.toml")


def test_instants_as_scripts_write_them() -> None:
    assert moment("", MONDAY) is None
    assert moment("10:30", MONDAY) == at("10:30")
    assert moment("2026-03-03T10:30", MONDAY) == at("10:30", date(2026, 3, 3))
    assert moment("2026-03-02T15:30:00+00:00", MONDAY) == datetime(2026, 3, 2, 15, 30, tzinfo=UTC)


def test_a_name_that_is_not_traded_would_never_strike() -> None:
    with pytest.raises(ConfigError, match="symbol 'NOPE' is not traded"):
        gateway(fault("order_lost", symbol="NOPE"))
    with pytest.raises(ConfigError, match="halt"):
        gateway(fault("halt", at="10:30"))


def test_every_name_has_a_kind_and_every_fault_in_time_a_deed() -> None:
    assert set(KINDS) == set(FaultName)
    timed = {name for name, kind in KINDS.items() if kind.strikes == "time"}
    assert set(MISHAPS) == timed
    assert all(kind.known_from and kind.does for kind in KINDS.values())


def test_the_names_of_messages_are_those_that_are_sent() -> None:
    """Every literal kind in the sources, and no other."""
    sent = set()
    for path in Path(twsim.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                called = getattr(node.func, "id", getattr(node.func, "attr", ""))
                first = node.args[0]
                if called in ("Message", "end_of", "_ends") and isinstance(first, ast.Constant):
                    sent.add(first.value)
    assert sent == KINDS_SENT


def test_accounts_need_names() -> None:
    with pytest.raises(ConfigError, match="names like DU1234567"):
        gateway(accounts=())
