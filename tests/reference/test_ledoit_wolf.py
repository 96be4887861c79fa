"""The shrunk covariance against scikit-learn's Ledoit-Wolf, a second reading of the paper."""

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from deadband.core.arrays import Floats
from deadband.risk.shrink import ledoit_wolf


def draw(rows: int, names: int, common: float, seed: int, *, heavy: bool = False) -> Floats:
    """Returns (rows, names) with a common factor of weight `common` and σ from 1 to 3 %."""
    rng = np.random.default_rng(seed)
    shock = rng.standard_t(3, (rows, names)) if heavy else rng.standard_normal((rows, names))
    mixed = common * rng.standard_normal((rows, 1)) + shock
    scaled: Floats = 0.01 * np.linspace(1.0, 3.0, names) * mixed
    return scaled


CASES = {
    "more rows than names": draw(500, 20, 0.8, 1),
    "more names than rows": draw(30, 80, 0.8, 2),
    "one factor rules": draw(200, 50, 10.0, 3),
    "independent": draw(200, 50, 0.0, 4),
    "heavy tails": draw(300, 40, 0.5, 5, heavy=True),
    "two names": draw(100, 2, 1.0, 6),
    "a dead name": draw(100, 5, 1.0, 7) * np.array([1.0, 1.0, 0.0, 1.0, 1.0]),
    "sigma units": draw(250, 30, 0.7, 8) * 1e2,
}


@pytest.mark.parametrize("x", CASES.values(), ids=CASES)
def test_shrinkage_and_covariance_agree(x: Floats) -> None:
    oracle = LedoitWolf(assume_centered=True, store_precision=False).fit(x)
    covariance, shrinkage = ledoit_wolf(x)
    assert shrinkage == pytest.approx(oracle.shrinkage_, rel=1e-10, abs=1e-14)
    scale = np.abs(oracle.covariance_).max()
    assert np.abs(covariance - oracle.covariance_).max() <= 1e-12 * scale
    assert 0.0 <= shrinkage <= 1.0


def test_the_cases_cover_weak_and_strong_shrinkage() -> None:
    shrinkages = [ledoit_wolf(x)[1] for x in CASES.values()]
    assert min(shrinkages) < 0.05
    assert max(shrinkages) > 0.6
