"""Questions that are answered by a list and its end: orders, executions, positions, accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from ..core.session import EXCHANGE_ZONE
from . import replies
from .client import Client
from .desk import BY_HAND
from .fault_names import FaultName
from .order_replies import completed_moment, completed_order, open_order
from .orders import Execution
from .replies import Message
from .requests import Request
from .timeline import parse_stamp
from .wire import BadField, is_set
from .world import World

Rows = Callable[[World, Client, Request], Iterator[Message]]
End = Callable[[World, Request], Message]


@dataclass(frozen=True, slots=True)
class ListAnswer:
    """A list's rows, the message that ends it, and what comes after that."""

    rows: Rows
    end: End
    after: Rows | None = None


# --- orders


def _open_orders(world: World, client: Client, request: Request) -> Iterator[Message]:
    everyone = request.kind == "reqAllOpenOrders" or client.number == world.settings.master
    if client.number == BY_HAND and request.kind == "reqOpenOrders":
        for order in world.desk.bind_by_hand():
            yield replies.order_bound(order)
    for order in world.desk.working(None if everyone else client.number):
        yield open_order(order, client.version)
        yield replies.order_status(order)


def _completed(world: World, client: Client, request: Request) -> Iterator[Message]:
    done = [order for order in world.desk.orders if order.is_done]
    numbers = {(o.client, o.order_id): o.perm_id for o in world.desk.orders}
    for order in sorted(done, key=completed_moment):
        by_api = order.client != BY_HAND or order.order_id != 0
        if _is_today(world, completed_moment(order)) and (by_api or not request.flag("apiOnly")):
            parent = numbers.get((order.client, order.ticket.parent_id), 0)
            yield completed_order(order, client.version, parent)


def _executions(world: World, client: Client, request: Request) -> Iterator[Message]:
    for execution in _matching(world, request):
        yield replies.exec_details(request.whole("reqId"), execution, client.version)


def _commissions(world: World, client: Client, request: Request) -> Iterator[Message]:
    for execution in _matching(world, request):
        yield replies.commission(execution)


def _matching(world: World, request: Request) -> list[Execution]:
    """Today's executions that pass the filter; an empty field or client 0 passes all."""
    client, since = request.whole("clientId"), request.text("time")
    side = {"BUY": "BOT", "SELL": "SLD"}.get(request.text("side"), request.text("side"))
    try:
        first = parse_stamp(since) if is_set(since) else None
    except ValueError as fault:
        raise BadField(f"time {since!r} is not yyyymmdd-hh:mm:ss") from fault
    return [
        execution
        for execution in world.exchange.books.executions
        if _is_today(world, execution.moment)
        and client in (0, execution.order.client)
        and (first is None or execution.moment >= first)
        and request.text("account") in ("", execution.order.account)
        and request.text("symbol") in ("", execution.order.contract.symbol)
        and request.text("secType") in ("", "STK")
        and request.text("exchange") in ("", "SMART", execution.order.contract.primary_exchange)
        and side in ("", execution.side)
    ]


def _is_today(world: World, moment: datetime) -> bool:
    """Whether it is still the day, in New York, on which that happened."""
    now = world.timeline.now
    return moment.astimezone(EXCHANGE_ZONE).date() == now.astimezone(EXCHANGE_ZONE).date()


# --- accounts


def _positions(world: World, client: Client, request: Request) -> Iterator[Message]:
    client.wants_positions = True
    twice = world.faults.strikes(
        FaultName.POSITIONS_TWICE, world.timeline.now, client=client.number, kind=request.kind
    )
    for _ in range(2 if twice else 1):
        for account in world.accounts.values():
            for held in account.held():
                yield replies.position(held, account.name)


def _summary(world: World, client: Client, request: Request) -> Iterator[Message]:
    req_id, tags = request.whole("reqId"), request.text("tags").split(",")
    for account in world.accounts:
        for key, value, currency in world.account_values(account):
            if key in tags or "$LEDGER" in request.text("tags") or tags == ["All"]:
                yield replies.account_summary(req_id, account, key, value, currency)


def _multi(world: World, client: Client, request: Request) -> Iterator[Message]:
    req_id, wanted = request.whole("reqId"), request.text("account")
    for account in world.accounts:
        if wanted in ("", "All", account):
            for key, value, currency in world.account_values(account):
                yield replies.account_multi(req_id, account, key, value, currency)


def _updates(world: World, client: Client, request: Request) -> Iterator[Message]:
    account = world.account_named(request.text("account"))
    for key, value, currency in world.account_values(account.name):
        yield replies.account_value(key, value, currency, account.name)
    for held in account.held():
        yield replies.portfolio(held, world.exchange.price(held.contract), account.name)
    yield replies.account_time(world.timeline.now)


def _account_end(world: World, request: Request) -> Message:
    return replies.account_end(world.account_named(request.text("account")).name)


def _ends(kind: str, message: int, *, with_version: bool, with_id: bool) -> End:
    def end(world: World, request: Request) -> Message:
        version = (1,) if with_version else ()
        number = (request.whole("reqId"),) if with_id else ()
        return replies.end_of(kind, message, *version, *number)

    return end


_OPEN_END = _ends("openOrderEnd", 53, with_version=True, with_id=False)

LISTS: Mapping[str, ListAnswer] = MappingProxyType(
    {
        "reqOpenOrders": ListAnswer(_open_orders, _OPEN_END),
        "reqAllOpenOrders": ListAnswer(_open_orders, _OPEN_END),
        "reqCompletedOrders": ListAnswer(
            _completed, _ends("completedOrdersEnd", 102, with_version=False, with_id=False)
        ),
        "reqExecutions": ListAnswer(
            _executions, _ends("execDetailsEnd", 55, with_version=True, with_id=True), _commissions
        ),
        "reqPositions": ListAnswer(
            _positions, _ends("positionEnd", 62, with_version=True, with_id=False)
        ),
        "reqAccountSummary": ListAnswer(
            _summary, _ends("accountSummaryEnd", 64, with_version=True, with_id=True)
        ),
        "reqAccountUpdatesMulti": ListAnswer(
            _multi, _ends("accountUpdateMultiEnd", 74, with_version=True, with_id=True)
        ),
        "reqAccountUpdates": ListAnswer(_updates, _account_end),
    }
)
"""What EMPTY_ANSWER can empty: only the end is sent."""
