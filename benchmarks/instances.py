"""Seeded closed-loop sequences of one portfolio problem, the same for every solver.

1. A market: correlations of a factor model (market, sectors, styles), as they are (factor form) or
   as a sample correlation of 504 returns shrunk to the identity (dense); costs, betas, sectors.
2. A regime: the seeds' limits, or what makes a cycle hard for one kind of method or another.
3. Scores are AR(1); the book is the last target drifted by returns. What the last target was is
   up to whoever drives the sequence; everybody is asked from the same book.

    maximize  aᵀw − λ wᵀΣw − γ Σ c|w − home|     with a = s∘z, Σ = diag(s) C diag(s)

Weights are fractions of NAV, costs one-way bps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deadband import OptimizationConfig
from deadband.core.arrays import Floats

FORMS = ("dense", "factor")
SECTORS = 11
HISTORY = 504
"""Returns that a sample correlation is made of, two years of days."""
SHRINKAGE = 0.3
PERSISTENCE = 0.97
DRIFT = 0.0015
"""Volatility of a name's return over one cycle."""
NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class Regime:
    """What is asked; the defaults are the seeds' limits and a book to start from."""

    lam: float = 10.0
    invested: bool = False
    """Long-only and Σw = 1; betas are then against a market of β = 1."""
    capped: bool = True
    """Turnover caps, of the book and of each name."""
    cold: bool = False
    """Every cycle starts from cash."""
    costly: bool = True
    fresh: bool = False
    """Scores forget the last cycle."""


