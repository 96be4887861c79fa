"""The cvxpy engine: parametrised and warm, it answers as a program written down anew each cycle."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from tests.kit.programs import Regime, program

from deadband import CvxpyRebalanceEngine, OptimizationConfig
from deadband.core.correlation import Correlation, DenseCorrelation, FactorCorrelation
from deadband.core.errors import ConfigError, SolveError
from deadband.optimize.exact import duality
from deadband.optimize.exact.program import Answer, Program
from deadband.optimize.solvers.cvx import CvxpyPrograms, cvxpy_answer

N, CYCLES = 30, 15
FEW_CYCLES = 5
REGIMES = {
    "dense": Regime(),
    "factor": Regime(risk="factor"),
    "singular": Regime(risk="singular"),
    "invested": Regime(invested=True),
    "every limit": Regime(sector_gross=True, borrow=True, costs=0.02),
    "no caps": Regime(risk="factor", capped=False, lam=1000.0),
}


def full(correlation: Correlation) -> np.ndarray:
    if isinstance(correlation, DenseCorrelation):
        return correlation.matrix
    return correlation.loadings @ correlation.loadings.T + np.diag(correlation.specific)


def naive(given: Program, own: CvxpyPrograms | None = None) -> float:
    """The least value of a program, stated as its docstring does, by another solver.

    With the terms of the user's that `own` has.
    """
    w = cp.Variable(given.size)
    loss = given.linear @ w
    if given.correlation is not None:
        scaled = full(given.correlation) * np.outer(given.scale, given.scale)
        loss += given.risk_weight * cp.quad_form(w, cp.psd_wrap(scaled))
    for at, weight in zip(given.hinge_at, given.hinge_weight, strict=True):
        loss += weight @ cp.abs(w - at)
    rules = [w >= given.low, w <= given.high]
    rules += [given.rows @ w >= given.floor, given.rows @ w <= given.ceiling]
    for k, bound in enumerate(given.sector):
        members = np.flatnonzero(given.group == k)
        rules.append(cp.abs(cp.sum(w[members])) <= bound)
        if given.sector_gross[k] < np.inf:
            rules.append(cp.norm1(w[members]) <= given.sector_gross[k])
    if given.turnover < np.inf:
        rules.append(given.counted.astype(float) @ cp.abs(w - given.home) <= given.turnover)
    if given.gross < np.inf:
        rules.append(cp.norm1(w) <= given.gross)
    if own is not None and own.constraints is not None and own.objective is not None:
        rules += own.constraints(w)
        loss -= own.objective(w)
    problem = cp.Problem(cp.Minimize(loss), rules)
    problem.solve(solver=cp.CLARABEL)
    assert problem.status == cp.OPTIMAL
    return float(problem.value)


def closed_loop(
    regime: Regime, programs: CvxpyPrograms, cycles: int = FEW_CYCLES
) -> Iterator[tuple[Program, Answer]]:
    """Cycles from one book to the next: scores, prices, volatilities, costs and limits drift."""
    rng = np.random.default_rng(5)
    given = program(11, N, regime)
    for cycle in range(cycles):
        answer = cvxpy_answer(given, programs)
        assert answer is not None, f"cycle {cycle}"
        yield given, answer
        home = answer.weights * (1 + rng.normal(0, 0.005, N))
        reach = np.full(N, 0.05 if regime.capped else np.inf)
        reach[rng.integers(N)] = 0.0
        given = replace(
            given,
            linear=0.97 * given.linear + 0.24 * rng.normal(size=N),
            scale=given.scale * np.exp(rng.normal(0, 0.02, N)),
            home=home,
            low=np.maximum(min(-0.1, home.min()) if regime.shorts else 0.0, home - reach),
            high=np.minimum(max(0.1, home.max()), home + reach),
            hinge_at=np.vstack([home, *given.hinge_at[1:]]),
            hinge_weight=given.hinge_weight * rng.uniform(0.9, 1.1, given.hinge_weight.shape),
            # Another name each cycle that turnover does not count: the pattern, not the shape.
            counted=np.arange(N) != rng.integers(N),
            turnover=given.turnover * rng.uniform(0.9, 1.1),
            sector=given.sector * rng.uniform(0.98, 1.02, len(given.sector)),
        )


@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_parametrized_and_warm_answers_as_the_program_stated_anew(regime: Regime) -> None:
    """And its prices prove it, inside every limit to the last bit."""
    programs = CvxpyPrograms()
    cycles = CYCLES if regime in (REGIMES["dense"], REGIMES["factor"]) else FEW_CYCLES
    for cycle, (given, answer) in enumerate(closed_loop(regime, programs, cycles)):
        reached, best = duality.value(given, answer.weights), naive(given)
        exact = 1e-6 * (1 + abs(best))
        assert abs(reached - best) <= exact, f"cycle {cycle}"
        least = duality.dual_bound(given, answer.weights, answer.prices)
        assert reached - least <= exact, f"cycle {cycle}"
        assert duality.violation(given, answer.weights) <= 1e-12, f"cycle {cycle}"
    assert len(programs.compiled) == 1


@pytest.mark.parametrize("regime", [REGIMES["dense"], REGIMES["factor"]], ids=["dense", "factor"])
def test_the_users_terms_are_part_of_what_is_solved(regime: Regime) -> None:
    """A tilt and a pull towards a target: both stand in the optimum, and our limits hold."""
    target = np.linspace(-0.03, 0.03, N)
    programs = CvxpyPrograms(
        lambda w: [cp.sum(w[:5]) == 0.02], lambda w: -50.0 * cp.sum_squares(w - target)
    )
    for cycle, (given, answer) in enumerate(closed_loop(regime, programs)):
        reached = duality.value(given, answer.weights) - programs.extra_value(answer.weights)
        assert reached == pytest.approx(naive(given, programs), abs=1e-6), f"cycle {cycle}"
        assert answer.weights[:5].sum() == pytest.approx(0.02, abs=1e-7)
        assert duality.violation(given, answer.weights) <= 1e-12, f"cycle {cycle}"


def test_prices_are_those_of_the_limits_beside_the_users_own_terms() -> None:
    """A term that is always there and worth nothing changes no price."""
    given = program(3, N, Regime(sector_gross=True))
    plain = cvxpy_answer(given, CvxpyPrograms())
    idle = cvxpy_answer(given, CvxpyPrograms(lambda w: [w <= 10], lambda w: 0.0 * cp.sum(w)))
    assert plain is not None
    assert idle is not None
    assert np.abs(plain.prices).max() > 0.1
    np.testing.assert_allclose(idle.prices, plain.prices, atol=1e-6)


def test_a_warm_start_does_not_change_what_is_reached() -> None:
    programs = CvxpyPrograms()
    for given, warm in closed_loop(REGIMES["dense"], programs):
        cold = cvxpy_answer(given, CvxpyPrograms())
        assert cold is not None
        reached = duality.value(given, cold.weights)
        assert duality.value(given, warm.weights) == pytest.approx(reached, abs=1e-6)


def test_without_risk_it_is_a_linear_program_and_clarabel_may_answer() -> None:
    """OSQP seldom gets to the corner of a linear program."""
    programs, methods = CvxpyPrograms(), set()
    for given, answer in closed_loop(Regime(risk="none"), programs):
        methods.add(answer.method)
        assert duality.value(given, answer.weights) == pytest.approx(naive(given), abs=1e-6)
    assert "clarabel" in methods


def test_where_clarabel_answers_in_osqps_place_it_is_asked_first_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []
    solve = cp.Problem.solve

    def failing(problem: Any, *, solver: str, **options: Any) -> Any:
        asked.append(solver)
        if solver == "OSQP":
            raise cp.SolverError("out of order")
        return solve(problem, solver=solver, **options)

    monkeypatch.setattr(cp.Problem, "solve", failing)
    programs, given = CvxpyPrograms(), program(0, N)
    for _ in range(2):
        answer = cvxpy_answer(given, programs)
        assert answer is not None
        assert answer.method == "clarabel"
    assert asked == ["OSQP", "OSQP", "CLARABEL", "CLARABEL"]


def test_where_no_solver_answers_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(problem: Any, **_options: Any) -> Any:
        raise cp.SolverError("out of order")

    monkeypatch.setattr(cp.Problem, "solve", failing)
    assert cvxpy_answer(program(0, N), CvxpyPrograms()) is None


# --- the engine -----------------------------------------------------------------------------


def market(seed: int = 2, *, factors: bool = False) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0, 0.3, (N, 3))
    specific = np.full(N, 0.5)
    scale = 1 / np.sqrt((loadings**2).sum(axis=1) + specific)
    form = FactorCorrelation(loadings * scale[:, None], specific * scale**2)
    matrix = full(form)
    np.fill_diagonal(matrix, 1.0)
    return {
        "z_scores": rng.normal(size=N),
        "correlation_matrix": form if factors else matrix,
        "costs": rng.uniform(1, 6, N),
        "current_weights": np.zeros(N),
        "universe": [f"N{i:02d}" for i in range(N)],
        "volatility": rng.uniform(0.005, 0.03, N),
        "beta_exposures": rng.normal(1.0, 0.3, N),
        "sector_exposures": [f"S{i % 4}" for i in range(N)],
    }


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The cvxpy problems built from here on."""
    problems: list[Any] = []
    build = cp.Problem.__init__

    def counting(problem: Any, *given: Any, **named: Any) -> None:
        problems.append(problem)
        build(problem, *given, **named)

    monkeypatch.setattr(cp.Problem, "__init__", counting)
    return problems


