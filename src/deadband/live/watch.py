"""Where a live run stands: what is heard becomes durable, then it moves the state, and never else.

Rules
  * Every event is in the journal before it is folded; the state is the fold of the journal.
  * What cannot be folded is kept as refused, moves nothing, and freezes its name until the books
    have been compared again.
  * What the driver concludes by itself, such as an order that was denied, is journaled as a report
    of its own, so that a replay needs no other rules than these.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from .. import cycle
from ..backtest.run import CYCLE, OPERATOR, REPORTS
from ..core.arrays import Ints
from ..core.broker import Receipt
from ..core.errors import BrokerError
from ..core.events import (
    AccountReport,
    BrokerEvent,
    DataQuality,
    Difference,
    Heard,
    Notice,
    Refused,
    SessionEvent,
    SessionState,
    Severity,
    Skipped,
    TradingStatus,
    Word,
)
from ..core.orders import (
    Charge,
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    Source,
    TradeFee,
    WorkingOrder,
)
from ..core.parents import Basket, ChildOrder, Progress
from ..core.reasons import Code
from ..core.types import CycleRecord, State
from ..core.units import epoch_ns
from .recover import OWN
from .write_ahead import HEARD, RECONCILED, REFUSED, SKIPPED, WORKED, Pen

GOING = frozenset({OrdStatus.PENDING_CANCEL, OrdStatus.UNKNOWN})
ASKED = frozenset({OrdStatus.PENDING_NEW, OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE})


@dataclass(slots=True, eq=False)
class Standing:
    """The state of a run, and what keeps it from trading names or at all."""

    state: State
    pen: Pen
    basket: Basket
    """Orders that have a route, as they are worked; the fold of what was asked and of the same
    reports."""
    is_reconciled: bool = False
    """Whether the books were compared since the session was last in doubt."""
    differences: tuple[Difference, ...] = ()
    refused: dict[str, int] = field(default_factory=dict)
    """Shares by name of reports that could not be folded."""
    funds: AccountReport | None = None
    """What the broker said last of the account's money."""
    folded: int = 0
    """Counts the reports taken, to see when nothing has come."""
    _of_names: dict[tuple[type, str], BrokerEvent] = field(default_factory=dict)
    """What was last said of a name's quotes and halts."""

    # --- what is heard

    def hear(self, heard: Sequence[Heard]) -> None:
        """Write down what was heard, and fold what moves the books."""
        if not heard:
            return
        others = tuple(
            one
            for one in heard
            if not isinstance(one.event, ExecutionReport | TradeFee | Charge)
            and self._is_news(one.event)
        )
        if others:
            self.pen.write(HEARD, others)
        events = [one.event for one in heard]
        for event in events:
            if isinstance(event, AccountReport):
                self.funds = event
        self._fold([e for e in events if isinstance(e, ExecutionReport | TradeFee | Charge)])
        if any(_is_doubt(event) for event in events):
            self.is_reconciled = False

    def _is_news(self, event: BrokerEvent) -> bool:
        """Whether it is not written yet: names whose lines take turns say the same each time."""
        if not isinstance(event, DataQuality | TradingStatus):
            return True
        key = type(event), event.symbol
        is_news = self._of_names.get(key) != event
        self._of_names[key] = event
        return is_news

    def _fold(self, told: Iterable[ExecutionReport | TradeFee | Charge]) -> None:
        state, basket, taken, refused = self.state, self.basket, [], []
        for report in told:
            try:
                moved = cycle.apply(state, report)
                if isinstance(report, ExecutionReport):
                    basket, _ = cycle.hear(basket, report)
                state = moved
                taken.append(report)
            except BrokerError as fault:
                assert isinstance(report, ExecutionReport), "fees and charges are always taken"
                refused.append(Refused(report, str(fault)))
        if taken:
            self.pen.write(REPORTS, tuple(taken))
        if refused:
            self.pen.write(REFUSED, tuple(refused))
        self.state, self.basket = state, basket
        self.folded += len(taken) + len(refused)
        for one in refused:
            shares = self.refused.get(one.report.symbol, 0)
            self.refused[one.report.symbol] = shares + max(one.report.last_qty, 1)

    @property
    def asked(self) -> bool:
        """Whether the broker still owes an answer."""
        return any(status in ASKED for status in self._at_broker())

    @property
    def is_clearing(self) -> bool:
        """Whether a child of an order that is worked no more is yet to be called back."""
        return any(
            one.outcome is not None and one.child is not None and one.child.status is OrdStatus.NEW
            for one in self.basket.works
        )

    @property
    def lives(self) -> bool:
        """Whether anything of ours is at the broker that was not asked to go."""
        return any(status not in GOING for status in self._at_broker())

    def _at_broker(self) -> tuple[OrdStatus, ...]:
        """Of every order of ours that should be there; of one that is worked, its child."""
        direct = [o.status for o in self.state.working if o.order.route is None]
        children = [one.child.status for one in self.basket.works if one.child is not None]
        return (*direct, *children)

    def direct(self, cl_ord_ids: Iterable[str]) -> tuple[str, ...]:
        """Of these working orders, those that went out as they are, and not as children."""
        worked = {o.order.cl_ord_id for o in self.state.working if o.order.route is not None}
        return tuple(one for one in cl_ord_ids if one not in worked)

    # --- what is decided

    def decided(self, record: CycleRecord, laps: Mapping[str, float]) -> None:
        """From here on the cycle's orders are decided, durably."""
        self.pen.cycle_id = record.cycle_id
        self.pen.write(CYCLE, record, laps)
        self.state = cycle.after(record)

    def denied(self, receipts: Iterable[Receipt]) -> None:
        """New orders that were not taken for sending are over."""
        self._conclude(receipts, ExecType.REJECTED)

    def not_canceled(self, receipts: Iterable[Receipt]) -> None:
        """Orders whose cancel was not taken work on, unless they have ended meanwhile."""
        self._conclude(receipts, ExecType.CANCEL_REJECTED, OrdStatus.PENDING_CANCEL)

    def not_replaced(self, receipts: Iterable[Receipt]) -> None:
        """Orders whose change was not taken stand as they were."""
        self._conclude(receipts, ExecType.CANCEL_REJECTED, OrdStatus.PENDING_REPLACE)

    def conclude(self, order: WorkingOrder, kind: ExecType, text: str, *, by: str = OWN) -> None:
        """Say ourselves what became of an order, where nobody else will; `by` begins its id."""
        self._fold([self._own(order.order, kind, text, by)])

    def command(self, *words: Word) -> None:
        """What the operator says, durable before it counts; raises BrokerError if it cannot be."""
        state = self.state
        for word in words:
            state = cycle.apply(state, word)
        self.pen.write(OPERATOR, words)
        self.state = state

    def conclude_child(
        self, child: ChildOrder, kind: ExecType, text: str, *, by: str = OWN
    ) -> None:
        """The same of a child, where it is still the one in flight."""
        flying = [one.child.order.cl_ord_id for one in self.basket.works if one.child is not None]
        if child.cl_ord_id in flying:
            self._fold([self._own(child, kind, text, by)])

    def worked(self, basket: Basket) -> None:
        """From here on the basket stands so, durably as far as it asks for anything."""
        before = {one.parent.order.cl_ord_id: one for one in self.basket.works}
        changed = tuple(
            one for one in basket.works if _has_moved(before.get(one.parent.order.cl_ord_id), one)
        )
        if changed:
            self.pen.write(WORKED, changed)
        self.basket = basket

    def call_off(self, cl_ord_ids: Container[str]) -> tuple[ChildOrder, ...]:
        """Orders that are worked are wanted no more; their children that are in flight."""
        self.worked(cycle.call_off(self.basket, cl_ord_ids))
        return tuple(
            one.child.order
            for one in self.basket.works
            if one.child is not None and one.parent.order.cl_ord_id in cl_ord_ids
        )

    def answer_orders(self) -> None:
        """Say of orders that are worked what a broker would: ended, or changed as was wanted.

        One that nobody works is over too. A reduction is taken once no more than it can fill.
        """
        works = {one.parent.order.cl_ord_id: one for one in self.basket.works}
        for order in self.state.working:
            one = works.get(order.order.cl_ord_id)
            if order.order.route is None:
                continue
            if one is None or one.is_over:
                outcome = Code.ORDER_CALLED_OFF if one is None else one.outcome
                self.conclude(order, ExecType.CANCELED, f"{outcome}: its work is over")
            elif order.wanted is not None and one.parent.order == order.wanted:
                if one.filled + one.worst_leaves <= order.wanted.order_qty:
                    self.conclude(order, ExecType.REPLACED, "")

    def note(self, text: str, severity: Severity = Severity.ERROR) -> None:
        """Keep what the driver itself has to say; its own words have no number in the stream."""
        now = epoch_ns(self.pen.wall())
        self.pen.write(HEARD, (Heard(0, now, Notice(severity, text)),))

    def skip(self, skipped: Skipped) -> None:
        self.pen.write(SKIPPED, skipped)

    def _conclude(
        self, receipts: Iterable[Receipt], kind: ExecType, only: OrdStatus | None = None
    ) -> None:
        working = {order.order.cl_ord_id: order for order in self.state.working}
        self._fold(
            [
                self._own(working[one.cl_ord_id].order, kind, f"{one.code}: {one.text}")
                for one in receipts
                if not one.is_accepted
                and one.cl_ord_id in working
                and only in (None, working[one.cl_ord_id].status)
            ]
        )

    def _own(
        self, order: Order | ChildOrder, kind: ExecType, text: str, by: str = OWN
    ) -> ExecutionReport:
        now = epoch_ns(self.pen.wall())
        return ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            symbol=order.symbol,
            side=order.side,
            exec_id=f"{by}{order.cl_ord_id}.{kind}.{now // 10**9}.{self.folded}",
            exec_type=kind,
            last_qty=0,
            last_px=0.0,
            fee_micro=0,
            ts=now,
            text=text,
            source=Source.LOCAL,
        )

    # --- what is in doubt

    def compared(
        self, differences: tuple[Difference, ...], moving: Container[str] = frozenset()
    ) -> None:
        """The books were compared; where they differ, names are frozen until they do not.

        Names that were `moving` could not be: what was known of them before stays.
        """
        kept = tuple(one for one in self.differences if one.symbol in moving)
        found = tuple(one for one in differences if one.symbol not in moving)
        found = tuple(sorted(kept + found, key=lambda one: (one.symbol, one.code)))
        if found or self.differences:
            self.pen.write(RECONCILED, found)
        self.differences, self.is_reconciled = found, True
        self.refused = {name: qty for name, qty in self.refused.items() if name in moving}

    def reserved(self) -> Ints:
        """Shares (n,) kept apart for what is not known; a name with any is frozen."""
        kept = np.zeros(len(self.state.universe), dtype=np.int64)
        index = self.state.universe.index
        for one in self.differences:
            if one.symbol in index:
                kept[index[one.symbol]] += one.reserved
        for symbol, shares in self.refused.items():
            kept[index[symbol]] += shares
        return kept


def _has_moved(before: Progress | None, after: Progress) -> bool:
    """Whether a restart has to know: what it is shown of its market may be shown again."""
    if before is None:
        return True
    seen = replace(before, last_tick=after.last_tick, volume=after.volume, waits=after.waits)
    return seen != after


def _is_doubt(event: BrokerEvent) -> bool:
    """Whether the books have to be compared anew: a session lost, or a trade that is not ours."""
    if isinstance(event, Notice):
        return event.severity is not Severity.INFO and bool(event.symbol) and not event.cl_ord_id
    return isinstance(event, SessionEvent) and event.state is not SessionState.READY
