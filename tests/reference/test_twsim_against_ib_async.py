"""The two long messages against ib_async's codec: what either writes, the other reads.

Every field of an order is given a value of its own, so that a field in a neighbor's place shows.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import ib_async
import pytest
from ib_async.client import Client
from ib_async.decoder import Decoder

from deadband.twsim.order_replies import completed_order, open_order
from deadband.twsim.orders import Order, Status
from deadband.twsim.ticket import Ticket, read_ticket
from deadband.twsim.wire import text

from ..kit.tws import MONDAY, at, gateway

VERSIONS = (176, 177, 178)
NOT_SENT = {
    # Set by the client library or by the gateway, or not part of placeOrder.
    *("clientId", "permId", "softDollarTier", "orderComboLegs", "conditions", "algoParams"),
    *("smartComboRoutingParams", "orderMiscOptions", "filledQuantity", "autoCancelDate"),
    *("refFuturesConId", "shareholder", "imbalanceOnly", "routeMarketableToBbo", "parentPermId"),
    *("basisPoints", "basisPointsType", "volatility"),
}
NOT_ECHOED_OPEN = {
    *("transmit", "overridePercentageConstraints", "scaleTable", "activeStartTime", "algoId"),
    *("activeStopTime", "extOperator", "mifid2DecisionMaker", "mifid2DecisionAlgo", "whatIf"),
    *("mifid2ExecutionTrader", "mifid2ExecutionAlgo", "advancedErrorOverride", "manualOrderTime"),
    *("eTradeOnly", "firmQuoteOnly", "nbboPriceCap"),
}
NOT_ECHOED_DONE = NOT_ECHOED_OPEN | {
    *("orderId", "auctionStrategy", "blockOrder", "parentId", "optOutSmartRouting", "duration"),
    *("adjustedOrderType", "triggerPrice", "adjustedStopPrice", "adjustedStopLimitPrice"),
    *("adjustedTrailingAmount", "adjustableTrailingUnit", "discretionaryUpToLimitPrice"),
    *("usePriceMgmtAlgo", "postToAts", "deltaNeutralSettlingFirm", "deltaNeutralOpenClose"),
    *("deltaNeutralClearingAccount", "deltaNeutralClearingIntent"),
}
STOCK = ib_async.Stock("AAPL", "SMART", "USD", conId=265598)


def every_field() -> ib_async.Order:
    """An order in which no two fields are alike."""
    order = ib_async.Order()
    for number, field in enumerate(dataclasses.fields(order), 11):
        if field.name in NOT_SENT:
            continue
        if isinstance(field.default, bool):
            setattr(order, field.name, True)
        elif isinstance(field.default, float):
            setattr(order, field.name, number + 0.25)
        elif isinstance(field.default, int):
            setattr(order, field.name, number)
        elif isinstance(field.default, str):
            setattr(order, field.name, f"s{number}")
    order.conditions = [
        ib_async.PriceCondition(price=190.5, conId=265598, exch="SMART", isMore=False),
        ib_async.TimeCondition(time="20260302-15:00:00"),
        ib_async.MarginCondition(percent=30),
        ib_async.ExecutionCondition(secType="STK", exch="SMART", symbol="SPY"),
        ib_async.VolumeCondition(volume=1000, conId=756733, exch="SMART"),
        ib_async.PercentChangeCondition(changePercent=2.5, conId=756733, exch="SMART"),
    ]
    order.algoParams = [ib_async.TagValue("p1", "v1"), ib_async.TagValue("p2", "v2")]
    order.hedgeType, order.hedgeParam = "B", "0.7"
    order.softDollarTier = ib_async.SoftDollarTier("tier", "value", "")
    order.account = "DU1234567"
    return order


def encoded(order: ib_async.Order, version: int, order_id: int = 9) -> list[str]:
    """The fields of placeOrder as ib_async sends them, without the message id."""
    sent: list[str] = []
    client = Client.__new__(Client)
    client._serverVersion = version
    client.isConnected = lambda: True  # type: ignore[method-assign]
    client.sendMsg = sent.append  # type: ignore[method-assign]
    client.placeOrder(order_id, STOCK, order)
    return sent[0].split("\0")[1:-1]


class Heard:
    """Catches what ib_async's decoder makes of a message."""

    def openOrder(self, order_id: int, contract: Any, order: Any, state: Any) -> None:
        self.contract, self.order, self.state = contract, order, state

    def completedOrder(self, contract: Any, order: Any, state: Any) -> None:
        self.contract, self.order, self.state = contract, order, state


