"""Random convex programs, from easy to hostile, for every solver and for the certificate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deadband.core.correlation import (
    Correlation,
    DenseCorrelation,
    FactorCorrelation,
    clip_eigenvalues,
)
from deadband.core.limits import Limit
from deadband.optimize.exact.program import Program


@dataclass(frozen=True)
class Regime:
    """What makes an instance easy or hard; the defaults are the capped, warm one."""

    risk: str = "dense"
    """dense, factor, singular (rank deficient, dense) or none."""
    lam: float = 10.0
    shorts: bool = True
    invested: bool = False
    """Σw = 1 instead of a net limit; long-only then."""
    capped: bool = True
    """Turnover caps, per cycle and per name."""
    cold: bool = False
    """From cash."""
    costs: float = 0.05
    """Times 1 to 5 bps; 0 trades for free."""
    breach: bool = False
    """The current book is outside net and beta."""
    ties: bool = False
    """Scores and costs in a few steps, so that many names tie."""
    sector_gross: bool = False
    borrow: bool = False
    """A second layer of hinges at zero."""


SECTORS = 11


def correlation(rng: np.random.Generator, n: int, risk: str) -> Correlation | None:
    k = min(20, max(1, n // 3))
    loadings = 0.12 * rng.normal(size=(n, k))
    loadings[:, 0] += 0.5 * rng.uniform(0.4, 1.6, n)
    loadings[np.arange(n), rng.integers(0, k, n)] += 0.35
    specific = rng.uniform(0.3, 0.7, n)
    size = np.sqrt((loadings**2).sum(axis=1) + specific)
    loadings, specific = loadings / size[:, None], specific / size**2
    if risk == "none":
        return None
    if risk == "factor":
        return FactorCorrelation(loadings, specific)
    if risk == "singular":
        sample = rng.normal(size=(max(2, n // 4), n))
        return DenseCorrelation(clip_eigenvalues(np.corrcoef(sample.T)))
    sample = rng.normal(size=(504, k)) @ loadings.T
    sample += rng.normal(size=(504, n)) * np.sqrt(specific)
    matrix = 0.7 * np.corrcoef(sample.T) + 0.3 * np.eye(n)
    return DenseCorrelation((matrix + matrix.T) / 2)


def program(seed: int, n: int, regime: Regime | None = None) -> Program:
    regime = Regime() if regime is None else regime
    rng = np.random.default_rng(seed)
    cap, shorts = 0.10, regime.shorts and not regime.invested
    z, costs = rng.normal(size=n), regime.costs * rng.uniform(1, 5, n)
    if regime.ties:
        z, costs = np.round(z), np.full(n, regime.costs * 2.0)
    beta = np.clip(rng.normal(1.0, 0.3, n), 0.2, 2.2)
    group = rng.integers(0, min(SECTORS, max(1, n // 3)), n)
    groups = int(group.max()) + 1
    home = _book(rng, n, beta, group, regime, cap)
    turnover, per_name = (0.2, 0.05) if regime.capped else (np.inf, np.inf)
    low = np.maximum(-cap if shorts else 0.0, home - per_name)
    high = np.minimum(cap, home + per_name)
    low, high = np.minimum(low, np.maximum(home, -cap)), np.maximum(high, np.minimum(home, cap))
    if regime.invested:
        rows = np.array([np.ones(n), beta - 1.0])
        floor, ceiling = np.array([1.0, -0.05]), np.array([1.0, 0.05])
        gross, first = np.inf, Limit.FULLY_INVESTED.value
    else:
        rows = np.array([np.ones(n), beta])
        floor, ceiling, gross = np.array([-0.3, -0.05]), np.array([0.3, 0.05]), 1.5
        first = Limit.NET.value
    hinge_at, hinge_weight = home[None, :], costs[None, :]
    if regime.borrow:
        hinge_at = np.vstack([hinge_at, np.zeros(n)])
        hinge_weight = np.vstack([hinge_weight, rng.uniform(0.0, 0.05, n)])
    return Program(
        linear=-z,
        risk_weight=0.0 if regime.risk == "none" else regime.lam,
        correlation=correlation(rng, n, regime.risk),
        scale=rng.uniform(0.5, 2.0, n),
        low=low,
        high=high,
        home=home,
        hinge_at=hinge_at,
        hinge_weight=hinge_weight,
        rows=rows,
        floor=floor,
        ceiling=ceiling,
        group=group.astype(np.int64),
        sector=np.full(groups, 0.3),
        counted=np.ones(n, dtype=np.bool_),
        turnover=turnover,
        gross=gross,
        sector_gross=np.full(groups, 0.4 if regime.sector_gross else np.inf),
        names=(
            first,
            Limit.BETA.value,
            *(f"{Limit.SECTOR}:{k}" for k in range(groups)),
            Limit.TURNOVER.value,
            Limit.GROSS.value,
            *(f"{Limit.SECTOR_GROSS}:{k}" for k in range(groups)),
        ),
    )


def _book(
    rng: np.random.Generator,
    n: int,
    beta: np.ndarray,
    group: np.ndarray,
    regime: Regime,
    cap: float,
) -> np.ndarray:
    """A current book (n,): equal weights when invested, else some names inside every limit."""
    if regime.invested:
        return np.full(n, 1.0 / n)
    if regime.cold:
        return np.zeros(n)
    held = rng.choice(n, min(n, 30), replace=False)
    home = np.zeros(n)
    home[held] = rng.uniform(0.0 if not regime.shorts else -cap, cap, len(held))
    if not regime.breach:
        worst = max(
            abs(home.sum()) / 0.29,
            abs(beta @ home) / 0.049,
            np.abs(home).sum() / 1.45,
            max(np.abs(home[group == k]).sum() for k in range(int(group.max()) + 1)) / 0.29,
        )
        home /= max(1.0, worst)
    return home
