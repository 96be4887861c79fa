"""What was measured of each name at an instant: the numbers that models read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from .arrays import Floats, freeze
from .errors import MissingError, ShapeError
from .seen import Universe


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Features of all names at `asof` (aware UTC), from bars that had ended by then.

    value (k, n) in the order of `names` and of the universe; NaN where a feature is not known.
    """

    universe: Universe
    asof: datetime
    names: tuple[str, ...]
    value: Floats

    def __post_init__(self) -> None:
        wanted = (len(self.names), len(self.universe))
        if np.shape(self.value) != wanted:
            raise ShapeError(f"Features.value has shape {np.shape(self.value)}, expected {wanted}.")
        freeze(self, "value")

    def rows(self, names: tuple[str, ...]) -> Floats:
        """The named features (len(names), n); MissingError lists those that are not measured."""
        absent = [name for name in names if name not in self.names]
        if absent:
            raise MissingError(
                f"features {', '.join(absent)} are not measured; known: {', '.join(self.names)}."
            )
        chosen: Floats = self.value[[self.names.index(name) for name in names]]
        return chosen