def decoded(fields: tuple[Any, ...], version: int) -> Heard:
    heard = Heard()
    Decoder(heard, version).interpret([text(field) for field in fields])  # type: ignore[arg-type]
    assert hasattr(heard, "order"), "ib_async could not read the message"
    return heard


def as_order(ticket: Ticket) -> Order:
    contract = gateway().listing.find(ticket.fields)
    assert contract is not None
    order = Order(ticket, contract, 7, ticket.order_id, 4711, "DU1234567", at("10:00", MONDAY))
    order.status = Status.SUBMITTED
    return order


def same(mine: ib_async.Order, theirs: ib_async.Order, but: set[str]) -> list[str]:
    """Fields that came back otherwise than they were sent."""
    names = [f.name for f in dataclasses.fields(mine) if f.name not in NOT_SENT | but]
    assert len(names) > 60
    return [
        f"{name}: sent {getattr(mine, name)!r}, came back {getattr(theirs, name)!r}"
        for name in names
        if getattr(mine, name) != getattr(theirs, name)
    ]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("order_type", ["LMT", "PEG BENCH", "PEG MID", "PEG BEST"])
def test_an_open_order_comes_back_field_for_field(version: int, order_type: str) -> None:
    mine = every_field()
    mine.orderType = order_type
    ticket = read_ticket(encoded(mine, version), version)
    heard = decoded(open_order(as_order(ticket), version).fields, version)
    only_some = _only_for(order_type)
    no_profile = {"faProfile"} if version >= 177 else set()
    mine.orderId = 9
    assert same(mine, heard.order, NOT_ECHOED_OPEN | only_some | no_profile) == []
    assert heard.order.conditions == mine.conditions
    assert heard.order.algoParams == mine.algoParams
    assert (heard.order.clientId, heard.order.permId) == (7, 4711)
    assert heard.state.status == "Submitted"
    assert heard.contract.localSymbol == "AAPL"
    assert heard.order.softDollarTier.name == "tier"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("order_type", ["LMT", "PEG BENCH", "PEG MID", "PEG BEST"])
def test_a_completed_order_comes_back_field_for_field(version: int, order_type: str) -> None:
    mine = every_field()
    mine.orderType = order_type
    ticket = read_ticket(encoded(mine, version), version)
    order = as_order(ticket)
    order.status, order.filled, order.finished = Status.FILLED, 7, at("10:05", MONDAY)
    heard = decoded(completed_order(order, version, 1234).fields, version)
    no_profile = {"faProfile"} if version >= 177 else set()
    assert same(mine, heard.order, NOT_ECHOED_DONE | _only_for(order_type) | no_profile) == []
    assert heard.order.conditions == mine.conditions
    assert heard.order.algoParams == mine.algoParams
    assert heard.order.permId == 4711
    assert heard.order.filledQuantity == 7
    assert heard.order.parentPermId == 1234
    assert heard.state.completedTime == "20260302 10:05:00 US/Eastern"
    assert heard.state.completedStatus == "Filled Size: 7"


def _only_for(order_type: str) -> set[str]:
    """Fields that are not on the wire for this order type."""
    bench = {
        *("referenceContractId", "isPeggedChangeAmountDecrease", "peggedChangeAmount"),
        *("referenceChangeAmount", "referenceExchangeId"),
    }
    mids = {"midOffsetAtWhole", "midOffsetAtHalf"}
    best = {"minCompeteSize", "competeAgainstBestOffset"}
    absent = {"minTradeQty"}
    absent |= set() if order_type == "PEG BENCH" else bench
    absent |= set() if order_type == "PEG MID" else mids
    return absent | (set() if order_type == "PEG BEST" else best)


def test_a_plain_order_has_as_many_fields_as_measured_from_two_clients() -> None:
    plain = encoded(ib_async.LimitOrder("BUY", 100, 190.0), 178)
    assert len(plain) + 1 == 114
    answer = open_order(as_order(read_ticket(plain, 178)), 178)
    assert len(answer.fields) == 135
