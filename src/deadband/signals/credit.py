"""The skill that a model's record bears out: its IC, shrunk to the models' mean by evidence.

    skill_m = prior + k₀ (mean − prior) + k_m (IC_m − mean) − (drag_m − mean drag)
    k_m = τ² / (τ² + error_m²),  k₀ = prior² / (prior² + error of the mean²)

1. τ², the variance of true skill between models, and the mean are those of R. DerSimonian,
   N. Laird, Meta-analysis in clinical trials, Controlled Clinical Trials 7 (1986). Without evidence
   τ² is 0.
2. A model whose late outcomes are worse than its record, beyond their error, is weighed by them:
   what has turned its sign loses its vote in sessions, not in the half-life of the record.
3. A book in proportion to normal scores earns IC·σ·√(π/2) per unit of gross in a horizon and trades
   √(2(1 − ρ)) of it where ρ of the scores is left; so drag_m is that turnover times half the spread
   over σ√(π/2), times `churn_penalty`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..core.arrays import Floats
from ..core.config import SignalSettings
from ..core.reasons import Code
from ..core.skill import ModelWeight, Track

PRIOR = 0.02
"""IC that a model is given credit for before it has a record: an honest intraday model's."""
FEW = 3.0
"""Outcomes below which a record says nothing."""
EARNED = np.sqrt(np.pi / 2.0)
"""Mean z² over mean |z| of normal scores."""


def credited(tracks: Sequence[Track], settings: SignalSettings) -> list[ModelWeight]:
    """The models of one horizon with the skill that their records bear out, not yet weighed.

    One without a record is given the mean.
    """
    weights = [_first(track) for track in tracks]
    told = [m for m, track in enumerate(tracks) if track.shares >= FEW]
    if not told:
        return weights
    ic = np.array([weights[m].ic for m in told])
    error = np.array([weights[m].error for m in told])
    tau_square, mean = between(ic, error)
    mean_error_square = 1.0 / float((1.0 / (tau_square + error**2)).sum())
    mean_skill = PRIOR + PRIOR**2 / (PRIOR**2 + mean_error_square) * (mean - PRIOR)
    trusted = tau_square / (tau_square + error**2)
    drag = np.array([_drag(tracks[m]) for m in told]) * settings.churn_penalty
    drag -= drag.mean()
    weights = [replace(one, skill=mean_skill) for one in weights]
    for place, m in enumerate(told):
        skill = mean_skill + float(trusted[place]) * (float(ic[place]) - mean)
        late = _at_best(tracks[m])
        weights[m] = replace(
            weights[m],
            why=Code.WEIGHT_RECENT if late < skill else Code.WEIGHT_RECORD,
            skill=min(skill, late) - float(drag[place]),
            trusted=float(trusted[place]),
            drag=float(drag[place]),
        )
    return weights


def _first(track: Track) -> ModelWeight:
    """A model's record as it stands, weighed by nothing yet."""
    ic = error = recent = np.nan
    if track.shares > 0.0:
        ic = track.ic / track.shares
        # Never less than chance alone would scatter it.
        variance = max(track.ic_square / track.shares - ic**2, track.chance / track.shares)
        error = float(np.sqrt(variance / track.shares))
    if track.recent_shares > 0.0:
        recent = track.recent_ic / track.recent_shares
    return ModelWeight(
        model=track.model,
        horizon_min=track.horizon_min,
        weight=0.0,
        aim=0.0,
        why=Code.WEIGHT_NO_RECORD,
        skill=PRIOR,
        ic=ic,
        error=error,
        recent=recent,
        outcomes=track.shares,
        trusted=0.0,
        drag=0.0,
        alike=0.0,
    )


def _at_best(track: Track) -> float:
    """The IC that late outcomes allow: theirs and one standard error of chance."""
    if track.recent_shares < FEW:
        return np.inf
    error = np.sqrt(track.recent_chance) / track.recent_shares
    return float(track.recent_ic / track.recent_shares + error)


def _drag(track: Track) -> float:
    """What following a model's changes costs over one horizon, in units of IC."""
    if track.steady_shares == 0.0:
        return 0.0
    turnover = np.sqrt(2.0 * max(0.0, 1.0 - track.steady / track.steady_shares))
    return float(turnover * track.cost / track.shares / EARNED)


def between(ic: Floats, error: Floats) -> tuple[float, float]:
    """Variance of true skill between models (k,), at least 0, and their mean by its light.

    The moment estimator of DerSimonian and Laird; one model alone differs from nobody.
    """
    precision = 1.0 / error**2
    common = float(precision.dot(ic) / precision.sum())
    if len(ic) == 1:
        return 0.0, common
    scatter = float(precision.dot((ic - common) ** 2))
    spread = float(precision.sum() - (precision**2).sum() / precision.sum())
    tau_square = max(0.0, (scatter - (len(ic) - 1)) / spread)
    precision = 1.0 / (tau_square + error**2)
    return tau_square, float(precision.dot(ic) / precision.sum())
