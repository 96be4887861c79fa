"""Books in whole lots keep what the optimum keeps, and cost little more than it."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deadband.core.limits import TOLERANCE
from deadband.optimize.exact.duality import limit_values, value
from deadband.optimize.exact.program import Program
from deadband.optimize.rounding.least import at_least
from deadband.optimize.rounding.lots import in_lots
from deadband.optimize.solvers.qp import Optimum, optimum
from tests.kit.programs import Regime, program

REGIMES = (
    Regime(),
    Regime(cold=True),
    Regime(capped=False),
    Regime(shorts=False),
    Regime(lam=100.0, cold=True, capped=False),
    Regime(lam=1000.0),
    Regime(costs=0.0, capped=False),
    Regime(ties=True),
    Regime(breach=True, capped=False),
    Regime(breach=True),
    Regime(lam=100.0, sector_gross=True, borrow=True),
    Regime(risk="none"),
    Regime(risk="factor", lam=100.0),
    Regime(risk="singular", lam=30.0),
)
INVESTED = (
    Regime(invested=True),
    Regime(invested=True, capped=False, lam=100.0),
)
sizes = st.sampled_from((2, 3, 5, 8, 15, 30, 50))
leasts = st.sampled_from((0.0, 0.002, 0.01))
largest = st.sampled_from((1e-3, 5e-3, 2e-2))
seeds = st.integers(0, 10_000)
many = settings(max_examples=120, deadline=None, derandomize=True)
some = settings(max_examples=40, deadline=None, derandomize=True)


def solved(asked: Program) -> Optimum:
    found = optimum(asked)
    assume(found is not None)
    assert found is not None
    return found


def case(seed: int, n: int, regime: Regime) -> Program:
    """An instance; every third has market impact on top."""
    asked = program(seed, n, regime)
    return replace(asked, impact=np.full(n, 0.3)) if seed % 3 == 0 else asked


def lots(seed: int, n: int, most: float) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).uniform(np.log(1e-4), np.log(most), n))


def exactly(asked: Program, weights: np.ndarray) -> np.ndarray:
    """Every limit's use, summed without rounding, written apart from the code under test."""
    size, moved = np.abs(weights), np.abs(weights - asked.home) * asked.counted
    sectors = [asked.group == k for k in range(len(asked.sector))]
    sums = [row * weights for row in asked.rows] + [weights[own] for own in sectors]
    sums += [moved, size] + [size[own] for own in sectors]
    return np.array([math.fsum(terms.tolist()) for terms in sums])


def passed(asked: Program, weights: np.ndarray) -> list[str]:
    lower, upper = asked.limit_bounds
    used = exactly(asked, weights)
    low = used < lower - TOLERANCE * (1 + np.abs(lower))
    high = used > upper + TOLERANCE * (1 + np.abs(upper))
    return np.array(asked.names)[low | high].tolist()


def assert_tradable(asked: Program, weights: np.ndarray, lot: np.ndarray, least: float) -> None:
    assert (asked.low <= weights).all() and (weights <= asked.high).all()
    move = weights - asked.home
    free = (move == 0.0) | (weights == 0.0) | (asked.low == asked.high)
    count = move / lot
    assert (free | (np.abs(count - np.rint(count)) <= 1e-6)).all()
    assert (free | (np.abs(move) >= least - 1e-12)).all()


@many
@given(seeds, sizes, st.sampled_from(REGIMES), leasts, largest)
def test_rounded_books_keep_limits_lots_and_the_least_trade(
    seed: int, n: int, regime: Regime, least: float, most: float
) -> None:
    asked = case(seed, n, regime)
    found, lot = solved(asked), lots(seed, n, most)
    rounded = in_lots(asked, found.answer, lot, least)
    assert rounded.weights is not None
    assert_tradable(asked, rounded.weights, lot, least)
    assert set(passed(asked, rounded.weights)) <= set(passed(asked, found.answer.weights))


@many
@given(seeds, sizes, st.sampled_from(REGIMES), leasts, largest)
def test_the_gap_is_what_the_rounding_costs_and_never_a_gain(
    seed: int, n: int, regime: Regime, least: float, most: float
) -> None:
    asked = case(seed, n, regime)
    found = solved(asked)
    rounded = in_lots(asked, found.answer, lots(seed, n, most), least)
    assert rounded.weights is not None
    assert rounded.value == pytest.approx(value(asked, rounded.weights), abs=1e-15)
    assert rounded.gap == rounded.value - value(asked, found.answer.weights)
    assert rounded.value >= found.proof.bound - 1e-12 * (1 + abs(rounded.value))


