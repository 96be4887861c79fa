"""The room's verb: a RiskModel from history and the bar that ended, or from what the user states.

Once a session, from the bars before it:
1. Names whose history is too short or too gappy are marked; they may only shrink.
2. The curve of the day, and each name's variance of a bar at its mean, jumps held back.
3. Names that have no estimate borrow their sector's, from here on to the end.
4. Correlation and β over windows of CORRELATION_MIN; average true range; σ of a night.
5. The level of volatility as yesterday left it, and its calibration on history's outcomes.
With every bar, in O(names):
6. The bar is folded into the level; σ is base · level · what the curve says of the horizon ahead.
A bar that is folded in already gives back the same object.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np

from ..core.config import RiskSettings
from ..core.seen import History, Market, RiskGiven
from ..core.types import RiskModel, VolatilityLevel
from .daily import HORIZON_MIN, before_open, rows_of
from .level import folded, variance_ahead


def estimate(
    market: Market,
    history: History | None,
    given: RiskGiven | None,
    settings: RiskSettings,
    previous: RiskModel | None,
) -> RiskModel:
    """The risk model of this cycle; `previous` itself when nothing it rests on has changed."""
    version = _version(history, given, settings)
    if previous is None or previous.version != version:
        previous = _of_session(market, history, given, settings, version)
    level = previous.level
    if level is None:
        return previous
    moved = folded(level, market, settings.level_half_life_min / level.bar_min)
    return previous if moved is level else _now(previous, moved, market)


def _now(model: RiskModel, level: VolatilityLevel, market: Market) -> RiskModel:
    """The model with σ of the horizon that begins at `market.asof`."""
    variance, sessions = variance_ahead(level, market, rows_of(HORIZON_MIN, level.bar_min))
    return replace(model, sigma=np.sqrt(variance), day_scale=float(np.sqrt(sessions)), level=level)


def _version(history: History | None, given: RiskGiven | None, settings: RiskSettings) -> str:
    parts = (
        history.version if history is not None else "",
        given.version if given is not None else "",
        repr(settings),
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _of_session(
    market: Market,
    history: History | None,
    given: RiskGiven | None,
    settings: RiskSettings,
    version: str,
) -> RiskModel:
    if history is None:
        # Nothing known: scores must come as z, and risk does not enter the objective.
        none = np.zeros(len(market.universe), dtype=np.int16)
        model = RiskModel(HORIZON_MIN, None, None, None, None, none, version)
    else:
        model = before_open(history, settings, version)
        assert model.level is not None, "what comes from bars has a level"
        model = _now(model, model.level, market)
    if given is None:
        return model
    return replace(
        model,
        correlation=model.correlation if given.correlation is None else given.correlation,
        beta=model.beta if given.beta is None else given.beta,
    )
