"""Betas to the market symbol."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Bools, Floats
from .volatility import decay_weights


def betas(returns: Floats, observed: Bools, market: Floats, half_life_rows: float) -> Floats:
    """β (n,) = Σ w r_i r_m / Σ w r_m² over the bars (t,) in which the name was observed."""
    weights = decay_weights(len(returns), half_life_rows)[:, None] * observed
    covariance = (weights * returns * market[:, None]).sum(axis=0)
    variance = (weights * market[:, None] ** 2).sum(axis=0)
    zero = np.zeros_like(variance)
    beta: Floats = np.divide(covariance, variance, out=zero, where=variance > 0)
    return beta
