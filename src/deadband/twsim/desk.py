"""The order desk: takes, changes and cancels orders for clients, and answers for what it refuses.

Rules:
1. A number belongs to its client: (client, orderId) finds an order, another client's never.
2. A number that works means a change; one that is used up, or below the last, is a duplicate.
3. An accepted order is acknowledged after `latency_s`; a cancel takes effect after as long, and
   until then the order may still trade.
4. While the connection to the servers is down, new orders and changes wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

from .accounts import Account
from .contracts import Contract, Listing
from .exchange import Exchange
from .fault_names import FaultName
from .money import margin_of, preview
from .orders import Order, Status
from .refusals import Refusals
from .reports import Reports
from .ticket import Ticket
from .timeline import Timeline

FIRST_PERM_ID = 1_900_000_001
SAME_ON_MODIFY = ("action", "orderType", "algoStrategy")
BY_HAND = 0
"""The client of orders placed by hand."""


@dataclass(slots=True)
class Desk:
    """All orders that this gateway ever took, and the numbers that were used."""

    timeline: Timeline
    listing: Listing
    exchange: Exchange
    reports: Reports
    accounts: Mapping[str, Account]
    latency_s: float
    orders: list[Order] = field(default_factory=list)
    high_water: dict[int, int] = field(default_factory=dict)
    """The greatest order number of each client."""
    is_connected: bool = True
    _live: dict[int, Order] = field(default_factory=dict)
    """Orders that are not done, by permId."""
    _by_number: dict[tuple[int, int], Order] = field(default_factory=dict)
    _perm_ids: Iterator[int] = field(default_factory=lambda: count(FIRST_PERM_ID))
    _waiting: list[Callable[[], None]] = field(default_factory=list)
    _refusals: Refusals = field(init=False)

    def __post_init__(self) -> None:
        self.exchange.on_finished = self._finished
        self._refusals = Refusals(self.timeline, self.exchange, self.reports, self.listing)

    # --- what clients ask for

    def place(self, client: int, ticket: Ticket) -> None:
        """Take a new order or change a working one, as placeOrder means both."""
        if not self.is_connected and not ticket.what_if:
            self._waiting.append(lambda: self.place(client, ticket))
            return
        contract, account = self.listing.find(ticket.fields), self._account(ticket)
        draft = self._draft(client, ticket, contract, account)
        existing = self._by_number.get((client, ticket.order_id))
        if draft is None:
            refusal = self._refusals.of_identity(contract, account, list(self.accounts))
            self._tell(client, ticket.order_id, refusal.code, refusal.said)
        elif ticket.what_if:
            self._preview(draft)
        elif existing is not None and not existing.is_done:
            self._modify(existing, draft)
        elif ticket.order_id <= self.high_water.get(client, 0):
            filled = existing is not None and existing.status is Status.FILLED
            code, said = (104, "Cannot modify a filled order.") if filled else DUPLICATE
            self.reports.error(draft, code, said)
        else:
            self.high_water[client] = ticket.order_id
            self._new(draft)

    def cancel(self, client: int, order_id: int) -> None:
        order = self._by_number.get((client, order_id))
        if order is None:
            self._tell(client, order_id, *_not_found(order_id))
            return
        struck = self.reports.struck
        if struck(FaultName.CANCEL_NOT_FOUND, order):
            self.reports.error(order, *_not_found(order_id))
        elif struck(FaultName.CANCEL_TOO_LATE, order):
            self.reports.error(order, *_too_late(order_id, Status.FILLED))
            self.timeline.after(self.latency_s, lambda: self.exchange.fill_anyhow(order))
        elif order.is_done:
            self.reports.error(order, *_too_late(order_id, order.status))
        else:
            self._cancel(order)

    def cancel_all(self) -> None:
        """Cancel every working order of every client, those placed by hand too."""
        for order in list(self._live.values()):
            self._cancel(order)

    def working(self, client: int | None = None) -> list[Order]:
        """Orders that are not done, of one client or of all, in the order of their permIds.

        Orders that a dialog holds are not seen.
        """
        return [
            order
            for order in self._live.values()
            if order.status is not Status.PENDING_SUBMIT and client in (None, order.client)
        ]

    def bind_by_hand(self) -> list[Order]:
        """Give orders that were placed by hand numbers of client 0, from -1 down."""
        unbound = [o for o in self.working(BY_HAND) if o.order_id == 0]
        for order in unbound:
            order.order_id = min([0, *(number for _, number in self._by_number)]) - 1
            self._by_number[BY_HAND, order.order_id] = order
        return unbound

    # --- what the world does

    def place_by_hand(self, ticket: Ticket) -> None:
        """Someone types an order into the terminal: client 0, no number."""
        contract, account = self.listing.find(ticket.fields), self._account(ticket)
        draft = self._draft(BY_HAND, ticket, contract, account)
        if draft is not None:
            self._keep(draft)
            self._acknowledge(draft)

    def reconnected(self) -> None:
        """Send on what has waited for the servers."""
        self.is_connected = True
        waiting, self._waiting = self._waiting, []
        for act in waiting:
            act()

    def roll_back(self) -> None:
        """Forget the numbers of everything that is over, as a restart does."""
        self.high_water.clear()
        self._by_number = {k: o for k, o in self._by_number.items() if not o.is_done}

    # --- new orders

    def _draft(
        self, client: int, ticket: Ticket, contract: Contract | None, account: Account | None
    ) -> Order | None:
        if contract is None or account is None:
            return None
        perm_id = 0 if ticket.what_if else next(self._perm_ids)
        return Order(
            ticket, contract, client, ticket.order_id, perm_id, account.name, self.timeline.now
        )

    def _new(self, order: Order) -> None:
        struck = self.reports.struck
        if struck(FaultName.ORDER_LOST, order):
            return
        refusal = self._refusals.by_script(order) or self._refusals.of_new(
            order, self.accounts[order.account], self._on(order), self.reserved(order.account)
        )
        if refusal is not None:
            self.reports.error(order, refusal.code, refusal.said)
            return
        self._keep(order)
        self._by_number[order.client, order.order_id] = order
        self._link(order)
        if fault := struck(FaultName.ORDER_HELD_BY_DIALOG, order):
            self.timeline.after(fault.seconds, lambda: self._acknowledge(order))
            return
        self.timeline.after(self.latency_s, lambda: self._acknowledge(order))

    def _keep(self, order: Order) -> None:
        self.orders.append(order)
        self._live[order.perm_id] = order

    def _acknowledge(self, order: Order) -> None:
        """The order has reached the servers: show it, warn of it, and hand it to the exchange."""
        if order.is_done:
            return
        for code, said in self._refusals.warnings(order):
            self.reports.error(order, code, said)
        if order.status is Status.PENDING_SUBMIT:
            order.status = Status.PRE_SUBMITTED
        self.reports.open_order(order)
        self.reports.status(order)
        self._hold_short(order)
        self.exchange.admit(order)
        for code, said in self._refusals.afterthoughts(order):
            self.reports.error(order, code, said)

    def _hold_short(self, order: Order) -> None:
        """Hold a sale of more shares than can be located, for good or for a fault's time."""
        fault = self.reports.struck(FaultName.SHORT_HELD, order)
        held = self.accounts[order.account].shares_of(order.contract)
        short = order.ticket.shares - max(held, 0) if order.ticket.side < 0 else 0
        if fault is None and short <= order.contract.shortable_shares:
            return
        order.held, order.why_held = True, "locate"
        self.reports.error(order, 404, "Shares for this order are not immediately available.")
        self.reports.status(order)
        if fault is not None:
            self.timeline.after(fault.seconds, lambda: self._release(order))

    # --- changes

    def _modify(self, order: Order, changed: Order) -> None:
        differs = next(
            (n for n in SAME_ON_MODIFY if order.ticket.text(n) != changed.ticket.text(n)), ""
        )
        if differs or order.contract is not changed.contract:
            said = f"Order being modified does not match original order: {differs or 'contract'}."
            self.reports.error(order, 105, said)
            return
        account = self.accounts[order.account]
        refusal = self._refusals.of_change(
            order, changed.ticket, account, self.reserved(order.account, but=order)
        )
        if refusal is not None:
            self.reports.error(order, refusal.code, refusal.said)
            return
        if self.reports.struck(FaultName.MODIFY_SPLITS, order):
            self._split(order, changed)
            return
        order.ticket, order.queue_ahead = changed.ticket, None
        if order.status is Status.PENDING_SUBMIT:
            return
        if order.remaining == 0:
            self.exchange.finish(order, Status.FILLED, "")
        self.reports.open_order(order)
        self.reports.status(order)
        self._release_transmitted(order)
        self.exchange.work(order)

    def _split(self, order: Order, changed: Order) -> None:
        """The change becomes an order of its own; the old one lives on without its number."""
        changed.filled, changed.value_micros = 0, 0
        self._keep(changed)
        self._by_number[order.client, order.order_id] = changed
        self._acknowledge(changed)

    # --- parents, groups and orders that are not transmitted

    def _link(self, order: Order) -> None:
        """Hold what is not transmitted and what waits for its parent."""
        parent = self._by_number.get((order.client, order.ticket.parent_id))
        if not order.ticket.transmit or (parent is not None and not parent.is_done):
            order.held = True
        self._release_transmitted(order)

    def _release_transmitted(self, order: Order) -> None:
        """A transmitted order sends on its parent, and itself if nothing holds it."""
        if not order.ticket.transmit:
            return
        parent = self._by_number.get((order.client, order.ticket.parent_id))
        if parent is None:
            if not order.why_held and order.held:
                self._release(order)
            return
        if parent.held and not parent.why_held:
            self._release(parent)

    def _release(self, order: Order) -> None:
        order.held, order.why_held = False, ""
        if order.perm_id in self.exchange.working:
            self.exchange.work(order)

    def _finished(self, order: Order) -> None:
        """One order is over: its children work or die, its group dies."""
        self._live.pop(order.perm_id, None)
        filled = order.status is Status.FILLED
        for other in self.working(order.client):
            is_child = order.order_id and other.ticket.parent_id == order.order_id
            group = order.ticket.text("ocaGroup")
            if is_child and filled:
                self._release(other)
            elif (is_child and not order.filled) or (
                group and other.ticket.text("ocaGroup") == group and filled
            ):
                self._cancel(other)

    # --- cancels

    def _cancel(self, order: Order) -> None:
        struck, delay = self.reports.struck, self.latency_s
        if fault := struck(FaultName.CANCEL_UNANSWERED, order):
            delay = fault.seconds
        order.status = Status.PENDING_CANCEL
        self.reports.status(order)
        late = struck(FaultName.FILL_AFTER_CANCEL, order)

        def take_effect() -> None:
            if order.is_done:
                return
            self.exchange.cancel(order, "")
            if late is not None:
                self.timeline.after(late.seconds, lambda: self.exchange.fill_anyhow(order))

        self.timeline.after(delay, take_effect)

    # --- money

    def reserved(self, account: str, but: Order | None = None) -> float:
        """Margin USD that the account's orders would ask beyond what they close, `but` one."""
        mine = [o for o in self._live.values() if o.account == account and o is not but]
        return margin_of(mine, self.accounts[account], self.exchange.price)

    def _preview(self, order: Order) -> None:
        if self.reports.struck(FaultName.WHAT_IF_REJECTED, order):
            self.reports.error(order, 201, "Order rejected - reason:the margin cannot be shown")
            return
        refusal = self._refusals.of_preview(order)
        if refusal is not None:
            self.reports.error(order, refusal.code, refusal.said)
            return
        order.status = Status.PRE_SUBMITTED
        account = self.accounts[order.account]
        self.reports.open_order(
            order, preview(order, account, self.exchange.price, self.exchange.costs)
        )

    def _account(self, ticket: Ticket) -> Account | None:
        named = ticket.text("account")
        if not named and len(self.accounts) == 1:
            return next(iter(self.accounts.values()))
        return self.accounts.get(named)

    def _on(self, order: Order) -> list[Order]:
        return [
            other
            for other in self._live.values()
            if other.contract is order.contract and other.account == order.account
        ]

    def _tell(self, client: int, order_id: int, code: int, said: str) -> None:
        """Answer about a number that has no order."""
        self.reports.error_of(client, order_id, code, said)


DUPLICATE = (103, "Duplicate order id")


def _not_found(order_id: int) -> tuple[int, str]:
    return 10147, f"OrderId {order_id} that needs to be cancelled is not found."


def _too_late(order_id: int, status: Status) -> tuple[int, str]:
    return (
        10148,
        f"OrderId {order_id} that needs to be cancelled can not be cancelled, state: {status}.",
    )