@pytest.mark.parametrize("factors", [False, True], ids=["dense", "factor"])
def test_later_cycles_do_not_compile(built: list[Any], factors: bool) -> None:
    """Though a plain matrix is sealed anew each time: it holds the same numbers."""
    engine = CvxpyRebalanceEngine(OptimizationConfig(lambda_risk=10.0))
    given = market(factors=factors)
    kept, count = [], []
    for cycle in range(4):
        given["z_scores"] = given["z_scores"] + 0.1 * cycle
        given["volatility"] = given["volatility"] * 1.01
        given["current_weights"], info = engine.optimize(**given)
        assert (info["engine"], info["status"]) == ("cvxpy", "optimal")
        kept.append(built[0]._cache.param_prog)
        count.append(len(built))
    assert set(count) == {count[0]}
    assert kept[0] is not None
    assert all(compiled is kept[0] for compiled in kept)


def test_another_correlation_is_another_program_and_two_are_kept(built: list[Any]) -> None:
    engine = CvxpyRebalanceEngine(OptimizationConfig(lambda_risk=10.0))
    compiled = []
    for seed in (2, 3, 2):
        given, before = market(seed), len(built)
        weights, _ = engine.optimize(**given)
        compiled.append(len(built) > before)
        alone, _ = CvxpyRebalanceEngine(engine.config).optimize(**given)
        np.testing.assert_allclose(weights, alone, atol=1e-7)
    assert compiled == [True, True, False]


