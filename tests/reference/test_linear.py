"""Programs without risk: HiGHS' vertex against its certificate and against cvxpy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.kit.programs import Regime, program
from tests.reference.program_by_cvxpy import optimum_by_cvxpy

from deadband.optimize.exact.duality import dual_bound, limit_bounds, limit_values, value
from deadband.optimize.exact.program import Answer, Program
from deadband.optimize.solvers.linear import linear_optimum
from deadband.optimize.solvers.vertex import least_turnover

REGIMES = {
    "capped": Regime(risk="none"),
    "cold": Regime(risk="none", cold=True),
    "free to trade": Regime(risk="none", capped=False),
    "long only": Regime(risk="none", shorts=False),
    "invested": Regime(risk="none", invested=True),
    "invested, free": Regime(risk="none", invested=True, capped=False),
    "no costs": Regime(risk="none", costs=0.0, capped=False),
    "ties": Regime(risk="none", ties=True),
    "ties, no costs": Regime(risk="none", ties=True, costs=0.0),
    "breach, free": Regime(risk="none", breach=True, capped=False),
    "layers": Regime(risk="none", sector_gross=True, borrow=True),
}


def proven(asked: Program, answer: Answer) -> bool:
    worth = value(asked, answer.weights)
    gap = worth - dual_bound(asked, answer.weights, answer.prices)
    return gap <= 1e-10 * (1 + abs(worth))


def passed(asked: Program, weights: np.ndarray) -> float:
    """The most by which a limit or box is passed, relative to 1 + its bound."""
    used, (lower, upper) = limit_values(asked, weights), limit_bounds(asked)
    over = np.maximum(
        (lower - used) / (1 + np.abs(np.where(np.isfinite(lower), lower, 0.0))),
        (used - upper) / (1 + np.abs(np.where(np.isfinite(upper), upper, 0.0))),
    )
    box = np.maximum(asked.low - weights, weights - asked.high)
    return float(max(over.max(), box.max()))


@pytest.mark.parametrize("n", [20, 120, 500])
@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_the_vertex_is_proven_optimal_and_keeps_every_limit(regime: Regime, n: int) -> None:
    asked = program(n, n, regime)
    answer = linear_optimum(asked)
    assert answer is not None
    assert proven(asked, answer)
    assert passed(asked, answer.weights) <= 1e-12


@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_cvxpy_finds_the_same_value(regime: Regime) -> None:
    asked = program(1, 30, regime)
    answer, reference = linear_optimum(asked), optimum_by_cvxpy(asked)
    assert answer is not None and reference is not None
    assert value(asked, answer.weights) == pytest.approx(reference[1], rel=1e-8, abs=1e-8)


def test_risk_is_not_read() -> None:
    with_risk = program(2, 30, Regime(risk="dense", lam=100.0))
    one = linear_optimum(with_risk)
    other = linear_optimum(replace(with_risk, risk_weight=0.0, correlation=None))
    assert one is not None and other is not None
    assert (one.weights == other.weights).all()


def test_few_names_rest_anywhere_but_at_a_kink() -> None:
    """A vertex has no more names between kinks than limits in force."""
    asked = program(3, 200, Regime(risk="none"))
    answer = linear_optimum(asked)
    assert answer is not None
    kinks = np.array([asked.low, asked.high, asked.home, np.zeros(200)])
    between = (kinks != answer.weights).all(axis=0)
    assert 0 < between.sum() <= np.count_nonzero(answer.prices)


def test_limits_that_nothing_keeps_have_no_answer() -> None:
    asked = program(4, 30, Regime(risk="none"))
    impossible = replace(asked, floor=np.array([4.0, -9.0]), ceiling=np.array([5.0, 9.0]))
    assert linear_optimum(impossible) is None
    assert least_turnover(impossible) is None


def test_no_name_able_to_move_is_answered_by_the_book_if_it_keeps_the_limits() -> None:
    asked = program(5, 30, Regime(risk="none"))
    frozen = replace(asked, low=asked.home.copy(), high=asked.home.copy())
    answer = linear_optimum(frozen)
    assert answer is not None
    assert (answer.weights == asked.home).all()
    assert linear_optimum(replace(frozen, gross=0.01)) is None


def test_the_least_turnover_into_the_limits_moves_no_more_than_it_must() -> None:
    asked = program(6, 60, Regime(capped=False))
    net = float(asked.home.sum())
    asked = replace(asked, floor=np.array([net + 0.2, -9.0]), ceiling=np.array([9.0, 9.0]))
    weights = least_turnover(asked)
    assert weights is not None
    assert passed(asked, weights) <= 1e-9
    assert np.abs(weights - asked.home).sum() == pytest.approx(0.2, abs=1e-9)
    assert np.count_nonzero(weights != asked.home) <= 10
