"""A TWS client of a few lines that knows the protocol from its tables, and nothing of ours.

It is handed to the gateway in memory, or opens a socket; either way it sees bytes and cuts them by
itself, so that a slip shared by the gateway's writer and reader would show.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable
from datetime import date, datetime

from deadband.core.session import session_on
from deadband.twsim.fault_names import FaultName
from deadband.twsim.faults import Fault
from deadband.twsim.gateway import Gateway
from deadband.twsim.world import GatewaySettings

MONDAY = date(2026, 3, 2)
UNSET_DOUBLE = "1.7976931348623157e+308"
UNSET_INTEGER = "2147483647"

# Server to client, fields after the message id, as the design page lists them for version 178.
REPLIES = {
    1: "version reqId tickType price size attrMask",
    2: "version reqId tickType size",
    3: "orderId status filled remaining avgFillPrice permId parentId lastFillPrice clientId "
    "whyHeld mktCapPrice",
    4: "version reqId code message advancedOrderRejectJson",
    6: "version key value currency account",
    7: "version conId symbol secType ltd strike right multiplier primaryExchange currency "
    "localSymbol tradingClass position marketPrice marketValue averageCost unrealized realized "
    "account",
    8: "version time",
    9: "version orderId",
    11: "reqId orderId conId symbol secType ltd strike right multiplier exchange currency "
    "localSymbol tradingClass execId time account execExchange side shares price permId clientId "
    "liquidation cumQty avgPrice orderRef evRule evMultiplier modelCode lastLiquidity "
    "pendingPriceRevision",
    15: "version accounts",
    45: "version reqId tickType value",
    46: "version reqId tickType value",
    49: "version time",
    52: "version reqId",
    53: "version",
    54: "version account",
    55: "version reqId",
    57: "version reqId",
    58: "version reqId marketDataType",
    59: "version execId commission currency realizedPNL yield yieldRedemptionDate",
    61: "version account conId symbol secType ltd strike right multiplier exchange currency "
    "localSymbol tradingClass position avgCost",
    62: "version",
    63: "version reqId account tag value currency",
    64: "version reqId",
    73: "version reqId account model key value currency",
    74: "version reqId",
    81: "reqId minTick bboExchange snapshotPermissions",
    94: "reqId daily unrealized realized",
    95: "reqId position daily unrealized realized value",
    100: "permId clientId orderId",
    102: "",
}
OPEN_ORDER_HEAD = (
    "orderId conId symbol secType ltd strike right multiplier exchange currency localSymbol "
    "tradingClass action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose "
    "origin orderRef clientId permId"
)

# Client to server: placeOrder of a plain stock order, with what other clients write for unset.
PLACE_ORDER = (
    "orderId conId=0 symbol=AAPL secType=STK ltd= strike=0.0 right= multiplier= exchange=SMART "
    "primaryExchange= currency=USD localSymbol= tradingClass= secIdType= secId= action=BUY "
    "totalQuantity=100 orderType=LMT lmtPrice auxPrice tif=DAY ocaGroup= account= openClose= "
    "origin=0 orderRef= transmit=1 parentId=0 blockOrder=0 sweepToFill=0 displaySize=0 "
    "triggerMethod=0 outsideRth=0 hidden=0 sharesAllocation= discretionaryAmt=0 goodAfterTime= "
    "goodTillDate= faGroup= faMethod= faPercentage= [faProfile] modelCode= shortSaleSlot=0 "
    "designatedLocation= exemptCode=-1 ocaType=0 rule80A= settlingFirm= allOrNone=0 minQty= "
    "percentOffset= eTradeOnly=0 firmQuoteOnly=0 nbboPriceCap auctionStrategy=0 startingPrice= "
    "stockRefPrice= delta= stockRangeLower= stockRangeUpper= overridePercentageConstraints=0 "
    "volatility= volatilityType= deltaNeutralOrderType= deltaNeutralAuxPrice= continuousUpdate=0 "
    "referencePriceType= trailStopPrice= trailingPercent= scaleInitLevelSize= scaleSubsLevelSize= "
    "scalePriceIncrement= scaleTable= activeStartTime= activeStopTime= hedgeType= "
    "optOutSmartRouting=0 clearingAccount= clearingIntent= notHeld=0 dnPresent=0 [algo] algoId= "
    "whatIf=0 orderMiscOptions= solicited=0 randomizeSize=0 randomizePrice=0 nConditions=0 "
    "adjustedOrderType= triggerPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice "
    "adjustedTrailingAmount adjustableTrailingUnit=0 extOperator= softDollarName= softDollarValue= "
    "cashQty mifid2DecisionMaker= mifid2DecisionAlgo= mifid2ExecutionTrader= "
    "mifid2ExecutionAlgo= dontUseAutoPriceForHedge=0 isOmsContainer=0 "
    "discretionaryUpToLimitPrice=0 usePriceMgmtAlgo= duration postToAts autoCancelParent=0 "
    "advancedErrorOverride= manualOrderTime="
)
_LITERAL_UNSET = {"duration": UNSET_INTEGER, "postToAts": UNSET_INTEGER}
STOCK = ("0", "AAPL", "STK", "", "0.0", "", "", "SMART", "", "USD", "", "")


def framed(*fields: object) -> bytes:
    body = b"".join(str(field).encode() + b"\0" for field in fields)
    return struct.pack(">I", len(body)) + body


def place_order(order_id: int, version: int = 178, **changes: object) -> list[str]:
    """The fields of placeOrder with the id in front; `algo` is a name and pairs."""
    algo = changes.pop("algo", None)
    fields = ["3"]
    for word in PLACE_ORDER.split():
        name, _, default = word.partition("=")
        if word == "[faProfile]":
            fields += [""] if version < 177 else []
        elif word == "[algo]":
            fields += _algo(algo)
        elif name == "orderId":
            fields.append(str(order_id))
        else:
            missing = default if "=" in word else _LITERAL_UNSET.get(name, UNSET_DOUBLE)
            fields.append(str(changes.pop(name, missing)))
    assert not changes, f"placeOrder has no {changes}"
    return fields


def _algo(algo: object) -> list[str]:
    if algo is None:
        return [""]
    name, params = algo  # type: ignore[misc]
    return [name, str(len(params)), *(text for pair in params.items() for text in pair)]


def named(fields: list[str], version: int = 178) -> dict[str, str]:
    """A reply by the names of its fields; the count has to fit."""
    names = REPLIES[int(fields[0])].split()
    if fields[0] == "11" and version < 178:
        names = names[:-1]
    return dict(zip(names, fields[1:], strict=True))


class Cutter:
    """Cuts a stream into messages, by the protocol's own words."""

    def __init__(self) -> None:
        self.left = b""

    def cut(self, data: bytes) -> list[list[str]]:
        self.left += data
        messages = []
        while len(self.left) >= 4:
            (length,) = struct.unpack(">I", self.left[:4])
            if len(self.left) < 4 + length:
                break
            body, self.left = self.left[4 : 4 + length], self.left[4 + length :]
            assert body.endswith(b"\0")
            messages.append(body[:-1].decode().split("\0"))
        return messages


