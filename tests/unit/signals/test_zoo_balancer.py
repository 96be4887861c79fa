"""Models weigh by their records: equal without evidence, more with it, and always why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband import ZooBalancer
from deadband.core.config import SignalSettings
from deadband.core.reasons import Code
from deadband.core.skill import Track
from deadband.signals.credit import between
from deadband.signals.zoo_balancer import within

NAMES = 50


def record(model: str, ic: float, outcomes: float = 200.0, **other: float) -> Track:
    """A record of that mean IC whose scatter is chance's."""
    chance = 1.0 / (NAMES - 1)
    return Track(
        model=model,
        horizon_min=30.0,
        shares=outcomes,
        ic=outcomes * ic,
        ic_square=outcomes * (ic**2 + chance),
        chance=outcomes * chance,
        **other,
    )


def weights(*tracks: Track, **changed: float) -> dict[str, float]:
    weighed = ZooBalancer(SignalSettings(**changed)).weigh(tracks)
    return {one.model: one.weight for one in weighed}


def reasons(*tracks: Track, **changed: float) -> list[Code]:
    return [one.why for one in ZooBalancer(SignalSettings(**changed)).weigh(tracks)]


def test_a_cold_zoo_is_weighed_equally() -> None:
    tracks = [Track(name, 30.0) for name in "abc"]
    assert list(weights(*tracks).values()) == pytest.approx([1 / 3] * 3)
    assert set(reasons(*tracks)) == {Code.WEIGHT_NO_RECORD}


def test_one_model_has_all_the_weight() -> None:
    (one,) = ZooBalancer().weigh([record("a", -0.2)])
    assert (one.weight, one.why) == (1.0, Code.WEIGHT_ALONE)


def test_a_difference_that_chance_explains_changes_nothing() -> None:
    close = weights(record("a", 0.021, 20.0), record("b", 0.015, 20.0), record("c", 0.01, 20.0))
    assert list(close.values()) == pytest.approx([1 / 3] * 3)


def test_proven_skill_takes_the_weight_of_proven_nonsense() -> None:
    found = weights(record("good", 0.08, 400.0), record("a", 0.0, 400.0), record("b", 0.0, 400.0))
    assert found["good"] > 0.6
    assert found["a"] == pytest.approx(found["b"])


def test_a_model_added_starts_at_the_mean_skill() -> None:
    old = [record("good", 0.08, 400.0), record("bad", -0.02, 400.0)]
    with_new = ZooBalancer().weigh([*old, Track("new", 30.0)])
    by_name = {one.model: one for one in with_new}
    assert by_name["new"].why is Code.WEIGHT_NO_RECORD
    assert by_name["bad"].weight < by_name["new"].weight < by_name["good"].weight


def test_floor_and_cap_hold_and_say_so() -> None:
    tracks = [record("good", 0.2, 900.0), record("a", -0.2, 900.0), record("b", -0.1, 900.0)]
    found = ZooBalancer(SignalSettings(weight_floor=0.3, weight_cap=0.6)).weigh(tracks)
    assert [one.weight for one in found] == pytest.approx([0.6, 0.2, 0.2])
    assert found[0].why is Code.WEIGHT_CAP
    assert reasons(record("good", 0.1, 900.0), record("bad", -0.1, 900.0), weight_cap=1.0)[1] is (
        Code.WEIGHT_FLOOR
    )


def test_the_record_is_told_with_the_weight() -> None:
    balancer = ZooBalancer(SignalSettings(weight_cap=1.0))
    one, other = balancer.weigh([record("a", 0.04, 400.0), record("b", 0.01, 400.0)])
    assert (one.ic, one.outcomes, one.why) == (pytest.approx(0.04), 400.0, Code.WEIGHT_RECORD)
    assert one.error == pytest.approx(np.sqrt(1.0 / (NAMES - 1) / 400.0))
    assert 0.0 < one.trusted < 1.0 and one.trusted == pytest.approx(other.trusted)


def test_of_two_equally_good_models_the_steadier_weighs_more() -> None:
    steady = {"steady": 190.0, "steady_shares": 200.0, "cost": 4.0}
    nervous = {"steady": 20.0, "steady_shares": 200.0, "cost": 4.0}
    pair = record("steady", 0.03, **steady), record("nervous", 0.03, **nervous)
    found = weights(*pair)
    assert found["steady"] > found["nervous"]
    assert list(weights(*pair, churn_penalty=0.0).values()) == pytest.approx([0.5, 0.5])
    drags = {one.model: one.drag for one in ZooBalancer().weigh(pair)}
    by_hand = 0.5 * 0.02 * (np.sqrt(2 * 0.9) - np.sqrt(2 * 0.05)) / np.sqrt(np.pi / 2)
    assert drags["nervous"] - drags["steady"] == pytest.approx(by_hand)


