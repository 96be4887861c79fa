"""How fast a score goes stale: the half-life of skill from its record, and what age leaves of it.

1. Skill is taken to decay exponentially (N. Gârleanu, L. H. Pedersen, Dynamic trading with
   predictable returns and transaction costs, J. Finance 68 (2013)): of all the return that a score
   speaks of, 1 − 2^(−t/L) has come true after t minutes. L is the half-life.
2. So the IC with the return from lag a to lag b is in proportion to
   (2^(−a/L) − 2^(−b/L)) / √(b − a). Half-lives from a quarter of the horizon to four of them are
   weighed by how well they fit the ICs at `LAGS`, each model with a size of its own, and by a prior
   around the horizon itself; the half-life is their mean on the scale of logarithms. Without a
   record it is the horizon.
3. A score of age t counts 2^(−t/L), and is led smoothly to zero over the second half of
   `max_score_age_min`, where it ends. Within one bar of having been made it is as new as it can be.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import ceil

import numpy as np

from ..core.arrays import Floats
from ..core.skill import LAGS, Track

OCTAVES = np.linspace(-2.0, 2.0, 17)
"""Half-lives that are weighed, as powers of two of the horizon."""
PRIOR_OCTAVES = 1.0
"""Standard deviation of the prior around the horizon."""


@lru_cache
def lag_minutes(horizon_min: float, bar_min: float) -> tuple[float, ...]:
    """When a vote is looked at: `LAGS` of its horizon in minutes, up to whole bars."""
    return tuple(ceil(lag * horizon_min / bar_min - 1e-9) * bar_min for lag in LAGS)


def half_life(tracks: Sequence[Track], horizon_min: float, bar_min: float) -> float:
    """Minutes after which half of what the models of one horizon know has come true."""
    ends = np.array(lag_minutes(horizon_min, bar_min))
    starts = np.concatenate([[0.0], ends[:-1]])
    lasting = np.where(ends > starts, ends - starts, 1.0)
    lives = horizon_min * 2.0**OCTAVES
    shape = (left(starts, lives) - left(ends, lives)) / np.sqrt(lasting)
    fit = -0.5 * (OCTAVES / PRIOR_OCTAVES) ** 2
    for track in tracks:
        if track.shares > 0.0:
            # Each share of an outcome has the variance of chance.
            per_share = track.shares / track.chance
            shares = per_share * np.array(track.lag_shares)
            told = per_share * np.array(track.lag_ic)
            # Least squares for the size of the IC, which is not below zero, at each half-life.
            size = np.maximum(shape @ told, 0.0)
            fit += 0.5 * size**2 / np.maximum(shape**2 @ shares, 1e-300)
    likely = np.exp(fit - fit.max())
    return float(horizon_min * 2.0 ** (likely.dot(OCTAVES) / likely.sum()))


def left(minutes: Floats, lives: Floats) -> Floats:
    """What is left (lives, minutes) after each time at each half-life."""
    share: Floats = 2.0 ** (-np.asarray(minutes) / np.asarray(lives)[:, None])
    return share


def accrued(minutes: float, half_life_min: float) -> float:
    """The share of all that a score speaks of that comes true within `minutes`."""
    return float(1.0 - 2.0 ** (-minutes / half_life_min))


def freshness(age_s: Floats, half_life_min: Floats, bar_min: float, longest_min: float) -> Floats:
    """What age leaves of each score (m, n): 1 of a new one, 0 from `longest_min` on.

    half_life_min (m,) by model; `bar_min`: the age up to which a score is new.
    """
    age = age_s / 60.0
    waited = np.maximum(age - min(bar_min, 0.5 * longest_min), 0.0)
    late = np.clip(2.0 * age / longest_min - 1.0, 0.0, 1.0)
    fresh: Floats = 2.0 ** (-waited / half_life_min[:, None]) * (1.0 - late**2 * (3.0 - 2.0 * late))
    return fresh
