"""Borrowing, the yield of cash and limits of the user's own: against cvxpy, and as reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pandas as pd
import pytest
from tests.kit import inputs
from tests.reference.program_by_cvxpy import optimum_by_cvxpy

from deadband import (
    CvxpyRebalanceEngine,
    GreedyRotationEngine,
    LinearLimit,
    OptimizationConfig,
    QPOptimizationEngine,
    RotationEngine,
)
from deadband.core.arrays import Floats
from deadband.core.config import Settings
from deadband.core.errors import DataError, MissingError
from deadband.core.limits import TOLERANCE
from deadband.core.problem import Problem
from deadband.core.reasons import Code
from deadband.core.types import Permits, RiskModel, Signal, Watch
from deadband.optimize.build import build
from deadband.optimize.certify import certify
from deadband.optimize.exact.duality import value
from deadband.optimize.exact.program import program_of
from deadband.optimize.objective import utility

N = 40
SYMBOLS = [f"S{i:03d}" for i in range(N)]
RANDOM = np.random.default_rng(11)
LOADING = RANDOM.uniform(0.3, 0.8, N)
MATRIX = np.outer(LOADING, LOADING) + np.diag(1.0 - LOADING**2)
SCORES, COSTS = RANDOM.normal(0.0, 1.0, N), RANDOM.uniform(1.0, 5.0, N)
CURRENT = np.where(np.arange(N) % 4 == 0, RANDOM.uniform(-0.02, 0.02, N), 0.0)
MOMENTUM, VALUE, SIZE = RANDOM.normal(0.0, 1.0, (3, N))
BORROW = RANDOM.uniform(0.0, 20.0, N)
CONFIG = OptimizationConfig(lambda_risk=10.0, max_turnover=0.6)
ROWS = (
    LinearLimit("MOMENTUM", MOMENTUM, 0.02, 0.05),
    LinearLimit("VALUE", VALUE, -0.03, 0.03),
)
CARRY = {"borrow_bps": BORROW, "cash_yield_bps": 4.0}
EVERYTHING = CARRY | {"linear_limits": ROWS, "factor_exposures": {"size": SIZE}}


class Keeping(QPOptimizationEngine):
    """Remembers the problem it was asked."""

    asked: Problem

    def _answer(self, problem: Problem) -> tuple[Floats, dict[str, Any]]:
        self.asked = problem
        return super()._answer(problem)


def solved(
    config: OptimizationConfig = CONFIG, engine: Any = QPOptimizationEngine, **given: Any
) -> tuple[Any, dict[str, Any]]:
    current = given.pop("current_weights", CURRENT)
    return engine(config).optimize(SCORES, MATRIX, COSTS, current, SYMBOLS, **given)


def posed(config: OptimizationConfig = CONFIG, **given: Any) -> Problem:
    engine = Keeping(config)
    engine.optimize(SCORES, MATRIX, COSTS, CURRENT, SYMBOLS, **given)
    return engine.asked


# Against cvxpy


def utility_by_cvxpy(config: OptimizationConfig) -> tuple[Floats, float]:
    """Weights and U of the seeds' program with borrowing, cash and rows, written out by hand."""
    w = cp.Variable(N)
    gamma = config.gamma_cost
    loss = gamma * COSTS @ cp.abs(w - CURRENT) + gamma * BORROW @ cp.pos(-w)
    loss += gamma * 4.0 * cp.sum(w) + config.lambda_risk * cp.quad_form(w, cp.psd_wrap(MATRIX))
    rules = [
        cp.abs(w) <= config.per_name_cap,
        cp.abs(w - CURRENT) <= config.max_turnover_per_name,
        cp.norm1(w - CURRENT) <= config.max_turnover,
        cp.norm1(w) <= config.max_gross_exposure,
        cp.abs(cp.sum(w)) <= config.max_net_exposure,
        w @ MOMENTUM >= 0.02,
        w @ MOMENTUM <= 0.05,
        cp.abs(w @ VALUE) <= 0.03,
        w @ SIZE == 0.0,
    ]
    stated = cp.Problem(cp.Maximize(SCORES @ w - loss), rules)
    stated.solve(solver="CLARABEL", tol_gap_abs=1e-10, tol_gap_rel=1e-10, tol_feas=1e-10)
    assert stated.status == cp.OPTIMAL
    return w.value, float(stated.value)


