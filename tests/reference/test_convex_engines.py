"""The convex engines against cvxpy with another solver, and against every cheaper answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest

from deadband import (
    CvxpyRebalanceEngine,
    GreedyRotationEngine,
    OptimizationConfig,
    QPOptimizationEngine,
)
from deadband.core.correlation import FactorCorrelation
from deadband.core.reasons import Code

SECTORS = 4


def case(seed: int, n: int = 30, *, factors: bool = False) -> dict[str, Any]:
    """A market, and a current book that some earlier optimum might have left."""
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0, 0.3, (n, 3))
    specific = 1.0 - np.minimum((loadings**2).sum(axis=1), 0.9)
    matrix = loadings @ loadings.T + np.diag(specific)
    scale = 1 / np.sqrt(matrix.diagonal())
    loadings, specific = loadings * scale[:, None], specific * scale**2
    matrix = loadings @ loadings.T + np.diag(specific)
    np.fill_diagonal(matrix, 1.0)
    held = rng.choice(n, 8, replace=False)
    current = np.zeros(n)
    current[held] = rng.uniform(-0.06, 0.08, len(held))
    return {
        "z_scores": rng.normal(size=n),
        "correlation_matrix": FactorCorrelation(loadings, specific) if factors else matrix,
        "dense": matrix,
        "costs": rng.uniform(1, 6, n),
        "current_weights": current,
        "universe": [f"N{i:02d}" for i in range(n)],
        "volatility": rng.uniform(0.005, 0.03, n),
        "beta_exposures": rng.normal(1.0, 0.3, n),
        "sector_exposures": [f"S{i % SECTORS}" for i in range(n)],
    }


def ask(engine: Any, given: dict[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    inputs = {key: value for key, value in given.items() if key != "dense"}
    weights, info = engine.optimize(**inputs)
    return weights, info


def by_clarabel(given: dict[str, Any], config: OptimizationConfig) -> float:
    """The seeds' program written down again, straight from SEMANTICS §2 and §3."""
    z, current = given["z_scores"], given["current_weights"]
    s = given["volatility"] / np.median(given["volatility"])
    sigma = given["dense"] * np.outer(s, s)
    w = cp.Variable(len(z))
    moved = cp.abs(w - current)
    utility = (s * z) @ w - config.gamma_cost * given["costs"] @ moved
    utility -= config.lambda_risk * cp.quad_form(w, cp.psd_wrap(sigma))
    rules = [
        cp.abs(w) <= config.per_name_cap,
        cp.norm1(w) <= config.max_gross_exposure,
        cp.abs(cp.sum(w)) <= config.max_net_exposure,
        cp.norm1(w - current) <= config.max_turnover,
        moved <= config.max_turnover_per_name,
        cp.abs(given["beta_exposures"] @ w) <= config.beta_tolerance,
    ]
    for k in range(SECTORS):
        members = [i for i, label in enumerate(given["sector_exposures"]) if label == f"S{k}"]
        rules.append(cp.abs(cp.sum(w[members])) <= config.sector_cap)
    program = cp.Problem(cp.Maximize(utility), rules)
    program.solve(solver=cp.CLARABEL)
    assert program.status == cp.OPTIMAL
    return float(program.value)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("factors", [False, True], ids=["dense", "factor"])
