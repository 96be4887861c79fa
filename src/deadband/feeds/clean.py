"""What is left out of a bars file, each kind of row under a name of its own.

1. Rows whose prices or volume cannot be true.
2. Rows outside a session: holidays, weekends, before the open, after the close.
3. Days whose bars sit an hour or more off their session, as a whole.
4. Doubled rows: equal ones count once, contradicting ones not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from ..core.ports import Finding
from ..core.session import EXCHANGE_ZONE, Session
from ..core.units import epoch_ns

PRICES = ("open", "high", "low", "close")
QUOTES = ("bid", "ask")
MINUTE_NS = 60_000_000_000
HOUR_NS = 60 * MINUTE_NS
SHIFTED_COVERAGE = 0.95
TRUE_COVERAGE = 0.9
MOST_HOURS = 8


@dataclass(slots=True, eq=False)
class Rows:
    """Bar rows as columns, thinned out step by step; `name` numbers `symbols`."""

    symbols: tuple[str, ...]
    ts: Ints
    name: Ints
    values: dict[str, Floats]
    findings: list[Finding] = field(default_factory=list)

    def keep(self, which: Bools) -> None:
        self.ts, self.name = self.ts[which], self.name[which]
        self.values = {key: column[which] for key, column in self.values.items()}

    def note(self, what: str, bad: Bools) -> None:
        """Record the rows under a name, with the first as an example; none leave no trace."""
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            stamp = moment(int(self.ts[row])).strftime("%Y-%m-%d %H:%M UTC")
            example = f"{self.symbols[self.name[row]]} {stamp}"
            self.findings.append(Finding(what, int(bad.sum()), example))

    def note_days(self, what: str, days: list[date]) -> None:
        if days:
            self.findings.append(Finding(what, len(days), str(days[0])))


def drop_impossible(rows: Rows) -> None:
    """Leave out rows whose prices or volume cannot be true."""
    prices = np.array([rows.values[name] for name in PRICES])
    volume = rows.values["volume"]
    # A quote-only row (no trade in that bar) carries no bar; it is not a defect.
    empty: Bools = np.logical_and.reduce(np.isnan(prices))
    not_finite: Bools = ~empty & ~np.logical_and.reduce(np.isfinite(prices))
    with np.errstate(invalid="ignore"):
        not_positive: Bools = np.logical_or.reduce(prices <= 0)
        _open, high, low, _close = prices
        disordered = (high < prices.max(axis=0)) | (low > prices.min(axis=0))
        bad_volume = ~empty & ~((volume >= 0) & np.isfinite(volume))
    rows.note("prices that are not finite", not_finite)
    rows.note("prices of zero or less", not_positive)
    rows.note("high or low inside the bar", disordered & ~not_finite & ~not_positive)
    rows.note("volume that is negative, missing or not finite", bad_volume)
    rows.keep(~(empty | not_finite | not_positive | disordered | bad_volume))


def half_quotes(rows: Rows) -> Floats:
    """Half the quoted spread of each row, NaN where there is no quote or it cannot be true."""
    if any(name not in rows.values for name in QUOTES):
        return np.full(len(rows.ts), np.nan)
    bid, ask = (rows.values[name] for name in QUOTES)
    with np.errstate(invalid="ignore"):
        sound = (bid > 0) & (ask >= bid) & np.isfinite(ask)
        half: Floats = np.where(sound, (ask - bid) / 2, np.nan)
    rows.note(
        "quotes that are crossed, not positive or not finite; spread modeled instead",
        ~sound & ~np.isnan(bid) & ~np.isnan(ask),
    )
    return half


def place_in_sessions(rows: Rows, sessions: tuple[Session, ...], step: int) -> tuple[Ints, Ints]:
    """The session and the bar of it of each row that has one; the others are left out.

    `step` is the length of a bar in nanoseconds.
    """
    opens = np.array([epoch_ns(s.open) for s in sessions], dtype=np.int64)
    closes = np.array([epoch_ns(s.close) for s in sessions], dtype=np.int64)
    place = np.searchsorted(opens, rows.ts, side="right") - 1
    shifted = _shifted(rows, sessions, step)
    inside = (place >= 0) & (rows.ts < closes[np.maximum(place, 0)])
    on_day = _on_session_day(rows, sessions)
    off_grid = inside & ((rows.ts - opens[np.maximum(place, 0)]) % step != 0)
    whole = np.isin(place, shifted) & inside
    rows.note("rows on days without a session", ~on_day)
    rows.note("rows outside the session", ~inside & on_day)
    rows.note("rows between bar starts", off_grid & ~whole)
    usable = inside & ~off_grid & ~whole
    place = place[usable]
    rows.keep(usable)
    return _drop_doubles(rows, place, (rows.ts - opens[place]) // step)


def note_silent_sessions(rows: Rows, sessions: tuple[Session, ...], place: Ints) -> None:
    """Name the sessions between the first and the last that have no usable bar at all."""
    if len(place):
        inner = range(int(place.min()), int(place.max()))
        silent = sorted(set(inner) - set(np.unique(place).tolist()))
        rows.note_days("sessions without any usable bar", [sessions[p].day for p in silent])


def _on_session_day(rows: Rows, sessions: tuple[Session, ...]) -> Bools:
    days = {session.day for session in sessions}
    # Exchange-local dates: 20:00 New York is the next day in UTC, so go by the open's date.
    unique, inverse = np.unique(rows.ts // HOUR_NS, return_inverse=True)
    known = np.array([_exchange_day(int(h)) in days for h in unique], dtype=np.bool_)
    on_day: Bools = known[inverse]
    return on_day


def _exchange_day(hour: int) -> date:
    return datetime.fromtimestamp(hour * 3600, UTC).astimezone(EXCHANGE_ZONE).date()


def _shifted(rows: Rows, sessions: tuple[Session, ...], step: int) -> list[int]:
    """Sessions whose bars fill the session's grid only when moved by whole hours."""
    times = np.unique(rows.ts)
    by_hours: dict[int, list[int]] = {}
    for p, session in enumerate(sessions):
        grid = np.arange(epoch_ns(session.open), epoch_ns(session.close), step)
        reach = MOST_HOURS * HOUR_NS
        near = slice(*np.searchsorted(times, [grid[0] - reach, grid[-1] + reach]).tolist())
        hours = _hours_off(times[near], grid)
        if hours:
            by_hours.setdefault(hours, []).append(p)
    for hours, found in sorted(by_hours.items()):
        side = "late" if hours > 0 else "early"
        rows.note_days(
            f"day whose bars start {abs(hours)} h {side}: "
            "another time zone or daylight-saving rule; left out",
            [sessions[p].day for p in found],
        )
    return [p for found in by_hours.values() for p in found]


