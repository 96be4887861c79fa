"""Programs without risk, by HiGHS on a few names at a time: an optimal vertex."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...core.arrays import Bools
from ..exact.program import Answer, Program
from ..exact.segments import Segments, bends_of, segments_of
from .polish import polished
from .sift import sifted
from .vertex import vertex_along


def linear_optimum(program: Program) -> Answer | None:
    """An optimal vertex of a program without risk (its risk term is not read), exact to rounding.

    None where no weights keep the limits. Work is HiGHS' iterations in all.
    """
    program = replace(program, risk_weight=0.0, correlation=None)
    bends = bends_of(program)
    segments = segments_of(program, bends)
    found = sifted(program, bends, segments, None, vertex_along, _all_others)
    return None if found is None else polished(program, bends, replace(found, method="linear"))


def _all_others(_program: Program, _segments: Segments, chosen: Bools) -> Bools:
    """Any names may be what the limits need."""
    others: Bools = np.logical_not(chosen)
    return others
