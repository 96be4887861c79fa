"""The user's own linear limits and factor exposures as rows of the problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ..core import align
from ..core.arrays import Floats, highest, lowest
from ..core.errors import DataError
from ..core.rows import LinearLimit, Row

FACTOR = "FACTOR"
LARGEST = 1e3
"""Beyond this the last bits of weights pass a bound by more than limits are kept to."""


def own_rows(
    limits: Sequence[LinearLimit], exposures: Any, tolerance: float, symbols: Sequence[str]
) -> tuple[Row, ...]:
    """Linear limits, then |exposureᵀw| ≤ tolerance as "FACTOR:<name>" of each factor.

    exposures: mapping of names to vectors (n,), a DataFrame by symbol, or None. Raises DataError,
    ShapeError or MissingError naming the limit and the symbol at fault.
    """
    if not limits and exposures is None:
        return ()
    for limit in limits:
        if not isinstance(limit, LinearLimit):
            raise DataError(
                f"linear_limits holds a {type(limit).__name__}. Give deadband.LinearLimit."
            )
    twice = [name for name, times in Counter(limit.name for limit in limits).items() if times > 1]
    if twice:
        raise DataError(f"linear_limits has {twice[0]} more than once. Give each its own name.")
    rows = [
        Row(limit.name, _vector(limit.coefficients, limit.name, symbols), limit.low, limit.high)
        for limit in limits
    ]
    return (*rows, *_factors(exposures, tolerance, symbols))


def _factors(exposures: Any, tolerance: float, symbols: Sequence[str]) -> list[Row]:
    if exposures is None:
        return []
    if not hasattr(exposures, "items"):
        raise DataError(
            f"factor_exposures is a {type(exposures).__name__}. Give a dict of vectors by factor."
        )
    if not tolerance >= 0.0:
        raise DataError(f"factor_tolerance is {tolerance:g}, expected at least 0. Correct it.")
    named = [(f"{FACTOR}:{factor}", values) for factor, values in exposures.items()]
    return [
        Row(name, _vector(values, name, symbols), -tolerance, tolerance) for name, values in named
    ]


def _vector(values: Any, name: str, symbols: Sequence[str]) -> Floats:
    coefficients = align.vector(values, symbols, f"coefficients of {name}")
    if max(highest(coefficients), -lowest(coefficients)) > LARGEST:
        i = int(abs(coefficients).argmax())
        raise DataError(
            f"coefficient of {name} for {symbols[i]} is {coefficients[i]:g}, expected at most "
            f"{LARGEST:g} in size. Divide coefficients and bounds by the same number."
        )
    return coefficients
