"""How much the models of one horizon say the same: rank correlations of their scores, averaged.

Two models that repeat each other are one opinion, not two. Their likeness is measured when one of
them votes, from all scores as they stand then: a cross-section tells it well, so the average
forgets as skill does but is known almost at once.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.seen import Scores
from ..core.session import SESSION_MIN, open_minutes
from ..core.skill import Likeness, Skill
from .ranks import mean_ranks
from .skill import FEWEST


def compare(
    skill: Skill, scores: Scores, usable: Bools, now: datetime, half_life_days: float
) -> tuple[Likeness, ...]:
    """The likeness of every horizon with several models, after the votes that were cast now."""
    before = {one.horizon_min: one for one in skill.alike}
    voted = {vote.model for vote in skill.votes if vote.at == now}
    found = []
    for horizon in sorted(set(scores.horizon_min)):
        rows = [m for m, h in enumerate(scores.horizon_min) if h == horizon]
        if len(rows) > 1:
            models = tuple(scores.models[m] for m in rows)
            one = _for_models(before.get(horizon), horizon, models, now)
            if not voted.isdisjoint(models):
                one = _updated(one, scores.value[rows], usable[rows], now, half_life_days)
            found.append(one)
    return tuple(found)


def _for_models(
    known: Likeness | None, horizon_min: float, models: tuple[str, ...], now: datetime
) -> Likeness:
    """What was known, for the models that are there now; a new one is like nobody."""
    if known is not None and known.models == models:
        return known
    rho, times = np.eye(len(models)), np.zeros((len(models),) * 2)
    if known is not None:
        here = [k for k, model in enumerate(models) if model in known.models]
        there = [known.models.index(models[k]) for k in here]
        rho[np.ix_(here, here)] = known.rho[np.ix_(there, there)]
        times[np.ix_(here, here)] = known.times[np.ix_(there, there)]
    return Likeness(horizon_min, models, rho, times, now if known is None else known.at)


def _updated(
    known: Likeness, value: Floats, usable: Bools, now: datetime, half_life_days: float
) -> Likeness:
    speaking = np.flatnonzero(usable.sum(axis=1) >= FEWEST)
    common = usable[speaking].all(axis=0)
    if len(speaking) < 2 or np.count_nonzero(common) < FEWEST:
        return known
    ranks = np.array([mean_ranks(row) for row in value[np.ix_(speaking, common)]])
    ranks -= 0.5 * (ranks.shape[1] + 1)
    size = np.sqrt((ranks**2).sum(axis=1))
    # A model that says the same of every name is like nobody.
    ranks = ranks / np.where(size > 0.0, size, 1.0)[:, None]
    kept = 0.5 ** (open_minutes(known.at, now) / (half_life_days * SESSION_MIN))
    rho, times = known.rho.copy(), kept * known.times
    pairs = np.ix_(speaking, speaking)
    times[pairs] += 1.0
    rho[pairs] += (ranks @ ranks.T - rho[pairs]) / times[pairs]
    np.fill_diagonal(rho, 1.0)
    return Likeness(known.horizon_min, known.models, rho, times, now)
