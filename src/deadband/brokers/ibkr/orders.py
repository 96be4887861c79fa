"""What statuses and listings do to orders; `fills` and `numbers` do the rest.

Rules
  * An order is found by our own reference or by the broker's permanent id. The session's number is
    the last resort, and never against another reference.
  * An order is full when its executions say so. A status that says so first is a reason to ask.
    With a change under way it is full by the larger size, or when the status says so as well.
  * Nothing leads out of a final status but a late execution, or a full answer that lists it alive.
  * An order of which the broker made two is as large as both: that much may trade.
  * Whatever does not fit is a doubt: the broker is asked, and the order stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ...core.broker import Clock
from ...core.events import BrokerEvent, Notice, Severity
from ...core.lifecycle import next_status
from ...core.order_checks import WITH_PRICE
from ...core.orders import (
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    Side,
    Source,
)
from .foreign import ENDED, WORKING, Foreign
from .rows import NO_ADDRESS, Row
from .said import CompletedSaid, OrderSaid, StatusSaid

WAITING = frozenset({"PendingSubmit", "ApiPending", "PendingCancel", "Inactive"})
WHOLE = ""
"""Among doubts: the books as a whole, positions too."""


@dataclass(slots=True, eq=False)
class OrderTable:
    """Every order of ours, and the living ones of others; `emit` hears what changed, in order."""

    account: str
    client_id: int
    clock: Clock
    emit: Callable[[BrokerEvent], None]
    rows: dict[str, Row] = field(default_factory=dict)
    foreign: Foreign = field(default_factory=Foreign)
    doubts: set[str] = field(default_factory=set)
    """Client order ids, or WHOLE, that the broker has to be asked about."""
    listed: set[str] = field(default_factory=set)
    """Orders that the list that is being heard has named so far."""
    at_work: set[str] = field(default_factory=set)
    """Those of them that it named as plainly at work, with no cancel on its way."""
    is_listing: bool = False
    """Whether a list is being heard: what it says of the living is concluded at its end."""
    asked: set[str] = field(default_factory=set)
    """The doubts that the list will settle; those that come meanwhile stay."""
    contradicted: set[str] = field(default_factory=set)
    """Orders that had ended for us when the list named them alive."""
    completed: dict[str, dict[int, CompletedSaid]] = field(default_factory=dict)
    """What the list says of those that are over, by reference and permanent id."""
    learned: int = 0
    """Counts what changed an order, to see when asking teaches nothing new."""
    active: dict[str, Row] = field(default_factory=dict)
    """Those that are not over: the few of a day's many."""
    _by_id: dict[int, Row] = field(default_factory=dict)
    _by_address: dict[int, Row] = field(default_factory=dict)
    by_trade: dict[str, Row] = field(default_factory=dict)
    other_trades: set[str] = field(default_factory=set)
    """Executions of orders that are not ours, to doubt the books once for each."""
    early_fees: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows.values():
            self._by_id.update(dict.fromkeys(row.order_ids, row))
            self.by_trade.update(dict.fromkeys(row.trades, row))
            self._keep_active(row)

    # --- what we do

    def add(self, order: Order) -> Row:
        row = Row(order)
        self.rows[order.cl_ord_id] = self.active[order.cl_ord_id] = row
        return row

    def number(self, row: Row, address: int) -> None:
        """The order leaves under this number, good for the session."""
        row.address, row.is_sent = address, True
        self._by_address[address] = row

    def forget_addresses(self) -> None:
        """The session is over: its numbers may be given to other orders in the next."""
        self._by_address.clear()
        for row in self.rows.values():
            row.address = NO_ADDRESS

    def never_sent(self, row: Row, text: str) -> None:
        """An order that waited in our own outbox and is taken back."""
        self.move(row, ExecType.CANCELED, text=text, source=Source.LOCAL)

    def drop_change(self, row: Row, text: str) -> None:
        """A change that waited in our own outbox and is taken back."""
        row.wanted = None
        self.report(row, ExecType.CANCEL_REJECTED, text=text, source=Source.LOCAL)

    def full_before_change(self, row: Row) -> None:
        """A raise that came too late for an order that was full by its old size."""
        row.wanted = None
        self.report(row, ExecType.CANCEL_REJECTED, text="full before the change")

    def taken(self, row: Row, wanted: Order) -> None:
        """A change of which something else says that it was taken."""
        self._replaced(row, wanted, "")

    def at(self, address: int) -> Row | None:
        return self._by_address.get(address)

    def is_frozen(self, symbol: str) -> bool:
        """Whether an order of the name is of unknown fate, or lives twice."""
        return any(
            row.symbol == symbol and (row.status is OrdStatus.UNKNOWN or len(row.live_ids) > 1)
            for row in self.active.values()
        )

    def active_on(self, symbol: str, side: Side) -> int:
        return sum(
            row.symbol == symbol and row.order.side.sign == side.sign
            for row in self.active.values()
        )

    # --- what is said of an order's life

    def status(self, said: StatusSaid) -> None:
        row = self.found("", said.perm_id, said.order_id, said.client_id)
        if row is None:
            self.foreign.status(said)
            return
        self.link(row, said.perm_id, said.status)
        row.said_filled = int(said.filled)
        self._life(row, said.status, said.perm_id, said.why_held)

    def opened(self, said: OrderSaid) -> None:
        row = self.found(said.ref, said.perm_id, said.order_id, said.client_id)
        if row is None:
            self.foreign.opened(said)
            return
        self.listed.add(row.order.cl_ord_id)
        if said.status in WORKING:
            self.at_work.add(row.order.cl_ord_id)
        if row.is_final and said.status in WORKING:
            self.contradicted.add(row.order.cl_ord_id)
        if said.client_id == self.client_id and said.order_id > 0:
            row.address = said.order_id
            self._by_address[said.order_id] = row
        self.link(row, said.perm_id, said.status)
        row.sizes[said.perm_id] = int(said.qty)
        if row.is_split:
            self.grow(row, row.widest_qty)
        self._life(row, said.status, said.perm_id, "")
        if not row.is_split:
            self._shape(row, said)

    def finished(self, said: CompletedSaid) -> None:
        row = self.found(said.ref, said.perm_id, 0, NO_ADDRESS)
        if row is not None:
            self.completed.setdefault(row.order.cl_ord_id, {})[said.perm_id] = said

    def _life(self, row: Row, status: str, perm_id: int, why_held: str) -> None:
        if status in WORKING:
            self._works(row, held=why_held == "locate")
        elif status == "PendingCancel":
            row.is_acked = True
            self.move(row, ExecType.PENDING_CANCEL)
        elif status in ("Cancelled", "ApiCancelled"):
            self._ended(row, perm_id)
        elif status == "Filled":
            self._said_full(row)
        elif status == "Inactive":
            self._inactive(row, held=why_held == "locate")
        elif status not in WAITING:
            self.doubt(row, f"the status {status!r} is not known")

    def _works(self, row: Row, *, held: bool) -> None:
        row.is_acked = True
        if row.is_final:
            # Executions have the last word on a full order; a list settles what it names itself.
            if not row.is_full and not self.is_listing:
                self.doubt(row, f"said to be at work, and is {row.status} here", Severity.INFO)
            return
        self.move(row, ExecType.SUSPENDED if held else ExecType.NEW)

    def _ended(self, row: Row, perm_id: int) -> None:
        row.is_acked = True
        self.contradicted.discard(row.order.cl_ord_id)
        if perm_id and row.live_ids - {perm_id}:
            self.doubt(row, f"one of its orders has ended, {sorted(row.live_ids)} still live")
            return
        if row.said_filled > row.cum_qty:
            self.doubt(row, f"ended with {row.said_filled} filled, {row.cum_qty} are known")
        code, text = row.refusal
        self.move(row, ExecType.CANCELED, code=code, text=text)

    def _said_full(self, row: Row) -> None:
        row.is_acked = True
        self.contradicted.discard(row.order.cl_ord_id)
        if row.cum_qty < row.order.order_qty:
            self.move(row, ExecType.NEW)
            self.doubt(row, f"said to be full, {row.cum_qty} are known", Severity.INFO)
        elif row.wanted is not None:
            self.full_before_change(row)

    def _inactive(self, row: Row, *, held: bool) -> None:
        if held:
            self.move(row, ExecType.SUSPENDED)
        elif row.refusal[0] and not row.cum_qty:
            self.move(row, ExecType.REJECTED, code=row.refusal[0], text=row.refusal[1])
        elif not row.is_final and row.status is not OrdStatus.SUSPENDED:
            self.move(row, ExecType.SUSPENDED)
            self.doubt(row, "said to be inactive, without a reason")

    def _shape(self, row: Row, said: OrderSaid) -> None:
        """Compare size and price with what we hold: a change has arrived, or someone else's has."""
        wanted, qty = row.wanted, int(said.qty)
        if wanted is not None and _is_shape(wanted, qty, said.price):
            self._replaced(row, wanted, "")
        elif wanted is None and not _is_shape(row.order, qty, said.price) and not _drifts(row):
            price = said.price if row.order.ord_type in WITH_PRICE else row.order.price
            changed = replace(row.order, order_qty=qty, price=price)
            self._replaced(row, changed, "changed at the broker, not by us")

    def grow(self, row: Row, qty: int) -> None:
        """Both halves of an order that was split may trade; it is never made smaller again."""
        if qty > row.order.order_qty:
            self._replaced(row, replace(row.order, order_qty=qty), "the broker made two of it")

    def _replaced(self, row: Row, order: Order, text: str) -> None:
        row.wanted, row.order = None, order
        if not row.is_final:
            self.report(row, ExecType.REPLACED, text=text)

    # --- inside

    def move(
        self,
        row: Row,
        kind: ExecType,
        *,
        code: int = 0,
        text: str = "",
        source: Source = Source.LIVE,
    ) -> None:
        """Report what happened, where the table says that it changes the status."""
        after = next_status(row.status, kind, row.cum_qty, row.order.order_qty)
        if after is not row.status:
            self.report(row, kind, code=code, text=text, source=source)

    def report(self, row: Row, kind: ExecType, **said: object) -> None:
        row.reports += 1
        self.learned += 1
        order = row.order
        most = max(order.order_qty, 0 if row.wanted is None else row.wanted.order_qty)
        row.status = next_status(row.status, kind, row.cum_qty, most)
        if row.is_final:
            row.live_ids.clear()
            row.wanted = None
        self._keep_active(row)
        report = ExecutionReport(
            cl_ord_id=order.cl_ord_id,
            symbol=order.symbol,
            side=order.side,
            exec_id=f"{order.cl_ord_id}.{row.reports}",
            exec_type=kind,
            last_qty=0,
            last_px=0.0,
            fee_micro=0,
            ts=self.clock.wall_ns(),
            order_id=row.order_ids[-1] if row.order_ids else 0,
            ord_status=row.status,
            order_qty=order.order_qty,
            price=order.price,
            cum_qty=row.cum_qty,
            leaves_qty=row.leaves_qty,
            avg_px=row.avg_px,
        )
        self.emit(replace(report, **said))  # type: ignore[arg-type]

    def _keep_active(self, row: Row) -> None:
        if row.is_final:
            self.active.pop(row.order.cl_ord_id, None)
        else:
            self.active[row.order.cl_ord_id] = row

    def found(self, ref: str, perm_id: int, address: int, client_id: int) -> Row | None:
        row = self.rows.get(ref) or self._by_id.get(perm_id)
        if row is not None or ref or client_id != self.client_id:
            return row
        return self._by_address.get(address)

    def link(self, row: Row, perm_id: int, status: str) -> None:
        """Remember a permanent id, and whether the order behind it is alive."""
        if perm_id <= 0:
            return
        if perm_id not in row.order_ids:
            row.order_ids.append(perm_id)
            self._by_id[perm_id] = row
            if not row.is_split:
                row.sizes[perm_id] = row.order.order_qty
        if status in ENDED:
            row.live_ids.discard(perm_id)
        elif status in WORKING and not row.is_final:
            row.live_ids.add(perm_id)
            if len(row.live_ids) == 2:
                self._split(row)

    def _split(self, row: Row) -> None:
        ids = ", ".join(str(one) for one in sorted(row.live_ids))
        self.note(
            Severity.FATAL,
            f"{row.order.cl_ord_id} lives twice, as {ids}. Cancel one of them in the terminal.",
            row,
        )
        self.doubts.add(row.order.cl_ord_id)

    def doubt(self, row: Row, text: str, severity: Severity = Severity.WARNING) -> None:
        self.doubts.add(row.order.cl_ord_id)
        self.note(severity, f"{row.order.cl_ord_id}: {text}", row)

    def note(
        self,
        severity: Severity,
        text: str,
        row: Row | None = None,
        code: int = 0,
        *,
        symbol: str = "",
    ) -> None:
        cl_ord_id = row.order.cl_ord_id if row is not None else ""
        self.emit(Notice(severity, text, code, cl_ord_id, row.symbol if row else symbol))


def _is_shape(order: Order, qty: int, price: float) -> bool:
    """Whether an order has this size, and this price where it is one that it was given."""
    priced = order.ord_type in WITH_PRICE
    return order.order_qty == qty and (not priced or abs(order.price - price) < 1e-9)


def _drifts(row: Row) -> bool:
    """Whether the broker moves the order's price by itself, as its algorithms may."""
    return bool(row.order.terms.strategy)
