"""What the world does for each request: one function each, and the table that finds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from . import replies
from .client import Client
from .contracts import MARKET_RULE
from .desk import BY_HAND
from .history import answer_history
from .lists import LISTS
from .requests import Request
from .streams import start_line, start_pnl, start_pnl_single, start_prints
from .world import World

Answer = Callable[[World, Client, Request], None]

_FARMS = (
    (2104, "Market data farm connection is OK:usfarm"),
    (2106, "HMDS data farm connection is OK:ushmds"),
    (2158, "Sec-def data farm connection is OK:secdefnj"),
)


def _start(world: World, client: Client, request: Request) -> None:
    number = request.whole("clientId")
    if number < 0 or number in world.reports.listeners or client.number >= 0:
        client.error(
            -1,
            326,
            "Unable to connect as the client id is already in use. Retry with a unique client id.",
        )
        client.close()
        return
    client.number = number
    world.reports.listeners[number] = client
    client.send(replies.managed_accounts(list(world.accounts)))
    _next_id(world, client, request)
    for code, said in _FARMS:
        client.error(-1, code, said)


def _next_id(world: World, client: Client, request: Request) -> None:
    used = world.desk.high_water.get(client.number, 0)
    client.send(replies.next_valid_id(used + 1))


def _accounts(world: World, client: Client, request: Request) -> None:
    client.send(replies.managed_accounts(list(world.accounts)))


def _time(world: World, client: Client, request: Request) -> None:
    client.send(replies.current_time(world.timeline.now))


def _place(world: World, client: Client, request: Request) -> None:
    if request.ticket is not None:
        world.desk.place(client.number, request.ticket)


def _cancel(world: World, client: Client, request: Request) -> None:
    world.desk.cancel(client.number, request.whole("orderId"))


def _cancel_all(world: World, client: Client, request: Request) -> None:
    world.desk.cancel_all()


def _bind(world: World, client: Client, request: Request) -> None:
    if client.number != BY_HAND:
        client.error(-1, 321, "Error validating request.-'bind' : cause - only client 0 may bind")
    elif request.flag("autoBind"):
        for order in world.desk.bind_by_hand():
            client.send(replies.order_bound(order))


def _contract(world: World, client: Client, request: Request) -> None:
    req_id, contract = request.whole("reqId"), world.listing.find(request.fields)
    if contract is None:
        client.error(req_id, 200, "No security definition has been found for the request")
        return
    client.send(replies.contract_details(req_id, contract, world.timeline.now), contract.symbol)
    client.send(replies.end_of("contractDetailsEnd", 52, 1, req_id))


def _rule(world: World, client: Client, request: Request) -> None:
    if request.whole("marketRuleId") != MARKET_RULE:
        client.error(-1, 321, "Error validating request.-'rule' : cause - no such market rule")
        return
    client.send(replies.market_rule(MARKET_RULE))


def _data_type(world: World, client: Client, request: Request) -> None:
    client.data_type = request.whole("marketDataType")


def _stop_positions(world: World, client: Client, request: Request) -> None:
    client.wants_positions = False


def _stop_line(world: World, client: Client, request: Request) -> None:
    """End a stream of prices, bars or P&L."""
    world.exchange.watchers.pop((client.line, request.whole("reqId")), None)


def _stop_refreshing(world: World, client: Client, request: Request) -> None:
    client.refreshers.pop(request.whole("reqId"), None)


def _ignore(world: World, client: Client, request: Request) -> None:
    """Nothing is to be done and nothing to be said."""


ANSWERS: Mapping[str, Answer] = MappingProxyType(
    {
        "startApi": _start,
        "reqIds": _next_id,
        "reqManagedAccts": _accounts,
        "reqCurrentTime": _time,
        "placeOrder": _place,
        "cancelOrder": _cancel,
        "reqGlobalCancel": _cancel_all,
        "reqAutoOpenOrders": _bind,
        "reqContractDetails": _contract,
        "reqMarketRule": _rule,
        "reqMarketDataType": _data_type,
        "reqMktData": start_line,
        "cancelMktData": _stop_line,
        "reqTickByTickData": start_prints,
        "cancelTickByTickData": _stop_line,
        "reqHistoricalData": answer_history,
        "cancelHistoricalData": _stop_line,
        "reqPnL": start_pnl,
        "cancelPnL": _stop_line,
        "reqPnLSingle": start_pnl_single,
        "cancelPnLSingle": _stop_line,
        "cancelPositions": _stop_positions,
        "cancelAccountSummary": _stop_refreshing,
        "cancelAccountUpdatesMulti": _stop_refreshing,
        "setServerLogLevel": _ignore,
    }
)


def answer(world: World, client: Client, request: Request) -> None:
    """Do what a request asks; lists may be emptied by the script."""
    if request.kind in LISTS:
        _answer_list(world, client, request)
    else:
        ANSWERS[request.kind](world, client, request)


def _answer_list(world: World, client: Client, request: Request) -> None:
    kind, listing = request.kind, LISTS[request.kind]
    if kind == "reqAccountUpdates" and not request.flag("subscribe"):
        client.refreshers.pop(kind, None)
        return
    if not world.is_emptied(client, kind):
        for message in listing.rows(world, client, request):
            client.send(message)
    client.send(listing.end(world, request))
    if listing.after is not None:
        for message in listing.after(world, client, request):
            client.send(message)
    if kind in ("reqAccountUpdates", "reqAccountSummary", "reqAccountUpdatesMulti"):
        key = kind if kind == "reqAccountUpdates" else request.whole("reqId")
        world.keep_refreshing(client, key, lambda: _refresh(world, client, request))


def _refresh(world: World, client: Client, request: Request) -> None:
    for message in LISTS[request.kind].rows(world, client, request):
        client.send(message)
