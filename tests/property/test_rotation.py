"""Lines that take turns: never too many, never too fast, and nobody is forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from deadband.live.rotation import Pace, Turn, Watched, turn

NAMES = tuple(f"N{i:03d}" for i in range(60))


@dataclass
class Desk:
    """What a lookout does with turns, a second each; `blind` names never have a live quote."""

    pace: Pace
    names: tuple[str, ...]
    blind: frozenset[str] = frozenset()
    watched: dict[str, Watched] = field(default_factory=dict)
    turned_at: dict[str, float] = field(default_factory=dict)
    last_seen: dict[str, float] = field(default_factory=dict)
    now: float = 0.0

    def second(self, first: tuple[str, ...] = ()) -> Turn:
        for name, line in self.watched.items():
            if name not in self.blind:
                self.watched[name] = Watched(line.since, self.now)
                self.last_seen[name] = self.now
        moved = turn(self.now, self.pace, first, self.names, self.watched, self.turned_at)
        for name in moved.drop:
            del self.watched[name]
            self.turned_at[name] = self.now
        for name in moved.add:
            assert name not in self.watched
            self.watched[name] = Watched(self.now)
        self.now += 1.0
        return moved


seconds = st.lists(st.lists(st.sampled_from(NAMES), max_size=12), min_size=1, max_size=80)


@given(
    lines=st.integers(1, 30),
    count=st.integers(1, 60),
    most=st.integers(1, 8),
    blind=st.frozensets(st.sampled_from(NAMES), max_size=20),
    firsts=seconds,
)
def test_lines_are_never_too_many_and_never_turned_over_too_fast(
    lines: int, count: int, most: int, blind: frozenset[str], firsts: list[list[str]]
) -> None:
    names = NAMES[:count]
    desk = Desk(Pace(lines, most), names, blind)
    for first in firsts:
        before = dict(desk.watched)
        moved = desk.second(tuple(first))
        assert len(desk.watched) <= lines
        assert len(moved.add) <= most
        assert len(set(moved.add)) == len(moved.add)
        assert set(moved.add).isdisjoint(moved.drop)
        # A line is given up for another name alone, and never one of those that come first.
        assert len(moved.drop) <= len(moved.add)
        most_kept = desk.pace.most_pinned(count)
        pinned = [name for name in dict.fromkeys(first) if name in names][:most_kept]
        assert set(moved.drop).isdisjoint(pinned)
        # A line that was not done yet goes only to a name that has to be watched.
        hasty = [name for name in moved.drop if desk.now - 1 - before[name].since < 2]
        assert len(hasty) <= len([name for name in moved.add if name in pinned])


@given(
    lines=st.integers(1, 30),
    most=st.integers(1, 8),
    first=st.lists(st.sampled_from(NAMES), max_size=40, unique=True),
)
def test_names_that_come_first_are_watched_soon_and_stay(
    lines: int, most: int, first: list[str]
) -> None:
    desk = Desk(Pace(lines, most), NAMES)
    most_kept = lines - max(lines // 10, 1)
    for _ in range(20):
        desk.second()
    turns = -(-min(len(first), lines) // most)
    for _ in range(turns):
        desk.second(tuple(first))
    for _ in range(30):
        assert set(first[:most_kept]) <= desk.watched.keys()
        desk.second(tuple(first))


@given(
    lines=st.integers(2, 30),
    count=st.integers(1, 60),
    most=st.integers(1, 8),
    pinned=st.integers(0, 28),
    blind=st.frozensets(st.sampled_from(NAMES), max_size=5),
)
def test_everybody_is_seen_as_often_as_the_lines_allow(
    lines: int, count: int, most: int, pinned: int, blind: frozenset[str]
) -> None:
    names, first = NAMES[:count], NAMES[:pinned]
    pace = Pace(lines, most)
    desk = Desk(pace, names, blind)
    kept = first[: pace.most_pinned(count)]
    turning = [name for name in names if name not in kept]
    spare = lines - len(kept)
    # A stay costs its seconds and one for the look; blind names cost their patience.
    stays = -(-len(turning) // max(min(spare, most), 1))
    longest = pace.patience_s if blind else pace.stay_s
    round_s = int(stays * (longest + 2) + len(first) / most + 2)
    for _ in range(2 * round_s):
        desk.second(first)
    for name in set(names) - blind:
        assert desk.now - desk.last_seen[name] <= round_s + 2, name


@given(lines=st.integers(1, 60), count=st.integers(1, 60))
def test_where_lines_are_enough_none_is_ever_given_up(lines: int, count: int) -> None:
    if count > lines:
        return
    desk = Desk(Pace(lines), NAMES[:count])
    for _ in range(60):
        assert desk.second(NAMES[count : count + 3]).drop == ()
    assert set(desk.watched) == set(NAMES[:count])


def test_a_name_that_left_gives_its_line_back() -> None:
    desk = Desk(Pace(4), NAMES[:4])
    for _ in range(5):
        desk.second()
    desk.names = NAMES[1:5]
    moved = desk.second()
    assert moved == Turn((NAMES[0],), (NAMES[4],))
