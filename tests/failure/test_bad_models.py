"""Models that fail: all stale, all gone, constant, one name, two names; merged, and named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from deadband.core.config import SignalSettings
from deadband.core.errors import DataError, MissingError
from deadband.core.reasons import Code
from deadband.core.seen import NEVER_S, Scores, Universe
from deadband.core.types import RiskModel, Signal, State
from deadband.signals.merge import merge
from tests import kit

HORIZONS = (15.0, 30.0, 30.0, 120.0)
SETTINGS = SignalSettings()


def risk(n: int, sigma: float | None = 0.003) -> RiskModel:
    known = None if sigma is None else np.full(n, sigma)
    return RiskModel(30.0, known, None, None, None, np.zeros(n, dtype=np.int16), "")


def said(names: Universe, value: Any, **changed: Any) -> Scores:
    shape = np.shape(value)
    m = shape[0]
    fields: dict[str, Any] = {
        "models": tuple(f"m{k}" for k in range(m)),
        "unit": ("z",) * m,
        "horizon_min": HORIZONS[:m],
        "age_s": np.zeros(shape),
        "defect": np.zeros(shape, dtype=np.int16),
    }
    return Scores(universe=names, value=value, **(fields | changed))


def cycles(names: Universe, told: Any, count: int = 40, sigma: float | None = 0.003) -> Signal:
    """Every five minutes: `told(k)` gives scores; prices move at random."""
    rng = np.random.default_rng(2)
    state: State = kit.state(names)
    price = np.full(len(names), 100.0)
    for k in range(count):
        now = kit.clock("10:00") + timedelta(minutes=5 * k)
        market = kit.market(names, price=price, asof=now)
        seen = kit.seen(names, now=now, market=market, scores=told(k))
        signal = merge(seen, state, risk(len(names), sigma), SETTINGS)
        state = replace(state, skill=signal.skill)
        price = price * (1.0 + 1e-3 * rng.normal(size=len(names)))
    return signal


def sound(signal: Signal) -> None:
    """Finite, and the weights of every horizon, and of horizons, sum to one."""
    assert np.isfinite(signal.score).all()
    assert sum(one.weight for one in signal.skill.horizons) == pytest.approx(1.0)
    for horizon in {one.horizon_min for one in signal.skill.weights}:
        of = [one.weight for one in signal.skill.weights if one.horizon_min == horizon]
        assert sum(of) == pytest.approx(1.0)
        assert min(of) > 0.0


@pytest.mark.parametrize("n", [1, 2, 9])
def test_too_few_names_to_judge_by_are_scored_all_the_same(n: int) -> None:
    names = kit.universe(n)
    rng = np.random.default_rng(0)
    signal = cycles(names, lambda _: said(names, rng.normal(size=(4, n))))
    sound(signal)
    assert not signal.skill.votes
    assert {one.why for one in signal.skill.weights} <= {Code.WEIGHT_NO_RECORD, Code.WEIGHT_ALONE}
    assert (signal.defect == 0).all()


def test_scores_that_never_change_nor_differ_are_no_record() -> None:
    names = kit.universe(20)
    signal = cycles(names, lambda _: said(names, np.ones((4, 20))))
    sound(signal)
    assert [track.shares for track in signal.skill.tracks] == [0.0] * 4
    assert signal.score.tolist() == pytest.approx([1.0] * 20)


def test_when_all_are_stale_every_name_says_so() -> None:
    names, rng = kit.universe(20), np.random.default_rng(0)

    def told(k: int) -> Scores:
        value = rng.normal(size=(4, 20))
        return said(names, value, age_s=np.full((4, 20), 60.0 if k < 30 else 2700.0))

    signal = cycles(names, told)
    sound(signal)
    assert set(signal.defect.tolist()) == {Code.DATA_STALE_SCORE.number}
    assert signal.score.tolist() == [0.0] * 20
    assert signal.age_s.tolist() == [NEVER_S] * 20


def test_scores_that_are_not_numbers_have_no_vote() -> None:
    names, rng = kit.universe(20), np.random.default_rng(0)
    broken = np.zeros((4, 20), dtype=np.int16)
    broken[:, :5] = Code.DATA_NOT_FINITE.number
    broken[0] = Code.DATA_NOT_FINITE.number

    def told(_: int) -> Scores:
        return said(names, np.where(broken > 0, 0.0, rng.normal(size=(4, 20))), defect=broken)

    signal = cycles(names, told)
    sound(signal)
    assert (signal.defect[:5] == Code.DATA_NOT_FINITE.number).all()
    assert (signal.defect[5:] == 0).all()
    with pytest.raises(DataError, match="expected a finite number"):
        said(names, np.full((1, 20), np.nan))


def test_models_may_all_be_replaced_between_two_cycles() -> None:
    names, rng = kit.universe(20), np.random.default_rng(0)

    def told(k: int) -> Scores:
        if k < 30:
            return said(names, rng.normal(size=(4, 20)))
        value = rng.normal(size=(2, 20))
        return said(names, value, models=("x", "y"), horizon_min=(30.0, 60.0))

    signal = cycles(names, told)
    sound(signal)
    assert [one.model for one in signal.skill.weights] == ["x", "y"]
    assert {vote.model for vote in signal.skill.votes} == {"x", "y"}
    assert [one.horizon_min for one in signal.skill.horizons] == [30.0, 60.0]


def test_no_model_at_all_is_refused() -> None:
    names = kit.universe(3)
    with pytest.raises(DataError, match="0 models give scores"):
        cycles(names, lambda _: said(names, np.zeros((0, 3))), count=1)


def test_units_that_need_a_volatility_are_refused_without_one() -> None:
    names = kit.universe(20)
    mixed = said(names, np.zeros((3, 20)), unit=("return", "rank", "z"))
    with pytest.raises(MissingError, match="3 models give scores in rank and return and z, and no"):
        cycles(names, lambda _: mixed, count=1, sigma=None)
    sound(cycles(names, lambda _: mixed, count=3))


def test_a_market_without_quotes_teaches_nothing() -> None:
    names, rng = kit.universe(20), np.random.default_rng(0)
    state = kit.state(names)
    for k in range(10):
        now = kit.clock("10:00") + timedelta(minutes=5 * k)
        market = kit.market(names, price=0.0, asof=now, quote_age_s=NEVER_S)
        seen = kit.seen(names, now=now, market=market, scores=said(names, rng.normal(size=(4, 20))))
        signal = merge(seen, state, risk(20), SETTINGS)
        state = replace(state, skill=signal.skill)
    sound(signal)
    assert not signal.skill.votes
