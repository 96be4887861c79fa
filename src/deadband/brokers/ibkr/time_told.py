"""The gateway's clock, read twice on a line of its own."""

from __future__ import annotations

import asyncio
from time import monotonic

from ...core.errors import BrokerError
from .said import Said, TimeSaid
from .settings import IbkrSettings, unreachable
from .wire import Wire

EVERY_S = 0.005
"""Real seconds between questions: the gateway tells whole seconds, and their turn is wanted."""
Reading = tuple[int, float]
"""Epoch seconds UTC, and the monotonic clock when they had just begun."""


async def time_told(settings: IbkrSettings, apart_s: float) -> tuple[Reading, Reading]:
    """Two readings `apart_s` real seconds apart, as another client than the run's.

    Raises BrokerError where no gateway answers.
    """
    told: list[Reading] = []

    def hear(one: Said) -> None:
        if isinstance(one, TimeSaid):
            told.append((one.epoch, monotonic()))

    wire = Wire(hear)
    try:
        await asyncio.wait_for(
            wire.connect(settings.host, settings.port, settings.client_id + 1), settings.connect_s
        )
        first = await asyncio.wait_for(_turn(wire, told), settings.answer_s)
        await asyncio.sleep(apart_s)
        return first, await asyncio.wait_for(_turn(wire, told), settings.answer_s)
    except TimeoutError as fault:
        raise BrokerError(
            f"{settings.host}:{settings.port} does not tell the time. Is it a gateway?"
        ) from fault
    except OSError as fault:
        raise BrokerError(unreachable(settings, fault)) from fault
    finally:
        wire.close()


async def _turn(wire: Wire, told: list[Reading]) -> Reading:
    """The first reading of a second that has just begun."""
    told.clear()
    while len(told) < 2 or told[-1][0] == told[0][0]:
        wire.ask_time()
        await asyncio.sleep(EVERY_S)
    return next(one for one in told if one[0] != told[0][0])
