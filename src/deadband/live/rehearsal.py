"""A run in the simulated gateway's time: its clock, and an event loop that goes as fast.

For `deadband gateway --start ... --speed ...` alone. Everything that a run waits for, from the next
bar to an answer, is waited for in gateway seconds.
"""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic

from ..brokers.ibkr.settings import IbkrSettings, Mode
from ..brokers.ibkr.time_told import time_told
from ..core.errors import BrokerError, ConfigError

MEASURE_S = 0.5
"""Real seconds over which the gateway's speed is measured."""
BUSY_S = 5.0
"""Real seconds by which a busy machine may be behind before the clocks are called apart."""
TOLERANCE = 0.3
"""How far the measured speed may be off, a fraction; machines are busy."""


class Hurried(selectors.DefaultSelector):
    """Waits for a part of the time it is told to."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found: list[tuple[selectors.SelectorKey, int]] = super().select(
            None if timeout is None else timeout / self._speed
        )
        return found


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds are `speed` times as short."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        super().__init__(Hurried(speed))

    def time(self) -> float:
        return monotonic() * self._speed


@dataclass(frozen=True, slots=True)
class GatewayClock:
    """The gateway's time, from one reading of it on; `began` real seconds."""

    start: datetime
    began: float
    speed: float

    def __call__(self) -> datetime:
        return self.start + timedelta(seconds=(monotonic() - self.began) * self.speed)


def refuse_live(settings: IbkrSettings) -> None:
    """Raise ConfigError for a live account: its time is no simulated gateway's."""
    if settings.mode is Mode.LIVE:
        raise ConfigError(("--rehearse is for `deadband gateway`. Drop it to trade live.",))


def read_clock(settings: IbkrSettings, speed: float) -> GatewayClock:
    """Read the gateway's clock, and see that it goes as fast as is said; raises BrokerError."""
    return asyncio.run(_read(settings, speed))


async def _read(settings: IbkrSettings, speed: float) -> GatewayClock:
    (first, first_at), (last, last_at) = await time_told(settings, MEASURE_S)
    measured = (last - first) / (last_at - first_at)
    # Whole seconds are told, so that at slow speeds one of them is rounding.
    if abs(measured - speed) > max(speed * TOLERANCE, 1.5 / (last_at - first_at)):
        raise BrokerError(
            f"the gateway's clock goes {measured:.1f} times as fast as this machine's, and "
            f"--rehearse says {speed:g}. Give both the same, `deadband gateway --speed {speed:g}`; "
            "a real gateway cannot be rehearsed on."
        )
    return GatewayClock(datetime.fromtimestamp(last, UTC), last_at, speed)


def patient(settings: IbkrSettings, speed: float) -> IbkrSettings:
    """The settings with waits for the other process in real seconds: it is no faster than it is."""
    speed = max(speed, 1.0)
    waits: dict[str, float] = {
        name: getattr(settings, name) * speed
        for name in ("connect_s", "answer_s", "ack_s", "heartbeat_s", "silence_s")
    }
    # Both processes are late at times where cores are few; a clock that goes on wrongly is not.
    waits |= {"most_skew_s": settings.most_skew_s * (BUSY_S * speed if speed > 1.0 else 1.0)}
    return replace(settings, **waits)  # type: ignore[arg-type]
