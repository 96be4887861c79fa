"""A journal as a table: one row a cycle, with what was held, traded, paid and refused.

Everything the report and the command line say of a run is read here, from the journal alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..core.arrays import Floats
from ..core.config import Settings
from ..core.errors import JournalError
from ..core.events import ByHand, Word
from ..core.limits import Limit, excesses
from ..core.orders import TRADES, Charge, ExecType, ExecutionReport, TradeFee, WorkingOrder
from ..core.parents import decided_id
from ..core.problem import Problem
from ..core.reasons import BY_NUMBER
from ..core.seen import Portfolio, Scores, Universe
from ..core.types import Decision, Plan, State
from ..core.units import BPS, MICRO, usd
from ..journal.store import Entry, JournalReader
from .fees import with_fee
from .roll_call import RollCall, take_roll
from .run import CYCLE, END, OPERATOR, REPORTS, RUN, SETTINGS, STATEMENT

CENT = 0.005
GATE = "GATE_"
"""The family of codes under which the gate denies an order."""


@dataclass(frozen=True, slots=True)
class Row:
    """One cycle: its fills since the cycle before, and the book as it stands at `at`.

    orders: new ones; changes: orders at work that were raised or reduced.

    nav, cash, fees, slippage, carry in USD; turnover, gross, net, beta, sector (largest |sector|)
    and weight (largest |w|) as fractions of NAV.
    """

    cycle_id: str
    at: str
    nav: float
    cash: float
    gross: float
    net: float
    beta: float
    sector: float
    weight: float
    turnover: float
    fees: float
    slippage: float
    carry: float
    """Borrow fees and interest since the cycle before, + is paid."""
    orders: int
    fills: int
    spoken: str
    changes: int = 0


@dataclass(slots=True, eq=False)
class Ledger:
    """All rows of a journal, with counts by reason and the checks of its books.

    `breaches`: cycles whose decided book (settled, working and new orders in whole shares) passed a
    limit; `excursions`: cycles that found the book past a limit by more than the repair tolerance,
    because prices moved or because some legs of a trade filled before others.
    """

    settings: Settings = field(default_factory=Settings)
    versions: dict[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    trades_by_reason: Counter[str] = field(default_factory=Counter)
    held_by_reason: Counter[str] = field(default_factory=Counter)
    spoken: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    breaches: Counter[str] = field(default_factory=Counter)
    excursions: Counter[str] = field(default_factory=Counter)
    flows: float = 0.0
    """USD that came from outside after the first cycle, by the operator's word: no profit."""
    cycles_off_by_a_cent: int = 0
    statements: int = 0
    statements_agree: int = 0
    carry_by_kind: dict[str, float] = field(default_factory=dict)
    """USD of borrow fees and interest, + is paid."""
    round_trips: int = 0
    complete: bool = False
    laps_ms: dict[str, float] = field(default_factory=dict)
    last_traded: tuple[str, ...] = ()
    models: dict[str, RollCall] = field(default_factory=dict)

    @property
    def fees(self) -> float:
        return sum(row.fees for row in self.rows)

    @property
    def carry(self) -> float:
        return sum(row.carry for row in self.rows)

    @property
    def slippage(self) -> float:
        return sum(row.slippage for row in self.rows)

    @property
    def turnover(self) -> float:
        """Σ|traded| / NAV over all fills, two-way."""
        return sum(row.turnover for row in self.rows)

    def summary(self) -> dict[str, Any]:
        """The figures of `run --json`: money in USD, exposures as fractions of NAV."""
        rows = self.rows
        days = len({row.at[:10] for row in rows})
        return {
            "cycles": len(rows),
            "sessions": days,
            "orders": sum(row.orders for row in rows),
            "changes": sum(row.changes for row in rows),
            "fills": sum(row.fills for row in rows),
            "trades_by_reason": dict(self.trades_by_reason.most_common()),
            "held_by_reason": dict(self.held_by_reason.most_common()),
            "spoken": dict(self.spoken.most_common()),
            "notes": dict(self.notes.most_common()),
            "denied": dict(self.denied.most_common()),
            "rejected": dict(self.rejected.most_common()),
            "turnover_l1": self.turnover,
            "turnover_one_way": self.turnover / 2,
            "round_trips": self.round_trips,
            "costs": self.fees + self.slippage,
            "fees": self.fees,
            "slippage": self.slippage,
            "carry": self.carry,
            "carry_by_kind": dict(self.carry_by_kind),
            "nav_start": rows[0].nav,
            "nav_end": rows[-1].nav,
            "flows": self.flows,
            "pnl": rows[-1].nav - rows[0].nav - self.flows,
            "max_gross": max(row.gross for row in rows),
            "max_abs_net": max(abs(row.net) for row in rows),
            "max_abs_weight": max(row.weight for row in rows),
            "max_abs_beta": max(abs(row.beta) for row in rows),
            "limit_breaches": sum(self.breaches.values()),
            "breaches_by_limit": dict(self.breaches),
            "limit_excursions": sum(self.excursions.values()),
            "excursions_by_limit": dict(self.excursions),
            "nav_off_by_a_cent": self.cycles_off_by_a_cent,
            "statements": self.statements,
            "statements_agree": self.statements_agree,
            "complete": self.complete,
            "models": {name: call.told() for name, call in self.models.items()},
        }


