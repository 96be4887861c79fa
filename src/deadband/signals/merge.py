"""The room's verb: stale scores are dropped, models balanced, horizons arbitrated."""

from __future__ import annotations

import numpy as np

from ..core.config import SignalSettings
from ..core.errors import DataError
from ..core.reasons import Code
from ..core.seen import NEVER_S, Market, Scores
from ..core.skill import ModelWeight, Skill
from ..core.types import Signal
from .horizon_arbiter import HorizonArbiter
from .skill import learn
from .zoo_balancer import ZooBalancer


def merge(scores: Scores, market: Market, skill: Skill, settings: SignalSettings) -> Signal:
    """One score per name from the models that are present, finite and fresh for it.

    A name that no model speaks for carries the defect of its first model. Models must share one
    unit; their horizons may differ. `skill`: what was known of the models before this cycle.
    """
    unit = _one_unit(scores)
    stale = scores.age_s > settings.max_score_age_min * 60.0
    defect = np.where((scores.defect == 0) & stale, Code.DATA_STALE_SCORE.number, scores.defect)
    usable = defect == 0
    horizons = tuple(sorted(set(scores.horizon_min)))
    models = np.array(scores.horizon_min)
    skill = learn(skill, scores, usable, market, settings)
    weights = _weights(scores, skill, settings)
    weight = np.array([one.weight for one in weights])
    balancer = ZooBalancer(settings)
    balanced = [
        balancer.balance(scores.value[models == h], usable[models == h], weight[models == h])
        for h in horizons
    ]
    score, spoken, horizon_min = HorizonArbiter().arbitrate(
        np.array([one for one, _ in balanced]),
        np.array([voted for _, voted in balanced]),
        horizons,
        unit,
    )
    age = np.where(usable, scores.age_s, -np.inf).max(axis=0, initial=-np.inf)
    return Signal(
        score=score,
        age_s=np.where(spoken, age, NEVER_S),
        defect=np.where(spoken, 0, defect[0]).astype(np.int16),
        unit=unit,
        horizon_min=horizon_min,
        weights=weights,
        skill=skill,
    )


def _weights(scores: Scores, skill: Skill, settings: SignalSettings) -> tuple[ModelWeight, ...]:
    """What each model weighs among those of its horizon, in the order of `scores.models`."""
    balancer = ZooBalancer(settings)
    weighed: dict[str, ModelWeight] = {}
    for horizon in set(scores.horizon_min):
        tracks = [track for track in skill.tracks if track.horizon_min == horizon]
        weighed |= {one.model: one for one in balancer.weigh(tracks)}
    return tuple(weighed[model] for model in scores.models)


def _one_unit(scores: Scores) -> str:
    units = sorted(set(scores.unit))
    if len(units) != 1:
        raise DataError(
            f"{len(scores.models)} models give scores in {' and '.join(units) or 'no unit'}. "
            "Give them all as z, or all as expected returns."
        )
    return units[0]
