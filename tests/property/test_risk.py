"""What holds of the risk model whatever the bars: form, scale, order of names, and no foresight."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.bars import SessionBars
from deadband.core.config import RiskSettings
from deadband.core.correlation import DenseCorrelation, FactorCorrelation
from deadband.core.seen import History, Market, Universe
from deadband.core.session import session_on
from deadband.core.types import RiskModel
from deadband.feeds.simulated import simulated_market
from deadband.risk.estimate import estimate
from tests import kit

ROWS = 13
SESSION = session_on(kit.NOW.date())
assert SESSION is not None
OPEN = SESSION.open
SETTINGS = RiskSettings(min_days=1.0, factors=2)

markets = st.fixed_dictionaries(
    {
        "n": st.integers(2, 14),
        "days": st.integers(1, 6),
        "seed": st.integers(0, 2**32 - 1),
        "missing": st.sampled_from([0.0, 0.1, 0.5]),
        "sectors": st.integers(1, 3),
        "form": st.sampled_from(["dense", "factor"]),
    }
)


def drawn(made: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(made["seed"])
    shape = made["days"] * ROWS, made["n"]
    returns = 0.003 * (rng.standard_normal((shape[0], 1)) + rng.standard_t(3, shape))
    observed = rng.random(shape) >= made["missing"]
    # One name is new, and one never moved.
    observed[: -ROWS // 2, -1] = False
    returns[:, 0] *= rng.random() < 0.5
    return np.where(observed, returns, 0.0), observed


def universe(made: dict[str, Any], order: np.ndarray) -> Universe:
    names = kit.symbols(made["n"])
    sectors = {name: f"sector {i % made['sectors']}" for i, name in enumerate(names)}
    return Universe.of(tuple(names[i] for i in order), sectors)


def model(
    made: dict[str, Any],
    returns: np.ndarray,
    observed: np.ndarray,
    order: np.ndarray | None = None,
    moves: float = 1e-3,
) -> RiskModel:
    order = np.arange(made["n"]) if order is None else order
    names = universe(made, order)
    flat = np.full((30, made["n"]), 100.0)
    history = History(
        universe=names,
        bar_min=30.0,
        returns=returns[:, order],
        observed=observed[:, order],
        market=returns[:, 1],
        range_min=30.0,
        range_high=flat,
        range_low=flat,
        range_close=flat,
        version="drawn",
    )
    at = OPEN + timedelta(minutes=60)
    market = kit.market(names, asof=at, bar_min=30.0, bar_return=np.full(made["n"], moves))
    chosen = replace(SETTINGS, form=made["form"])
    return estimate(market, history, None, chosen, None)


def matrix(risk: RiskModel) -> np.ndarray:
    if isinstance(risk.correlation, DenseCorrelation):
        return risk.correlation.matrix
    assert isinstance(risk.correlation, FactorCorrelation)
    found = risk.correlation.loadings @ risk.correlation.loadings.T
    return found + np.diag(risk.correlation.specific)


@settings(max_examples=60, deadline=None)
@given(markets)
def test_the_correlation_is_one_and_sigma_is_positive(made: dict[str, Any]) -> None:
    risk = model(made, *drawn(made))
    found = matrix(risk)
    assert np.allclose(found.diagonal(), 1.0)
    assert np.allclose(found, found.T)
    assert np.linalg.eigvalsh(found).min() > -1e-10
    assert np.abs(found).max() <= 1.0 + 1e-9
    assert risk.sigma is not None and (risk.sigma > 0).all() and np.isfinite(risk.sigma).all()
    assert risk.beta is not None and np.isfinite(risk.beta).all()


@settings(max_examples=40, deadline=None)
@given(markets, st.randoms(use_true_random=False))
def test_the_order_of_names_does_not_matter(made: dict[str, Any], chance: Any) -> None:
    order = np.array(chance.sample(range(made["n"]), made["n"]))
    data = drawn(made)
    plain, moved = model(made, *data), model(made, *data, order=order)
    assert plain.sigma is not None and moved.sigma is not None
    assert np.allclose(moved.sigma, plain.sigma[order], rtol=1e-9)
    assert plain.beta is not None and moved.beta is not None
    assert np.allclose(moved.beta, plain.beta[order], rtol=1e-7, atol=1e-9)
    assert np.allclose(matrix(moved), matrix(plain)[np.ix_(order, order)], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(markets, st.sampled_from([0.01, 0.5, 3.0]))
def test_twice_the_returns_are_twice_the_sigma_and_the_rest_stays(
    made: dict[str, Any], factor: float
) -> None:
    returns, observed = drawn(made)
    if not returns.any():
        return
    plain = model(made, returns, observed)
    scaled = model(made, factor * returns, observed, moves=factor * 1e-3)
    assert plain.level is not None and scaled.level is not None
    if not plain.level.sound.any():
        return
    assert plain.sigma is not None and scaled.sigma is not None
    assert np.allclose(scaled.sigma, factor * plain.sigma, rtol=1e-8)
    assert np.allclose(matrix(scaled), matrix(plain), atol=1e-7)
    assert plain.beta is not None and scaled.beta is not None
    assert np.allclose(scaled.beta, plain.beta, rtol=1e-6, atol=1e-8)


def test_nothing_after_the_bar_is_read() -> None:
    """A day with all that follows its 20th bar poisoned: the model up to then is the same."""
    market = simulated_market(kit.settings(), seed=5, names=12)
    day = market.tape.day(market.sessions[0])
    poison = {
        name: np.vstack([getattr(day, name)[:20], np.full_like(getattr(day, name)[20:], 77.0)])
        for name in ("open", "high", "low", "close", "volume", "half_spread")
    }

    def walked(bars: SessionBars) -> RiskModel:
        risk: RiskModel | None = None
        for k in range(1, 21):
            after: Market = bars.market_after(k)
            risk = estimate(after, bars.history, None, RiskSettings(), risk)
        assert risk is not None
        return risk

    honest, poisoned = walked(day), walked(replace(day, **poison))
    assert honest.sigma is not None and poisoned.sigma is not None
    assert honest.sigma.tobytes() == poisoned.sigma.tobytes()
    assert honest.level is not None and poisoned.level is not None
    assert honest.level.fast.tobytes() == poisoned.level.fast.tobytes()
