"""The gateway on a socket, spoken to by ib_async as any user would."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import ib_async
import pytest

from deadband.core.errors import ConfigError
from deadband.twsim.gateway import Gateway
from deadband.twsim.server import Server, refuse_other_hosts, serve_forever

from ..kit.tws import SocketClient, ask_of, bid_of, fault, gateway

AAPL = ib_async.Stock("AAPL", "SMART", "USD")
CLIENT = 7


def served(host: Gateway, talk: Callable[[Server], Awaitable[None]], speed: float = 1.0) -> None:
    """Serve a gateway on a free port while a coroutine talks to it."""

    async def run() -> None:
        async with Server(host, "127.0.0.1", 0, speed) as server:
            await talk(server)

    asyncio.run(run())


async def connected(server: Server, number: int = CLIENT) -> ib_async.IB:
    ib = ib_async.IB()
    await ib.connectAsync("127.0.0.1", server.port, clientId=number, timeout=5)
    return ib


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something to become true; the test's own time limit ends the waiting."""
    while not condition():
        await asyncio.sleep(0.01)


def test_a_session_from_connect_to_fill() -> None:
    host = gateway(step_s=0.25)

    async def talk(server: Server) -> None:
        ib = await connected(server)
        assert ib.client.serverVersion() == 178
        [stock] = await ib.qualifyContractsAsync(AAPL)
        assert stock is not None
        assert stock.conId == 265598
        ticker = ib.reqMktData(stock, "236")
        await until(lambda: ticker.ask == ticker.ask)
        assert ticker.shortableShares == 5_000_000
        trade = ib.placeOrder(stock, ib_async.MarketOrder("BUY", 1500, orderRef="ours"))
        await until(trade.isDone)
        await until(lambda: all(f.commissionReport.execId for f in trade.fills))
        assert trade.orderStatus.status == "Filled"
        assert trade.filled() == 1500
        assert sum(f.commissionReport.commission for f in trade.fills) == pytest.approx(7.5)
        await until(lambda: bool(ib.positions()))
        await until(lambda: ib.positions()[0].position == 1500)
        ib.disconnect()

    served(host, talk)


def test_change_cancel_preview_history_and_completed_orders() -> None:
    host = gateway(step_s=0.25)

    async def talk(server: Server) -> None:
        ib = await connected(server)
        order = ib_async.LimitOrder("BUY", 100, round(bid_of(host) - 5, 2))
        order.algoStrategy = "Adaptive"
        order.algoParams = [ib_async.TagValue("adaptivePriority", "Normal")]
        trade = ib.placeOrder(AAPL, order)
        await until(lambda: trade.orderStatus.status == "Submitted")
        order.lmtPrice = round(order.lmtPrice - 1, 2)
        ib.placeOrder(AAPL, order)
        await until(lambda: len(host.desk.orders) == 1)
        await until(lambda: host.desk.orders[0].ticket.limit == order.lmtPrice)
        ib.cancelOrder(order)
        await until(trade.isDone)
        assert trade.orderStatus.status == "Cancelled"
        preview = await ib.whatIfOrderAsync(AAPL, ib_async.MarketOrder("BUY", 100))
        assert float(preview.initMarginChange) > 4000
        bars = await ib.reqHistoricalDataAsync(AAPL, "", "1 D", "5 mins", "TRADES", useRTH=True)
        assert len(bars) >= 6
        done = await ib.reqCompletedOrdersAsync(apiOnly=True)
        assert [t.orderStatus.status for t in done] == ["Cancelled"]
        details = await ib.reqContractDetailsAsync(AAPL)
        assert details[0].liquidHours.startswith("20260302:0930-20260302:1600")
        rule = await ib.reqMarketRuleAsync(26)
        assert [(band.lowEdge, band.increment) for band in rule] == [(0, 0.0001), (1, 0.01)]
        summary = await ib.accountSummaryAsync()
        assert {row.tag for row in summary} >= {"NetLiquidation", "BuyingPower"}
        ib.disconnect()

    served(host, talk)


