"""The two long messages, openOrder and completedOrder, as tables of their fields.

In a table a word is a field of the order's ticket, echoed, with what stands for unset behind a
colon; `=` begins a literal and `@` something that the gateway adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from .orders import Order, Status
from .replies import Message
from .ticket import Ticket
from .timeline import exchange_stamp
from .wire import Field, is_set

_CONTRACT = (
    "@conId @symbol =STK = =0 =? = exchange:SMART =USD @symbol @tradingClass action totalQuantity "
    "orderType lmtPrice:0 auxPrice:0 tif:DAY ocaGroup @account openClose origin:0 orderRef "
)
_OPEN_START = (
    "@clientId @permId outsideRth:0 hidden:0 discretionaryAmt:0 goodAfterTime = faGroup faMethod "
    "faPercentage @faProfile modelCode goodTillDate rule80A percentOffset settlingFirm "
    "shortSaleSlot:0 designatedLocation exemptCode:-1 auctionStrategy:0 startingPrice "
    "stockRefPrice delta stockRangeLower stockRangeUpper displaySize:0 blockOrder:0 "
    "sweepToFill:0 allOrNone:0 minQty ocaType:3 =0 =0 = parentId:0 triggerMethod:0 "
    "volatility volatilityType:0 "
    # A real gateway writes None where there is no delta-neutral order, and so its fields follow.
    "deltaNeutralOrderType:None deltaNeutralAuxPrice deltaNeutralConId:0 "
    "deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent "
    "deltaNeutralOpenClose:? deltaNeutralShortSale:0 deltaNeutralShortSaleSlot:0 "
    "deltaNeutralDesignatedLocation continuousUpdate:0 referencePriceType:0 trailStopPrice "
    "trailingPercent = = = =0 =0 =0 @scale @hedge optOutSmartRouting:0 clearingAccount "
    "clearingIntent:IB notHeld:0 =0 @algo solicited:0 @whatIf @status @preview randomizeSize:0 "
    "randomizePrice:0 @pegBench @conditions adjustedOrderType:None triggerPrice trailStopPrice "
    "lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice adjustedTrailingAmount "
    "adjustableTrailingUnit:0 softDollarName softDollarValue = cashQty dontUseAutoPriceForHedge:0 "
    "isOmsContainer:0 discretionaryUpToLimitPrice:0 usePriceMgmtAlgo:0 duration postToAts "
    "autoCancelParent:0 "
)
_DONE_START = (
    "@permId outsideRth:0 hidden:0 discretionaryAmt:0 goodAfterTime faGroup faMethod faPercentage "
    "@faProfile modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot:0 "
    "designatedLocation exemptCode:-1 startingPrice stockRefPrice delta stockRangeLower "
    "stockRangeUpper displaySize:0 sweepToFill:0 allOrNone:0 minQty ocaType:3 triggerMethod:0 "
    "volatility volatilityType:0 deltaNeutralOrderType:None deltaNeutralAuxPrice "
    "deltaNeutralConId:0 deltaNeutralShortSale:0 deltaNeutralShortSaleSlot:0 "
    "deltaNeutralDesignatedLocation continuousUpdate:0 referencePriceType:0 trailStopPrice "
    "trailingPercent = =0 =0 =0 @scale @hedge clearingAccount clearingIntent:IB notHeld:0 =0 @algo "
    "solicited:0 @status randomizeSize:0 randomizePrice:0 @pegBench @conditions trailStopPrice "
    "lmtPriceOffset cashQty dontUseAutoPriceForHedge:0 isOmsContainer:0 = @filled =0 "
    "autoCancelParent:0 = =0 =0 @parentPermId @completedTime @completedStatus "
)
_PEGS = "minTradeQty minCompeteSize competeAgainstBestOffset midOffsetAtWhole midOffsetAtHalf"
OPEN_ORDER = f"orderId {_CONTRACT}{_OPEN_START}{_PEGS}"
COMPLETED_ORDER = f"{_CONTRACT}{_DONE_START}{_PEGS}"

_SCALE = "scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement"
_SCALE_REST = (
    "scalePriceAdjustValue scalePriceAdjustInterval scaleProfitOffset scaleAutoReset:0 "
    "scaleInitPosition scaleInitFillQty scaleRandomPercent:0"
)
_PEG_BENCH = (
    "referenceContractId isPeggedChangeAmountDecrease peggedChangeAmount referenceChangeAmount "
    "referenceExchangeId"
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would change: margins USD before, changed by, and after; and its commission."""

    initial: tuple[float, float, float]
    maintenance: tuple[float, float, float]
    equity: tuple[float, float, float]
    commission: float

    def fields(self) -> tuple[Field, ...]:
        triples = zip(self.initial, self.maintenance, self.equity, strict=True)
        fee = round(self.commission, 6)
        return (*(f"{v:.2f}" for triple in triples for v in triple), fee, fee, fee, "USD", "")


