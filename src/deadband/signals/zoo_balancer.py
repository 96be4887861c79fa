"""ZooBalancer: many models of one horizon become one score per name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..core.arrays import Bools, Floats


@dataclass(frozen=True, slots=True)
class ZooBalancer:
    """Equal weights over the models that have a usable score for a name.

    Equal weights are what evidence has to beat: nothing is assumed of any model's skill.
    """

    def balance(self, value: Floats, usable: Bools) -> tuple[Floats, Bools]:
        """Score (n,) from values (m, n), and which names (n,) any model spoke for; 0 elsewhere."""
        votes = usable.sum(axis=0)
        spoken: Bools = votes > 0
        total = np.where(usable, value, 0.0).sum(axis=0)
        return np.divide(total, votes, out=np.zeros(value.shape[1]), where=spoken), spoken
