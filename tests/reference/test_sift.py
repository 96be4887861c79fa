"""Sifting against its own certificate, against all names at once and against cvxpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.kit.programs import Regime, program
from tests.reference.program_by_cvxpy import optimum_by_cvxpy

from deadband.optimize.exact.duality import dual_bound, limit_bounds, limit_values, value
from deadband.optimize.exact.program import Answer, Program
from deadband.optimize.solvers.sift import general, sift

KEPT = 1e-12
REGIMES = {
    "capped": Regime(),
    "cold": Regime(cold=True),
    "free to trade": Regime(capped=False),
    "cold, free": Regime(cold=True, capped=False),
    "long only": Regime(shorts=False),
    "barely averse": Regime(lam=0.1),
    "averse": Regime(lam=100.0),
    "very averse, free": Regime(lam=1000.0, capped=False),
    "invested": Regime(invested=True),
    "invested, free": Regime(invested=True, capped=False),
    "no costs": Regime(costs=0.0, capped=False),
    "ties": Regime(ties=True),
    "breach": Regime(breach=True),
    "breach, free": Regime(breach=True, capped=False),
    "layers": Regime(sector_gross=True, borrow=True),
}
RISKS = ("dense", "factor", "singular", "none")
SIZES = (3, 12, 40, 120)


def gap(asked: Program, answer: Answer) -> float:
    worth = value(asked, answer.weights)
    return (worth - dual_bound(asked, answer.weights, answer.prices)) / (1 + abs(worth))


def keeps_all(asked: Program, weights: np.ndarray) -> bool:
    used, (lower, upper) = limit_values(asked, weights), limit_bounds(asked)
    return bool(
        (weights >= asked.low).all()
        and (weights <= asked.high).all()
        and (used <= upper + KEPT * (1 + np.abs(upper))).all()
        and (used >= lower - KEPT * (1 + np.abs(lower))).all()
    )


def feasible(regime: Regime, sizes: tuple[int, ...] = SIZES) -> list[Program]:
    """Instances that some weights satisfy: Σw = 1 needs ten names at a cap of 0.10."""
    found = [program(seed, n, regime) for seed, n in enumerate(sizes)]
    return [p for p in found if np.minimum(p.high.sum(), 1.0) >= p.floor[0]]


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_the_answer_is_proven_optimal_and_keeps_every_limit(regime: Regime, risk: str) -> None:
    answered = 0
    for asked in feasible(replace(regime, risk=risk)):
        answer = sift(asked)
        if answer is None:
            assert regime.breach and regime.capped
            assert optimum_by_cvxpy(asked) is None
            continue
        answered += 1
        assert gap(asked, answer) <= 1e-9
        assert keeps_all(asked, answer.weights)
    assert answered > 0


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_all_names_at_once_give_the_same_value(regime: Regime, risk: str) -> None:
    for asked in feasible(replace(regime, risk=risk), sizes=(12, 30)):
        one, other = sift(asked), general(asked)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert gap(asked, other) <= 1e-9
            assert keeps_all(asked, other.weights)
            assert value(asked, one.weights) == pytest.approx(
                value(asked, other.weights), rel=1e-9, abs=1e-9
            )


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("name", ["capped", "free to trade", "invested", "layers", "averse"])
def test_cvxpy_finds_the_same_value(name: str, risk: str) -> None:
    for asked in feasible(replace(REGIMES[name], risk=risk), sizes=(3, 40)):
        answer, reference = sift(asked), optimum_by_cvxpy(asked)
        assert answer is not None and reference is not None
        assert value(asked, answer.weights) == pytest.approx(reference[1], rel=1e-7, abs=1e-7)


def test_most_names_stay_exactly_where_they_were() -> None:
    asked = program(4, 120)
    answer = sift(asked)
    assert answer is not None
    assert 80 <= np.count_nonzero(answer.weights == asked.home) < 120


def test_an_earlier_answer_changes_the_work_but_not_the_value() -> None:
    asked = program(5, 120, Regime(capped=False))
    later = replace(asked, linear=asked.linear + 0.05 * np.sin(np.arange(120)))
    earlier, fresh = sift(asked), sift(later)
    assert earlier is not None and fresh is not None
    warm = sift(later, start=earlier)
    assert warm is not None
    assert warm.work < fresh.work
    assert value(later, warm.weights) == pytest.approx(value(later, fresh.weights), rel=1e-12)


def test_prices_say_what_a_little_more_of_a_limit_is_worth() -> None:
    asked = program(6, 60)
    answer = sift(asked)
    assert answer is not None
    price = answer.prices[asked.names.index("TURNOVER")]
    wider = sift(replace(asked, turnover=asked.turnover + 1e-6))
    assert wider is not None
    gained = value(asked, answer.weights) - value(asked, wider.weights)
    assert price > 0.1
    assert gained == pytest.approx(1e-6 * price, rel=1e-3)


def test_no_turnover_left_moves_nothing() -> None:
    asked = replace(program(7, 40), turnover=0.0)
    answer = sift(asked)
    assert answer is not None
    assert (answer.weights == asked.home).all()
    assert gap(asked, answer) <= 1e-12


def test_everything_frozen_is_answered_by_the_book_itself() -> None:
    asked = program(8, 40)
    frozen = replace(asked, low=asked.home.copy(), high=asked.home.copy())
    answer = sift(frozen)
    assert answer is not None
    assert (answer.weights == asked.home).all()


def test_what_lies_outside_its_box_comes_back_into_it() -> None:
    asked = program(9, 40, Regime(capped=False))
    halved = replace(asked, low=0.5 * np.minimum(asked.home, 0), high=0.5 * np.abs(asked.home))
    answer = sift(halved)
    assert answer is not None
    assert keeps_all(halved, answer.weights)
    assert gap(halved, answer) <= 1e-9


@pytest.mark.parametrize("solve", [sift, general])
@pytest.mark.parametrize("n", [8, 60])
def test_limits_that_nothing_keeps_have_no_answer(
    solve: Callable[[Program], Answer | None], n: int
) -> None:
    asked = program(10, n)
    impossible = replace(asked, floor=np.array([0.29, 0.0]), ceiling=np.array([0.29, 0.01]))
    assert solve(replace(impossible, turnover=0.01)) is None


def test_names_that_look_bad_join_when_the_limits_need_them() -> None:
    """Only names of low score can bring the net exposure where it must be."""
    asked = program(11, 120, Regime(capped=False, cold=True))
    able = np.arange(120) >= 100
    asked = replace(
        asked,
        linear=np.where(able, 3.0, asked.linear),
        low=np.where(able, 0.0, np.minimum(asked.low, 0.0)),
        high=np.where(able, asked.high, 0.0),
        floor=np.array([0.25, -np.inf]),
        ceiling=np.array([0.3, np.inf]),
    )
    answer = sift(asked)
    assert answer is not None
    assert keeps_all(asked, answer.weights)
    assert gap(asked, answer) <= 1e-9
