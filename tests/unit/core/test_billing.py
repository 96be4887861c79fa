"""What an order owes, against the examples of IBKR's own price lists, number by number."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from deadband.core.billing import Bill, Month, added_share, filled, owed, owed_at_most
from deadband.core.costs import CostSettings, commission, one_way_bps

TIERED = CostSettings(plan="tiered")
EXAMPLE = replace(TIERED, sec_per_million_usd=8.0, taf_max=7.27)
"""The rates of the day of IBKR's comparison page: 30,000,000 shares sold at 5 USD."""
MILLIONS = 30_000_000
# 1,050 + 5,400 + 25,500 + 10,000 by tiers, 6,000 of clearing, 1,200 of the SEC, 30.83 passed
# through and 7.27 of FINRA.
ALL_BUT_VENUES = 41_950.0 + 6_000.0 + 1_200.0 + 30.83 + 7.27


@pytest.mark.parametrize(
    ("added", "venue_usd", "total"),
    [(0.0, 90_000.0, 139_188.10), (1.0, -63_000.0, -13_811.90)],
    ids=["removed", "added"],
)
def test_the_published_example_of_the_tiered_list(
    added: float, venue_usd: float, total: float
) -> None:
    costs = replace(EXAMPLE, add_per_share=-0.0021)
    bill = filled(MILLIONS, 5.0, 0.0, added, costs)
    assert bill.tiers == pytest.approx(41_950.0)
    assert bill.venues == pytest.approx(venue_usd)
    assert owed(bill, costs, sells=True) == pytest.approx(total, abs=0.005)
    assert venue_usd + ALL_BUT_VENUES == pytest.approx(total, abs=0.005)


def test_the_published_example_of_the_fixed_list() -> None:
    fixed = CostSettings(regulatory=True, sec_per_million_usd=8.0, taf_max=7.27)
    assert owed_at_most(MILLIONS, 5.0, fixed, sells=True) == pytest.approx(151_207.27)
    assert owed_at_most(200_000, 5.0, fixed, sells=True) == pytest.approx(1_015.27)


def test_the_published_example_of_a_smaller_sale() -> None:
    # 700 + 600 of the exchange + 40 + 8 + 0.51 + 7.27.
    assert owed_at_most(200_000, 5.0, EXAMPLE, sells=True) == pytest.approx(1_355.78, abs=0.006)


@pytest.mark.parametrize(
    ("shares", "price", "own"),
    [
        (10, 50.0, 0.35),  # the minimum
        (100, 25.0, 0.35),
        (101, 25.0, 0.3535),
        (1_000, 50.0, 3.5),
        (10, 0.2, 0.02),  # 1 % of two dollars
    ],
)
def test_the_brokers_own_part_of_a_purchase(shares: int, price: float, own: float) -> None:
    alone = replace(TIERED, remove_per_share=0.0, clearing_per_share=0.0, pass_through=0.0)
    assert owed_at_most(shares, price, alone) == pytest.approx(own)


def test_each_share_has_the_rate_of_its_place_in_the_month() -> None:
    # IBKR's own: of 400,000 shares the first 300,000 at 0.0035 and 100,000 at 0.002.
    assert filled(400_000, 50.0, 0.0, 0.0, TIERED).tiers == pytest.approx(1_050.0 + 200.0)
    assert filled(100_000, 50.0, 300_000.0, 0.0, TIERED).tiers == pytest.approx(200.0)
    assert filled(2, 50.0, 299_999.0, 0.0, TIERED).tiers == pytest.approx(0.0035 + 0.002)


def test_a_minimum_is_paid_once_an_order() -> None:
    first = filled(30, 50.0, 0.0, 0.0, TIERED)
    second = first + filled(40, 50.0, 30.0, 0.0, TIERED)
    more = owed(second, TIERED, sells=False) - owed(first, TIERED, sells=False)
    assert more == pytest.approx(40 * (0.003 + 0.0002))


def test_rebates_may_be_more_than_everything_else() -> None:
    late = replace(TIERED, month_shares=150e6)
    bill = filled(100_000, 50.0, late.month_shares, 1.0, late)
    assert owed(bill, late, sells=False) < 0


def test_a_bust_takes_out_what_its_fill_had_added() -> None:
    one, other = filled(30, 50.0, 0.0, 0.0, TIERED), filled(40, 51.0, 30.0, 1.0, TIERED)
    left = one + other + -other
    assert (left.shares, left.value_micro) == (one.shares, one.value_micro)
    assert owed(left, TIERED, sells=True) == pytest.approx(owed(one, TIERED, sells=True))
    assert owed(Bill(), TIERED, sells=True) == 0.0


def test_a_month_begins_on_new_yorks_clocks() -> None:
    month = Month(1_000.0)
    assert month.before(datetime(2026, 3, 31, 15, tzinfo=UTC), 10) == 1_000.0
    # Four in the morning in Greenwich is still the evening of the 31st in New York.
    assert month.before(datetime(2026, 4, 1, 3, 59, tzinfo=UTC), 5) == 1_010.0
    assert month.before(datetime(2026, 4, 1, 14, tzinfo=UTC), 7) == 0.0
    assert month.before(datetime(2026, 4, 2, 14, tzinfo=UTC), 1) == 7.0


@pytest.mark.parametrize("spread_paid", [1.0, 0.0, -1.0])
@pytest.mark.parametrize("month_shares", [0.0, 5e6, 200e6])
def test_the_optimizer_expects_what_is_billed(month_shares: float, spread_paid: float) -> None:
    costs = replace(
        TIERED, impact=0.0, spread_paid=spread_paid, month_shares=month_shares, add_per_share=0.001
    )
    one = np.array([1.0])
    for price in (4.0, 50.0, 700.0):
        shares = round(10_000.0 / price)
        bill = filled(shares, price, month_shares, added_share(costs), costs)
        mean = (owed(bill, costs, sells=False) + owed(bill, costs, sells=True)) / 2
        billed = mean / (shares * price) * 1e4
        asked = one_way_bps(one * price, one * 0.0, one * 1e6, one * 0.02, shares * price, costs)
        assert asked == pytest.approx([billed])


def test_what_buys_reserve_is_never_less_than_what_is_billed() -> None:
    costs = replace(TIERED, month_shares=50e6)
    for shares in (1, 100, 10_000):
        bill = filled(shares, 20.0, costs.month_shares, 0.5, costs)
        assert commission(shares, 20.0, costs) >= owed(bill, costs, sells=False)
