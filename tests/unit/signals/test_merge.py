"""Many scores become one a name: who votes, who is too old, and what a silent name carries."""

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import kit

from deadband.core.config import SignalSettings
from deadband.core.errors import DataError, MissingError
from deadband.core.reasons import Code
from deadband.core.seen import NEVER_S, Scores, Universe
from deadband.core.types import RiskModel, Signal
from deadband.signals.merge import merge

UNIVERSE = Universe.of(("AAA", "BBB", "CCC"))
LIMIT_S = 45 * 60.0
MISSING, BROKEN = Code.DATA_MISSING_SCORE.number, Code.DATA_NOT_FINITE.number
STALE = Code.DATA_STALE_SCORE.number


def merged(value: Any, risk: RiskModel | None = None, **changed: Any) -> Signal:
    m = len(value)
    fields: dict[str, Any] = {
        "universe": UNIVERSE,
        "models": tuple(f"m{k}" for k in range(m)),
        "unit": ("z",) * m,
        "horizon_min": (30.0,) * m,
        "value": value,
        "age_s": np.zeros((m, 3)),
        "defect": np.zeros((m, 3), dtype=np.int16),
    }
    seen = kit.seen(UNIVERSE, scores=Scores(**(fields | changed)))
    return merge(seen, kit.state(UNIVERSE), risk or known(None), SignalSettings())


def known(sigma: Any, horizon_min: float = 30.0) -> RiskModel:
    """A risk model that knows volatilities, or nothing."""
    return RiskModel(
        horizon_min=horizon_min,
        sigma=None if sigma is None else np.full(3, sigma),
        correlation=None,
        beta=None,
        atr=None,
        defect=np.zeros(3, dtype=np.int16),
        version="",
    )


def test_one_model_passes_through() -> None:
    signal = merged([[1.0, -2.0, 0.5]], age_s=[[10.0, 20.0, 30.0]])
    assert signal.score.tolist() == [1.0, -2.0, 0.5]
    assert signal.age_s.tolist() == [10.0, 20.0, 30.0]
    assert signal.defect.tolist() == [0, 0, 0]
    assert (signal.unit, signal.horizon_min) == ("z", 30.0)


def test_models_count_equally_and_the_oldest_vote_is_the_age() -> None:
    signal = merged([[1.0, 0.0, 3.0], [2.0, -1.0, 3.0]], age_s=[[5.0] * 3, [60.0] * 3])
    assert signal.score.tolist() == [1.5, -0.5, 3.0]
    assert signal.age_s.tolist() == [60.0, 60.0, 60.0]


def test_a_model_with_a_defect_does_not_vote() -> None:
    signal = merged(
        [[9.0, 1.0, 1.0], [2.0, 2.0, 2.0]],
        defect=[[BROKEN, 0, 0], [0, 0, MISSING]],
        age_s=[[99.0, 1.0, 1.0], [3.0, 3.0, 99.0]],
    )
    assert signal.score.tolist() == [2.0, 1.5, 1.0]
    assert signal.age_s.tolist() == [3.0, 3.0, 1.0]
    assert signal.defect.tolist() == [0, 0, 0]


def test_a_score_fades_with_age_and_is_stale_at_its_limit() -> None:
    signal = merged([[1.0, 1.0, 1.0]], age_s=[[0.0, LIMIT_S - 1.0, LIMIT_S]])
    assert signal.defect.tolist() == [0, 0, STALE]
    assert signal.score[0] == 1.0
    assert 0.0 < signal.score[1] < 1e-5
    assert signal.score[2] == 0.0 and signal.age_s[2] == NEVER_S


def test_a_score_counts_by_what_its_half_life_has_left() -> None:
    """Without a record the half-life is the horizon; up to a bar old, a score is new."""
    signal = merged([[1.0, 1.0, -1.0]], age_s=[[300.0, 20 * 60.0, 20 * 60.0]])
    assert signal.score.tolist() == pytest.approx([1.0, 2 ** (-15 / 30), -(2 ** (-15 / 30))])


def test_a_model_that_falls_silent_goes_out_without_a_jump() -> None:
    """Its vote says less and weighs less the older it is; the other is left with its own."""
    alone = merged([[2.0] * 3]).score[0]
    both = [
        merged([[2.0] * 3, [-2.0] * 3], age_s=[[0.0] * 3, [age * 60.0] * 3]).score[0]
        for age in (0.0, 10.0, 20.0, 30.0, 40.0, 44.9, 45.0)
    ]
    assert both[0] == 0.0 and both == sorted(both)
    assert both[-2] == pytest.approx(alone, abs=1e-3) and both[-1] == alone


