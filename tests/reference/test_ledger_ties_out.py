"""The ledger's figures from scratch: the journal's reports and quotes, and arithmetic on paper.

Nothing here uses the ledger's code: reports are added up in exact fractions, weights are taken from
shares and marks, fees from IBKR's price list, and every figure of `summary()` has to agree.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from deadband.backtest.ledger import read_ledger
from deadband.core.orders import ExecType, ExecutionReport, Side
from deadband.core.reasons import BY_NUMBER
from deadband.core.types import CycleRecord
from deadband.journal.store import JournalReader

CENT = Fraction(1, 100)


@dataclass
class Paper:
    """What a clerk would note down, cycle after cycle; money in exact dollars."""

    cash: Fraction = Fraction(0)
    shares: Counter[str] = field(default_factory=Counter)
    filled: dict[str, list[ExecutionReport]] = field(default_factory=lambda: defaultdict(list))
    arrival: dict[str, float] = field(default_factory=dict)
    navs: list[Fraction] = field(default_factory=list)
    stated_navs: list[float] = field(default_factory=list)
    gross: list[float] = field(default_factory=list)
    net: list[float] = field(default_factory=list)
    largest: list[float] = field(default_factory=list)
    turnover: float = 0.0
    slippage: float = 0.0
    traded_since: float = 0.0
    trades: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    closed: int = 0
    raises: int = 0
    statement: dict[str, Any] = field(default_factory=dict)


def dollars(price: float) -> Fraction:
    """A price on a tick, as the decimal it stands for."""
    return Fraction(repr(price))


def entries(path: Path) -> Iterator[tuple[str, Any]]:
    with JournalReader(path) as journal:
        for entry in journal.entries():
            yield entry.kind, journal.value(entry.tree)


def book_reports(paper: Paper, reports: tuple[ExecutionReport, ...]) -> None:
    for report in reports:
        if report.exec_type is not ExecType.TRADE:
            continue
        signed = report.last_qty if report.side is Side.BUY else -report.last_qty
        before = paper.shares[report.symbol]
        paper.shares[report.symbol] += signed
        paper.closed += before != 0 and paper.shares[report.symbol] * before <= 0
        paper.cash -= signed * dollars(report.last_px) + Fraction(report.fee_micro, 10**6)
        paper.filled[report.cl_ord_id].append(report)
        paper.traded_since += report.last_qty * report.last_px
        paper.slippage += signed * (report.last_px - paper.arrival[report.cl_ord_id])


def note_changes(paper: Paper, record: CycleRecord) -> None:
    """A raise is a trade of its own: what is left of the order was decided at both mids."""
    market, index = record.seen.market, record.state.universe.index
    there = {one.order.cl_ord_id: one for one in record.state.working}
    for change in record.plan.replaces:
        old = there[change.cl_ord_id]
        k, left = index[old.order.symbol], old.order.order_qty - old.cum_qty
        more = change.order_qty - old.order.order_qty
        if more > 0:
            mid = float(market.bid[k] + market.ask[k]) / 2
            before = paper.arrival[change.cl_ord_id]
            paper.arrival[change.cl_ord_id] = (left * before + more * mid) / (left + more)
            paper.trades[BY_NUMBER[int(record.decision.code[k])].value] += 1
            paper.raises += 1


def note_cycle(paper: Paper, record: CycleRecord) -> None:
    symbols, marks = record.state.universe.symbols, record.seen.market.last.tolist()
    mark = dict(zip(symbols, marks, strict=True))
    value = {s: qty * dollars(mark[s]) for s, qty in paper.shares.items()}
    nav = paper.cash + sum(value.values())
    paper.navs.append(nav)
    paper.stated_navs.append(record.seen.portfolio.nav)
    weights = [float(v / nav) for v in value.values()]
    paper.gross.append(sum(map(abs, weights)))
    paper.net.append(sum(weights))
    paper.largest.append(max(map(abs, weights), default=0.0))
    paper.turnover += paper.traded_since / float(nav)
    paper.traded_since = 0.0
    note_changes(paper, record)
    for order in record.plan.orders:
        paper.trades[order.reason] += 1
        bid, ask = record.seen.market.bid, record.seen.market.ask
        k = record.state.universe.index[order.symbol]
        paper.arrival[order.cl_ord_id] = float(bid[k] + ask[k]) / 2
    wanted, now = record.decision.target.tolist(), record.seen.portfolio.weights.tolist()
    for code, to, at in zip(record.decision.code.tolist(), wanted, now, strict=True):
        if to == at:
            paper.held[BY_NUMBER[code].value] += 1


@pytest.fixture(scope="module")
def paper(journal_to_tie_out: Path) -> Paper:
    paper = Paper()
    for kind, value in entries(journal_to_tie_out):
        if kind == "RUN":
            paper.cash = Fraction(value["settings"].execution.capital_usd)
        elif kind == "REPORTS":
            book_reports(paper, value)
        elif kind == "CYCLE":
            note_cycle(paper, value)
        elif kind == "STATEMENT":
            paper.statement = value
    return paper


@pytest.fixture(scope="module")
def summary(journal_to_tie_out: Path) -> dict[str, Any]:
    return read_ledger(journal_to_tie_out).summary()


def ibkr_fixed(shares: int, value: Fraction) -> Fraction:
    """Half a cent a share, at least one dollar, at most one percent of the order's value."""
    return min(max(Fraction(shares, 200), Fraction(1)), value / 100)


