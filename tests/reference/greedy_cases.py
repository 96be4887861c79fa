"""Mandates and books for judging the greedy engine, and the way from them to its own types."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from tests.reference.greedy_by_hand import Names, Rules

from deadband.core.config import OptimizationConfig
from deadband.core.limits import Structure
from deadband.core.types import Permits, Watch
from deadband.optimize.build import Ask


def config_of(rules: Rules) -> OptimizationConfig:
    return OptimizationConfig(
        gamma_cost=rules.gamma,
        tau_utility=rules.tau_U,
        max_gross_exposure=rules.gross,
        max_net_exposure=rules.net,
        per_name_cap=rules.cap,
        sector_cap=rules.sector,
        sector_gross_cap=None if rules.sector_gross == np.inf else rules.sector_gross,
        beta_tolerance=rules.beta,
        max_turnover=rules.turnover,
        max_turnover_per_name=rules.turnover_name,
        name_drift_threshold=rules.tau_name,
        K=rules.K,
        K_buy=rules.K_buy,
        K_sell=rules.K_sell,
        K_short=rules.K_short,
        z_keep=rules.z_keep,
        z_cut=rules.z_cut,
        delta_z_min=rules.delta_z_min,
        k_ATR=rules.k_ATR,
        Tmax_min=rules.Tmax_min,
        budget_buffer=rules.buffer,
        repair_tolerance_bps=rules.repair_tolerance * 1e4,
        hedge_cap=rules.hedge_cap,
        weighting=rules.weighting,
    )


def ask_of(rules: Rules, names: Names) -> Ask:
    def maybe(values: list[float] | None) -> np.ndarray | None:
        return None if values is None else np.array(values)

    n = len(names.symbols)
    labels = sorted(set(names.sector or []) - {""})
    group = [labels.index(s) if s else -1 for s in names.sector or [""] * n]
    current = np.array(names.current)
    free = ~np.array(names.frozen or [False] * n)
    low, high = np.where(free, -np.inf, current), np.where(free, np.inf, current)
    return Ask(
        symbols=names.symbols,
        z=np.array(names.z),
        scored=np.array(names.scored or [True] * n),
        cost_bps=np.array(names.bps),
        current=current,
        structure=Structure(np.array(group), tuple(labels), maybe(names.beta)),
        volatility=maybe(names.sigma),
        pnl_bps=maybe(names.pnl_bps),
        atr_pct=maybe(names.atr_pct),
        holding_min=maybe(names.holding_min),
        permits=Permits(low, high, low, high, np.zeros(n, np.int16), 1.0, (), (), Watch()),
        hedge=names.hedge,
        allow_short=rules.K_short > 0,
    )


def random_case(seed: int) -> tuple[Rules, Names]:
    """A book and a mandate; every feature is in about half of the cases."""
    rng = np.random.default_rng(seed)

    def coin(p: float = 0.5) -> bool:
        return bool(rng.random() < p)

    n = int(rng.integers(2, 26))
    K = int(rng.integers(1, 9))
    rules = Rules(
        gamma=float(rng.choice([0.0, 0.02, 0.05, 0.2])),
        tau_U=float(rng.choice([0.0, 0.0, 0.003, 0.02])),
        gross=float(rng.choice([0.4, 1.0, 1.5])),
        net=float(rng.choice([0.1, 0.3, 1.0])),
        cap=float(rng.choice([0.05, 0.1, 0.3])),
        sector=float(rng.choice([0.1, 0.2, 0.3])),
        sector_gross=float(rng.choice([np.inf, 0.25])),
        beta=float(rng.choice([0.02, 0.05, 0.2])),
        turnover=float(rng.choice([0.1, 0.2, 2.0])),
        turnover_name=float(rng.choice([0.02, 0.05, 1.0])),
        tau_name=float(rng.choice([0.0, 0.005, 0.02])),
        K=K,
        K_buy=max(1, K - int(rng.integers(0, 3))),
        K_sell=K + int(rng.integers(0, 13)),
        K_short=int(rng.integers(1, 7)) if coin() else 0,
        z_keep=float(rng.choice([0.3, 0.8, 1.2])),
        buffer=float(rng.choice([0.0, 0.03])),
        weighting=str(rng.choice(["equal", "score", "inverse_vol"])),
    )
    order = rng.permutation(n)
    z = rng.normal(float(rng.choice([0.0, 0.7])), 1.2, n)
    if coin():
        z = np.round(z * 2) / 2
    held = rng.random(n) < rng.choice([0.0, 0.3, 0.6])
    signs = np.where((rng.random(n) < 0.5) & (coin(0.9) and rules.K_short > 0), -1.0, 1.0)
    size = rng.uniform(0.001, float(rng.choice([0.03, 0.1, 0.2])), n)
    if coin(0.3):
        size = np.round(size, 2)
    names = Names(
        symbols=[f"S{k:02d}" for k in order],
        z=z.tolist(),
        bps=rng.uniform(0.0, 12.0, n).tolist(),
        current=np.where(held, signs * size, 0.0).tolist(),
        sigma=rng.uniform(0.1, 0.6, n).tolist() if coin() else None,
        sector=rng.choice(["Energy", "Tech", "Banks", ""], n).tolist() if coin() else None,
        beta=rng.uniform(-0.3, 1.8, n).tolist() if coin() else None,
        pnl_bps=rng.normal(20, 120, n).tolist() if coin() else None,
        atr_pct=rng.uniform(0.3, 3.0, n).tolist(),
        holding_min=rng.uniform(0, 240, n).tolist() if coin(0.3) else None,
        frozen=(rng.random(n) < 0.15).tolist() if coin(0.4) else None,
        scored=(rng.random(n) < 0.85).tolist() if coin(0.2) else None,
    )
    if names.beta is not None and coin():
        names.hedge = int(rng.integers(n))
        names.beta[names.hedge] = 1.0
    return rules, names


@st.composite
def grid_cases(draw: st.DrawFn) -> tuple[Rules, Names]:
    """Small cases on a grid, so that scores tie and thresholds are met exactly."""
    n = draw(st.integers(1, 9))

    def each(values: list[float]) -> list[float]:
        return draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))

    def perhaps(values: list[float]) -> list[float] | None:
        return each(values) if draw(st.booleans()) else None

    K = draw(st.integers(1, 4))
    K_short = draw(st.integers(0, 3))
    rules = Rules(
        gamma=0.05,
        tau_U=draw(st.sampled_from([0.0, 0.01])),
        gross=draw(st.sampled_from([0.3, 1.0])),
        net=draw(st.sampled_from([0.1, 0.3])),
        cap=draw(st.sampled_from([0.05, 0.1])),
        sector=draw(st.sampled_from([0.1, 0.3])),
        turnover=draw(st.sampled_from([0.1, 0.2, 1.0])),
        turnover_name=draw(st.sampled_from([0.05, 1.0])),
        K=K,
        K_buy=draw(st.integers(1, K)),
        K_sell=draw(st.integers(K, K + 3)),
        K_short=K_short,
        buffer=draw(st.sampled_from([0.0, 0.03])),
        weighting=draw(st.sampled_from(["equal", "score", "inverse_vol"])),
    )
    sizes = [0.0, 0.0, 0.02, 0.05, 0.1, 0.1003, 0.15]
    names = Names(
        symbols=list(draw(st.permutations([f"S{k}" for k in range(n)]))),
        z=each([-1.05, -0.8, -0.2, 0.0, 0.2, 0.55, 0.8, 1.05, 1.3]),
        bps=each([0.0, 5.0, 10.0]),
        current=each(sizes + [-x for x in sizes] if K_short else sizes),
        sigma=perhaps([0.1, 0.2, 0.4]),
        beta=perhaps([-0.5, 0.5, 1.0]),
        pnl_bps=perhaps([-120.0, -119.0, 0.0, 30.0]),
        atr_pct=[1.0] * n,
        holding_min=perhaps([120.0, 121.0]),
    )
    if draw(st.booleans()):
        names.sector = draw(st.lists(st.sampled_from(["A", "B", ""]), min_size=n, max_size=n))
    if draw(st.booleans()):
        names.frozen = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    if names.beta is not None:
        names.hedge = draw(st.integers(-1, n - 1))
    return rules, names
