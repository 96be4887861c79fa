"""Accepts what differs: the operator's word that the book shall hold what the broker holds.

Rules
  * Only what a comparison has just found is accepted, and only as the operator was shown it.
  * A word is one durable record: a process that dies around it has given the whole word or none.
  * Given again, it finds nothing that differs; an entry of cash is refused a second time.
  * An order of unknown fate ends with the name's acceptance; one at work has to be canceled first.
  * Cash moves only by the amount that is named. What came from outside moves with it the values
    of NAV that losses are measured from; income is profit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..backtest.run import CYCLE, OPERATOR
from ..core.broker import BrokerSnapshot, Ok
from ..core.errors import DataError
from ..core.events import Adjustment, Difference, OrderState
from ..core.lifecycle import FINAL
from ..core.orders import ExecType, OrdStatus, WorkingOrder
from ..core.parents import parent_of_child
from ..core.reasons import Code
from ..core.types import State
from ..core.units import epoch_ns, micros, usd
from ..journal.store import JournalReader
from .line import Line
from .reconcile import agreed, positions_differing

BY_HAND = "accept:"
"""Reports that the operator's acceptance makes have ids that begin so; a broker is to know them."""


class Nature(StrEnum):
    """Where a difference comes from, which decides what of it is profit or loss."""

    TRANSFER = "transfer"
    """From outside: a deposit, a withdrawal, shares moved or traded by hand."""
    INCOME = "income"
    """Earned or paid by the book: a dividend, interest, a fee."""
    SPLIT = "split"
    """The same value in other shares; the entry price moves against them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asks for; `held` and `entry_price` speak of a single symbol, None not said.

    cash in USD, + into the account.
    """

    symbols: tuple[str, ...] = ()
    held: int | None = None
    entry_price: float | None = None
    cash: float = 0.0
    nature: Nature | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be written: the words, and the orders of unknown fate that end with them."""

    words: tuple[Adjustment, ...]
    lost: tuple[WorkingOrder, ...]

    @property
    def is_empty(self) -> bool:
        return not self.words and not self.lost


def offer(
    state: State, shot: BrokerSnapshot, marks: Mapping[str, float], wish: Wish, now: int
) -> Offer:
    """What the wish comes to by the broker's word; raises DataError where it cannot be granted.

    `marks`: last prices USD by symbol, as the journal has them; `now` epoch ns.
    """
    _expect_plain(wish)
    found = [d for symbol in wish.symbols for d in _of_name(state, shot, symbol, wish)]
    lost = tuple(order for symbol in wish.symbols for order in _lost(state, shot, symbol))
    words = tuple(_word(state, shot, marks, wish, one, now) for one in found)
    if wish.symbols and not words and wish.cash:
        raise DataError(
            f"{wish.symbols[0]} holds what the broker holds: nothing was entered. For cash alone, "
            "name no symbol."
        )
    if not wish.symbols:
        flow = micros(wish.cash) if wish.nature is Nature.TRANSFER else 0
        words = (Adjustment("", 0, 0, 0.0, micros(wish.cash), flow, now, _text(wish)),)
    _expect_nav(state, marks, words)
    return Offer(words, lost)


def _expect_plain(wish: Wish) -> None:
    single = wish.held is not None or wish.entry_price is not None or bool(wish.cash)
    if len(wish.symbols) > 1 and single:
        raise DataError("shares, an entry price or cash belong to one symbol. Accept each alone.")
    if not wish.symbols and (not wish.cash or wish.nature in (None, Nature.SPLIT) or not wish.why):
        raise DataError(
            "nothing is named to accept. Name symbols; or an amount of cash, whether it is "
            "a transfer or income, and why."
        )
    if wish.entry_price is not None and not 0 < wish.entry_price < 1e7:
        raise DataError(f"an entry price of {wish.entry_price:g} USD cannot be. Give it a share.")
    if not -1e12 < wish.cash < 1e12:
        raise DataError(f"{wish.cash:g} USD of cash cannot be. Give the amount in dollars.")


def _of_name(state: State, shot: BrokerSnapshot, symbol: str, wish: Wish) -> tuple[Difference, ...]:
    """The difference in shares of a name, none or one."""
    if symbol not in state.universe.index:
        raise DataError(
            f"{symbol} is not in the journal's universe: what is held of it is not the run's, and "
            "keeps no name from trading. There is nothing to accept."
        )
    found = [one for one in positions_differing(state, shot) if one.symbol == symbol]
    held = _held(shot).get(symbol, (0, 0.0))[0]
    if wish.held is not None and wish.held != held:
        raise DataError(
            f"the broker holds {held} {symbol} now, and {wish.held} was seen. Compare again."
        )
    if any(one.code is Code.RECON_SPLIT_RATIO for one in found) and wish.nature is None:
        raise DataError(
            f"{symbol} went from {found[0].expected} to {held} shares, a ratio as of a split. Say "
            "whether it is a split or a transfer."
        )
    return tuple(found)


def _lost(state: State, shot: BrokerSnapshot, symbol: str) -> tuple[WorkingOrder, ...]:
    """Working orders of a name that the broker has not at work; raises DataError on one it has."""
    assert isinstance(shot.orders, Ok), "a snapshot that was agreed on is complete"
    there = {order.cl_ord_id: order for order in shot.orders.value}
    lost = []
    for order in state.working:
        ref = order.order.cl_ord_id
        told = there.pop(ref, None)
        if order.order.symbol != symbol:
            continue
        if order.order.route is not None:
            lost += [order] if _is_work_lost(order, shot.orders.value) else []
            continue
        is_known = told is not None and told.status not in FINAL | {OrdStatus.UNKNOWN}
        if told is None or not is_known:
            lost.append(order)
        elif told.cum_qty != order.cum_qty:
            raise DataError(
                f"{ref} is at work, filled {told.cum_qty} for the broker and {order.cum_qty} here. "
                "Cancel it first."
            )
    return tuple(lost)


def _is_work_lost(order: WorkingOrder, told: tuple[OrderState, ...]) -> bool:
    """Whether an order that is worked has a child of unknown fate, and none that is alive."""
    ref = order.order.cl_ord_id
    children = {one.status for one in told if parent_of_child(one.cl_ord_id) == ref} - FINAL
    return OrdStatus.UNKNOWN in children | {order.status} and children <= {OrdStatus.UNKNOWN}


def _word(
    state: State,
    shot: BrokerSnapshot,
    marks: Mapping[str, float],
    wish: Wish,
    one: Difference,
    now: int,
) -> Adjustment:
    entry = _entry(state, shot, wish, one)
    mark = marks.get(one.symbol) or entry or _book_entry(state, one.symbol)
    moved = micros((one.held - one.expected) * mark) + micros(wish.cash)
    return Adjustment(
        symbol=one.symbol,
        expected=one.expected,
        shares=one.held,
        entry_price=entry,
        cash_micro=micros(wish.cash),
        flow_micro=moved if wish.nature in (None, Nature.TRANSFER) else 0,
        ts=now,
        text=_text(wish),
    )


def _entry(state: State, shot: BrokerSnapshot, wish: Wish, one: Difference) -> float:
    """Average cost USD of what is held from now on: as said, else what can be concluded."""
    if not one.held:
        return 0.0
    before = _book_entry(state, one.symbol)
    if wish.entry_price is not None:
        return wish.entry_price
    if wish.nature is Nature.SPLIT and one.expected * one.held > 0:
        return before * one.expected / one.held
    shrinks = one.expected * one.held > 0 and abs(one.held) < abs(one.expected)
    cost = before if shrinks else _held(shot)[one.symbol][1]
    if not cost > 0:
        raise DataError(f"nobody says what {one.symbol} cost. Give its entry price.")
    return cost


def _book_entry(state: State, symbol: str) -> float:
    return float(state.book.entry_price[state.universe.index[symbol]])


def _held(shot: BrokerSnapshot) -> dict[str, tuple[int, float]]:
    """Signed shares and average cost by symbol."""
    assert isinstance(shot.positions, Ok), "a snapshot that was agreed on is complete"
    return {one.symbol: (one.qty, one.avg_cost) for one in shot.positions.value}


def _text(wish: Wish) -> str:
    return f"{Code.RECON_ACCEPTED}: {wish.nature or Nature.TRANSFER}. {wish.why}".strip()


def _expect_nav(state: State, marks: Mapping[str, float], words: tuple[Adjustment, ...]) -> None:
    """A run cannot go on without equity; measured at the last prices of the journal."""
    held = dict(zip(state.universe.symbols, state.book.shares.tolist(), strict=True))
    held |= {word.symbol: word.shares for word in words if word.symbol}
    cash = usd(state.book.cash_micro + sum(word.cash_micro for word in words))
    nav = cash + sum(qty * marks.get(symbol, 0.0) for symbol, qty in held.items() if qty)
    if marks and words and not nav > 0:
        raise DataError(
            f"the book would be worth {nav:,.2f} USD: cash {cash:,.2f}. Check the amount, or begin "
            "a new journal when the account is flat."
        )


async def accept(
    line: Line, path: Path, wish: Wish, confirm: Callable[[Offer], Awaitable[bool]]
) -> Offer | None:
    """Show the offer, and where it is confirmed make it durable and compare again.

    `line` is as `begin` gives it, on the journal at `path`; None where it was not confirmed.
    """
    standing = line.standing
    shot = await agreed(line.broker, line.hear, line.patience.settle_s)
    marks, before = told(path)
    offered = offer(standing.state, shot, marks, wish, epoch_ns(standing.pen.wall()))
    twice = [w for w in offered.words if not w.symbol and (w.cash_micro, w.text) in before]
    if twice:
        raise DataError(
            f"{usd(twice[0].cash_micro):,.2f} USD with the reason {wish.why!r} is in the journal "
            "already. If it came once more, say so in the reason."
        )
    if offered.is_empty:
        return offered
    if not await confirm(offered):
        return None
    for order in offered.lost:
        for child in standing.call_off({order.order.cl_ord_id}):
            standing.conclude_child(child, ExecType.CANCELED, _text(wish), by=BY_HAND)
        standing.conclude(order, ExecType.CANCELED, _text(wish), by=BY_HAND)
    if offered.words:
        standing.command(*offered.words)
    await line.compare()
    return offered


def told(path: Path) -> tuple[dict[str, float], set[tuple[int, str]]]:
    """Last prices USD by symbol, and amounts of cash with their reasons, as a journal has them."""
    marks: dict[str, float] = {}
    entered: set[tuple[int, str]] = set()
    with JournalReader(path) as journal:
        last = None
        for entry in journal.entries():
            if entry.kind == CYCLE:
                last = entry.tree
            elif entry.kind == OPERATOR:
                words = journal.value(entry.tree)
                adjusted = [word for word in words if isinstance(word, Adjustment)]
                entered |= {(word.cash_micro, word.text) for word in adjusted if not word.symbol}
        if last is not None:
            universe = journal.value(last["state"]["universe"])
            prices = journal.value(last["seen"]["portfolio"]).price.tolist()
            marks = dict(zip(universe.symbols, prices, strict=True))
    return marks, entered