class RawClient:
    """A client in memory: what it is sent lies in `inbox`, oldest first."""

    def __init__(
        self, gateway: Gateway, number: int = 1, versions: str = "v157..178", *, start: bool = True
    ) -> None:
        self.gateway, self.number = gateway, number
        self.stream, self.is_closed = bytearray(), False
        self.inbox: list[list[str]] = []
        self._cutter = Cutter()
        session = gateway.connect(self._receive, self._closed)
        assert session is not None, "the gateway does not take clients now"
        self.session = session
        greeting = versions.encode()
        session.receive(b"API\0" + struct.pack(">I", len(greeting)) + greeting)
        self.version = int(self.inbox.pop(0)[0]) if self.inbox else 0
        if start and self.version:
            self.send(71, 2, number, "")

    def _receive(self, data: bytes) -> None:
        assert not self.is_closed, "bytes came after the end"
        self.stream += data
        self.inbox += self._cutter.cut(data)

    def _closed(self) -> None:
        self.is_closed = True

    def send(self, *fields: object) -> None:
        self.session.receive(framed(*fields))

    def place(self, order_id: int, **changes: object) -> None:
        self.send(*place_order(order_id, self.version, **changes))

    def cancel(self, order_id: int) -> None:
        self.send(4, 1, order_id, "")

    def take(self, message: int) -> list[list[str]]:
        """All messages of an id so far, out of the inbox."""
        found = [fields for fields in self.inbox if fields[0] == str(message)]
        self.inbox = [fields for fields in self.inbox if fields[0] != str(message)]
        return found

    def rows(self, message: int) -> list[dict[str, str]]:
        return [named(fields, self.version) for fields in self.take(message)]

    def errors(self) -> list[tuple[int, int]]:
        """Numbers and codes of the errors so far, without the farm notices."""
        codes = [(int(row["reqId"]), int(row["code"])) for row in self.rows(4)]
        return [pair for pair in codes if pair[1] not in (2104, 2106, 2158)]

    def statuses(self) -> list[str]:
        return [row["status"] for row in self.rows(3)]

    def wait(self, seconds: float = 1.0) -> None:
        """Let the gateway's clock run."""
        self.gateway.timeline.run_for(seconds)


