"""The compiled interior point (kernel/interior.hpp), for optima with many free names.

Its work hardly depends on how many names are free, where the active set's grows with each.
"""

from __future__ import annotations

from .. import compiled
from ..exact.program import Answer, Program

ACCURACY = 1e-6
"""Enough for the active set to finish in a few pivots."""


def interior(program: Program, accuracy: float = ACCURACY) -> Answer | None:
    """Weights and prices from inside the limits; None where it did not converge.

    `accuracy` of the duality gap, relative to 1 + |value|.
    """
    assert compiled.kernel is not None, "asked for only where the kernel was built"
    weights, prices, iterations, converged = compiled.kernel.interior(program, accuracy)
    return Answer(weights, prices, "interior point", iterations) if converged else None