def test_the_user_tilts_a_sector() -> None:
    given = market()
    tilted = [i for i, label in enumerate(given["sector_exposures"]) if label == "S1"]
    free, _ = CvxpyRebalanceEngine().optimize(**given)
    assert free[tilted].sum() < 0.04
    engine = CvxpyRebalanceEngine(extra_constraints=lambda w: [cp.sum(w[tilted]) >= 0.05])
    weights, info = engine.optimize(**given)
    assert (info["engine"], info["status"]) == ("cvxpy", "optimal")
    assert weights[tilted].sum() == pytest.approx(0.05, abs=1e-7)
    assert info["certificate"].accepted
    assert "extra_objective" not in info


def test_the_user_pulls_the_book_towards_a_target() -> None:
    given, target = market(), np.linspace(-0.02, 0.02, N)
    free, alone = CvxpyRebalanceEngine().optimize(**given)
    engine = CvxpyRebalanceEngine(extra_objective=lambda w: -300.0 * cp.sum_squares(w - target))
    weights, info = engine.optimize(**given)

    def pull(book: np.ndarray) -> float:
        return float(-300.0 * ((book - target) ** 2).sum())

    assert (info["engine"], info["status"]) == ("cvxpy", "optimal")
    assert info["extra_objective"] == pytest.approx(pull(weights), abs=1e-12)
    together = info["objective_value"] + info["extra_objective"]
    assert together > alone["objective_value"] + pull(free) + 0.01
    assert info["objective_value"] < alone["objective_value"] - 0.01


