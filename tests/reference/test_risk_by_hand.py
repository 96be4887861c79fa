"""The risk estimates against loops written from their formulas, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.covariance import empirical_covariance
from sklearn.decomposition import PCA
from tests.unit.risk.test_level import ROWS, history, market, model, returns

from deadband.core.config import RiskSettings
from deadband.core.reasons import Code
from deadband.risk.borrow import lend
from deadband.risk.correlation import shrunk_correlation, unit_columns, windows
from deadband.risk.estimate import estimate
from deadband.risk.factors import loadings
from deadband.risk.level import OWN, POOLED, SLOW
from deadband.risk.time_of_day import clock_of
from deadband.risk.volatility import decay_weights


def sheet(t: int = 120, n: int = 15, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((t, 2)) @ rng.standard_normal((2, n)) + rng.standard_normal((t, n))


def test_the_sample_is_scikit_learns_covariance_of_scaled_rows() -> None:
    rows = sheet()
    unit = unit_columns(rows, np.ones(len(rows)))
    covariance = empirical_covariance(rows, assume_centered=True)
    scale = np.sqrt(covariance.diagonal())
    assert unit.T @ unit == pytest.approx(covariance / np.outer(scale, scale))


def test_the_statistical_factors_are_scikit_learns_components_of_the_residual() -> None:
    rows = sheet(400, 12)
    unit = unit_columns(rows, np.ones(len(rows)))
    found, specific = loadings(unit, np.full(12, -1), 2)
    market = unit.mean(axis=1)
    left = unit - np.outer(market, market @ unit) / (market @ market)
    parts = PCA(2, svd_solver="full").fit(left - left.mean(axis=0))
    slope = np.outer(market @ unit, market @ unit) / (market @ market)
    scores = left @ parts.components_.T
    basis, _ = np.linalg.qr(scores)
    target = slope + (unit.T @ basis) @ (unit.T @ basis).T
    off = ~np.eye(12, dtype=np.bool_)
    # PCA centers its columns, ours are of mean zero only about.
    assert (found @ found.T)[off] == pytest.approx(target[off], abs=0.01)
    assert specific == pytest.approx(1.0 - (found**2).sum(axis=1))


def test_few_rows_and_few_names_give_the_same_factors() -> None:
    """The leading directions come from the smaller product: both ways are one answer."""
    rows = sheet(30, 31)
    unit = unit_columns(rows, np.ones(30))
    few_rows, _ = loadings(unit, np.full(31, -1), 3)
    padded, _ = loadings(np.vstack([unit, np.zeros((5, 31))]), np.full(31, -1), 3)
    assert few_rows @ few_rows.T == pytest.approx(padded @ padded.T, abs=1e-9)


def test_the_correlation_is_half_sample_half_factors() -> None:
    unit = unit_columns(sheet(), np.ones(120))
    group = np.arange(15) % 2
    found, specific = loadings(unit, group, 1)
    wanted = 0.5 * (unit.T @ unit) + 0.5 * (found @ found.T + np.diag(specific))
    np.fill_diagonal(wanted, 1.0)
    assert shrunk_correlation(unit, group, 1) == pytest.approx(wanted)


def test_windows_by_a_loop() -> None:
    made = sheet(26, 3)
    row_of_day = np.arange(26) % 13
    sums, ends = windows(made, row_of_day, 4, 2)
    wanted = [
        (made[end - 3 : end + 1].sum(axis=0), end)
        for end in range(26)
        if end % 13 >= 3 and (end % 13 + 1) % 2 == 0
    ]
    assert ends.tolist() == [end for _, end in wanted]
    assert sums == pytest.approx(np.array([total for total, _ in wanted]))


def test_the_level_by_a_loop_over_every_bar() -> None:
    seen, settings = history(), RiskSettings(min_days=1.0)
    risk = model(1, seen, settings, move=2e-3)
    assert risk.level is not None and risk.sigma is not None
    clock, base = clock_of(seen), risk.level.base
    fast, slow = np.ones(len(base)), np.ones(len(base))
    of_fast, of_slow = 1 - 0.5 ** (5 / 30), 1 - 0.5 ** (1 / ROWS)
    bars = [*returns(), np.full(len(base), 2e-3)]
    places = [*clock.place, 0]
    for row, place in zip(bars, places, strict=True):
        for i in range(len(base)):
            size = min(row[i] ** 2 / (clock.curve[place] * base[i]), 36.0)
            fast[i] += of_fast * (size - fast[i])
            slow[i] += of_slow * (size - slow[i])
    assert risk.level.fast == pytest.approx(fast)
    assert risk.level.slow == pytest.approx(slow)
    level = POOLED * fast.mean() + OWN * fast + SLOW * slow
    ahead = clock.curve[1:7].sum()
    assert risk.sigma**2 == pytest.approx(level * base * risk.level.calibration * ahead)
    again = estimate(market(2), seen, None, settings, risk)
    assert again.level is not None
    assert again.level.fast == pytest.approx((1 - of_fast) * fast)


def test_a_borrower_is_the_mean_of_its_lenders() -> None:
    """Drawn in numbers: correlations of a name that moves as the mean of five, plus its own."""
    unit = unit_columns(sheet(4000, 11, seed=3), np.ones(4000))
    matrix = unit.T @ unit
    group = np.array([0] * 6 + [1] * 5)
    sound = np.ones(11, np.bool_)
    sound[5] = False
    loan = lend(group, sound)
    assert loan.code[5] == Code.RISK_FROM_SECTOR.number
    made = loan.correlation(matrix)
    mean = unit[:, :5].mean(axis=1)
    rest = [i for i in range(11) if i != 5]
    assert made[5, rest] == pytest.approx((unit.T @ mean)[rest])
    assert np.linalg.eigvalsh(made).min() > 0


def test_weights_by_a_loop() -> None:
    assert decay_weights(4, 3.0).tolist() == [0.5 ** (age / 3.0) for age in (3, 2, 1, 0)]
