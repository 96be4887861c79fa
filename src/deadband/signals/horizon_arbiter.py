"""HorizonArbiter: many horizons become one score for this decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arrays import Bools, Floats


@dataclass(frozen=True, slots=True)
class HorizonArbiter:
    """Equal weights over horizons, each brought to the shortest one first.

    An expected return is taken to accrue evenly over its horizon, so h minutes' worth of it is
    h / horizon of the whole. A z is free of its horizon and stays as it is.
    """

    def arbitrate(
        self, value: Floats, usable: Bools, horizon_min: tuple[float, ...], unit: str
    ) -> tuple[Floats, Bools, float]:
        """Score (n,) from values (h, n), which names (n,) it speaks for, and its horizon.

        `unit` is "return" (fractions over each horizon) or "z".
        """
        horizons = np.array(horizon_min)
        decision = float(horizons.min())
        share = decision / horizons if unit == "return" else np.ones(len(horizons))
        votes = usable.sum(axis=0)
        spoken: Bools = votes > 0
        total = np.where(usable, value * share[:, None], 0.0).sum(axis=0)
        score = np.divide(total, votes, out=np.zeros(value.shape[1]), where=spoken)
        return score, spoken, decision
