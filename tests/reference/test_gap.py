"""Greedy's distance from the optimum, in its two parts, and the bound that is cheaper."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deadband import GreedyRotationEngine, OptimizationConfig, QPOptimizationEngine
from deadband.core.errors import ConfigError

N = 40


def case(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    loadings = rng.normal(0, 0.3, (N, 3))
    size = np.sqrt((loadings**2).sum(axis=1) + 0.5)
    held = rng.choice(N, 8, replace=False)
    current = np.zeros(N)
    current[held] = 0.012
    return {
        "z_scores": rng.normal(size=N),
        "correlation_matrix": (loadings / size[:, None], 0.5 / size**2),
        "costs": rng.uniform(1, 5, N),
        "current_weights": current,
        "universe": [f"N{i:02d}" for i in range(N)],
        "volatility": rng.uniform(0.005, 0.03, N),
        "sector_exposures": [f"S{i % 5}" for i in range(N)],
    }


@pytest.mark.parametrize("seed", range(12))
def test_its_parts_add_up_and_the_bound_is_above_them(seed: int) -> None:
    config = OptimizationConfig(lambda_risk=10.0, portfolio_drift_threshold=0.0)
    engine, given = GreedyRotationEngine(config), case(seed)
    _, info = engine.optimize(**given, gap=True)
    gap = info["optimality_gap"]
    assert gap["mandate"] + gap["heuristic"] == pytest.approx(gap["total"], abs=1e-12)
    assert gap["heuristic"] >= -1e-9
    assert gap["mandate"] >= -1e-9
    _, bounded = engine.optimize(**given, gap="bound")
    assert bounded["optimality_gap"]["bound"] >= gap["total"] - 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_the_total_is_what_the_exact_engine_gains(seed: int) -> None:
    config = OptimizationConfig(lambda_risk=10.0, allow_short=False)
    given = case(seed)
    _, greedy = GreedyRotationEngine(config).optimize(**given, gap=True)
    _, exact = QPOptimizationEngine(config, apply_cuts=True).optimize(**given)
    gained = exact["objective_value"] - greedy["objective_value"]
    assert greedy["optimality_gap"]["total"] == pytest.approx(gained, abs=1e-9)


def test_the_optimum_leaves_nothing() -> None:
    _, info = QPOptimizationEngine().optimize(**case(1), gap=True)
    assert info["optimality_gap"]["total"] == pytest.approx(0.0, abs=1e-9)


def test_an_unknown_gap_is_refused() -> None:
    with pytest.raises(ConfigError, match="'bound'"):
        GreedyRotationEngine().optimize(**case(1), gap="exact")