def has_cycles(path: Path) -> bool:
    """Whether a journal holds any cycle: a live run may be stopped before its first."""
    with JournalReader(path) as journal:
        return any(entry.kind == CYCLE for entry in journal.entries())


def read_ledger(path: Path) -> Ledger:
    """Read a journal from end to end; raises JournalError where it holds no cycle."""
    with JournalReader(path) as journal:
        reader = _Reader(journal)
        for entry in journal.entries():
            reader.take(entry)
        ledger = reader.ledger
        counts: Counter[str] = Counter()
        for room, ms in journal.laps():
            ledger.laps_ms[room] = ledger.laps_ms.get(room, 0.0) + ms
            counts[room] += 1
    ledger.laps_ms = {room: ms / counts[room] for room, ms in ledger.laps_ms.items()}
    if not ledger.rows:
        raise JournalError(f"journal {path} holds no cycle: the run stopped before its first.")
    return ledger


class _Reader:
    """Folds entries into a ledger; keeps its own count of shares and cash as a second witness."""

    def __init__(self, journal: JournalReader) -> None:
        self.journal = journal
        self.ledger = Ledger()
        self.shares: Counter[str] = Counter()
        self.cash_micro = self.flows_micro = 0
        self.arrival: dict[str, float] = {}
        self.asked: dict[str, float] = {}
        """Arrival of orders that a change without an answer yet would make of them."""
        self.fills: list[ExecutionReport] = []
        self.carry_micro = 0

    def take(self, entry: Entry) -> None:
        if entry.kind == RUN:
            self._open(entry.tree)
        elif entry.kind == SETTINGS:
            self.ledger.settings = self.journal.value(entry.tree)
        elif entry.kind == CYCLE:
            self._cycle(entry)
        elif entry.kind == REPORTS:
            self._reports(self.journal.value(entry.tree))
        elif entry.kind == OPERATOR:
            self._operator(self.journal.value(entry.tree))
        elif entry.kind == STATEMENT:
            self._statement(entry.tree)
        elif entry.kind == END:
            self.ledger.complete = True

    def _open(self, tree: Any) -> None:
        self.ledger.settings = self.journal.value(tree["settings"])
        self.ledger.versions = dict(tree["versions"])
        self.ledger.findings = tuple(tree["findings"])
        state: State = self.journal.value(tree["state"])
        self.cash_micro = state.book.cash_micro
        held = zip(state.universe.symbols, state.book.shares.tolist(), strict=True)
        self.shares.update({symbol: qty for symbol, qty in held if qty})

    def _operator(self, words: tuple[Word, ...]) -> None:
        """Books that were set right by hand, and orders that no cycle decided."""
        for word in words:
            if isinstance(word, ByHand):
                self.arrival.update({order.cl_ord_id: order.arrival for order in word.orders})
            else:
                self.cash_micro += word.cash_micro
                self.flows_micro += word.flow_micro
                if word.symbol:
                    self.shares[word.symbol] += word.shares - word.expected

    def _reports(self, reports: tuple[ExecutionReport | TradeFee | Charge, ...]) -> None:
        for report in reports:
            if isinstance(report, TradeFee):
                self.cash_micro -= report.fee_micro
                self.fills = with_fee(self.fills, report)
            elif isinstance(report, Charge):
                self._charge(report)
            elif report.exec_type in TRADES:
                self._trade(report)
            elif report.exec_type is ExecType.REJECTED:
                self.ledger.rejected[report.text] += 1
            elif report.exec_type in (ExecType.REPLACED, ExecType.CANCEL_REJECTED):
                asked = self.asked.pop(report.cl_ord_id, None)
                if asked is not None and report.exec_type is ExecType.REPLACED:
                    self.arrival[report.cl_ord_id] = asked

    def _charge(self, charge: Charge) -> None:
        self.cash_micro -= charge.amount_micro
        self.carry_micro += charge.amount_micro
        known = self.ledger.carry_by_kind
        known[charge.kind] = known.get(charge.kind, 0.0) + usd(charge.amount_micro)

    def _trade(self, report: ExecutionReport) -> None:
        """A fill, or what a correction or a bust changes of one."""
        sign, before = report.side.sign, self.shares[report.symbol]
        self.shares[report.symbol] += sign * (report.last_qty - report.prior_qty)
        self.cash_micro -= sign * report.last_qty * round(report.last_px * MICRO) + report.fee_micro
        self.cash_micro += sign * report.prior_qty * round(report.prior_px * MICRO)
        if report.exec_type is ExecType.TRADE:
            if before and before * self.shares[report.symbol] <= 0:
                self.ledger.round_trips += 1
            self.fills.append(report)

    def _statement(self, tree: Any) -> None:
        """The broker's books against the sum of its reports."""
        held = {symbol: qty for symbol, qty in self.shares.items() if qty}
        self.ledger.statements += 1
        if held == dict(tree["shares"]) and self.cash_micro == tree["cash_micro"]:
            self.ledger.statements_agree += 1

    def _cycle(self, entry: Entry) -> None:
        # A journal may go on after an end: the next day's run, or a restart.
        self.ledger.complete = False
        tree, value = entry.tree, self.journal.value
        universe: Universe = value(tree["state"]["universe"])
        book: Portfolio = value(tree["seen"]["portfolio"])
        problem: Problem = value(tree["proposal"]["problem"])
        beta = problem.structure.beta
        decision: Decision = value(tree["decision"])
        plan: Plan = value(tree["plan"])
        exact = usd(self.cash_micro) + sum(
            qty * float(book.price[universe.index[symbol]]) for symbol, qty in self.shares.items()
        )
        self.ledger.cycles_off_by_a_cent += abs(exact - book.nav) >= CENT
        held = book.shares * book.price / book.nav
        sectors = [float(held[universe.group == k].sum()) for k in range(len(universe.group_names))]
        row = Row(
            cycle_id=entry.cycle_id,
            at=entry.at,
            nav=book.nav,
            cash=book.cash,
            gross=float(np.abs(held).sum()),
            net=float(held.sum()),
            beta=0.0 if beta is None else float(beta @ held),
            sector=max((abs(s) for s in sectors), default=0.0),
            weight=float(np.abs(held).max(initial=0.0)),
            turnover=sum(fill.last_qty * fill.last_px for fill in self.fills) / book.nav,
            fees=sum(fill.fee_micro for fill in self.fills) / MICRO,
            slippage=sum(self._slippage(fill) for fill in self.fills),
            carry=self.carry_micro / MICRO,
            orders=len(plan.orders),
            fills=len(self.fills),
            spoken=" ".join(dict.fromkeys(str(reason.code) for reason in decision.spoken)),
            changes=len(plan.replaces),
        )
        self.fills, self.carry_micro = [], 0
        # What came before the first row is in it, and what no row has seen yet is in none.
        self.ledger.flows += usd(self.flows_micro) if self.ledger.rows else 0.0
        self.flows_micro = 0
        self.ledger.rows.append(row)
        self._count(decision, plan, book.weights)
        scores: Scores = value(tree["seen"]["scores"])
        oldest_s = self.ledger.settings.signals.max_score_age_min * 60.0
        take_roll(self.ledger.models, scores, universe.traded, oldest_s)
        working = value(tree["state"]["working"])
        self._measure(row, problem, decided_weights(universe, book, working, plan))
        raised = self._changes(universe, working, plan, value(tree["seen"]["market"]).mid)
        codes = decision.code[[universe.index[symbol] for symbol in raised]].tolist()
        self.ledger.trades_by_reason.update(BY_NUMBER[number].value for number in codes)
        if raised or plan.orders:
            traded = tuple(order.symbol for order in plan.orders)
            self.ledger.last_traded = raised + traded
        for order in plan.orders:
            self.arrival[order.cl_ord_id] = order.arrival

    def _changes(
        self, universe: Universe, working: tuple[WorkingOrder, ...], plan: Plan, mid: Floats
    ) -> tuple[str, ...]:
        """Keep what changes will make of arrivals; the symbols of orders that were raised."""
        there, raised = {one.order.cl_ord_id: one for one in working}, []
        for change in plan.replaces:
            order = there[change.cl_ord_id]
            now = float(mid[universe.index[order.order.symbol]])
            self.asked[change.cl_ord_id] = order.changed(change, "", "", now, 0).arrival
            if change.order_qty > order.order.order_qty:
                raised.append(order.order.symbol)
        return tuple(raised)

    def _slippage(self, fill: ExecutionReport) -> float:
        """What a fill cost against the mid at its decision, USD; + is worse for us."""
        arrival = self.arrival[decided_id(fill.cl_ord_id, self.arrival)]
        return fill.side.sign * fill.last_qty * (fill.last_px - arrival)

    def _count(self, decision: Decision, plan: Plan, current: Floats) -> None:
        ledger = self.ledger
        ledger.trades_by_reason.update(order.reason for order in plan.orders)
        ledger.spoken.update(str(reason.code) for reason in decision.spoken)
        for reason in plan.notes:
            by_gate = reason.code.startswith(GATE)
            (ledger.denied if by_gate else ledger.notes)[str(reason.code)] += 1
        left_alone = decision.code[decision.target == current]
        numbers, counts = np.unique(left_alone, return_counts=True)
        for number, count in zip(numbers.tolist(), counts.tolist(), strict=True):
            ledger.held_by_reason[str(BY_NUMBER[number])] += count

    def _measure(self, row: Row, problem: Problem, decided: Floats) -> None:
        """Breaches of the decided book, and excursions of the book as it stood at `row.at`."""
        over = excesses(problem.bounds, problem.structure, decided)
        self.ledger.breaches.update(over.keys())
        limits, tolerance = problem.limits, self.ledger.settings.optimize.repair_tolerance_bps * BPS
        stood = {
            Limit.GROSS: (row.gross, limits.gross),
            Limit.NET: (abs(row.net), limits.net),
            Limit.PER_NAME_CAP: (row.weight, float(np.abs(problem.bounds.high).max(initial=0.0))),
            Limit.SECTOR: (row.sector, limits.sector),
            Limit.BETA: (abs(row.beta), np.inf if limits.beta is None else limits.beta),
        }
        past = [limit.value for limit, (used, bound) in stood.items() if used > bound + tolerance]
        self.ledger.excursions.update(past)


def decided_weights(
    universe: Universe, book: Portfolio, working: tuple[WorkingOrder, ...], plan: Plan
) -> Floats:
    """The book (n,) as it will be when all that is working, and not canceled, and planned fills."""
    shares = book.shares + book.working
    for one in working:
        if one.order.cl_ord_id in plan.cancels:
            shares[universe.index[one.order.symbol]] -= one.order.side.sign * one.least_leaves
    there = {one.order.cl_ord_id: one.order for one in working}
    for change in plan.replaces:
        order = there[change.cl_ord_id]
        more = change.order_qty - order.order_qty
        shares[universe.index[order.symbol]] += order.side.sign * more
    for order in plan.orders:
        shares[universe.index[order.symbol]] += order.side.sign * order.order_qty
    weights: Floats = shares * book.price / book.nav
    return weights
