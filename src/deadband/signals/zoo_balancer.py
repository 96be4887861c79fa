"""ZooBalancer: many models of one horizon become one score per name, each by its proven skill.

Models weigh by the skill that their records bear out (credit.py), so far as it is their own:

    weight ∝ C⁻¹ skill, C = (R + 1)/2

1. R are the rank correlations of the models' scores, shrunk half way to none: models that repeat
   each other share a weight. No weight is negative.
2. Weights are kept within floor and cap, and move to where they should be only so fast: they
   minimize |w − aim|² + φ|w − before|².
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import SignalSettings
from ..core.reasons import Code
from ..core.skill import ModelWeight, Track
from .credit import credited

APART = 0.5
"""How far the likeness of models is shrunk to none."""
TELLING = 0.1
"""Share of a weight given up to likeness from which that is the reason told."""
NEXT_TO_NOTHING = 1e-9
"""A share of nothing still takes what others may not have."""


@dataclass(frozen=True, slots=True)
class ZooBalancer:
    """Weighs models by their records, shrunk to equal weights by evidence."""

    settings: SignalSettings = SignalSettings()

    def weigh(
        self,
        tracks: Sequence[Track],
        rho: Floats | None = None,
        before: Mapping[str, float] | None = None,
        moved: float = 1.0,
    ) -> tuple[ModelWeight, ...]:
        """The weight of each model, in the order of `tracks`; they sum to one.

        `rho` (m, m): rank correlations of the models' scores, none without. `before`: the weights
        that stood, from which they go the share `moved` of the way. No weight is below
        `weight_floor` of the equal one, nor above `weight_cap`, unless there are too few models
        for that.
        """
        weights = credited(tracks, self.settings)
        skill = np.maximum([one.skill for one in weights], 0.0)
        if len(tracks) < 2:
            return tuple(replace(w, weight=1.0, aim=1.0, why=Code.WEIGHT_ALONE) for w in weights)
        likeness = np.eye(len(tracks)) if rho is None else (1.0 - APART) * rho
        np.fill_diagonal(likeness, 1.0)
        share = _of_its_own(likeness, skill)
        return self._bounded(weights, skill, share, before, moved)

    def _bounded(
        self,
        weights: Sequence[ModelWeight],
        skill: Floats,
        share: Floats,
        before: Mapping[str, float] | None,
        moved: float,
    ) -> tuple[ModelWeight, ...]:
        equal = 1.0 / len(weights)
        floor = min(self.settings.weight_floor, 1.0) * equal
        cap = max(self.settings.weight_cap, equal)
        aim = within(_parts(share), floor, cap)
        stood = None if before is None else np.array([before.get(w.model, 0.0) for w in weights])
        final = aim if stood is None else within(toward(stood, aim, moved), floor, cap)
        shared = 1.0 - np.minimum(1.0, _parts(share) / np.maximum(_parts(skill), NEXT_TO_NOTHING))
        return tuple(
            replace(
                one,
                weight=float(w),
                aim=float(a),
                alike=float(alike),
                why=_bound_of(a, floor, cap) or _told(one, float(alike)),
            )
            for one, w, a, alike in zip(weights, final, aim, shared, strict=True)
        )

    def balance(
        self,
        value: Floats,
        usable: Bools,
        weight: Floats | None = None,
        fresh: Floats | None = None,
    ) -> tuple[Floats, Floats]:
        """Score (n,) from values (m, n), and what age has left of it (n,), 0 where nobody spoke.

        `weight` (m,) > 0, equal where none is given; of a name's models only those that are usable
        for it share them. `fresh` (m, n) in [0, 1], all new where none is given: a vote that age
        has left half of says half as much, and weighs half as much.
        """
        heard = usable * (np.ones(len(value)) if weight is None else weight)[:, None]
        voice = heard if fresh is None else heard * fresh
        loud, full = voice.sum(axis=0), heard.sum(axis=0)
        spoken: Bools = loud > 0.0
        said = np.where(usable, value, 0.0) if fresh is None else np.where(usable, value * fresh, 0)
        nothing = np.zeros(len(spoken))
        score = np.divide((said * voice).sum(axis=0), loud, out=nothing.copy(), where=spoken)
        return score, np.divide(loud, full, out=nothing, where=spoken)


def _told(one: ModelWeight, alike: float) -> Code:
    return Code.WEIGHT_ALIKE if alike >= TELLING and one.why is Code.WEIGHT_RECORD else one.why


def _bound_of(weight: float, floor: float, cap: float) -> Code | None:
    if weight == floor:
        return Code.WEIGHT_FLOOR
    return Code.WEIGHT_CAP if weight == cap else None


def _parts(share: Floats) -> Floats:
    """Shares (m,) ≥ 0 of a sum of one; equal where there is nothing to share."""
    total = float(share.sum())
    parts: Floats = share / total if total > 0.0 else np.full(len(share), 1.0 / len(share))
    return parts


def _of_its_own(likeness: Floats, skill: Floats) -> Floats:
    """C⁻¹·skill (m,), least skill left out until no share is negative."""
    share = np.zeros(len(skill))
    heard = skill > 0.0
    while heard.any():
        share[:] = 0.0
        share[heard] = np.linalg.solve(likeness[np.ix_(heard, heard)], skill[heard])
        if (share[heard] > 0.0).all():
            break
        heard &= share > 0.0
    return np.maximum(share, 0.0)


def toward(before: Floats, aim: Floats, moved: float) -> Floats:
    """Weights (m,) on their way: argmin |w − aim|² + φ|w − before|², 1/(1 + φ) being `moved`.

    What stood is taken in proportion among those that are still there.
    """
    if not before.sum() > 0.0:
        return aim
    stood = before / before.sum()
    weights: Floats = stood + moved * (aim - stood)
    return weights


def within(share: Floats, floor: float, cap: float) -> Floats:
    """Shares (m,) ≥ 0 in proportion, but none outside [floor, cap], summing to one.

    clip(t·share, floor, cap) at the t that makes the sum one: it rises with t, straight between the
    places where a share meets a bound.
    """
    share = np.maximum(share, NEXT_TO_NOTHING)
    bends = np.sort(np.concatenate([floor / share, cap / share]))
    sums = np.clip(bends[:, None] * share, floor, cap).sum(axis=1)
    shares: Floats = np.clip(np.interp(1.0, sums, bends) * share, floor, cap)
    return shares
