"""The interior point against its own certificate, against cvxpy and against what prices mean."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.kit.programs import Regime, program
from tests.reference.program_by_cvxpy import optimum_by_cvxpy

from deadband.core.correlation import DenseCorrelation, FactorCorrelation
from deadband.optimize import compiled
from deadband.optimize.exact.duality import dual_bound, limit_bounds, limit_values, value, violation
from deadband.optimize.exact.program import Answer, Program
from deadband.optimize.solvers.interior import interior

pytestmark = pytest.mark.skipif(compiled.kernel is None, reason="the kernel was not built")

REGIMES = {
    "capped": Regime(),
    "cold": Regime(cold=True),
    "free to trade": Regime(capped=False),
    "long only": Regime(shorts=False),
    "barely averse": Regime(lam=0.1),
    "averse, cold": Regime(lam=100.0, cold=True, capped=False),
    "very averse, free": Regime(lam=1000.0, capped=False),
    "very averse, capped": Regime(lam=1000.0),
    "invested": Regime(invested=True),
    "invested, free": Regime(lam=100.0, invested=True, capped=False),
    "no costs": Regime(costs=0.0, capped=False),
    "ties": Regime(ties=True),
    "breach, free": Regime(breach=True, capped=False),
    "layers": Regime(lam=100.0, sector_gross=True, borrow=True),
}
RISKS = ("dense", "factor", "singular", "none")
KEPT = 1e-10


def solved(asked: Program) -> Answer:
    answer = interior(asked, 1e-10)
    assert answer is not None
    return answer


def gap(asked: Program, answer: Answer) -> float:
    worth = value(asked, answer.weights)
    return (worth - dual_bound(asked, answer.weights, answer.prices)) / (1 + abs(worth))


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_weights_and_prices_prove_themselves(regime: Regime, risk: str) -> None:
    for seed, n in enumerate((20, 45, 90, 150)):
        asked = program(seed, n, replace(regime, risk=risk))
        answer = solved(asked)
        assert gap(asked, answer) <= 1e-9
        assert violation(asked, answer.weights) <= KEPT


@pytest.mark.parametrize("risk", ["dense", "none"])
@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_cvxpy_finds_the_same_value(regime: Regime, risk: str) -> None:
    asked = program(7, 30, replace(regime, risk=risk))
    stated = optimum_by_cvxpy(asked)
    assert stated is not None
    assert value(asked, solved(asked).weights) == pytest.approx(stated[1], rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("risk", ["dense", "factor"])
def test_hundreds_of_free_names_take_no_more_than_some_twenty_iterations(risk: str) -> None:
    for cold in (False, True):
        regime = Regime(risk=risk, lam=1000.0, capped=False, cold=cold)
        answer = solved(program(3, 300, regime))
        assert answer.work <= 20


def test_dense_and_factor_form_of_one_matrix_have_the_same_optimum() -> None:
    asked = program(5, 80, Regime(risk="factor", lam=300.0, capped=False))
    factor = asked.correlation
    assert isinstance(factor, FactorCorrelation)
    matrix = factor.loadings @ factor.loadings.T + np.diag(factor.specific)
    dense = replace(asked, correlation=DenseCorrelation((matrix + matrix.T) / 2))
    assert solved(asked).weights == pytest.approx(solved(dense).weights, abs=1e-6)


def test_a_price_is_what_a_little_more_of_the_limit_is_worth() -> None:
    asked = program(2, 40, Regime(lam=5.0, cold=True))
    price = solved(asked).prices[asked.names.index("TURNOVER")]
    step = 1e-4
    more, less = (
        value(one, solved(one).weights)
        for one in (
            replace(asked, turnover=asked.turnover + step),
            replace(asked, turnover=asked.turnover - step),
        )
    )
    assert price > 0.01
    assert (less - more) / (2 * step) == pytest.approx(price, rel=1e-2)


def test_a_floor_that_binds_has_a_negative_price() -> None:
    asked = program(4, 40, Regime(capped=False))
    lifted = replace(asked, floor=np.array([0.25, -0.05]), linear=np.abs(asked.linear))
    assert solved(lifted).prices[0] < -0.01


def test_only_limits_that_bind_have_a_price() -> None:
    asked = program(6, 60, Regime(lam=30.0, sector_gross=True))
    answer = solved(asked)
    lower, upper = limit_bounds(asked)
    used = limit_values(asked, answer.weights)
    idle = (used > lower + 1e-3) & (used < upper - 1e-3)
    assert idle.any()
    assert np.abs(answer.prices[idle]).max() < 1e-6


@pytest.mark.parametrize("risk", RISKS)
def test_a_program_that_nothing_satisfies_gets_no_answer(risk: str) -> None:
    nine_at_a_tenth = program(1, 9, Regime(risk=risk, invested=True, capped=False))
    assert interior(nine_at_a_tenth) is None
    too_far = program(1, 60, Regime(risk=risk, invested=True))
    assert interior(replace(too_far, low=too_far.home + 0.04, turnover=0.1)) is None


def test_crossed_bounds_get_no_answer() -> None:
    asked = program(1, 20)
    assert interior(replace(asked, low=asked.high + 0.1)) is None
    assert interior(replace(asked, floor=asked.ceiling + 0.1)) is None


def test_numbers_that_are_none_get_no_answer() -> None:
    asked = program(1, 20)
    assert interior(replace(asked, linear=asked.linear * np.nan)) is None


@pytest.mark.parametrize("risk", RISKS)
def test_limits_without_any_room_are_kept(risk: str) -> None:
    asked = program(8, 40, Regime(risk=risk, invested=True))
    rows = np.vstack([asked.rows, asked.rows[:1]])
    twice = replace(
        asked,
        rows=rows,
        floor=np.append(asked.floor, 1.0),
        ceiling=np.append(asked.ceiling, 1.0),
        turnover=1e-7,
        names=(asked.names[0], *asked.names),
    )
    answer = solved(twice)
    assert violation(twice, answer.weights) <= KEPT
    assert gap(twice, answer) <= 1e-9


@pytest.mark.parametrize("risk", RISKS)
def test_names_that_cannot_move_stay_to_the_last_bit(risk: str) -> None:
    asked = program(9, 50, Regime(risk=risk, lam=100.0, sector_gross=True))
    held = np.arange(50) % 2 == 0
    fixed = replace(
        asked,
        low=np.where(held, asked.home, asked.low),
        high=np.where(held, asked.home, asked.high),
    )
    answer = solved(fixed)
    assert (answer.weights[held] == asked.home[held]).all()
    assert gap(fixed, answer) <= 1e-9


def test_a_program_in_which_nothing_can_move_is_answered() -> None:
    asked = program(9, 20)
    still = replace(asked, low=asked.home, high=asked.home)
    assert (solved(still).weights == asked.home).all()


def test_bounds_that_are_not_there_need_not_be_invented() -> None:
    asked = program(10, 30, Regime(lam=100.0))
    wide, unbounded = np.full(30, 0.9), np.full(30, np.inf)
    boxed = replace(asked, low=-wide, high=wide)
    asked = replace(asked, low=-unbounded, high=unbounded)
    assert solved(asked).weights == pytest.approx(solved(boxed).weights, abs=1e-6)


def test_the_same_program_gives_the_same_bits() -> None:
    for risk in RISKS:
        asked = program(11, 70, Regime(risk=risk, lam=100.0))
        first, second = solved(asked), solved(asked)
        assert first.weights.tobytes() == second.weights.tobytes()
        assert first.prices.tobytes() == second.prices.tobytes()
