"""Betas to the market symbol, shrunk to those of alike names."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from .factors import LEAST_IN_SECTOR

LEAST_SPREAD = 0.05**2
"""Names are taken to differ by at least this variance of β."""


def betas(returns: Floats, market: Floats, weights: Floats, group: Ints, sound: Bools) -> Floats:
    """β (n,) from weighted rows of returns (t, n) and of the market's (t,).

    Shrunk to the mean of the sector, or of all names in a small one, by O. Vasicek, A note on using
    cross-sectional information in Bayesian estimation of security betas, J. Finance 28 (1973):
    β = (β̂·τ² + β̄·s²) / (τ² + s²), s² the error of β̂ and τ² how far names truly lie apart.
    """
    total = float(weights.sum())
    variance = float(weights @ market**2)
    if variance <= 0.0:
        return np.zeros(returns.shape[1])
    raw = (weights * market) @ returns / variance
    left = weights @ (returns - market[:, None] * raw) ** 2
    error = left / variance * float((weights**2).sum()) / total**2
    return _shrunk(raw, error, group, sound)


def _shrunk(raw: Floats, error: Floats, group: Ints, sound: Bools) -> Floats:
    out = raw.copy()
    pools = [sound & (group == g) for g in np.unique(group[group >= 0]).tolist()]
    pools = [pool for pool in pools if pool.sum() >= LEAST_IN_SECTOR]
    rest = sound & ~np.logical_or.reduce([np.zeros_like(sound), *pools])
    for pool, lenders in [(rest, sound), *((pool, pool) for pool in pools)]:
        if lenders.sum() >= 2:
            mean, spread = raw[lenders].mean(), raw[lenders].var() - error[lenders].mean()
            apart = max(float(spread), LEAST_SPREAD)
            out[pool] = (raw[pool] * apart + mean * error[pool]) / (apart + error[pool])
    return out
