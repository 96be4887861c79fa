"""The analysis of a run's journal against sums made from its reports by other code."""

import json
from pathlib import Path

import pytest
from tests.kit import settings
from tests.unit.test_cli import call

from deadband.backtest.ledger import read_ledger
from deadband.backtest.run import CYCLE, Run
from deadband.backtest.tca.journal import read_trades
from deadband.backtest.tca.shortfall import paper_less_real, shortfall
from deadband.backtest.tca.summary import analyze
from deadband.brokers.sim import SimBroker
from deadband.core.errors import JournalError
from deadband.feeds.simulated import simulated_market
from deadband.journal.store import JournalReader, JournalWriter


def journal(path: Path, bars: int = 40) -> Path:
    """Three hours and more of a simulated day of 24 names, worked by the router's choice."""
    made = settings(K=6, K_buy=5, K_sell=8, per_name_cap=0.05, algorithm="auto")
    market = simulated_market(made, 3, names=24)
    broker = SimBroker(market.tape.universe, made.execution, made.costs, market.tape.shortable)
    with JournalWriter(path) as writer:
        run = Run(made, market.tape, market.scores, broker, writer)
        day = market.tape.day(market.sessions[0])
        run.open(day.session.open)
        for k in range(1, bars + 1):
            run.bar(day, k)
        run.close(day)
        run.end(day.session.close)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return journal(tmp_path_factory.mktemp("tca") / "journal.db")


def test_fees_and_slippage_are_those_of_the_ledger(written: Path) -> None:
    ledger, recorded = read_ledger(written), read_trades(written)
    costs = [shortfall(trade) for trade in recorded.trades]
    assert len(recorded.trades) == sum(row.orders for row in ledger.rows)
    # The ledger counts fills up to its last cycle; the analysis those after it too.
    assert sum(cost.fees for cost in costs) >= ledger.fees - 1e-6 > 0
    trading = sum(cost.spread + cost.impact for cost in costs)
    assert trading == pytest.approx(
        sum(t.sign * float((t.price - t.arrival) @ t.qty) for t in recorded.trades), abs=1e-6
    )
    for trade, cost in zip(recorded.trades, costs, strict=True):
        assert cost.total == pytest.approx(paper_less_real(trade), abs=1e-9 * 1e6)
        assert cost.delay == 0.0, "a bar's decision and arrival are one moment"


def test_orders_keep_their_algorithm_and_reason(written: Path) -> None:
    analysis = analyze(written)
    by = {(group.by, group.name): group for group in analysis.groups}
    assert by["all", "all"].orders == analysis.orders > 20
    assert ("algorithm", "passive") in by
    assert sum(g.orders for (kind, _), g in by.items() if kind == "reason") == analysis.orders


def test_horizons_shorter_than_the_quotes_are_not_marked(written: Path) -> None:
    analysis = analyze(written)
    assert analysis.unmarked == (1, 10, 60)
    assert set(analysis.mark_outs) == {300, 1800}
    assert analysis.mark_outs[300][1] >= analysis.mark_outs[1800][1] > 0


def test_the_command_prints_a_table_and_an_object(written: Path) -> None:
    said = call("tca", written)
    assert said.code == 0
    assert "not marked: 1 s, 10 s, 60 s" in said.out
    assert "[costs]" in said.out
    told = call("tca", written, "--json").json
    assert told == json.loads(json.dumps(analyze(written).json()))
    whole = told["groups"][0]["bps"]
    parts = sum(whole[p]["value"] for p in ("delay", "spread", "impact", "opportunity", "fees"))
    assert parts == pytest.approx(whole["total"]["value"], abs=1e-9)


def test_a_journal_without_orders_has_no_costs(tmp_path: Path) -> None:
    empty = journal(tmp_path / "empty.db", bars=1)
    assert not read_trades(empty).trades
    with pytest.raises(JournalError, match="holds no order"):
        analyze(empty)


def test_sigma_of_a_day_is_the_one_that_costs_were_decided_with(written: Path) -> None:
    with JournalReader(written) as reader:
        told = {
            order.cl_ord_id: reader.value(entry.tree["risk"]).sigma_day[
                reader.value(entry.tree["seen"]["market"]).universe.index[order.symbol]
            ]
            for entry in reader.entries()
            if entry.kind == CYCLE
            for order in reader.value(entry.tree["plan"]).orders
        }
    trades = read_trades(written).trades
    assert trades
    for trade in trades:
        assert trade.sigma_day == pytest.approx(told[trade.order_id])
