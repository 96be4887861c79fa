"""What is estimated once a session, from the bars known before it."""

from __future__ import annotations

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import RiskSettings
from ..core.correlation import Correlation, DenseCorrelation, FactorCorrelation
from ..core.reasons import Code
from ..core.seen import Codes, History
from ..core.session import SESSION_MIN
from ..core.types import RiskModel, VolatilityLevel
from .borrow import TYPICAL_VARIANCE, Loan, lend
from .correlation import shrunk_correlation, unit_columns, windows
from .exposures import betas
from .factors import loadings
from .level import at_open
from .time_of_day import Clock, clock_of, full_rows
from .volatility import average_true_range, decay_weights, night_sigma, robust_variance

HORIZON_MIN = 30.0
CORRELATION_MIN = 10.0
"""Length of the returns that are correlated."""
DENSE_UP_TO = 1000
"""Names up to which `auto` keeps all pairs: 8 MB a session in the journal."""
MOST_SCALED = 6.0
"""Returns of more σ are pulled back to it: no print owns the matrix."""


def before_open(history: History, settings: RiskSettings, version: str) -> RiskModel:
    """The session's part of the model; `sigma` is left to the bar."""
    clock = clock_of(history)
    even = history.returns / np.sqrt(clock.loudness)[:, None]
    half_life = settings.half_life_days * full_rows(history.bar_min)
    variance = robust_variance(even, history.observed, half_life)
    defect = _defects(history, settings)
    sound = (defect == 0) & (variance > 0)
    loan = lend(history.universe.group, sound)
    base = loan.filled(np.where(sound, variance, TYPICAL_VARIANCE), by_median=True)
    # A name that borrows is not to shape the factors that it borrows.
    scaled = np.where(sound, np.clip(even / np.sqrt(base), -MOST_SCALED, MOST_SCALED), 0.0)
    return RiskModel(
        horizon_min=HORIZON_MIN,
        sigma=None,
        correlation=_correlation(scaled, clock, history, settings, loan),
        beta=_beta(scaled * np.sqrt(base), clock, history, settings, loan),
        atr=average_true_range(
            history.range_high, history.range_low, history.range_close, settings.atr_bars
        ),
        defect=_let_trade(defect, loan) if settings.trade_borrowed else defect,
        version=version,
        sigma_night=_night(history, base, settings),
        borrowed=loan.code,
        level=_level(history, clock, base, sound, settings),
    )


def rows_of(minutes: float, bar_min: float) -> int:
    """Bars in so many minutes, at least one."""
    return max(1, round(minutes / bar_min))


def _level(
    history: History, clock: Clock, base: Floats, sound: Bools, settings: RiskSettings
) -> VolatilityLevel:
    bar_min, even = history.bar_min, np.ones_like(base)
    start = VolatilityLevel(bar_min, base, clock.curve, 1.0, sound, even, even)
    horizon, half_life = rows_of(HORIZON_MIN, bar_min), settings.level_half_life_min / bar_min
    return at_open(start, history, clock, horizon, half_life)


def _correlation(
    scaled: Floats, clock: Clock, history: History, settings: RiskSettings, loan: Loan
) -> Correlation:
    group, width = history.universe.group, rows_of(CORRELATION_MIN, history.bar_min)
    dense = settings.form == "dense" or (settings.form == "auto" and len(group) <= DENSE_UP_TO)
    # Windows that overlap by half lose little for all pairs; factors are found in fewer rows.
    stride = max(1, width // 2) if dense else width
    rows, ends = windows(scaled, clock.row_of_day, width, stride)
    unit = unit_columns(rows, _weights(len(scaled), history, settings)[ends])
    if dense:
        matrix = shrunk_correlation(unit, group, settings.factors)
        return DenseCorrelation(loan.correlation(matrix))
    lent = loan.loadings(loadings(unit, group, settings.factors)[0])
    return FactorCorrelation(lent, np.maximum(0.0, 1.0 - (lent**2).sum(axis=1)))


def _beta(
    even: Floats, clock: Clock, history: History, settings: RiskSettings, loan: Loan
) -> Floats | None:
    if history.market is None:
        return None
    width = rows_of(CORRELATION_MIN, history.bar_min)
    market = _within_reach(history.market / np.sqrt(clock.loudness), history, settings)
    rows, ends = windows(
        np.column_stack([even, market]), clock.row_of_day, width, max(1, width // 2)
    )
    weights = _weights(len(even), history, settings)[ends]
    sound = loan.code == 0
    found = betas(rows[:, :-1], rows[:, -1], weights, history.universe.group, sound)
    return loan.filled(found)


def _within_reach(even: Floats, history: History, settings: RiskSettings) -> Floats:
    """The market's returns (t,), pulled back as those of names are.

    One print that was all its variance would leave every name, and the hedge, without a β.
    """
    half_life = settings.half_life_days * full_rows(history.bar_min)
    column = even[:, None]
    most = MOST_SCALED * np.sqrt(robust_variance(column, column != 0, half_life))
    return np.clip(even, -most, most)


def _weights(rows: int, history: History, settings: RiskSettings) -> Floats:
    return decay_weights(rows, settings.half_life_days * full_rows(history.bar_min))


def _night(history: History, base: Floats, settings: RiskSettings) -> Floats | None:
    if history.gaps is None or not len(history.gaps):
        return None
    return night_sigma(history.gaps, base * full_rows(history.bar_min), settings.half_life_days)


def _let_trade(defect: Codes, loan: Loan) -> Codes:
    """Names that are merely new trade on the risk of their sector."""
    lent = loan.code == Code.RISK_FROM_SECTOR.number
    return np.where(lent & (defect == Code.DATA_TOO_NEW.number), np.int16(0), defect)


def _defects(history: History, settings: RiskSettings) -> Codes:
    """DATA_TOO_GAPPY: too many bars missing since the first; DATA_TOO_NEW: first seen too late."""
    observed = history.observed
    rows, n = observed.shape
    seen = observed.any(axis=0)
    first = np.where(seen, observed.argmax(axis=0), rows) if rows else np.zeros(n, np.int64)
    span = rows - first
    coverage = observed.sum(axis=0) / np.maximum(span, 1)
    defect = np.zeros(n, dtype=np.int16)
    # The first return of a session needs a bar before it, so a day has one return less.
    least = settings.min_days * (SESSION_MIN / history.bar_min - 1)
    defect[span < least] = Code.DATA_TOO_NEW.number
    # Last: a new name may be let trade on its sector's risk, one that hardly trades may not.
    defect[seen & (coverage < settings.min_coverage)] = Code.DATA_TOO_GAPPY.number
    return defect
