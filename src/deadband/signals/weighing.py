"""What votes weigh from here on: of models among those of their horizon, and of horizons.

Weights change only when a vote is judged, or models come and go; in between they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.arrays import Bools, median
from ..core.config import SignalSettings
from ..core.seen import Seen
from ..core.session import open_minutes
from ..core.skill import HorizonWeight, ModelWeight, Pace, Skill, Track
from ..core.types import RiskModel, State
from ..core.units import BPS
from .alike import compare
from .decay import half_life
from .horizon_arbiter import HorizonArbiter, Outlook
from .pace import follow, gross, holding_min
from .unit import common_unit
from .zoo_balancer import ZooBalancer


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What a cycle sees and remembers, as far as weights ask for it."""

    seen: Seen
    state: State
    risk: RiskModel
    settings: SignalSettings


def weighed(skill: Skill, usable: Bools, scene: Scene) -> Skill:
    """The record with the likeness of models and the weights that follow from it.

    `usable` (m, n) says which scores speak.
    """
    before, now, settings = scene.state.skill.pace, scene.seen.now, scene.settings
    alike = compare(skill, scene.seen.scores, usable, now, settings.skill_half_life_days)
    skill = replace(skill, alike=alike)
    if skill.weights and _nothing_judged(skill, scene.state.skill):
        return skill
    moved = 1.0
    if before is not None:
        moved = 1.0 - 0.5 ** (open_minutes(before.at, now) / settings.weight_half_life_min)
    skill = replace(skill, weights=_of_models(skill, moved, settings))
    pace = follow(before, scene.seen, scene.state)
    return replace(skill, pace=pace, horizons=_of_horizons(skill, pace, moved, scene))


def _nothing_judged(skill: Skill, before: Skill) -> bool:
    """Whether the same models have the same outcomes as before."""
    ours = [(track.model, track.horizon_min, track.shares) for track in skill.tracks]
    return ours == [(track.model, track.horizon_min, track.shares) for track in before.tracks]


def _by_horizon(skill: Skill) -> dict[float, list[Track]]:
    found: dict[float, list[Track]] = {}
    for track in sorted(skill.tracks, key=lambda track: track.horizon_min):
        found.setdefault(track.horizon_min, []).append(track)
    return found


def _of_models(skill: Skill, moved: float, settings: SignalSettings) -> tuple[ModelWeight, ...]:
    balancer = ZooBalancer(settings)
    found: list[ModelWeight] = []
    alike = {one.horizon_min: one for one in skill.alike}
    for horizon, tracks in _by_horizon(skill).items():
        rho = None
        if horizon in alike and alike[horizon].models == tuple(track.model for track in tracks):
            rho = alike[horizon].rho
        stood = {w.model: w.weight for w in skill.weights if w.horizon_min == horizon}
        found += balancer.weigh(tracks, rho, stood, moved)
    return tuple(found)


def _of_horizons(skill: Skill, pace: Pace, moved: float, scene: Scene) -> tuple[HorizonWeight, ...]:
    market, risk = scene.seen.market, scene.risk
    spread = market.spread_bps
    # Half the spread on the way in, half on the way out.
    round_trip = median(spread[spread > 0.0])
    outlooks = []
    for horizon, tracks in _by_horizon(skill).items():
        of = [one for one in skill.weights if one.horizon_min == horizon]
        sigma = risk.sigma_over(horizon)
        outlooks.append(
            Outlook(
                horizon_min=horizon,
                skill=sum(one.weight * max(one.skill, 0.0) for one in of),
                outcomes=max(one.outcomes for one in of),
                half_life_min=half_life(tracks, horizon, market.bar_min),
                sigma_bps=np.nan if sigma is None else median(sigma) / BPS,
                round_trip_bps=round_trip,
            )
        )
    lives = [one.half_life_min for one in outlooks]
    stood = {one.horizon_min: one.weight for one in skill.horizons}
    return HorizonArbiter(scene.settings).weigh(
        outlooks,
        common_unit(scene.seen.scores.unit),
        holding_min(pace, gross(scene.seen), lives, market.bar_min),
        stood,
        moved,
    )
