"""From a journal to where its run stood: the state that it folds to, and what a broker remembers.

Rules
  * Start, restart and recovery are one: whatever the last record is, this says what follows.
  * The state is that of the last cycle with all reports after it folded in. That the cycles before
    fold to it is what `backtest.replay` checks.
  * A broker is to know of every order that may still be told of: those that had not ended, and all
    of the exchange day. Reports that no cycle could book were heard all the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from .. import cycle
from ..backtest.run import CYCLE, REPORTS, RUN, SETTINGS
from ..core.broker import Memory
from ..core.config import Settings
from ..core.events import Dispatched, Intent
from ..core.orders import Action, ExecutionReport, TradeFee, WorkingOrder
from ..core.session import EXCHANGE_ZONE
from ..core.types import State
from ..journal.store import JournalReader
from .write_ahead import HEARD, INTENTS, REFUSED

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
    not_intended: tuple[WorkingOrder, ...]
    """Decided by the last cycle, and never intended: they cannot have been sent."""


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
        self.since: list[Told] = []
        self.reports: list[Told] = []
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
            told = self.journal.value(tree)
            self.since += told
            self.reports += told
        elif kind == HEARD:
            events = (heard.event for heard in self.journal.value(tree))
            self.dispatched |= {e.cl_ord_id for e in events if isinstance(e, Dispatched)}
        elif kind == REFUSED:
            self.reports += [refused.report for refused in self.journal.value(tree)]
        elif kind == INTENTS:
            day = datetime.fromisoformat(at).astimezone(EXCHANGE_ZONE).date()
            self.intents += [(day, intent) for intent in self.journal.value(tree)]

    def end(self, today: date) -> Recovered | None:
        if self.opening is None:
            return None
        state: State = self.opening["state"]
        if self.last_cycle is not None:
            state = cycle.after(self.journal.value(self.last_cycle))
        for report in self.since:
            state = cycle.apply(state, report)
        intended = {intent.order.cl_ord_id for _, intent in self.intents}
        return Recovered(
            state=state,
            settings=self.settings,
            memory=self._memory(state, today),
            cycle_id=self.cycle_id,
            not_intended=tuple(w for w in state.working if w.order.cl_ord_id not in intended),
        )

    def _memory(self, state: State, today: date) -> Memory:
        alive = {order.order.cl_ord_id for order in state.working}
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
