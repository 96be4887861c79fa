"""Correlation made well conditioned by shrinking it towards the identity."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Floats
from ..core.correlation import DenseCorrelation


def ledoit_wolf(x: Floats) -> tuple[Floats, float]:
    """Shrunk covariance (n, n) of zero-mean rows x (t, n), and the shrinkage in [0, 1].

    O. Ledoit, M. Wolf, A well-conditioned estimator for large-dimensional covariance matrices,
    J. Multivariate Analysis 88 (2004): the target is the identity times the mean variance.
    """
    t, n = x.shape
    sample = x.T @ x / t
    mean_variance = float(np.trace(sample)) / n
    distance = float((sample**2).sum()) / n - mean_variance**2
    fourth = float(((x**2).sum(axis=1) ** 2).sum()) / t
    error = (fourth - float((sample**2).sum())) / (n * t)
    shrinkage = 0.0 if distance <= 0 else min(1.0, max(0.0, error / distance))
    shrunk = (1.0 - shrinkage) * sample
    shrunk.flat[:: n + 1] += shrinkage * mean_variance
    return shrunk, shrinkage


def shrunk_correlation(returns: Floats, sigma: Floats) -> DenseCorrelation:
    """Correlation of returns (t, n), unobserved ones as zero, each name scaled by its σ (n,)."""
    scaled = returns / np.where(sigma > 0, sigma, 1.0)
    # One return of many σ would own the matrix: the ranks of the book are not built on one print.
    covariance, _ = ledoit_wolf(np.clip(scaled, -6.0, 6.0))
    scale = 1.0 / np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
    matrix = covariance * np.outer(scale, scale)
    matrix = (matrix + matrix.T) / 2
    matrix.flat[:: len(matrix) + 1] = 1.0
    return DenseCorrelation(matrix)
