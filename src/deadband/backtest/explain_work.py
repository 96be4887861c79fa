"""How the orders of a name in a cycle were carried out: by what, in which children, to what end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ..core.events import ByHand
from ..core.orders import TRADES, ExecType, ExecutionReport, Order
from ..core.parents import ChildOrder, Progress, decided_id
from ..core.reasons import Code
from ..core.session import EXCHANGE_ZONE
from ..journal.store import Entry, JournalReader
from .run import REPORTS

WORKED = "WORKED"
"""Records of a live run on how far its orders are."""
ENDED = frozenset({ExecType.CANCELED, ExecType.REJECTED, ExecType.EXPIRED})
Fact = tuple[str, str]


@dataclass(slots=True)
class _Filled:
    """What one order id filled, corrections and busts folded in."""

    qty: int = 0
    notional: float = 0.0
    at: int = 0
    end: ExecutionReport | None = None

    def take(self, report: ExecutionReport) -> None:
        if report.exec_type in TRADES:
            self.qty += report.last_qty - report.prior_qty
            self.notional += report.last_qty * report.last_px - report.prior_qty * report.prior_px
            self.at = max(self.at, report.ts)
        elif report.exec_type in ENDED:
            self.end = report

    def said(self, wanted: int) -> str:
        if self.qty <= 0:
            return f"0 of {wanted}"
        price = self.notional / self.qty
        return f"{self.qty} of {wanted} at {price:.4f}, {_clock(self.at)}"


@dataclass(slots=True)
class _Carried:
    """One decided order: its latest progress, its children's terms in turn, and all that filled."""

    order: Order
    progress: Progress | None = None
    terms: dict[str, list[ChildOrder]] = field(default_factory=dict)
    own: _Filled = field(default_factory=_Filled)
    children: dict[str, _Filled] = field(default_factory=dict)

    def worked(self, progress: Progress) -> None:
        self.progress = progress
        child = progress.child
        if child is not None:
            wanted = child.asked or child.order
            known = self.terms.setdefault(wanted.cl_ord_id, [])
            if not known or known[-1] != wanted:
                known.append(wanted)

    def told(self, report: ExecutionReport) -> None:
        if report.cl_ord_id != self.order.cl_ord_id:
            self.children.setdefault(report.cl_ord_id, _Filled()).take(report)
            if report.exec_type not in TRADES:
                return
        self.own.take(report)


def work_facts(
    journal: JournalReader, entries: Iterable[Entry], orders: Iterable[Order]
) -> tuple[tuple[Fact, ...], str]:
    """Facts and a sentence on what became of orders; both are empty where there are none."""
    carried = {order.cl_ord_id: _Carried(order) for order in orders}
    for entry in entries if carried else ():
        if entry.kind == WORKED:
            for progress in journal.value(entry.tree):
                one = carried.get(progress.parent.order.cl_ord_id)
                if one is not None:
                    one.worked(progress)
        elif entry.kind == REPORTS:
            for report in journal.value(entry.tree):
                if isinstance(report, ExecutionReport):
                    one = carried.get(decided_id(report.cl_ord_id, carried))
                    if one is not None:
                        one.told(report)
    facts = [fact for one in carried.values() for fact in _facts(one)]
    return tuple(facts), "".join(_sentence(one) for one in carried.values())


def operator_facts(
    journal: JournalReader, entries: Iterable[Entry], symbol: str
) -> tuple[tuple[Fact, ...], str]:
    """What the operator did to the name: `accept` and `flatten` decide outside of any cycle."""
    facts: list[Fact] = []
    for entry in entries:
        for word in journal.value(entry.tree):
            at = _clock(word.ts)
            if isinstance(word, ByHand):
                orders = [order for order in word.orders if order.symbol == symbol]
                facts += [("by hand", f"{at} {o.side} {o.order_qty} at {o.price}") for o in orders]
            elif word.symbol == symbol:
                shares = f"{word.expected} → {word.shares} shares"
                facts.append(("by hand", f"{at} {shares}, {word.text}"))
    said = " Afterwards the operator decided of it." if facts else ""
    return tuple(facts), said


def _wanted(one: _Carried) -> int:
    """Shares the order is for by now: later decisions may have changed it."""
    return one.order.order_qty if one.progress is None else one.progress.parent.order.order_qty


def _facts(one: _Carried) -> list[Fact]:
    facts: list[Fact] = []
    if one.progress is not None:
        parent = one.progress.parent
        span = f"{_clock(parent.start)} to {_clock(parent.deadline)} at the latest"
        facts.append(("worked by", f"{parent.route.algorithm} ({parent.route.code}), {span}"))
    facts += [
        (f"child {number}", _child(terms, one.children.get(child_id, _Filled())))
        for number, (child_id, terms) in enumerate(one.terms.items(), start=1)
    ]
    return [*facts, ("filled", one.own.said(_wanted(one))), ("ended", _end(one))]


def _child(terms: list[ChildOrder], filled: _Filled) -> str:
    last = terms[-1]
    kinds = " then ".join(dict.fromkeys(str(each.reason) for each in terms))
    prices = [f"{each.price:.4f}" for each in terms]
    price = prices[0] if len(set(prices)) == 1 else f"{prices[0]} → {prices[-1]}"
    changes = f" in {len(terms) - 1} changes" if len(terms) > 1 else ""
    algorithm = f" by {last.hand_off.strategy}" if last.hand_off is not None else ""
    said = f"{last.order_qty} {last.ord_type} at {price}{changes}{algorithm}, {kinds}"
    text = f"{said}; filled {filled.said(last.order_qty)}"
    if filled.end is not None and filled.qty < last.order_qty:
        why = f" ({filled.end.text})" if filled.end.text else ""
        text += f"; {filled.end.exec_type}{why}"
    return text


def _end(one: _Carried) -> str:
    """Why it ended, or what it waits for."""
    progress, end = one.progress, one.own.end
    if progress is not None and progress.outcome is not None:
        return _meant(progress.outcome)
    if end is not None:
        return f"{end.exec_type}{f', {end.text}' if end.text else ''}"
    if one.own.qty >= _wanted(one):
        return "filled"
    if progress is not None and progress.waits is not None:
        return f"at work, waits: {_meant(progress.waits)}"
    return "at work, by what the journal holds"


def _clock(ts: int) -> str:
    return f"{datetime.fromtimestamp(ts / 1e9, EXCHANGE_ZONE):%H:%M:%S}"


def _meant(code: Code) -> str:
    return f"{code}: {code.meaning}"


def _sentence(one: _Carried) -> str:
    progress, wanted = one.progress, _wanted(one)
    average = f" at {one.own.notional / one.own.qty:.4f}" if one.own.qty > 0 else ""
    filled = f"{one.own.qty} of {wanted} shares filled{average}"
    if progress is None:
        last = one.own.end
        end = "" if last is None or one.own.qty >= wanted else f", then {last.exec_type}"
        return f" Its order: {filled}{end}."
    count = f"{progress.children} child order{'s' * (progress.children != 1)}"
    code = progress.outcome or progress.waits
    why = f" ({code})" if code is not None else ""
    return f" Worked by {progress.parent.route.algorithm} in {count}: {filled}{why}."
