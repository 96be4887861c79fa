"""An order as its client wrote it: every field of placeOrder by name, and what they mean.

Fields that the simulation does not read are kept as written and come back in openOrder, as they do
from a real gateway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from .timeline import parse_stamp
from .wire import BadField, flag, is_set, number, whole

_HEAD = (
    "conId symbol secType lastTradeDateOrContractMonth strike right multiplier exchange "
    "primaryExchange currency localSymbol tradingClass secIdType secId action totalQuantity "
    "orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef transmit parentId "
    "blockOrder sweepToFill displaySize triggerMethod outsideRth hidden"
)
_DATES = (
    "sharesAllocation discretionaryAmt goodAfterTime goodTillDate faGroup faMethod faPercentage"
)
_PRICING = (
    "modelCode shortSaleSlot designatedLocation exemptCode ocaType rule80A settlingFirm allOrNone "
    "minQty percentOffset eTradeOnly firmQuoteOnly nbboPriceCap auctionStrategy startingPrice "
    "stockRefPrice delta stockRangeLower stockRangeUpper overridePercentageConstraints volatility "
    "volatilityType deltaNeutralOrderType deltaNeutralAuxPrice"
)
_DELTA_NEUTRAL = (
    "deltaNeutralConId deltaNeutralSettlingFirm deltaNeutralClearingAccount "
    "deltaNeutralClearingIntent deltaNeutralOpenClose deltaNeutralShortSale "
    "deltaNeutralShortSaleSlot deltaNeutralDesignatedLocation"
)
_TRAIL_AND_SCALE = (
    "continuousUpdate referencePriceType trailStopPrice trailingPercent scaleInitLevelSize "
    "scaleSubsLevelSize scalePriceIncrement"
)
_SCALE = (
    "scalePriceAdjustValue scalePriceAdjustInterval scaleProfitOffset scaleAutoReset "
    "scaleInitPosition scaleInitFillQty scaleRandomPercent"
)
_PEG_BENCH = (
    "referenceContractId isPeggedChangeAmountDecrease peggedChangeAmount referenceChangeAmount "
    "referenceExchangeId"
)
_TAIL = (
    "adjustedOrderType triggerPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice "
    "adjustedTrailingAmount adjustableTrailingUnit extOperator softDollarName softDollarValue "
    "cashQty mifid2DecisionMaker mifid2DecisionAlgo mifid2ExecutionTrader mifid2ExecutionAlgo "
    "dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo duration "
    "postToAts autoCancelParent advancedErrorOverride manualOrderTime"
)
CONDITION_FIELDS = MappingProxyType({1: 6, 3: 3, 4: 3, 5: 4, 6: 5, 7: 5})
"""Fields after the type of a condition: price, time, margin, execution, volume, percent change."""

_MOST_REPEATS = 1000
_WHOLE = ("orderId", "parentId")
_FINITE = ("totalQuantity", "lmtPrice", "auxPrice", "displaySize")


class Legs:
    """Fields read from left to right, some of them counted lists."""

    def __init__(self, fields: list[str]) -> None:
        self._fields, self._place = fields, 0

    def next(self) -> str:
        if self._place >= len(self._fields):
            raise BadField(f"the message ends after {self._place} fields")
        self._place += 1
        return self._fields[self._place - 1]

    def take(self, names: str) -> dict[str, str]:
        return {name: self.next() for name in names.split()}

    def rows(self, width: int) -> tuple[tuple[str, ...], ...]:
        """A count and so many rows of `width` fields."""
        count = whole(self.next())
        if not 0 <= count <= _MOST_REPEATS:
            raise BadField(f"a list says it has {count} entries")
        return tuple(tuple(self.next() for _ in range(width)) for _ in range(count))

    def skip_combo(self, security_type: str, *, fields_a_leg: int) -> None:
        if security_type == "BAG":
            self.rows(fields_a_leg)

    def finish(self, kind: str) -> None:
        left = len(self._fields) - self._place
        if left:
            raise BadField(f"{kind} has {left} fields more than it may: {self._fields[-left:]}")


@dataclass(frozen=True, slots=True)
class Ticket:
    """One placeOrder; the numbers that the simulation reads have been checked."""

    fields: Mapping[str, str]
    algo_params: tuple[tuple[str, ...], ...] = ()
    conditions: tuple[tuple[str, ...], ...] = ()
    combo_legs: tuple[tuple[str, ...], ...] = ()

    def text(self, name: str, default: str = "") -> str:
        return self.fields.get(name, default)

    def price(self, name: str) -> float | None:
        """A price in USD; None if unset, or zero, which is how some clients write unset."""
        return number(self.text(name)) or None

    def moment(self, name: str) -> datetime | None:
        """An instant, None if unset; raises ValueError."""
        written = self.text(name)
        return parse_stamp(written) if is_set(written) else None

    @property
    def order_id(self) -> int:
        return whole(self.text("orderId"))

    @property
    def quantity(self) -> float:
        """Shares, positive."""
        return number(self.text("totalQuantity")) or 0.0

    @property
    def shares(self) -> int:
        return int(self.quantity)

    @property
    def side(self) -> int:
        """+1 to buy, -1 to sell."""
        return 1 if self.text("action") == "BUY" else -1

    @property
    def order_type(self) -> str:
        return self.text("orderType").upper()

    @property
    def tif(self) -> str:
        return self.text("tif").upper() or "DAY"

    @property
    def limit(self) -> float | None:
        return self.price("lmtPrice")

    @property
    def parent_id(self) -> int:
        return whole(self.text("parentId"))

    @property
    def what_if(self) -> bool:
        return flag(self.text("whatIf"))

    @property
    def transmit(self) -> bool:
        return flag(self.text("transmit"))

    @property
    def algo(self) -> str:
        return self.text("algoStrategy")

    @property
    def params(self) -> dict[str, str]:
        return {pair[0]: pair[1] for pair in self.algo_params}

    def with_fields(self, changed: Mapping[str, str]) -> Ticket:
        return replace(self, fields=MappingProxyType({**self.fields, **changed}))


def read_ticket(fields: list[str], version: int) -> Ticket:
    """Read placeOrder without its message id; raises BadField if anything is missing or over."""
    left = Legs(fields)
    found = left.take(f"orderId {_HEAD}")
    combo_legs: tuple[tuple[str, ...], ...] = ()
    if found["secType"] == "BAG":
        combo_legs = left.rows(8)
        left.rows(1)
        left.rows(2)
    found |= left.take(_DATES)
    if version < 177:
        found |= left.take("faProfile")
    found |= left.take(_PRICING)
    if found["deltaNeutralOrderType"]:
        found |= left.take(_DELTA_NEUTRAL)
    found |= left.take(_TRAIL_AND_SCALE)
    if is_set(found["scalePriceIncrement"]) and (number(found["scalePriceIncrement"]) or 0) > 0:
        found |= left.take(_SCALE)
    found |= left.take("scaleTable activeStartTime activeStopTime hedgeType")
    if found["hedgeType"]:
        found |= left.take("hedgeParam")
    found |= left.take("optOutSmartRouting clearingAccount clearingIntent notHeld")
    if flag(left.next()):
        left.take("dnConId dnDelta dnPrice")
    found |= left.take("algoStrategy")
    algo_params = left.rows(2) if found["algoStrategy"] else ()
    found |= left.take("algoId whatIf orderMiscOptions solicited randomizeSize randomizePrice")
    if found["orderType"] in ("PEG BENCH", "PEGBENCH"):
        found |= left.take(_PEG_BENCH)
    conditions = _conditions(left)
    if conditions:
        found |= left.take("conditionsIgnoreRth conditionsCancelOrder")
    found |= left.take(_TAIL)
    found |= _pegs(left, found)
    left.finish("placeOrder")
    _refuse_no_numbers(found)
    return Ticket(MappingProxyType(found), algo_params, conditions, combo_legs)


def _refuse_no_numbers(found: Mapping[str, str]) -> None:
    """Whatever is computed with later has to be a finite number now."""
    for name in _WHOLE:
        whole(found[name])
    for name in _FINITE:
        if math.isinf(number(found[name]) or 0.0):
            raise BadField(f"{name} is {found[name]}")


def _conditions(left: Legs) -> tuple[tuple[str, ...], ...]:
    count = whole(left.next())
    if not 0 <= count <= _MOST_REPEATS:
        raise BadField(f"placeOrder says it has {count} conditions")
    read = []
    for _ in range(count):
        kind = whole(left.next())
        if kind not in CONDITION_FIELDS:
            raise BadField(f"there is no condition of type {kind}")
        read.append((str(kind), *(left.next() for _ in range(CONDITION_FIELDS[kind]))))
    return tuple(read)


def _pegs(left: Legs, found: Mapping[str, str]) -> dict[str, str]:
    """The fields that end the message for IBKRATS and for orders pegged to best or mid."""
    read = left.take("minTradeQty") if found["exchange"] == "IBKRATS" else {}
    mid = "midOffsetAtWhole midOffsetAtHalf"
    if found["orderType"] in ("PEG BEST", "PEGBEST"):
        read |= left.take("minCompeteSize competeAgainstBestOffset")
        if read["competeAgainstBestOffset"] in ("Infinite", "Infinity"):
            read |= left.take(mid)
    elif found["orderType"] in ("PEG MID", "PEGMID"):
        read |= left.take(mid)
    return read
