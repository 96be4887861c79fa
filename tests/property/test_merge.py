"""What merging keeps to whatever is said: order of models and names, scale, age, bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.arrays import Floats
from deadband.core.config import SignalSettings
from deadband.core.seen import Scores
from deadband.core.types import RiskModel, Signal
from deadband.signals.merge import merge
from tests import kit

N = 14
SETTINGS = SignalSettings()
UNITS = ("z", "return", "rank")


@st.composite
def zoos(draw: st.DrawFn) -> tuple[list[str], list[float], int]:
    """Units and horizons of one to five models, and a seed for what they say."""
    m = draw(st.integers(1, 5))
    units = draw(st.lists(st.sampled_from(UNITS), min_size=m, max_size=m))
    horizons = draw(st.lists(st.sampled_from([15.0, 30.0, 60.0]), min_size=m, max_size=m))
    return units, horizons, draw(st.integers(0, 2**16))


def said(seed: int, m: int) -> tuple[Floats, Floats, Floats]:
    """Values (cycles, m, n), ages, and prices (cycles, n)."""
    rng = np.random.default_rng(seed)
    value = np.round(rng.normal(size=(10, m, N)), 2)
    age = 60.0 * rng.choice(
        [0.0, 4.0, 12.0, 44.0, 50.0], size=(10, m, N), p=[0.5, 0.2, 0.1, 0.1, 0.1]
    )
    price = 100.0 * np.exp(np.cumsum(1e-3 * rng.normal(size=(10, N)), axis=0))
    return value, age, price


def last_of(
    zoo: tuple[list[str], list[float], int],
    models: list[int] | None = None,
    names: list[int] | None = None,
    currency: float = 1.0,
    ranked: Callable[[Floats], Floats] = lambda value: value,
) -> Signal:
    """Ten cycles of ten minutes, the models and names in the given order.

    Prices are in units of `currency`, and what is to be ranked goes through `ranked`.
    """
    units, horizons, seed = zoo
    rows = list(range(len(units))) if models is None else models
    columns = list(range(N)) if names is None else names
    value, age, price = said(seed, len(units))
    universe = kit.universe(N)
    state = kit.state(universe)
    sigma = np.linspace(0.001, 0.004, N)[columns]
    risk = RiskModel(30.0, sigma, None, None, None, np.zeros(N, dtype=np.int16), "")
    order = np.array([units[m] == "rank" for m in rows])[:, None]
    for k in range(10):
        now = kit.clock("10:00") + timedelta(minutes=10 * k)
        told = value[k][np.ix_(rows, columns)]
        scores = Scores(
            universe=universe,
            models=tuple(f"m{m}" for m in rows),
            unit=tuple(units[m] for m in rows),
            horizon_min=tuple(horizons[m] for m in rows),
            value=np.where(order, ranked(told), told),
            age_s=age[k][np.ix_(rows, columns)],
            defect=np.zeros((len(rows), N), dtype=np.int16),
        )
        market = kit.market(universe, price=currency * price[k][columns], asof=now)
        seen = kit.seen(universe, now=now, market=market, scores=scores)
        signal = merge(seen, state, risk, SETTINGS)
        state = replace(state, skill=signal.skill)
    return signal


def weights(signal: Signal) -> dict[str, float]:
    return {one.model: one.weight for one in signal.skill.weights}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(zoos(), st.randoms(use_true_random=False))
def test_the_order_of_models_and_names_changes_nothing(
    zoo: tuple[list[str], list[float], int], random: object
) -> None:
    models, names = list(range(len(zoo[0]))), list(range(N))
    random.shuffle(models)  # type: ignore[attr-defined]
    random.shuffle(names)  # type: ignore[attr-defined]
    plain, turned = last_of(zoo), last_of(zoo, models, names)
    assert weights(turned) == pytest.approx(weights(plain), abs=1e-9)
    size = np.abs(plain.score).max() + 1e-12
    assert turned.score / size == pytest.approx(plain.score[names] / size, abs=1e-7)
    assert (turned.defect == 0).tolist() == (plain.defect[names] == 0).tolist()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(zoos(), st.sampled_from([0.25, 4.0]))
def test_currency_and_the_size_of_what_is_ranked_change_nothing(
    zoo: tuple[list[str], list[float], int], scale: float
) -> None:
    plain = last_of(zoo)
    other = last_of(zoo, currency=scale, ranked=lambda value: scale * value**3 - 7.0)
    assert other.score.tobytes() == plain.score.tobytes()
    assert weights(other) == weights(plain)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(zoos())
def test_parts_make_the_score_and_weights_keep_their_bounds(
    zoo: tuple[list[str], list[float], int],
) -> None:
    signal = last_of(zoo)
    assert signal.by_horizon.sum(axis=0).tolist() == signal.score.tolist()
    assert signal.horizon_min == min(zoo[1])
    for horizon in set(zoo[1]):
        of = [one.weight for one in signal.skill.weights if one.horizon_min == horizon]
        equal = 1.0 / len(of)
        assert sum(of) == pytest.approx(1.0, abs=1e-9)
        assert SETTINGS.weight_floor * equal - 1e-12 <= min(of)
        assert max(of) <= max(SETTINGS.weight_cap, equal) + 1e-12
    assert sum(one.weight for one in signal.skill.horizons) == pytest.approx(1.0, abs=1e-9)
    for one in signal.skill.horizons:
        assert one.horizon_min / 4 <= one.half_life_min <= 4 * one.horizon_min


@settings(max_examples=25, deadline=None, derandomize=True)
@given(zoos())
def test_a_name_nobody_speaks_for_has_no_score(zoo: tuple[list[str], list[float], int]) -> None:
    signal = last_of(zoo)
    _, age, _ = said(zoo[2], len(zoo[0]))
    silent = (age[-1] >= 60.0 * SETTINGS.max_score_age_min).all(axis=0)
    assert (signal.defect != 0).tolist() == silent.tolist()
    assert (signal.score[silent] == 0.0).all()
    assert np.isfinite(signal.score).all()
