"""The outbox on a clock in the test's hands: who goes first, how fast, and what is taken back."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband.brokers.ibkr.pacer import ORDERS, Lane, Pacer


class _Timer:
    def __init__(self) -> None:
        self.is_canceled = False

    def cancel(self) -> None:
        self.is_canceled = True


class HandClock:
    """Seconds that pass when the test says so; timers fire on the way."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._due: list[tuple[float, int, _Timer, Callable[[], None]]] = []
        self._turn = count()

    def now(self) -> float:
        return self.seconds

    def wall_ns(self) -> int:
        return int(self.seconds * 1e9)

    def later(self, seconds: float, act: Callable[[], None]) -> _Timer:
        timer = _Timer()
        heapq.heappush(self._due, (self.seconds + seconds, next(self._turn), timer, act))
        return timer

    def pass_by(self, seconds: float) -> None:
        end = self.seconds + seconds
        while self._due and self._due[0][0] <= end:
            at, _, timer, act = heapq.heappop(self._due)
            self.seconds = max(self.seconds, at)
            if not timer.is_canceled:
                act()
        self.seconds = end


class Outbox:
    """A pacer, and when it sent what."""

    def __init__(self, rate: float = 40.0, burst: int = 8) -> None:
        self.clock = HandClock()
        self.pacer = Pacer(self.clock, rate, burst)
        self.sent: list[tuple[float, str]] = []
        self.pacer.open()

    def put(self, lane: Lane, name: str) -> None:
        self.pacer.put(lane, lambda: self.sent.append((self.clock.now(), name)), name)

    def when(self, name: str) -> float:
        return next(at for at, said in self.sent if said == name)


def test_a_cancel_overtakes_three_hundred_requests_within_fifty_milliseconds() -> None:
    box = Outbox()
    for k in range(300):
        box.put(Lane.REQUEST, f"q{k}")
    box.clock.pass_by(1.0)
    asked = box.clock.now()
    box.put(Lane.KILL, "cancel")
    box.clock.pass_by(1.0)
    assert box.when("cancel") - asked <= 0.050
    assert len(box.pacer) > 200


def test_a_kill_takes_back_what_waits_and_its_cancels_leave_first() -> None:
    box = Outbox()
    for k in range(300):
        box.put(Lane.NEW, f"o{k}")
    box.clock.pass_by(0.5)
    gone = len(box.sent)
    taken_back = box.pacer.purge(ORDERS)
    assert gone + len(taken_back) == 300
    assert taken_back[0] == f"o{gone}"
    box.put(Lane.REQUEST, "question")
    for k in range(gone):
        box.put(Lane.KILL, f"!o{k}")
    box.clock.pass_by(10.0)
    after = [name for _, name in box.sent[gone:]]
    assert after == [f"!o{k}" for k in range(gone)] + ["question"]


def test_lanes_go_in_their_order_and_each_first_in_first_out() -> None:
    box = Outbox(rate=10, burst=1)
    box.put(Lane.REQUEST, "first")
    for lane in reversed(Lane):
        box.put(lane, f"{lane.name} 1")
        box.put(lane, f"{lane.name} 2")
    box.clock.pass_by(5.0)
    names = [f"{lane.name} {k}" for lane in Lane for k in (1, 2)]
    assert [name for _, name in box.sent] == ["first", *names]


@given(st.lists(st.tuples(st.sampled_from(Lane), st.floats(0, 0.2)), max_size=150))
def test_in_no_second_leave_more_than_rate_and_burst(puts: list[tuple[Lane, float]]) -> None:
    box = Outbox(rate=20, burst=4)
    for k, (lane, pause) in enumerate(puts):
        box.put(lane, f"{k}")
        box.clock.pass_by(pause)
    box.clock.pass_by(30.0)
    times = [at for at, _ in box.sent]
    assert len(times) == len(puts)
    assert times == sorted(times)
    for first in times:
        assert sum(first <= at < first + 1.0 for at in times) <= 24


def test_a_second_change_takes_the_place_of_the_first() -> None:
    box = Outbox(rate=10, burst=1)
    box.put(Lane.NEW, "go")
    box.pacer.put(Lane.NEW, lambda: box.sent.append((0.0, "old")), "~a")
    box.put(Lane.NEW, "between")
    box.pacer.put(Lane.NEW, lambda: box.sent.append((0.0, "new")), "~a")
    box.clock.pass_by(2.0)
    assert [name for _, name in box.sent] == ["go", "new", "between"]


def test_a_closed_outbox_sends_nothing_and_gives_back_what_waited() -> None:
    box = Outbox(rate=10, burst=1)
    for name in ("a", "b", "c"):
        box.put(Lane.NEW, name)
    assert box.pacer.close() == ("b", "c")
    box.put(Lane.KILL, "d")
    box.clock.pass_by(5.0)
    assert [name for _, name in box.sent] == ["a"]
    box.pacer.open()
    assert [name for _, name in box.sent] == ["a", "d"]


def test_one_message_is_taken_back_by_its_key() -> None:
    box = Outbox(rate=10, burst=1)
    box.put(Lane.NEW, "a")
    box.put(Lane.NEW, "b")
    assert box.pacer.drop("b")
    assert not box.pacer.drop("b")
    box.clock.pass_by(2.0)
    assert [name for _, name in box.sent] == ["a"]


def test_the_meter_counts_lanes_waits_and_messages_for_each_execution() -> None:
    box = Outbox(rate=10, burst=1)
    box.put(Lane.NEW, "a")
    box.put(Lane.NEW, "b")
    box.clock.pass_by(1.0)
    meter = box.pacer.meter
    assert meter.sent[Lane.NEW] == 2
    assert meter.longest_wait_s[Lane.NEW] == pytest.approx(0.1)
    meter.orders, meter.cancels, meter.changes, meter.executions = 6, 2, 1, 2
    assert meter.efficiency_ratio == 3.0


def test_slowing_down_halves_the_rate_down_to_a_least_one() -> None:
    box = Outbox(rate=16, burst=1)
    box.pacer.slow_down()
    for k in range(9):
        box.put(Lane.NEW, f"{k}")
    box.clock.pass_by(1.001)
    assert len(box.sent) == 9
    for _ in range(9):
        box.pacer.slow_down()
    for k in range(6):
        box.put(Lane.NEW, f"late {k}")
    box.clock.pass_by(1.001)
    assert len(box.sent) == 14
