"""The outbox: what is sent next, and how fast, so that a kill is never behind a queue.

Rules
  * Lanes are emptied in their order: kill, reducing orders, new orders, requests; each first in,
    first out.
  * One bucket for all: `rate` messages a second, `burst` at once, never more than their sum in any
    second.
  * What has a key takes the place of what waits under it: a second change of an order makes the
    first one needless.
  * Purging hands back what was not sent, so that its sender can say so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from ...core.broker import Clock, Timer

Send = Callable[[], None]


class Lane(IntEnum):
    """Who goes first."""

    KILL = 0
    """Cancels."""
    REDUCE = 1
    """Orders that bring a position nearer to flat, and changes that only take off an order."""
    NEW = 2
    """Other orders and changes."""
    REQUEST = 3
    """Questions and subscriptions."""


LEAST_RATE = 5.0
"""Messages a second below which no slowing down goes."""
ORDERS = frozenset({Lane.REDUCE, Lane.NEW})


@dataclass(slots=True, eq=False)
class _Item:
    send: Send
    key: str
    since: float


@dataclass(slots=True)
class Meter:
    """What went through: messages by lane, and the longest wait of each in seconds."""

    sent: dict[Lane, int]
    longest_wait_s: dict[Lane, float]
    orders: int = 0
    changes: int = 0
    cancels: int = 0
    executions: int = 0

    @property
    def efficiency_ratio(self) -> float:
        """Orders, changes and cancels for each execution: IBKR looks at it, lower is better."""
        return (self.orders + self.changes + self.cancels) / (self.executions + 1)


class Pacer:
    """Holds messages until they may go; closed until it is opened."""

    def __init__(self, clock: Clock, rate: float, burst: int) -> None:
        self._clock, self._rate, self._burst = clock, rate, burst
        self._lanes: dict[Lane, deque[_Item]] = {lane: deque() for lane in Lane}
        self._tokens, self._at = float(burst), 0.0
        self._timer: Timer | None = None
        self.is_open = False
        self.meter = Meter(dict.fromkeys(Lane, 0), dict.fromkeys(Lane, 0.0))

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def open(self) -> None:
        self._tokens, self._at = float(self._burst), self._clock.now()
        self.is_open = True
        self._pump()

    def close(self) -> tuple[str, ...]:
        """Send nothing more; gives back the keys of what waited."""
        self.is_open = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return self.purge(Lane)

    def slow_down(self) -> None:
        """Send half as fast from now on: the other end has counted more than we did."""
        self._rate = max(self._rate / 2, LEAST_RATE)

    def put(self, lane: Lane, send: Send, key: str = "") -> None:
        """Send as soon as the lane's turn comes; a waiting message of the same key is dropped."""
        item = _Item(send, key, self._clock.now())
        waiting = self._find(key) if key else None
        if waiting is not None:
            waiting[0][waiting[1]] = item
        else:
            self._lanes[lane].append(item)
        self._pump()

    def drop(self, key: str) -> bool:
        """Take back one message; whether it had been waiting."""
        found = self._find(key)
        if found is not None:
            del found[0][found[1]]
        return found is not None

    def purge(self, lanes: Iterable[Lane]) -> tuple[str, ...]:
        """Drop what waits in some lanes; gives back their keys, in the order of waiting."""
        keys = []
        for lane in lanes:
            keys += [item.key for item in self._lanes[lane] if item.key]
            self._lanes[lane].clear()
        return tuple(keys)

    def _find(self, key: str) -> tuple[deque[_Item], int] | None:
        for lane in self._lanes.values():
            for place, item in enumerate(lane):
                if item.key == key:
                    return lane, place
        return None

    def _pump(self) -> None:
        """Send what the bucket allows, and come back for the rest."""
        now = self._clock.now()
        self._tokens = min(self._tokens + (now - self._at) * self._rate, float(self._burst))
        self._at = now
        # A hair of rounding must not make a timer fire in vain for ever.
        while self.is_open and self._tokens >= 1.0 - 1e-9:
            lane = next((lane for lane, items in self._lanes.items() if items), None)
            if lane is None:
                return
            item = self._lanes[lane].popleft()
            self._tokens -= 1.0
            self.meter.sent[lane] += 1
            wait = now - item.since
            self.meter.longest_wait_s[lane] = max(self.meter.longest_wait_s[lane], wait)
            item.send()
        if self.is_open and self._timer is None and len(self):
            self._timer = self._clock.later((1.0 - self._tokens) / self._rate, self._again)

    def _again(self) -> None:
        self._timer = None
        self._pump()
