"""What the gateway refuses, and with which of IBKR's codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..core.session import session_at
from .accounts import LONG_MARGIN, SHORT_MARGIN, Account, PriceOf
from .algos import fault_of
from .contracts import Contract
from .matching import AT_CLOSE, RESTING_PEGS, STOPS, SUPPORTED
from .orders import Order
from .ticket import Ticket
from .wire import is_set

TIFS = frozenset({"DAY", "GTC", "IOC", "FOK", "GTD", "OPG"})
MOST_ACTIVE_A_SIDE = 20
"""Working orders per contract, side and account."""
CLOSE_CUTOFF_MIN = {"NYSE": 10.0, "NASDAQ": 5.0, "ARCA": 1.0}
"""Minutes before the close after which MOC and LOC are refused, by listing exchange."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """IBKR's code and what is said with it."""

    code: int
    said: str


def malformed(ticket: Ticket, contract: Contract) -> Refusal | None:
    """What is wrong with an order, whatever the account and the hour."""
    if ticket.text("action") not in ("BUY", "SELL"):
        return _invalid(f"action is {ticket.text('action')!r}, expected BUY or SELL")
    if ticket.quantity <= 0:
        return Refusal(434, "The order size cannot be zero.")
    if ticket.quantity != ticket.shares:
        return Refusal(10243, "Fractional-sized order cannot be placed via API.")
    if ticket.order_type not in SUPPORTED:
        return Refusal(387, "Unsupported order type for this exchange and security type.")
    if ticket.tif not in TIFS:
        return _invalid(f"time in force is {ticket.tif!r}, expected one of {sorted(TIFS)}")
    if ticket.conditions:
        return _invalid("conditions are not simulated by this gateway")
    if ticket.algo and (ticket.order_type not in ("MKT", "LMT") or fault_of(ticket)):
        return Refusal(443, f"Algo order is not valid: {fault_of(ticket) or ticket.order_type}")
    return _bad_price(ticket, contract) or _bad_time(ticket)


def _bad_price(ticket: Ticket, contract: Contract) -> Refusal | None:
    needed = {"LMT": "lmtPrice", "LOC": "lmtPrice", "STP LMT": "lmtPrice"}.get(ticket.order_type)
    if needed and ticket.price(needed) is None:
        return _invalid(f"{ticket.order_type} needs {needed}")
    if ticket.order_type in STOPS and ticket.price("auxPrice") is None:
        return _invalid(f"{ticket.order_type} needs auxPrice")
    for name in ("lmtPrice", "auxPrice"):
        price = ticket.price(name)
        if price is None or (name == "auxPrice" and ticket.order_type in RESTING_PEGS):
            continue
        if price < 0:
            return _invalid(f"{name} is {price}")
        steps = price / contract.tick(price)
        if abs(steps - round(steps)) > 1e-6:
            return Refusal(
                110, "The price does not conform to the minimum price variation for this contract."
            )
    return None


def _bad_time(ticket: Ticket) -> Refusal | None:
    if ticket.tif == "GTD" and not is_set(ticket.text("goodTillDate")):
        return Refusal(391, "The good-till-date entered is invalid.")
    for name, code in (("goodTillDate", 391), ("goodAfterTime", 337)):
        try:
            ticket.moment(name)
        except ValueError:
            return Refusal(code, f"{name} {ticket.text(name)} is invalid.")
    return None


def _invalid(cause: str) -> Refusal:
    return Refusal(321, f"Error validating request.-'simulator' : cause - {cause}")


def too_late_for_close(ticket: Ticket, contract: Contract, now: datetime) -> Refusal | None:
    """Why MOC and LOC are refused: the exchange takes none so close before the close."""
    session = session_at(now)
    if ticket.order_type not in AT_CLOSE or session is None:
        return None
    minutes = CLOSE_CUTOFF_MIN.get(contract.primary_exchange, CLOSE_CUTOFF_MIN["NYSE"])
    if now < session.close - timedelta(minutes=minutes):
        return None
    return Refusal(
        201, f"Order rejected - reason:{ticket.order_type} order came after the exchange's cut-off"
    )


def too_many(ticket: Ticket, working: list[Order]) -> Refusal | None:
    """Why an order is one too many; `working` are the account's on the same contract."""
    same = sum(order.ticket.side == ticket.side for order in working)
    if same < MOST_ACTIVE_A_SIDE:
        return None
    return Refusal(
        201,
        f"Order rejected - reason:You have {same} working orders on this side of the contract, "
        f"at most {MOST_ACTIVE_A_SIDE} are allowed",
    )


def opening_margin(ticket: Ticket, contract: Contract, account: Account, price: float) -> float:
    """Margin USD of what an order would open beyond closing what is held."""
    held = account.shares_of(contract)
    opens = max(ticket.shares - max(-held * ticket.side, 0), 0)
    return opens * price * (LONG_MARGIN if ticket.side > 0 else SHORT_MARGIN)


def unaffordable(
    ticket: Ticket, contract: Contract, account: Account, price_of: PriceOf, reserved: float
) -> Refusal | None:
    """Why the account cannot carry an order; `reserved` is the margin of those that work."""
    asked = opening_margin(ticket, contract, account, price_of(contract))
    if not asked:
        return None
    now = account.margin(price_of)
    available = now.equity - now.initial - reserved
    if asked <= available:
        return None
    return Refusal(
        201,
        "Order rejected - reason:We are unable to accept your order. Your Available Funds are "
        f"insufficient: they are {available:.2f} USD, and the order needs {asked:.2f} USD.",
    )
