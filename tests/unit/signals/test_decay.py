"""What age leaves of a score, and the half-life that a record of lags speaks for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.skill import Track
from deadband.signals.decay import accrued, freshness, half_life, lag_minutes

BAR, LONGEST = 5.0, 45.0


def left(minutes: list[float], half_life_min: float = 30.0) -> list[float]:
    age = np.array(minutes)[None] * 60.0
    found: list[float] = freshness(age, np.array([half_life_min]), BAR, LONGEST)[0].tolist()
    return found


def record(ic: tuple[float, ...], outcomes: float = 300.0, horizon: float = 60.0) -> Track:
    """A record of 50 names with these ICs from lag to lag."""
    return Track(
        model="m",
        horizon_min=horizon,
        shares=outcomes,
        chance=outcomes / 49.0,
        lag_ic=tuple(outcomes * one for one in ic),
        lag_shares=(outcomes,) * 4,
    )


def told_by(life: float, horizon: float = 60.0, size: float = 0.5) -> tuple[float, ...]:
    ends = lag_minutes(horizon, BAR)
    starts = (0.0, *ends[:-1])
    return tuple(
        size * (2 ** (-a / life) - 2 ** (-b / life)) / (b - a) ** 0.5
        for a, b in zip(starts, ends, strict=True)
    )


def test_a_score_is_new_for_a_bar_and_gone_at_its_longest_age() -> None:
    assert left([0.0, 4.9, 5.0]) == [1.0, 1.0, 1.0]
    assert left([LONGEST, LONGEST + 1.0, 1e7]) == [0.0, 0.0, 0.0]
    assert left([20.0]) == pytest.approx([2 ** (-15 / 30)])


def test_a_score_may_be_allowed_to_live_for_less_than_a_bar() -> None:
    age = np.array([[0.0, 59.0, 120.0]])
    found = freshness(age, np.array([30.0]), bar_min=5.0, longest_min=2.0)[0]
    assert found[:2].tolist() == [1.0, 1.0] and found[2] == 0.0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(0.0, 60.0), min_size=2, max_size=20),
    st.floats(0.5, 2000.0),
    st.floats(0.5, 60.0),
)
def test_ageing_never_goes_up_nor_jumps(ages: list[float], life: float, bar: float) -> None:
    age = np.sort(np.array(ages))[None] * 60.0
    found = freshness(age, np.array([life]), bar, LONGEST)[0]
    assert (np.diff(found) <= 0.0).all()
    assert ((found >= 0.0) & (found <= 1.0)).all()
    step = 1.0 / 60.0
    later = freshness(age + 60.0 * step, np.array([life]), bar, LONGEST)[0]
    # No steeper than the exponential and the way out together.
    assert (found - later <= step * (np.log(2.0) / life + 3.0 / LONGEST) + 1e-12).all()


def test_without_a_record_the_half_life_is_the_horizon() -> None:
    assert half_life([], 30.0, BAR) == pytest.approx(30.0)
    assert half_life([Track("m", 30.0)], 30.0, BAR) == pytest.approx(30.0)
    assert half_life([record((0.0,) * 4)], 60.0, BAR) == pytest.approx(60.0)


@pytest.mark.parametrize("life", [20.0, 60.0, 180.0])
def test_a_sure_record_has_its_own_half_life(life: float) -> None:
    sure = record(told_by(life, size=2.0), outcomes=20_000.0)
    assert half_life([sure], 60.0, BAR) == pytest.approx(life, rel=0.1)


def test_little_evidence_moves_it_little() -> None:
    few, many = (half_life([record(told_by(15.0, size=0.2), k)], 60.0, BAR) for k in (4.0, 4000.0))
    assert many < few < 60.0
    assert few > 40.0


def test_models_of_a_horizon_share_it_whatever_their_size_and_order() -> None:
    strong, weak = record(told_by(20.0)), record(told_by(20.0, size=0.1))
    against = record(tuple(-ic for ic in told_by(200.0)))
    both = half_life([strong, weak], 60.0, BAR)
    assert both == pytest.approx(half_life([weak, strong], 60.0, BAR), rel=1e-12)
    assert both <= half_life([strong], 60.0, BAR)
    assert half_life([strong, against], 60.0, BAR) == half_life([strong], 60.0, BAR)


def test_lags_are_whole_bars() -> None:
    assert lag_minutes(30.0, 5.0) == (10.0, 15.0, 30.0, 60.0)
    assert lag_minutes(5.0, 5.0) == (5.0, 5.0, 5.0, 10.0)
    assert half_life([record((0.1, 0.0, 0.0, 0.1), horizon=5.0)], 5.0, 5.0) > 5.0


def test_half_of_what_a_score_speaks_of_comes_true_in_a_half_life() -> None:
    assert accrued(30.0, 30.0) == 0.5
    assert accrued(60.0, 30.0) == 0.75