REGIMES = {
    "capped": Regime(),
    "long": Regime(invested=True),
    "cold": Regime(cold=True, capped=False),
    "free": Regime(lam=1000.0, capped=False, fresh=True),
    "costless": Regime(capped=False, costly=False),
    "wary": Regime(lam=100.0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """What changes from cycle to cycle: scores z (n,) and the book (n,), and which cycle it is."""

    place: int
    scores: Floats
    home: Floats


@dataclass(frozen=True, eq=False)
class Setting:
    """What stays: n names, their risk, costs and limits, and the chances of the cycles to come.

    matrix (n, n) or factors (B (n, k), d (n,)); sector (n,) numbers; beta (n,) or None; volatility
    (n,) or None; scores, returns (cycles, n).
    """

    name: str
    config: OptimizationConfig
    costs: Floats
    sector: np.ndarray[Any, np.dtype[np.int64]]
    beta: Floats | None
    scores: Floats
    returns: Floats
    matrix: Floats | None = None
    factors: tuple[Floats, Floats] | None = None
    volatility: Floats | None = None
    cold: bool = False

    @property
    def size(self) -> int:
        return len(self.costs)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        return tuple(f"S{i:05d}" for i in range(self.size))

    @cached_property
    def sectors(self) -> list[str]:
        return [f"sector {k:02d}" for k in self.sector]

    @cached_property
    def sector_rows(self) -> Floats:
        """One row of zeros and ones (n,) for each sector that has a name."""
        rows: Floats = (self.sector[None, :] == np.unique(self.sector)[:, None]).astype(np.float64)
        return rows

    @cached_property
    def scale(self) -> Floats:
        """s = σ / median(σ) (n,)."""
        if self.volatility is None:
            return np.ones(self.size)
        return self.volatility / float(np.median(self.volatility))

    @property
    def prices(self) -> Floats:
        """γc (n,): cost in units of the objective for each unit of weight traded."""
        return self.config.gamma_cost * self.costs

    @property
    def invested(self) -> bool:
        return self.config.fully_invested

    @property
    def shorts(self) -> bool:
        return self.config.allow_short is not False

    @property
    def capped(self) -> bool:
        return self.config.max_turnover < NEVER

    @cached_property
    def sigma(self) -> Floats:
        """Σ (n, n), whatever form it was given in."""
        return self.correlation * np.outer(self.scale, self.scale)

    @cached_property
    def correlation(self) -> Floats:
        if self.factors is None:
            assert self.matrix is not None
            return self.matrix
        loadings, specific = self.factors
        return loadings @ loadings.T + np.diag(specific)

    @cached_property
    def scaled_factors(self) -> tuple[Floats, Floats]:
        """B (n, k) and d (n,) of Σ = BBᵀ + diag(d)."""
        assert self.factors is not None
        loadings, specific = self.factors
        return loadings * self.scale[:, None], specific * self.scale**2

    def cycle(self, place: int, target: Floats) -> Cycle:
        """The cycle after one that ended with `target` (n,)."""
        if self.cold:
            return Cycle(place, self.scores[place], np.zeros(self.size))
        moved = self.returns[place]
        home = target * (1.0 + moved) / (1.0 + target @ moved)
        return Cycle(place, self.scores[place], home)

    def box(self, home: Floats) -> tuple[Floats, Floats]:
        """Lowest and highest weight (n,) from the cap and the turnover of one name."""
        cap, name = self.config.per_name_cap, self.config.max_turnover_per_name
        low = np.maximum(-cap if self.shorts else 0.0, home - name)
        return low, np.minimum(cap, home + name)

    def utility(self, cycle: Cycle, weights: Floats) -> float:
        if self.factors is None:
            assert self.matrix is not None
            x = self.scale * weights
            risk = float(x @ (self.matrix @ x))
        else:
            loadings, specific = self.scaled_factors
            exposure = loadings.T @ weights
            risk = float(exposure @ exposure + specific @ weights**2)
        edge = float((self.scale * cycle.scores) @ weights)
        cost = float(self.prices @ np.abs(weights - cycle.home))
        return edge - self.config.lambda_risk * risk - cost

    def violation(self, cycle: Cycle, weights: Floats) -> float:
        """The most by which any limit is passed, fraction of NAV."""
        config = self.config
        low, high = self.box(cycle.home)
        net = float(weights.sum())
        worst = [
            float(np.maximum(low - weights, weights - high).max()),
            float(np.abs(self.sector_rows @ weights).max()) - config.sector_cap,
            float(np.abs(weights).sum()) - config.max_gross_exposure,
            float(np.abs(weights - cycle.home).sum()) - config.max_turnover,
            abs(net - 1.0) if self.invested else abs(net) - config.max_net_exposure,
        ]
        if self.beta is not None:
            worst.append(abs(float(self.beta @ weights)) - config.beta_tolerance)
        return max(0.0, *worst)


def setting(n: int, form: str, regime: str, cycles: int, seed: int = 1) -> Setting:
    """The setting of that name; markets differ by (n, seed) alone, so regimes can be compared."""
    asked = REGIMES[regime]
    rng = np.random.default_rng([seed, n])
    beta = np.clip(rng.normal(1.0, 0.3, n), 0.2, 2.2)
    sector = rng.integers(0, SECTORS, n)
    costs = rng.uniform(1.0, 5.0, n)
    loadings, specific = factor_model(rng, beta, sector)
    matrix = sample_correlation(rng, loadings, specific) if form == "dense" else None
    chance = np.random.default_rng([seed, n, *regime.encode()])
    return Setting(
        name=regime,
        config=mandate(asked),
        costs=costs if asked.costly else np.zeros(n),
        sector=sector,
        beta=beta - 1.0 if asked.invested else beta,
        scores=autoregressive(chance, cycles, n, 0.0 if asked.fresh else PERSISTENCE),
        returns=DRIFT * chance.normal(size=(cycles, n)),
        matrix=matrix,
        factors=(loadings, specific) if matrix is None else None,
        cold=asked.cold,
    )


def mandate(asked: Regime) -> OptimizationConfig:
    """The seeds' limits to the letter: no breach counts as passive, so all solve one program."""
    return OptimizationConfig(
        lambda_risk=asked.lam,
        gamma_cost=0.05,
        per_name_cap=0.10,
        max_gross_exposure=1.0 if asked.invested else 1.5,
        max_net_exposure=1.0 if asked.invested else 0.3,
        beta_tolerance=0.05,
        sector_cap=0.3,
        max_turnover=0.2 if asked.capped else NEVER,
        max_turnover_per_name=0.05 if asked.capped else NEVER,
        allow_short=not asked.invested,
        fully_invested=asked.invested,
        repair_tolerance_bps=0.0,
    )


def factor_model(
    rng: np.random.Generator, beta: Floats, sector: np.ndarray[Any, np.dtype[np.int64]]
) -> tuple[Floats, Floats]:
    """B (n, k), d (n,) of a correlation: the market by beta, a factor a sector, the rest styles."""
    n = len(beta)
    k = min(20 if n <= 300 else 50, max(SECTORS + 1, n // 2))
    loadings = 0.12 * rng.normal(size=(n, k))
    loadings[:, 0] += 0.5 * beta
    loadings[np.arange(n), 1 + sector] += 0.35
    specific = rng.uniform(0.3, 0.7, n)
    total = (loadings**2).sum(axis=1) + specific
    return loadings / np.sqrt(total)[:, None], specific / total


def sample_correlation(rng: np.random.Generator, loadings: Floats, specific: Floats) -> Floats:
    n, k = loadings.shape
    history = rng.normal(size=(HISTORY, k)) @ loadings.T
    history += rng.normal(size=(HISTORY, n)) * np.sqrt(specific)
    history -= history.mean(axis=0)
    history /= np.sqrt((history**2).sum(axis=0))
    matrix = (1.0 - SHRINKAGE) * (history.T @ history)
    np.fill_diagonal(matrix, 1.0)
    symmetric: Floats = (matrix + matrix.T) / 2.0
    return symmetric


def autoregressive(rng: np.random.Generator, cycles: int, n: int, rho: float) -> Floats:
    """Scores (cycles, n) of unit variance."""
    scores = rng.normal(size=(cycles, n))
    for t in range(1, cycles):
        scores[t] = rho * scores[t - 1] + np.sqrt(1.0 - rho**2) * scores[t]
    return scores
