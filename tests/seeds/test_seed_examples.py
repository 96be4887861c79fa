"""The mission's own examples, extracted from its pages and executed as they stand."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deadband
from deadband.core.config import OptimizationConfig

COPIES = Path(__file__).with_name("architecture_examples.md")
ORIGINAL = Path(__file__).parents[3] / "shared" / "seeds" / "architecture.md"
HEADINGS = ("Default Thresholds", "Greedy Engine (Recommended)", "Integration with IBKR")
N = 30


def block(page: Path, heading: str) -> str:
    """The first Python block under a heading."""
    _, found, below = page.read_text(encoding="utf-8").partition(f"### **{heading}**\n")
    assert found, f"{page} has no heading {heading}"
    code = re.match(r"```python\n(.*?)```\n", below, re.DOTALL)
    assert code, f"no Python block directly under {heading}"
    return code.group(1)


def originals() -> Path:
    """The page itself where it lies beside the repository, else the copies."""
    return ORIGINAL if ORIGINAL.exists() else COPIES


def prepared() -> dict[str, Any]:
    """What the examples take for granted: names, scores, risk and costs of thirty stocks."""
    rng = np.random.default_rng(42)
    symbols = [f"S{i:02d}" for i in range(N)]
    loading = rng.uniform(0.2, 0.8, N)
    correlation = np.outer(loading, loading)
    np.fill_diagonal(correlation, 1.0)
    namespace: dict[str, Any] = {
        "symbols": symbols,
        "universe": symbols,
        "z_scores": rng.normal(0.0, 1.5, N),
        "correlation_matrix": correlation,
        "costs": rng.uniform(1.0, 4.0, N),
        "current_weights": np.zeros(N),
        "beta_exposures": rng.normal(1.0, 0.2, N),
        "sector_exposures": [f"sector {i % 6}" for i in range(N)],
    }
    exec("from deadband import *", namespace)
    return namespace


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_copies_are_verbatim(heading: str) -> None:
    assert block(COPIES, heading) == block(originals(), heading)


def test_the_default_thresholds_are_our_defaults() -> None:
    namespace = prepared()
    exec(block(COPIES, "Default Thresholds"), namespace)
    config = namespace["config"]
    assert isinstance(config, OptimizationConfig)
    assert config == OptimizationConfig()


def test_the_greedy_example(capsys: pytest.CaptureFixture[str]) -> None:
    namespace = prepared()
    exec(block(COPIES, "Greedy Engine (Recommended)"), namespace)
    weights, info = namespace["target_weights"], namespace["info"]
    assert isinstance(weights, np.ndarray)
    assert weights.shape == (N,)
    bought = {change["symbol"] for change in info["changes"]}
    assert bought == {s for s, w in zip(namespace["symbols"], weights, strict=True) if w}
    assert bought, "a flat book with good scores buys"
    assert np.abs(weights).sum() <= 0.2 + 1e-12, "the turnover cap holds a cold start back"
    best = max(range(N), key=namespace["z_scores"].__getitem__)
    assert weights[best] > 0
    said = capsys.readouterr().out
    assert f"Changes: {len(bought)}" in said
    assert "BUY_TOP_K" in said
    assert "GLOBAL" in said


def test_the_integration_example() -> None:
    namespace = prepared()
    exec(block(COPIES, "Default Thresholds"), namespace)
    exec(block(COPIES, "Integration with IBKR"), namespace)
    assert namespace["success"] is True
    summary = namespace["summary"]
    assert summary["orders"] > 0
    assert set(summary["reason_codes"]) == {*namespace["symbols"], "GLOBAL"}
    success, after = namespace["integration"].run_optimization_cycle(namespace["symbols"])
    assert (success, after["engine"]) == (True, "qp")


@pytest.mark.parametrize(
    "name",
    [
        "OptimizationConfig",
        "OptimizationEngine",
        "GreedyRotationEngine",
        "RotationEngine",
        "QPOptimizationEngine",
        "CvxpyRebalanceEngine",
        "IBKROptimizationIntegration",
        "ZooBalancer",
        "HorizonArbiter",
        "ShortHorizonExecution",
    ],
)
def test_every_name_of_the_mission_is_at_the_package_root(name: str) -> None:
    assert name in deadband.__all__
    assert isinstance(getattr(deadband, name), type)
