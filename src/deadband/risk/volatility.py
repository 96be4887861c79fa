"""Volatility per name, exponentially weighted, and Wilder's average true range."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Bools, Floats


def decay_weights(rows: int, half_life_rows: float) -> Floats:
    """Exponential weights (rows,), the newest last and equal to one."""
    ages = np.arange(rows - 1, -1, -1, dtype=np.float64)
    weights: Floats = 0.5 ** (ages / half_life_rows)
    return weights


def ewma_sigma(returns: Floats, observed: Bools, half_life_rows: float) -> Floats:
    """σ (n,) of one bar from returns (t, n), mean taken as zero; 0 where nothing was observed."""
    weights = decay_weights(len(returns), half_life_rows)[:, None] * observed
    total = weights.sum(axis=0)
    variance = (weights * returns**2).sum(axis=0)
    mean = np.divide(variance, total, out=np.zeros_like(total), where=total > 0)
    sigma: Floats = np.sqrt(mean)
    return sigma


def average_true_range(high: Floats, low: Floats, close: Floats, bars: int) -> Floats:
    """Wilder's ATR (n,) as a fraction of the last close, from bars (u, n); 0 with too few bars.

    J. Welles Wilder, New Concepts in Technical Trading Systems (1978): the first value is the mean
    of `bars` true ranges, each later one is ((bars − 1)·ATR + TR) / bars.
    """
    u, n = close.shape
    if u < bars + 1:
        return np.zeros(n)
    before, high, low = close[:-1], high[1:], low[1:]
    reach = np.maximum(high - low, np.maximum(np.abs(high - before), np.abs(low - before)))
    reach = np.where(before > 0, reach, 0.0)
    atr = reach[:bars].mean(axis=0)
    for row in reach[bars:]:
        atr = ((bars - 1) * atr + row) / bars
    # A name that came later than the first bars has no settled average yet.
    known = (close[0] > 0) & (close[-1] > 0)
    fraction: Floats = np.divide(atr, close[-1], out=np.zeros(n), where=known)
    return fraction
