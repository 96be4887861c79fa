"""Nineteen hazards of the TWS protocol, each played to deadband and to ib_async.IB alike.

    python -m tests.reference.hazards > docs/ibkr-hazards.md

Both speak to the same simulated gateway with the same accident, in virtual time. The truth is the
gateway's own order book, read behind the clients' backs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import ib_async

from deadband.core.broker import CancelAll, Failed, Ok, Replacement
from deadband.core.errors import BrokerError
from deadband.core.events import Quality
from deadband.core.orders import ExecType, OrdStatus, OrdType
from deadband.twsim.gateway import Gateway
from deadband.twsim.orders import Order, Status

from ..kit import virtual
from ..kit.ibkr import ACCOUNT, CLIENT, Desk, buy
from ..kit.tws import RawClient, fault, gateway, place_order

REF, QTY, FAR = "db.1.000", 10, 150.0
WORDS = {
    Status.PENDING_SUBMIT: "live",
    Status.PRE_SUBMITTED: "live",
    Status.SUBMITTED: "live",
    Status.PENDING_CANCEL: "live",
    Status.CANCELLED: "canceled",
    Status.FILLED: "filled",
    Status.INACTIVE: "rejected",
}
OURS = {
    OrdStatus.FILLED: "filled",
    OrdStatus.CANCELED: "canceled",
    OrdStatus.REJECTED: "rejected",
    OrdStatus.EXPIRED: "canceled",
    OrdStatus.UNKNOWN: "unknown",
}
THEIRS = {
    "PendingSubmit": "live",
    "PreSubmitted": "live",
    "Submitted": "live",
    "PendingCancel": "live",
    "Cancelled": "canceled",
    "ApiCancelled": "canceled",
    "Filled": "filled",
}


@dataclass(frozen=True, slots=True)
class Hazard:
    """What happens, and how each client is taken through it; both tell what they believe."""

    name: str
    what: str
    host: Callable[[], Gateway]
    truth: Callable[[Gateway], str]
    ours: Callable[[Desk], Awaitable[str]]
    theirs: Callable[[ib_async.IB, Gateway], Awaitable[str]]


def at_gateway(host: Gateway, ref: str = REF) -> Order | None:
    return next((o for o in host.desk.orders if o.ticket.text("orderRef") == ref), None)


def state(word: str, filled: float) -> str:
    return f"{word} {filled:g}" if filled else word


def book(host: Gateway) -> str:
    """Where the order stands at the gateway."""
    order = at_gateway(host)
    return "rejected" if order is None else state(WORDS[order.status], order.filled)


def fill(host: Gateway) -> None:
    order = at_gateway(host)
    assert order is not None
    host.exchange.fill_anyhow(order)


def believed(desk: Desk) -> str:
    status = desk.status(REF)
    return state(OURS.get(status, "live"), desk.filled(REF))


def shown(trade: Any) -> str:
    word = THEIRS.get(trade.orderStatus.status, trade.orderStatus.status)
    return state(word, trade.filled())


def stock() -> Any:
    return ib_async.Stock("AAPL", "SMART", "USD", conId=265598)


def limit(**changes: Any) -> Any:
    values = {"orderRef": REF, "tif": "DAY", "account": ACCOUNT} | changes
    return ib_async.LimitOrder("BUY", QTY, FAR, **values)


async def wait(seconds: float = 1.0) -> None:
    await asyncio.sleep(seconds)


# --- one order, one accident: most hazards need no more


async def ours_placed(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, FAR)])
    await wait(12)
    return believed(desk)


async def theirs_placed(ib: ib_async.IB, host: Gateway) -> str:
    trade = ib.placeOrder(stock(), limit())
    await wait(12)
    return shown(trade)


async def ours_bought(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, 0.0, ord_type=OrdType.MARKET)])
    await wait(12)
    return believed(desk)


async def theirs_bought(ib: ib_async.IB, host: Gateway) -> str:
    order = ib_async.MarketOrder("BUY", QTY, orderRef=REF, tif="DAY", account=ACCOUNT)
    trade = ib.placeOrder(stock(), order)
    await wait(12)
    return shown(trade)


def with_fault(name: str, **changes: Any) -> Callable[[], Gateway]:
    return lambda: gateway(fault(name, **changes))


def said_of_live(code: int) -> Callable[[], Gateway]:
    """A gateway that says a number about an order that has been at work for seconds."""
    return with_fault("notice", at="10:00:08", code=code, text=f"said {code}")


# --- the others, by number


async def h1_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, FAR)])
    await wait()
    desk.broker.replace(Replacement(REF, QTY, FAR + 5))
    await wait()
    price = desk.reports(REF)[-1].price
    return f"{believed(desk)} at {price:g}"


async def h1_theirs(ib: ib_async.IB, host: Gateway) -> str:
    order = limit()
    trade = ib.placeOrder(stock(), order)
    await wait()
    order.lmtPrice = FAR + 5
    ib.placeOrder(stock(), order)
    await wait()
    return f"{shown(trade)} at {trade.order.lmtPrice:g}"


def h1_truth(host: Gateway) -> str:
    order = at_gateway(host)
    assert order is not None
    return f"{book(host)} at {order.ticket.limit:g}"


async def h3_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, 0.0, ord_type=OrdType.MARKET)])
    await wait()
    trades = [kind for kind in desk.kinds(REF) if kind is ExecType.TRADE]
    return f"{believed(desk)} in {len(trades)} trade"


async def h3_theirs(ib: ib_async.IB, host: Gateway) -> str:
    order = ib_async.MarketOrder("BUY", QTY, orderRef=REF, tif="DAY", account=ACCOUNT)
    trade = ib.placeOrder(stock(), order)
    await wait()
    return f"{shown(trade)} in {len(trade.fills)} trade"


async def h4_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, 0.0, ord_type=OrdType.MARKET)])
    await wait()
    full = next(r for r in desk.reports(REF) if r.ord_status is OrdStatus.FILLED)
    return f"full event with {full.cum_qty:g} shares"


async def h4_theirs(ib: ib_async.IB, host: Gateway) -> str:
    seen: list[float] = []
    order = ib_async.MarketOrder("BUY", QTY, orderRef=REF, tif="DAY", account=ACCOUNT)
    trade = ib.placeOrder(stock(), order)
    trade.filledEvent += lambda t: seen.append(t.filled())
    await wait()
    return f"full event with {seen[0]:g} shares"


async def h6_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, 0.0, ord_type=OrdType.MARKET)])
    await wait()
    return f"fee {sum(fee.fee_micro for fee in desk.fees()) / 1e6:g}"


async def h6_theirs(ib: ib_async.IB, host: Gateway) -> str:
    order = ib_async.MarketOrder("BUY", QTY, orderRef=REF, tif="DAY", account=ACCOUNT)
    trade = ib.placeOrder(stock(), order)
    await wait()
    return f"fee {sum(f.commissionReport.commission for f in trade.fills):g}"


def h6_truth(host: Gateway) -> str:
    order = at_gateway(host)
    assert order is not None
    return f"fee {order.fee_micros / 1e6:g}"


def drop_lines(host: Gateway) -> None:
    for client in list(host.clients):
        client.close()


async def h7_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, FAR)])
    await wait()
    drop_lines(desk.host)
    await wait()
    fill(desk.host)
    await desk.broker.connect()
    return believed(desk)


async def h7_theirs(ib: ib_async.IB, host: Gateway) -> str:
    trade = ib.placeOrder(stock(), limit())
    await wait()
    drop_lines(host)
    await wait()
    fill(host)
    await ib.connectAsync("gateway", 4002, CLIENT, timeout=20)
    await wait()
    known = [t for t in ib.trades() if t.order.orderRef == REF]
    return shown(known[-1]) if known else f"{shown(trade)}, and no trade is known after"


def place_for_another(host: Gateway, number: int) -> None:
    """Client 9 has an order of the same number as ours."""
    RawClient(host, 9).send(*place_order(number, orderRef="other", lmtPrice=FAR))


def own_and_other(host: Gateway) -> str:
    words = [WORDS[o.status] for ref in (REF, "other") if (o := at_gateway(host, ref)) is not None]
    return "ours {}, theirs {}".format(*words)


async def h8_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, FAR)])
    await wait()
    place_for_another(desk.host, desk.broker.high_water)
    await wait()
    shot = await desk.broker.snapshot()
    assert isinstance(shot.foreign, Ok)
    assert [one.leaves_qty for one in shot.foreign.value] == [100]
    assert not desk.broker.cancel("other").is_accepted
    await wait()
    return own_and_other(desk.host)


async def h8_theirs(ib: ib_async.IB, host: Gateway) -> str:
    own = ib.placeOrder(stock(), limit())
    await wait()
    place_for_another(host, own.order.orderId)
    await wait()
    await ib.reqAllOpenOrdersAsync()
    [trade] = [t for t in ib.openTrades() if t.order.orderRef == "other"]
    ib.cancelOrder(trade.order)
    await wait()
    return own_and_other(host)


async def h11_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, FAR)])
    await wait()
    desk.broker.cancel(REF)
    await wait(0.004)
    between = believed(desk)
    await wait(3)
    return f"{between}, then {believed(desk)}"


async def h11_theirs(ib: ib_async.IB, host: Gateway) -> str:
    order = limit()
    trade = ib.placeOrder(stock(), order)
    await wait()
    ib.cancelOrder(order)
    await wait(0.004)
    between = shown(trade)
    await wait(3)
    return f"{between}, then {shown(trade)}"


async def h12_ours(desk: Desk) -> str:
    desk.broker.quotes.subscribe(["AAPL"])
    await wait(20)
    assert desk.broker.quotes.quality("AAPL") is Quality.LIVE
    lines = len(desk.host.exchange.watchers)
    return f"{lines} line, session {desk.broker.state}"


async def h12_theirs(ib: ib_async.IB, host: Gateway) -> str:
    ib.reqMktData(stock())
    await wait(20)
    word = "READY" if ib.isConnected() else "gone"
    return f"{len(host.exchange.watchers)} line, session {word}"


async def h13_ours(desk: Desk) -> str:
    desk.broker.submit([buy(f"b.{k}", QTY, FAR) for k in range(15)])
    await wait(3)
    live = [o for o in desk.host.desk.orders if WORDS[o.status] == "live"]
    return f"{len(live)} live"


async def h13_theirs(ib: ib_async.IB, host: Gateway) -> str:
    for k in range(15):
        ib.placeOrder(stock(), limit(orderRef=f"b.{k}"))
    await wait(3)
    return f"{len([o for o in host.desk.orders if WORDS[o.status] == 'live'])} live"


QUEUE = 300


async def h14_ours(desk: Desk) -> str:
    desk.broker.submit([buy(REF, QTY, FAR)])
    await wait()
    link = desk.broker._link.line
    for k in range(QUEUE):
        link.pacer.put(3, lambda: link.wire.ask_time(), f"q{k}")  # type: ignore[arg-type]
    desk.broker.cancel_all(CancelAll())
    await wait(0.05)
    return _canceled_within(desk.host, "0.05 s")


async def h14_theirs(ib: ib_async.IB, host: Gateway) -> str:
    ib.placeOrder(stock(), limit())
    await wait()
    for _ in range(QUEUE):
        ib.client.reqCurrentTime()
    ib.reqGlobalCancel()
    await wait(0.05)
    if not _canceled_within(host, "0.05 s").startswith("not"):
        return _canceled_within(host, "0.05 s")
    await wait(5)
    return _canceled_within(host, "5 s")


def _canceled_within(host: Gateway, span: str) -> str:
    order = at_gateway(host)
    assert order is not None
    gone = order.status in (Status.CANCELLED, Status.PENDING_CANCEL)
    return f"{'canceled' if gone else 'not canceled'} within {span}"


async def h15_ours(desk: Desk) -> str:
    second = Desk(desk.host)
    try:
        await second.broker.connect()
    except BrokerError as refused:
        return "refused, 326 and its cure named" if "(326)" in str(refused) else str(refused)
    return "connected"


async def h15_theirs(ib: ib_async.IB, host: Gateway) -> str:
    second = ib_async.IB()
    try:
        await second.connectAsync("gateway", 4002, CLIENT, timeout=4)
    except (TimeoutError, ConnectionError) as refused:
        return f"{type(refused).__name__} without a reason"
    return "connected"


async def h16_ours(desk: Desk) -> str:
    shots = await asyncio.gather(desk.broker.snapshot(), desk.broker.snapshot())
    return f"{sum(shot.is_complete for shot in shots)} of 2 answered"


async def h16_theirs(ib: ib_async.IB, host: Gateway) -> str:
    answers = await asyncio.gather(
        *(asyncio.wait_for(ib.reqAllOpenOrdersAsync(), 5) for _ in range(2)),
        return_exceptions=True,
    )
    return f"{sum(isinstance(one, list) for one in answers)} of 2 answered"


async def h17_ours(desk: Desk) -> str:
    return f"{await ours_placed(desk)}, session {desk.broker.state}"


async def h17_theirs(ib: ib_async.IB, host: Gateway) -> str:
    word = "READY" if ib.isConnected() else "gone"
    return f"{await theirs_placed(ib, host)}, session {word}"


async def h18_ours(desk: Desk) -> str:
    answer = await desk.broker.preview(buy(REF, QTY, FAR))
    return f"refused with {answer.code}" if isinstance(answer, Failed) else str(answer)


async def h18_theirs(ib: ib_async.IB, host: Gateway) -> str:
    answer = await asyncio.wait_for(ib.whatIfOrderAsync(stock(), limit()), 5)
    return f"returns {answer!r}"


HAZARDS = (
    Hazard("H1", "a change is refused with 201", with_fault("modify_rejected"), h1_truth,
           h1_ours, h1_theirs),
    Hazard("H2", "warning 399 about a live order", said_of_live(399), book,
           ours_placed, theirs_placed),
    Hazard("H3", "the same status three times", with_fault("status_twice"),
           lambda host: f"{book(host)} in 1 trade", h3_ours, h3_theirs),
    Hazard("H4", "Filled comes before the execution", with_fault("status_first"),
           lambda host: "full event with 10 shares", h4_ours, h4_theirs),
    Hazard("H5", "an execution is corrected", with_fault("exec_corrected", seconds=2.0), book,
           ours_bought, theirs_bought),
    Hazard("H6", "the commission comes before its execution", with_fault("commission_first"),
           h6_truth, h6_ours, h6_theirs),
    Hazard("H7", "the line drops, the order fills, the line is back", gateway, book,
           h7_ours, h7_theirs),
    Hazard("H8", "a cancel for another client's order of the same number", gateway,
           lambda host: "ours live, theirs live", h8_ours, h8_theirs),
    Hazard("H9", "103, duplicate number, about a live order", said_of_live(103), book,
           ours_placed, theirs_placed),
    Hazard("H10", "a new order is refused with 201", with_fault("order_rejected"), book,
           ours_placed, theirs_placed),
    Hazard("H11", "10148, too late to cancel, before the fill", with_fault("cancel_too_late"),
           lambda host: f"live, then {book(host)}", h11_ours, h11_theirs),
    Hazard("H12", "1100, then 1101: subscriptions are lost",
           with_fault("connectivity_lost", at="10:00:08", data_lost=True, seconds=2.0),
           lambda host: "1 line, session READY", h12_ours, h12_theirs),
    Hazard("H13", "fifteen orders at once", gateway, lambda host: "15 live",
           h13_ours, h13_theirs),
    Hazard("H14", f"a kill behind {QUEUE} waiting requests", gateway,
           lambda host: "canceled within 0.05 s", h14_ours, h14_theirs),
    Hazard("H15", "the client number is in use", gateway,
           lambda host: "refused, 326 and its cure named", h15_ours, h15_theirs),
    Hazard("H16", "two ask for the same list at once", gateway,
           lambda host: "2 of 2 answered", h16_ours, h16_theirs),
    Hazard("H17", "321, the interface is read-only", with_fault("read_only"),
           lambda host: f"{book(host)}, session READ_ONLY", h17_ours, h17_theirs),
    Hazard("H18", "a preview is refused with 201", with_fault("what_if_rejected"),
           lambda host: "refused with 201", h18_ours, h18_theirs),
    Hazard("H19", "10349, a preset set the time in force", said_of_live(10349), book,
           ours_placed, theirs_placed),
)  # fmt: skip


def play_ours(hazard: Hazard) -> tuple[str, str]:
    """What deadband believes at the end, and the truth."""
    host, said = hazard.host(), []  # type: ignore[var-annotated]

    async def session() -> None:
        desk = await Desk(host).connect()
        said.append(await hazard.ours(desk))
        await desk.broker.close()

    virtual.run(host, session)
    return said[0], hazard.truth(host)


def play_theirs(hazard: Hazard) -> tuple[str, str]:
    """What ib_async.IB believes at the end, and the truth."""
    host, said = hazard.host(), []  # type: ignore[var-annotated]
    logging.getLogger("ib_async").setLevel(logging.CRITICAL + 1)

    async def session() -> None:
        ib = ib_async.IB()
        await ib.connectAsync("gateway", 4002, CLIENT, timeout=20)
        said.append(await hazard.theirs(ib, host))
        ib.disconnect()
        await wait()

    virtual.run(host, session)
    return said[0], hazard.truth(host)


HEAD = """\
<!-- Generated by `python -m tests.reference.hazards`. Do not edit. -->
# Hazards

