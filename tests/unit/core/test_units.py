"""Micro-dollars and ticks: the only roads between units, without a cent lost on the way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.units import BPS, PERCENT, micros, tick_size, to_tick, usd


def test_a_percent_is_a_hundred_basis_points() -> None:
    assert pytest.approx(100 * BPS) == PERCENT


def test_dollars_become_whole_micro_dollars() -> None:
    assert micros(0.1) + micros(0.2) == micros(0.3) == 300_000
    assert micros(-1.0000004) == -1_000_000
    assert usd(1_500_000) == 1.5


@pytest.mark.parametrize(
    ("price", "tick", "up", "moved"),
    [
        (10.001, 0.01, True, 10.01),
        (10.009, 0.01, False, 10.00),
        (10.01, 0.01, True, 10.01),
        (10.01, 0.01, False, 10.01),
        # 0.07 / 0.01 is 7.000000000000001: on its tick all the same.
        (0.07, 0.01, True, 0.07),
        (0.12345, 0.0001, True, 0.1235),
        (0.12345, 0.0001, False, 0.1234),
    ],
)
def test_prices_move_to_their_tick(price: float, tick: float, up: bool, moved: float) -> None:
    assert to_tick(price, tick, up=up) == moved


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.floats(0.01, 5000.0), st.sampled_from([0.01, 0.0001]), st.booleans())
def test_a_move_is_less_than_a_tick_and_to_the_asked_side(
    price: float, tick: float, up: bool
) -> None:
    moved = to_tick(price, tick, up=up)
    assert to_tick(moved, tick, up=up) == moved
    assert -1e-6 * tick - 1e-9 <= (moved - price) * (1 if up else -1) < tick


def test_stocks_under_a_dollar_have_a_finer_tick() -> None:
    assert tick_size(np.array([0.5, 0.9999, 1.0, 250.0])).tolist() == [0.0001, 0.0001, 0.01, 0.01]