def test_carry_rows_and_neutrality_together_are_cvxpys_optimum() -> None:
    weights, best = utility_by_cvxpy(CONFIG)
    found, info = solved(**EVERYTHING)
    assert info["status"] == "optimal"
    assert info["objective_value"] == pytest.approx(best, abs=1e-7)
    np.testing.assert_allclose(found, weights, atol=1e-5)
    assert (found < 0.0).sum() > 3
    assert abs(SIZE @ found) <= TOLERANCE
    assert info["certificate"].gap <= 1e-9


def test_the_other_exact_engine_knows_them_too() -> None:
    _, exact = solved(**EVERYTHING)
    _, info = solved(engine=CvxpyRebalanceEngine, **EVERYTHING)
    assert info["status"] == "optimal"
    assert info["objective_value"] == pytest.approx(exact["objective_value"], abs=1e-6)


@pytest.mark.parametrize("averse", [0.1, 10.0, 100.0])
def test_the_program_posed_has_the_optimum_that_is_found(averse: float) -> None:
    config = replace(CONFIG, lambda_risk=averse, max_turnover=2.0)
    problem = posed(config, **EVERYTHING)
    stated = optimum_by_cvxpy(program_of(problem))
    assert stated is not None
    _, info = solved(config, **EVERYTHING)
    assert info["objective_value"] == pytest.approx(-stated[1], abs=1e-6)


@pytest.mark.parametrize("shorts", [True, False])
def test_the_program_is_minus_utility(shorts: bool) -> None:
    problem = posed(replace(CONFIG, allow_short=shorts), **CARRY)
    program = program_of(problem)
    assert len(program.hinge_at) == (2 if shorts else 1)
    for seed in range(5):
        weights = np.random.default_rng(seed).uniform(program.low, program.high)
        assert value(program, weights) == pytest.approx(-utility(problem, weights), abs=1e-14)


# Carry


def test_utility_is_less_by_borrowing_and_by_the_cash_given_up() -> None:
    plain, carried = posed(), posed(**CARRY)
    weights = np.random.default_rng(1).uniform(-0.1, 0.1, N)
    lost = 0.05 * 1e0 * (BORROW @ np.maximum(0.0, -weights) + 4.0 * weights.sum())
    assert utility(plain, weights) - utility(carried, weights) == pytest.approx(lost, abs=1e-14)


def test_where_cash_yields_enough_nothing_is_bought() -> None:
    dear = 20.0 * float(SCORES.max()) / 1.0 + 1.0
    held = np.maximum(CURRENT, 0.0)
    config = replace(CONFIG, allow_short=False)
    plain, _ = solved(config, current_weights=held)
    weights, _ = solved(config, current_weights=held, cash_yield_bps=dear)
    assert (plain > held).any()
    assert not (weights > held).any()


def test_where_borrowing_is_dear_there_are_no_new_shorts() -> None:
    dear = 20.0 * float(-SCORES.min()) + 100.0
    plain, _ = solved()
    weights, _ = solved(borrow_bps=np.full(N, dear))
    assert (plain < np.minimum(CURRENT, 0.0)).any()
    assert not (weights < np.minimum(CURRENT, 0.0)).any()


def test_a_name_kept_at_zero_by_borrowing_wishes_nothing() -> None:
    """Selling pays less than its cost there, buying has no edge: no limit is to blame."""
    config = replace(CONFIG, max_turnover=0.05)
    dear = np.full(N, 20.0 * float(-SCORES.min()) + 100.0)
    weights, info = solved(config, borrow_bps=dear)
    worst = int(np.flatnonzero(weights == CURRENT)[SCORES[weights == CURRENT].argmin()])
    assert SCORES[worst] < -1.0
    assert CURRENT[worst] == 0.0
    assert info["certificate"].shadow_prices["TURNOVER"] > 0.0
    assert info["reason_codes"][SYMBOLS[worst]] == Code.HOLD_FLAT


def test_borrowing_has_a_cost_that_is_not_negative() -> None:
    with pytest.raises(DataError, match="borrow_bps of S003 is -1"):
        solved(borrow_bps=np.where(np.arange(N) == 3, -1.0, BORROW))


@pytest.mark.parametrize("minutes", [30.0, 390.0])
def test_the_pipeline_turns_percent_a_year_into_the_horizon_of_the_scores(minutes: float) -> None:
    problem = in_the_cycle(minutes, borrow_pct=3.0, cash_yield_pct=5.0)
    share = minutes / (252 * 390)
    assert problem.borrow == pytest.approx(np.full(6, 0.05 * 300.0 * share), rel=1e-12)
    assert problem.cash_yield == pytest.approx(0.05 * 500.0 * share, rel=1e-12)
    assert in_the_cycle(minutes).borrow is None


