"""Who is told of an order's life, in which order, and how that goes wrong when a fault says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .accounts import Account
from .contracts import Contract
from .fault_names import FaultName
from .faults import Fault, Faults
from .order_replies import Preview, open_order
from .orders import Execution, Order, Status
from .replies import Message, commission, error, exec_details, order_status
from .timeline import Timeline


class Listener(Protocol):
    """A connected client, as seen from the order book."""

    version: int

    def send(self, message: Message, symbol: str = "") -> None: ...
    def position_changed(self, account: Account, contract: Contract) -> None: ...


class Reports:
    """Sends callbacks to the client that placed an order and to the master client.

    Orders placed by hand belong to client 0, which alone hears of them.
    """

    def __init__(self, timeline: Timeline, faults: Faults, master: int | None) -> None:
        self.timeline, self.faults, self.master = timeline, faults, master
        self.listeners: dict[int, Listener] = {}
        self.is_lossy = False
        """Callbacks of orders are lost: the connection to the servers is down."""

    def error(self, order: Order, code: int, said: str) -> None:
        """Tell the client that placed the order, by the order's number."""
        self.error_of(order.client, order.order_id, code, said, order.contract.symbol)

    def error_of(self, client: int, order_id: int, code: int, said: str, symbol: str = "") -> None:
        """Tell a client about one of its numbers."""
        listener = self.listeners.get(client)
        if listener and not self.is_lossy:
            listener.send(error(order_id, code, said), symbol)

    def open_order(self, order: Order, preview: Preview | None = None) -> None:
        for listener in self._concerned(order):
            listener.send(open_order(order, listener.version, preview), order.contract.symbol)

    def status(self, order: Order, instead: str = "") -> None:
        for listener in self._concerned(order):
            listener.send(order_status(order, instead), order.contract.symbol)

    def execution(self, execution: Execution, account: Account) -> None:
        """Tell of a fill: execution, status, commission, positions; faults change the order."""
        order = execution.order
        early = self.struck(FaultName.COMMISSION_FIRST, order)
        if early:
            self._commission(execution)
        status_first = self.struck(FaultName.STATUS_FIRST, order)
        silent = self.struck(FaultName.STATUS_NEVER, order)
        if status_first and not silent:
            self.status(order)
        self.exec_details(execution)
        if not (status_first or silent):
            self.status(order)
        if self.struck(FaultName.STATUS_TWICE, order):
            self.status(order)
            self.status(order)
        if self.struck(FaultName.STATUS_REGRESS, order):
            self.status(order, Status.PRE_SUBMITTED)
        never = self.struck(FaultName.COMMISSION_NEVER, order)
        if not (early or never):
            self._commission(execution)
        for client in sorted(self.listeners):
            self.listeners[client].position_changed(account, order.contract)

    def struck(self, name: FaultName, order: Order) -> Fault | None:
        """The fault of that name that strikes this order now, if any does."""
        return self.faults.strikes(
            name, self.timeline.now, symbol=order.contract.symbol, client=order.client
        )

    def exec_details(self, execution: Execution) -> None:
        for listener in self._concerned(execution.order):
            listener.send(exec_details(-1, execution, listener.version), self._symbol(execution))

    def _commission(self, execution: Execution) -> None:
        for listener in self._concerned(execution.order):
            listener.send(commission(execution), self._symbol(execution))

    @staticmethod
    def _symbol(execution: Execution) -> str:
        return execution.order.contract.symbol

    def _concerned(self, order: Order) -> Iterator[Listener]:
        if self.is_lossy:
            return
        clients = {order.client} | ({self.master} if self.master is not None else set())
        for client in sorted(clients):
            if client in self.listeners:
                yield self.listeners[client]
