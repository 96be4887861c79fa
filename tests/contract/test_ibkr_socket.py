"""The adapter over a real loopback socket: what the lines in memory cannot show."""

from __future__ import annotations

import asyncio
import time

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.core.events import Heard, SessionState
from deadband.core.orders import ExecutionReport, OrdStatus
from deadband.twsim.server import Server

from ..kit.ibkr import ACCOUNT, buy
from ..kit.tws import ask_of, gateway


def test_from_connect_to_fill_to_a_line_cut_by_the_other_end() -> None:
    host = gateway()
    heard: list[Heard] = []

    async def talk() -> None:
        async with Server(host, "127.0.0.1", 0) as server:
            settings = IbkrSettings(ACCOUNT, port=server.port, settle_s=0.05)
            broker = IbkrBroker(settings, LoopClock(time.time_ns), lambda _: None)
            await broker.connect()
            await broker.contracts.resolve(["AAPL"])
            broker.submit([buy("db.1.000", 100, round(ask_of(host) + 1, 2))])
            async for one in broker.events():
                heard.append(one)
                report = one.event
                if isinstance(report, ExecutionReport) and report.ord_status is OrdStatus.FILLED:
                    break
            host.clients[0].close()
            while broker.state is not SessionState.DISCONNECTED:
                await asyncio.sleep(0.01)
            await broker.connect()
            assert broker.state is SessionState.READY
            await broker.close()

    asyncio.run(talk())
    assert [one.seq for one in heard] == list(range(1, len(heard) + 1))