def test_two_clients_and_a_number_in_use() -> None:
    host = gateway()

    async def talk(server: Server) -> None:
        one, two = await connected(server, 1), await connected(server, 2)
        one.placeOrder(AAPL, ib_async.LimitOrder("BUY", 1, round(bid_of(host) - 5, 2)))
        await until(lambda: bool(host.desk.working()))
        seen = await two.reqAllOpenOrdersAsync()
        assert [trade.order.clientId for trade in seen] == [1]
        with pytest.raises((TimeoutError, asyncio.TimeoutError, ConnectionError)):
            await asyncio.wait_for(connected(server, 1), 1.0)
        assert one.isConnected()
        one.disconnect()
        two.disconnect()
        await until(lambda: not host.clients)

    served(host, talk)


def test_a_dropped_socket_loses_no_fill() -> None:
    host = gateway(fault("drop_socket", at="10:00:01"), step_s=0.25)

    async def talk(server: Server) -> None:
        ib = await connected(server)
        order = ib_async.LimitOrder("BUY", 100, round(bid_of(host), 2), orderRef="away")
        ib.placeOrder(AAPL, order)
        await until(lambda: not ib.isConnected())
        await until(lambda: host.exchange.books.executions != [])
        again = await connected(server)
        await until(lambda: bool(again.fills()))
        assert again.fills()[0].execution.orderRef == "away"
        again.disconnect()

    served(host, talk, speed=20.0)


def test_a_day_passes_in_seconds_where_the_clock_is_turned() -> None:
    host = gateway(clock="09:29", step_s=30.0)

    async def talk(server: Server) -> None:
        ib = await connected(server)
        trade = ib.placeOrder(AAPL, ib_async.Order(action="BUY", totalQuantity=10, orderType="MOC"))
        await until(lambda: bool(host.desk.orders))
        host.timeline.run_for(6.6 * 3600)
        await until(trade.isDone)
        assert trade.orderStatus.status == "Filled"
        ib.disconnect()

    served(host, talk, speed=0.0)


def test_a_client_that_speaks_raw_bytes_needs_no_library() -> None:
    host = gateway()

    async def talk(server: Server) -> None:
        def speak() -> list[str]:
            client = SocketClient(server.port, 4)
            client.send(49, 1)
            answer = client.read_until(49)
            client.close()
            return answer

        assert (await asyncio.to_thread(speak))[:2] == ["49", "1"]
        await until(lambda: not host.clients)

    served(host, talk)


def test_the_gateway_serves_this_machine_alone() -> None:
    for host in ("127.0.0.1", "::1", "localhost"):
        refuse_other_hosts(host)
    for host in ("0.0.0.0", "192.168.0.1", "example.com", ""):
        with pytest.raises(ConfigError, match="is not this machine"):
            Server(gateway(), host, 0)


def test_it_says_on_one_line_where_it_listens_and_a_port_in_use_is_named() -> None:
    said: list[str] = []

    async def run() -> None:
        server = Server(gateway(accounts=("DU1", "DU2")), "127.0.0.1", 0)
        task = asyncio.create_task(serve_forever(server, said.append))
        await until(lambda: bool(said))
        assert said == [
            f"gateway listening on 127.0.0.1:{server.port} account DU1,DU2 server version 178"
        ]
        with pytest.raises(ConfigError, match="Choose another --port"):
            async with Server(gateway(), "127.0.0.1", server.port):
                pass
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_the_restarting_gateway_refuses_lines() -> None:
    host = gateway(fault("restart", at="10:00:01", seconds=10_000))

    async def talk(server: Server) -> None:
        ib = await connected(server)
        await until(lambda: not ib.isConnected())
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        writer.close()

    served(host, talk, speed=10.0)


def test_ib_async_can_price_a_whole_basket_at_once() -> None:
    host = gateway(step_s=0.25)

    async def talk(server: Server) -> None:
        ib = await connected(server)
        contracts: list[Any] = [
            ib_async.Stock(contract.symbol, "SMART", "USD") for contract in host.listing
        ]
        found = await ib.qualifyContractsAsync(*contracts)
        assert all(found)
        tickers = [ib.reqMktData(contract) for contract in contracts]
        await until(lambda: all(t.bid == t.bid and t.ask > t.bid for t in tickers))
        assert tickers[0].ask == pytest.approx(ask_of(host), rel=0.01)
        ib.disconnect()

    served(host, talk)
