"""Parent orders with their fills and mids, read from a journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ...core.config import Settings
from ...core.orders import TRADES, Charge, ExecType, ExecutionReport, Order, TradeFee
from ...core.parents import decided_id
from ...core.seen import Market
from ...core.types import Plan, RiskModel
from ...core.units import epoch_ns, usd
from ...journal.store import Entry, JournalReader
from ..fees import corrected, with_fee
from ..run import CYCLE, REPORTS, RUN, SETTINGS
from .pieces import Pieces
from .shortfall import HORIZONS_S, Trade, later_mids, mark_out_bps

PLAIN = "marketable"
ENDED = frozenset({ExecType.CANCELED, ExecType.EXPIRED, ExecType.REJECTED})


@dataclass(slots=True)
class _Open:
    """An order with what was known at its decision, and what came of it so far."""

    order: Order
    half: float
    sigma_day: float
    adv: float
    pieces: Pieces
    fills: list[ExecutionReport] = field(default_factory=list)
    ended: int = -1


@dataclass(slots=True, eq=False)
class Recorded:
    """What a journal holds for the analysis: trades, and each fill's mark-outs in bps by horizon.

    `step_s`: how far apart the quotes are; nothing is marked at a shorter horizon.
    """

    settings: Settings
    trades: list[Trade]
    mark_outs: dict[int, np.ndarray]
    step_s: float


def read_trades(path: Path) -> Recorded:
    """Read a journal from end to end."""
    with JournalReader(path) as journal:
        reader = _Reader(journal)
        for entry in journal.entries():
            reader.take(entry)
    return reader.done()


class _Reader:
    """Folds entries into orders, and keeps every cycle's mids as the quotes of the run."""

    def __init__(self, journal: JournalReader) -> None:
        self.journal = journal
        self.settings = Settings()
        self.orders: dict[str, _Open] = {}
        self.at: list[int] = []
        self.mids: list[np.ndarray] = []
        self.index: dict[str, int] = {}
        self.bar_min = 0.0

    def take(self, entry: Entry) -> None:
        if entry.kind == RUN:
            self.settings = self.journal.value(entry.tree["settings"])
        elif entry.kind == SETTINGS:
            self.settings = self.journal.value(entry.tree)
        elif entry.kind == CYCLE:
            self._cycle(entry.tree)
        elif entry.kind == REPORTS:
            for report in self.journal.value(entry.tree):
                if not isinstance(report, Charge):
                    self._report(report)

    def _cycle(self, tree: Any) -> None:
        value = self.journal.value
        market: Market = value(tree["seen"]["market"])
        now: datetime = value(tree["seen"]["now"])
        risk: RiskModel = value(tree["risk"])
        plan: Plan = value(tree["plan"])
        self.index = dict(market.universe.index)
        self.bar_min = market.bar_min
        self.at.append(epoch_ns(now))
        before = self.mids[-1] if self.mids else market.mid
        self.mids.append(np.where(market.mid > 0, market.mid, before))
        sigma_day = risk.sigma_day
        for order in plan.orders:
            name = self.index[order.symbol]
            self.orders[order.cl_ord_id] = _Open(
                order=order,
                half=0.5 * float(market.ask[name] - market.bid[name]),
                sigma_day=0.0 if sigma_day is None else float(sigma_day[name]),
                adv=float(market.adv[name]),
                pieces=Pieces(order),
            )
        for change in plan.replaces:
            one = self.orders.get(change.cl_ord_id)
            if one is not None:
                mid = float(market.mid[self.index[one.order.symbol]])
                one.pieces.ask(change.order_qty, mid, epoch_ns(now))

    def _report(self, report: ExecutionReport | TradeFee) -> None:
        one = self.orders.get(decided_id(report.cl_ord_id, self.orders))
        if one is None:
            return
        if isinstance(report, TradeFee):
            one.fills = with_fee(one.fills, report)
        elif report.exec_type is ExecType.TRADE:
            one.fills.append(report)
        elif report.exec_type in TRADES:
            one.fills = corrected(one.fills, report)
        elif report.cl_ord_id not in self.orders:
            # What else is said of a child is nothing to its parent.
            return
        elif report.exec_type in (ExecType.REPLACED, ExecType.CANCEL_REJECTED):
            one.pieces.answered(report)
        elif report.exec_type in ENDED:
            one.ended = report.ts

    def done(self) -> Recorded:
        trades, marks = [], {seconds: [np.zeros(0)] for seconds in HORIZONS_S}
        step_s = self.bar_min * 60.0
        at = np.array(self.at, dtype=np.int64)
        mids = np.array(self.mids)
        for one in self.orders.values():
            trade = self._trade(one, at, mids[:, self.index[one.order.symbol]])
            trades.append(trade)
            column = mids[:, self.index[trade.symbol]]
            for seconds in HORIZONS_S:
                later = later_mids(at, column, trade.ts, seconds, step_s)
                marks[seconds].append(mark_out_bps(trade, later))
        joined = {seconds: np.concatenate(parts) for seconds, parts in marks.items()}
        return Recorded(self.settings, trades, joined, step_s)

    def _trade(self, one: _Open, at: np.ndarray, mids: np.ndarray) -> Trade:
        order, ts = one.order, np.array([fill.ts for fill in one.fills], dtype=np.int64)
        last = one.ended if one.ended >= 0 else int(at[-1])
        pieces, filled = one.pieces, sum(fill.last_qty for fill in one.fills)

        def mid_at(ts: int) -> float:
            return float(mids[_before(at, ts)])

        return Trade(
            order_id=order.cl_ord_id,
            symbol=order.symbol,
            sign=order.side.sign,
            order_qty=pieces.wanted,
            at=order.transact_time,
            reason=order.reason,
            algorithm=PLAIN if order.route is None else order.route.algorithm.value,
            decision=pieces.decision,
            arrival=pieces.arrival(mid_at),
            end=pieces.end(mid_at, filled, last),
            fees=sum(usd(fill.fee_micro) for fill in one.fills),
            half=one.half,
            sigma_day=one.sigma_day,
            share=pieces.wanted / max(one.adv, 1.0),
            qty=np.array([fill.last_qty for fill in one.fills], dtype=np.int64),
            price=np.array([fill.last_px for fill in one.fills]),
            mid=mids[[_before(at, fill) for fill in ts.tolist()]],
            ts=ts,
        )


def _before(at: np.ndarray, ts: int) -> int:
    """The last cycle at or before an instant; the first, where there is none."""
    return max(0, int(at.searchsorted(ts, side="right")) - 1)
