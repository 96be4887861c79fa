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

    A name that came later is averaged from its own first price on.

    J. Welles Wilder, New Concepts in Technical Trading Systems (1978): the first value is the mean
    of `bars` true ranges, each later one is ((bars − 1)·ATR + TR) / bars.
    """
    atr, seen = np.zeros(close.shape[1]), np.zeros(close.shape[1])
    for before, top, bottom in zip(close[:-1], high[1:], low[1:], strict=True):
        reach = np.maximum(top - bottom, np.maximum(np.abs(top - before), np.abs(bottom - before)))
        priced = before > 0
        seen = seen + priced
        share = np.where(priced, 1.0 / np.clip(seen, 1, bars), 0.0)
        atr = atr + share * (reach - atr)
    known = (seen >= bars) & (close[-1] > 0) if len(close) else np.zeros(close.shape[1], np.bool_)
    return np.divide(atr, close[-1] if len(close) else atr, out=np.zeros_like(atr), where=known)
