"""What ib_async's high-level IB makes of the gateway's accidents: docs/hazards.md, measured.

The page is a table of scripted faults, what `ib_async.IB` says afterwards, and what is true at the
gateway. This test runs every row anew; a release of ib_async that answers otherwise shows here.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import ib_async
import pytest

from deadband.twsim.faults import Fault
from deadband.twsim.gateway import Gateway
from deadband.twsim.server import Server

from ..kit.tws import bid_of, fault, gateway

PAGE = Path(__file__).parents[2] / "docs" / "hazards.md"
AAPL = ib_async.Stock("AAPL", "SMART", "USD", conId=265598)
Told = tuple[str, str]
Run = Callable[[ib_async.IB, Gateway], Awaitable[Told]]
ROWS: dict[str, tuple[tuple[Fault, ...], Run]] = {}


def row(name: str, *faults: Fault) -> Callable[[Run], Run]:
    def keep(run: Run) -> Run:
        ROWS[name] = (faults, run)
        return run

    return keep


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """ib_async logs every error that it is told; here they are the point."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


async def tick(host: Gateway, seconds: float = 1.0) -> None:
    """Let what is on the wire arrive, the gateway's clock run, and that arrive too."""
    for _ in range(4):
        await asyncio.sleep(0.005)
    host.timeline.run_for(seconds)
    for _ in range(4):
        await asyncio.sleep(0.005)


def far(host: Gateway) -> float:
    return round(bid_of(host) - 20, 2)


def buy(host: Gateway, shares: int = 100) -> ib_async.Order:
    return ib_async.LimitOrder("BUY", shares, far(host), tif="DAY", orderRef="ours")


def truth(host: Gateway) -> str:
    """The newest order's state at the gateway."""
    order = host.desk.orders[-1]
    return f"{order.status}, {order.filled} filled"


@row("`modify_rejected`", fault("modify_rejected"))
async def _modify(ib: ib_async.IB, host: Gateway) -> Told:
    order = buy(host)
    trade = ib.placeOrder(AAPL, order)
    await tick(host)
    order.lmtPrice += 1
    ib.placeOrder(AAPL, order)
    await tick(host)
    return f"{trade.orderStatus.status}, {len(ib.openTrades())} open trades", truth(host)


@row("`order_warning`", fault("order_warning"))
async def _warning(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, buy(host))
    await tick(host)
    return trade.orderStatus.status, truth(host)


@row("`notice` 399 on a live order", fault("notice", at="10:00:02", code=399, text="late"))
async def _late_warning(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, buy(host))
    await tick(host, 5)
    return trade.orderStatus.status, truth(host)


@row("`status_first`", fault("status_first"))
async def _status_first(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, ib_async.MarketOrder("BUY", 10))
    seen: list[float] = []
    trade.filledEvent += lambda t: seen.append(t.filled())
    await tick(host)
    return f"filledEvent with {seen[0]:g} filled", truth(host)


@row("`exec_corrected`", fault("exec_corrected", seconds=5))
async def _correction(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, ib_async.MarketOrder("BUY", 10))
    await tick(host)
    await tick(host, 10)
    return f"{trade.filled():g} filled, {trade.remaining():g} remaining", truth(host)


@row("`commission_first`", fault("commission_first"))
async def _commission(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, ib_async.MarketOrder("BUY", 10))
    await tick(host)
    paid = host.desk.orders[0].fee_micros / 1e6
    return f"commission {trade.fills[0].commissionReport.commission:g}", f"commission {paid:g}"


@row("`duplicate_id`", fault("duplicate_id"))
async def _duplicate(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, buy(host))
    await tick(host)
    return f"{trade.orderStatus.status}, {len(ib.openTrades())} open trades", truth(host)


@row("`tif_preset`", fault("tif_preset"))
async def _preset(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, buy(host))
    await tick(host)
    return f"{trade.orderStatus.status}, {len(ib.openTrades())} open trades", truth(host)


@row("`order_rejected`", fault("order_rejected"))
async def _rejected(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, buy(host))
    await tick(host)
    return trade.orderStatus.status, f"{len(host.desk.orders)} orders"


@row("`read_only`", fault("read_only"))
async def _read_only(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, buy(host))
    await tick(host)
    said = f"{trade.orderStatus.status}, active {trade.isActive()}"
    return said, f"{len(host.desk.orders)} orders"


@row("`order_lost`", fault("order_lost"))
async def _lost(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, buy(host))
    await tick(host, 600)
    said = f"{trade.orderStatus.status}, active {trade.isActive()}"
    return said, f"{len(host.desk.orders)} orders"


