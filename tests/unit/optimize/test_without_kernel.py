"""An installation without the compiled kernel answers as one with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from deadband import (
    GreedyRotationEngine,
    OptimizationConfig,
    OptimizationEngine,
    QPOptimizationEngine,
)
from deadband.optimize import compiled


def answered(
    engine: type[OptimizationEngine] = GreedyRotationEngine, **settings: Any
) -> tuple[np.ndarray, dict[str, Any]]:
    rng = np.random.default_rng(5)
    n = 40
    weights = np.where(rng.random(n) < 0.4, rng.uniform(0.0, 0.15, n), 0.0)
    config = OptimizationConfig(K=8, K_buy=7, K_sell=10, **settings)
    return engine(config).optimize(
        rng.normal(0.5, 1.2, n),
        np.eye(n),
        rng.uniform(0.0, 6.0, n),
        weights,
        [f"S{i:02d}" for i in range(n)],
        volatility=rng.uniform(0.005, 0.02, n),
    )


def test_the_facade_answers_the_same_without_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    weights, info = answered()
    monkeypatch.setattr(compiled, "kernel", None)
    plain_weights, plain_info = answered()
    assert plain_weights.tobytes() == weights.tobytes()
    assert plain_info["reason_codes"] == info["reason_codes"]
    assert any(plain_info["reason_codes"][name] != ["HOLD_FLAT"] for name in info["reason_codes"])


def test_without_the_kernel_no_call_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled.kernel is not None:
        monkeypatch.delattr(compiled.kernel, "rotate")
    monkeypatch.setattr(compiled, "kernel", None)
    weights, _ = answered()
    assert np.count_nonzero(weights) > 0


@pytest.mark.parametrize(
    ("settings", "method"),
    [({"lambda_risk": 10.0}, "sift"), ({"lambda_risk": 0.0}, "linear")],
    ids=["qp", "lp"],
)
def test_the_exact_engine_proves_its_answer_without_the_kernel(
    settings: dict[str, Any], method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, info = answered(QPOptimizationEngine, **settings)
    monkeypatch.setattr(compiled, "kernel", None)
    _, plain = answered(QPOptimizationEngine, **settings)
    assert plain["method"] == method
    assert plain["certificate"].gap <= 1e-9
    assert plain["objective_value"] == pytest.approx(info["objective_value"], rel=1e-8)
