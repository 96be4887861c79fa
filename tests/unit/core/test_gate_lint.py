"""Settings of the gate that cannot be meant, are no limits, or deny what the mandate asks for."""

from dataclasses import fields, replace
from typing import Any

import pytest
from tests import kit

from deadband.core.config import Settings
from deadband.core.gate_settings import SANE, SANE_LEAST, GateSettings
from deadband.core.lint import lint

GATE = {field.name for field in fields(GateSettings)}


def said(severity: str, **given: Any) -> list[str]:
    """Settings of the gate by their names, others as in kit.settings."""
    own = {name: given.pop(name) for name in GATE & given.keys()}
    made = kit.settings(**({"lambda_risk": 10.0, "gamma_cost": 0.0125} | given))
    found = lint(replace(made, gate=GateSettings(**own)))
    return [doubt.text for doubt in found if doubt.severity == severity]


def test_the_defaults_are_sane() -> None:
    assert not [doubt for doubt in lint(Settings()) if "gate." in doubt.text]


@pytest.mark.parametrize("name", SANE)
def test_a_limit_beyond_what_is_sane_is_a_warning(name: str) -> None:
    assert said("warning", **{name: SANE[name]}) == []
    (text,) = said("warning", **{name: SANE[name] * 1.01})
    assert text.startswith(f"gate.{name}=") and f"Set it to {SANE[name]:g} or less." in text


@pytest.mark.parametrize("name", SANE_LEAST)
def test_a_requirement_below_what_is_sane_is_a_warning(name: str) -> None:
    (text,) = said("warning", **{name: SANE_LEAST[name] * 0.99})
    assert text.startswith(f"gate.{name}=") and f"Set it to {SANE_LEAST[name]:g} or more." in text


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"max_order_nav": 0.04}, "gate.max_order_nav=0.04 denies orders"),
        ({"hedge_symbol": "SPY", "hedge_cap": 0.4}, "or hedge_cap allow (0.4 of NAV)"),
        ({"capital_usd": 2e8}, "gate.max_order_usd=5e+06 denies orders of 1e+07 USD"),
        (
            {"daily_loss": 0.01},
            "=0.01 stops all growth before policy.daily_loss=0.02",
        ),
        ({"uneven": 0.1}, "gate.uneven=0.1 is below max_turnover=0.2"),
        ({"account_type": "cash", "hedge_symbol": "SPY"}, "gate.account_type is cash"),
    ],
)
def test_a_gate_against_the_mandate_is_a_warning(given: dict[str, Any], part: str) -> None:
    assert any(part in text for text in said("warning", **given)), said("warning", **given)


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"collar_bps": 0.0}, "gate.collar_bps=0 has to be above zero"),
        ({"uneven": -0.1}, "gate.uneven=-0.1 is below zero"),
        ({"max_order_nav": 30.0}, "gate.max_order_nav=30 is 3000%: is it a percentage?"),
        ({"account_type": "portfolio"}, "expected to be one of: margin, cash"),
        ({"max_day_nav": float("nan")}, "gate.max_day_nav is nan"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], part: str) -> None:
    assert any(part in text for text in said("error", **given)), said("error", **given)
