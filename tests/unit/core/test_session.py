"""Sessions: which days trade, from when to when, and how many open minutes lie between."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband.core.errors import DataError
from deadband.core.session import (
    EXCHANGE_ZONE,
    Session,
    next_session,
    open_minutes,
    open_minutes_since,
    previous_session,
    session_at,
    session_on,
    sessions_between,
)
from deadband.core.session_table import FIRST_DAY, LAST_DAY

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def nanoseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1) * 1000


def session(day: date) -> Session:
    found = session_on(day)
    assert found is not None
    return found


class TestDays:
    def test_a_full_day(self) -> None:
        full = session(date(2026, 11, 20))
        assert (full.open, full.close) == (utc(2026, 11, 20, 14, 30), utc(2026, 11, 20, 21))
        assert full.open.tzinfo is UTC
        assert full.minutes == 390
        assert not full.is_half_day

    @pytest.mark.parametrize("day", [date(2026, 11, 27), date(2026, 12, 24)])
    def test_a_half_day_closes_at_one_in_new_york(self, day: date) -> None:
        half = session(day)
        assert half.close == utc(day.year, day.month, day.day, 18)
        assert half.minutes == 210
        assert half.is_half_day

    @pytest.mark.parametrize(
        "day",
        [
            pytest.param(date(2001, 9, 11), id="attack"),
            pytest.param(date(2012, 10, 29), id="hurricane"),
            pytest.param(date(2015, 4, 3), id="good-friday"),
            pytest.param(date(2022, 6, 20), id="juneteenth-observed"),
            pytest.param(date(2025, 1, 9), id="carter-mourning"),
            pytest.param(date(2026, 7, 3), id="independence-day-observed"),
            pytest.param(date(2026, 11, 21), id="saturday"),
            pytest.param(date(2026, 11, 22), id="sunday"),
        ],
    )
    def test_a_closed_day_has_no_session(self, day: date) -> None:
        assert session_on(day) is None

    def test_new_years_day_on_a_saturday_is_not_moved_to_friday(self) -> None:
        assert session_on(date(2021, 12, 31)) is not None

    def test_daylight_saving_moves_the_open_in_utc(self) -> None:
        friday, monday = sessions_between(date(2026, 3, 6), date(2026, 3, 9))
        assert (friday.open.hour, monday.open.hour) == (14, 13)
        friday, monday = sessions_between(date(2026, 10, 30), date(2026, 11, 2))
        assert (friday.open.hour, monday.open.hour) == (13, 14)


class TestClock:
    def test_clock_time_is_new_york_time(self) -> None:
        assert session(date(2026, 7, 2)).at_clock("10:30") == utc(2026, 7, 2, 14, 30)
        assert session(date(2026, 12, 2)).at_clock("10:30") == utc(2026, 12, 2, 15, 30)

    @pytest.mark.parametrize("text", ["9:35", "24:00", "10:60", "10:30Z", "1030", ""])
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(DataError, match=f'"{text}" is not a time of day.*"09:35"'):
            session(date(2026, 7, 2)).at_clock(text)


class TestInstants:
    def test_the_open_belongs_to_the_session_and_the_close_does_not(self) -> None:
        friday = session(date(2026, 11, 20))
        tick = timedelta(microseconds=1)
        assert friday.open in friday
        assert friday.close - tick in friday
        assert friday.open - tick not in friday
        assert friday.close not in friday

    def test_session_at_finds_the_open_session_only(self) -> None:
        assert session_at(utc(2026, 11, 20, 15)) == session(date(2026, 11, 20))
        assert session_at(utc(2026, 11, 20, 21)) is None
        assert session_at(utc(2026, 11, 21, 15)) is None

    def test_any_zone_will_do(self) -> None:
        tokyo = timezone(timedelta(hours=9))
        saturday_in_tokyo = datetime(2026, 11, 21, 1, tzinfo=tokyo)
        assert session_at(saturday_in_tokyo) == session(date(2026, 11, 20))


class TestNeighbours:
    def test_they_skip_weekends_and_holidays(self) -> None:
        assert previous_session(date(2026, 11, 27)).day == date(2026, 11, 25)
        assert next_session(date(2026, 11, 25)).day == date(2026, 11, 27)
        assert next_session(date(2026, 11, 27)).day == date(2026, 11, 30)

    def test_a_day_without_a_session_has_neighbours_too(self) -> None:
        assert previous_session(date(2026, 11, 22)).day == date(2026, 11, 20)
        assert next_session(date(2026, 11, 22)).day == date(2026, 11, 23)

    def test_sessions_between_includes_both_ends(self) -> None:
        week = sessions_between(date(2026, 11, 23), date(2026, 11, 27))
        assert [s.day.day for s in week] == [23, 24, 25, 27]

    def test_sessions_between_is_empty_without_sessions(self) -> None:
        assert sessions_between(date(2026, 11, 21), date(2026, 11, 22)) == ()
        assert sessions_between(date(2026, 11, 24), date(2026, 11, 23)) == ()


class TestOpenMinutes:
    @pytest.mark.parametrize(
        ("start", "end", "minutes"),
        [
            pytest.param(utc(2026, 11, 20, 15), utc(2026, 11, 20, 15, 45), 45, id="inside"),
            pytest.param(utc(2026, 11, 20, 9), utc(2026, 11, 20, 23), 390, id="whole-day"),
            pytest.param(utc(2026, 11, 19, 20, 50), utc(2026, 11, 20, 14, 35), 15, id="overnight"),
            pytest.param(utc(2026, 11, 20, 20, 50), utc(2026, 11, 23, 14, 35), 15, id="weekend"),
            pytest.param(utc(2026, 11, 25, 20, 50), utc(2026, 11, 27, 20), 220, id="holiday-half"),
            pytest.param(utc(2026, 3, 6, 20, 50), utc(2026, 3, 9, 13, 35), 15, id="clocks-forward"),
            pytest.param(utc(2026, 11, 21), utc(2026, 11, 22), 0, id="closed"),
            pytest.param(utc(2026, 11, 20, 16), utc(2026, 11, 20, 15), 0, id="backwards"),
            pytest.param(utc(1998, 1, 1, 12), utc(1998, 1, 2, 14, 31), 1, id="first-session"),
        ],
    )
    def test_only_open_market_counts(self, start: datetime, end: datetime, minutes: float) -> None:
        assert open_minutes(start, end) == minutes
        since = open_minutes_since(np.array([nanoseconds(start)], dtype=np.int64), end)
        assert since.tolist() == [minutes]

    def test_seconds_are_fractions_of_a_minute(self) -> None:
        start = utc(2026, 11, 20, 15)
        assert open_minutes(start, start + timedelta(seconds=90)) == 1.5

    def test_clock_changes_do_not_bend_new_york_datetimes(self) -> None:
        start = datetime(2026, 10, 30, 15, 50, tzinfo=EXCHANGE_ZONE)
        end = datetime(2026, 11, 2, 9, 35, tzinfo=EXCHANGE_ZONE)
        assert open_minutes(start, end) == 15

    def test_what_has_not_started_has_lasted_no_time(self) -> None:
        end = utc(2026, 11, 20, 15)
        starts = np.array([-1, nanoseconds(end - timedelta(minutes=10)), -1], dtype=np.int64)
        since = open_minutes_since(starts, end)
        assert since.tolist() == [0, 10, 0]
        assert since.dtype == np.float64

    def test_no_starts_give_no_minutes(self) -> None:
        assert open_minutes_since(np.array([], dtype=np.int64), utc(2026, 11, 20)).size == 0


FIRST, LAST = (datetime.combine(day, time(12)) for day in (FIRST_DAY, LAST_DAY))
instants = st.datetimes(FIRST, LAST, timezones=st.just(UTC))


@given(starts=st.lists(instants, max_size=5), end=instants)
def test_vectorised_equals_scalar(starts: list[datetime], end: datetime) -> None:
    since = open_minutes_since(np.array([nanoseconds(s) for s in starts], dtype=np.int64), end)
    assert since.tolist() == [open_minutes(s, end) for s in starts]


@given(start=instants, length=st.timedeltas(timedelta(0), timedelta(days=20)))
def test_open_minutes_are_the_sum_of_overlaps_with_sessions(
    start: datetime, length: timedelta
) -> None:
    end = min(start + length, LAST.replace(tzinfo=UTC))
    overlaps = [
        max(min(end, s.close) - max(start, s.open), timedelta(0))
        for s in sessions_between(start.astimezone(EXCHANGE_ZONE).date(), end.date())
    ]
    assert open_minutes(start, end) == sum(overlaps, timedelta(0)) / timedelta(minutes=1)


@given(instant=instants)
def test_an_instant_is_in_the_session_found_for_it(instant: datetime) -> None:
    found = session_at(instant)
    assert found is None or instant in found
    assert (found is not None) == (open_minutes(instant, instant + timedelta(microseconds=1)) > 0)


class TestRefusals:
    AWARE = utc(2026, 11, 20, 15)
    NAIVE = AWARE.replace(tzinfo=None)

    def test_naive_datetimes(self) -> None:
        cure = "2026-11-20T15:00:00 has no time zone.*Add tzinfo=UTC"
        with pytest.raises(DataError, match=cure):
            session_at(self.NAIVE)
        with pytest.raises(DataError, match=cure):
            _ = self.NAIVE in session(date(2026, 11, 20))
        with pytest.raises(DataError, match=cure):
            open_minutes(self.NAIVE, self.AWARE)
        with pytest.raises(DataError, match=cure):
            open_minutes(self.AWARE, self.NAIVE)
        with pytest.raises(DataError, match=cure):
            open_minutes_since(np.array([-1], dtype=np.int64), self.NAIVE)

    def test_an_instant_where_a_day_is_expected(self) -> None:
        with pytest.raises(DataError, match=r"is an instant.*session_at"):
            session_on(self.AWARE)

    @pytest.mark.parametrize("day", [FIRST_DAY - timedelta(days=1), LAST_DAY + timedelta(days=1)])
    def test_days_outside_the_table(self, day: date) -> None:
        message = f"{day} is outside the session table, which covers {FIRST_DAY} to {LAST_DAY}"
        for ask in (session_on, previous_session, next_session):
            with pytest.raises(DataError, match=message):
                ask(day)
        with pytest.raises(DataError, match=message):
            sessions_between(day, LAST_DAY)
        with pytest.raises(DataError, match=message):
            sessions_between(FIRST_DAY, day)

    def test_neighbours_beyond_the_table(self) -> None:
        with pytest.raises(DataError, match="The session before 1998-01-02 is outside"):
            previous_session(date(1998, 1, 2))
        with pytest.raises(DataError, match=f"The session after {LAST_DAY} is outside"):
            next_session(LAST_DAY)

    def test_instants_outside_the_table(self) -> None:
        before = utc(1998, 1, 1, 4, 59)
        after = session(LAST_DAY).close + timedelta(days=1)
        for instant in (before, after):
            with pytest.raises(DataError, match="outside the session table"):
                session_at(instant)
            with pytest.raises(DataError, match="outside the session table"):
                open_minutes(instant, self.AWARE)
        with pytest.raises(DataError, match=r"1998-01-01T04:59:00\+00:00 is outside"):
            open_minutes_since(np.array([nanoseconds(before)], dtype=np.int64), self.AWARE)
