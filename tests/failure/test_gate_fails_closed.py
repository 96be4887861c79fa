"""Whatever goes wrong inside the gate, or is missing for it, nothing leaves by it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deadband import cycle
from deadband.core.orders import Order
from deadband.core.reasons import Code
from deadband.core.types import Plan
from deadband.execute import gate as gate_module
from deadband.execute.checks import single
from deadband.execute.gate import gate
from tests import kit
from tests.kit.gate import NAMES, asked, buy, said, sell

HELD = kit.portfolio(NAMES, shares={"S0001": 500})


def raising(*_: Any) -> Any:
    raise ZeroDivisionError("planted")


def test_a_check_that_fails_denies_its_order_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def picky(desk: Any, k: int) -> Any:
        return raising() if desk.orders[k].symbol == "S0000" else None

    monkeypatch.setattr(gate_module, "EVERY", (picky, *single.EVERY))
    passed = gate(asked(buy(), sell("S0001"), book=HELD))
    assert said(passed) == {buy().cl_ord_id: Code.GATE_FAILED}


@pytest.mark.parametrize("part", ["Desk", "Weights", "breaches", "shortfalls", "priced"])
def test_whatever_else_fails_denies_everything(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, part, raising)
    judged = asked(buy(), sell("S0001"), book=HELD, cancels=("old",))
    passed = gate(judged)
    assert passed.orders == () and passed.denied == judged.plan.orders
    assert {note.code for note in passed.notes} == {Code.GATE_FAILED}
    assert {note.counterpart for note in passed.notes} == {"ZeroDivisionError"}
    assert passed.cancels == ("old",), "cancels only make the book safer"


BROKEN: dict[str, Order] = {
    "no price": buy(price=None),
    "a text for a price": buy(price="100"),
    "no quantity": buy(qty=None),  # type: ignore[arg-type]
    "half a share": buy(qty=0.5),  # type: ignore[arg-type]
    "NaN shares": buy(qty=float("nan")),  # type: ignore[arg-type]
    "a yes for a quantity": buy(qty=True),
    "no symbol": buy(None),  # type: ignore[arg-type]
    "no decision": buy(decision_id=None),
    "more shares than a number holds": buy(qty=2**80),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_order_that_is_none_is_denied_and_the_exit_beside_it_leaves(case: str) -> None:
    target = np.array([1.0, 0.0, 0.0, 0.0])
    judged = asked(BROKEN[case], sell("S0001", 500), book=HELD, target=target)
    passed = gate(judged)
    assert [one.symbol for one in passed.orders] == ["S0001"]
    assert len(passed.denied) == len(passed.notes) == 1


def test_a_side_that_is_none_denies_everything() -> None:
    passed = gate(asked(buy(side="SIDEWAYS"), sell("S0001", 500), book=HELD, target=np.zeros(4)))
    assert passed.orders == () and len(passed.denied) == 2
    assert {note.code for note in passed.notes} == {Code.GATE_FAILED}


@pytest.mark.parametrize("missing", ["seen", "state", "decision", "settings", "universe"])
def test_a_missing_input_denies_everything(missing: str) -> None:
    judged = asked(buy(), sell("S0001"), book=HELD)
    assert len(gate(judged).orders) == 2
    passed = gate(replace(judged, **{missing: None}))
    assert passed.orders == () and passed.denied == judged.plan.orders
    assert {note.code for note in passed.notes} == {Code.GATE_FAILED}


def test_a_working_order_of_an_unknown_name_stops_everything() -> None:
    """Its worst case cannot be counted."""
    judged = asked(buy())
    foreign = kit.working("w", "GHOST", decision_id="0")
    passed = gate(replace(judged, state=replace(judged.state, working=(foreign,))))
    assert said(passed) == {buy().cl_ord_id: Code.GATE_FAILED}


def test_a_step_whose_gate_fails_sends_nothing_and_is_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = kit.universe(30)
    seen = kit.seen(names, scores=kit.scores(names, {"S0003": 3.0, "S0004": 2.5}))
    state = kit.state(names)
    _, sane = cycle.step(kit.settings(), state, seen)
    assert sane.plan.orders
    monkeypatch.setattr(gate_module, "Weights", raising)
    after, record = cycle.step(kit.settings(), state, seen)
    assert record.plan.orders == () and record.plan.denied == sane.plan.orders
    assert after.working == () and after.sent.count == 0 and after.turnover_today == 0.0


def test_an_empty_plan_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_module, "Weights", raising)
    assert gate(asked()) == Plan((), (), ())
