"""ZooBalancer: many models of one horizon become one score per name, each by its proven skill.

A model's skill is the rank correlation (IC) of its scores with the returns that followed, measured
live (skill.py). Measured ICs differ by chance too, so only as much of a difference counts as the
models' records bear out:

    weight_m ∝ max(0, skill_m),   k_m = τ² / (τ² + error_m²)
    skill_m = max(mean, PRIOR) + k_m (IC_m − mean) − (drag_m − mean drag)

τ², the variance of true skill between models, and the mean are those of R. DerSimonian, N. Laird,
Meta-analysis in clinical trials, Controlled Clinical Trials 7 (1986). Without evidence τ² is 0 and
weights are equal. A book in proportion to normal scores earns IC·σ·√(π/2) per unit of gross in a
horizon and trades √(2(1 − ρ)) of it where ρ of the scores is left; so drag_m is that turnover times
half the spread over σ√(π/2), times `churn_penalty`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import SignalSettings
from ..core.reasons import Code
from ..core.skill import ModelWeight, Track

PRIOR = 0.02
"""IC that a model is given credit for before it has a record: an honest intraday model's."""
FEW = 3.0
"""Outcomes below which a record says nothing."""
EARNED = np.sqrt(np.pi / 2.0)
"""Mean z² over mean |z| of normal scores."""
NEXT_TO_NOTHING = 1e-9
"""A share of nothing still takes what others may not have."""


@dataclass(frozen=True, slots=True)
class ZooBalancer:
    """Weighs models by their records, shrunk to equal weights by evidence."""

    settings: SignalSettings = SignalSettings()

    def weigh(self, tracks: Sequence[Track]) -> tuple[ModelWeight, ...]:
        """The weight of each model, in the order of `tracks`; they sum to one.

        No weight is below `weight_floor` of the equal one, nor above `weight_cap`, unless there are
        too few models for that.
        """
        if len(tracks) == 1:
            return (replace(_first(tracks[0], Code.WEIGHT_ALONE), weight=1.0),)
        weights = [_first(track, Code.WEIGHT_NO_RECORD) for track in tracks]
        told = [m for m, track in enumerate(tracks) if track.shares >= FEW]
        if len(told) < 2:
            return tuple(replace(one, weight=1.0 / len(tracks)) for one in weights)
        ic = np.array([weights[m].ic for m in told])
        error = np.array([weights[m].error for m in told])
        tau_square, mean = between(ic, error)
        trusted = tau_square / (tau_square + error**2)
        drag = np.array([_drag(tracks[m]) for m in told]) * self.settings.churn_penalty
        drag -= drag.mean()
        skill = np.full(len(tracks), max(mean, PRIOR))
        skill[told] += trusted * (ic - mean) - drag
        for place, m in enumerate(told):
            weights[m] = replace(
                weights[m],
                why=Code.WEIGHT_RECORD,
                trusted=float(trusted[place]),
                drag=float(drag[place]),
            )
        return self._bounded(weights, np.maximum(skill, 0.0))

    def _bounded(self, weights: Sequence[ModelWeight], skill: Floats) -> tuple[ModelWeight, ...]:
        equal = 1.0 / len(weights)
        share = skill / skill.sum() if skill.sum() > 0.0 else np.full(len(skill), equal)
        floor = min(self.settings.weight_floor, 1.0) * equal
        cap = max(self.settings.weight_cap, equal)
        final = within(share, floor, cap)
        return tuple(
            replace(one, weight=float(w), why=_bound_of(w, floor, cap) or one.why)
            for one, w in zip(weights, final, strict=True)
        )

    def balance(
        self, value: Floats, usable: Bools, weight: Floats | None = None
    ) -> tuple[Floats, Bools]:
        """Score (n,) from values (m, n), and which names (n,) any model spoke for; 0 elsewhere.

        `weight` (m,) > 0, equal where none is given; of a name's models only those that are usable
        for it share them.
        """
        voice = usable * (np.ones(len(value)) if weight is None else weight)[:, None]
        heard = voice.sum(axis=0)
        spoken: Bools = heard > 0.0
        total = np.where(usable, value, 0.0) * voice
        return np.divide(total.sum(axis=0), heard, out=np.zeros(len(heard)), where=spoken), spoken


def _bound_of(weight: float, floor: float, cap: float) -> Code | None:
    if weight == floor:
        return Code.WEIGHT_FLOOR
    return Code.WEIGHT_CAP if weight == cap else None


def _first(track: Track, why: Code) -> ModelWeight:
    """A model's record as it stands, weighed by nothing yet."""
    ic = error = np.nan
    if track.shares > 0.0:
        ic = track.ic / track.shares
        # Never less than chance alone would scatter it.
        variance = max(track.ic_square / track.shares - ic**2, track.chance / track.shares)
        error = float(np.sqrt(variance / track.shares))
    return ModelWeight(
        model=track.model,
        horizon_min=track.horizon_min,
        weight=0.0,
        why=why,
        ic=ic,
        error=error,
        outcomes=track.shares,
        trusted=0.0,
        drag=0.0,
    )


def _drag(track: Track) -> float:
    """What following a model's changes costs over one horizon, in units of IC."""
    if track.steady_shares == 0.0:
        return 0.0
    turnover = np.sqrt(2.0 * max(0.0, 1.0 - track.steady / track.steady_shares))
    return float(turnover * track.cost / track.shares / EARNED)


def between(ic: Floats, error: Floats) -> tuple[float, float]:
    """Variance of true skill between models (k,), at least 0, and their mean by its light.

    The moment estimator of DerSimonian and Laird.
    """
    precision = 1.0 / error**2
    common = float(precision.dot(ic) / precision.sum())
    scatter = float(precision.dot((ic - common) ** 2))
    spread = float(precision.sum() - (precision**2).sum() / precision.sum())
    tau_square = max(0.0, (scatter - (len(ic) - 1)) / spread)
    precision = 1.0 / (tau_square + error**2)
    return tau_square, float(precision.dot(ic) / precision.sum())


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
