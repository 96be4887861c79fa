"""Asks the rules and the fault script, in IBKR's order, whether an order or a change is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..core.session import EXCHANGE_ZONE, next_session, session_on
from .accounts import Account
from .contracts import Contract, Listing
from .exchange import Exchange
from .fault_names import FaultName
from .faults import Fault
from .orders import Order
from .reports import Reports
from .rules import Refusal, malformed, too_late_for_close, too_many, unaffordable
from .ticket import Ticket
from .timeline import Timeline, exchange_stamp

_SCRIPTED = (
    (
        FaultName.READ_ONLY,
        321,
        "Error validating request.-'bH' : cause - The API interface is "
        "currently in Read-Only mode.",
    ),
    (FaultName.ORDER_REJECTED, 201, "Order rejected - reason:We are unable to accept your order."),
    (
        FaultName.SIZE_REJECTED,
        201,
        "Order rejected - reason:The order size is too large. Convert it to an IBALGO order.",
    ),
)


@dataclass(frozen=True, slots=True)
class Refusals:
    """Everything that may stand between a client and the exchange."""

    timeline: Timeline
    exchange: Exchange
    reports: Reports
    listing: Listing

    def of_identity(
        self, contract: Contract | None, account: Account | None, accounts: list[str]
    ) -> Refusal:
        """Why an order has no contract or no account."""
        if contract is None:
            return Refusal(200, "No security definition has been found for the request")
        return Refusal(435, f"You must specify an account, one of {', '.join(accounts)}.")

    def of_preview(self, order: Order) -> Refusal | None:
        """Why a what-if is not answered: an interface that takes no orders takes none of these."""
        fault = self.reports.struck(FaultName.READ_ONLY, order)
        if fault is not None:
            return Refusal(321, _said(fault, _SCRIPTED[0][2]))
        return malformed(order.ticket, order.contract)

    def of_new(
        self, order: Order, account: Account, working: list[Order], reserved: float
    ) -> Refusal | None:
        ticket, contract = order.ticket, order.contract
        return (
            malformed(ticket, contract)
            or too_late_for_close(ticket, contract, self.timeline.now)
            or too_many(ticket, working)
            or unaffordable(ticket, contract, account, self.exchange.price, reserved)
        )

    def by_script(self, order: Order) -> Refusal | None:
        for name, code, said in _SCRIPTED:
            fault = self.reports.struck(name, order)
            if fault is not None:
                return Refusal(code, _said(fault, said))
        return None

    def of_change(
        self, order: Order, changed: Ticket, account: Account, reserved: float
    ) -> Refusal | None:
        fault = self.reports.struck(FaultName.MODIFY_REJECTED, order)
        if fault is not None:
            return Refusal(201, _said(fault, "Order rejected - reason:The change was rejected"))
        if order.ticket.algo and order.ticket.algo != "Adaptive":
            return Refusal(440, "Algo order cannot be modified.")
        if changed.shares < order.filled:
            return Refusal(
                201,
                f"Order rejected - reason:{order.filled} shares are filled, and the change is for "
                f"{changed.shares}",
            )
        wrong = malformed(changed, order.contract)
        if wrong is not None or changed.shares <= order.ticket.shares:
            return wrong
        left = changed.with_fields({"totalQuantity": str(changed.shares - order.filled)})
        return unaffordable(left, order.contract, account, self.exchange.price, reserved)

    def warnings(self, order: Order) -> Iterator[tuple[int, str]]:
        """What is said before an order that is taken nevertheless."""
        if fault := self.reports.struck(FaultName.ORDER_WARNING, order):
            yield 399, f"Order Message:\n{_said(fault, 'Warning: see your order.')}"
        if not self.exchange.is_open:
            yield 399, f"Order Message:\n{self._waits_for_open(order)}"

    def afterthoughts(self, order: Order) -> Iterator[tuple[int, str]]:
        """Errors that are said of an order that works already, and goes on working."""
        if self.reports.struck(FaultName.DUPLICATE_ID, order):
            yield 103, "Duplicate order id"
        if self.reports.struck(FaultName.TIF_PRESET, order):
            yield 10349, "Order TIF was set to DAY based on order preset."

    def _waits_for_open(self, order: Order) -> str:
        now = self.timeline.now
        day = now.astimezone(EXCHANGE_ZONE).date()
        today = session_on(day)
        opens = today.open if today and now < today.open else next_session(day).open
        ticket = order.ticket
        return (
            f"{ticket.text('action')} {ticket.shares} {order.contract.symbol}\nWarning: Your order "
            f"will not be placed at the exchange until {exchange_stamp(opens)}"
        )


def _said(fault: Fault, otherwise: str) -> str:
    return fault.text or otherwise
