"""Begins a live run: the journal is locked and read, its broker made from it, the books compared.

Start, restart and recovery are this one way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .. import cycle
from ..backtest.run import RUN, SETTINGS, first_state, versions
from ..core.broker import Broker, MarketData, Memory, Ok, ReferenceData, WriteAhead
from ..core.config import Settings
from ..core.errors import BrokerError, DataError
from ..core.orders import ExecType
from ..core.ports import Journal
from ..core.reasons import Code
from ..core.seen import Universe
from ..core.session import EXCHANGE_ZONE
from ..core.types import State
from ..core.units import micros, usd
from .adopt import Adopt, adopt
from .line import Line, Patience
from .recover import Recovered
from .watch import Standing
from .write_ahead import RESUMED, Pen


@dataclass(frozen=True, slots=True)
class Counter:
    """A broker's three sides, not connected yet; `quotes` None where they come from elsewhere.

    `takes_turns`: names take turns on fewer lines, and somebody else subscribes to them.
    """

    broker: Broker
    reference: ReferenceData
    quotes: MarketData | None = None
    takes_turns: bool = False


OpenCounter = Callable[[WriteAhead, Memory], Counter]


@dataclass(frozen=True, slots=True, eq=False)
class Beginning:
    """What a run begins with; `recovered` is None for the first start of a journal."""

    settings: Settings
    universe: Universe
    journal: Journal
    wall: Callable[[], datetime]
    recovered: Recovered | None
    patience: Patience = Patience()
    adopt: Adopt = Adopt.LEAVE
    """What becomes of orders that another run of ours left at work."""
    watched: tuple[str, ...] | None = None
    """Names that the broker is asked about; None is the universe."""


async def begin(what: Beginning, open_counter: OpenCounter) -> Line:
    """Connect, open or resume the journal, and compare; raises BrokerError with the cure."""
    recovered = what.recovered
    if recovered is None:
        line = _first(what, open_counter)
    else:
        line = _resumed(what, recovered, open_counter)
    try:
        await line.connect()
        if recovered is None:
            await _open(what, line)
        await line.compare()
        if what.adopt is not Adopt.LEAVE:
            await adopt(line, what.adopt, what.settings.execution.strategy)
    except BaseException:
        await line.broker.close()
        raise
    return line


def _first(what: Beginning, open_counter: OpenCounter) -> Line:
    pen = Pen(what.journal, what.wall)
    state = first_state(what.universe, what.settings)
    cash = usd(state.book.cash_micro)
    standing = Standing(state, pen, cycle.open_basket(what.settings, cash, cash))
    return _line(what, open_counter(pen.intend, Memory()), standing)


async def _open(what: Beginning, line: Line) -> None:
    """The journal's first record: what a replay begins with."""
    state = await _funded(line.broker, line.standing.state)
    # Cycles count from the clock: a second journal of the day never uses an order id again.
    clock = what.wall().astimezone(EXCHANGE_ZONE).strftime("%H%M%S")
    line.standing.state = replace(state, cycle=int(clock))
    opening = {
        "settings": what.settings,
        "state": line.standing.state,
        "versions": versions(),
        "findings": (),
    }
    line.standing.pen.write(RUN, opening)


def _resumed(what: Beginning, recovered: Recovered, open_counter: OpenCounter) -> Line:
    if recovered.state.universe.symbols != what.universe.symbols:
        raise DataError(
            "the journal's universe is another one than the run's. Begin a new journal when the "
            "account is flat, or name the same symbols."
        )
    before, now = recovered.settings.execution.account, what.settings.execution.account
    if before != now:
        raise DataError(
            f"the journal is of account {before}, and {now} is to be traded. Name another journal."
        )
    pen = Pen(what.journal, what.wall, recovered.cycle_id)
    standing = Standing(recovered.state, pen, recovered.basket)
    pen.write(RESUMED, {"versions": versions(), "cycles": recovered.state.cycle})
    if recovered.settings != what.settings:
        pen.write(SETTINGS, what.settings)
    text = f"{Code.RECON_NOT_INTENDED}: the process ended before"
    for order in recovered.not_intended:
        standing.conclude(order, ExecType.CANCELED, text)
    for child in recovered.children_not_intended:
        standing.conclude_child(child, ExecType.CANCELED, text)
    return _line(what, open_counter(pen.intend, recovered.memory), standing)


def _line(what: Beginning, counter: Counter, standing: Standing) -> Line:
    symbols: Sequence[str] = what.universe.symbols if what.watched is None else what.watched
    return Line(
        counter.broker,
        counter.reference,
        counter.quotes,
        standing,
        symbols,
        what.patience,
        watched=frozenset(() if counter.takes_turns else symbols),
    )


async def _funded(broker: Broker, state: State) -> State:
    """The first state with the account's cash, at most the capital that the settings name."""
    shot = await broker.snapshot()
    if not isinstance(shot.account, Ok) or not shot.account.value.is_ready:
        raise BrokerError(f"the account's money is not known: {shot.account}. Start again.")
    cash = min(state.book.cash_micro, micros(shot.account.value.cash))
    if cash <= 0:
        raise BrokerError(f"the account has {cash / 1e6:.2f} USD of cash. Fund it first.")
    return replace(state, book=replace(state.book, cash_micro=cash))
