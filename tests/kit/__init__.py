"""Builders with sensible defaults: a quiet market at 10:00 in New York, and a flat book.

Columns (n,) are given as a scalar for everyone, a mapping by symbol over the default, or in full.
"""

from .corridor import decided, permitted, proposed, walk
from .inputs import (
    NAV,
    NOW,
    PRICE,
    clock,
    column,
    market,
    portfolio,
    scores,
    seen,
    settings,
    state,
    symbols,
    universe,
)
from .orders import fill, order, report, working
from .problems import codes, decision, problem, structure

__all__ = [
    "NAV",
    "NOW",
    "PRICE",
    "clock",
    "codes",
    "column",
    "decided",
    "decision",
    "fill",
    "market",
    "order",
    "permitted",
    "portfolio",
    "problem",
    "proposed",
    "report",
    "scores",
    "seen",
    "settings",
    "state",
    "structure",
    "symbols",
    "universe",
    "walk",
    "working",
]
