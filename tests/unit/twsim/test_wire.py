"""Frames, fields, stamps and chance."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from deadband.core.errors import DataError
from deadband.twsim.chance import normal, uniform
from deadband.twsim.timeline import Timeline, exchange_stamp, parse_stamp, stamp
from deadband.twsim.wire import (
    BadField,
    BadFrame,
    Frames,
    flag,
    frame,
    number,
    offered_versions,
    split,
    text,
    whole,
)

NOON = datetime(2026, 3, 2, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "written"),
    [
        (None, ""),
        (True, "1"),
        (False, "0"),
        (100, "100"),
        (100.0, "100"),
        (199.99, "199.99"),
        (0.0001, "0.0001"),
        (0.1 + 0.2, "0.3"),
        (math.inf, "Infinite"),
        (math.nan, ""),
        ("Zürich", "Zürich"),
    ],
)
def test_fields_as_they_are_written(field: str | float | None, written: str) -> None:
    assert text(field) == written


def test_frames_are_ascii() -> None:
    assert frame((4, "é")) == b"\x00\x00\x00\x07" + b"4\0" + rb"\xe9" + b"\0"


@pytest.mark.parametrize(
    "unset", ["", "2147483647", "1.7976931348623157e+308", "1.7976931348623157E308"]
)
def test_the_several_ways_of_no_number(unset: str) -> None:
    assert number(unset) is None
    assert whole(unset, 7) == 7


def test_numbers_and_flags() -> None:
    assert number("Infinite") == math.inf
    assert whole("5.0") == 5
    assert [flag(written) for written in ("1", "true", "0", "", "False")] == [1, 1, 0, 0, 0]
    for wrong in ("x", "nan"):
        with pytest.raises(BadField):
            number(wrong)
    for wrong in ("1.5", "Infinite"):
        with pytest.raises(BadField):
            whole(wrong)


@pytest.mark.parametrize("wrong", [b"", b"GET / HTTP", b"v", b"vX..Y", b"v1..2..3"])
def test_a_greeting_that_is_none(wrong: bytes) -> None:
    with pytest.raises(BadFrame):
        offered_versions(wrong)


def test_a_single_version_is_a_range() -> None:
    assert offered_versions(b"v178") == (178, 178)


def test_the_first_bytes_decide() -> None:
    with pytest.raises(BadFrame):
        list(Frames().feed(b"GET "))
    frames = Frames()
    assert list(frames.feed(b"AP")) == []
    assert list(frames.feed(b"I\0" + b"\x00\x00\x00\x04v178")) == [b"v178"]


def test_a_body_has_to_end() -> None:
    with pytest.raises(BadField):
        split(b"49\x001")


def test_stamps_there_and_back() -> None:
    assert stamp(NOON) == "20260302 17:00:00 UTC"
    assert exchange_stamp(NOON) == "20260302 12:00:00 US/Eastern"
    for written in (
        *("20260302 17:00:00 UTC", "20260302-17:00:00", "20260302 12:00:00 US/Eastern"),
        "20260302 12:00:00",
    ):
        assert parse_stamp(written) == NOON
    for wrong in ("noon", "20260302", "20260302 12:00:00 Mars/Base"):
        with pytest.raises(ValueError, match=r"."):
            parse_stamp(wrong)


def test_the_timeline_does_things_in_order_of_time_then_of_asking() -> None:
    line, done = Timeline(NOON), []
    line.after(2, lambda: done.append(("b", line.now.second)))
    line.after(1, lambda: done.append(("a", line.now.second)))
    line.after(2, lambda: done.append(("c", line.now.second)))
    line.at(NOON.replace(hour=1), lambda: done.append(("late", line.now.second)))
    line.run_for(0)
    assert done == [("late", 0)]
    assert line.next_due is not None
    line.run_for(5)
    assert done[1:] == [("a", 1), ("b", 2), ("c", 2)]
    assert line.now.second == 5
    assert line.next_due is None


def test_chance_belongs_to_its_event() -> None:
    assert uniform(1, "a", 2) == uniform(1, "a", 2)
    assert uniform(1, "a", 2) != uniform(1, "a", 3) != uniform(2, "a", 3)
    many = [uniform(1, n) for n in range(2000)]
    assert 0 < min(many) < max(many) < 1
    assert sum(many) / 2000 == pytest.approx(0.5, abs=0.02)
    bells = [normal(1, n) for n in range(2000)]
    assert sum(x * x for x in bells) / 2000 == pytest.approx(1.0, abs=0.1)


def test_days_beyond_the_session_table_are_an_error_with_a_cure() -> None:
    from deadband.twsim.contracts import hours

    with pytest.raises(DataError, match="upgrade deadband"):
        hours(datetime(2029, 1, 1, tzinfo=UTC), liquid=True)