@pytest.mark.parametrize("lambda_risk", [0.0, 0.1, 10.0])
def test_qp_reaches_what_another_solver_reaches(
    seed: int, factors: bool, lambda_risk: float
) -> None:
    config = OptimizationConfig(lambda_risk=lambda_risk)
    given = case(seed, factors=factors)
    _, info = ask(QPOptimizationEngine(config), given)
    assert (info["engine"], info["status"]) == ("qp", "optimal")
    assert info["certificate"].accepted
    best = by_clarabel(given, config)
    assert info["objective_value"] == pytest.approx(best, rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_greedy_never_beats_the_optimum(seed: int) -> None:
    config = OptimizationConfig(lambda_risk=10.0, K_short=10, allow_short=True)
    cold = case(seed) | {"current_weights": np.zeros(30)}
    _, greedy = ask(GreedyRotationEngine(config), cold)
    _, best = ask(QPOptimizationEngine(config), cold)
    assert greedy["certificate"].accepted
    assert best["engine"] == "qp"
    assert best["objective_value"] >= greedy["objective_value"] - 1e-9


def test_fully_invested_is_met_where_it_can_be_and_reported_where_it_cannot() -> None:
    config = OptimizationConfig(
        fully_invested=True, max_net_exposure=1.0, max_turnover=2.0, sector_cap=1.0
    )
    given = case(4) | {"beta_exposures": None}
    weights, info = ask(QPOptimizationEngine(config), given)
    assert weights.sum() == pytest.approx(1.0, abs=1e-9)
    assert info["status"] == "optimal"
    ramping = replace(config, max_turnover=0.2)
    weights, info = ask(QPOptimizationEngine(ramping), given)
    assert info["status"] == "optimal_relaxed"
    assert info["relaxed"]["FULLY_INVESTED"] == pytest.approx(1.0 - weights.sum())


def test_greedy_fills_the_whole_book_when_fully_invested() -> None:
    config = OptimizationConfig(
        fully_invested=True, max_net_exposure=1.0, sector_cap=1.0, max_turnover=2.0, K_buy=20
    )
    rich = case(4) | {"beta_exposures": None, "z_scores": np.linspace(1.0, 4.0, 30)}
    for _ in range(3):
        weights, info = ask(GreedyRotationEngine(config), rich)
        rich = rich | {"current_weights": weights}
    assert weights.sum() == pytest.approx(1.0, abs=0.005)


def test_a_name_the_optimum_leaves_and_one_it_moves_say_so() -> None:
    given = case(3)
    weights, info = ask(QPOptimizationEngine(), given)
    codes = info["reason_codes"]
    assert codes["GLOBAL"] == Code.SOLVE_DONE
    for i, symbol in enumerate(given["universe"]):
        moved = weights[i] != given["current_weights"][i]
        held = given["current_weights"][i] != 0
        at_rest = Code.HOLD_CURRENT if held else Code.HOLD_FLAT
        assert codes[symbol] in ((Code.TARGET_MOVED,) if moved else (at_rest, Code.HOLD_LIMIT))


def test_cuts_bind_the_convex_engine_when_asked_for() -> None:
    given = case(5)
    long = np.flatnonzero(given["current_weights"] > 0)
    held = int(long[given["z_scores"][long].argmax()])
    pnl = np.zeros(30)
    pnl[held] = -500.0
    losing = given | {"pnl_since_entry_bps": pnl, "atr_pct": np.ones(30)}
    letter, _ = ask(QPOptimizationEngine(), losing)
    cut, info = ask(QPOptimizationEngine(apply_cuts=True), losing)
    assert letter[held] != 0.0
    assert cut[held] == 0.0
    assert info["reason_codes"][given["universe"][held]] == Code.CUT_LOSER


def test_limits_that_cannot_all_be_met_give_way_in_their_order() -> None:
    """A book far over its caps cannot come back within one cycle's turnover: turnover gives way."""
    given = case(1) | {"current_weights": np.full(30, 0.09)}
    _, info = ask(QPOptimizationEngine(), given)
    assert (info["engine"], info["status"]) == ("qp", "optimal_relaxed")
    assert info["reason_codes"]["GLOBAL"] == Code.SOLVE_RELAXED
    assert set(info["relaxed"]) <= {"TURNOVER", "TURNOVER_NAME"}
    assert info["certificate"].accepted


def test_names_that_may_not_trade_at_all_stay_though_they_pass_net() -> None:
    """NET is widened for them (SEMANTICS §3), so nothing is in conflict."""
    given = case(1) | {"beta_exposures": None, "current_weights": np.full(30, 0.05)}
    config = OptimizationConfig(relax_order=("turnover",))
    weights, info = ask(QPOptimizationEngine(config), given | {"tradable": np.zeros(30)})
    assert weights.tolist() == given["current_weights"].tolist()
    assert info["certificate"].accepted


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("factors", [False, True], ids=["dense", "factor"])
def test_cvxpy_engine_agrees_with_the_qp_engine(seed: int, factors: bool) -> None:
    config = OptimizationConfig(lambda_risk=10.0)
    given = case(seed, factors=factors)
    _, qp = ask(QPOptimizationEngine(config), given)
    _, cvx = ask(CvxpyRebalanceEngine(config), given)
    assert (cvx["engine"], cvx["status"]) == ("cvxpy", "optimal")
    assert cvx["objective_value"] == pytest.approx(qp["objective_value"], rel=1e-5)


def test_the_users_own_constraint_holds_in_cvxpy() -> None:
    given = case(2)
    engine = CvxpyRebalanceEngine(extra_constraints=lambda w: [w[4] == 0.02])
    weights, info = ask(engine, given)
    assert info["engine"] == "cvxpy"
    assert weights[4] == pytest.approx(0.02, abs=1e-8)


def test_the_users_impossible_constraint_trades_nothing() -> None:
    """No other engine knows the rule, so none may answer in its place."""
    given = case(2)
    engine = CvxpyRebalanceEngine(extra_constraints=lambda w: [w[4] >= 0.5])
    weights, info = ask(engine, given)
    assert info["status"] == "held"
    assert info["reason_codes"]["GLOBAL"] == Code.SOLVE_HELD
    assert weights.tolist() == given["current_weights"].tolist()
