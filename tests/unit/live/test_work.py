"""How the market is looked at while orders are worked: what is not live is dark, then unquoted.

And which orders are worked at all: those that the state has at work, and the operator lets be.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from deadband.core.broker import Receipt
from deadband.core.events import Halt, Heard, Quality, Quote, SessionState
from deadband.core.orders import Book, ExecType, Order, OrdStatus, Side, WorkingOrder
from deadband.core.parents import Progress
from deadband.core.reasons import GLOBAL, Code
from deadband.core.seen import Switch
from deadband.core.tactics import Tactics
from deadband.live.line import Line
from deadband.live.work import Eye, Work
from tests import kit
from tests.kit.parents import START, parent

from .test_watch import NAMES, A, standing

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
LIVE = Quote("AAPL", 99.9, 100.1, 100.0, 300, 200, 5_000, 1, Quality.LIVE)


@dataclass
class Screen:
    """MarketData with one quote."""

    shown: Quote | None

    def quote(self, symbol: str) -> Quote | None:
        return self.shown

    def quality(self, symbol: str) -> Quality:
        return Quality.NONE if self.shown is None else self.shown.quality

    def subscribe(self, symbols: object) -> None: ...

    def unsubscribe(self, symbols: object) -> None: ...


def test_a_live_quote_is_a_tick_with_the_volume_since_the_last() -> None:
    eye = Eye()
    first = eye.look(Screen(LIVE), "AAPL", NOW, 15.0)
    assert first is not None
    assert (first.bid, first.ask, first.bid_size, first.ask_size, first.volume) == (
        *(99.9, 100.1, 300, 200),
        0,
    )
    second = eye.look(Screen(replace(LIVE, volume=5_700)), "AAPL", NOW, 15.0)
    assert second is not None
    assert second.volume == 700


@pytest.mark.parametrize(
    "shown",
    [
        None,
        replace(LIVE, quality=Quality.DELAYED),
        replace(LIVE, quality=Quality.NONE),
        replace(LIVE, bid=float("nan")),
        replace(LIVE, bid=0.0),
        replace(LIVE, bid=100.2),
    ],
)
def test_what_is_not_live_shows_nothing_and_after_a_while_that_there_is_nothing(
    shown: Quote | None,
) -> None:
    eye = Eye()
    assert eye.look(Screen(shown), "AAPL", NOW, 15.0) is None
    assert eye.look(Screen(shown), "AAPL", NOW + timedelta(seconds=14), 15.0) is None
    tick = eye.look(Screen(shown), "AAPL", NOW + timedelta(seconds=15), 15.0)
    assert tick is not None
    assert not tick.is_quoted
    # One live quote, and the patience begins anew.
    assert eye.look(Screen(LIVE), "AAPL", NOW + timedelta(seconds=20), 15.0) is not None
    assert eye.look(Screen(shown), "AAPL", NOW + timedelta(seconds=21), 15.0) is None


def test_a_halted_name_is_unquoted_at_once() -> None:
    halted = replace(LIVE, halt=Halt.VOLATILITY)
    tick = Eye().look(Screen(halted), "AAPL", NOW, 15.0)
    assert tick is not None
    assert not tick.is_quoted


@dataclass
class Desk:
    """A broker and its quotes: it acknowledges at once, and fills what it is told to."""

    state: SessionState = SessionState.READY
    told: list[Heard] = field(default_factory=list)
    alive: dict[str, Order] = field(default_factory=dict)
    heard: int = 0

    def say(self, order: Order, kind: ExecType, **other: Any) -> None:
        self.heard += 1
        report = kit.report(order, kind, **({"exec_id": f"x.{self.heard}"} | other))
        self.told.append(Heard(self.heard, 0, report))

    def taken(self) -> tuple[Heard, ...]:
        told, self.told = tuple(self.told), []
        return told

    def submit(self, orders: Sequence[Order]) -> tuple[Receipt, ...]:
        self.alive |= {order.cl_ord_id: order for order in orders}
        for order in orders:
            self.say(order, ExecType.NEW)
        return tuple(Receipt(order.cl_ord_id) for order in orders)

    def cancel(self, cl_ord_id: str) -> Receipt:
        self.say(self.alive.pop(cl_ord_id), ExecType.CANCELED)
        return Receipt(cl_ord_id)

    def instrument(self, _: str) -> None: ...

    def quote(self, symbol: str) -> Quote:
        return replace(LIVE, symbol=symbol, bid=99.99, ask=100.01)


def at_work(
    side: Side = Side.BUY, held: int = 0, switch: Switch | None = None
) -> tuple[Work, Desk, list[Switch]]:
    """One order for a thousand shares with its child at the broker; the switch can be changed."""
    made = parent(side=side, symbol=A, order_id="db.20260302.000007.000")
    kept, _ = standing(WorkingOrder(made.order, OrdStatus.NEW))
    book = Book(np.array([held, 0, 0]), 0, np.full(3, 100.0), np.full(3, -1))
    kept.state = replace(kept.state, book=book)
    kept.basket = replace(kept.basket, cash=1e6, nav=1e6, works=(Progress(made),))
    desk: Any = Desk()
    switches = [Switch()]
    line = Line(desk, desk, desk, kept, NAMES.symbols)
    clock = iter(range(1_000))
    begins = datetime.fromtimestamp(START / 1e9, UTC)
    work = Work(
        line,
        kit.settings(),
        lambda: begins + timedelta(seconds=next(clock)),
        lambda _: switches[-1],
    )
    work.round()
    assert list(desk.alive) == ["db.20260302.000007.000.1"]
    return work, desk, switches


def test_an_order_whose_last_fill_is_taken_back_is_worked_no_more() -> None:
    work, desk, _ = at_work()
    [child] = desk.alive.values()
    desk.say(child, ExecType.TRADE, exec_id="e.01", last_qty=1000, last_px=100.0)
    said = {"exec_id": "e.02", "prior_qty": 1000, "prior_px": 100.0, "ord_status": OrdStatus.FILLED}
    desk.say(child, ExecType.TRADE_CANCEL, **said)
    for _ in range(3):
        work.round()
    # To the state it has ended, and a cycle will decide for these shares again.
    standing = work.line.standing
    assert standing.state.working == ()
    assert [one.outcome for one in standing.basket.works] == [Code.ORDER_CALLED_OFF]
    assert list(desk.alive) == [child.cl_ord_id], "nothing more was sent"


@pytest.mark.parametrize(
    ("side", "held", "goes_on"),
    [
        (Side.BUY, 0, False),
        (Side.BUY, 300, False),
        (Side.BUY, -1000, True),
        (Side.SELL, 1000, True),
        (Side.SELL_SHORT, -300, False),
    ],
)
@pytest.mark.parametrize(
    "command", [Switch("REDUCING"), Switch(flatten=(A,)), Switch(flatten=(GLOBAL,))]
)
def test_where_positions_may_only_shrink_nothing_that_grows_is_worked_on(
    side: Side, held: int, goes_on: bool, command: Switch
) -> None:
    work, desk, switches = at_work(side, held)
    switches.append(command)
    for _ in range(3):
        work.round()
    assert bool(desk.alive) is goes_on
    assert bool(work.line.standing.state.working) is goes_on


def test_buys_are_paid_from_what_this_cycle_knows_and_no_other_order_claims() -> None:
    """A journal may begin with more capital than the account has, and go on by other settings."""
    work, _, _ = at_work()
    kept = work.line.standing
    direct = kit.working("db.9", A, order_qty=40, price=100.0, cum_qty=10)
    sale = kit.working("db.10", A, side=Side.SELL)
    kept.state = replace(kept.state, working=(*kept.state.working, direct, sale))
    kept.basket = replace(kept.basket, buffer=5e5, nav=1e7, tactics=Tactics(horizon_min=99.0))
    execution = replace(work.settings.execution, cash_buffer=0.02)
    work.settings = replace(work.settings, execution=execution, tactics=Tactics(slices=7))
    record: Any = SimpleNamespace(
        seen=SimpleNamespace(now=NOW, portfolio=SimpleNamespace(cash=9e4, nav=1e5)),
        state=kept.state,
        plan=SimpleNamespace(orders=()),
    )
    before = kept.basket.works
    work.take_up(record)
    basket = kept.basket
    assert (basket.cash, basket.nav, basket.buffer) == (9e4 - 30 * 100.0, 1e5, 2e3)
    assert basket.tactics == Tactics(slices=7)
    assert [one.parent for one in basket.works] == [one.parent for one in before]


def test_another_name_that_is_commanded_out_calls_nothing_off() -> None:
    work, desk, switches = at_work()
    switches.append(Switch(flatten=("S0002",)))
    work.round()
    assert desk.alive
