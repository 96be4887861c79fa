"""Greedy façade `optimize()` against `numpy.argsort` of the same scores, side by side in one run.

A closed loop: scores are AR(1), the book drifts, each call starts from the last answer. For each N
and each way of giving the correlation, calls alternate with argsort, so that both see the same
machine. Reasons are included: every call reads one code and the changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

from deadband import GreedyRotationEngine, OptimizationConfig
from deadband.core.correlation import seal_correlation
from deadband.core.limits import Structure
from deadband.core.seen import Universe
from deadband.optimize.build import Ask, assemble
from deadband.optimize.certify import certify
from deadband.optimize.rotation.rotate import rotated

SIZES = {300: 300, 3_000: 100, 100_000: 20}
"""Names, and calls timed."""
RAW_CALLS = 12
"""Calls timed with raw arrays: checking a 3,000 × 3,000 matrix afresh takes most of a second."""
FACTORS = 10


@dataclass
class Market:
    """Scores that move and a book that drifts."""

    n: int
    rng: np.random.Generator

    def __post_init__(self) -> None:
        self.z = self.rng.normal(size=self.n)
        self.symbols = tuple(f"S{i:06d}" for i in range(self.n))
        self.costs = self.rng.uniform(1.0, 5.0, self.n)
        self.volatility = self.rng.uniform(0.005, 0.02, self.n)
        self.weights = np.zeros(self.n)

    def move(self) -> None:
        self.z = 0.97 * self.z + np.sqrt(1 - 0.97**2) * self.rng.normal(size=self.n)
        self.weights = self.weights * (1 + 0.001 * self.rng.normal(size=self.n))

    def correlation(self) -> object:
        loadings = self.rng.normal(0, 0.1, (self.n, FACTORS))
        specific = 1.0 - (loadings**2).sum(axis=1)
        if self.n > 5_000:
            return loadings, specific
        matrix = loadings @ loadings.T
        np.fill_diagonal(matrix, 1.0)
        return matrix


def timed(call: Callable[[], object]) -> float:
    """CPU seconds, all threads: on a shared machine the clock on the wall counts others too."""
    started = process_time()
    call()
    return process_time() - started


def measure(n: int, calls: int, *, sealed: bool) -> dict[str, float]:
    market = Market(n, np.random.default_rng(n))
    given = market.correlation()
    correlation = seal_correlation(given, n) if sealed else given
    universe = Universe.of(market.symbols) if sealed else market.symbols
    engine = GreedyRotationEngine(OptimizationConfig(lambda_risk=10.0))
    greedy, sorting = [], []

    def decide() -> None:
        market.weights, info = engine.optimize(
            market.z,
            correlation,
            market.costs,
            market.weights,
            universe,
            volatility=market.volatility,
        )
        assert info["reason_codes"][market.symbols[0]] and info["changes"] is not None

    for _ in range(3):
        decide()
    for _ in range(calls):
        market.move()
        sorting.append(timed(lambda: np.argsort(market.z)))
        greedy.append(timed(decide))
    micro = 1e6
    return {
        "n": n,
        "sealed": sealed,
        "greedy_p50_us": float(np.median(greedy)) * micro,
        "greedy_p99_us": float(np.quantile(greedy, 0.99)) * micro,
        "argsort_p50_us": float(np.median(sorting)) * micro,
        "ratio": float(np.median(greedy) / np.median(sorting)),
    }


def stages(n: int, calls: int) -> dict[str, float]:
    """Where the time of one decision goes, microseconds (median), without the façade."""
    market = Market(n, np.random.default_rng(n))
    config = OptimizationConfig(lambda_risk=10.0)
    correlation = seal_correlation(market.correlation(), n)
    structure = Structure(np.full(n, -1), (), None)
    spent: dict[str, list[float]] = {}
    for _ in range(calls):
        market.move()
        marks = [perf_counter()]
        ask = Ask(
            market.symbols,
            market.z,
            np.ones(n, dtype=bool),
            market.costs,
            market.weights,
            structure,
            correlation,
            market.volatility,
        )
        problem = assemble(ask, config)
        marks.append(perf_counter())
        weights, _columns = rotated(problem, config)
        marks.append(perf_counter())
        certify(problem, weights)
        marks.append(perf_counter())
        market.weights = weights
        for name, span in zip(
            ("assemble and cuts", "rotate and codes", "certify"),
            np.diff(marks),
            strict=True,
        ):
            spent.setdefault(name, []).append(float(span))
    return {name: float(np.median(spans)) * 1e6 for name, spans in spent.items()}


def main() -> None:
    console = Console()
    rows = []
    for n, calls in SIZES.items():
        rows.append(measure(n, calls, sealed=True))
        rows.append(measure(n, min(calls, RAW_CALLS), sealed=False))
    table = Table("N", "risk model", "greedy p50 µs", "p99 µs", "argsort µs", "times argsort")
    for row in rows:
        table.add_row(
            f"{row['n']:,}",
            "sealed" if row["sealed"] else "raw arrays",
            f"{row['greedy_p50_us']:,.0f}",
            f"{row['greedy_p99_us']:,.0f}",
            f"{row['argsort_p50_us']:,.1f}",
            f"{row['ratio']:,.1f}",
        )
    console.print(table)
    where = {n: stages(n, calls) for n, calls in SIZES.items()}
    table = Table("N", *next(iter(where.values())), title="where the time goes, µs")
    for n, spans in where.items():
        table.add_row(f"{n:,}", *(f"{span:,.0f}" for span in spans.values()))
    console.print(table)
    console.print(f"kept in {keep('greedy', {'facade': rows, 'stages_us': where})}")


if __name__ == "__main__":
    main()