def in_the_cycle(minutes: float, **given: Any) -> Problem:
    names = inputs.universe(6)
    everywhere = np.full(6, np.inf)
    return build(
        names,
        Signal(np.zeros(6), np.zeros(6), np.zeros(6, np.int16), "z", minutes),
        RiskModel(30.0, np.full(6, 0.004), None, None, None, np.zeros(6, np.int16), "test"),
        Permits(
            *(-everywhere, everywhere, -everywhere, everywhere),
            *(np.zeros(6, np.int16), 1.0, (), (), Watch()),
        ),
        inputs.market(names),
        inputs.portfolio(names),
        0.0,
        Settings(optimize=OptimizationConfig(**given), engine="qp"),
    )


# Own rows


def test_rows_and_factors_may_come_by_symbol() -> None:
    def shuffled(values: Any) -> dict[str, float]:
        return dict(reversed(list(zip(SYMBOLS, values.tolist(), strict=True))))

    rows = (
        replace(ROWS[0], coefficients=shuffled(MOMENTUM)),
        replace(ROWS[1], coefficients=pd.Series(shuffled(VALUE))),
    )
    frame = pd.DataFrame({"size": pd.Series(shuffled(SIZE))})
    plain, _ = solved(**EVERYTHING)
    labeled, _ = solved(**CARRY, linear_limits=rows, factor_exposures=frame)
    assert labeled.tolist() == plain.tolist()


def test_every_row_is_reported_with_its_bound() -> None:
    weights, info = solved(**EVERYTHING, factor_tolerance=0.01)
    used = info["certificate"].used
    assert used["MOMENTUM:high"] == (pytest.approx(MOMENTUM @ weights, abs=1e-15), 0.05)
    assert used["MOMENTUM:low"] == (pytest.approx(-MOMENTUM @ weights, abs=1e-15), -0.02)
    assert used["VALUE"] == (pytest.approx(abs(VALUE @ weights), abs=1e-15), 0.03)
    assert used["FACTOR:size"] == (pytest.approx(abs(SIZE @ weights), abs=1e-15), 0.01)


@pytest.mark.parametrize("low", [-3.0, -1.0, -0.02, 0.0, 0.02])
@pytest.mark.parametrize("width", [0.0, 0.01, np.inf])
def test_the_certificate_refuses_just_those_weights_that_are_outside_a_row(
    low: float, width: float
) -> None:
    own = LinearLimit("OWN", 50.0 * np.eye(N)[1], low, low + width)
    problem = posed(linear_limits=[own])
    for beyond, inside in ((0.0, True), (-1e-9, False)):
        weights = CURRENT.copy()
        weights[1] = low / 50.0 + beyond
        assert certify(problem, weights).accepted == inside
        weights[1] = (low + min(width, 1.0)) / 50.0 - beyond
        assert certify(problem, weights).accepted == (inside or width == np.inf)


def test_the_price_of_an_own_row_is_what_loosening_it_gains() -> None:
    step = 1e-4
    _, info = solved(linear_limits=[LinearLimit("VALUE", VALUE, 0.02, np.inf)])
    _, looser = solved(linear_limits=[LinearLimit("VALUE", VALUE, 0.02 - step, np.inf)])
    gained = (looser["objective_value"] - info["objective_value"]) / step
    price = info["certificate"].shadow_prices["VALUE"]
    assert price == pytest.approx(gained, rel=0.05)
    assert price > 1e-3


def test_a_row_that_cannot_hold_is_given_up_by_its_name_after_turnover() -> None:
    """Its most is 0.1 for every name, and a net of 0.3 at most; turnover goes first."""
    far = LinearLimit("INVESTED", np.ones(N), 0.5, 0.6)
    weights, info = solved(linear_limits=[far, *ROWS])
    assert info["status"] == "optimal_relaxed"
    assert info["certificate"].accepted
    assert info["relaxed"]["INVESTED"] == pytest.approx(0.5 - 0.3, abs=1e-9)
    assert weights.sum() == pytest.approx(0.3, abs=1e-9)
    assert set(info["relaxed"]) <= {"INVESTED", "TURNOVER", "TURNOVER_NAME"}


