"""Three sessions of a book with shorts and cash: what nights cost and earn, from scratch.

The charges are reckoned again from the journal's own fills and closes with IBKR's rules as written
on paper, and must be in every witness of the books: fold, ledger, broker and report.
"""

from dataclasses import replace
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.backtest.report import render
from deadband.backtest.run import Run
from deadband.backtest.tca.journal import read_trades
from deadband.brokers.sim import SimBroker
from deadband.core.config import Settings
from deadband.core.costs import CostSettings
from deadband.core.orders import Charge, ChargeKind, ExecutionReport, Side
from deadband.feeds.simulated import SimulatedMarket, simulated_market
from deadband.journal.store import JournalReader, JournalWriter

from ..kit import settings

COSTS = CostSettings(
    plan="tiered",
    month_shares=299_000.0,
    borrow_pct=0.25,
    borrow_names=("SIM003=9",),
    financing=True,
    credit=True,
)
TWO_SIDED = settings(
    **{"K": 6, "K_buy": 6, "K_sell": 8, "K_short": 6, "per_name_cap": 0.2, "sector_cap": 1.0},
    **{"max_net_exposure": 1.0, "max_gross_exposure": 2.6, "max_turnover": 1.0},
    **{"max_turnover_per_name": 0.2, "open_clamp_min": 0.0},
)
SESSIONS = 3


def played(path: Path, made: Settings) -> tuple[SimulatedMarket, Run]:
    """From a Thursday to a Monday, so that one of the two nights is a weekend."""
    market = simulated_market(made, 5, names=24, days=6)
    broker = SimBroker(market.tape.universe, made.execution, made.costs, market.tape.shortable)
    with JournalWriter(path) as writer:
        run = Run(made, market.tape, market.scores, broker, writer)
        first = next(k for k, s in enumerate(market.sessions) if s.day.weekday() == 3)
        run.over(market.sessions[first : first + SESSIONS], lambda _: None)
    return market, run


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulatedMarket, Run]:
    path = tmp_path_factory.mktemp("nights") / "journal.db"
    return path, *played(path, replace(TWO_SIDED, costs=COSTS))


def batches(path: Path) -> list[tuple[Any, ...]]:
    with JournalReader(path) as journal:
        return [journal.value(e.tree) for e in journal.entries() if e.kind == "REPORTS"]


def test_every_charge_is_what_the_rules_say_of_the_book_at_the_close(
    week: tuple[Path, SimulatedMarket, Run],
) -> None:
    path, market, _ = week
    cash, shares, nights = 1_000_000.0, dict[str, int](), []
    for batch in batches(path):
        charges = [one for one in batch if isinstance(one, Charge)]
        if charges:
            nights.append((charges, dict(shares), cash))
        for one in batch:
            if isinstance(one, Charge):
                cash -= one.amount_micro / 1e6
            elif isinstance(one, ExecutionReport) and one.last_qty:
                signed = one.last_qty * (1 if one.side is Side.BUY else -1)
                shares[one.symbol] = shares.get(one.symbol, 0) + signed
                cash -= signed * one.last_px + one.fee_micro / 1e6
    assert [charges[0].days for charges, *_ in nights] == [1, 3]
    days = {s.day: market.tape.day(s) for s in market.sessions}
    for day, (charges, held, before) in zip(
        (date(2026, 3, 12), date(2026, 3, 13)), nights, strict=True
    ):
        bars = days[day]
        close = dict(zip(market.tape.universe.symbols, bars.bar(len(bars)).close, strict=True))
        collateral = {s: ceil(1.02 * close[s] - 1e-9) * -q for s, q in held.items() if q < 0}
        told = {one.symbol: one.amount_micro for one in charges if one.kind is ChargeKind.BORROW}
        assert told.keys() == collateral.keys()
        for symbol, value in collateral.items():
            rate = 0.09 if symbol == "SIM003" else 0.0025
            assert told[symbol] == round(charges[0].days * value * rate / 360 * 1e6)
        [interest] = [one for one in charges if one.kind is not ChargeKind.BORROW]
        free = before - sum(collateral.values())
        # Buys are held to the cash there is: this book never borrows money, and earns on the rest.
        assert interest.kind is ChargeKind.CREDIT_INTEREST
        paid = charges[0].days * (free - 10_000) * 0.031 / 360
        assert interest.amount_micro == pytest.approx(-paid * 1e6, abs=2)