def test_the_users_parameter_may_change_without_compiling(built: list[Any]) -> None:
    given, most = market(), cp.Parameter(value=0.01)
    engine = CvxpyRebalanceEngine(extra_constraints=lambda w: [w[int(free.argmax())] <= most])
    free, _ = CvxpyRebalanceEngine().optimize(**given)
    count = []
    for bound in (0.01, 0.02):
        most.value = bound
        weights, _ = engine.optimize(**given)
        assert weights[free.argmax()] == pytest.approx(bound, abs=1e-7)
        count.append(len(built))
    assert count[0] == count[1]


def test_a_term_no_qp_can_state_is_left_to_clarabel() -> None:
    given = market()
    engine = CvxpyRebalanceEngine(extra_constraints=lambda w: [cp.norm2(w) <= 0.05])
    weights, info = engine.optimize(**given)
    assert info["status"] == "optimal"
    assert np.linalg.norm(weights) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize("shape", ["convex", "vector"])
def test_an_objective_that_is_no_concave_scalar_is_refused(shape: str) -> None:
    terms = {"convex": lambda w: cp.sum_squares(w), "vector": lambda w: -cp.abs(w)}
    engine = CvxpyRebalanceEngine(extra_objective=terms[shape])
    with pytest.raises(ConfigError, match="expected a concave scalar"):
        engine.optimize(**market())


def test_a_constraint_that_is_not_convex_is_refused() -> None:
    engine = CvxpyRebalanceEngine(extra_constraints=lambda w: [cp.norm1(w) >= 0.1])
    with pytest.raises(ConfigError, match="not convex by cvxpy's rules"):
        engine.optimize(**market())


def test_constraints_that_cannot_be_met_keep_the_book_and_its_extra_objective() -> None:
    given = market() | {"current_weights": np.full(N, 0.001)}
    engine = CvxpyRebalanceEngine(
        extra_constraints=lambda w: [w[0] >= 0.5], extra_objective=lambda w: -cp.norm1(w)
    )
    weights, info = engine.optimize(**given)
    assert info["status"] == "held"
    assert weights.tolist() == given["current_weights"].tolist()
    assert info["extra_objective"] == pytest.approx(-0.03)


def test_a_net_limit_of_zero_is_kept_to_the_last_bit() -> None:
    """No margin is inside a limit of zero."""
    config = OptimizationConfig(max_net_exposure=0.0, lambda_risk=10.0)
    given = market()
    for extra in (None, lambda w: [w[3] >= 0.001]):
        engine = CvxpyRebalanceEngine(config, extra_constraints=extra)
        weights, info = engine.optimize(**given)
        assert (info["engine"], info["status"]) == ("cvxpy", "optimal")
        assert abs(weights.sum()) <= 1e-12


def test_fully_invested_is_met_where_it_can_be_and_gives_way_first_where_it_cannot() -> None:
    free = {"max_net_exposure": 1.0, "sector_cap": 1.0, "lambda_risk": 10.0}
    given = market() | {"beta_exposures": None}
    rich = OptimizationConfig(
        fully_invested=True, max_turnover=2.0, max_turnover_per_name=1.0, **free
    )
    weights, info = CvxpyRebalanceEngine(rich).optimize(**given)
    assert info["status"] == "optimal"
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    short_of_turnover = OptimizationConfig(fully_invested=True, **free)
    weights, info = CvxpyRebalanceEngine(short_of_turnover).optimize(**given)
    assert (info["engine"], info["status"]) == ("cvxpy", "optimal_relaxed")
    assert info["relaxed"]["FULLY_INVESTED"] == pytest.approx(1.0 - weights.sum())


def test_without_cvxpy_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cvxpy", None)
    with pytest.raises(SolveError, match=r"pip install 'deadband\[cvxpy\]'"):
        CvxpyRebalanceEngine().optimize(**market())
