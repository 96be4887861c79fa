"""Folds bars into what the features remember, and reads features from it.

`observe` at a bar's end, in this order:
  1. a new session ends the one before: bars that never came are filled in as bars without trades
  2. names that trade for the first time today say whether a split explains their night
  3. prices, ranges and volumes take the bar in

A bar costs O(names): rows are replaced, not rewritten. Nothing here looks at a later bar, and what
is usual at a time of day is read before today's bar is added to it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from ...core.arrays import sealed
from ...core.bars import Bar
from ...core.errors import DataError, MissingError
from ...core.features import Features
from ...core.session import SESSION_MIN, Session, previous_session
from .catalog import FEATURES, READERS, measurable
from .state import HALF_HOUR, FeatureState, bars_of, is_whole


def observe(state: FeatureState, bar: Bar, session: Session) -> FeatureState:
    """The state after a bar of `session` that has ended.

    Bars come in order; those that are left out count as bars in which nothing traded. Raises
    DataError for a bar that is not later than the last, or that starts between two bars.
    """
    k = _number(bar.start, session, state.bar_min)
    if state.session is None or state.session.day < session.day:
        state = _opened(state, session)
    if session.day != _day_of(state) or k <= state.k:
        raise DataError(
            f"a bar of {bar.start.isoformat()} came after bar {state.k} of {_day_of(state)}. "
            "Bars are observed once each, oldest first."
        )
    state = _filled(state, k - 1)
    return _folded(state, _sound(bar))


def read(state: FeatureState, names: tuple[str, ...] | None = None) -> Features:
    """The named features as of the last bar's end; None: all that such bars can tell.

    Raises MissingError for a name that is not a feature, or that needs shorter bars.
    """
    if state.session is None:
        raise DataError("no bar has been observed yet, so there are no features to read.")
    known = measurable(state.bar_min)
    wanted = known if names is None else names
    absent = [name for name in wanted if name not in known]
    if absent:
        told = "is not a feature" if absent[0] not in FEATURES else "needs shorter bars"
        raise MissingError(
            f"{absent[0]} {told}; bars of {state.bar_min:g} minutes tell {', '.join(known)}."
        )
    value = np.empty((len(wanted), len(state.universe)))
    for row, name in enumerate(wanted):
        value[row] = READERS[name][1](state)
    asof = state.session.open + timedelta(minutes=state.bar_min * state.k)
    return Features(state.universe, asof, wanted, sealed(value))


def _number(start: datetime, session: Session, bar_min: float) -> int:
    """Which bar of the session starts then, from 1."""
    minutes = (start - session.open) / timedelta(minutes=1)
    if start not in session or not is_whole(minutes / bar_min):
        raise DataError(
            f"a bar that starts at {start.isoformat()} is not one of {bar_min:g} minutes in the "
            f"session of {session.day} ({session.open.isoformat()} on)."
        )
    return round(minutes / bar_min) + 1


def _sound(bar: Bar) -> Bar:
    """The bar without the names of which a price or the volume is missing or cannot be true."""
    columns = np.array((bar.open, bar.high, bar.low, bar.close, bar.volume))
    possible = (columns >= 0.0) & (columns < np.inf)
    possible[:4] &= columns[:4] > 0.0
    if possible.all():
        return bar
    whole = possible.all(axis=0)
    columns[:, ~whole] = np.nan
    open_, high, low, close, volume = sealed(columns)
    return replace(bar, open=open_, high=high, low=low, close=close, volume=volume)


def _opened(state: FeatureState, session: Session) -> FeatureState:
    """Begin a session; the one before is filled up to its close first."""
    after_a_gap = False
    if state.session is not None:
        state = _filled(state, bars_of(state.session.minutes, state.bar_min))
        after_a_gap = previous_session(session.day).day != _day_of(state)
    return replace(
        state,
        session=session,
        k=0,
        prices=state.prices.opened(after_a_gap=after_a_gap),
        ranges=state.ranges.opened(),
        true_range=state.true_range.opened(after_a_gap=after_a_gap),
        volumes=state.volumes.opened(),
    )


def _filled(state: FeatureState, upto: int) -> FeatureState:
    """As if bars without a trade had come, up to the bar of that number."""
    assert state.session is not None, "a session was opened"
    nothing = sealed(np.full(len(state.universe), np.nan))
    silent = Bar(state.session.open, *[nothing] * 8)
    while state.k < upto:
        state = _folded(state, silent)
    return state


def _folded(state: FeatureState, bar: Bar) -> FeatureState:
    assert state.session is not None, "a session was opened"
    k = state.k + 1
    half_hour = state.bars_in(HALF_HOUR)
    # A half-day's bars are another time of day by another clock: they teach nothing.
    teaches = state.session.minutes == SESSION_MIN
    known = np.isfinite(bar.close)
    prices, ratio = state.prices.with_opens(bar, known)
    true_range, volumes = state.true_range, state.volumes
    if (ratio != 1.0).any():
        true_range, volumes = true_range.split(ratio), volumes.split(ratio)
    true_range = true_range.after(bar, known)
    return replace(
        state,
        k=k,
        prices=prices.after(bar, known, half_hour, teaches=teaches),
        ranges=state.ranges.after(bar, known),
        true_range=true_range.closed() if k % half_hour == 0 else true_range,
        volumes=volumes.after(bar, known, k, teaches=teaches),
    )


def _day_of(state: FeatureState) -> object:
    return None if state.session is None else state.session.day
