"""The socket and the words sent on it: ib_async's client and decoder as a codec, and nothing more.

Rules
  * Nothing waits in here: the codec's own queue is off, what may be sent when is the pacer's.
  * What the codec cannot read is not lost in a log: it comes back as GarbledSaid.
  * ib_async is imported when a wire is made, so that no other part of deadband needs it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from ...core.errors import BrokerError
from ...core.order_checks import WITH_STOP
from ...core.orders import Order, OrdType, Side, Tif
from .said import Said
from .sink import Sink

IB_TYPES = {
    OrdType.MARKET: "MKT",
    OrdType.LIMIT: "LMT",
    OrdType.STOP: "STP",
    OrdType.STOP_LIMIT: "STP LMT",
    OrdType.MARKET_ON_CLOSE: "MOC",
    OrdType.LIMIT_ON_CLOSE: "LOC",
    OrdType.MIDPRICE: "MIDPRICE",
    OrdType.PEGGED_PRIMARY: "REL",
    OrdType.PEGGED_MIDPOINT: "PEG MID",
}
NO_PRICE = frozenset({OrdType.MARKET, OrdType.STOP, OrdType.MARKET_ON_CLOSE})
MIDPOINT_EXCHANGE = "IBKRATS"
SMART = "SMART"
OLDEST_SERVER = 157
"""The codec hangs up on servers below."""


class Wire:
    """One line to a gateway; `hear` is called for everything said on it, in order."""

    def __init__(self, hear: Callable[[Said], None]) -> None:
        self._ib = _codec()
        self._client: Any = None
        self._sink = Sink(hear)

    async def connect(self, host: str, port: int, client_id: int) -> int:
        """Open the line and greet; returns the server's version once orders could be sent."""
        client = self._ib.Client(self._sink)
        client.MaxRequests = 0
        client.decoder.logger = self._sink
        self._client = client
        # The codec would wait for ever on a gateway that refuses after the greeting.
        await client.connectAsync(host, port, client_id, 0)
        return int(client.serverVersion())

    def close(self) -> None:
        """End the line, if there is one, and hear nothing more of it."""
        client, self._client = self._client, None
        if client is not None:
            client.conn.disconnected.clear()
            client.conn.hasData.clear()
            client.disconnect()

    @property
    def is_up(self) -> bool:
        return self._client is not None and bool(self._client.isReady())

    # --- orders

    def place(self, order_id: int, con_id: int, order: Order, account: str) -> None:
        self._client.placeOrder(
            order_id, self._contract(con_id, order), self._order(order, account)
        )

    def preview(self, order_id: int, con_id: int, order: Order, account: str) -> None:
        asked = self._order(order, account)
        asked.whatIf = True
        self._client.placeOrder(order_id, self._contract(con_id, order), asked)

    def cancel(self, order_id: int) -> None:
        self._client.cancelOrder(order_id)

    def cancel_everything(self) -> None:
        self._client.reqGlobalCancel()

    def _contract(self, con_id: int, order: Order) -> Any:
        pegged = order.ord_type is OrdType.PEGGED_MIDPOINT
        exchange = order.terms.exchange or (MIDPOINT_EXCHANGE if pegged else SMART)
        return self._ib.Contract(
            conId=con_id, symbol=order.symbol, secType="STK", exchange=exchange, currency="USD"
        )

    def _order(self, order: Order, account: str) -> Any:
        terms = order.terms
        wanted = self._ib.Order(
            action="BUY" if order.side is Side.BUY else "SELL",
            totalQuantity=order.order_qty,
            orderType=IB_TYPES[order.ord_type],
            # Always said: where it is not, a preset of the terminal may choose another.
            tif="DAY" if terms.tif is Tif.CLS else terms.tif.value,
            account=account,
            orderRef=order.cl_ord_id,
            openClose="",
            outsideRth=terms.outside_rth,
            displaySize=terms.display_qty,
            ocaGroup=terms.oca_group,
            ocaType=1 if terms.oca_group else 0,
            algoStrategy=terms.strategy,
            algoParams=[self._ib.TagValue(tag, value) for tag, value in terms.strategy_params],
        )
        if order.ord_type not in NO_PRICE:
            wanted.lmtPrice = order.price
        if order.ord_type in WITH_STOP:
            wanted.auxPrice = terms.stop_px
        if terms.min_qty:
            wanted.minQty = terms.min_qty
        if terms.expire_time:
            wanted.goodTillDate = utc_stamp(terms.expire_time)
        if terms.effective_time:
            wanted.goodAfterTime = utc_stamp(terms.effective_time)
        return wanted

    # --- questions

    def ask_time(self) -> None:
        self._client.reqCurrentTime()

    def ask_orders(self) -> None:
        self._client.reqAllOpenOrders()

    def ask_completed(self) -> None:
        self._client.reqCompletedOrders(apiOnly=False)

    def ask_executions(self, req_id: int) -> None:
        self._client.reqExecutions(req_id, self._ib.ExecutionFilter())

    def ask_positions(self) -> None:
        self._client.reqPositions()

    def ask_account(self, account: str) -> None:
        self._client.reqAccountUpdates(subscribe=True, acctCode=account)

    def ask_contract(self, req_id: int, symbol: str) -> None:
        self._client.reqContractDetails(req_id, self._stock(symbol))

    def ask_rule(self, rule_id: int) -> None:
        self._client.reqMarketRule(rule_id)

    # --- market data and history

    def watch(self, req_id: int, con_id: int, symbol: str, ticks: str) -> None:
        self._client.reqMktData(
            req_id,
            self._stock(symbol, con_id),
            ticks,
            snapshot=False,
            regulatorySnapshot=False,
            mktDataOptions=[],
        )

    def unwatch(self, req_id: int) -> None:
        self._client.cancelMktData(req_id)

    def data_type(self, kind: int) -> None:
        self._client.reqMarketDataType(kind)

    def ask_history(self, req_id: int, con_id: int, asked: tuple[str, str, str, str]) -> None:
        """Ask for bars with times in epoch seconds.

        `asked`: end, duration, bar size and what to show, in IBKR's words.
        """
        end, duration, size, show = asked
        self._client.reqHistoricalData(
            req_id,
            self._stock("", con_id),
            end,
            duration,
            size,
            show,
            useRTH=True,
            formatDate=2,
            keepUpToDate=False,
            chartOptions=[],
        )

    def _stock(self, symbol: str, con_id: int = 0) -> Any:
        return self._ib.Contract(
            conId=con_id, symbol=symbol, secType="STK", exchange=SMART, currency="USD"
        )


def utc_stamp(ns: int) -> str:
    """Epoch nanoseconds as IBKR reads UTC: 20260302-14:30:00."""
    moment = datetime.fromtimestamp(ns // 1_000_000_000, UTC)
    return moment.strftime("%Y%m%d-%H:%M:%S")


def _codec() -> ModuleType:
    try:
        import ib_async
    except ImportError as fault:
        raise BrokerError(
            "the IBKR adapter needs ib_async. Install it: pip install 'deadband[ibkr]'."
        ) from fault
    # What it has to say is heard by its callbacks; where no log is set up it would print it too.
    logging.getLogger("ib_async").addHandler(logging.NullHandler())
    return ib_async


async def first_of(
    wanted: asyncio.Future[int], refused: asyncio.Future[str], seconds: float
) -> int:
    """What the first comes to, or BrokerError with what the second says, or that none came."""
    both: list[asyncio.Future[Any]] = [wanted, refused]
    await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    if refused.done():
        raise BrokerError(refused.result())
    if not wanted.done():
        raise BrokerError(f"the gateway did not answer within {seconds:g} s. Is its API enabled?")
    return wanted.result()
