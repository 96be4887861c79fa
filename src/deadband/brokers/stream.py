"""The one stream of events: numbered without gaps, in the order heard, for one listener."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from ..core.broker import Clock
from ..core.events import BrokerEvent, Heard


class Stream:
    """Keeps what was not taken yet; nothing is dropped."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: deque[Heard] = deque()
        self._seq = 0
        self._bell = asyncio.Event()
        self._is_closed = False

    def put(self, event: BrokerEvent) -> None:
        self._seq += 1
        self._waiting.append(Heard(self._seq, self._clock.wall_ns(), event))
        self._bell.set()

    def close(self) -> None:
        """No more will come; the listener ends when it has taken all."""
        self._is_closed = True
        self._bell.set()

    def taken(self) -> tuple[Heard, ...]:
        """Everything that waits, without waiting for more."""
        heard, self._waiting = tuple(self._waiting), deque()
        self._bell.clear()
        return heard

    async def __aiter__(self) -> AsyncIterator[Heard]:
        while self._waiting or not self._is_closed:
            while self._waiting:
                yield self._waiting.popleft()
            self._bell.clear()
            if not self._waiting and not self._is_closed:
                await self._bell.wait()