def test_variance_between_models_is_dersimonian_and_lairds() -> None:
    """The worked numbers are of the formula in plain arithmetic."""
    ic, error = np.array([0.05, 0.0, -0.02]), np.array([0.01, 0.02, 0.01])
    precision = [1 / e**2 for e in error]
    common = sum(p * y for p, y in zip(precision, ic, strict=True)) / sum(precision)
    q = sum(p * (y - common) ** 2 for p, y in zip(precision, ic, strict=True))
    c = sum(precision) - sum(p**2 for p in precision) / sum(precision)
    tau_square, mean = between(ic, error)
    assert tau_square == pytest.approx((q - 2) / c)
    again = [1 / (tau_square + e**2) for e in error]
    expected = sum(a * y for a, y in zip(again, ic, strict=True)) / sum(again)
    assert mean == pytest.approx(expected)


RECORDS = st.lists(st.tuples(st.floats(-0.3, 0.3), st.floats(0.0, 2000.0)), min_size=2, max_size=8)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(RECORDS, st.floats(0.01, 1.0), st.floats(0.05, 1.0))
def test_weights_sum_to_one_within_their_bounds_in_any_order(
    records: list[tuple[float, float]], floor: float, cap: float
) -> None:
    tracks = [record(f"m{k}", ic, outcomes) for k, (ic, outcomes) in enumerate(records)]
    found = weights(*tracks, weight_floor=floor, weight_cap=cap)
    equal = 1.0 / len(tracks)
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-9)
    assert min(found.values()) >= floor * equal - 1e-12
    assert max(found.values()) <= max(cap, equal) + 1e-12
    turned = weights(*reversed(tracks), weight_floor=floor, weight_cap=cap)
    assert turned == pytest.approx(found, abs=1e-12)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(RECORDS, st.floats(0.001, 0.2))
def test_a_better_record_never_weighs_less(records: list[tuple[float, float]], more: float) -> None:
    tracks = [record(f"m{k}", ic, 300.0) for k, (ic, _) in enumerate(records)]
    best = max(range(len(tracks)), key=lambda k: tracks[k].ic)
    worst = min(range(len(tracks)), key=lambda k: tracks[k].ic)
    found = weights(*tracks)
    assert found[f"m{best}"] >= found[f"m{worst}"] - 1e-12


def test_shares_are_moved_into_their_bounds_in_proportion() -> None:
    assert within(np.array([0.5, 0.3, 0.2]), 0.1, 0.8).tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert within(np.array([0.9, 0.1, 0.0]), 0.05, 0.6).tolist() == pytest.approx([0.6, 0.35, 0.05])
    assert within(np.array([1.0, 0.0, 0.0]), 0.05, 0.8).tolist() == pytest.approx([0.8, 0.1, 0.1])


def test_a_name_is_scored_by_the_models_that_know_it() -> None:
    usable = np.array([[True, True], [True, False]])
    score, voice = ZooBalancer().balance(
        np.array([[1.0, 1.0], [4.0, 9.0]]), usable, np.array([0.75, 0.25])
    )
    assert score.tolist() == [1.75, 1.0]
    assert voice.tolist() == [1.0, 1.0]


def test_an_old_vote_says_less_and_weighs_less() -> None:
    value, usable = np.array([[4.0, 4.0, 4.0], [0.0, 0.0, 0.0]]), np.ones((2, 3), dtype=np.bool_)
    fresh = np.array([[1.0, 0.5, 0.0], [1.0, 1.0, 0.0]])
    score, voice = ZooBalancer().balance(value, usable, None, fresh)
    assert score.tolist() == pytest.approx([2.0, 4.0 * 0.5 * 0.5 / 1.5, 0.0])
    assert voice.tolist() == pytest.approx([1.0, 0.75, 0.0])


def test_nobody_weighs_nothing() -> None:
    assert ZooBalancer().weigh([]) == ()


def test_a_record_is_never_surer_than_chance_allows() -> None:
    calm = replace(record("a", 0.05), ic_square=200.0 * 0.05**2)
    (one, _) = ZooBalancer().weigh([calm, record("b", 0.0)])
    assert one.error == pytest.approx(np.sqrt(1.0 / (NAMES - 1) / 200.0))