def test_the_books_close_with_what_nights_cost(week: tuple[Path, SimulatedMarket, Run]) -> None:
    path, _, run = week
    ledger = read_ledger(path)
    charges = [one for batch in batches(path) for one in batch if isinstance(one, Charge)]
    assert ledger.cycles_off_by_a_cent == 0
    assert ledger.statements_agree == ledger.statements == SESSIONS
    assert run.state.book.cash_micro == run.broker.statement().cash_micro
    assert ledger.carry == pytest.approx(sum(one.amount_micro for one in charges) / 1e6)
    assert ledger.carry == pytest.approx(sum(ledger.carry_by_kind.values()))
    assert ledger.carry_by_kind["BORROW"] > 3
    assert ledger.carry_by_kind["CREDIT_INTEREST"] < -50
    assert [bool(row.carry) for row in ledger.rows].count(True) == SESSIONS - 1
    assert ledger.summary()["carry"] == ledger.carry


def test_charges_are_replayed_to_the_last_bit(week: tuple[Path, SimulatedMarket, Run]) -> None:
    replayed = replay(week[0])
    assert (replayed.cycles, replayed.differences) == (78 * SESSIONS, ())


def test_a_report_says_what_nights_cost(week: tuple[Path, SimulatedMarket, Run]) -> None:
    page = render(read_ledger(week[0]), "Nights", "")
    assert "Overnight: fees for borrowed shares" in page
    assert "Overnight: interest on cash" in page


def test_fees_of_trades_are_the_tiered_lists_and_no_night_is_among_them(
    week: tuple[Path, SimulatedMarket, Run],
) -> None:
    path, _, run = week
    trades = read_trades(path).trades
    assert sum(trade.fees for trade in trades) == pytest.approx(run.state.book.fees_micro / 1e6)
    # The account is long beyond its first tier; some fills meet the open, some have waited.
    bought = [t for t in trades if t.sign > 0 and t.filled][60:]
    rates = []
    for trade in bought:
        own = max(0.35, 0.002 * trade.filled) * 1.000735
        rates.append((trade.fees - own) / trade.filled - 0.0002)
        if len(trade.qty) == 1:
            assert rates[-1] == pytest.approx(0.003 if rates[-1] > 0 else -0.002, abs=1e-6)
    assert -0.002 - 1e-6 < min(rates) < 0.0025
    assert max(rates) == pytest.approx(0.003, abs=1e-5)


def test_by_default_no_night_costs_anything_and_the_report_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    played(path, TWO_SIDED)
    assert not [one for batch in batches(path) for one in batch if isinstance(one, Charge)]
    assert "Overnight" not in render(read_ledger(path), "Nights", "")


def test_the_optimizer_is_told_the_rate_that_will_be_charged(tmp_path: Path) -> None:
    made = replace(TWO_SIDED, costs=COSTS, engine="qp")
    market = simulated_market(made, 5, names=24)
    broker = SimBroker(market.tape.universe, made.execution, made.costs, market.tape.shortable)
    with JournalWriter(tmp_path / "journal.db") as writer:
        run = Run(made, market.tape, market.scores, broker, writer)
        day = market.tape.day(market.sessions[0])
        run.open(day.session.open)
        problem = run.bar(day, 1).proposal.problem
    assert problem.borrow is not None
    place = market.tape.universe.index["SIM003"]
    others = np.delete(problem.borrow, place)
    assert problem.borrow[place] == pytest.approx(36 * others[0])
    assert others == pytest.approx(others[0])
    assert problem.cash_yield > 0
