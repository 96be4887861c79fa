"""Many scores become one a name: who votes, who is too old, and what a silent name carries."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import kit

from deadband.core.config import SignalSettings
from deadband.core.errors import DataError
from deadband.core.reasons import Code
from deadband.core.seen import NEVER_S, Scores, Universe
from deadband.core.skill import Skill
from deadband.core.types import Signal
from deadband.signals.merge import merge

UNIVERSE = Universe.of(("AAA", "BBB", "CCC"))
LIMIT_S = 45 * 60.0
MISSING, BROKEN = Code.DATA_MISSING_SCORE.number, Code.DATA_NOT_FINITE.number
STALE = Code.DATA_STALE_SCORE.number


def merged(value: Any, **changed: Any) -> Signal:
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
    return merge(Scores(**(fields | changed)), kit.market(UNIVERSE), Skill(), SignalSettings())


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


def test_a_score_is_fresh_up_to_its_limit_and_stale_beyond() -> None:
    signal = merged([[1.0, 1.0, 1.0]], age_s=[[0.0, LIMIT_S, LIMIT_S + 0.001]])
    assert signal.defect.tolist() == [0, 0, STALE]
    assert signal.score.tolist() == [1.0, 1.0, 0.0]
    assert signal.age_s[2] == NEVER_S


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


def test_models_of_different_units_are_not_averaged() -> None:
    with pytest.raises(DataError, match="2 models give scores in return and z"):
        merged([[1.0] * 3, [2.0] * 3], unit=("z", "return"))


def test_horizons_of_one_unit_are_arbitrated() -> None:
    """Two hours' return counts a quarter in half an hour; a z counts as it is."""
    kind = {"horizon_min": (30.0, 120.0)}
    z = merged([[1.0] * 3, [2.0] * 3], **kind)
    returns = merged([[1.0] * 3, [2.0] * 3], unit=("return", "return"), **kind)
    assert z.score.tolist() == [1.5] * 3
    assert returns.score.tolist() == [0.75] * 3
    assert returns.horizon_min == 30.0


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
