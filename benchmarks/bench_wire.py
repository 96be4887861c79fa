"""From decision to wire over loopback, a kill in a full outbox, and what a batch waits for.

    python benchmarks/bench_wire.py

Three figures: the time from `submit` to the order's bytes handed to the socket, for 100 orders one
by one (with and without an fsync of the intent); the time of one batch of 100; and, on the virtual
clock, how long a cancel waits behind 300 requests.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.kit import virtual

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.pacer import Lane
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.core.broker import WriteAhead
from deadband.core.events import Intent
from deadband.core.orders import Order, OrdType, Side
from deadband.twsim.gateway import Gateway
from deadband.twsim.server import Server
from deadband.twsim.world import GatewaySettings

ORDERS = 100
SYMBOLS = ("AAPL", "SPY", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "TSLA", "AMD", "INTC")
START = datetime(2026, 3, 2, 15, tzinfo=UTC)


def order(k: int) -> Order:
    return Order(
        cl_ord_id=f"db.1.{k:03}",
        symbol=SYMBOLS[k % len(SYMBOLS)],
        side=Side.BUY,
        order_qty=1,
        ord_type=OrdType.LIMIT,
        price=1.0,
        decision_id="1",
        reason="BUY_TOP_K",
        arrival=1.0,
        transact_time=0,
    )


async def connected(port: int, write_ahead: WriteAhead) -> IbkrBroker:
    settings = IbkrSettings("DU1234567", port=port, settle_s=0.05)
    broker = IbkrBroker(settings, LoopClock(time.time_ns), write_ahead)
    await broker.connect()
    await broker.contracts.resolve(SYMBOLS)
    return broker


def stamped(broker: IbkrBroker) -> list[int]:
    """Note when order bytes are handed to the socket."""
    sent: list[int] = []
    connection = broker._line.wire._client.conn
    hand_over: Callable[[bytes], Any] = connection.sendMsg

    def send(message: bytes) -> None:
        hand_over(message)
        if message[4:6] == b"3\0":
            sent.append(perf_counter_ns())

    connection.sendMsg = send
    return sent


async def one_by_one(write_ahead: WriteAhead) -> list[float]:
    """Microseconds from each `submit` to the order's bytes on the wire, the outbox never full."""
    async with Server(Gateway(GatewaySettings(START)), "127.0.0.1", 0) as server:
        broker = await connected(server.port, write_ahead)
        sent, waits = stamped(broker), []
        for k in range(ORDERS):
            await asyncio.sleep(0.03)
            asked = perf_counter_ns()
            [receipt] = broker.submit([order(k)])
            assert receipt.is_accepted, receipt
            while len(sent) <= k:
                await asyncio.sleep(0)
            waits.append((sent[k] - asked) / 1e3)
        await broker.close()
    return waits


async def in_a_batch() -> tuple[float, float]:
    """Seconds until the last of 100 orders left, paced, and the micros `submit` itself took."""
    async with Server(Gateway(GatewaySettings(START)), "127.0.0.1", 0) as server:
        broker = await connected(server.port, lambda _: None)
        sent = stamped(broker)
        await asyncio.sleep(0.5)
        asked = perf_counter_ns()
        broker.submit([order(k) for k in range(ORDERS)])
        returned = perf_counter_ns()
        while len(sent) < ORDERS:
            await asyncio.sleep(0.005)
        await broker.close()
    return (sent[-1] - asked) / 1e9, (returned - asked) / 1e3


def cancel_behind(requests: int) -> float:
    """Virtual milliseconds until a cancel leaves that was asked for behind so many requests."""
    host, waited = Gateway(GatewaySettings(START)), []

    async def session() -> None:
        broker = IbkrBroker(
            IbkrSettings("DU1234567", settle_s=0.05), LoopClock(lambda: 0), lambda _: None
        )
        await broker.connect()
        await broker.contracts.resolve(SYMBOLS[:1])
        broker.submit([order(0)])
        await asyncio.sleep(1)
        line = broker._line
        for k in range(requests):
            line.pacer.put(Lane.REQUEST, line.wire.ask_time, f"q{k}")
        loop = asyncio.get_running_loop()
        asked = loop.time()
        broker.cancel("db.1.000")
        while broker.meter.cancels == 0:
            await asyncio.sleep(0.001)
        waited.append((loop.time() - asked) * 1e3)
        await broker.close()

    virtual.run(host, session)
    return waited[0]


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = (Path(folder) / "intents").open("ab", buffering=0)

        def durable(intents: tuple[Intent, ...]) -> None:
            journal.write(repr(intents).encode())
            os.fsync(journal.fileno())

        plain = asyncio.run(one_by_one(lambda _: None))
        synced = asyncio.run(one_by_one(durable))
        journal.close()
    batch_s, submit_us = asyncio.run(in_a_batch())
    result = {
        "orders": ORDERS,
        "decision_to_wire_us": quantiles(plain),
        "decision_to_wire_with_fsync_us": quantiles(synced),
        "batch_s": batch_s,
        "batch_floor_s": (ORDERS - 8) / 40,
        "batch_submit_us": submit_us,
        "cancel_behind_300_requests_ms": cancel_behind(300),
    }
    console, table = Console(), Table("decision to wire, loopback", "p50 µs", "p99 µs")
    for name, key in (("intent kept in memory", ""), ("intent written and fsynced", "_with_fsync")):
        found: Any = result[f"decision_to_wire{key}_us"]
        table.add_row(name, f"{found['p50']:.0f}", f"{found['p99']:.0f}")
    console.print(table)
    console.print(
        f"a batch of {ORDERS}: submit returns after {submit_us / 1e3:.1f} ms, the last order "
        f"leaves after {batch_s:.2f} s (floor at 40 a second and a burst of 8: "
        f"{result['batch_floor_s']:.2f} s)"
    )
    console.print(
        f"a cancel behind 300 requests leaves after {result['cancel_behind_300_requests_ms']:.0f} "
        "ms of virtual time"
    )
    console.print(f"kept in {keep('wire', result)}")


def quantiles(micros: list[float]) -> dict[str, float]:
    return {f"p{q}": float(np.percentile(micros, q)) for q in (50, 99)}


if __name__ == "__main__":
    main()