def _hours_off(times: Ints, grid: Ints) -> int:
    """By how many hours `times` have to be moved back to fill the grid; 0 where they need not."""
    true = np.isin(grid, times).mean()
    if true >= TRUE_COVERAGE or true == 0.0:
        return 0
    choices = [h for h in range(-MOST_HOURS, MOST_HOURS + 1) if h]
    moved = {h: float(np.isin(grid + h * HOUR_NS, times).mean()) for h in choices}
    best = max(moved, key=lambda h: (moved[h], -abs(h)))
    # Bars before the open and after the close fill moved grids too, and leave much beside them.
    fits = moved[best] >= SHIFTED_COVERAGE and (
        np.isin(times, grid + best * HOUR_NS).mean() >= SHIFTED_COVERAGE
    )
    return best if fits else 0


def _drop_doubles(rows: Rows, place: Ints, row: Ints) -> tuple[Ints, Ints]:
    key = (place * 100_000 + row) * len(rows.symbols) + rows.name
    order = np.argsort(key, kind="stable")
    same = np.zeros(len(key), dtype=np.bool_)
    same[order[1:]] = key[order[1:]] == key[order[:-1]]
    if not same.any():
        return place, row
    doubled = np.isin(key, key[same])
    equal = np.ones(len(key), dtype=np.bool_)
    for column in rows.values.values():
        ordered = column[order]
        differs = (ordered[1:] != ordered[:-1]) & ~(np.isnan(ordered[1:]) & np.isnan(ordered[:-1]))
        equal[order[1:]] &= ~(differs & same[order[1:]])
    contradicting = np.isin(key, key[~equal])
    rows.note("doubled rows, counted once", same & ~contradicting)
    rows.note("doubled rows that contradict each other, left out", contradicting)
    kept = ~(doubled & (same | contradicting))
    rows.keep(kept)
    return place[kept], row[kept]


def moment(ns: int) -> datetime:
    return datetime.fromtimestamp(ns / 1e9, UTC)
