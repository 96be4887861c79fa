"""Folds bars into what the features remember, and reads features from it.

`observe` at a bar's end, in this order:
  1. a new session ends the one before: bars that never came are filled in as bars without trades,
     and what it says of its times of day is learned
  2. names that trade for the first time today say whether a split explains their night
  3. prices, ranges and volumes take the bar in

A bar costs O(names): rows are added, not rewritten. Nothing here looks at a later bar, and what is
usual at a time of day is known from sessions before.
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
from .catalog import CATALOG, FEATURES, measurable, parts_of
from .state import HALF_HOUR, MOVES, RANGES, TRUE_RANGE, VOLUMES, FeatureState, bars_of, is_whole


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
    """The named features as of the last bar's end; None: all that were folded.

    Raises MissingError for a name that is not a feature, that needs shorter bars, or of which
    nothing was folded.
    """
    if state.session is None:
        raise DataError("no bar has been observed yet, so there are no features to read.")
    known = measurable(state.bar_min)
    wanted = tuple(name for name in known if _is_folded(name, state)) if names is None else names
    absent = [name for name in wanted if name not in known]
    if absent:
        told = "is not a feature" if absent[0] not in FEATURES else "needs shorter bars"
        raise MissingError(
            f"{absent[0]} {told}; bars of {state.bar_min:g} minutes tell {', '.join(known)}."
        )
    if not parts_of(wanted) <= state.folds:
        unfolded = ", ".join(name for name in wanted if not _is_folded(name, state))
        raise MissingError(
            f"nothing was folded for {unfolded}. Name every feature that will be read before the "
            "first bar."
        )
    value = np.empty((len(wanted), len(state.universe)))
    for row, name in enumerate(wanted):
        value[row] = CATALOG[name].read(state)
    asof = state.session.open + timedelta(minutes=state.bar_min * state.k)
    return Features(state.universe, asof, wanted, sealed(value))


def _is_folded(name: str, state: FeatureState) -> bool:
    return parts_of((name,)) <= state.folds


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
    # NaN is neither: the two ends of all numbers vouch for most bars.
    if columns.min() > 0.0 and columns.max() < np.inf:
        return bar
    possible = (columns >= 0.0) & (columns < np.inf)
    possible[:4] &= columns[:4] > 0.0
    columns[:, ~possible.all(axis=0)] = np.nan
    open_, high, low, close, volume = sealed(columns)
    return replace(bar, open=open_, high=high, low=low, close=close, volume=volume)


def _opened(state: FeatureState, session: Session) -> FeatureState:
    """Begin a session; the one before is filled up to its close first, and learned from."""
    after_a_gap = False
    if state.session is not None:
        state = _filled(state, bars_of(state.session.minutes, state.bar_min))
        after_a_gap = previous_session(session.day).day != _day_of(state)
    prices, volumes = state.prices, state.volumes
    # A half-day's bars are another time of day by another clock: they teach nothing.
    if state.session is not None and state.session.minutes == SESSION_MIN:
        prices = prices.taught(state.bars_in(HALF_HOUR))
        volumes = volumes.taught() if VOLUMES in state.folds else volumes
    return replace(
        state,
        session=session,
        k=0,
        prices=prices.opened(after_a_gap=after_a_gap),
        moves=state.moves.opened(),
        true_range=state.true_range.opened(after_a_gap=after_a_gap),
        volumes=volumes.opened(),
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
    k, folds, known = state.k + 1, state.folds, np.isfinite(bar.close)
    prices, ratio = state.prices.with_opens(bar, known)
    true_range, volumes = state.true_range, state.volumes
    if ratio is not None:
        true_range, volumes = true_range.split(ratio), volumes.split(ratio)
    if TRUE_RANGE in folds:
        true_range = true_range.after(bar, known)
        true_range = true_range.closed() if k % state.bars_in(HALF_HOUR) == 0 else true_range
    return FeatureState(
        universe=state.universe,
        bar_min=state.bar_min,
        session=state.session,
        k=k,
        folds=folds,
        prices=prices.after(bar, known),
        moves=state.moves.after(bar, known) if MOVES in folds else state.moves,
        ranges=state.ranges.after(bar, known) if RANGES in folds else state.ranges,
        true_range=true_range,
        volumes=volumes.after(bar, known) if VOLUMES in folds else volumes,
    )


def _day_of(state: FeatureState) -> object:
    return None if state.session is None else state.session.day
