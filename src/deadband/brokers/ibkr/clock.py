"""The event loop's clock, and the wall clock that the caller hands in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class LoopClock:
    """Seconds and timers of the running loop; `wall_ns` gives epoch nanoseconds UTC."""

    def __init__(self, wall_ns: Callable[[], int]) -> None:
        self.wall_ns = wall_ns

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def later(self, seconds: float, act: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, act)
