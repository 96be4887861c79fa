"""When the US equity market is open: NYSE regular sessions, holidays, half-days, open minutes.

Instants are aware datetimes and answers are UTC. Days are exchange days, the date in New York.
Nothing here reads a clock. Only days inside the shipped table are answered: outside it a guess
about holidays would be wrong without anyone noticing.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import accumulate
from operator import sub
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from .errors import DataError
from .session_table import EARLY_CLOSES, FIRST_DAY, HOLIDAYS, LAST_DAY

EXCHANGE_ZONE = ZoneInfo("America/New_York")
SESSION_MIN = 390.0
"""Minutes of a full session."""
OPEN, CLOSE = time(9, 30), time(16)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_MICROSECOND = timedelta(microseconds=1)
_MINUTE_US = 60_000_000
_NO_START = -1
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Session:
    """One day's regular trading, from `open` up to but not including `close`, both UTC."""

    day: date
    open: datetime
    close: datetime

    @property
    def is_half_day(self) -> bool:
        """Whether trading ends before 16:00 exchange clock."""
        return self.close < _instant(self.day, CLOSE)

    @property
    def minutes(self) -> float:
        """Length in minutes: 390 on a full day, 210 on a half-day."""
        return (self.close - self.open) / _MINUTE

    def at_clock(self, hhmm: str) -> datetime:
        """Give the UTC instant when New York clocks show `hhmm` ("09:35") on this day."""
        return _instant(self.day, _clock(hhmm))

    def __contains__(self, instant: datetime) -> bool:
        """Whether the market is open at the instant."""
        return self.open <= _aware(instant) < self.close


@lru_cache
def exchange_day(instant: datetime) -> date:
    """The date in New York at the instant."""
    return _aware(instant).astimezone(EXCHANGE_ZONE).date()


def session_on(day: date) -> Session | None:
    """Look up the session of an exchange day; None on a weekend or holiday."""
    return _calendar().by_day.get(_inside_table(day))


def session_at(instant: datetime) -> Session | None:
    """Find the session that is open at the instant; None while the market is closed."""
    session = session_on(exchange_day(instant))
    return session if session is not None and instant in session else None


def sessions_between(first: date, last: date) -> tuple[Session, ...]:
    """List the sessions from `first` to `last`, both included."""
    days = _calendar().days
    start = bisect_left(days, _inside_table(first))
    stop = bisect_right(days, _inside_table(last))
    return _calendar().sessions[start:stop]


def previous_session(day: date) -> Session:
    """Find the last session strictly before the day."""
    position = bisect_left(_calendar().days, _inside_table(day)) - 1
    if position < 0:
        raise _outside_table(f"The session before {day}")
    return _calendar().sessions[position]


def next_session(day: date) -> Session:
    """Find the first session strictly after the day."""
    position = bisect_right(_calendar().days, _inside_table(day))
    if position == len(_calendar().days):
        raise _outside_table(f"The session after {day}")
    return _calendar().sessions[position]


def open_minutes(start: datetime, end: datetime) -> float:
    """Count the minutes of open market from start to end; 0 if end is not after start."""
    return max((_open_until(end) - _open_until(start)) / _MINUTE, 0.0)


