"""The simulated broker's prices and fees, number by number and for all inputs."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.brokers.sim import SimBroker
from deadband.core.config import ExecutionSettings
from deadband.core.costs import CostSettings
from deadband.core.orders import ExecutionReport, Order, Side
from tests.contract.broker import bar, fills
from tests.kit import NOW, order, universe

ONE = universe(1)


def filled(sent: Order, costs: CostSettings | None = None, **given: float) -> list[ExecutionReport]:
    """What one order gets in one bar."""
    broker = SimBroker(ONE, ExecutionSettings(), costs or CostSettings(), np.array([True]))
    broker.submit((sent,), NOW)
    return fills(broker.advance(bar(ONE, **given)))


def test_the_price_is_open_half_spread_and_square_root_impact_to_the_next_cent() -> None:
    # 0.7 · 0.02 · √(400 / 1,000,000) = 2.8 bps of 100 dollars; with half a spread of 2 cents 4.8.
    (fill,) = filled(order(order_qty=400, price=101.0))
    assert fill.last_px == 100.05


def test_without_frictions_the_price_is_the_open() -> None:
    (fill,) = filled(order(order_qty=400, price=101.0), CostSettings(scale=0.0), half_spread=0.0)
    assert (fill.last_px, fill.fee_micro) == (100.0, 0)


def test_an_order_that_impact_would_push_past_its_limit_fills_at_the_limit() -> None:
    (fill,) = filled(order(order_qty=400, price=100.03))
    assert fill.last_px == 100.03


@pytest.mark.parametrize(
    ("side", "limit", "bar_"),
    [
        (Side.BUY, 99.0, {"low": 99.0}),
        (Side.SELL_SHORT, 101.0, {"high": 101.0}),
    ],
)
def test_a_limit_that_only_the_mid_reached_does_not_fill(
    side: Side, limit: float, bar_: dict[str, float]
) -> None:
    assert not filled(order(side=side, price=limit), **bar_)


def test_the_maximum_commission_holds_below_the_minimum() -> None:
    (fill,) = filled(order(order_qty=10, price=1.50), open=1.2, low=1.1, high=1.3, half_spread=0.01)
    assert fill.fee_micro == round(0.01 * 10 * fill.last_px * 1e6)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    side=st.sampled_from([Side.BUY, Side.SELL_SHORT]),
    qty=st.integers(1, 5000),
    open_=st.floats(0.3, 400.0),
    up=st.floats(0.0, 0.03),
    down=st.floats(0.0, 0.03),
    half_bps=st.floats(0.0, 30.0),
    limit_bps=st.integers(-200, 200),
)
def test_no_fill_is_ever_better_than_the_market_it_met(
    side: Side, qty: int, open_: float, up: float, down: float, half_bps: float, limit_bps: int
) -> None:
    # Never past the limit, never inside half a spread of the best mid, and at the open's cost or
    # at the limit itself: nothing is given away.
    sign, half = side.sign, open_ * half_bps * 1e-4
    limit = round(open_ * (1 + limit_bps * 1e-4), 2)
    low, high = open_ * (1 - down), open_ * (1 + up)
    got = filled(
        order(side=side, order_qty=qty, price=limit),
        open=open_,
        high=high,
        low=low,
        half_spread=half,
        volume=1e6,
    )
    best = low if sign > 0 else high
    for fill in got:
        assert sign * (limit - fill.last_px) >= 0
        assert sign * (fill.last_px - (best + sign * half)) >= -1e-9
        at_open = sign * (fill.last_px - (open_ + sign * half)) >= -1e-9
        assert at_open or fill.last_px == limit
        assert fill.last_qty == qty


@settings(max_examples=100, deadline=None, derandomize=True)
@given(pieces=st.lists(st.integers(1, 2000), min_size=1, max_size=6), price=st.integers(50, 30_000))
def test_fees_of_the_pieces_add_up_to_the_fee_of_the_whole(pieces: list[int], price: int) -> None:
    # IBKR fixed from scratch, in exact fractions: half a cent a share, from 1 dollar to 1 %.
    total, usd = sum(pieces), price / 100
    free = CostSettings(impact=0.0)
    broker = SimBroker(ONE, ExecutionSettings(max_fill_participation=1.0), free, np.array([True]))
    broker.submit((order(order_qty=total, price=usd + 1),), NOW)
    flat = {"open": usd, "high": usd, "low": usd, "half_spread": 0.0}
    got = [fill for qty in pieces for fill in fills(broker.advance(bar(ONE, volume=qty, **flat)))]
    value = Fraction(total) * Fraction(price, 100)
    owed = min(max(Fraction(1), Fraction(total, 200)), value / 100)
    assert [fill.last_qty for fill in got] == pieces
    assert all(fill.fee_micro >= 0 for fill in got)
    assert math.isclose(sum(fill.fee_micro for fill in got), float(owed * 10**6), abs_tol=1.0)
