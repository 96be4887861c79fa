from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import kit

from deadband import cycle
from deadband.core.arrays import Floats
from deadband.core.config import Settings
from deadband.core.errors import MissingError
from deadband.core.features import Features
from deadband.core.ports import Model
from deadband.core.seen import Universe
from deadband.feeds.simulated import simulated_market
from deadband.models.reference import (
    LEAST_NAMES,
    OUTLIER,
    REFERENCE_MODELS,
    REFERENCE_ZOO,
    Reversal,
    standardized,
)
from deadband.signals.features.catalog import FEATURES

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
MOVES = np.array([-0.02, -0.01, 0.0, 0.01, 0.02, 0.03, np.nan])

by_model = pytest.mark.parametrize("model", REFERENCE_ZOO, ids=lambda model: model.name)


def features(n: int, names: Universe | None = None, **given: Any) -> Features:
    """Every feature known and alike for all names, unless given."""
    usual = dict.fromkeys(FEATURES, 0.01) | {"volume_ratio": 1.0, "to_close_min": 30.0} | given
    value = np.array([np.broadcast_to(usual[name], n) for name in FEATURES], dtype=np.float64)
    return Features(names or kit.universe(n), NOW, FEATURES, value)


def said(model: Model, **given: Any) -> Floats:
    return model.score(features(len(next(iter(given.values()))), **given))


def test_the_zoo_is_what_the_names_say() -> None:
    assert [model.name for model in REFERENCE_ZOO] == [
        "reversal",
        "momentum",
        "periodicity",
        "vwap_distance",
        "overnight_gap",
        "volume_shock",
    ]
    assert tuple(REFERENCE_MODELS.values()) == REFERENCE_ZOO


@by_model
def test_a_model_reads_features_that_are_measured(model: Model) -> None:
    assert set(model.needs) <= set(FEATURES)
    assert model.unit == "z" and model.horizon_min > 0 and model.version
    with pytest.raises(MissingError, match="are not measured"):
        model.score(Features(kit.universe(2), NOW, (), np.zeros((0, 2))))


@pytest.mark.parametrize(
    ("name", "feature", "side"),
    [
        ("reversal", "return_30m", -1),
        ("momentum", "opening_return_30m", 1),
        ("periodicity", "slot_return_30m", 1),
        ("vwap_distance", "vwap_distance", -1),
        ("overnight_gap", "overnight_gap", -1),
    ],
)
def test_a_model_follows_or_fades_its_feature(name: str, feature: str, side: int) -> None:
    """Median 0.005 of six names, MAD 0.015: z = (x − 0.005) / (1.4826·0.015)."""
    z = said(REFERENCE_MODELS[name], **{feature: MOVES})
    expected = side * (MOVES - 0.005) / (1.4826 * 0.015)
    np.testing.assert_allclose(z, expected, rtol=1e-12)


def test_the_same_move_says_less_of_a_wilder_name() -> None:
    sigma = np.array([0.01, 0.02, 0.01, 0.01, 0.01, 0.01, 0.0])
    moved = np.array([0.02, 0.02, 0.0, 0.001, -0.001, -0.02, 0.02])
    z = said(Reversal(), return_30m=moved, realized_vol_1d=sigma)
    assert z[0] < z[1] < z[2]
    assert np.isnan(z[6]), "no volatility, no opinion"


def test_momentum_speaks_in_the_last_half_hour_alone() -> None:
    model = REFERENCE_MODELS["momentum"]
    for left_min, speaks in ((31.0, False), (30.0, True), (5.0, True)):
        z = said(model, opening_return_30m=MOVES, to_close_min=np.full(7, left_min))
        assert np.isfinite(z[:6]).all() == speaks and np.isnan(z).all() != speaks


def test_a_volume_shock_is_a_ratio_twice_as_far_when_squared() -> None:
    ratio = np.array([1 / 16, 0.25, 0.5, 1.0, 2.0, 4.0, 0.0, np.nan])
    z = said(REFERENCE_MODELS["volume_shock"], volume_ratio=ratio)
    assert z[5] - z[3] == pytest.approx(2 * (z[4] - z[3]))
    assert np.isnan(z[6:]).all(), "no volume is no news"


def test_no_opinion_where_nothing_sets_names_apart() -> None:
    assert np.isnan(standardized(np.ones(9), np.ones(9, dtype=np.bool_))).all()
    few = np.arange(LEAST_NAMES - 1, dtype=np.float64)
    assert np.isnan(standardized(few, np.ones(len(few), dtype=np.bool_))).all()


def test_where_most_are_equal_the_mean_distance_stands_in() -> None:
    z = standardized(np.array([0.0] * 8 + [1.0, -1.0]), np.ones(10, dtype=np.bool_))
    assert z[:8].tolist() == [0.0] * 8
    assert z[8] == -z[9] == OUTLIER


def test_the_market_symbol_is_neither_scored_nor_counted() -> None:
    names = Universe.of(tuple("ABCDEFG"), not_traded=frozenset("G"))
    moved = np.array([-2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 400.0])
    z = Reversal().score(features(7, names, return_30m=moved))
    alone = Reversal().score(features(6, return_30m=moved[:6]))
    np.testing.assert_array_equal(z[:6], alone)
    assert np.isnan(z[6])


values = st.lists(st.floats(-0.25, 0.25, width=16), min_size=LEAST_NAMES, max_size=30)


@given(values, st.randoms(use_true_random=False), st.floats(-0.125, 0.125, width=16))
def test_names_may_come_in_any_order_and_the_market_may_move(
    moved: list[float], random: Any, market: float
) -> None:
    """Scores follow their names; a return that all share sets nobody apart."""
    column = np.array(moved)
    order = np.array(random.sample(range(len(moved)), len(moved)))
    z = said(Reversal(), return_30m=column)
    np.testing.assert_array_equal(said(Reversal(), return_30m=column[order]), z[order])
    shifted = said(Reversal(), return_30m=column + market)
    np.testing.assert_allclose(shifted, z, atol=1e-6)
    known = z[np.isfinite(z)]
    assert (np.abs(known) <= OUTLIER).all()
    assert len(known) in (0, len(moved))


def test_everything_speaks_without_a_model_of_the_user_s() -> None:
    """On the embedded market: the curves want three sessions before them."""
    market = simulated_market(Settings(), seed=3, names=30, days=2)
    state = cycle.first_features(market.tape.universe, market.tape.bar_min)
    spoke = dict.fromkeys(REFERENCE_MODELS, 0)
    for session in market.tape.sessions():
        day = market.tape.day(session)
        for k in range(1, len(day) + 1):
            state = cycle.observe(state, day.bar(k), session)
            for name, model in REFERENCE_MODELS.items():
                z = model.score(cycle.read(state, model.needs))
                assert z.shape == (30,)
                spoke[name] += bool(np.isfinite(z).all())
    assert spoke.pop("momentum") >= 7, "the last half hours"
    assert min(spoke.values()) > 0, spoke
