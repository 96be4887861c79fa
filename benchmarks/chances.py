"""Random settings for the study of fall-backs: sizes, risks, limits and books of every kind.

Each is drawn from its own seed (study, index), so that any can be drawn again alone. Traits name
what was drawn, for shares by regime.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from instances import NEVER, SECTORS, Setting, autoregressive, factor_model, sample_correlation

from deadband import OptimizationConfig
from deadband.core.arrays import Bools, Floats
from deadband.core.correlation import clip_eigenvalues

LEAST, MOST = 5, 150
CYCLES = 20
RISKS = ("dense", "factor", "singular", "identity", "none")
SCORES = ("persistent", "fresh", "tied", "wild", "zero")
STARTS = ("cash", "inside", "breach")
COSTS = ("usual", "equal", "none", "heavy-tailed")


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """One setting with all that `optimize` takes beside it; `start` (n,) is the first book.

    `plain`: nothing in it but what instances.py knows, so that other code can solve it too.
    """

    setting: Setting
    start: Floats
    risk: str
    tradable: Bools | None
    pnl_bps: Floats | None
    hedge: str
    apply_cuts: bool
    traits: tuple[str, ...]

    @property
    def plain(self) -> bool:
        extra = self.tradable is not None or bool(self.hedge) or self.apply_cuts
        return not extra and self.setting.config.sector_gross_cap is None

    @property
    def correlation(self) -> Any:
        """As it is given to an engine."""
        if self.risk == "none":
            return None
        return self.setting.matrix if self.setting.factors is None else self.setting.factors


def draw(seed: int, index: int) -> Chance:
    rng = np.random.default_rng([seed, index])
    n = int(round(np.exp(rng.uniform(np.log(LEAST), np.log(MOST)))))
    risk, kind, start, cost = (str(rng.choice(each)) for each in (RISKS, SCORES, STARTS, COSTS))
    config = draw_config(rng)
    sector = rng.integers(0, min(SECTORS, max(1, n // 3)), n)
    beta = np.clip(rng.normal(1.0, 0.3, n), 0.2, 2.2)
    matrix, factors = draw_risk(rng, risk, beta, sector)
    with_beta = rng.random() < 0.6
    setting = Setting(
        name=risk,
        config=config,
        costs=draw_costs(rng, n, cost),
        sector=sector,
        beta=(beta - 1.0 if config.fully_invested else beta) if with_beta else None,
        scores=draw_scores(rng, n, kind),
        returns=float(rng.choice([0.0015, 0.02])) * rng.normal(size=(CYCLES, n)),
        matrix=matrix,
        factors=factors,
        volatility=np.exp(0.5 * rng.normal(size=n)) * 0.01 if rng.random() < 0.5 else None,
    )
    frozen = rng.random() < 0.15
    cuts = rng.random() < 0.1
    hedged = rng.random() < 0.05 and with_beta
    traits = (
        f"risk {risk}",
        f"scores {kind}",
        f"from {start}",
        f"costs {cost}",
        f"λ = {config.lambda_risk:g}",
        f"n ≤ {next(most for most in (10, 30, 70, MOST) if n <= most)}",
        "Σw = 1" if config.fully_invested else "cash allowed",
        "long-only" if config.allow_short is False else "long and short",
        "turnover caps" if config.max_turnover < NEVER else "no turnover cap",
        *(["frozen names"] if frozen else []),
        *(["cuts"] if cuts else []),
        *(["hedge"] if hedged else []),
        *(["sector gross"] if config.sector_gross_cap is not None else []),
    )
    return Chance(
        setting=setting,
        start=draw_book(rng, setting, start),
        risk=risk,
        tradable=rng.random(n) < 0.9 if frozen else None,
        pnl_bps=rng.normal(0.0, 100.0, n) if cuts else None,
        hedge=setting.symbols[0] if hedged else "",
        apply_cuts=cuts,
        traits=traits,
    )


def draw_config(rng: np.random.Generator) -> OptimizationConfig:
    invested = rng.random() < 0.2
    shorts = rng.random() < (0.3 if invested else 0.7)
    capped = rng.random() < 0.7

    def one_of(*values: float) -> float:
        return float(rng.choice(values))

    gross = one_of(1.0, 1.5, 2.0) if invested else one_of(0.5, 1.0, 1.5, 3.0)
    config = OptimizationConfig(
        lambda_risk=one_of(0.0, 0.1, 1.0, 10.0, 100.0, 1000.0),
        gamma_cost=one_of(0.01, 0.05, 0.5),
        per_name_cap=min(gross, one_of(0.02, 0.05, 0.1, 0.3, 1.0)),
        max_gross_exposure=gross,
        max_net_exposure=max(1.0, gross) if invested else min(gross, one_of(0.0, 0.1, 0.3, 1.0)),
        sector_cap=one_of(0.05, 0.1, 0.3, 1.0),
        beta_tolerance=one_of(0.0, 0.01, 0.05, 0.3),
        max_turnover=one_of(0.02, 0.2, 1.0) if capped else NEVER,
        max_turnover_per_name=one_of(0.01, 0.05, 0.2) if capped else NEVER,
        allow_short=shorts,
        fully_invested=invested,
        name_drift_threshold=0.0,
        portfolio_drift_threshold=0.0,
        repair_tolerance_bps=one_of(0.0, 5.0),
    )
    if rng.random() < 0.2:
        return replace(config, sector_gross_cap=one_of(0.1, 0.3))
    return config


def draw_risk(
    rng: np.random.Generator, risk: str, beta: Floats, sector: np.ndarray[Any, Any]
) -> tuple[Floats | None, tuple[Floats, Floats] | None]:
    """A matrix (n, n), or factors; zeros where there is to be no risk."""
    n = len(beta)
    if risk == "none":
        return np.zeros((n, n)), None
    if risk == "identity":
        return np.eye(n), None
    if risk == "singular":
        few = rng.normal(size=(max(2, n // 4), n))
        return clip_eigenvalues(np.corrcoef(few.T)), None
    loadings, specific = factor_model(rng, beta, sector)
    if risk == "factor":
        return None, (loadings, specific)
    return sample_correlation(rng, loadings, specific), None


def draw_costs(rng: np.random.Generator, n: int, cost: str) -> Floats:
    if cost == "none":
        return np.zeros(n)
    if cost == "equal":
        return np.full(n, 3.0)
    if cost == "heavy-tailed":
        heavy: Floats = 2.0 * np.exp(rng.normal(size=n))
        return heavy
    return rng.uniform(1.0, 5.0, n)


def draw_scores(rng: np.random.Generator, n: int, kind: str) -> Floats:
    scores = autoregressive(rng, CYCLES, n, 0.0 if kind == "fresh" else 0.97)
    if kind == "tied":
        return np.round(scores)
    if kind == "wild":
        wild: Floats = np.clip(scores * np.exp(rng.normal(size=scores.shape)), -8.0, 8.0)
        return wild
    return np.zeros_like(scores) if kind == "zero" else scores


def draw_book(rng: np.random.Generator, setting: Setting, start: str) -> Floats:
    """Cash, a book within cap and gross, or one that is outside some limits."""
    n, config = setting.size, setting.config
    if config.fully_invested and start != "breach":
        return np.full(n, 1.0 / n)
    if start == "cash":
        return np.zeros(n)
    held = rng.random(n) < min(1.0, 20.0 / n)
    size = rng.uniform(-1.0 if setting.shorts else 0.0, 1.0, n) * held
    if start == "breach":
        # Up to twice the cap, and a third more than gross.
        book = 2.0 * config.per_name_cap * size
        return book * min(1.0, 1.3 * config.max_gross_exposure / max(1e-9, np.abs(book).sum()))
    book = config.per_name_cap * size
    if setting.shorts:
        book -= held * book.sum() / max(1, held.sum())
        book = np.clip(book, -config.per_name_cap, config.per_name_cap)
    largest = max(np.abs(book).sum() / config.max_gross_exposure, 1e-9)
    largest = max(largest, np.abs(setting.sector_rows @ book).max() / config.sector_cap)
    return book / max(1.0, 1.05 * largest)
