"""The level of volatility as it moves within the day, folded in bar by bar, in O(names).

Of each bar every name says how large its squared return was in units of what its base and the time
of day lead to expect. Two moving means of that, and the fast one over all sound names, mix into
the name's level now:

    level = POOLED · mean of all (fast) + OWN · fast + SLOW · slow

It is a heterogeneous autoregression (F. Corsi, A simple approximate long-memory model of realized
volatility, J. Financial Econometrics 7 (2009)) in multiples of the base, with the component that
names share taken from all of them (T. Bollerslev et al., Risk everywhere, Review of Financial
Studies 31 (2018)). The same fold runs over the history before the session, so that the day begins
where yesterday ended, and over each bar of today.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.seen import History, Market
from ..core.session import EXCHANGE_ZONE, Session, session_on
from ..core.types import VolatilityLevel
from ..core.units import epoch_ns
from .time_of_day import Clock, ahead, full_rows, on_curve

POOLED, OWN, SLOW = 0.5, 0.3, 0.2
"""Shares of the level; chosen on us5m_2025 and the first halves of the other sets, docs/risk.md."""
MOST = 36.0
"""A squared return counts as this many times what was expected at most: 6 σ."""
LEAST, LARGEST = 0.25, 4.0
"""Bounds of the calibration: beyond them the history is not one of markets."""
MOST_OUTCOME = 50.0
LEAST_OUTCOMES = 200
"""Outcomes of names in history under which nothing is calibrated."""


def at_open(
    start: VolatilityLevel,
    history: History,
    clock: Clock,
    horizon_rows: int,
    half_life_rows: float,
) -> VolatilityLevel:
    """The level as the session opens: `start` with history folded in, and calibrated on it."""
    fast, slow = start.fast, start.slow
    squares, observed, loud = history.returns**2, history.observed, clock.loudness
    sums = np.vstack([np.zeros(len(start.base)), np.cumsum(history.returns, axis=0)])
    shares, ends = _shares(start.bar_min, half_life_rows), clock.last_rows
    found: list[Floats] = []
    for row in range(len(squares)):
        moved = np.minimum(squares[row] / (loud[row] * start.base), MOST)
        fast, slow = _fold(fast, slow, moved, observed[row], shares)
        until = row + horizon_rows
        if (clock.row_of_day[row] + 1) % horizon_rows == 0 and until <= ends[row]:
            told = start.sound & observed[row] & observed[until]
            expected = mixed(fast, slow, start.sound) * start.base
            expected *= ahead(start.curve, int(clock.place[row]) + 1, horizon_rows)
            outcome = (sums[until + 1] - sums[row + 1]) ** 2
            found.append(np.minimum(outcome[told] / expected[told], MOST_OUTCOME))
    ratios = np.concatenate(found) if found else np.empty(0)
    return replace(start, fast=fast, slow=slow, calibration=_calibration(ratios))


def _calibration(ratios: Floats) -> float:
    """Realized over expected variance of a horizon, mean over names and times of history.

    It carries what a sum of truncated single bars leaves out: jumps, and how a name's bars are
    correlated with each other (bid-ask bounce), the variance ratio of A. Lo, A. C. MacKinlay, Stock
    market prices do not follow random walks, Review of Financial Studies 1 (1988).
    """
    if len(ratios) < LEAST_OUTCOMES:
        return 1.0
    return float(np.clip(ratios.mean(), LEAST, LARGEST))


def _shares(bar_min: float, half_life_rows: float) -> tuple[float, float]:
    """How much of the fast and of the slow mean one bar makes up."""
    return 1.0 - 0.5 ** (1.0 / half_life_rows), 1.0 - 0.5 ** (1.0 / full_rows(bar_min))


def _fold(
    fast: Floats, slow: Floats, moved: Floats, observed: Bools, shares: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Both means after a bar; a name that was not observed in it keeps its own."""
    seen = observed.astype(np.float64)
    return fast + shares[0] * seen * (moved - fast), slow + shares[1] * seen * (moved - slow)


def mixed(fast: Floats, slow: Floats, sound: Bools) -> Floats:
    """The level (n,) of each name, in multiples of its base."""
    pooled = float(fast[sound].mean()) if sound.any() else 1.0
    level: Floats = POOLED * pooled + OWN * fast + SLOW * slow
    return level


def folded(level: VolatilityLevel, market: Market, half_life_rows: float) -> VolatilityLevel:
    """The level after the bar that ended at `market.asof`; itself if that bar is in it already.

    A name counts as observed when it has a quote of that bar.
    """
    session = _session(market)
    if session is None or market.bar_min != level.bar_min:
        return level
    row = _rows_ended(market, session) - 1
    # Not when the cycle is, but when its bar ended: a cycle between two bars has seen none since.
    ended = epoch_ns(session.open + timedelta(minutes=market.bar_min * (row + 1)))
    if row < 0 or ended <= level.folded_ns:
        return level
    place = _place(row, session, level.bar_min)
    moved = np.minimum(market.bar_return**2 / (level.curve[place] * level.base), MOST)
    observed = (market.quote_age_s < market.bar_min * 60.0) & (market.last > 0)
    shares = _shares(level.bar_min, half_life_rows)
    fast, slow = _fold(level.fast, level.slow, moved, observed, shares)
    return replace(level, fast=fast, slow=slow, folded_ns=ended)


def variance_ahead(
    level: VolatilityLevel, market: Market, horizon_rows: int
) -> tuple[Floats, float]:
    """Variance (n,) of the horizon that begins now, and that of a session over it."""
    session = _session(market)
    rows = 0 if session is None else max(0, _rows_ended(market, session))
    place = 0 if session is None else _place(rows, session, level.bar_min)
    loud = ahead(level.curve, place, horizon_rows)
    now = mixed(level.fast, level.slow, level.sound) * level.base * level.calibration
    return now * loud, full_rows(level.bar_min) / loud


def _session(market: Market) -> Session | None:
    return session_on(market.asof.astimezone(EXCHANGE_ZONE).date())


def _rows_ended(market: Market, session: Session) -> int:
    """Bars of the session that have ended by `market.asof`."""
    rows = round(session.minutes / market.bar_min)
    since = (market.asof - session.open).total_seconds() / 60.0
    return min(rows, int(since // market.bar_min))


def _place(row: int, session: Session, bar_min: float) -> int:
    """Where a bar lies on the curve; past the close, past its end."""
    rows = round(session.minutes / bar_min)
    if row >= rows:
        return full_rows(bar_min)
    return int(on_curve(np.array(row), np.array(rows), bar_min))