def test_a_model_whose_late_outcomes_turned_loses_its_vote() -> None:
    """Its long record is still the best, but what it did of late is far below it."""
    late = {"recent_shares": 50.0, "recent_chance": 50.0 / (NAMES - 1)}
    turned = record("turned", 0.06, 400.0, recent_ic=-0.06 * 50.0, **late)
    sound = record("sound", 0.06, 400.0, recent_ic=0.06 * 50.0, **late)
    found = {one.model: one for one in ZooBalancer().weigh([turned, sound, record("c", 0.01)])}
    assert found["turned"].skill < 0.0 < found["sound"].skill
    assert found["turned"].weight < 0.1 < found["sound"].weight
    three = [turned, sound, record("c", 0.01), record("d", -0.2, 900.0)]
    whys = {one.model: one.why for one in ZooBalancer().weigh(three)}
    assert whys["turned"] is Code.WEIGHT_FLOOR
    milder = replace(turned, recent_ic=0.0)
    assert ZooBalancer().weigh([milder, sound])[0].why is Code.WEIGHT_RECENT


def test_a_good_late_run_earns_nothing_beyond_the_record() -> None:
    lucky = record("a", 0.01, recent_shares=50.0, recent_ic=10.0, recent_chance=1.0)
    plain = record("a", 0.01)
    assert weights(lucky, record("b", 0.02)) == weights(plain, record("b", 0.02))


def test_models_alike_share_one_weight_and_say_so() -> None:
    tracks = [record(name, 0.03) for name in "abc"]
    rho = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    found = ZooBalancer().weigh(tracks, rho)
    # Half of the likeness is believed: 1 / 1.5 each, against 1.
    assert [one.weight for one in found] == pytest.approx([2 / 7, 2 / 7, 3 / 7])
    assert found[0].alike == pytest.approx(1.0 - (2 / 7) / (1 / 3))
    whys = [one.why for one in ZooBalancer().weigh(tracks * 2, np.ones((6, 6)))]
    assert whys == [Code.WEIGHT_RECORD] * 6, "nobody gives up anything to models all alike"
    four = ZooBalancer().weigh([*tracks, record("d", 0.03)], _alike(4, 3))
    assert [one.why for one in four[:3]] == [Code.WEIGHT_ALIKE] * 3


def _alike(m: int, copies: int) -> np.ndarray:
    rho = np.eye(m)
    rho[:copies, :copies] = 1.0
    return rho


def test_a_model_that_only_repeats_a_better_one_is_heard_least() -> None:
    better, worse = record("better", 0.10, 900.0), record("worse", 0.01, 900.0)
    found = ZooBalancer().weigh([better, worse, record("c", 0.05, 900.0)], _alike(3, 2))
    assert found[1].why is Code.WEIGHT_FLOOR
    assert found[1].weight == pytest.approx(0.1 / 3)


def test_weights_go_a_share_of_the_way_to_their_aim() -> None:
    tracks = [record("a", 0.08, 400.0), record("b", 0.0, 400.0)]
    aim = ZooBalancer().weigh(tracks)[0].weight
    moved = ZooBalancer().weigh(tracks, None, {"a": 0.5, "b": 0.5}, 0.25)[0]
    assert moved.aim == aim
    assert moved.weight == pytest.approx(0.5 + 0.25 * (aim - 0.5))


def test_a_model_that_comes_starts_at_its_floor_and_one_that_goes_leaves_its_share() -> None:
    tracks = [record("a", 0.05), record("b", 0.05), Track("new", 30.0)]
    before = {"a": 0.45, "b": 0.45, "gone": 0.10}
    found = {one.model: one for one in ZooBalancer().weigh(tracks, None, before, 0.0)}
    assert found["new"].weight == pytest.approx(0.1 / 3)
    assert found["a"].weight == pytest.approx(0.5 * (1.0 - 0.1 / 3))
    assert found["new"].aim > 0.3


def test_a_model_alone_is_credited_by_its_own_record() -> None:
    (good,) = ZooBalancer().weigh([record("a", 0.08, 900.0)])
    (new,) = ZooBalancer().weigh([Track("a", 30.0)])
    (bad,) = ZooBalancer().weigh([record("a", -0.08, 900.0)])
    assert new.skill == 0.02
    assert 0.07 < good.skill < 0.08
    assert bad.skill < 0.0
