"""Splits told from prices alone: a night that multiplied a price by a simple ratio moved nobody."""

from __future__ import annotations

import numpy as np

from .arrays import Floats, median

WHOLE = (*range(2, 11), 12, 15, 20, 25, 30, 40, 50, 75, 100)
"""New shares for one old one, and old shares for one new one."""
BROKEN = (1.5, 2.5)
"""Three for two and five for two. Five for four and four for three are left out: a bad earnings
report looks the same."""
TOLERANCE, WIDE_TOLERANCE, WIDE_FROM = 0.03, 0.08, 8.0
"""How far |log| of open·ratio / prior close may be from the market's move: what a name moves on a
usual night. Nothing but a corporate action multiplies a price by 8, so from there on more is let
pass."""
ORDINARY = 0.25
"""Names whose |log| move is below this say what the market did."""

_RATIOS = np.array([1.0 / r for r in (*WHOLE, *BROKEN)] + [*WHOLE, *BROKEN])
_LOG_RATIOS = np.log(_RATIOS)
_TOLERANCES = np.where(np.abs(_LOG_RATIOS) >= np.log(WIDE_FROM) - 1e-9, WIDE_TOLERANCE, TOLERANCE)


def split_ratio(prior_close: Floats, open_: Floats) -> Floats:
    """New shares per old one (n,) that explain the night: 2.0 where a price halved, else 1.0.

    prior_close, open_ (n,) USD, NaN or 0 where not known: such a name has 1.0. The median move of
    the names that moved ordinarily is taken out first, so a night on which all fell 6 % hides no
    split and makes none. Prices say no more than this: a fall by half on bad news is taken for a
    split too, and a spin-off is found only where its ratio happens to be simple.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        move = np.log(prior_close / open_)
    known = np.isfinite(move)
    ratio = np.ones(len(move))
    beyond = known & (np.abs(move) >= ORDINARY)
    if beyond.any():
        usual = median(move[known & ~beyond])
        alone = move[beyond] - (0.0 if np.isnan(usual) else usual)
        distance = np.abs(alone[:, None] - _LOG_RATIOS)
        # A ratio with a wide tolerance must not take a move that is nearer to another.
        nearest = distance.argmin(axis=1)
        near = distance[np.arange(len(alone)), nearest] <= _TOLERANCES[nearest]
        ratio[beyond] = np.where(near, _RATIOS[nearest], 1.0)
    return ratio
