"""What a night costs, against IBKR's published examples, and never twice."""

from datetime import date, datetime

import numpy as np
import pytest

from deadband.core.carry import (
    Overnight,
    borrow_pct,
    collateral,
    credit_pct,
    has_nights,
    nights,
)
from deadband.core.config import Settings
from deadband.core.costs import CostSettings
from deadband.core.orders import Charge, ChargeKind
from deadband.core.ranges import range_faults
from deadband.core.session import session_on
from deadband.core.units import micros

GC = CostSettings(borrow_pct=0.25, borrow_names=("GME=12.5",))


def at(day: int, *, close: bool = False) -> datetime:
    session = session_on(date(2026, 3, day))
    assert session is not None
    return session.close if close else session.open


def charged(
    costs: CostSettings,
    cash: float = 0.0,
    until: int = 3,
    since: int = 2,
    **shares: int,
) -> dict[ChargeKind, float]:
    """USD by kind of one stretch, every share at 50.20; the second of March is a Monday."""
    held = Overnight(shares, dict.fromkeys(shares, 50.20), micros(cash))
    found: dict[ChargeKind, float] = {}
    for charge in nights(held, at(since, close=True), at(until), costs):
        found[charge.kind] = found.get(charge.kind, 0.0) + charge.amount_micro / 1e6
    return found


@pytest.mark.parametrize(
    ("price", "usd"), [(50.0, 51), (50.20, 52), (0.10, 1), (100.0, 102), (0.99, 2), (1.96, 2)]
)
def test_collateral_is_102_percent_rounded_up_to_a_dollar(price: float, usd: int) -> None:
    assert collateral(price) == usd


def test_a_short_pays_its_rate_on_its_collateral_over_360() -> None:
    assert charged(GC, AAPL=-100) == {
        ChargeKind.BORROW: pytest.approx(100 * 52 * 0.0025 / 360, abs=1e-6)
    }
    assert charged(GC, GME=-100)[ChargeKind.BORROW] == pytest.approx(5_200 * 0.125 / 360, abs=1e-6)


def test_a_weekend_costs_three_nights_and_a_long_position_none() -> None:
    one, three = charged(GC, AAPL=-100), charged(GC, since=6, until=9, AAPL=-100)
    assert three[ChargeKind.BORROW] == pytest.approx(3 * one[ChargeKind.BORROW], abs=3e-6)
    assert charged(GC, AAPL=100) == {}


def test_within_a_day_nothing_is_charged() -> None:
    held = Overnight({"AAPL": -100}, {"AAPL": 50.0}, 0)
    assert nights(held, at(2), at(2, close=True), GC) == ()


def test_the_published_example_of_interest_on_borrowed_money() -> None:
    # IBKR: 600,000 USD at a benchmark of 2.18 %: 10.22 + 44.17 USD a day.
    costs = CostSettings(financing=True, benchmark_pct=2.18)
    assert charged(costs, cash=-600_000.0) == {
        ChargeKind.DEBIT_INTEREST: pytest.approx(10.2222 + 44.1667, abs=1e-3)
    }


def test_the_published_example_of_interest_on_cash() -> None:
    # IBKR: 10,000 earn nothing, the rest the benchmark less half a percent.
    costs = CostSettings(credit=True, benchmark_pct=4.25)
    paid = charged(costs, cash=100_000.0)[ChargeKind.CREDIT_INTEREST]
    assert paid == pytest.approx(-9.375)
    assert charged(costs, cash=50_000.0)[ChargeKind.CREDIT_INTEREST] == pytest.approx(
        -40_000 * 0.0375 / 360 * 0.5, abs=1e-6
    )
    assert charged(costs, cash=10_000.0) == {}


def test_proceeds_of_short_sales_finance_nothing() -> None:
    """A book of 100,000 long and short has borrowed what its shares short lie as collateral."""
    costs = CostSettings(financing=True, benchmark_pct=3.6)
    proceeds = 1_000 * 50.20
    assert charged(costs, cash=proceeds, AAPL=-1_000)[ChargeKind.DEBIT_INTEREST] == pytest.approx(
        (52_000 - proceeds) * 0.051 / 360, abs=1e-6
    )
    assert charged(costs, cash=proceeds + 2_000.0, AAPL=-1_000) == {}


def test_by_default_nights_are_free() -> None:
    assert not has_nights(CostSettings())
    assert charged(CostSettings(), cash=-1e6, AAPL=-1_000) == {}
    assert borrow_pct(("AAPL",), CostSettings()) is None
    assert credit_pct(CostSettings()) == 0.0


def test_a_name_has_its_own_rate_and_others_the_usual_one() -> None:
    rates = borrow_pct(("AAPL", "GME"), GC)
    assert rates is not None
    assert np.array_equal(rates, [0.25, 12.5])


def test_a_charge_says_of_what_and_for_how_long() -> None:
    held = Overnight({"GME": -100}, {"GME": 50.20}, 0)
    [charge] = nights(held, at(6, close=True), at(9), GC)
    assert isinstance(charge, Charge)
    assert (charge.symbol, charge.days, charge.kind) == ("GME", 3, ChargeKind.BORROW)


@pytest.mark.parametrize(
    ("costs", "said"),
    [
        (CostSettings(plan="flat"), "costs.plan='flat' is expected to be one of: fixed, tiered."),
        (CostSettings(borrow_names=("GME",)), "costs.borrow_names has 'GME', expected a symbol"),
        (CostSettings(borrow_names=("GME=hard",)), "costs.borrow_names has 'GME=hard'"),
        (CostSettings(borrow_names=("GME=-1",)), "costs.borrow_names has 'GME=-1'"),
        (CostSettings(tier_shares=(1e5,)), "costs.tier_per_share has 5 rates for the 1 bounds"),
        (
            CostSettings(tier_shares=(3e5, 3e5, 1e6, 2e6)),
            "is expected to rise from above zero.",
        ),
        (CostSettings(debit_spread_pct=(1.5, 1.0, 0.75, -0.5)), "has a rate below zero"),
        (CostSettings(borrow_pct=-1.0), "costs.borrow_pct=-1 is below zero"),
    ],
)
def test_a_price_list_that_cannot_be_meant_is_refused_in_words(
    costs: CostSettings, said: str
) -> None:
    [fault] = [text for text in range_faults(Settings(costs=costs)) if said in text]
    assert fault.endswith((".", "GME=12.5."))
