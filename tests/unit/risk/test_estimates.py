"""The single estimates: σ and β with exponential weights, Wilder's range, windows."""

import numpy as np
import pytest

from deadband.risk.correlation import shrunk_correlation, unit_columns, windows
from deadband.risk.exposures import betas
from deadband.risk.volatility import (
    average_true_range,
    decay_weights,
    night_sigma,
    robust_variance,
)


def test_weights_halve_with_every_half_life() -> None:
    assert decay_weights(5, 2.0) == pytest.approx([0.25, 0.5**1.5, 0.5, 0.5**0.5, 1.0])


def test_variance_of_a_constant_size_is_that_size_squared() -> None:
    returns = 0.01 * np.array([[1.0], [-1.0], [1.0], [-1.0]])
    assert robust_variance(returns, np.ones((4, 1), np.bool_), 2.0) == pytest.approx([1e-4])


def test_recent_returns_count_more() -> None:
    # Half-life of one bar: weights 1/4, 1/2, 1. σ² = (0.25·9 + 0.5·4 + 1·1) / 1.75.
    returns = np.array([[0.03], [0.02], [0.01]])
    variance = robust_variance(returns, np.ones((3, 1), np.bool_), 1.0)
    assert variance == pytest.approx([1e-4 * 5.25 / 1.75])


def test_bars_that_were_not_observed_do_not_count() -> None:
    returns = np.array([[0.02, 0.0], [0.0, 0.0], [0.02, 0.0]])
    observed = np.array([[True, False], [False, False], [True, False]])
    assert robust_variance(returns, observed, 1.0) == pytest.approx([4e-4, 0.0])


def test_a_jump_does_not_become_the_level() -> None:
    rng = np.random.default_rng(1)
    returns = 0.01 * rng.standard_normal((400, 1))
    calm = robust_variance(returns, np.ones_like(returns, np.bool_), 1e9)
    returns[200] = 0.5
    wild = robust_variance(returns, np.ones_like(returns, np.bool_), 1e9)
    plain = (returns**2).mean()
    assert wild[0] < 1.1 * calm[0]
    assert plain > 5 * calm[0]


def test_windows_are_sums_inside_one_session() -> None:
    returns = np.arange(1.0, 9.0)[:, None]
    sums, ends = windows(returns, np.array([0, 1, 2, 3, 0, 1, 2, 3]), 3, 1)
    assert sums[:, 0].tolist() == [6.0, 9.0, 18.0, 21.0]
    assert ends.tolist() == [2, 3, 6, 7]


def test_nights_are_those_of_all_names_until_a_name_has_its_own() -> None:
    gaps = np.zeros((10, 3))
    gaps[:, 0], gaps[:, 1] = 0.02, 0.01
    sigma = night_sigma(gaps, np.full(3, 1e-4), 1e9)
    typical = np.sqrt((4e-4 + 1e-4) / 2)
    assert sigma[2] == pytest.approx(typical)
    assert 0.01 < sigma[1] < typical < sigma[0] < 0.02


def test_wilders_range_by_hand() -> None:
    """Three bars a period. True ranges: a plain bar, a gap up, a gap down, then two more.

    close 10 → bar 10.2/9.8: 0.4; close 10 → bar 11.0/10.5: gap, 11.0 − 10 = 1.0;
    close 10.8 → bar 10.0/9.9: gap, 10.8 − 9.9 = 0.9; first average (0.4 + 1.0 + 0.9) / 3;
    close 10 → bar 10.3/9.7: 0.6; close 10 → bar 10.1/10.0: 0.1.
    """
    high = np.array([[10.5], [10.2], [11.0], [10.0], [10.3], [10.1]])
    low = np.array([[9.5], [9.8], [10.5], [9.9], [9.7], [10.0]])
    close = np.array([[10.0], [10.0], [10.8], [10.0], [10.0], [10.0]])
    first = (0.4 + 1.0 + 0.9) / 3
    second = (2 * first + 0.6) / 3
    third = (2 * second + 0.1) / 3
    assert average_true_range(high[:4], low[:4], close[:4], 3) == pytest.approx([first / 10])
    assert average_true_range(high, low, close, 3) == pytest.approx([third / 10])


def test_a_range_needs_its_bars_and_its_first_price() -> None:
    bars = np.full((3, 1), 10.0)
    assert average_true_range(bars + 1, bars - 1, bars, 3).tolist() == [0.0]
    late = np.array([[0.0, 10.0], [10.0, 10.0], [10.0, 10.0], [10.0, 10.0]])
    ranges = average_true_range(late * 1.1, late * 0.9, late, 3)
    assert ranges == pytest.approx([0.0, 0.2])


def slopes(returns: np.ndarray, market: np.ndarray, **given: np.ndarray) -> np.ndarray:
    rows, n = returns.shape
    weights = given.get("weights", np.ones(rows))
    group = np.full(n, -1)
    return betas(returns, market, weights, group, given.get("sound", np.ones(n, np.bool_)))


def test_an_exact_beta_is_the_slope_and_stays_it() -> None:
    market = np.array([0.01, -0.02, 0.015, 0.005])
    returns = np.column_stack([1.5 * market, -0.5 * market, 1.0 * market])
    assert slopes(returns, market) == pytest.approx([1.5, -0.5, 1.0])


def test_beta_weighs_recent_bars_more() -> None:
    market, returns = np.array([0.01, 0.01]), np.array([[0.01], [0.02]])
    # Weights 1/2 and 1: β = (0.5·1 + 1·2) / 1.5; alone, a name has nobody to be shrunk to.
    assert slopes(returns, market, weights=np.array([0.5, 1.0])) == pytest.approx([2.5 / 1.5])


def test_a_noisy_beta_is_pulled_to_those_of_the_others() -> None:
    rng = np.random.default_rng(2)
    market = 0.01 * rng.standard_normal(60)
    returns = market[:, None] + 0.001 * rng.standard_normal((60, 12))
    returns[:, 0] = 3.0 * market + 0.08 * rng.standard_normal(60)
    raw = (market @ returns[:, 0]) / (market @ market)
    found = slopes(returns, market)
    assert abs(found[0] - 1.0) < 0.5 * abs(raw - 1.0)
    assert found[1:] == pytest.approx(np.ones(11), abs=0.05)


def test_a_market_that_never_moved_gives_no_beta() -> None:
    assert slopes(np.full((5, 2), 0.01), np.zeros(5)).tolist() == [0.0, 0.0]


def shrunk(rows: np.ndarray, statistical: int = 2) -> np.ndarray:
    unit = unit_columns(rows, np.ones(len(rows)))
    return shrunk_correlation(unit, np.full(rows.shape[1], -1), statistical)


def test_a_correlation_of_few_rows_is_well_conditioned() -> None:
    rows = np.random.default_rng(5).standard_normal((20, 40))
    matrix = shrunk(rows)
    assert (matrix.diagonal() == 1.0).all()
    assert (matrix == matrix.T).all()
    assert np.linalg.eigvalsh(matrix).min() > 0.1


def test_common_moves_survive_the_shrinking() -> None:
    rng = np.random.default_rng(6)
    rows = rng.standard_normal((2000, 1)) + rng.standard_normal((2000, 8))
    assert shrunk(rows)[0, 1] == pytest.approx(0.5, abs=0.06)


def test_a_name_that_never_moved_is_uncorrelated() -> None:
    rows = np.random.default_rng(8).standard_normal((100, 4))
    rows[:, 3] = 0.0
    assert shrunk(rows)[3].tolist() == [0, 0, 0, 1]