@some
@given(seeds, st.sampled_from((8, 20, 40)), st.sampled_from(INVESTED), leasts)
def test_a_fully_invested_book_lacks_a_lot_at_most(
    seed: int, n: int, regime: Regime, least: float
) -> None:
    asked = case(seed, n, regime)
    found, lot = solved(asked), lots(seed, n, 2e-3)
    rounded = in_lots(asked, found.answer, lot, least)
    assume(rounded.weights is not None)
    assert rounded.weights is not None
    assert_tradable(asked, rounded.weights, lot, least)
    assert set(passed(asked, rounded.weights)) <= {"FULLY_INVESTED"}
    assert 1 - lot.max() - 1e-12 <= rounded.weights.sum() <= 1 + 1e-12


@some
@given(seeds, sizes, st.sampled_from(REGIMES + INVESTED), st.sampled_from((0.002, 0.01)))
def test_small_trades_are_settled_without_lots_too(
    seed: int, n: int, regime: Regime, least: float
) -> None:
    asked = case(seed, n, regime)
    found = solved(asked)
    settled = at_least(asked, found.answer, least)
    assume(settled is not None)
    assert settled is not None
    move = settled.weights - asked.home
    small = (np.abs(move) < least - 1e-9) & (move != 0.0) & (settled.weights != 0.0)
    assert not (small & (asked.low < asked.high)).any()
    assert passed(asked, settled.weights) == []
    assert value(asked, settled.weights) >= found.proof.bound - 1e-12


# Small enough to look at every book


def levels(asked: Program, name: int, lot: float, least: float) -> list[float]:
    """Every weight at which a name may rest, by the rule as it is stated."""
    low, high, home = asked.low[name], asked.high[name], asked.home[name]
    counts = np.arange(
        math.ceil((low - home) / lot - 1e-9), math.floor((high - home) / lot + 1e-9) + 1
    )
    found = {float(home + k * lot) for k in counts if k == 0 or abs(k) * lot >= least - 1e-12}
    return sorted(found | ({0.0} if low <= 0.0 <= high else set()))


