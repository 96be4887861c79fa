"""Scores of several units are brought to one: z, or expected return over each model's horizon.

A rank becomes a normal score, which is a z. Where models state returns beside others that state z,
a z becomes a return, α = IC·σ·z (R. Grinold, R. Kahn, Active portfolio management, 2000), the IC
being the skill that its record bears out and σ that of the model's horizon.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.arrays import Bools, Floats
from ..core.errors import DataError, MissingError
from ..core.seen import Scores
from ..core.types import RiskModel
from .ranks import normal_scores


def common_unit(units: Sequence[str]) -> str:
    """The unit that scores of these units are brought to: return if any states it, else z."""
    if not units:
        raise DataError("0 models give scores. Name at least one model.")
    return "return" if "return" in units else "z"


def in_one_unit(scores: Scores, usable: Bools, skill: Sequence[float], risk: RiskModel) -> Floats:
    """Values (m, n) in the common unit; `skill` (m,) is the IC each model is given credit for."""
    if set(scores.unit) in ({"z"}, {"return"}):
        return scores.value
    value = scores.value.copy()
    for m, unit in enumerate(scores.unit):
        if unit == "rank":
            value[m, usable[m]] = normal_scores(scores.value[m, usable[m]])
    if common_unit(scores.unit) == "return":
        for m in (m for m, unit in enumerate(scores.unit) if unit != "return"):
            sigma = risk.sigma_over(scores.horizon_min[m])
            if sigma is None:
                units = " and ".join(sorted(set(scores.unit)))
                raise MissingError(
                    f"{len(scores.models)} models give scores in {units}, and no volatility is "
                    "known to bring them to one unit. Give history or volatilities, or scores in "
                    "one unit."
                )
            value[m] *= max(skill[m], 0.0) * sigma
    return value
