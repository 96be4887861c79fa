"""Ranks and their normal scores, and how long a book holds what it buys."""

from __future__ import annotations

from datetime import timedelta
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests import kit

from deadband.core.seen import Seen
from deadband.core.skill import Pace
from deadband.signals.pace import follow, gross, holding_min
from deadband.signals.ranks import mean_ranks, normal_scores, places, ranks_of_places

NAMES = kit.universe(4)
VALUES = st.lists(st.integers(-5, 5), min_size=1, max_size=30)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(VALUES)
def test_ranks_are_scipys(values: list[int]) -> None:
    column = np.array(values, dtype=np.float64)
    assert mean_ranks(column).tolist() == stats.rankdata(column).tolist()
    assert (places(column) + 1).tolist() == stats.rankdata(column, method="dense").tolist()
    few = places(column)[::2]
    assert ranks_of_places(few).tolist() == stats.rankdata(few).tolist()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(VALUES, st.floats(0.1, 10.0), st.floats(-100.0, 100.0))
def test_normal_scores_know_the_order_alone(values: list[int], scale: float, shift: float) -> None:
    column = np.array(values, dtype=np.float64)
    found = normal_scores(column)
    assert normal_scores(scale * np.cbrt(column) + shift).tolist() == found.tolist()
    by_hand = [NormalDist().inv_cdf(r / (len(column) + 1)) for r in stats.rankdata(column)]
    assert found == pytest.approx(by_hand, abs=1e-12)
    assert -normal_scores(-column) == pytest.approx(found, abs=1e-12)


def test_normal_scores_of_equal_values_are_zero() -> None:
    assert normal_scores(np.full(7, 3.0)).tolist() == pytest.approx([0.0] * 7)
    assert normal_scores(np.array([])).tolist() == []


def seen_at(minutes: float, weights: float) -> Seen:
    return kit.seen(
        NAMES,
        now=kit.clock("10:00") + timedelta(minutes=minutes),
        portfolio=kit.portfolio(NAMES, weights=weights),
    )


def test_without_a_past_the_book_turns_over_with_its_signals() -> None:
    pace = follow(None, seen_at(0.0, 0.1), kit.state(NAMES, turnover_today=0.4))
    assert holding_min(pace, 0.4, [30.0, 120.0], 5.0) == pytest.approx(75.0)
    assert holding_min(pace, 0.0, [30.0], 5.0) == 30.0


def test_a_book_that_turns_over_four_times_an_hour_holds_for_a_quarter_of_one() -> None:
    """Gross 0.4 is bought and sold once in 15 minutes: turnover 0.8 in it."""
    pace = Pace(kit.clock("10:00"))
    for k in range(1, 61):
        state = kit.state(NAMES, turnover_today=k * 0.8 / 3.0)
        pace = follow(pace, seen_at(5.0 * k, 0.1), state)
    # Half of it is forgotten in a session; the expectation has not quite lost its say.
    assert gross(seen_at(0.0, 0.1)) == pytest.approx(0.4)
    assert holding_min(pace, 0.4, [15.0], 5.0) == pytest.approx(15.0, rel=0.01)
    slower = holding_min(pace, 0.4, [390.0], 5.0)
    assert 15.0 < slower < 60.0


def test_a_new_day_begins_its_turnover_anew() -> None:
    pace = Pace(kit.clock("15:55"), turned=1.0, turnover_today=1.0)
    seen = kit.seen(NAMES, now=kit.clock("09:35", "2026-03-04"))
    found = follow(pace, seen, kit.state(NAMES, turnover_today=0.25))
    assert found.turned == pytest.approx(0.25 + 0.5 ** (10.0 / 390.0))
    assert found.turnover_today == 0.25


def test_a_busier_new_day_is_a_new_day_too() -> None:
    """All of its turnover is new, though it is more than yesterday's."""
    pace = Pace(kit.clock("15:55"), turned=0.1, turnover_today=0.1)
    seen = kit.seen(NAMES, now=kit.clock("09:35", "2026-03-04"))
    found = follow(pace, seen, kit.state(NAMES, turnover_today=0.3))
    assert found.turned == pytest.approx(0.3 + 0.1 * 0.5 ** (10.0 / 390.0))


def test_a_book_is_held_for_a_bar_at_least() -> None:
    hectic = Pace(kit.clock("10:00"), exposure=0.1, turned=50.0)
    assert holding_min(hectic, 0.1, [30.0], 5.0) == 5.0