_NO_PREVIEW: tuple[Field, ...] = ("",) * 14


def open_order(order: Order, version: int, preview: Preview | None = None) -> Message:
    """An order that works, or, with a preview, one that would."""
    ticket = order.ticket
    added = {
        **_about(order, version),
        "clientId": (order.client,),
        "whatIf": (preview is not None,),
        "preview": preview.fields() if preview else _NO_PREVIEW,
    }
    return Message("openOrder", (5, *_fill_in(OPEN_ORDER, ticket, order, added)))


def completed_order(order: Order, version: int, parent_perm_id: int) -> Message:
    """An order that is over, today; orderId and clientId are not told."""
    added = {
        **_about(order, version),
        "filled": (order.filled,),
        "parentPermId": (parent_perm_id,),
        "completedTime": (exchange_stamp(order.finished or order.placed),),
        "completedStatus": (_said_of_end(order),),
    }
    return Message("completedOrder", (101, *_fill_in(COMPLETED_ORDER, order.ticket, order, added)))


def completed_moment(order: Order) -> datetime:
    return order.finished or order.placed


def _said_of_end(order: Order) -> str:
    if order.status is Status.FILLED:
        return f"Filled Size: {order.filled}"
    return order.finish_reason or "Cancelled"


def _fill_in(
    table: str, ticket: Ticket, order: Order, added: Mapping[str, tuple[Field, ...]]
) -> list[Field]:
    """Write a table out for one order."""
    written: list[Field] = []
    for word in table.split():
        if word.startswith("="):
            written.append(word[1:])
        elif word.startswith("@"):
            written.extend(added[word[1:]])
        elif word == "orderId":
            written.append(order.order_id)
        else:
            written.append(_echo(word, ticket))
    return written


def _echo(word: str, ticket: Ticket) -> str:
    name, _, unset = word.partition(":")
    value = ticket.text(name)
    return value if is_set(value) else unset


def _about(order: Order, version: int) -> dict[str, tuple[Field, ...]]:
    """What both messages add from the gateway's own knowledge."""
    ticket, contract = order.ticket, order.contract
    scale = [_echo(word, ticket) for word in _SCALE.split()]
    if scale[2] and float(scale[2]) > 0:
        scale += [_echo(word, ticket) for word in _SCALE_REST.split()]
    hedge = ticket.text("hedgeType")
    pegged = ticket.order_type in ("PEG BENCH", "PEGBENCH")
    return {
        "conId": (contract.con_id,),
        "symbol": (contract.symbol,),
        "tradingClass": (contract.trading_class,),
        "account": (order.account,),
        "permId": (order.perm_id,),
        "status": (order.status.value,),
        "faProfile": (ticket.text("faProfile"),) if version < 177 else (),
        "scale": tuple(scale),
        "hedge": (hedge, ticket.text("hedgeParam")) if hedge else ("",),
        "algo": _algo(ticket),
        "pegBench": tuple(_echo(w, ticket) for w in _PEG_BENCH.split()) if pegged else (),
        "conditions": _conditions(ticket),
    }


def _algo(ticket: Ticket) -> tuple[Field, ...]:
    if not ticket.algo:
        return ("",)
    params = ticket.algo_params
    return (ticket.algo, len(params), *(field for pair in params for field in pair))


def _conditions(ticket: Ticket) -> tuple[Field, ...]:
    if not ticket.conditions:
        return (0,)
    ends = (ticket.text("conditionsIgnoreRth"), ticket.text("conditionsCancelOrder"))
    return (
        len(ticket.conditions),
        *(field for condition in ticket.conditions for field in condition),
        *ends,
    )
