"""docs/gate.md names every code of the gate, every setting, and the defaults as they are."""

import re
from dataclasses import fields
from pathlib import Path

from deadband.core.gate_settings import GateSettings
from deadband.core.reasons import Code

PAGE = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")


def test_every_code_of_the_gate_is_on_the_page_and_no_other() -> None:
    named = set(re.findall(r"`((?:GATE|KILL)_[A-Z_]+)`", PAGE))
    assert named == {code for code in Code if code.startswith("GATE_")} | {"KILL_UNREADABLE"}


def test_the_defaults_on_the_page_are_the_defaults() -> None:
    told = dict(re.findall(r"`(\w+) = \"?([\w.]+)\"?`", PAGE.split("## What is proved")[0]))
    assert len(told) >= 10
    for name, value in told.items():
        default = getattr(GateSettings(), name)
        assert str(default) == value or float(value) == default, name


def test_every_limit_without_a_name_on_the_page_has_its_default_there() -> None:
    gate = GateSettings()
    row = next(line for line in PAGE.splitlines() if "GATE_SIZE_NAV" in line)
    assert f"`{gate.max_order_shares:_.0f}`, `5e6`, `{gate.max_order_nav:g}`" in row
    assert gate.max_order_usd == 5e6
    assert f"`{gate.max_orders_per_s:g}`, `{gate.max_orders_per_min:g}`" in PAGE
    assert f"`{gate.max_orders_day:_.0f}`, `{gate.max_day_nav:g}` × NAV" in PAGE
    assert {field.name for field in fields(GateSettings) if field.name.startswith("uneven")} == {
        "uneven",
        "uneven_beta",
    }
