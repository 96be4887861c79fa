"""What the operator's word does to the state: a book set right, or orders that no cycle decided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..core.errors import BrokerError
from ..core.events import Adjustment, ByHand, Word
from ..core.orders import Book, OrdStatus, WorkingOrder
from ..core.seen import Universe
from ..core.types import State
from ..core.units import usd


def obey(state: State, word: Word) -> State:
    """The state after an operator's word; raises BrokerError where it does not fit the book."""
    return _adjusted(state, word) if isinstance(word, Adjustment) else _commanded(state, word)


def _adjusted(state: State, word: Adjustment) -> State:
    book = _held(state.book, state.universe, word) if word.symbol else state.book
    flow = usd(word.flow_micro)
    return replace(
        state,
        book=replace(book, cash_micro=book.cash_micro + word.cash_micro),
        start_nav=_moved(state.start_nav, flow),
        peak_nav=_moved(state.peak_nav, flow),
        last_nav=_moved(state.last_nav, flow),
    )


def _moved(nav: float, flow: float) -> float:
    """What losses are measured from moves with money from outside; 0 is not known yet."""
    return nav + flow if nav > 0 else nav


def _held(book: Book, universe: Universe, word: Adjustment) -> Book:
    name = universe.index.get(word.symbol, -1)
    before = int(book.shares[name]) if name >= 0 else 0
    if name < 0 or before != word.expected:
        raise BrokerError(
            f"{word.symbol} is to go from {word.expected} to {word.shares} shares, and the book "
            f"holds {before}. Compare again."
        )
    shares, price, at = book.shares.copy(), book.entry_price.copy(), book.entry_at.copy()
    shares[name], price[name] = word.shares, word.entry_price
    if word.shares == 0:
        price[name], at[name] = 0.0, -1
    elif before * word.shares <= 0:
        at[name] = word.ts
    return replace(book, shares=shares, entry_price=np.asarray(price), entry_at=at)


def _commanded(state: State, word: ByHand) -> State:
    """The orders work from now on, and count among what left today."""
    unknown = [order.symbol for order in word.orders if order.symbol not in state.universe.index]
    if unknown:
        raise BrokerError(f"{', '.join(unknown)} is not in the journal's universe.")
    moved = sum(order.order_qty * order.arrival for order in word.orders)
    share = moved / state.last_nav if state.last_nav > 0 else 0.0
    return replace(
        state,
        working=state.working + tuple(WorkingOrder(o, OrdStatus.PENDING_NEW) for o in word.orders),
        turnover_today=state.turnover_today + share,
        sent=state.sent.and_now(word.orders, word.ts),
    )
