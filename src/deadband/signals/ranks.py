"""Ranks of a cross-section: mean ranks, their correlation, and the normal scores they stand for."""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist
from typing import Any

import numpy as np

from ..core.arrays import Floats, Ints, sealed

Numbers = np.ndarray[Any, np.dtype[Any]]


def places(values: Numbers) -> Ints:
    """Place (k,) of each value among the distinct ones, 0 the lowest."""
    order = values.argsort(kind="stable")
    ordered = values[order]
    place = np.empty(len(values), dtype=np.int64)
    place[order] = np.concatenate([[0], (ordered[1:] != ordered[:-1]).cumsum()])[: len(values)]
    return place


def mean_ranks(values: Numbers) -> Floats:
    """Rank (k,) of each value, 1 the lowest, equal ones sharing their mean."""
    return ranks_of_places(places(values))


def ranks_of_places(place: Numbers) -> Floats:
    """As `mean_ranks`, of whole numbers ≥ 0 that are not many times more than there are values."""
    count = np.bincount(place)
    above = count.cumsum()
    ranks: Floats = (above - 0.5 * (count - 1))[place]
    return ranks


def rank_correlation(x: Numbers, y: Numbers) -> float:
    """Spearman's ρ of two columns (k,), equal values sharing their mean rank; NaN of a constant."""
    return correlation(mean_ranks(x), mean_ranks(y))


def correlation(x_ranks: Floats, y_ranks: Floats) -> float:
    """Correlation of two columns of mean ranks (k,); NaN of a constant."""
    middle = 0.5 * (len(x_ranks) + 1)
    a, b = x_ranks - middle, y_ranks - middle
    size = float(np.sqrt(a.dot(a) * b.dot(b)))
    return float(a.dot(b)) / size if size > 0.0 else np.nan


def normal_scores(values: Floats) -> Floats:
    """van der Waerden's scores (k,): Φ⁻¹(rank / (k + 1)), 0 for all where all are equal."""
    twice = (2.0 * mean_ranks(values)).astype(np.int64)
    return _quantiles(len(values))[twice]


@lru_cache(maxsize=64)
def _quantiles(k: int) -> Floats:
    """Φ⁻¹(r / (k + 1)) at every half rank r, by 2r; mean ranks are whole or half."""
    normal = NormalDist()
    inside = [normal.inv_cdf(twice / (2 * (k + 1))) for twice in range(1, 2 * k + 2)]
    quantiles: Floats = sealed(np.array([-np.inf, *inside]))
    return quantiles
