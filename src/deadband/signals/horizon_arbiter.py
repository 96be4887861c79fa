"""HorizonArbiter: many horizons become one score for this decision, and a term structure.

Each horizon's score speaks of a return that comes true with a half-life L of its own (decay.py); it
is brought to the shortest horizon D, and weighed by what following it leaves after cost:

1. A position is expected to be held T on average, so it gathers T / (τ + T) of all a score speaks
   of, τ = L / ln 2: what decays within the holding time is worth less (the aim portfolio of
   N. Gârleanu, L. H. Pedersen, Dynamic trading with predictable returns and transaction costs,
   J. Finance 68 (2013), weighs signals so).
2. A name that stands out by `TRADED_Z` earns IC·σ·TRADED_Z over its horizon (R. Grinold, R. Kahn,
   Active portfolio management, 2000), so E of it within T, and pays the round trip C once; of what
   it turns over, E / (E + C) is left.
3. A z counts by what it is expected to earn, a return by what of it is still to come.
Weights have the floor and the cap of models, and move as slowly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import SignalSettings
from ..core.reasons import Code
from ..core.skill import HorizonWeight
from .credit import FEW, PRIOR
from .decay import accrued
from .zoo_balancer import toward, within

TRADED_Z = 2.0
"""Scores of names that are traded stand out by about this many standard deviations."""
LEAST_SKILL = 0.1 * PRIOR
"""A horizon without skill keeps this much, so that its floor is shared and not void."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of a horizon: its skill (IC) from `outcomes`, and how long it lasts.

    `sigma_bps` typical over the horizon and `round_trip_bps`; NaN where not known.
    """

    horizon_min: float
    skill: float = PRIOR
    outcomes: float = 0.0
    half_life_min: float = np.nan
    sigma_bps: float = np.nan
    round_trip_bps: float = np.nan


@dataclass(frozen=True, slots=True)
class HorizonArbiter:
    """Weighs horizons by skill left after cost, each brought to the shortest one first."""

    settings: SignalSettings = SignalSettings()

    def weigh(
        self,
        outlooks: Sequence[Outlook],
        unit: str,
        holding_min: float,
        before: Mapping[float, float] | None = None,
        moved: float = 1.0,
    ) -> tuple[HorizonWeight, ...]:
        """The weight of each horizon, in the order of `outlooks`; they sum to one.

        `unit` of the scores: "z" or "return"; `holding_min` expected of the book. `before`: the
        weights that stood, from which they go the share `moved` of the way.
        """
        decision = min(one.horizon_min for one in outlooks)
        worth, earned = np.array([_worth(o, unit, holding_min, decision) for o in outlooks]).T
        equal = 1.0 / len(outlooks)
        floor = min(self.settings.weight_floor, 1.0) * equal
        cap = max(self.settings.weight_cap, equal)
        aim = within(worth / worth.sum(), floor, cap)
        stood = None
        if before is not None:
            stood = np.array([before.get(one.horizon_min, 0.0) for one in outlooks])
        final = aim if stood is None else within(toward(stood, aim, moved), floor, cap)
        return tuple(
            HorizonWeight(
                horizon_min=one.horizon_min,
                weight=float(w),
                aim=float(a),
                why=_why(one, float(e), alone=len(outlooks) == 1, bound=a in (floor, cap)),
                skill=one.skill,
                half_life_min=_half_life(one),
                holding_min=holding_min,
                earned_bps=float(e),
                paid_bps=one.round_trip_bps,
            )
            for one, w, a, e in zip(outlooks, final, aim, earned, strict=True)
        )

    def arbitrate(
        self,
        value: Floats,
        voice: Floats | Bools,
        horizon_min: Sequence[float],
        unit: str,
        weights: Sequence[HorizonWeight] = (),
    ) -> tuple[Floats, Bools, float]:
        """Parts (h, n) of the score from values (h, n), whom (n,) any speaks for, and its horizon.

        The parts sum to the score. `voice` (h, n) in [0, 1]: what age has left of each value, 0
        where there is none; the older weighs less. `unit` is "return" (fractions over each horizon)
        or "z". `weights` by horizon, equal where none are given.
        """
        decision = float(min(horizon_min))
        weight = np.array([one.weight for one in weights] or np.ones(len(horizon_min)))
        lives = [one.half_life_min for one in weights] or list(horizon_min)
        heard = voice * weight[:, None]
        loud = heard.sum(axis=0)
        spoken: Bools = loud > 0.0
        share = np.divide(heard, loud, out=np.zeros_like(heard), where=spoken)
        if unit == "return":
            brought = [
                accrued(decision, life) / accrued(h, life)
                for h, life in zip(horizon_min, lives, strict=True)
            ]
            share *= np.array(brought)[:, None]
        return np.where(heard > 0.0, value, 0.0) * share, spoken, decision


def _half_life(one: Outlook) -> float:
    return one.horizon_min if np.isnan(one.half_life_min) else one.half_life_min


def _worth(one: Outlook, unit: str, holding_min: float, decision_min: float) -> tuple[float, float]:
    """What a horizon's score is worth against the others', and what it earns in bps."""
    life = _half_life(one)
    gathered = holding_min / (life / np.log(2.0) + holding_min)
    reach = gathered / accrued(one.horizon_min, life)
    skill = max(one.skill, LEAST_SKILL)
    # What has not moved at all says nothing of how it will.
    sigma_bps = one.sigma_bps if one.sigma_bps > 0.0 else np.nan
    earned = skill * TRADED_Z * sigma_bps * reach
    net = earned / (earned + one.round_trip_bps)
    if np.isnan(net):
        net = 1.0
    if unit == "z":
        return skill * np.sqrt(one.horizon_min) * reach * net, earned
    return skill * gathered / accrued(decision_min, life) * net, earned


def _why(one: Outlook, earned_bps: float, *, alone: bool, bound: bool) -> Code:
    if alone:
        return Code.HORIZON_ALONE
    if earned_bps < one.round_trip_bps:
        return Code.HORIZON_COST
    if bound:
        return Code.HORIZON_BOUND
    return Code.HORIZON_RECORD if one.outcomes >= FEW else Code.HORIZON_NO_RECORD
