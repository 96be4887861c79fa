"""Limits of the user's own: a weighted sum of weights between two bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .arrays import Floats, freeze
from .errors import DataError
from .limits import Limit


@dataclass(frozen=True, slots=True, eq=False)
class LinearLimit:
    """low ≤ coefficientsᵀw ≤ high, as a user states it; w are weights, fractions of NAV.

    coefficients: an array or list (n,) in the order of the universe, or a dict or Series by symbol.
    They are at most 1000 in size, since a limit is kept to 1e-12 · (1 + |bound|). An infinite bound
    is none. `name` goes where limits are reported. Raises DataError naming the fault.
    """

    name: str
    coefficients: Any
    low: float
    high: float

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.strip()) or ":" in self.name:
            raise DataError(
                f"linear limit {self.name!r} needs a name, a text without a colon. Name it."
            )
        if self.name in Limit.__members__:
            raise DataError(
                f"linear limit {self.name} has the name of a limit of the mandate. Rename it."
            )
        if not self.low <= self.high or math.inf in (self.low, -self.high):
            raise DataError(
                f"linear limit {self.name} is from {self.low:g} to {self.high:g}: nothing is in "
                "between. Give low <= high."
            )
        if self.low == -math.inf and self.high == math.inf:
            raise DataError(f"linear limit {self.name} has no bound. Give low, high or both.")
        given = self.coefficients
        values = list(given.values()) if isinstance(given, Mapping) else given
        try:
            finite = bool(np.isfinite(np.asarray(values, dtype=np.float64)).all())
        except (TypeError, ValueError) as fault:
            raise DataError(
                f"coefficients of linear limit {self.name} hold something that is not a number: "
                f"{fault}."
            ) from fault
        if not finite:
            raise DataError(
                f"coefficients of linear limit {self.name} are not all finite. Put 0 for names "
                "that do not count."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """low ≤ coefficientsᵀw ≤ high, aligned: coefficients (n,) in the order of the problem."""

    name: str
    coefficients: Floats
    low: float
    high: float

    def __post_init__(self) -> None:
        freeze(self, "coefficients")

    def sides(self, value: float) -> Iterator[tuple[str, float, float]]:
        """(name, value, bound) of each side that is there, such that value ≤ bound keeps it.

        A row from −b to b is one side of its own name; the sides of others are "name:high", and
        "name:low" with both signs turned.
        """
        if self.low == -self.high:
            yield self.name, abs(value), self.high
            return
        if self.high < math.inf:
            yield f"{self.name}:high", value, self.high
        if self.low > -math.inf:
            yield f"{self.name}:low", -value, -self.low