def all_books(asked: Program, lot: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Every book on levels that keeps all limits, and its value."""
    grids = [levels(asked, name, float(lot[name]), least) for name in range(asked.size)]
    books = np.array([book for book in product(*grids)])
    lower, upper = asked.limit_bounds
    used = np.array([limit_values(asked, book) for book in books])
    slack = TOLERANCE * (1 + np.where(np.isfinite(upper), np.abs(upper), 0))
    kept = ((used >= lower - slack) & (used <= upper + slack)).all(axis=1)
    return books[kept], np.array([value(asked, book) for book in books[kept]])


def small_case(seed: int) -> tuple[Program, Optimum | None, np.ndarray]:
    """Four names with a handful of levels each."""
    asked = case(seed, 4, REGIMES[seed % len(REGIMES)])
    lot = (asked.high - asked.low) / np.random.default_rng(seed).uniform(3.0, 6.0, 4)
    return asked, optimum(asked), lot


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seeds, st.sampled_from((0.0, 0.02)))
def test_no_book_one_or_two_moves_away_is_better(seed: int, least: float) -> None:
    asked, found, lot = small_case(seed)
    assume(found is not None)
    assert found is not None
    rounded = in_lots(asked, found.answer, lot, least)
    assume(rounded.weights is not None)
    assert rounded.weights is not None
    books, values = all_books(asked, lot, least)
    grids = [np.array(levels(asked, name, float(lot[name]), least)) for name in range(4)]
    place = np.array(
        [np.abs(grid[:, None] - books[:, name]).argmin(axis=0) for name, grid in enumerate(grids)]
    )
    own = np.array(
        [np.abs(grid - rounded.weights[name]).argmin() for name, grid in enumerate(grids)]
    )
    steps = np.abs(place - own[:, None])
    near = (steps.max(axis=0) <= 1) & ((steps > 0).sum(axis=0) <= 2)
    assert values[near].min() >= rounded.value - 1e-9


def test_the_gap_is_near_that_of_the_best_of_all_books() -> None:
    """Of some sixty small cases most are the best there is, and none costs twice as much."""
    made, possible = [], []
    for asked, found, lot in map(small_case, range(60)):
        if found is None:
            continue
        rounded = in_lots(asked, found.answer, lot, 0.0)
        books, values = all_books(asked, lot, 0.0)
        assert (rounded.weights is None) == (len(books) == 0)
        if len(books):
            made.append(rounded.gap)
            possible.append(float(values.min()) - found.proof.value)
    gap, best = np.array(made), np.array(possible)
    assert len(gap) > 50
    assert (gap >= best - 1e-9).all()
    assert (gap <= 2.0 * best + 1e-9).all()
    assert (gap <= best + 1e-9).mean() > 0.9
    assert gap.sum() <= 1.02 * best.sum()


# By hand


def three(**given: object) -> Program:
    """Three names without risk, costs or sectors in force; `given` replaces single fields."""
    plain: dict[str, object] = {
        "linear": np.zeros(3),
        "home": np.zeros(3),
        "low": np.full(3, -0.1),
        "high": np.full(3, 0.1),
        "rows": np.array([np.ones(3), np.zeros(3)]),
        "turnover": np.inf,
        "hinge_at": np.zeros((1, 3)),
        "hinge_weight": np.zeros((1, 3)),
    }
    return replace(program(0, 3, Regime(risk="none")), **(plain | given))


def rounded_by_hand(asked: Program, lot: float, least: float = 0.0) -> np.ndarray | None:
    found = optimum(asked)
    assert found is not None
    return in_lots(asked, found.answer, np.full(3, lot), least).weights


def test_an_odd_lot_is_closed_whatever_the_lot_and_the_least_trade() -> None:
    asked = three(
        home=np.array([0.0123, 0.0, 0.0]), linear=np.array([1.0, 0.0, 0.0]), low=np.zeros(3)
    )
    weights = rounded_by_hand(asked, 0.01, 0.05)
    assert weights is not None
    assert weights.tolist() == [0.0, 0.0, 0.0]


def test_growth_stops_at_the_last_whole_lot_inside_the_box() -> None:
    weights = rounded_by_hand(three(linear=np.array([-1.0, 0.0, 0.0])), 0.03)
    assert weights is not None
    assert weights.tolist() == [3 * 0.03, 0.0, 0.0]


def over_its_ceiling(turnover: float) -> Program:
    """Holds 0.09 where 0.08 is the most; the first name is the one to sell."""
    return three(
        home=np.array([0.05, 0.04, 0.0]),
        low=np.zeros(3),
        high=np.array([0.1, 0.04, 0.1]),
        ceiling=np.array([0.08, 1.0]),
        linear=np.array([-1.0, -2.0, 0.0]),
        turnover=turnover,
    )


def test_a_repair_goes_one_lot_too_far_rather_than_not_far_enough() -> None:
    weights = rounded_by_hand(over_its_ceiling(np.inf), 0.015)
    assert weights is not None
    assert weights.tolist() == [0.05 - 0.015, 0.04, 0.0]


def test_turnover_gives_way_to_a_repair_that_needs_part_of_a_lot() -> None:
    weights = rounded_by_hand(over_its_ceiling(0.01), 0.015)
    assert weights is not None
    assert weights.tolist() == [0.05 - 0.015, 0.04, 0.0]


def test_an_equality_that_lots_cannot_meet_has_no_book() -> None:
    rows = np.array([np.ones(3), [1.0, 0.0, 0.0]])
    met = three(rows=rows, floor=np.array([-1.0, 0.01]), ceiling=np.array([1.0, 0.01]))
    assert rounded_by_hand(met, 0.015) is None
    weights = rounded_by_hand(met, 0.005)
    assert weights is not None
    assert weights[0] == 2 * 0.005


def test_a_name_that_cannot_move_is_where_the_optimum_has_it() -> None:
    point = np.array([0.0077, 0.0, 0.0])
    asked = three(low=point, high=np.array([0.0077, 0.1, 0.1]), linear=np.array([0.0, -1.0, 0.0]))
    weights = rounded_by_hand(asked, 0.02)
    assert weights is not None
    assert weights.tolist() == [0.0077, 5 * 0.02, 0.0]


def test_the_same_optimum_is_rounded_to_the_same_bits() -> None:
    asked = program(11, 60, Regime(lam=100.0))
    found = optimum(asked)
    assert found is not None
    lot = lots(11, 60, 5e-3)
    first, second = (in_lots(asked, found.answer, lot, 0.002).weights for _ in range(2))
    assert first is not None and second is not None
    assert first.tobytes() == second.tobytes()
