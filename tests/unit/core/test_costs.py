"""What a trade costs: commissions to the cent, spreads with a floor, impact by the square root."""

from dataclasses import replace

import numpy as np
import pytest

from deadband.core.costs import (
    CostSettings,
    commission,
    half_spread,
    impact,
    one_way_bps,
    spread_curve,
)

FIXED = CostSettings()


def one(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([value])


@pytest.mark.parametrize(
    ("shares", "price", "usd"),
    [
        (1000, 50.0, 5.00),
        (100, 25.0, 1.00),
        (200, 25.0, 1.00),
        (201, 25.0, 1.005),
        # The 1 % maximum holds below the minimum too: 10 shares at 0.20 are 2 dollars.
        (10, 0.20, 0.02),
        (1000, 0.25, 2.50),
        (-1000, 50.0, 5.00),
        (0, 50.0, 0.0),
    ],
)
def test_ibkr_fixed_commissions(shares: int, price: float, usd: float) -> None:
    assert commission(shares, price, FIXED) == pytest.approx(usd, abs=1e-12)


def test_a_scale_moves_commissions_with_everything_else() -> None:
    assert commission(1000, 50.0, CostSettings(scale=0.5)) == pytest.approx(2.50)
    assert commission(1000, 50.0, CostSettings(scale=0.0)) == 0.0


def test_spreads_are_widest_at_the_open_and_wider_again_at_the_close() -> None:
    assert spread_curve(0.0, 390.0) == pytest.approx(3.0)
    assert spread_curve(195.0, 390.0) == pytest.approx(1.0, abs=1e-4)
    assert spread_curve(390.0, 390.0) == pytest.approx(1.3)
    assert spread_curve(-30.0, 390.0) == spread_curve(0.0, 390.0)


def test_a_stock_of_a_hundred_million_a_day_is_two_bps_wide() -> None:
    half = half_spread(one(500.0), one(1e8), one(0.01), curve=1.0, scale=1.0)
    assert half == pytest.approx([0.5 * 500.0 * 2e-4])


def test_a_quarter_of_the_volume_is_twice_as_wide() -> None:
    wide = half_spread(one(500.0), one(2.5e7), one(0.01), curve=1.0, scale=1.0)
    assert wide == pytest.approx([0.5 * 500.0 * 4e-4])


def test_a_spread_is_a_tick_at_least_and_nothing_at_scale_zero() -> None:
    assert half_spread(one(10.0), one(1e10), one(0.01), 1.0, 1.0) == pytest.approx([0.005])
    assert half_spread(one(10.0), one(1e10), one(0.01), 1.0, 0.0).tolist() == [0.0]


def test_four_times_the_shares_have_twice_the_impact_whichever_the_side() -> None:
    adv, sigma = np.full(3, 1e6), np.full(3, 0.02)
    few, many, sold = impact(np.array([100.0, 400.0, -400.0]), adv, sigma, FIXED)
    assert few == pytest.approx(0.7 * 0.02 * 0.01)
    assert many == pytest.approx(2 * few)
    assert sold == many


def test_a_name_that_never_traded_has_impact_that_is_finite() -> None:
    assert np.isfinite(impact(one(100.0), one(0.0), one(0.02), FIXED)).all()


def test_one_way_cost_is_half_a_spread_impact_and_commission() -> None:
    # 10,000 dollars at 50 are 200 shares: 1 dollar of commission, which is 1 bp.
    cost = one_way_bps(one(50.0), one(4.0), one(2e6), one(0.02), 10_000.0, FIXED)
    assert cost == pytest.approx([2.0 + 0.7 * 200.0 * 0.01 + 1.0])


def test_one_way_cost_agrees_with_the_commission_that_will_be_billed() -> None:
    free = CostSettings(impact=0.0)
    for price in (0.3, 4.0, 50.0, 700.0):
        shares = round(10_000.0 / price)
        billed = commission(shares, price, free) / (shares * price) * 1e4
        asked = one_way_bps(one(price), one(0.0), one(1e6), one(0.02), shares * price, free)
        assert asked == pytest.approx([billed])


def test_a_name_without_a_price_costs_something_finite() -> None:
    assert np.isfinite(one_way_bps(one(0.0), one(0.0), one(0.0), one(0.02), 1e4, FIXED)).all()


def test_a_measured_share_of_the_spread_is_what_a_trade_is_taken_to_pay() -> None:
    asked = one(50.0), one(4.0), one(2e6), one(0.02), 10_000.0
    whole = one_way_bps(*asked, FIXED)
    rested = one_way_bps(*asked, replace(FIXED, spread_paid=-0.5))
    assert whole - rested == pytest.approx([3.0])
    free = replace(FIXED, spread_paid=-1.0, impact=0.0)
    assert one_way_bps(*asked, free) == [0.0], "a trade is never worth making for its spread"
