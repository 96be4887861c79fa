"""Killed anywhere: a new process books every fill once, and nothing is sent twice.

A journal holds intents and events, in order. The process may die after any of them; what it had
sent, and what the broker did, stays. Every cut is tried.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from deadband.core.broker import Memory
from deadband.core.events import Heard, Intent
from deadband.core.lifecycle import FINAL
from deadband.core.orders import TRADES, ExecutionReport, OrdStatus, Source, TradeFee
from deadband.twsim.gateway import Gateway

from ..kit import virtual
from ..kit.ibkr import Desk, buy
from ..kit.tws import ask_of, fault, gateway

REFS = tuple(f"db.1.{k:03}" for k in range(6))


def one_life(host: Gateway, most: int) -> tuple[list[Intent], list[Heard]]:
    """Trade until `most` things are in the journal, then die; what was journaled."""
    desks: list[Desk] = []

    async def session() -> None:
        desk = Desk(host)
        desks.append(desk)
        done = asyncio.ensure_future(trade(desk))
        while not done.done() and len(desk.intents) + len(desk.hear()) < most:
            await asyncio.sleep(0.001)
        done.cancel()
        # The line breaks with the process; nothing of what was not sent goes out.
        for client in list(host.clients):
            client.close()

    virtual.run(host, session)
    desk = desks[0]
    return desk.intents, desk.heard[: max(most - len(desk.intents), 0)]


async def trade(desk: Desk) -> None:
    await desk.connect()
    price = round(ask_of(desk.host) + 1, 2)
    desk.broker.submit([buy(REFS[0], 10, price), buy(REFS[1], 10, 150.0)])
    await asyncio.sleep(1)
    desk.broker.submit([buy(REFS[2], 10, price), buy(REFS[3], 10, 150.0)])
    desk.broker.cancel(REFS[1])
    await asyncio.sleep(1)
    desk.broker.submit([buy(REFS[4], 10, price), buy(REFS[5], 10, 150.0)])
    await asyncio.sleep(1)


def second_life(host: Gateway, memory: Memory) -> Desk:
    """A new process reconciles, and sends nothing by itself."""
    desks: list[Desk] = []

    async def session() -> None:
        desk = await Desk(host, memory).connect()
        desks.append(desk)
        await asyncio.sleep(30)
        desk.hear()
        await desk.broker.close()

    virtual.run(host, session)
    return desks[0]


def memory_of(intents: list[Intent], heard: list[Heard]) -> Memory:
    told = [one.event for one in heard]
    reports = tuple(e for e in told if isinstance(e, ExecutionReport | TradeFee))
    high_water = intents[-1].high_water if intents else 0
    return Memory(high_water, tuple(intents), reports)


@pytest.mark.parametrize("accident", ["", "commission_first", "exec_corrected", "status_never"])
def test_after_a_death_at_any_record_the_books_agree_and_nothing_is_sent_twice(
    accident: str,
) -> None:
    faults = (fault(accident, times=0, seconds=0.5),) if accident else ()
    most, was_cut = 0, True
    while was_cut:
        most += 1
        host = gateway(*faults)
        intents, heard = one_life(host, most)
        was_cut = len(intents) + len(heard) >= most
        before = len(host.desk.orders)
        memory = memory_of(intents, heard)
        desk = second_life(host, memory)
        # A second death right after the recovery teaches the third life nothing new.
        third = second_life(host, memory_of(intents, heard + desk.heard))
        assert len(host.desk.orders) == before
        check(host, intents, [*memory.reports, *reports_of(desk)])
        assert reports_of(third) == []
    assert most > 25


def reports_of(desk: Desk) -> list[ExecutionReport | TradeFee]:
    told = [one.event for one in desk.heard]
    return [event for event in told if isinstance(event, ExecutionReport | TradeFee)]


def check(host: Gateway, intents: list[Intent], told: list[ExecutionReport | TradeFee]) -> None:
    """Both lives together say what the gateway's own books say."""
    twice = Counter(o.ticket.text("orderRef") for o in host.desk.orders)
    assert all(times == 1 for times in twice.values())
    reports = [one for one in told if isinstance(one, ExecutionReport)]
    trades = [one for one in reports if one.exec_type in TRADES]
    assert len({one.exec_id for one in trades}) == len(trades)
    for order in host.desk.orders:
        ref = order.ticket.text("orderRef")
        assert ref in {intent.order.cl_ord_id for intent in intents}
        mine = [one for one in trades if one.cl_ord_id == ref]
        assert sum(one.last_qty - one.prior_qty for one in mine) == order.filled
    fees = sum(one.fee_micro for one in told)
    assert fees == sum(order.fee_micros for order in host.desk.orders)
    at_gateway = {o.ticket.text("orderRef") for o in host.desk.working()}
    known = {order.ticket.text("orderRef") for order in host.desk.orders}
    for ref in {intent.order.cl_ord_id for intent in intents}:
        last = [one for one in reports if one.cl_ord_id == ref][-1]
        assert last.ord_status is not OrdStatus.UNKNOWN
        assert (last.ord_status in FINAL) != (ref in at_gateway), last
        if ref not in known:
            assert last.source in (Source.INFERRED, Source.LOCAL)
