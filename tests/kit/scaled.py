"""A day in a minute, over real sockets and real processes: a clock that runs ahead of the wall's.

Every process that has the same clock is in the same instant: they share the origin, which is of the
machine's monotonic clock, and how fast the time goes from when to when. An event loop on that clock
sleeps shorter by as much, so that what waits for seconds waits for seconds of the clock.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Clock:
    """Begins at `start` (aware) when the monotonic clock shows `origin`, in seconds.

    `legs`: (seconds after the start up to which it holds, clock seconds a second); the last speed
    goes on for ever.
    """

    start: datetime
    legs: tuple[tuple[float, float], ...]
    origin: float

    @classmethod
    def begun(cls, start: datetime, *legs: tuple[datetime, float]) -> Clock:
        """A clock that begins now; each leg is the instant up to which its speed holds."""
        until = tuple(((moment - start).total_seconds(), speed) for moment, speed in legs)
        return cls(start, until, time.monotonic())

    def seconds(self, real: float | None = None) -> float:
        """Clock seconds since the start, now or when the monotonic clock showed `real`."""
        left = (time.monotonic() if real is None else real) - self.origin
        begun = 0.0
        for until, speed in self.legs[:-1]:
            length = (until - begun) / speed
            if left <= length:
                return begun + left * speed
            left, begun = left - length, until
        return begun + left * self.legs[-1][1]

    def real(self, seconds: float) -> float:
        """What the monotonic clock shows so many clock seconds after the start."""
        passed, begun = 0.0, 0.0
        for until, speed in self.legs[:-1]:
            if seconds <= until:
                return self.origin + passed + (seconds - begun) / speed
            passed, begun = passed + (until - begun) / speed, until
        return self.origin + passed + (seconds - begun) / self.legs[-1][1]

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds())

    def text(self) -> str:
        """For another process, which makes the same clock of it by `of`."""
        return json.dumps([self.start.isoformat(), self.legs, self.origin])

    @classmethod
    def of(cls, text: str) -> Clock:
        start, legs, origin = json.loads(text)
        return cls(datetime.fromisoformat(start), tuple(map(tuple, legs)), origin)


class ScaledLoop(asyncio.SelectorEventLoop):
    """An event loop whose `time` is the clock's; it speaks with real sockets."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        super().__init__(_Selector(clock))

    def time(self) -> float:
        return self.clock.seconds()


class _Selector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    """Waits for as long as the clock takes for that many seconds of its own."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout > 0:
            due = self._clock.real(self._clock.seconds() + timeout)
            timeout = max(due - time.monotonic(), 0.0)
        found: list[tuple[selectors.SelectorKey, int]] = super().select(timeout)
        return found


def run(clock: Clock, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a coroutine on the clock's time."""
    with asyncio.Runner(loop_factory=lambda: ScaledLoop(clock)) as runner:
        return runner.run(work())


def steady(start: datetime, speed: float) -> Clock:
    """A clock that begins now and runs at one speed."""
    return Clock.begun(start, (start + timedelta(days=1), speed))
