"""Signed shares to trade while they are being rounded, with all that rounding has to look at."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from ..core.config import ExecutionSettings
from ..core.limits import excesses
from ..core.orders import WorkingOrder
from ..core.problem import Problem
from ..core.reasons import Code, Reason
from ..core.seen import Seen, Universe
from ..core.types import Decision

FEE_ALLOWANCE = 0.001
"""Share of a buy's notional kept for its fees when cash is counted."""
WHOLE = 1e-6
"""A share count this close to a whole number is that number."""


@dataclass(slots=True, eq=False)
class Draft:
    """Signed `shares` (n,) to trade, and what was done to them; the rest is what they come from.

    `canceled` (n,): signed leaves of working orders that this plan takes off them. `undoes` (n,):
    the most shares, unsigned, that the name's trade may take off orders at work, which is then all
    that it does; 0 where it is a trade of its own.
    """

    universe: Universe
    decision: Decision
    problem: Problem
    seen: Seen
    settings: ExecutionSettings
    shares: Ints
    notes: list[Reason] = field(default_factory=list)
    canceled: Ints = field(init=False)
    undoes: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.canceled, self.undoes = np.zeros((2, len(self.shares)), dtype=np.int64)

    def reduce(self, name: int, less: int, code: Code) -> None:
        """Take `less` shares off the order of one name."""
        self.shares[name] -= int(np.sign(self.shares[name])) * less
        self.note(code, name, shares=float(less))

    def note(self, code: Code, name: int, **facts: float) -> None:
        self.notes.append(Reason(code, self.universe.symbols[name], facts))

    def note_change(self, code: Code, order: WorkingOrder, to: int) -> None:
        facts = {"from_qty": float(order.order.order_qty), "to_qty": float(to)}
        self.notes.append(Reason(code, order.order.symbol, facts, order.order.cl_ord_id))

    @property
    def held(self) -> Ints:
        """Shares (n,) settled and working, without what is being canceled."""
        held: Ints = self.seen.portfolio.shares + self.seen.portfolio.working - self.canceled
        return held

    @property
    def exact(self) -> Floats:
        """Shares (n,) the decision asks to trade before they are rounded, unsigned.

        The book of the decision has filled what is being canceled: that much is less to trade.
        """
        book = self.seen.portfolio
        change = (self.decision.target - book.weights) * book.nav / np.maximum(book.price, 1e-9)
        shares: Floats = np.abs(change + self.canceled)
        return shares

    @property
    def growing(self) -> Bools:
        """Orders (n,) that make a position larger."""
        held = self.held
        growing: Bools = (self.shares != 0) & (np.abs(held + self.shares) > np.abs(held))
        return growing

    @property
    def returnable(self) -> Ints:
        """Shares (n,) an order may do without: all of a growing one, else what it gained.

        That is the lot a shrinking one was rounded up by, where what is left is still a ticket.
        """
        book, lot = self.seen.portfolio, self.universe.lot
        size = np.abs(self.shares)
        rest = size - lot
        still = (rest == 0) | (rest * book.price >= self.settings.min_ticket_usd)
        leaves = self.decision.target == 0
        gained = (rest >= 0) & (size > self.exact + WHOLE) & ~leaves & still
        spare: Ints = np.where(self.growing, size, np.where(gained, lot, 0))
        return spare

    @property
    def takes_a_lot(self) -> Bools:
        """Names (n,) whose own bounds leave room for one lot more of their order."""
        book, bounds = self.seen.portfolio, self.problem.bounds
        more = self.held + self.shares + np.sign(self.shares) * self.universe.lot
        weight = more * book.price / book.nav
        fits: Bools = (weight >= bounds.low) & (weight <= bounds.high)
        return fits

    def enough(self, name: int, less: int) -> int:
        """`less`, or the whole order when what is left of it would be below the minimum ticket."""
        size, price = int(abs(self.shares[name])), float(self.seen.portfolio.price[name])
        return size if (size - less) * price < self.settings.min_ticket_usd else less

    def cash_missing(self, returnable: Ints) -> float:
        """USD by which planned and pending buys pass the cash there is; negative is spare.

        What may be given back later, any short sale among it, is not cash to buy with. Nor is what
        a buy at work would no longer spend: it may fill before it is reduced.
        """
        book, market = self.seen.portfolio, self.seen.market
        traded = np.where(self.undoes > 0, 0, self.shares)
        sold = np.abs(traded) - returnable
        sells = np.where(traded < 0, sold, 0) * market.bid
        buys = np.maximum(traded, 0) * market.ask * (1 + FEE_ALLOWANCE)
        # Orders of unknown fate may be buys.
        pending = (np.maximum(book.working, 0) + book.unknown) * market.ask
        spare = book.cash - self.settings.cash_buffer * book.nav
        return float(buys.sum() + pending.sum() - sells.sum()) - spare

    def excess(self, shares: Ints | None = None) -> float:
        """By how much limits are passed in sum, once these shares (n,), else the draft's, trade."""
        traded = self.shares if shares is None else shares
        per_share = self.seen.portfolio.price / self.seen.portfolio.nav
        weights = (self.held + traded) * per_share
        return sum(excesses(self.problem.bounds, self.problem.structure, weights).values())

    def excess_less(self, name: int, less: int) -> float:
        """The same with `less` shares off one name's order."""
        shares = self.shares.copy()
        shares[name] -= int(np.sign(shares[name])) * less
        return self.excess(shares)
