"""A model as the zoo knows it: what it states of itself, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.arrays import Floats
from ..core.features import Features


@dataclass(frozen=True, slots=True)
class Voice:
    """Fulfils ports.Model; `score` gives (n,) in the universe's order or numbers by symbol."""

    name: str
    version: str
    unit: str
    horizon_min: float
    needs: tuple[str, ...]
    score: Callable[[Features], Any]
    budget_ms: float = 1000.0


def by_row(
    predict: Callable[[Floats], Any], needs: tuple[str, ...]
) -> Callable[[Features], Floats]:
    """How a model of rows (n, k) → (n,) is asked; a name of which something is unknown is left out.

    Raises ValueError where the model gives more or fewer numbers than it was given rows.
    """

    def score(features: Features) -> Floats:
        rows = features.rows(needs).T
        whole = np.isfinite(rows).all(axis=1)
        scores = np.full(len(rows), np.nan)
        if whole.any():
            said = np.asarray(predict(rows[whole]), dtype=np.float64)
            if said.size != np.count_nonzero(whole):
                raise ValueError(f"{said.shape} numbers for {np.count_nonzero(whole)} rows")
            scores[whole] = said.ravel()
        return scores

    return score
