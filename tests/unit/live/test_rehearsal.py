"""A rehearsal: an event loop whose seconds are shorter, and waits for others that are not."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.core.errors import BrokerError
from deadband.live.rehearsal import FastLoop, GatewayClock, patient, read_clock


def test_an_hour_is_waited_for_in_less() -> None:
    seen: list[float] = []

    async def wait() -> None:
        loop = asyncio.get_running_loop()
        seen.append(loop.time())
        await asyncio.sleep(3600)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 3600)
        seen.append(loop.time())

    began = monotonic()
    with asyncio.Runner(loop_factory=lambda: FastLoop(100_000.0)) as runner:
        runner.run(wait())
    assert seen[1] - seen[0] >= 7200
    assert (monotonic() - began) * 100_000.0 >= 7200


def test_the_clock_goes_on_from_its_reading_as_fast_as_the_gateways() -> None:
    start = datetime(2026, 3, 9, 14, tzinfo=UTC)
    clock = GatewayClock(start, monotonic() - 2.0, 60.0)
    assert start + timedelta(seconds=120) <= clock() < start + timedelta(hours=2)


def test_the_other_process_gets_as_much_time_as_it_had() -> None:
    settings = IbkrSettings("DU1")
    slow = patient(settings, 60.0)
    assert slow.answer_s == 60 * settings.answer_s
    assert slow.silence_s == 60 * settings.silence_s
    assert (slow.port, slow.messages_per_s) == (settings.port, settings.messages_per_s)
    assert patient(settings, 0.5) == settings


def test_where_no_gateway_is_the_cure_is_told() -> None:
    with pytest.raises(BrokerError, match="127.0.0.1:1 does not answer.*Start TWS or the Gateway"):
        read_clock(IbkrSettings("DU1", port=1), 60.0)