def open_minutes_since(starts: NDArray[np.int64], end: datetime) -> NDArray[np.float64]:
    """Count open minutes from each start to one end, as `open_minutes` does.

    Starts are nanoseconds since 1970 UTC; -1 means nothing has started, and counts 0.
    """
    end_us = np.int64(_epoch_us(end))
    # What has not started is taken to start at the end, and so has lasted no time.
    starts_us = np.where(starts == _NO_START, end_us, starts // 1000)
    lasted = _open_us_until(np.array([end_us])) - _open_us_until(starts_us)
    return lasted.clip(min=0) / _MINUTE_US


def _open_until(instant: datetime) -> timedelta:
    """Time the market was open from the table's start to the instant."""
    calendar = _calendar()
    if not calendar.opens[0] <= _aware(instant) < calendar.end:
        raise _outside_table(instant.isoformat())
    at = bisect_right(calendar.opens, instant) - 1
    return calendar.open_before[at] + (min(instant, calendar.closes[at]) - calendar.opens[at])


def _open_us_until(instants: NDArray[np.int64]) -> NDArray[np.int64]:
    """`_open_until` for many instants, all in microseconds: finer than that no datetime is."""
    opens, closes, open_before = _calendar_us()
    outside = (instants < opens[0]) | (instants >= _epoch_us(_calendar().end))
    if outside.any():
        first = _EPOCH + int(instants[outside][0]) * _MICROSECOND
        raise _outside_table(first.isoformat())
    at = opens.searchsorted(instants, side="right") - 1
    until: NDArray[np.int64] = np.minimum(instants, closes[at])
    return open_before[at] + until - opens[at]


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The table laid out for searching.

    `opens`, `closes` and `open_before` begin with a session of no length at the table's first
    midnight, so that every instant in the table has a session that began before it.
    """

    sessions: tuple[Session, ...]
    days: tuple[date, ...]
    by_day: Mapping[date, Session]
    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]
    open_before: tuple[timedelta, ...]
    end: datetime


@cache
def _calendar() -> _Calendar:
    sessions = tuple(_sessions())
    start = _instant(FIRST_DAY, time())
    opens = (start, *(s.open for s in sessions))
    closes = (start, *(s.close for s in sessions))
    lengths = map(sub, closes, opens)
    return _Calendar(
        sessions=sessions,
        days=tuple(s.day for s in sessions),
        by_day={s.day: s for s in sessions},
        opens=opens,
        closes=closes,
        open_before=tuple(accumulate(lengths, initial=timedelta(0)))[:-1],
        end=_instant(LAST_DAY + _DAY, time()),
    )


@cache
def _calendar_us() -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The calendar's opens, closes and open time before, in microseconds."""
    calendar = _calendar()
    opens = np.array([_epoch_us(instant) for instant in calendar.opens], dtype=np.int64)
    closes = np.array([_epoch_us(instant) for instant in calendar.closes], dtype=np.int64)
    lengths = closes - opens
    return opens, closes, lengths.cumsum() - lengths


def _sessions() -> Iterator[Session]:
    """Every session of the table, in order."""
    holidays = set(_days(HOLIDAYS))
    early = {day: _clock(hhmm) for hhmm, years in EARLY_CLOSES.items() for day in _days(years)}
    for n in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + n * _DAY
        if day.weekday() < _SATURDAY and day not in holidays:
            yield Session(day, _instant(day, OPEN), _instant(day, early.get(day, CLOSE)))


def _days(years: Mapping[int, str]) -> Iterator[date]:
    """Read the table's notation: `{2026: "11-27 12-24"}` holds two days."""
    for year, names in years.items():
        yield from (date.fromisoformat(f"{year}-{name}") for name in names.split())


def _clock(hhmm: str) -> time:
    match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)", hhmm)
    if match is None:
        raise DataError(
            f'"{hhmm}" is not a time of day. '
            'Write hours and minutes in two digits each, "00:00" to "23:59", as in "09:35".'
        )
    return time(int(match[1]), int(match[2]))


def _instant(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, EXCHANGE_ZONE).astimezone(UTC)


def _epoch_us(instant: datetime) -> int:
    return (_aware(instant) - _EPOCH) // _MICROSECOND


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise DataError(
            f"{instant.isoformat()} has no time zone, so it could be any of several instants. "
            "Add tzinfo=UTC, or tzinfo=EXCHANGE_ZONE if it was read off a New York clock."
        )
    return instant


def _inside_table(day: date) -> date:
    # A datetime is a date to Python, but equals none and so would look like a holiday.
    if isinstance(day, datetime):
        raise DataError(
            f"{day.isoformat()} is an instant, and a day of the exchange is expected. "
            "Use session_at(instant), or instant.astimezone(EXCHANGE_ZONE).date()."
        )
    if not FIRST_DAY <= day <= LAST_DAY:
        raise _outside_table(day.isoformat())
    return day


def _outside_table(what: str) -> DataError:
    return DataError(
        f"{what} is outside the session table, which covers {FIRST_DAY} to {LAST_DAY}. "
        "Use days inside it, or upgrade deadband: each release carries a newer table "
        "(from a source tree: python tools/make_session_table.py)."
    )