def test_the_order_says_whether_a_row_or_the_net_limit_gives_way() -> None:
    far = LinearLimit("INVESTED", np.ones(N), 0.5, 0.6)
    config = replace(CONFIG, relax_order=("net", "rows"))
    weights, info = solved(config, linear_limits=[far])
    assert set(info["relaxed"]) == {"NET"}
    assert weights.sum() == pytest.approx(0.5, abs=1e-9)


def test_a_factor_the_book_has_is_neutralized_as_far_as_turnover_goes_and_beyond() -> None:
    held = 0.08 * np.sign(SIZE) * (np.arange(N) < 12)
    held -= held.mean()
    weights, info = solved(current_weights=held, factor_exposures={"size": SIZE})
    assert abs(SIZE @ held) > 0.1
    assert info["certificate"].accepted
    assert abs(SIZE @ weights) <= TOLERANCE


def test_without_any_cure_the_conflict_names_the_row() -> None:
    far = LinearLimit("INVESTED", np.ones(N), 0.5, 0.6)
    _, info = solved(replace(CONFIG, relax_order=()), linear_limits=[far])
    assert info["status"] == "held"
    assert "INVESTED between 0.5 and 0.6" in info["why"]


def test_whole_lots_keep_own_rows() -> None:
    lots = np.exp(np.random.default_rng(3).uniform(np.log(2e-4), np.log(3e-3), N))
    weights, info = solved(**CARRY, linear_limits=ROWS, lot_weights=lots)
    count = (weights - CURRENT) / lots
    assert (np.abs(count - np.rint(count))[weights != 0.0] < 1e-6).all()
    assert 0.02 - 1e-12 <= MOMENTUM @ weights <= 0.05 + 1e-12
    assert abs(VALUE @ weights) <= 0.03 + 1e-12
    assert info["relaxed"] == {}
    assert info["rounding_gap"] > 0.0


# What is refused


@pytest.mark.parametrize("engine", [GreedyRotationEngine, RotationEngine])
@pytest.mark.parametrize(
    ("own", "name"),
    [({"linear_limits": ROWS}, "MOMENTUM"), ({"factor_exposures": {"size": SIZE}}, "FACTOR:size")],
)
def test_greedy_refuses_rows_and_names_the_cure(engine: Any, own: Any, name: str) -> None:
    with pytest.raises(DataError, match=f"such as {name}.* Use QPOptimizationEngine"):
        solved(engine=engine, **own)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (("", [1.0], 0.0, 1.0), "needs a name"),
        (("SECTOR:Energy", [1.0], 0.0, 1.0), "without a colon"),
        (("NET", [1.0], 0.0, 1.0), "has the name of a limit of the mandate"),
        (("OWN", [1.0], 1.0, 0.0), "OWN is from 1 to 0"),
        (("OWN", [1.0], np.nan, 0.0), "OWN is from nan to 0"),
        (("OWN", [1.0], np.inf, np.inf), "OWN is from inf to inf"),
        (("OWN", [1.0], -np.inf, np.inf), "OWN has no bound"),
        (("OWN", [np.nan], 0.0, 1.0), "OWN are not all finite"),
        (("OWN", {"S000": "much"}, 0.0, 1.0), "OWN hold something that is not a number"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(fields: Any, says: str) -> None:
    with pytest.raises(DataError, match=says):
        LinearLimit(*fields)


def test_limits_of_one_name_a_missing_symbol_and_a_negative_tolerance_are_refused() -> None:
    with pytest.raises(DataError, match="MOMENTUM more than once"):
        solved(linear_limits=[ROWS[0], ROWS[0]])
    with pytest.raises(MissingError, match="coefficients of OWN has no value for S001"):
        solved(linear_limits=[LinearLimit("OWN", {"S000": 1.0}, 0.0, 1.0)])
    with pytest.raises(DataError, match="factor_tolerance is -1"):
        solved(factor_exposures={"size": SIZE}, factor_tolerance=-1.0)


def test_coefficients_too_large_to_be_kept_exactly_are_refused_by_symbol() -> None:
    with pytest.raises(DataError, match="coefficient of FACTOR:cap for S002 is -5e"):
        solved(factor_exposures={"cap": -5e9 * np.eye(N)[2]})


def test_the_largest_coefficients_there_may_be_are_kept() -> None:
    large = 1e3 / np.abs(SIZE).max() * SIZE
    plain, _ = solved(factor_exposures={"size": SIZE})
    weights, info = solved(factor_exposures={"size": large})
    assert info["status"] == "optimal"
    np.testing.assert_allclose(weights, plain, atol=1e-9)
