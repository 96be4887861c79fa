"""What executions and commissions do to orders: the ledger that statuses have to follow.

Rules
  * An execution counts by its id without the revision: the highest revision replaces, a repeat is
    nothing, and one without shares takes back.
  * A fee belongs to an execution, whichever comes first; only its change is told again.
"""

from __future__ import annotations

import math

from ...core.events import Severity
from ...core.orders import ExecType, Side, Source, TradeFee
from ...core.units import micros
from .orders import WHOLE, OrderTable
from .rows import NO_ADDRESS, Row, Trade, is_newer, split_id
from .said import FeeSaid, TradeSaid
from .sink import UNSET

NO_FEE = -1.0
"""What IBKR writes for a commission that it does not know, beside the unset number."""


def traded(table: OrderTable, said: TradeSaid) -> None:
    """An execution, a later revision of one, or a repeat; of ours or of someone else's."""
    row = table.found(said.ref, said.perm_id, said.order_id, said.client_id)
    if said.liquidation:
        table.note(Severity.FATAL, f"the broker liquidates {said.symbol}", symbol=said.symbol)
    if row is None:
        _other_trade(table, said)
        return
    table.link(row, said.perm_id, "")
    row.is_acked = True
    stem, revision = split_id(said.exec_id)
    known = row.trades.get(stem)
    if known is not None and not is_newer(revision, known.revision):
        return
    trade = Trade(stem, revision, round(said.shares), said.price, said.perm_id)
    if trade.qty != said.shares:
        table.doubt(row, f"traded {said.shares:g} shares, which is not a whole number")
    done = row.cum_qty - (known.qty if known is not None else 0) + trade.qty
    if row.wanted is not None and row.order.order_qty < done <= row.wanted.order_qty:
        # It has traded more than its old size: the change was taken, though nobody heard so.
        table.taken(row, row.wanted)
    row.trades[stem] = trade
    if row.is_split:
        table.grow(row, row.widest_qty)
    table.by_trade[stem] = row
    _report_trade(table, row, said, known, trade)
    if stem in table.early_fees:
        _charge(table, row, stem, said.exec_id, table.early_fees.pop(stem), said.ts)


def _report_trade(
    table: OrderTable, row: Row, said: TradeSaid, known: Trade | None, trade: Trade
) -> None:
    prior = known if known is not None and known.qty else None
    if prior is None and not trade.qty:
        return
    if prior is not None and (prior.qty, prior.px) == (trade.qty, trade.px):
        return
    kind = ExecType.TRADE
    if prior is not None:
        kind = ExecType.TRADE_CORRECT if trade.qty else ExecType.TRADE_CANCEL
    row.said_filled = max(row.said_filled, row.cum_qty) if trade.qty else row.cum_qty
    table.report(
        row,
        kind,
        ts=said.ts,
        exec_id=said.exec_id,
        order_id=said.perm_id,
        exec_ref_id=f"{prior.exec_id}.{prior.revision}" if prior is not None else "",
        side=_side(said.side, row.order.side),
        last_qty=trade.qty,
        last_px=trade.px if trade.qty else 0.0,
        prior_qty=prior.qty if prior is not None else 0,
        prior_px=prior.px if prior is not None else 0.0,
        source=Source.LIVE if said.req_id == NO_ADDRESS else Source.RECONCILED,
    )


def charged(table: OrderTable, said: FeeSaid) -> None:
    """A fee, which may come before its trade, twice, or as a number that means unknown."""
    if said.amount == NO_FEE or said.amount >= UNSET or not math.isfinite(said.amount):
        table.note(Severity.INFO, f"the fee of {said.exec_id} is not known yet")
        return
    if said.currency not in ("USD", ""):
        table.note(Severity.WARNING, f"the fee of {said.exec_id} is in {said.currency}")
        return
    stem, _ = split_id(said.exec_id)
    row, micro = table.by_trade.get(stem), micros(said.amount)
    if row is None:
        table.early_fees[stem] = micro
    else:
        _charge(table, row, stem, said.exec_id, micro, table.clock.wall_ns())


def _charge(table: OrderTable, row: Row, stem: str, exec_id: str, micro: int, ts: int) -> None:
    change = micro - row.fees.get(stem, 0)
    if change or stem not in row.fees:
        row.fees[stem] = micro
        table.emit(TradeFee(row.order.cl_ord_id, row.symbol, exec_id, change, ts))


def _other_trade(table: OrderTable, said: TradeSaid) -> None:
    """Someone else's trade moved the account: positions have to be asked for anew, once."""
    if said.exec_id in table.other_trades:
        return
    table.other_trades.add(said.exec_id)
    if said.req_id == NO_ADDRESS:
        text = f"{said.side} {said.shares:g} {said.symbol} at {said.price:g} was not ours"
        table.note(Severity.WARNING, text, symbol=said.symbol)
    table.doubts.add(WHOLE)


def _side(said: str, ordered: Side) -> Side:
    """The side of a trade: the order's own word for it, unless the broker contradicts."""
    sign = 1 if said == "BOT" else -1
    if sign == ordered.sign:
        return ordered
    return Side.BUY if sign > 0 else Side.SELL