class SocketClient:
    """The same over a socket, blocking; for what only a socket can show."""

    def __init__(self, port: int, number: int = 1) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._cutter = Cutter()
        self.inbox: list[list[str]] = []
        self._socket.sendall(b"API\0" + struct.pack(">I", 9) + b"v176..178")
        self.read_until(178)
        self.send(71, 2, number, "")

    def send(self, *fields: object) -> None:
        self._socket.sendall(framed(*fields))

    def read_until(self, message: int) -> list[str]:
        """The first message of an id; what came before it stays in the inbox."""
        while True:
            for place, fields in enumerate(self.inbox):
                if fields[0] == str(message):
                    return self.inbox.pop(place)
            data = self._socket.recv(65536)
            assert data, "the gateway closed the line"
            self.inbox += self._cutter.cut(data)

    def close(self) -> None:
        self._socket.close()


def at(clock: str, day: date = MONDAY) -> datetime:
    session = session_on(day)
    assert session is not None
    return session.at_clock(clock)


def gateway(
    *faults: Fault, clock: str = "10:00", step_s: float = 1.0, **changes: object
) -> Gateway:
    """A gateway on a Monday in March, its clock in the test's hands."""
    settings = {"start": at(clock), "step_s": step_s, "faults": faults} | changes
    return Gateway(GatewaySettings(**settings))  # type: ignore[arg-type]


def fault(name: str, **changes: object) -> Fault:
    return Fault(FaultName(name), **changes)  # type: ignore[arg-type]


def ask_of(host: Gateway, symbol: str = "AAPL") -> float:
    return quote_of(host, symbol)[1]


def bid_of(host: Gateway, symbol: str = "AAPL") -> float:
    return quote_of(host, symbol)[0]


def quote_of(host: Gateway, symbol: str) -> tuple[float, float]:
    contract = host.listing.find({"symbol": symbol})
    assert contract is not None
    standing = host.exchange.quote(contract)
    return standing.bid, standing.ask


def books(rows: Iterable[dict[str, str]]) -> dict[str, float]:
    """Signed shares by symbol, folded from executions."""
    shares: dict[str, float] = {}
    for row in rows:
        sign = 1 if row["side"] == "BOT" else -1
        shares[row["symbol"]] = shares.get(row["symbol"], 0.0) + sign * float(row["shares"])
    return shares
