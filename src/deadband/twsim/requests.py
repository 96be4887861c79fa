"""What clients may ask, field by field: one layout for each message id.

A layout is the names of the fields after the id, in order. A message with another count of fields
is refused, so that a client whose codec slips is told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .ticket import Legs, Ticket, read_ticket
from .wire import BadField, flag, number, whole

CONTRACT = (
    "conId symbol secType lastTradeDateOrContractMonth strike right multiplier exchange "
    "primaryExchange currency localSymbol tradingClass"
)

LAYOUTS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        2: ("cancelMktData", "version reqId"),
        4: ("cancelOrder", "version orderId manualCancelOrderTime"),
        5: ("reqOpenOrders", "version"),
        6: ("reqAccountUpdates", "version subscribe account"),
        7: (
            "reqExecutions",
            "version reqId clientId account time symbol secType exchange side",
        ),
        8: ("reqIds", "version count"),
        9: (
            "reqContractDetails",
            f"version reqId {CONTRACT} includeExpired secIdType secId issuerId",
        ),
        14: ("setServerLogLevel", "version level"),
        15: ("reqAutoOpenOrders", "version autoBind"),
        16: ("reqAllOpenOrders", "version"),
        17: ("reqManagedAccts", "version"),
        25: ("cancelHistoricalData", "version reqId"),
        49: ("reqCurrentTime", "version"),
        58: ("reqGlobalCancel", "version"),
        59: ("reqMarketDataType", "version marketDataType"),
        61: ("reqPositions", "version"),
        62: ("reqAccountSummary", "version reqId group tags"),
        63: ("cancelAccountSummary", "version reqId"),
        64: ("cancelPositions", "version"),
        71: ("startApi", "version clientId optionalCapabilities"),
        76: ("reqAccountUpdatesMulti", "version reqId account modelCode ledgerAndNLV"),
        77: ("cancelAccountUpdatesMulti", "version reqId"),
        91: ("reqMarketRule", "marketRuleId"),
        92: ("reqPnL", "reqId account modelCode"),
        93: ("cancelPnL", "reqId"),
        94: ("reqPnLSingle", "reqId account modelCode conId"),
        95: ("cancelPnLSingle", "reqId"),
        97: ("reqTickByTickData", f"reqId {CONTRACT} tickType numberOfTicks ignoreSize"),
        98: ("cancelTickByTickData", "reqId"),
        99: ("reqCompletedOrders", "apiOnly"),
    }
)

KINDS_ASKED = frozenset(
    {kind for kind, _ in LAYOUTS.values()} | {"placeOrder", "reqMktData", "reqHistoricalData"}
)
"""Names of all requests, as fault scripts write them."""

NEWEST_ID = 104
"""The last message id of a client of version 178; from here on nobody knows what is meant."""


class UnknownRequest(BadField):
    """No message of these versions has the id, or this gateway does not serve it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One message of a client; `ticket` is there for placeOrder alone."""

    kind: str
    fields: Mapping[str, str]
    ticket: Ticket | None = None

    def text(self, name: str) -> str:
        return self.fields[name]

    def whole(self, name: str) -> int:
        return whole(self.fields[name])

    def number(self, name: str) -> float | None:
        return number(self.fields[name])

    def flag(self, name: str) -> bool:
        return flag(self.fields[name])


def decode(fields: list[str], version: int) -> Request:
    """Read one message; raises BadField, which says what does not fit."""
    if not fields[0].isdecimal():
        raise UnknownRequest(f"message id {fields[0][:20]!r} is not a number")
    message = int(fields[0])
    if message == 3:
        ticket = read_ticket(fields[1:], version)
        return Request("placeOrder", ticket.fields, ticket)
    if message in _OPEN_ENDED:
        return _OPEN_ENDED[message](Legs(fields[1:]))
    if message not in LAYOUTS:
        known = message <= NEWEST_ID
        raise UnknownRequest(f"{message} is {'not simulated' if known else 'unknown'}")
    kind, layout = LAYOUTS[message]
    names = layout.split()
    if len(fields) - 1 != len(names):
        raise BadField(f"{kind} has {len(fields) - 1} fields, expected {len(names)}: {layout}")
    return Request(kind, dict(zip(names, fields[1:], strict=True)))


def _market_data(left: Legs) -> Request:
    found = left.take(f"version reqId {CONTRACT}")
    left.skip_combo(found["secType"], fields_a_leg=4)
    if flag(left.next()):
        left.take("dnConId dnDelta dnPrice")
    found |= left.take("genericTicks snapshot regulatorySnapshot options")
    left.finish("reqMktData")
    return Request("reqMktData", found)


def _history(left: Legs) -> Request:
    found = left.take(
        f"reqId {CONTRACT} includeExpired endDateTime barSize duration useRTH whatToShow formatDate"
    )
    left.skip_combo(found["secType"], fields_a_leg=4)
    found |= left.take("keepUpToDate options")
    left.finish("reqHistoricalData")
    return Request("reqHistoricalData", found)


_OPEN_ENDED: Mapping[int, Callable[[Legs], Request]] = MappingProxyType(
    {1: _market_data, 20: _history}
)
"""Messages whose length depends on what they say."""
