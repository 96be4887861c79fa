"""The single estimates: σ and β with exponential weights, Wilder's range, a shrunk correlation."""

import numpy as np
import pytest

from deadband.risk.exposures import betas
from deadband.risk.shrink import ledoit_wolf, shrunk_correlation
from deadband.risk.volatility import average_true_range, decay_weights, ewma_sigma


def test_weights_halve_with_every_half_life() -> None:
    assert decay_weights(5, 2.0) == pytest.approx([0.25, 0.5**1.5, 0.5, 0.5**0.5, 1.0])


def test_sigma_of_a_constant_size_is_that_size() -> None:
    returns = 0.01 * np.array([[1.0], [-1.0], [1.0], [-1.0]])
    assert ewma_sigma(returns, np.ones((4, 1), np.bool_), 2.0) == pytest.approx([0.01])


def test_recent_returns_count_more() -> None:
    # Half-life of one bar: weights 1/4, 1/2, 1. σ² = (0.25·9 + 0.5·4 + 1·1) / 1.75.
    returns = np.array([[0.03], [0.02], [0.01]])
    sigma = ewma_sigma(returns, np.ones((3, 1), np.bool_), 1.0)
    assert sigma == pytest.approx([0.01 * np.sqrt(5.25 / 1.75)])


def test_bars_that_were_not_observed_do_not_count() -> None:
    returns = np.array([[0.02, 0.0], [0.0, 0.0], [0.02, 0.0]])
    observed = np.array([[True, False], [False, False], [True, False]])
    assert ewma_sigma(returns, observed, 1.0) == pytest.approx([0.02, 0.0])


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


def test_beta_is_the_slope_on_the_market_over_the_bars_that_were_seen() -> None:
    market = np.array([0.01, -0.02, 0.015, 0.005])
    returns = np.column_stack([1.5 * market, -0.5 * market, np.zeros(4), 2.0 * market])
    returns[1, 3] = 0.0
    observed = np.ones((4, 4), np.bool_)
    observed[1, 3] = observed[:, 2] = False
    assert betas(returns, observed, market, 3.0) == pytest.approx([1.5, -0.5, 0.0, 2.0])


def test_beta_weighs_recent_bars_more() -> None:
    market = np.array([0.01, 0.01])
    returns = np.array([[0.01], [0.02]])
    # Weights 1/2 and 1: β = (0.5·1 + 1·2) / 1.5.
    assert betas(returns, np.ones((2, 1), np.bool_), market, 1.0) == pytest.approx([2.5 / 1.5])


def test_a_correlation_of_few_bars_is_well_conditioned() -> None:
    rng = np.random.default_rng(5)
    returns = 0.01 * rng.standard_normal((20, 40))
    sigma = ewma_sigma(returns, np.ones_like(returns, np.bool_), 1e9)
    correlation = shrunk_correlation(returns, sigma).matrix
    assert (correlation.diagonal() == 1.0).all()
    assert (correlation == correlation.T).all()
    assert np.linalg.eigvalsh(correlation).min() > 0.1


def test_common_moves_survive_the_shrinking() -> None:
    rng = np.random.default_rng(6)
    common = rng.standard_normal((2000, 1))
    returns = 0.01 * (common + rng.standard_normal((2000, 3)))
    correlation = shrunk_correlation(returns, np.full(3, 0.01 * np.sqrt(2))).matrix
    assert correlation[0, 1] == pytest.approx(0.5, abs=0.06)


def test_one_wild_print_does_not_own_the_matrix() -> None:
    rng = np.random.default_rng(7)
    returns = 0.01 * rng.standard_normal((500, 2))
    calm = shrunk_correlation(returns, np.full(2, 0.01)).matrix[0, 1]
    returns[250] = 0.8
    wild = shrunk_correlation(returns, np.full(2, 0.01)).matrix[0, 1]
    assert abs(wild - calm) < 0.1


def test_a_name_that_never_moved_is_uncorrelated() -> None:
    rng = np.random.default_rng(8)
    returns = np.column_stack([0.01 * rng.standard_normal(100), np.zeros(100)])
    assert shrunk_correlation(returns, np.array([0.01, 0.0])).matrix.tolist() == [[1, 0], [0, 1]]


def test_what_is_the_target_already_is_not_shrunk() -> None:
    x = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    shrunk, shrinkage = ledoit_wolf(x)
    assert shrunk.tolist() == [[0.5, 0.0], [0.0, 0.5]]
    assert shrinkage == 0.0
