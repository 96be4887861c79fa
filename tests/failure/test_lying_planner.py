"""A planner made to lie, from one end of a run to the other: the gate stops what it invents.

Two hours are run with the planner as it is, and with planners that change every plan; what filled,
and what the broker states, says whether anything of it left.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deadband import cycle
from deadband.backtest.explain import explain
from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.backtest.run import CYCLE, REPORTS
from deadband.core.orders import ExecType, Replacement, Side
from deadband.core.reasons import Code
from deadband.core.types import Plan
from deadband.execute.plan import plan as honest
from deadband.journal.store import JournalReader
from tests.golden.test_replay import CYCLES, short_day
from tests.kit import settings

MADE = settings(K=6, K_buy=5, K_sell=8, per_name_cap=0.05)


def lying(change: Callable[[Plan, Any], Plan]) -> Callable[..., Plan]:
    def planner(universe: Any, *rest: Any) -> Plan:
        return change(honest(universe, *rest), universe)

    return planner


def tenfold(plan: Plan, _: Any) -> Plan:
    """Ten times what was decided."""
    return replace(
        plan, orders=tuple(replace(one, order_qty=one.order_qty * 10) for one in plan.orders)
    )


def other_way(plan: Plan, _: Any) -> Plan:
    """Buys what is to be sold, and sells short what is to be bought."""
    flipped = {Side.BUY: Side.SELL_SHORT, Side.SELL: Side.BUY, Side.SELL_SHORT: Side.BUY}
    return replace(plan, orders=tuple(replace(one, side=flipped[one.side]) for one in plan.orders))


def twice(plan: Plan, _: Any) -> Plan:
    """Everything again, under ids of its own."""
    again = tuple(replace(one, cl_ord_id=one.cl_ord_id + "x") for one in plan.orders)
    return replace(plan, orders=plan.orders + again)


def at_any_price(plan: Plan, _: Any) -> Plan:
    return replace(
        plan,
        orders=tuple(
            replace(one, price=round(one.price * (2.0 if one.side is Side.BUY else 0.5), 2))
            for one in plan.orders
        ),
    )


def another_name(plan: Plan, universe: Any) -> Plan:
    """The right order, for the name beside it."""
    symbols = universe.symbols
    return replace(
        plan,
        orders=tuple(
            replace(one, symbol=symbols[universe.index[one.symbol] - 1]) for one in plan.orders
        ),
    )


LIES: dict[Callable[[Plan, Any], Plan], set[Code]] = {
    tenfold: {Code.GATE_MORE_THAN_DECIDED, Code.GATE_POSITION},
    other_way: {Code.GATE_NOT_DECIDED},
    twice: {Code.GATE_DUPLICATE, Code.GATE_MORE_THAN_DECIDED},
    at_any_price: {Code.GATE_COLLAR},
    another_name: {Code.GATE_NOT_DECIDED, Code.GATE_COLLAR},
}


def test_an_honest_planner_is_not_denied_once(tmp_path: Path) -> None:
    ledger = read_ledger(short_day(tmp_path / "honest.db", made=MADE))
    assert ledger.denied == {} and sum(row.orders for row in ledger.rows) > 30


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_lie_does_not_leave(
    lie: Callable[[Plan, Any], Plan],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cycle, "plan", lying(lie))
    path = short_day(tmp_path / "lied.db", made=MADE)
    ledger = read_ledger(path)
    summary = ledger.summary()
    assert set(ledger.denied) <= {code.value for code in LIES[lie]}
    assert summary["denied"] and summary["limit_breaches"] == 0
    assert summary["statements_agree"] == 1
    if lie is twice:
        # Every order left once: the day is the honest one.
        honest_day = read_ledger(short_day(tmp_path / "honest.db", made=MADE))
        assert [row.nav for row in ledger.rows] == [row.nav for row in honest_day.rows]
    else:
        assert summary["fills"] == 0
    # The record shows what was denied, and is decided again to the last bit by the same planner.
    assert replay(path).differences == () and replay(path).cycles == CYCLES
    with JournalReader(path) as journal:
        plans = [journal.value(e.tree["plan"]) for e in journal.entries() if e.kind == CYCLE]
    assert sum(len(plan.denied) for plan in plans) == sum(ledger.denied.values())
    denied = next(plan.denied[0] for plan in plans if plan.denied)
    said = explain(path, denied.symbol, denied.decision_id).sentence
    assert "The gate denied its order: GATE_" in said
    assert [one for plan in plans for one in plan.orders if one.cl_ord_id.endswith("x")] == []


def test_changes_that_nobody_decided_do_not_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every order at work ten times as large, and a change of one that is not there."""

    def planner(universe: Any, *rest: Any) -> Plan:
        made, working = honest(universe, *rest), rest[3]
        raises = tuple(
            Replacement(one.order.cl_ord_id, one.order.order_qty * 10, one.order.price)
            for one in working
        )
        return replace(made, replaces=(Replacement("ghost", 5, 100.0), *raises))

    monkeypatch.setattr(cycle, "plan", planner)
    slow = settings(K=6, K_buy=5, K_sell=8, per_name_cap=0.05, max_fill_participation=5e-4)
    path = short_day(tmp_path / "lied.db", made=slow)
    ledger = read_ledger(path)
    assert ledger.summary()["changes"] == 0
    assert ledger.denied[Code.GATE_CHANGE] >= CYCLES
    assert ledger.denied[Code.GATE_NOT_DECIDED] > 10
    with JournalReader(path) as journal:
        told = [r for e in journal.entries() if e.kind == REPORTS for r in journal.value(e.tree)]
    assert not any(report.exec_type is ExecType.REPLACED for report in told)
    assert replay(path).differences == ()
