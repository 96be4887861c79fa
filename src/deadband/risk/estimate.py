"""The room's verb: a RiskModel from history, or from what the user states.

1. Names whose history is too short or too gappy are marked; they may only shrink.
2. σ, exponentially weighted, over bars of one session only; scaled to `HORIZON_MIN` by √time.
3. Correlation of the σ-scaled returns, Ledoit-Wolf shrunk.
4. β to the market symbol, where there is one.
5. Average true range of longer bars.
The estimate changes once a session: the same history gives back the same model object.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import RiskSettings
from ..core.reasons import Code
from ..core.seen import Codes, History, RiskGiven, Universe
from ..core.session import SESSION_MIN
from ..core.types import RiskModel
from .exposures import betas
from .shrink import shrunk_correlation
from .volatility import average_true_range, ewma_sigma

HORIZON_MIN = 30.0


def estimate(
    universe: Universe,
    history: History | None,
    given: RiskGiven | None,
    settings: RiskSettings,
    previous: RiskModel | None,
) -> RiskModel:
    """The risk model of this cycle; `previous` itself when nothing it rests on has changed."""
    version = _version(history, given, settings)
    if previous is not None and previous.version == version:
        return previous
    model = _flat(universe, version) if history is None else _from_bars(history, settings, version)
    if given is None:
        return model
    return RiskModel(
        horizon_min=model.horizon_min,
        sigma=model.sigma,
        correlation=model.correlation if given.correlation is None else given.correlation,
        beta=model.beta if given.beta is None else given.beta,
        atr=model.atr,
        defect=model.defect,
        version=version,
    )


def _version(history: History | None, given: RiskGiven | None, settings: RiskSettings) -> str:
    parts = (
        history.version if history is not None else "",
        given.version if given is not None else "",
        repr(settings),
    )
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _flat(universe: Universe, version: str) -> RiskModel:
    """Nothing known: scores must come as z, and risk does not enter the objective."""
    none = np.zeros(len(universe), dtype=np.int16)
    return RiskModel(HORIZON_MIN, None, None, None, None, none, version)


def _from_bars(history: History, settings: RiskSettings, version: str) -> RiskModel:
    rows_a_day = SESSION_MIN / history.bar_min
    half_life = settings.half_life_days * rows_a_day
    defect = _defects(history, settings, rows_a_day)
    sigma = _filled(ewma_sigma(history.returns, history.observed, half_life), defect)
    atr = average_true_range(
        history.range_high, history.range_low, history.range_close, settings.atr_bars
    )
    beta = None
    if history.market is not None:
        beta = betas(history.returns, history.observed, history.market, half_life)
    return RiskModel(
        horizon_min=HORIZON_MIN,
        sigma=sigma * np.sqrt(HORIZON_MIN / history.bar_min),
        correlation=shrunk_correlation(history.returns, sigma),
        beta=beta,
        atr=atr,
        defect=defect,
        version=version,
    )


def _defects(history: History, settings: RiskSettings, rows_a_day: float) -> Codes:
    """DATA_TOO_NEW: first seen too late; DATA_TOO_GAPPY: too many bars missing since then."""
    observed = history.observed
    rows = len(observed)
    seen = observed.any(axis=0)
    first = np.where(seen, observed.argmax(axis=0), rows)
    span = rows - first
    coverage = observed.sum(axis=0) / np.maximum(span, 1)
    defect = np.zeros(observed.shape[1], dtype=np.int16)
    defect[coverage < settings.min_coverage] = Code.DATA_TOO_GAPPY.number
    # The first return of a session needs a bar before it, so a day has one return less.
    defect[span < settings.min_days * (rows_a_day - 1)] = Code.DATA_TOO_NEW.number
    return defect


def _filled(sigma: Floats, defect: Codes) -> Floats:
    """σ with the median of the sound names in place of what history does not carry."""
    sound: Bools = (defect == 0) & (sigma > 0)
    typical = float(np.median(sigma[sound])) if sound.any() else 0.001
    return np.where(sound, sigma, typical)
