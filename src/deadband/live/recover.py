"""From a journal to where its run stood: the state that it folds to, and what a broker remembers.

Rules
  * Start, restart and recovery are one: whatever the last record is, this says what follows.
  * The state is that of the last cycle with all reports after it folded in. That the cycles before
    fold to it is what `backtest.replay` checks.
  * What is worked is as it was last written down, with all reports after that folded in.
  * A broker is to know of every order that may still be told of: those that had not ended, and all
    of the exchange day. Reports that no cycle could book were heard all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .. import cycle
from ..backtest.run import CYCLE, OPERATOR, REPORTS, RUN, SETTINGS
from ..core.broker import Memory
from ..core.config import Settings
from ..core.events import Dispatched, Intent, Word
from ..core.orders import Action, Charge, ExecutionReport, TradeFee, WorkingOrder
from ..core.parents import Basket, ChildOrder, Progress, parent_of_child
from ..core.session import EXCHANGE_ZONE
from ..core.types import State
from ..core.units import usd
from ..journal.store import JournalReader
from .write_ahead import HEARD, INTENTS, REFUSED, WORKED

OWN = "live:"
"""Reports that a driver makes itself have ids that begin so: no broker ever said them."""

Told = ExecutionReport | TradeFee


@dataclass(frozen=True, slots=True, eq=False)
class Recovered:
    """Where a run stood at its journal's last record."""

    state: State
    settings: Settings
    memory: Memory
    cycle_id: str
    basket: Basket
    not_intended: tuple[WorkingOrder, ...]
    """Decided by the last cycle, and never intended: they cannot have been sent."""
    children_not_intended: tuple[ChildOrder, ...] = ()


def recover(path: Path, today: date) -> Recovered | None:
    """Read a whole journal; None where no run had begun in it. Raises CorruptRecord."""
    with JournalReader(path) as journal:
        reading = _Reading(journal)
        for entry in journal.entries():
            reading.take(entry.kind, entry.cycle_id, entry.at, entry.tree)
        return reading.end(today)


class _Reading:
    def __init__(self, journal: JournalReader) -> None:
        self.journal = journal
        self.opening: Any = None
        self.settings: Any = None
        self.last_cycle: Any = None
        self.cycle_id = ""
        self.since: list[Told | Charge | Word] = []
        self.reports: list[Told] = []
        self.works: dict[str, Progress] = {}
        self.intents: list[tuple[date, Intent]] = []
        self.dispatched: set[str] = set()

    def take(self, kind: str, cycle_id: str, at: str, tree: Any) -> None:
        if kind == RUN:
            self.opening = self.journal.value(tree)
            self.settings = self.opening["settings"]
        elif kind == SETTINGS:
            self.settings = self.journal.value(tree)
        elif kind == CYCLE:
            # Only the last one is needed, and only then is it made a value.
            self.last_cycle, self.cycle_id, self.since = tree, cycle_id, []
        elif kind == REPORTS:
            self._told(self.journal.value(tree))
        elif kind == OPERATOR:
            self.since += self.journal.value(tree)
        elif kind == WORKED:
            changed = self.journal.value(tree)
            self.works |= {one.parent.order.cl_ord_id: one for one in changed}
        elif kind == HEARD:
            events = (heard.event for heard in self.journal.value(tree))
            self.dispatched |= {e.cl_ord_id for e in events if isinstance(e, Dispatched)}
        elif kind == REFUSED:
            self.reports += [refused.report for refused in self.journal.value(tree)]
        elif kind == INTENTS:
            day = datetime.fromisoformat(at).astimezone(EXCHANGE_ZONE).date()
            self.intents += [(day, intent) for intent in self.journal.value(tree)]

    def _told(self, told: tuple[Told | Charge, ...]) -> None:
        self.since += told
        self.reports += [one for one in told if not isinstance(one, Charge)]
        for report in told:
            if not isinstance(report, ExecutionReport):
                continue
            parent = parent_of_child(report.cl_ord_id)
            if parent in self.works:
                alone = self._basket((self.works[parent],))
                self.works[parent] = cycle.hear(alone, report)[0].works[0]

    def _basket(self, works: tuple[Progress, ...], cash: float = 0.0, nav: float = 1.0) -> Basket:
        return cycle.open_basket(self.settings, cash, nav, works)

    def end(self, today: date) -> Recovered | None:
        if self.opening is None:
            return None
        state: State = self.opening["state"]
        if self.last_cycle is not None:
            state = cycle.after(self.journal.value(self.last_cycle))
        for report in self.since:
            state = cycle.apply(state, report)
        works = tuple(one for one in self.works.values() if not one.is_over)
        children = tuple(one.child.order for one in works if one.child is not None)
        worked = {one.parent.order.cl_ord_id for one in works}
        known = worked | {intent.order.cl_ord_id for _, intent in self.intents}
        alive = {order.order.cl_ord_id for order in state.working}
        alive |= {child.cl_ord_id for child in children}
        return Recovered(
            state=state,
            settings=self.settings,
            memory=self._memory(alive, today),
            cycle_id=self.cycle_id,
            basket=self._basket(works, usd(state.book.cash_micro), max(state.last_nav, 1.0)),
            not_intended=tuple(w for w in state.working if w.order.cl_ord_id not in known),
            children_not_intended=tuple(c for c in children if c.cl_ord_id not in known),
        )

    def _memory(self, alive: set[str], today: date) -> Memory:
        kept = alive | {
            intent.order.cl_ord_id
            for day, intent in self.intents
            if day == today and intent.action is Action.NEW
        }
        return Memory(
            high_water=max((intent.high_water for _, intent in self.intents), default=0),
            intents=tuple(i for _, i in self.intents if i.order.cl_ord_id in kept),
            reports=tuple(
                one
                for one in self.reports
                if one.cl_ord_id in kept and not one.exec_id.startswith(OWN)
            ),
            dispatched=frozenset(self.dispatched & kept),
        )