def test_a_stale_model_leaves_the_word_to_a_fresh_one() -> None:
    signal = merged([[9.0] * 3, [1.0] * 3], age_s=[[2 * LIMIT_S] * 3, [0.0] * 3])
    assert signal.score.tolist() == [1.0, 1.0, 1.0]
    assert signal.defect.tolist() == [0, 0, 0]


def test_a_silent_name_carries_the_defect_of_its_first_model() -> None:
    signal = merged(
        [[0.0] * 3, [0.0] * 3],
        defect=[[MISSING, BROKEN, 0], [BROKEN, MISSING, MISSING]],
        age_s=[[0.0, 0.0, 2 * LIMIT_S], [0.0] * 3],
    )
    assert signal.defect.tolist() == [MISSING, BROKEN, STALE]
    assert signal.score.tolist() == [0.0, 0.0, 0.0]
    assert signal.age_s.tolist() == [NEVER_S] * 3


def test_a_missing_score_stays_missing_however_old() -> None:
    signal = merged([[0.0] * 3], defect=[[MISSING] * 3], age_s=[[NEVER_S] * 3])
    assert signal.defect.tolist() == [MISSING] * 3


def test_models_of_different_units_need_a_volatility() -> None:
    with pytest.raises(MissingError, match="2 models give scores in return and z"):
        merged([[1.0] * 3, [2.0] * 3], unit=("z", "return"))


def test_a_z_becomes_a_return_beside_a_return() -> None:
    """α = IC·σ·z, the IC that of a model without a record, σ that of the model's horizon."""
    signal = merged([[1.0, -2.0, 0.0], [3e-4, 0.0, 0.0]], known(0.002, 120.0), unit=("z", "return"))
    alpha = 0.02 * 0.001 * np.array([1.0, -2.0, 0.0])
    assert signal.unit == "return"
    assert signal.score.tolist() == pytest.approx((0.5 * (alpha + [3e-4, 0.0, 0.0])).tolist())


def test_ranks_become_normal_scores() -> None:
    """Of one unit with z, so no volatility is asked for; only the order counts."""
    alone = merged([[7.0, -1.0, 900.0]], unit=("rank",))
    with_z = merged([[7.0, -1.0, 900.0], [1.0, 0.0, 0.0]], unit=("rank", "z"))
    quartile = NormalDist().inv_cdf(0.75)
    assert alone.unit == with_z.unit == "z"
    assert alone.score.tolist() == pytest.approx([0.0, -quartile, quartile])
    assert with_z.score.tolist() == pytest.approx([0.5, -quartile / 2, quartile / 2])


@pytest.mark.parametrize("unit", ["z", "return"])
def test_a_unit_alone_passes_through_untouched(unit: str) -> None:
    value = [[0.3, -0.7, 0.123456789]]
    assert merged(value, known(0.002), unit=(unit,)).score.tolist() == value[0]


def test_horizons_of_one_unit_are_arbitrated() -> None:
    """A return is brought to the shortest horizon by how fast it comes true; a z counts as it is.

    The share of the longer horizon is what it is expected to earn while the book holds.
    """
    kind = {"horizon_min": (30.0, 120.0)}
    z = merged([[1.0] * 3, [2.0] * 3], **kind)
    returns = merged([[1.0] * 3, [2.0] * 3], unit=("return", "return"), **kind)
    _, longer = (one.weight for one in z.skill.horizons)
    assert 0.3 < longer < 0.7
    assert z.score.tolist() == pytest.approx([1.0 + longer] * 3)
    _, longer = (one.weight for one in returns.skill.horizons)
    brought = (1.0 - 2 ** (-30 / 120)) / (1.0 - 2 ** (-120 / 120))
    assert returns.score.tolist() == pytest.approx([1.0 - longer + longer * 2.0 * brought] * 3)
    assert returns.horizon_min == 30.0
    assert returns.parts.sum(axis=0).tolist() == returns.score.tolist()


def test_a_silent_horizon_does_not_dilute_the_others() -> None:
    both = merged(
        [[1.0] * 3, [0.0] * 3], horizon_min=(30.0, 120.0), defect=[[0] * 3, [MISSING] * 3]
    )
    assert both.score.tolist() == [1.0] * 3


def test_no_model_at_all_is_refused() -> None:
    with pytest.raises(DataError, match="0 models"):
        merged(np.zeros((0, 3)))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.lists(st.floats(-5, 5), min_size=3, max_size=3), min_size=1, max_size=4),
    st.permutations([0, 1, 2]),
)
def test_merging_does_not_know_the_order_of_names(
    value: list[list[float]], order: list[int]
) -> None:
    direct = merged(value).score
    shuffled = merged([[row[i] for i in order] for row in value]).score
    assert shuffled.tolist() == direct[order].tolist()
    assert (direct <= np.max(value, axis=0) + 1e-12).all()
    assert (direct >= np.min(value, axis=0) - 1e-12).all()
