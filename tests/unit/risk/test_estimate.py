"""The risk room: the session's model, its defects, who borrows, and what the user states."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests import kit

from deadband.core.arrays import Bools
from deadband.core.config import RiskSettings
from deadband.core.correlation import DenseCorrelation, seal_correlation
from deadband.core.reasons import Code
from deadband.core.seen import History, RiskGiven, Universe
from deadband.core.types import RiskModel
from deadband.risk.daily import HORIZON_MIN
from deadband.risk.estimate import estimate

UNIVERSE = Universe.of(("AAA", "BBB", "CCC", "MKT"), not_traded=frozenset({"MKT"}))
BAR_MIN = 30.0
DAY = 13
SETTINGS = RiskSettings(half_life_days=5.0, min_days=3.0, min_coverage=0.6, atr_bars=14)


def history(days: int = 8, observed: Bools | None = None, **changed: Any) -> History:
    """Four names of σ 1, 2, 3 and 1 % a bar; β 1.0, 0, 0 and 1 to the last."""
    rng = np.random.default_rng(3)
    rows = days * DAY
    returns = rng.standard_normal((rows, 4)) * np.array([0.01, 0.02, 0.03, 0.01])
    returns[:, 0] = returns[:, 3]
    if observed is None:
        observed = np.ones((rows, 4), dtype=np.bool_)
    close = 100.0 * np.cumprod(1.0 + 0.01 * returns, axis=0)
    given: dict[str, Any] = {
        "universe": UNIVERSE,
        "bar_min": BAR_MIN,
        "returns": np.where(observed, returns, 0.0),
        "observed": observed,
        "market": returns[:, 3],
        "range_min": 30.0,
        "range_high": close * 1.01,
        "range_low": close * 0.99,
        "range_close": close,
        "version": "v1",
    }
    return History(**(given | changed))


def model(
    seen: History | None,
    given: RiskGiven | None = None,
    settings: RiskSettings = SETTINGS,
    previous: RiskModel | None = None,
) -> RiskModel:
    market = kit.market(UNIVERSE, bar_min=BAR_MIN if seen is None else seen.bar_min)
    return estimate(market, seen, given, settings, previous)


def stated(version: str = "u1", **what: Any) -> RiskGiven:
    return RiskGiven(correlation=what.get("correlation"), beta=what.get("beta"), version=version)


def test_a_model_of_sound_history() -> None:
    risk = model(history(days=60), settings=replace(SETTINGS, half_life_days=100.0))
    assert risk.horizon_min == HORIZON_MIN
    assert risk.level is not None
    assert np.sqrt(risk.level.base) == pytest.approx([0.01, 0.02, 0.03, 0.01], rel=0.15)
    assert risk.beta is not None
    assert risk.beta[[0, 3]] == pytest.approx([1.0, 1.0])
    assert np.abs(risk.beta[1:3]).max() < 0.3
    assert risk.atr == pytest.approx([0.02] * 4, rel=0.05)
    assert risk.defect.tolist() == [0, 0, 0, 0]
    assert isinstance(risk.correlation, DenseCorrelation)
    assert risk.correlation.matrix[0, 3] > 0.9


def test_without_a_market_there_are_no_betas() -> None:
    assert model(history(market=None)).beta is None


def test_the_same_version_gives_back_the_same_model() -> None:
    first = model(history())
    assert model(history(), previous=first) is first


@pytest.mark.parametrize(
    "again",
    [
        lambda first: model(history(version="v2"), previous=first),
        lambda first: model(history(), given=stated(), previous=first),
        lambda first: model(history(), settings=RiskSettings(atr_bars=10), previous=first),
    ],
    ids=["history", "given", "settings"],
)
def test_anything_it_rests_on_makes_a_new_model(again: Any) -> None:
    first = model(history())
    second = again(first)
    assert second is not first
    assert second.version != first.version


def test_a_name_that_came_late_is_too_new_and_gets_the_median_sigma() -> None:
    observed = np.ones((8 * DAY, 4), dtype=np.bool_)
    observed[: 6 * DAY, 2] = False
    risk = model(history(observed=observed))
    assert risk.defect.tolist() == [0, 0, Code.DATA_TOO_NEW.number, 0]
    assert risk.level is not None
    assert risk.level.base[2] == np.median(risk.level.base[[0, 1, 3]])


def test_a_name_is_old_enough_after_its_days_less_the_first_bar_of_each() -> None:
    for missing, code in ((0, 0), (1, Code.DATA_TOO_NEW.number)):
        observed = np.ones((8 * DAY, 4), dtype=np.bool_)
        observed[: len(observed) - 3 * (DAY - 1) + missing, 1] = False
        assert model(history(observed=observed)).defect[1] == code


def test_a_name_with_holes_is_too_gappy() -> None:
    observed = np.ones((8 * DAY, 4), dtype=np.bool_)
    observed[1::2, 1] = False
    risk = model(history(observed=observed))
    assert risk.defect.tolist() == [0, Code.DATA_TOO_GAPPY.number, 0, 0]


def test_gaps_before_the_first_bar_are_not_gaps() -> None:
    observed = np.ones((8 * DAY, 4), dtype=np.bool_)
    observed[: 4 * DAY, 1] = False
    assert model(history(observed=observed)).defect.tolist() == [0, 0, 0, 0]


def test_a_name_never_seen_is_too_new() -> None:
    observed = np.ones((8 * DAY, 4), dtype=np.bool_)
    observed[:, 0] = False
    assert model(history(observed=observed)).defect[0] == Code.DATA_TOO_NEW.number


def test_a_name_that_never_moved_gets_the_median_sigma() -> None:
    still = np.where(np.arange(4) == 1, 0.0, history().returns)
    risk = model(history(returns=still))
    assert risk.level is not None
    assert risk.level.base[1] == np.median(risk.level.base[[0, 2, 3]])


def test_with_no_sound_name_at_all_sigma_is_still_positive() -> None:
    risk = model(history(observed=np.zeros((8 * DAY, 4), dtype=np.bool_)))
    assert risk.sigma is not None
    assert (risk.sigma > 0).all()
    assert (risk.defect == Code.DATA_TOO_NEW.number).all()


def test_without_history_nothing_is_known() -> None:
    risk = model(None)
    assert (risk.sigma, risk.correlation, risk.beta, risk.atr) == (None, None, None, None)
    assert risk.defect.tolist() == [0, 0, 0, 0]


def test_what_the_user_states_replaces_the_estimate_and_nothing_else() -> None:
    correlation, beta = seal_correlation(np.eye(4), 4), np.array([1.0, 2.0, 3.0, 1.0])
    estimated = model(history())
    risk = model(history(), given=stated(correlation=correlation, beta=beta))
    assert risk.correlation is correlation
    assert risk.beta is beta
    assert risk.sigma is not None
    assert risk.sigma.tolist() == (estimated.sigma.tolist() if estimated.sigma is not None else [])
    only_beta = model(None, given=stated(beta=beta))
    assert only_beta.correlation is None
    assert only_beta.beta is beta
