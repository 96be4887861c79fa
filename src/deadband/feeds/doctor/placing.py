"""Gives each row its session and its bar there, and says why a row has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Bools, Ints
from ...core.ports import Finding
from ...core.session import SESSION_MIN
from .clock import find_hours_off, half_hours, note_end_labels, note_flat_profile
from .rows import HOUR_NS, MINUTE_NS, Grid, Rows, exchange_day, listed

CROSS_TIMES = 3.0
"""Volume of an auction's row, as a multiple of the name's mean bar of that day."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """The session and the bar of it of each row that was kept."""

    session: Ints
    bar: Ints


def place_in_sessions(rows: Rows, grid: Grid) -> Placed:
    """Keep the rows that start a bar of a session, and leave the others out under their names."""
    place = np.searchsorted(grid.opens, rows.ts, side="right") - 1
    # A row before the first open known belongs to no session; it lies outside the first one.
    near = np.maximum(place, 0)
    inside = (place >= 0) & (rows.ts < grid.closes[near])
    on_day = _on_session_day(rows, grid)
    off_grid = inside & ((rows.ts - grid.opens[near]) % grid.step != 0)
    note_end_labels(rows, grid, np.where(on_day, place, -1))
    volume = half_hours(rows, grid, place, inside)
    note_flat_profile(rows, grid, volume)
    shifted = np.isin(place, find_hours_off(rows, grid, volume)) & inside
    rows.note(Ailment.DATA_NO_SESSION, ~on_day)
    auction = _auction(rows, grid, place, inside, off_grid)
    _note_outside(rows, grid, place, ~inside & on_day & ~auction)
    rows.note(Ailment.DATA_BETWEEN_BARS, off_grid & ~shifted & ~auction)
    usable = inside & ~off_grid & ~shifted
    session = place[usable]
    rows.keep(usable)
    return Placed(session, (rows.ts - grid.opens[session]) // grid.step)


def note_silent_sessions(rows: Rows, grid: Grid, place: Ints) -> None:
    """Name the sessions between the first and the last that have no usable bar at all."""
    if not len(place):
        return
    used = np.zeros(len(grid.sessions), dtype=np.bool_)
    used[place] = True
    first, last = int(place.min()), int(place.max())
    silent = [str(grid.sessions[p].day) for p in range(first, last) if not used[p]]
    if silent:
        rows.findings.append(Finding(Ailment.DATA_SILENT_SESSION, len(silent), listed(silent)))


def _note_outside(rows: Rows, grid: Grid, place: Ints, outside: Bools) -> None:
    near = np.maximum(place, 0)
    since_open = rows.ts - grid.opens[near]
    full = round(SESSION_MIN * MINUTE_NS)
    late = outside & (place >= 0) & (since_open < full)
    rows.note(Ailment.DATA_AFTER_EARLY_CLOSE, late)
    rows.note(Ailment.DATA_OUTSIDE_SESSION, outside & ~late)


def _auction(rows: Rows, grid: Grid, place: Ints, inside: Bools, off_grid: Bools) -> Bools:
    """Rows that hold an auction and nothing else, each named."""
    near, following = np.maximum(place, 0), np.minimum(place + 1, len(grid.opens) - 1)
    after_close = rows.ts - grid.closes[near]
    closing = (place >= 0) & (after_close >= 0) & (after_close < grid.step)
    to_open = grid.opens[following] - rows.ts
    just_before = ~inside & (to_open > 0) & (to_open <= grid.step)
    first_bar = off_grid & (rows.ts - grid.opens[near] < grid.step)
    opening = just_before | first_bar
    found = closing | opening
    if not found.any():
        return found
    n = len(rows.symbols)
    key = place[inside] * n + rows.name[inside]
    size = len(grid.sessions) * n
    bars = np.bincount(key, minlength=size)
    mean = np.bincount(key, weights=rows.values["volume"][inside], minlength=size)
    mean = np.divide(mean, bars, out=np.full(size, np.inf), where=bars > 0)
    session = np.where(just_before, following, near)
    heavy = rows.values["volume"] >= CROSS_TIMES * mean[session * n + rows.name]
    closing &= heavy
    opening &= heavy & rows.flat & ~closing
    rows.note(Ailment.DATA_CLOSING_CROSS, closing)
    rows.note(Ailment.DATA_OPENING_CROSS, opening)
    return closing | opening


def _on_session_day(rows: Rows, grid: Grid) -> Bools:
    days = {session.day for session in grid.sessions}
    # A day of New York begins at a full hour of UTC: one look-up an hour is enough.
    hours = rows.ts // HOUR_NS
    first = int(hours.min())
    known = np.zeros(int(hours.max()) - first + 1, dtype=np.bool_)
    known[hours - first] = True
    for hour in np.flatnonzero(known).tolist():
        known[hour] = exchange_day((hour + first) * HOUR_NS) in days
    on_day: Bools = known[hours - first]
    return on_day
