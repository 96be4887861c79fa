"""Correlation of all pairs, pulled half way to what common factors explain of it."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Floats, Ints
from .factors import loadings

TARGET_SHARE = 0.5
"""How far the sample gives way to the target; chosen on days of their own, docs/risk.md."""


def windows(returns: Floats, row_of_day: Ints, width: int, stride: int) -> tuple[Floats, Ints]:
    """Returns (s, n) over `width` bars of one session, and the row (s,) each ends with.

    Names do not trade in the same second: over one short bar the news that moves two of them falls
    in different bars, and correlations come out too low (T. Epps, Comovements in stock prices in
    the very short run, JASA 74 (1979)). Longer windows bring it together; overlapping ones lose
    the least (T. Hayashi, N. Yoshida, Bernoulli 11 (2005), is the limit of this for ticks).
    """
    ends = np.flatnonzero((row_of_day >= width - 1) & ((row_of_day + 1) % stride == 0))
    sums = np.vstack([np.zeros(returns.shape[1]), np.cumsum(returns, axis=0)])
    return sums[ends + 1] - sums[ends + 1 - width], ends


def unit_columns(rows: Floats, weights: Floats) -> Floats:
    """Rows (t, n) times the roots of their weights, columns scaled to length 1 (or left zero)."""
    weighted = rows * np.sqrt(weights)[:, None]
    length = np.sqrt((weighted**2).sum(axis=0))
    unit: Floats = weighted / np.where(length > 0, length, 1.0)
    return unit


def shrunk_correlation(unit: Floats, group: Ints, statistical: int) -> Floats:
    """The correlation (n, n): the mean of the sample's and of its factor model's.

    unit (t, n): as `unit_columns` makes them. O. Ledoit, M. Wolf, Improved estimation of the
    covariance matrix of stock returns, J. Empirical Finance 10 (2003), with more factors than one.
    """
    sample = unit.T @ unit
    found, specific = loadings(unit, group, statistical)
    target = found @ found.T
    target.flat[:: len(target) + 1] += specific
    matrix = (1.0 - TARGET_SHARE) * sample + TARGET_SHARE * target
    matrix = (matrix + matrix.T) / 2.0
    matrix.flat[:: len(matrix) + 1] = 1.0
    return matrix
