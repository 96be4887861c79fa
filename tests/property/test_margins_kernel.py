"""Codes at an optimum: the compiled kernel and Python give the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband import OptimizationConfig, QPOptimizationEngine
from deadband.core.rows import LinearLimit
from deadband.optimize import compiled, solve
from deadband.optimize.exact import marginals
from tests.reference.test_convex_engines import case

pytestmark = pytest.mark.skipif(
    compiled.kernel is None, reason="the compiled kernel is not installed"
)


def asked(seed: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the engine asks to be explained, for one random problem of any regime."""
    rng = np.random.default_rng(seed)
    inputs = case(seed % 997)
    del inputs["dense"]
    n = len(inputs["universe"])
    config = OptimizationConfig(
        lambda_risk=float(rng.choice([0.0, 1.0, 30.0])),
        max_net_exposure=float(rng.choice([0.05, 0.3])),
        max_gross_exposure=float(rng.choice([0.3, 1.5])),
        max_turnover=float(rng.choice([0.05, 0.2, 10.0])),
        max_turnover_per_name=float(rng.choice([0.01, 0.05, 1.0])),
        name_drift_threshold=0.0,
        sector_cap=float(rng.choice([0.05, 0.3])),
        sector_gross_cap=rng.choice([None, 0.1]),
    )
    if rng.random() < 0.4:
        inputs["borrow_bps"] = rng.choice([0.0, 0.5, 3.0], n)
    if rng.random() < 0.4:
        inputs["tradable"] = rng.random(n) > 0.2
    if rng.random() < 0.4:
        inputs["linear_limits"] = [LinearLimit("mine", rng.normal(size=n), -0.05, 0.05)]
    calls: list[tuple[Any, ...]] = []

    def noted(problem: Any, settings: Any, program: Any, answer: Any, slopes: Any) -> Any:
        calls.append((problem, program, answer, slopes))
        return marginals.exact_columns(problem, settings, program, answer, slopes)

    with monkeypatch.context() as patched:
        patched.setattr(solve, "exact_columns", noted)
        QPOptimizationEngine(config, apply_cuts=bool(rng.integers(2))).optimize(**inputs)
    return calls


@settings(max_examples=300, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_kernel_says_of_every_name_what_python_says(seed: int) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        for call in asked(seed, monkeypatch):
            compiled_columns = marginals.explained(*call)
            monkeypatch.setattr(compiled, "kernel", None)
            for ours, python in zip(compiled_columns, marginals.explained(*call), strict=True):
                assert ours.dtype == python.dtype
                assert ours.tobytes() == python.tobytes()


def test_the_limits_that_stop_names_are_all_met() -> None:
    """The random problems reach every branch that names a limit."""
    seen: set[int] = set()
    with pytest.MonkeyPatch.context() as monkeypatch:
        for seed in range(120):
            for call in asked(seed, monkeypatch):
                seen.update(np.unique(marginals.explained(*call)[1]).tolist())
    # None, cap, gross, net, sector, sector gross, beta, turnover, of one name, permit, own row.
    assert {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 14} <= seen


def test_columns_of_the_wrong_length_are_refused() -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        problem, program, answer, slopes = asked(3, monkeypatch)[0]
    short = answer.weights[:-1]
    with pytest.raises(ValueError, match="weights has"):
        compiled.kernel.margins(
            problem,
            program,
            np.zeros(len(program.floor), np.int16),
            short,
            answer.prices,
            slopes.risk,
            None,
        )
