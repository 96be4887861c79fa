"""The table of IBKR's numbers: whole, documented both ways, and open to a user's own view."""

import re
from pathlib import Path

import pytest

from deadband.brokers.ibkr.codes import EFFECTS, RULES, Codes, Effect, is_read_only
from deadband.brokers.ibkr.numbers import ACTS
from deadband.core.events import Severity

PAGE = (Path(__file__).parents[4] / "docs" / "ibkr-codes.md").read_text(encoding="utf-8")


def test_every_number_stands_on_the_page_and_the_page_has_no_other() -> None:
    rows = re.findall(r"^\| (\d+) \| (\w+) \| (\w+) \| (.*) \| (\w+) \|$", PAGE, re.M)
    written = {int(code): rest for code, *rest in rows}
    assert len(rows) == len(written)
    assert written == {
        code: [rule.severity, rule.effect, rule.meaning, rule.origin]
        for code, rule in RULES.items()
    }


def test_every_effect_is_explained_and_has_a_number() -> None:
    assert set(EFFECTS) == set(Effect)
    assert {rule.effect for rule in RULES.values()} == set(Effect)
    assert set(ACTS) <= set(Effect)


def test_the_numbers_of_public_incidents_do_no_harm() -> None:
    for code in (399, 2109, 2137, 10311, 10329, 10349):
        assert RULES[code].effect is Effect.NOTE
    for code in (135, 136, 161, 10147, 10148):
        assert RULES[code].effect is Effect.CANCEL_REFUSED
    assert RULES[103].effect is Effect.COLLISION
    assert RULES[202].effect is Effect.CANCELED
    assert RULES[404].effect is Effect.HELD


def test_a_number_nobody_knows_asks_and_changes_nothing() -> None:
    rule = Codes().rule(99_999)
    assert (rule.effect, rule.severity) == (Effect.ASK, Severity.WARNING)


def test_a_user_may_give_a_number_another_effect() -> None:
    codes = Codes({201: Effect.NOTE, 99_999: Effect.REFUSED})
    assert codes.rule(201).effect is Effect.NOTE
    assert codes.rule(99_999).effect is Effect.REFUSED
    assert codes.rule(110) == RULES[110]


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        ("The API interface is currently in Read-Only mode.", True),
        ("cause - read only", True),
        ("cause - price is -1", False),
    ],
)
def test_read_only_is_read_from_the_text(text: str, is_it: bool) -> None:
    assert is_read_only(text) is is_it
