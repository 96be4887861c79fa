"""Other people's covariance estimators, used on the same bars as their users would use them.

Each is given the returns of all bars of the history window, and of today's so far where it is
fitted at every decision; unobserved bars are zero. It answers with the covariance of one bar, which
is scaled to the horizon by √time. Packages that are not installed are named, not missed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ..core.arrays import Floats

Fit = Callable[[Floats], Floats]
"""Returns (t, n) of bars, oldest first, to their covariance (n, n)."""

SKLEARN = {"ledoit_wolf": "LedoitWolf", "oas": "OAS"}
SKFOLIO = {
    "skfolio_ew": ("EWCovariance", True),
    "skfolio_denoise": ("DenoiseCovariance", False),
    "skfolio_gerber": ("GerberCovariance", False),
    "skfolio_regime_ew": ("RegimeAdjustedEWCovariance", False),
}
"""Class, and whether it is quick enough to be fitted anew at every decision."""


@dataclass(frozen=True, slots=True)
class Peer:
    """An estimator; fitted at every decision with today's bars, or once before the session.

    `told_the_time`: it is given returns over the root of our curve of the day, and its answer
    counts times the curve of the horizon: what of our lead is more than that shows against it.
    """

    name: str
    fit: Fit
    at_every_decision: bool
    told_the_time: bool = False


def peers(rows_a_session: float, half_life_days: float) -> tuple[list[Peer], tuple[str, ...]]:
    """All that are installed, and the names of packages that are not."""
    found = [
        Peer("sample", lambda rows: np.cov(rows.T), at_every_decision=True),
        Peer("ewma", _ewma(half_life_days * rows_a_session), at_every_decision=True),
        Peer("ewma_1d", _ewma(rows_a_session), at_every_decision=True),
        Peer("ewma_1d_timed", _ewma(rows_a_session), at_every_decision=True, told_the_time=True),
    ]
    left_out = []
    for package, listed in (("scikit-learn", _sklearn), ("skfolio", _skfolio)):
        try:
            found += listed()
        except ImportError:
            left_out.append(package)
    return found, tuple(left_out)


def _ewma(half_life_rows: float) -> Fit:
    def fit(rows: Floats) -> Floats:
        weights = 0.5 ** (np.arange(len(rows) - 1, -1, -1) / half_life_rows)
        covariance: Floats = (rows * (weights / weights.sum())[:, None]).T @ rows
        return covariance

    return fit


def _sklearn() -> Iterator[Peer]:
    module = import_module("sklearn.covariance")
    for name, kind in SKLEARN.items():
        yield Peer(name, _fitted(getattr(module, kind)), at_every_decision=True)


def _skfolio() -> Iterator[Peer]:
    module = import_module("skfolio.moments")
    for name, (kind, quick) in SKFOLIO.items():
        if hasattr(module, kind):
            yield Peer(name, _fitted(getattr(module, kind)), at_every_decision=quick)


def _fitted(kind: Callable[[], Any]) -> Fit:
    def fit(rows: Floats) -> Floats:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            covariance: Floats = np.asarray(kind().fit(rows).covariance_)
        return covariance

    return fit