def test_cash_and_positions_are_the_nav_to_the_cent_in_every_cycle(
    paper: Paper, summary: dict[str, Any]
) -> None:
    for nav, stated in zip(paper.navs, paper.stated_navs, strict=True):
        assert abs(nav - Fraction(stated)) < CENT / 2
    assert summary["nav_off_by_a_cent"] == 0
    assert summary["cycles"] == len(paper.navs) >= 78


def test_every_order_paid_the_fixed_commission_once(paper: Paper, summary: dict[str, Any]) -> None:
    total = Fraction(0)
    for fills in paper.filled.values():
        shares = sum(fill.last_qty for fill in fills)
        owed = ibkr_fixed(shares, sum(f.last_qty * dollars(f.last_px) for f in fills))
        paid = Fraction(sum(fill.fee_micro for fill in fills), 10**6)
        assert abs(paid - owed) <= Fraction(1, 10**6), fills[0].cl_ord_id
        total += owed
    assert summary["fees"] == pytest.approx(float(total), abs=0.005)


def test_profit_costs_and_turnover_agree(paper: Paper, summary: dict[str, Any]) -> None:
    assert summary["nav_start"] == pytest.approx(float(paper.navs[0]), abs=0.005)
    assert summary["nav_end"] == pytest.approx(float(paper.navs[-1]), abs=0.005)
    assert summary["pnl"] == pytest.approx(float(paper.navs[-1] - paper.navs[0]), abs=0.01)
    assert summary["slippage"] == pytest.approx(paper.slippage, abs=0.005)
    assert summary["costs"] == pytest.approx(summary["fees"] + paper.slippage, abs=0.005)
    assert summary["turnover_l1"] == pytest.approx(paper.turnover, rel=1e-9)
    assert summary["turnover_one_way"] == pytest.approx(paper.turnover / 2, rel=1e-9)


def test_profit_is_gains_on_the_marks_less_costs(paper: Paper, journal_to_tie_out: Path) -> None:
    # P&L = what positions and trades gained against the decision mids, less slippage and fees.
    gains, paid, before, held = 0.0, 0.0, {}, Counter[str]()
    arrival: dict[str, float] = {}
    for kind, value in entries(journal_to_tie_out):
        if kind == "REPORTS":
            for fill in (report for report in value if report.last_qty):
                signed = fill.side.sign * fill.last_qty
                held[fill.symbol] += signed
                # Traded at the decision's mid, carried from the last mark on like the rest.
                gains += signed * (before[fill.symbol] - arrival[fill.cl_ord_id])
                paid += signed * (fill.last_px - arrival[fill.cl_ord_id]) + fill.fee_micro / 1e6
        elif kind == "CYCLE":
            marks = value.seen.market.last.tolist()
            mark = dict(zip(value.state.universe.symbols, marks, strict=True))
            gains += sum(qty * (mark[s] - before[s]) for s, qty in held.items())
            before = mark
            arrival |= {order.cl_ord_id: order.arrival for order in value.plan.orders}
    assert gains - paid == pytest.approx(float(paper.navs[-1] - paper.navs[0]), abs=0.01)


def test_exposures_agree(paper: Paper, summary: dict[str, Any]) -> None:
    assert summary["max_gross"] == pytest.approx(max(paper.gross), rel=1e-9)
    assert summary["max_abs_net"] == pytest.approx(max(map(abs, paper.net)), rel=1e-9)
    assert summary["max_abs_weight"] == pytest.approx(max(paper.largest), rel=1e-9)
    within = summary["max_gross"] <= 0.3 + 5e-4
    assert within or summary["limit_excursions"], "the defaults bind net, so a long book's gross"
    assert summary["limit_breaches"] == 0


def test_counts_agree(paper: Paper, summary: dict[str, Any]) -> None:
    assert summary["trades_by_reason"] == dict(paper.trades)
    assert summary["held_by_reason"] == dict(paper.held)
    assert summary["orders"] + paper.raises == paper.trades.total()
    assert summary["orders"] == len(paper.arrival)
    assert summary["fills"] == sum(map(len, paper.filled.values()))
    assert summary["round_trips"] == paper.closed
    assert len(paper.trades) >= 4, "a day of one reason proves little"


def test_the_brokers_own_books_are_the_sum_of_its_reports(
    paper: Paper, summary: dict[str, Any]
) -> None:
    assert dict(paper.statement["shares"]) == {s: q for s, q in paper.shares.items() if q}
    assert Fraction(paper.statement["cash_micro"], 10**6) == paper.cash
    assert summary["statements"] == summary["statements_agree"] == summary["sessions"]
    assert summary["complete"] is True
