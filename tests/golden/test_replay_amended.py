"""A day on which orders at work are raised and reduced, as every reader of its journal sees it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deadband.backtest.explain import explain
from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay as replayed
from deadband.backtest.run import CYCLE, REPORTS
from deadband.backtest.tca.journal import read_trades
from deadband.backtest.tca.shortfall import paper_less_real, shortfall
from deadband.core.orders import ExecType, Replacement
from deadband.core.reasons import Code
from deadband.core.types import CycleRecord
from deadband.journal.store import JournalReader
from tests.kit import settings

from .test_replay import rewritten, short_day


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So little of the volume may fill that orders are at work when the next decision comes."""
    made = settings(
        engine="qp",
        K=6,
        K_buy=5,
        K_sell=8,
        per_name_cap=0.05,
        lambda_risk=10.0,
        min_ticket_usd=0.0,
        max_fill_participation=0.002,
    )
    return short_day(tmp_path_factory.mktemp("amended") / "journal.db", 3, made)


def entries(path: Path, kind: str) -> list[Any]:
    with JournalReader(path) as journal:
        return [journal.value(entry.tree) for entry in journal.entries() if entry.kind == kind]


def changes(path: Path) -> list[tuple[CycleRecord, Replacement, int]]:
    """Each change with its cycle and the quantity that it found."""
    found = []
    for record in entries(path, CYCLE):
        there = {one.order.cl_ord_id: one.order.order_qty for one in record.state.working}
        found += [(record, one, there[one.cl_ord_id]) for one in record.plan.replaces]
    return found


def test_orders_are_raised_and_reduced_and_the_day_is_decided_again_to_the_last_bit(
    day: Path,
) -> None:
    sizes = [change.order_qty - before for _, change, before in changes(day)]
    assert min(sizes) < 0 < max(sizes)
    assert len(sizes) > 10
    assert replayed(day).differences == ()


def test_a_forged_change_is_a_difference(day: Path, tmp_path: Path) -> None:
    def more(kind: str, value: Any) -> Any:
        if kind != CYCLE or not value.plan.replaces:
            return value
        first, *others = value.plan.replaces
        forged = replace(first, order_qty=first.order_qty + 1)
        return replace(value, plan=replace(value.plan, replaces=(forged, *others)))

    found = replayed(rewritten(day, tmp_path / "forged.db", more)).differences
    assert found and "plan.replaces[0].order_qty" in {one.field for one in found}


def test_the_broker_makes_every_change_and_none_is_lost(day: Path) -> None:
    told = [report for reports in entries(day, REPORTS) for report in reports]
    made = [(r.cl_ord_id, r.order_qty, r.price) for r in told if r.exec_type is ExecType.REPLACED]
    assert made == [
        (change.cl_ord_id, change.order_qty, change.price) for _, change, _ in changes(day)
    ]
    assert not any(report.exec_type is ExecType.CANCEL_REJECTED for report in told)


def test_the_ledger_counts_changes_and_its_books_tie(day: Path) -> None:
    ledger = read_ledger(day)
    summary = ledger.summary()
    assert summary["changes"] == len(changes(day))
    assert summary["orders"] == sum(len(record.plan.orders) for record in entries(day, CYCLE))
    raised = sum(change.order_qty > before for _, change, before in changes(day))
    assert sum(ledger.trades_by_reason.values()) == summary["orders"] + raised
    assert summary["nav_off_by_a_cent"] == summary["limit_breaches"] == 0
    assert summary["statements"] == summary["statements_agree"] == 1


def test_the_shortfall_of_a_changed_order_is_that_of_its_pieces(day: Path) -> None:
    """Paper buys each piece at the mid of its own decision, and gives up what is taken off."""
    trades = {trade.order_id: trade for trade in read_trades(day).trades}
    mids = {record.cycle_id: record.seen.market.mid for record in entries(day, CYCLE)}
    wanted: dict[str, int] = {}
    paid: dict[str, float] = {}
    for record in entries(day, CYCLE):
        for order in record.plan.orders:
            wanted[order.cl_ord_id] = order.order_qty
            paid[order.cl_ord_id] = order.order_qty * order.arrival
    for record, change, before in changes(day):
        more = max(0, change.order_qty - before)
        name = record.state.universe.index[trades[change.cl_ord_id].symbol]
        wanted[change.cl_ord_id] += more
        paid[change.cl_ord_id] += more * float(mids[record.cycle_id][name])
    for ref, trade in trades.items():
        assert trade.order_qty == wanted[ref] >= trade.filled
        assert trade.notional == pytest.approx(paid[ref])
        assert shortfall(trade).total == pytest.approx(paper_less_real(trade), abs=1e-6)
        assert shortfall(trade).delay == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("sign", "verb", "code"),
    [(1, "raised", Code.ORDER_RAISED), (-1, "reduced", Code.ORDER_REDUCED)],
)
def test_explain_says_what_became_of_the_order(day: Path, sign: int, verb: str, code: Code) -> None:
    record, change, before = next(
        one for one in changes(day) if sign * (one[1].order_qty - one[2]) > 0
    )
    there = {one.order.cl_ord_id: one.order.symbol for one in record.state.working}
    found = explain(day, there[change.cl_ord_id], record.cycle_id)
    said = f"Its working order was {verb} {before} → {change.order_qty} ({code})."
    assert said in found.sentence
    assert any(what == "note" and str(code) in text for what, text in found.facts)


def test_explain_without_a_time_finds_the_last_change_of_a_name(day: Path) -> None:
    record, change, _ = changes(day)[-1]
    there = {one.order.cl_ord_id: one.order.symbol for one in record.state.working}
    assert explain(day, there[change.cl_ord_id]).cycle_id >= record.cycle_id
