"""A correlation matrix that was checked once and sealed, dense or in factor form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Floats, Ints, seal
from .errors import DataError, ShapeError

SYMMETRY_TOLERANCE = 1e-8
DIAGONAL_TOLERANCE = 1e-6
PSD_TOLERANCE = 1e-10
"""Eigenvalues above minus this times n count as zero."""


@dataclass(frozen=True, slots=True, eq=False)
class DenseCorrelation:
    """`matrix` (n, n): symmetric, unit diagonal, positive semidefinite.

    `repair` is the largest change of an entry that made it positive semidefinite, 0 when it was.
    """

    matrix: Floats
    repair: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "matrix", seal(self.matrix, (self.size,) * 2, "correlation"))

    @property
    def size(self) -> int:
        return len(self.matrix)

    def quadratic(self, x: Floats, support: Ints) -> float:
        """xᵀCx for an `x` (m,) that lives on the indices `support` (m,) only."""
        # By place in the flat matrix: twice as fast as by row and column.
        block = self.matrix.ravel().take(support[:, None] * self.size + support)
        return float(x.dot(block).dot(x))


@dataclass(frozen=True, slots=True, eq=False)
class FactorCorrelation:
    """C = B Bᵀ + diag(d): `loadings` B (n, k), `specific` d (n,) ≥ 0."""

    loadings: Floats
    specific: Floats
    repair: float = 0.0

    def __post_init__(self) -> None:
        loadings = np.asarray(self.loadings)
        if loadings.ndim != 2:
            raise ShapeError(f"factor loadings have shape {loadings.shape}, expected (names, k).")
        object.__setattr__(self, "loadings", seal(loadings, loadings.shape, "factor loadings"))
        object.__setattr__(
            self, "specific", seal(self.specific, (len(loadings),), "specific variance")
        )
        if (self.specific < 0).any():
            worst = int(self.specific.argmin())
            raise DataError(
                f"specific variance [{worst}] is {self.specific[worst]:.3g}, expected at least 0."
            )

    @property
    def size(self) -> int:
        return len(self.specific)

    def quadratic(self, x: Floats, support: Ints) -> float:
        """xᵀCx for an `x` (m,) that lives on the indices `support` (m,) only."""
        factors = self.loadings[support].T.dot(x)
        return float(factors.dot(factors) + x.dot(self.specific[support] * x))


Correlation = DenseCorrelation | FactorCorrelation
SEALED = (DenseCorrelation, FactorCorrelation)


def seal_correlation(given: Any, n: int) -> Correlation | None:
    """Check a correlation for `n` names once; a sealed one passes through, None stays None.

    A pair is read as factor form (B, d). A matrix that is asymmetric, off its unit diagonal or of
    another shape is refused; one that is not positive semidefinite is repaired by clipping its
    negative eigenvalues and scaling the diagonal back to one, and `repair` says by how much.
    """
    if given is None:
        return None
    if isinstance(given, SEALED):
        _expect_size(given.size, n)
        return given
    if isinstance(given, tuple) and len(given) == 2:
        factor = FactorCorrelation(*given)
        _expect_size(factor.size, n)
        return factor
    return _dense(np.asarray(given, dtype=np.float64), n)


def _expect_size(size: int, n: int) -> None:
    if size != n:
        raise ShapeError(f"the correlation is for {size} names, the universe has {n}.")


def _dense(matrix: Floats, n: int) -> DenseCorrelation:
    matrix = seal(matrix, (n, n), "correlation_matrix")
    asymmetry = float(np.abs(matrix - matrix.T).max(initial=0.0))
    if asymmetry > SYMMETRY_TOLERANCE:
        i, j = divmod(int(np.abs(matrix - matrix.T).argmax()), n)
        raise DataError(
            f"correlation_matrix is not symmetric: [{i},{j}] is {matrix[i, j]:.6g}, "
            f"[{j},{i}] is {matrix[j, i]:.6g}. Pass (C + C.T) / 2 if that is what is meant."
        )
    off = np.abs(matrix.diagonal() - 1.0)
    if off.max(initial=0.0) > DIAGONAL_TOLERANCE:
        i = int(off.argmax())
        raise DataError(
            f"correlation_matrix[{i},{i}] is {matrix[i, i]:.6g}, expected 1. "
            "A covariance is not a correlation: divide by the volatilities and pass volatility=."
        )
    if _is_psd(matrix):
        return DenseCorrelation(matrix)
    repaired = clip_eigenvalues(matrix)
    return DenseCorrelation(repaired, repair=float(np.abs(repaired - matrix).max()))


def _is_psd(matrix: Floats) -> bool:
    shifted = matrix.copy()
    shifted.flat[:: len(matrix) + 1] += PSD_TOLERANCE * max(len(matrix), 1)
    try:
        np.linalg.cholesky(shifted)
    except np.linalg.LinAlgError:
        return False
    return True


def clip_eigenvalues(matrix: Floats) -> Floats:
    """The positive semidefinite matrix of unit diagonal got by dropping negative eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    clipped = (vectors * np.maximum(values, 0.0)) @ vectors.T
    scale = 1.0 / np.sqrt(np.maximum(clipped.diagonal(), 1e-300))
    unit: Floats = clipped * np.outer(scale, scale)
    unit = (unit + unit.T) / 2
    unit.flat[:: len(unit) + 1] = 1.0
    return unit
