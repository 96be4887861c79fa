"""U(w) against the formula written out with full matrices, and greedy against every grid book."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from tests.reference.greedy_by_hand import Names, Rules
from tests.reference.greedy_cases import ask_of, config_of

from deadband.core.correlation import DenseCorrelation, FactorCorrelation
from deadband.core.problem import Problem
from deadband.optimize.build import assemble
from deadband.optimize.objective import utility
from deadband.optimize.rotation.greedy import rotate_top_k

LAMBDA = 7.0


def posed(rng: np.random.Generator, n: int, form: str, sigma: bool) -> tuple[Problem, dict]:
    """A problem of n names, and its raw numbers."""
    loadings = rng.uniform(-0.6, 0.6, (n, 2))
    specific = 1.0 - (loadings**2).sum(axis=1)
    dense = loadings @ loadings.T + np.diag(specific)
    volatility = rng.uniform(0.1, 0.8, n) if sigma else None
    raw = {
        "z": rng.normal(size=n),
        "bps": rng.uniform(0, 10, n),
        "current": rng.uniform(-0.1, 0.1, n) * (rng.random(n) < 0.5),
        "C": dense,
        "sigma": volatility,
    }
    names = Names(
        symbols=[f"S{k}" for k in range(n)],
        z=raw["z"].tolist(),
        bps=raw["bps"].tolist(),
        current=raw["current"].tolist(),
        sigma=None if volatility is None else volatility.tolist(),
    )
    rules = Rules(gamma=0.05, K_short=2)
    ask = ask_of(rules, names)
    sealed = {
        "dense": DenseCorrelation(dense),
        "factor": FactorCorrelation(loadings, specific),
        "none": None,
    }
    object.__setattr__(ask, "correlation", sealed[form])
    config = config_of(rules)
    object.__setattr__(config, "lambda_risk", LAMBDA)
    return assemble(ask, config), raw


def written_out(raw: dict, w: np.ndarray, *, risk: bool) -> float:
    """aᵀw − λ wᵀΣw − γ Σ c|w − w_cur| with Σ = diag(s) C diag(s) and s = σ / median σ."""
    n = len(w)
    s = np.ones(n) if raw["sigma"] is None else raw["sigma"] / np.median(raw["sigma"])
    covariance = np.diag(s) @ raw["C"] @ np.diag(s)
    cost = 0.05 * np.sum(raw["bps"] * np.abs(w - raw["current"]))
    return float((s * raw["z"]) @ w - (LAMBDA * w @ covariance @ w if risk else 0.0) - cost)


@pytest.mark.parametrize("sigma", [True, False])
@pytest.mark.parametrize("form", ["dense", "factor", "none"])
def test_utility_is_the_formula_written_out(form: str, sigma: bool) -> None:
    rng = np.random.default_rng(7)
    for n in (1, 2, 3, 8, 30):
        problem, raw = posed(rng, n, form, sigma)
        for w in (raw["current"], np.zeros(n), rng.uniform(-0.2, 0.2, n) * (rng.random(n) < 0.6)):
            expected = written_out(raw, w, risk=form != "none")
            assert utility(problem, w) == pytest.approx(expected, abs=1e-13)


def test_both_forms_agree_when_volatilities_are_equal() -> None:
    w = np.array([0.1, -0.05, 0.0, 0.08])
    rng = np.random.default_rng(3)
    plain, raw = posed(rng, 4, "dense", False)
    object.__setattr__(plain, "scale", np.full(4, 0.3) / 0.3)
    assert utility(plain, w) == pytest.approx(written_out(raw, w, risk=True), abs=1e-15)


def test_four_names_of_equal_score_carry_risk_by_their_volatility() -> None:
    """SEMANTICS §2: σ = 10/20/40/80 %, uncorrelated: risk goes with s², not with the name count."""
    names = Names(list("ABCD"), [1.0] * 4, [0.0] * 4, [0.0] * 4, sigma=[0.1, 0.2, 0.4, 0.8])
    ask = ask_of(Rules(), names)
    object.__setattr__(ask, "correlation", DenseCorrelation(np.eye(4)))
    config = config_of(Rules())
    object.__setattr__(config, "lambda_risk", 1.0)
    problem = assemble(ask, config)
    risk = [float(problem.edge[i] * 0.1) - utility(problem, 0.1 * np.eye(4)[i]) for i in range(4)]
    assert np.array(risk) / sum(risk) == pytest.approx(np.array([1, 4, 16, 64]) / 85)


@pytest.mark.parametrize("seed", range(12))
def test_greedy_from_flat_is_the_best_book_that_fills_targets(seed: int) -> None:
    """Long-only, equal targets, no risk, equal costs: no subset of full targets has a higher U."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 5))
    rules = Rules(K=3, K_buy=3, K_sell=4, net=0.3, turnover=1.0, turnover_name=1.0, gamma=0.05)
    names = Names(
        [f"S{k}" for k in range(n)],
        rng.normal(1.0, 0.6, n).tolist(),
        [2.0] * n,
        [0.0] * n,
    )
    config = config_of(rules)
    object.__setattr__(config, "lambda_risk", 0.0)
    problem = assemble(ask_of(rules, names), config)
    draft = rotate_top_k(problem, config)
    target = 0.97 * 0.3 / 3
    wanted = np.array(names.z) > rules.z_keep
    books = (
        target * np.array(chosen)
        for chosen in product((0.0, 1.0), repeat=n)
        if sum(chosen) <= 3 and not (np.array(chosen)[~wanted] > 0).any()
    )
    best = max(utility(problem, w) for w in books)
    assert utility(problem, draft.weights) == pytest.approx(best, abs=1e-12)
