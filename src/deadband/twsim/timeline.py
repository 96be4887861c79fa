"""One clock and everything that is due on it, in order of time and then of asking.

The clock moves only when it is told to: a test tells it, or the server does from the wall clock.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from ..core.errors import ConfigError
from ..core.session import EXCHANGE_ZONE

Act = Callable[[], None]


class Timeline:
    """The gateway's time; `now` is an aware UTC datetime."""

    def __init__(self, start: datetime) -> None:
        self.now = start.astimezone(UTC)
        self._due: list[tuple[datetime, int, Act]] = []
        self._turn = count()

    def at(self, moment: datetime, act: Act) -> None:
        """Do `act` when the clock reaches `moment`, or at the next move if that has passed."""
        heapq.heappush(self._due, (max(moment, self.now), next(self._turn), act))

    def after(self, seconds: float, act: Act) -> None:
        self.at(self.now + timedelta(seconds=seconds), act)

    def run_until(self, moment: datetime) -> None:
        """Move the clock to `moment` and do what falls due on the way, each at its own time."""
        while self._due and self._due[0][0] <= moment:
            due, _, act = heapq.heappop(self._due)
            self.now = max(self.now, due)
            act()
        self.now = max(self.now, moment)

    def run_for(self, seconds: float) -> None:
        self.run_until(self.now + timedelta(seconds=seconds))

    @property
    def next_due(self) -> datetime | None:
        return self._due[0][0] if self._due else None


def stamp(moment: datetime) -> str:
    """An instant as executions show it, zone spelled out: `20260302 14:30:00 UTC`."""
    return moment.astimezone(UTC).strftime("%Y%m%d %H:%M:%S UTC")


def exchange_stamp(moment: datetime) -> str:
    """An instant on New York clocks, as bars show it: `20260302 09:30:00 US/Eastern`."""
    return moment.astimezone(EXCHANGE_ZONE).strftime("%Y%m%d %H:%M:%S US/Eastern")


def parse_stamp(text: str) -> datetime:
    """Read an instant as clients write it; without a zone New York is meant.

    `20260302-14:30:00` is UTC, `20260302 09:30:00 US/Eastern` names its zone. Raises ValueError.
    """
    day, _, rest = text.strip().partition(" ")
    if not rest:
        return _sane(datetime.strptime(day, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC))
    clock, _, zone = rest.strip().partition(" ")
    try:
        info = ZoneInfo(zone) if zone else EXCHANGE_ZONE
    except (KeyError, OSError) as fault:
        raise ValueError(f"{zone} is no time zone") from fault
    return _sane(datetime.strptime(f"{day} {clock}", "%Y%m%d %H:%M:%S").replace(tzinfo=info))


def _sane(moment: datetime) -> datetime:
    """Refuse years in which zones and calendars have no answer."""
    if not 1970 <= moment.year < 2200:
        raise ValueError(f"the year {moment.year} is not ours")
    return moment


def first_instant(written: str, now: datetime) -> datetime:
    """When a gateway's time begins: as written, New York's clock where no zone is, else now."""
    try:
        instant = datetime.fromisoformat(written) if written else now
    except ValueError as fault:
        raise ConfigError(
            (f"--start {written} is no instant. Write it as 2026-03-02T09:31.",)
        ) from fault
    return instant if instant.tzinfo else instant.replace(tzinfo=EXCHANGE_ZONE)
