"""Limits: what a book uses of them, how a cycle widens them, and what exceeds them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.arrays import Bools, Floats
from deadband.core.config import OptimizationConfig
from deadband.core.limits import (
    BY_NUMBER,
    TOLERANCE,
    Bounds,
    Limit,
    Limits,
    Structure,
    excesses,
    held_in,
    keeps,
    widen,
)

TOLERATED = 0.0005
NOBODY = np.zeros(4, dtype=np.bool_)
STRUCTURE = Structure(
    group=np.array([0, 0, 1, -1]), group_names=("energy", "tech"), beta=np.array([1.0, 2.0, 1.0, 0])
)
WITHOUT_BETA = Structure(group=STRUCTURE.group, group_names=STRUCTURE.group_names, beta=None)


def mandate(**changed: float | bool | None) -> Limits:
    given_: dict[str, float | bool | None] = {
        "per_name_cap": 0.1,
        "gross": 0.3,
        "net": 0.25,
        "sector": 0.15,
        "sector_gross": None,
        "beta": 0.2,
        "turnover": 0.2,
        "turnover_name": 0.05,
        "allow_short": True,
    }
    return Limits(**(given_ | changed))  # type: ignore[arg-type]


def bounds_of(
    current: list[float],
    frozen: Bools = NOBODY,
    structure: Structure = STRUCTURE,
    **changed: float | bool | None,
) -> Bounds:
    return widen(mandate(**changed), structure, np.array(current), frozen, TOLERATED)


def only(*names: int) -> Bools:
    return np.isin(np.arange(4), names)


def test_the_names_have_numbers_of_their_own() -> None:
    assert len(BY_NUMBER) == len(Limit)
    assert all(BY_NUMBER[limit.number] is limit for limit in Limit)


def test_a_book_is_measured_by_sign_sector_and_beta() -> None:
    held = held_in(np.array([0.10, -0.04, 0.05, 0.02]))
    used = STRUCTURE.exposure_of(held)
    assert used.gross == pytest.approx(0.21)
    assert used.net == pytest.approx(0.13)
    assert used.sector == pytest.approx([0.06, 0.05])
    assert STRUCTURE.sector_gross_of(held) == pytest.approx([0.14, 0.05])
    assert used.beta == pytest.approx(0.10 - 0.08 + 0.05)


def test_without_a_breach_the_bounds_are_the_mandate() -> None:
    bounds = bounds_of([0.05, 0.05, 0.0, -0.02])
    assert bounds.low.tolist() == [-0.1] * 4
    assert bounds.high.tolist() == [0.1] * 4
    assert (bounds.gross, bounds.net, bounds.beta) == (0.3, 0.25, 0.2)
    assert bounds.sector.tolist() == [0.15, 0.15]
    assert bounds.sector_gross.tolist() == [np.inf, np.inf]
    assert (bounds.turnover, bounds.turnover_name) == (0.2, 0.05)


def test_without_shorts_weights_stop_at_zero() -> None:
    assert bounds_of([0.0] * 4, allow_short=False).low.tolist() == [0.0] * 4


def test_a_short_that_is_not_allowed_is_not_a_passive_breach() -> None:
    assert bounds_of([-0.1003, -0.05, 0.0, 0.0], allow_short=False).low.tolist() == [0.0] * 4


def test_a_passive_breach_within_the_tolerance_may_stay_but_not_grow() -> None:
    bounds = bounds_of([0.1003, -0.1004, 0.0, 0.0])
    assert bounds.high.tolist() == [0.1003, 0.1, 0.1, 0.1]
    assert bounds.low.tolist() == [-0.1, -0.1004, -0.1, -0.1]


def test_a_breach_beyond_the_tolerance_is_to_be_repaired() -> None:
    bounds = bounds_of([0.1006, 0.0, 0.0, 0.0])
    assert bounds.high.tolist() == [0.1] * 4


@pytest.mark.parametrize(("over", "kept"), [(0.0004, True), (0.0006, False)])
def test_sums_tolerate_what_names_do(over: float, kept: bool) -> None:
    bounds = bounds_of([0.075, 0.075 + over, 0.0, 0.0], beta=None)
    assert bounds.sector[0] == pytest.approx(0.15 + (over if kept else 0.0), abs=1e-15)
    bounds = bounds_of([0.1, 0.0, 0.1, 0.1 + over], net=1.0)
    assert bounds.gross == pytest.approx(0.3 + (over if kept else 0.0), abs=1e-15)


def test_a_frozen_name_keeps_its_weight_whatever_it_is() -> None:
    bounds = bounds_of([0.4, 0.0, -0.2, 0.0], frozen=only(0, 2), allow_short=False)
    assert bounds.high.tolist() == [0.4, 0.1, 0.1, 0.1]
    assert bounds.low.tolist() == [0.0, 0.0, -0.2, 0.0]


def test_limits_reach_at_least_what_is_frozen() -> None:
    bounds = bounds_of([0.4, 0.0, -0.05, 0.0], frozen=only(0, 2), sector_gross=0.1)
    assert bounds.gross == pytest.approx(0.45)
    assert bounds.net == pytest.approx(0.35)
    assert bounds.sector == pytest.approx([0.4, 0.15])
    assert bounds.sector_gross == pytest.approx([0.4, 0.1])
    assert bounds.beta == pytest.approx(0.35)


def test_a_beta_limit_needs_betas() -> None:
    assert bounds_of([0.1] * 4, structure=WITHOUT_BETA).beta == np.inf
    assert bounds_of([0.1] * 4, beta=None).beta == np.inf


def test_excesses_name_what_is_broken_and_by_how_much() -> None:
    bounds = bounds_of([0.0] * 4, sector_gross=0.16)
    found = excesses(bounds, STRUCTURE, np.array([0.12, 0.08, 0.10, 0.01]))
    assert found == pytest.approx(
        {
            "PER_NAME_CAP": 0.02,
            "NET": 0.06,
            "GROSS": 0.01,
            "BETA": 0.18,
            "SECTOR:energy": 0.05,
            "SECTOR_GROSS:energy": 0.04,
        }
    )


def test_a_kept_book_has_no_excess() -> None:
    weights = np.array([0.1, -0.05, 0.1, 0.05])
    assert excesses(bounds_of([0.0] * 4), STRUCTURE, weights) == {}
    assert excesses(bounds_of([0.0] * 4), STRUCTURE, np.zeros(4)) == {}


def test_a_limit_is_kept_up_to_the_last_bits() -> None:
    assert keeps(0.3 + 0.9 * TOLERANCE, 0.3)
    assert not keeps(0.3 + 2 * TOLERANCE, 0.3)


def test_the_seeds_configuration_becomes_a_mandate() -> None:
    limits = OptimizationConfig().limits(allow_short=True)
    assert (limits.gross, limits.net, limits.per_name_cap, limits.sector) == (1.5, 0.3, 0.1, 0.3)
    assert (limits.beta, limits.turnover, limits.turnover_name) == (0.05, 0.2, 0.05)
    assert (limits.sector_gross, limits.fully_invested) == (None, False)


weights = st.lists(st.floats(-0.6, 0.6), min_size=4, max_size=4)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(weights, st.lists(st.booleans(), min_size=4, max_size=4))
def test_the_frozen_part_of_any_book_fits_its_bounds(
    current: list[float], frozen: list[bool]
) -> None:
    stuck = np.array(frozen)
    bounds = bounds_of(current, frozen=stuck)
    assert excesses(bounds, STRUCTURE, np.where(stuck, current, 0.0)) == {}


@settings(max_examples=80, deadline=None, derandomize=True)
@given(weights)
def test_bounds_only_widen_and_without_frozen_names_by_the_tolerance_at_most(
    current: list[float],
) -> None:
    bounds, floor = bounds_of(current), bounds_of([0.0] * 4)
    pairs: list[tuple[float | Floats, float | Floats]] = [
        (bounds.high, floor.high),
        (-bounds.low, -floor.low),
        (bounds.gross, floor.gross),
        (bounds.net, floor.net),
        (bounds.sector, floor.sector),
        (bounds.beta, floor.beta),
    ]
    for widened, given_ in pairs:
        assert np.all(np.asarray(widened) >= given_)
        assert np.all(np.asarray(widened) <= np.asarray(given_) + TOLERATED + 1e-12)