@row("`cancel_too_late`", fault("cancel_too_late"))
async def _too_late(ib: ib_async.IB, host: Gateway) -> Told:
    order = buy(host)
    trade = ib.placeOrder(AAPL, order)
    await tick(host)
    ib.cancelOrder(order)
    await tick(host, 0)
    before = trade.orderStatus.status
    await tick(host)
    return f"{before}, then {trade.orderStatus.status}", truth(host)


@row("`cancel_not_found`", fault("cancel_not_found"))
async def _not_found(ib: ib_async.IB, host: Gateway) -> Told:
    order = buy(host)
    trade = ib.placeOrder(AAPL, order)
    await tick(host)
    ib.cancelOrder(order)
    await tick(host)
    return trade.orderStatus.status, truth(host)


@row("`fill_after_cancel`", fault("fill_after_cancel", seconds=5))
async def _fill_after(ib: ib_async.IB, host: Gateway) -> Told:
    order = buy(host)
    trade = ib.placeOrder(AAPL, order)
    await tick(host)
    ib.cancelOrder(order)
    await tick(host)
    before = trade.orderStatus.status
    await tick(host, 10)
    return f"{before}, then {trade.orderStatus.status}, {trade.filled():g} filled", truth(host)


@row("`modify_splits`", fault("modify_splits"))
async def _splits(ib: ib_async.IB, host: Gateway) -> Told:
    order = buy(host)
    ib.placeOrder(AAPL, order)
    await tick(host)
    order.lmtPrice -= 1
    ib.placeOrder(AAPL, order)
    await tick(host)
    seen = len({trade.order.permId for trade in ib.openTrades()})
    return f"{seen} open trade", f"{len(host.desk.working())} live orders of one number"


@row("`drop_message` execDetails", fault("drop_message", message="execDetails"))
async def _dropped(ib: ib_async.IB, host: Gateway) -> Told:
    trade = ib.placeOrder(AAPL, ib_async.MarketOrder("BUY", 10))
    await tick(host)
    return f"{trade.orderStatus.status}, {trade.filled():g} filled", truth(host)


@row(
    "`connectivity_lost` with data lost",
    fault("connectivity_lost", at="10:00:05", seconds=5, data_lost=True),
)
async def _data_lost(ib: ib_async.IB, host: Gateway) -> Told:
    ticker = ib.reqMktData(AAPL)
    await tick(host, 20)
    ticker.bid = -1.0
    await tick(host, 60)
    said = "no tick any more" if ticker.bid == -1.0 else "ticks"
    return f"connected {ib.isConnected()}, {said}", f"{len(host.exchange.watchers)} subscriptions"


@row("`what_if_rejected`", fault("what_if_rejected"))
async def _what_if(ib: ib_async.IB, host: Gateway) -> Told:
    said = await ib.whatIfOrderAsync(AAPL, ib_async.MarketOrder("BUY", 100))
    return f"returns {said!r}", "error 201"


@row("`drop_socket`, fill while away", fault("drop_socket", at="10:00:05"))
async def _away(ib: ib_async.IB, host: Gateway) -> Told:
    order = buy(host)
    order.lmtPrice, order.goodAfterTime = bid_of(host), "20260302-15:00:30"
    trade = ib.placeOrder(AAPL, order)
    await tick(host, 600)
    said = f"{trade.orderStatus.status}, {len(ib.trades())} trades"
    return said, truth(host)


@row("`empty_answer` reqPositions", fault("empty_answer", message="reqPositions", nth=2))
async def _empty(ib: ib_async.IB, host: Gateway) -> Told:
    ib.placeOrder(AAPL, ib_async.MarketOrder("BUY", 10))
    await tick(host)
    ib.wrapper.positions.clear()
    answer = await ib.reqPositionsAsync()
    held = host.accounts["DU1234567"].shares_of(host.desk.orders[0].contract)
    return f"{len(answer)} positions", f"{held} shares"


def measured(name: str) -> Told:
    faults, run = ROWS[name]

    async def talk() -> Told:
        host = gateway(*faults)
        async with Server(host, "127.0.0.1", 0, speed=0.0) as server:
            ib = ib_async.IB()
            await ib.connectAsync("127.0.0.1", server.port, clientId=7, timeout=5)
            told = await asyncio.wait_for(run(ib, host), 20)
            with suppress(ConnectionError):
                ib.disconnect()
        return told

    return asyncio.run(talk())


def table() -> dict[str, Told]:
    lines = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.M)
    return {name: (said, true) for name, said, true in lines if name != "fault"}


@pytest.mark.parametrize("name", ROWS)
def test_a_row_of_the_page_is_what_is_measured(name: str) -> None:
    assert ib_async.__version__.startswith("2.1")
    assert table()[name] == measured(name)


def test_the_page_has_no_other_rows() -> None:
    assert list(table()) == list(ROWS)
