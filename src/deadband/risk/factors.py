"""Factors told from returns alone: the market, the sectors, and what else names share.

1. Market: the mean of all scaled returns.
2. Sectors: the mean of each sector with at least LEAST_IN_SECTOR sound names.
3. Statistical: the leading principal components of what these leave (G. Connor, R. Korajczyk,
   Performance measurement with the arbitrage pricing theory, J. Financial Economics 15 (1986):
   with more names than rows, from the small matrix of rows).
All are made orthonormal over the rows, so that loadings are one product and B Bᵀ + d has a unit
diagonal by construction.
"""

from __future__ import annotations

import numpy as np

from ..core.arrays import Floats, Ints

LEAST_IN_SECTOR = 5
LEAST_SPECIFIC = 0.02
"""Least share of a name's variance that is its own: no name is a factor's twin."""
NOTHING = 1e-9
"""Directions of less than this share are none."""


def loadings(unit: Floats, group: Ints, statistical: int) -> tuple[Floats, Floats]:
    """B (n, k) and d (n,) with B Bᵀ + diag(d) of unit diagonal.

    unit (t, n): scaled returns, rows weighted, with columns of length 1 (or 0: never moved).
    """
    rows, n = unit.shape
    sectors = [g for g in np.unique(group[group >= 0]).tolist() if _members(group, g)]
    named = [unit.mean(axis=1), *(unit[:, group == g].mean(axis=1) for g in sectors)]
    basis = _orthonormal(np.array(named).T[:, :rows])
    if statistical > 0:
        left = unit - basis @ (basis.T @ unit)
        basis = np.hstack([basis, _leading(left, min(statistical, rows - basis.shape[1], n))])
    found = unit.T @ basis
    explained = (found**2).sum(axis=1)
    # Where factors explain more than is let pass, all of a name's loadings give way alike.
    most = 1.0 - LEAST_SPECIFIC
    found *= np.sqrt(np.minimum(1.0, most / np.maximum(explained, 1e-300)))[:, None]
    return found, 1.0 - (found**2).sum(axis=1)


def _members(group: Ints, number: int) -> bool:
    return bool((group == number).sum() >= LEAST_IN_SECTOR)


def _orthonormal(columns: Floats) -> Floats:
    """A basis of the columns' space; directions that add nothing are left out."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    basis: Floats = left[:, sizes > max(NOTHING * sizes.max(initial=0.0), 1e-300)]
    return basis


def _leading(left: Floats, k: int) -> Floats:
    """The k leading directions of rows (t, k), fewer if less is left; from the smaller product.

    A direction in which nothing is left would not be orthogonal to what was taken out before.
    """
    if k <= 0:
        return np.zeros((len(left), 0))
    rows, n = left.shape
    square = left @ left.T if rows <= n else left.T @ left
    values, vectors = np.linalg.eigh(square)
    # What the rest of a sum of n unit columns loses in the last bits counts as nothing.
    chosen = vectors[:, -k:][:, values[-k:] > NOTHING * n]
    return chosen if rows <= n else _orthonormal(left @ chosen)
