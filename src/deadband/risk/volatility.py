"""Volatility per name before the session, and Wilder's average true range."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Bools, Floats

TRUNCATE_AT = 4.0
"""Returns beyond this many σ count as this many."""
LEAST_ROUNDS, MOST_ROUNDS = 2, 30
SETTLED = 0.9
"""Truncation goes on while it takes more than a tenth off any name: the variance it begins with has
the jump in it, and one print of ten times the price would still be four σ of itself."""
NIGHTS_OF_PRIOR = 15.0
"""The typical ratio of night to session weighs like this many nights of a name's own."""


def decay_weights(rows: int, half_life_rows: float) -> Floats:
    """Exponential weights (rows,), the newest last and equal to one."""
    ages = np.arange(rows - 1, -1, -1, dtype=np.float64)
    weights: Floats = 0.5 ** (ages / half_life_rows)
    return weights


def robust_variance(returns: Floats, observed: Bools, half_life_rows: float) -> Floats:
    """Variance (n,) of one bar from returns (t, n), mean zero; 0 where nothing was observed.

    Returns beyond TRUNCATE_AT σ are pulled back to it. That keeps jumps out of the base that every
    later bar is measured by (C. Mancini, Non-parametric threshold estimation, Scandinavian J.
    Statistics 36 (2009)); what jumps add to the variance of a horizon comes back for all names at
    once, by the level's calibration.
    """
    weights = decay_weights(len(returns), half_life_rows)[:, None] * observed
    squares = returns**2
    variance = _weighted_mean(weights, squares)
    for done in range(1, MOST_ROUNDS + 1):
        before = variance
        variance = _weighted_mean(weights, np.minimum(squares, TRUNCATE_AT**2 * before))
        if done >= LEAST_ROUNDS and (variance >= SETTLED * before).all():
            break
    return variance


def _weighted_mean(weights: Floats, values: Floats) -> Floats:
    total = weights.sum(axis=0)
    mean: Floats = np.divide(
        (weights * values).sum(axis=0), total, out=np.zeros_like(total), where=total > 0
    )
    return mean


def night_sigma(gaps: Floats, session_variance: Floats, half_life: float) -> Floats:
    """σ (n,) of one night from gaps (s, n), 0 where not known; `half_life` in sessions.

    A name's own nights are few: they are shrunk to its session variance times the ratio of all.
    """
    weights = decay_weights(len(gaps), half_life)[:, None] * (gaps != 0)
    unit = np.maximum(session_variance, 1e-12)
    ratios = np.minimum(gaps**2 / unit, TRUNCATE_AT**2)
    total = weights.sum()
    typical = float((weights * ratios).sum()) / total if total > 0 else 0.0
    own = (weights * ratios).sum(axis=0)
    shrunk = (own + NIGHTS_OF_PRIOR * typical) / (weights.sum(axis=0) + NIGHTS_OF_PRIOR)
    sigma: Floats = np.sqrt(shrunk * unit)
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
