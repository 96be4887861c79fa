"""The room's verb: stale scores are dropped, models balanced, horizons arbitrated.

1. What is too old, missing or not finite loses its vote.
2. Votes whose time is up are judged; only then, or when models come and go, do weights move.
3. Scores are brought to one unit, and count by what age has left of them.
4. Models of one horizon are balanced, and horizons arbitrated.
"""

from __future__ import annotations

import numpy as np

from ..core.config import SignalSettings
from ..core.reasons import Code
from ..core.seen import NEVER_S, Codes, Seen
from ..core.types import RiskModel, Signal, State
from .decay import freshness
from .horizon_arbiter import HorizonArbiter
from .skill import learn
from .unit import common_unit, in_one_unit
from .weighing import Scene, weighed
from .zoo_balancer import ZooBalancer


def merge(seen: Seen, state: State, risk: RiskModel, settings: SignalSettings) -> Signal:
    """One score per name from the models that are present, finite and fresh for it.

    A name that no model speaks for carries the defect of its first model. Scores of several units
    need a σ.
    """
    scores, market = seen.scores, seen.market
    unit = common_unit(scores.unit)
    stale = scores.age_s >= settings.max_score_age_min * 60.0
    defect = np.where((scores.defect == 0) & stale, Code.DATA_STALE_SCORE.number, scores.defect)
    usable = defect == 0
    skill = learn(state.skill, scores, usable, market, settings)
    if skill is not state.skill or not skill.weights:
        skill = weighed(skill, usable, Scene(seen, state, risk, settings))
    lives = {one.horizon_min: one.half_life_min for one in skill.horizons}
    by_model = {one.model: one for one in skill.weights}
    weights = [by_model[model] for model in scores.models]
    value = in_one_unit(scores, usable, [one.skill for one in weights], risk)
    fresh = freshness(
        scores.age_s,
        np.array([lives[h] for h in scores.horizon_min]),
        market.bar_min,
        settings.max_score_age_min,
    )
    weight = np.array([one.weight for one in weights])
    models = np.array(scores.horizon_min)
    balancer = ZooBalancer(settings)
    balanced = [
        balancer.balance(value[here], usable[here], weight[here], fresh[here])
        for here in (models == one.horizon_min for one in skill.horizons)
    ]
    parts, spoken, horizon = HorizonArbiter(settings).arbitrate(
        np.array([score for score, _ in balanced]),
        np.array([voice for _, voice in balanced]),
        tuple(lives),
        unit,
        skill.horizons,
    )
    age = np.where(usable, scores.age_s, -np.inf).max(axis=0)
    return Signal(
        score=parts.sum(axis=0),
        age_s=np.where(spoken, age, NEVER_S),
        defect=np.where(spoken, 0, _silent(defect[0])).astype(np.int16),
        unit=unit,
        horizon_min=horizon,
        parts=parts if len(parts) > 1 else parts[:0],
        skill=skill,
    )


def _silent(first: Codes) -> Codes:
    """Defects (n,) of names nobody speaks for: the first model's, or that age has left nothing."""
    return np.where(first > 0, first, Code.DATA_STALE_SCORE.number)