Nineteen things that the TWS protocol does to its clients, played to deadband's adapter and to
`ib_async.IB` {version} by the same simulated gateway, in virtual time. The truth is the gateway's
own book. deadband uses ib_async's codec, not its order states; this page shows why. The gateway is
ours, so the page shows how clients treat these messages, not how often a real gateway sends them.

| | what happens | truth | deadband | `ib_async.IB` |
|---|---|---|---|---|
"""


TAIL = """
`ib_async.IB` differs from the truth in {wrong} of {all}, shown in bold. Three of these are choices
rather than slips: it has no word for rejected (H10), leaves subscribing again to its user (H12),
and sends what it was given in the order given (H14).
"""


def page() -> str:
    rows, wrong = [], 0
    for hazard in HAZARDS:
        (ours, truth), (theirs, their_truth) = play_ours(hazard), play_theirs(hazard)
        wrong += theirs != their_truth
        mark = "" if theirs == their_truth else "**"
        rows.append(f"| {hazard.name} | {hazard.what} | {truth} | {ours} | {mark}{theirs}{mark} |")
    tail = TAIL.format(wrong=wrong, all=len(rows))
    return HEAD.format(version=ib_async.__version__) + "\n".join(rows) + "\n" + tail


if __name__ == "__main__":
    print(page(), end="")
