"""Horizons weigh by what following them leaves after cost; their parts make a term structure."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband import HorizonArbiter
from deadband.core.config import SignalSettings
from deadband.core.reasons import Code
from deadband.core.skill import HorizonWeight
from deadband.signals.horizon_arbiter import Outlook

FREE = SignalSettings(weight_floor=0.001, weight_cap=1.0)


def outlook(horizon: float, **changed: float) -> Outlook:
    fields = {
        "skill": 0.04,
        "outcomes": 100.0,
        "half_life_min": horizon,
        "sigma_bps": 40.0 * (horizon / 30.0) ** 0.5,
        "round_trip_bps": 3.0,
    }
    return Outlook(horizon_min=horizon, **(fields | changed))


def weigh(*outlooks: Outlook, unit: str = "z", holding: float = 60.0) -> tuple[HorizonWeight, ...]:
    return HorizonArbiter(FREE).weigh(outlooks, unit, holding)


def test_one_horizon_has_all_the_weight_and_its_score_passes_through() -> None:
    (one,) = weigh(outlook(30.0))
    assert (one.weight, one.why) == (1.0, Code.HORIZON_ALONE)
    value = np.array([[0.3, -0.7, 0.1234567]])
    parts, spoken, horizon = HorizonArbiter().arbitrate(
        value, np.ones((1, 3), dtype=np.bool_), (30.0,), "return", (one,)
    )
    assert parts.tolist() == value.tolist()
    assert (spoken.all(), horizon) == (True, 30.0)


def test_alone_it_weighs_horizons_equally() -> None:
    value, usable = np.array([[1.0, 1.0], [2.0, 9.0]]), np.array([[True, True], [True, False]])
    parts, spoken, horizon = HorizonArbiter().arbitrate(value, usable, (30.0, 120.0), "z")
    assert parts.sum(axis=0).tolist() == [1.5, 1.0]
    assert (spoken.all(), horizon) == (True, 30.0)


def test_more_skill_weighs_more() -> None:
    short, long = weigh(outlook(30.0, skill=0.08), outlook(120.0, skill=0.01))
    assert short.weight > 0.7
    assert (short.why, long.why) == (Code.HORIZON_RECORD, Code.HORIZON_COST)


def test_what_decays_within_the_holding_time_is_worth_less() -> None:
    """Gârleanu and Pedersen: the aim leans to signals that last, the more the slower the book."""
    lasting = [
        weigh(outlook(30.0), outlook(30.5, half_life_min=240.0), holding=held)[1].weight
        for held in (5.0, 60.0, 390.0)
    ]
    assert lasting == sorted(lasting)


def test_the_round_trip_is_paid_once_out_of_what_is_earned_while_it_is_held() -> None:
    (one,) = weigh(outlook(30.0), holding=60.0)
    gathered = 60.0 / (30.0 / np.log(2.0) + 60.0)
    assert one.earned_bps == pytest.approx(0.04 * 2.0 * 40.0 * gathered / 0.5)
    dear, cheap = (
        weigh(*(outlook(h, round_trip_bps=cost) for h in (30.0, 120.0)), holding=390.0)
        for cost in (30.0, 0.0)
    )
    # Held for long, the longer horizon has gathered more, and more of it is left.
    assert dear[1].weight > cheap[1].weight
    assert {one.why for one in dear} == {Code.HORIZON_COST}


def test_without_a_volatility_cost_is_not_counted() -> None:
    blind = {"sigma_bps": np.nan, "round_trip_bps": np.nan}
    short, long = weigh(outlook(30.0, **blind), outlook(120.0, **blind))
    cheap = weigh(outlook(30.0, round_trip_bps=0.0), outlook(120.0, round_trip_bps=0.0))
    assert (short.weight, long.weight) == pytest.approx((cheap[0].weight, cheap[1].weight))
    assert np.isnan(short.earned_bps) and short.why is Code.HORIZON_RECORD


@pytest.mark.parametrize("round_trip_bps", [0.0, 3.0])
def test_a_volatility_of_zero_is_one_that_is_not_known(round_trip_bps: float) -> None:
    """Of a market that mostly stands still; nothing earned over nothing paid is no number."""
    still, unknown = (
        weigh(*(outlook(h, sigma_bps=s, round_trip_bps=round_trip_bps) for h in (30.0, 120.0)))
        for s in (0.0, np.nan)
    )
    assert [one.weight for one in still] == [one.weight for one in unknown]
    assert sum(one.weight for one in still) == pytest.approx(1.0)
    assert [one.why for one in still] == [Code.HORIZON_RECORD] * 2


def test_a_horizon_without_a_record_says_so_and_one_at_its_bound_too() -> None:
    new = outlook(30.0, skill=0.02, outcomes=0.0, round_trip_bps=0.1)
    assert weigh(new, outlook(120.0))[0].why is Code.HORIZON_NO_RECORD
    bounded = HorizonArbiter().weigh(
        [outlook(30.0, skill=0.2, round_trip_bps=0.1), outlook(60.0, skill=-0.1)], "z", 60.0
    )
    assert [one.weight for one in bounded] == pytest.approx([0.8, 0.2])
    assert [one.why for one in bounded] == [Code.HORIZON_BOUND, Code.HORIZON_COST]


def test_weights_go_a_share_of_the_way() -> None:
    there = weigh(outlook(30.0), outlook(120.0, skill=0.01))
    before = {30.0: 0.5, 120.0: 0.5}
    halfway = HorizonArbiter(FREE).weigh(
        [outlook(30.0), outlook(120.0, skill=0.01)], "z", 60.0, before, 0.5
    )
    assert halfway[0].aim == there[0].weight
    assert halfway[0].weight == pytest.approx(0.5 * (0.5 + there[0].weight))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.floats(-0.1, 0.2), st.floats(0.25, 4.0), st.floats(0.0, 50.0)),
        min_size=2,
        max_size=5,
    ),
    st.sampled_from(["z", "return"]),
    st.floats(1.0, 2000.0),
)
def test_weights_sum_to_one_within_their_bounds_in_any_order(
    told: list[tuple[float, float, float]], unit: str, holding: float
) -> None:
    horizons = [15.0 * 2**k for k in range(len(told))]
    outlooks = [
        outlook(h, skill=skill, half_life_min=h * life, round_trip_bps=cost)
        for h, (skill, life, cost) in zip(horizons, told, strict=True)
    ]
    arbiter, equal = HorizonArbiter(), 1.0 / len(told)
    found = {w.horizon_min: w.weight for w in arbiter.weigh(outlooks, unit, holding)}
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-9)
    assert min(found.values()) >= 0.1 * equal - 1e-12
    assert max(found.values()) <= max(0.8, equal) + 1e-12
    turned = arbiter.weigh(outlooks[::-1], unit, holding)
    assert {w.horizon_min: w.weight for w in turned} == pytest.approx(found, abs=1e-12)
    # In another currency of moves and costs nothing changes.
    scaled = [
        outlook(
            o.horizon_min,
            skill=o.skill,
            half_life_min=o.half_life_min,
            sigma_bps=7.0 * o.sigma_bps,
            round_trip_bps=7.0 * o.round_trip_bps,
        )
        for o in outlooks
    ]
    again = arbiter.weigh(scaled, unit, holding)
    assert {w.horizon_min: w.weight for w in again} == pytest.approx(found, abs=1e-9)


def test_an_old_horizon_weighs_less() -> None:
    value, voice = np.array([[1.0], [0.0]]), np.array([[0.25], [1.0]])
    parts, _, _ = HorizonArbiter().arbitrate(value, voice, (30.0, 60.0), "z")
    assert parts[:, 0].tolist() == pytest.approx([0.2, 0.0])
