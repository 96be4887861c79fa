"""What the journal and the broker may disagree on, each by its name and with its reserve."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from deadband import cycle
from deadband.core.broker import BrokerSnapshot, Failed, Ok
from deadband.core.errors import BrokerError
from deadband.core.events import AccountReport, Difference, OrderState, PositionReport
from deadband.core.orders import Book, ExecType, OrdStatus, Side
from deadband.core.reasons import Code
from deadband.core.types import State
from deadband.live.reconcile import agreed, differences, looked, lost_cancels, lost_changes
from tests import kit

NAMES = kit.universe(3)
A, B, C = NAMES.symbols
MONEY = AccountReport("DU1", "USD", 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 0.0, 0.0, -1, True)


def state_of(shares: tuple[int, int, int] = (0, 0, 0), *working: Any) -> State:
    book = Book(np.array(shares), 0, np.zeros(3), np.full(3, -1))
    return replace(kit.state(NAMES, working=working), book=book)


def held(**shares: int) -> tuple[PositionReport, ...]:
    return tuple(PositionReport("DU1", symbol, qty, 10.0) for symbol, qty in shares.items())


def order_state(ref: str, symbol: str, status: OrdStatus, cum: int = 0) -> OrderState:
    leaves = 0 if status in (OrdStatus.FILLED, OrdStatus.CANCELED) else 100 - cum
    return OrderState(ref, symbol, Side.BUY, 100, 10.0, status, cum, leaves, 10.0, (1,))


def shot_of(
    positions: tuple[PositionReport, ...] = (),
    orders: tuple[OrderState, ...] = (),
    foreign: tuple[OrderState, ...] = (),
) -> BrokerSnapshot:
    return BrokerSnapshot(Ok(orders, 1), Ok(foreign, 1), Ok(positions, 1), Ok(MONEY, 1))


def differing(state: State, shot: BrokerSnapshot) -> tuple[Difference, ...]:
    """What differs where nothing is worked."""
    return differences(state, cycle.open_basket(kit.settings(), 1e5, 1e5), shot)


def test_books_that_agree_differ_in_nothing() -> None:
    order = kit.working("db.1", A, status=OrdStatus.NEW, cum_qty=0)
    shot = shot_of(held(**{B: -7}), (order_state("db.1", A, OrdStatus.NEW),))
    assert differing(state_of((0, -7, 0), order), shot) == ()


@pytest.mark.parametrize(
    ("expected", "there", "code"),
    [
        (100, 0, Code.RECON_POSITION_DIFFERS),
        (0, 30, Code.RECON_POSITION_DIFFERS),
        (100, -100, Code.RECON_POSITION_DIFFERS),
        (100, 117, Code.RECON_POSITION_DIFFERS),
        (100, 400, Code.RECON_SPLIT_RATIO),
        (-100, -10, Code.RECON_SPLIT_RATIO),
        (100, 150, Code.RECON_SPLIT_RATIO),
        (100, 2500, Code.RECON_POSITION_DIFFERS),
    ],
)
def test_a_position_that_differs_is_reserved_by_what_it_differs(
    expected: int, there: int, code: Code
) -> None:
    [found] = differing(state_of((expected, 0, 0)), shot_of(held(**{A: there})))
    assert found == Difference(A, code, expected, there, abs(there - expected))
    assert str(found).startswith(f"{code} {A}: journal {expected}, broker {there}, ")


def test_what_others_hold_and_work_is_named_and_their_orders_reserved() -> None:
    foreign = (order_state("", B, OrdStatus.PARTIALLY_FILLED, 40),)
    found = differing(state_of(), shot_of(held(ZZZ=5), foreign=foreign))
    assert [(one.symbol, one.code, one.reserved) for one in found] == [
        (B, Code.RECON_FOREIGN_ORDER, 60),
        ("ZZZ", Code.RECON_FOREIGN_POSITION, 0),
    ]


@pytest.mark.parametrize(
    ("there", "reserved"),
    [
        ((), 70),
        ((order_state("db.1", A, OrdStatus.CANCELED, 30),), 70),
        ((order_state("db.1", A, OrdStatus.NEW, 50),), 70),
    ],
)
def test_an_order_of_ours_that_the_broker_tells_otherwise_is_reserved(
    there: tuple[OrderState, ...], reserved: int
) -> None:
    order = kit.working("db.1", A, status=OrdStatus.PARTIALLY_FILLED, cum_qty=30)
    [found] = differing(state_of((0, 0, 0), order), shot_of((), there))
    assert (found.symbol, found.code, found.reserved) == (A, Code.RECON_ORDER_DIFFERS, reserved)
    assert found.text == "db.1"


def test_an_order_that_only_the_broker_has_alive_is_reserved() -> None:
    shot = shot_of((), (order_state("db.9", C, OrdStatus.NEW), order_state("d", B, "FILLED")))  # type: ignore[arg-type]
    [found] = differing(state_of(), shot)
    assert (found.symbol, found.code, found.reserved) == (C, Code.RECON_ORDER_DIFFERS, 100)


@pytest.mark.parametrize(
    ("ours", "theirs", "is_lost"),
    [
        (OrdStatus.PENDING_CANCEL, OrdStatus.NEW, True),
        (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_CANCEL, False),
        (OrdStatus.PENDING_CANCEL, OrdStatus.CANCELED, False),
        (OrdStatus.NEW, OrdStatus.NEW, False),
    ],
)
def test_a_cancel_is_lost_where_the_broker_plainly_works_the_order(
    ours: OrdStatus, theirs: OrdStatus, is_lost: bool
) -> None:
    order = kit.working("db.1", A, status=ours)
    shot = shot_of((), (order_state("db.1", A, theirs),))
    assert lost_cancels(state_of((0, 0, 0), order), shot) == ((order,) if is_lost else ())


@pytest.mark.parametrize(
    ("status", "qty", "price", "kind"),
    [
        (OrdStatus.NEW, 100, 10.0, ExecType.CANCEL_REJECTED),
        (OrdStatus.PARTIALLY_FILLED, 60, 10.0, ExecType.CANCEL_REJECTED),
        (OrdStatus.NEW, 60, 9.5, ExecType.REPLACED),
        (OrdStatus.PENDING_REPLACE, 100, 10.0, None),
        (OrdStatus.FILLED, 100, 10.0, None),
    ],
)
def test_a_change_is_lost_or_made_where_the_broker_plainly_works_the_order(
    status: OrdStatus, qty: int, price: float, kind: ExecType | None
) -> None:
    sent = kit.working("db.1", A, price=10.0)
    wanted = replace(sent.order, order_qty=60, price=9.5)
    order = replace(sent, status=OrdStatus.PENDING_REPLACE, wanted=wanted)
    there = replace(order_state("db.1", A, status), order_qty=qty, price=price)
    found = lost_changes(state_of((0, 0, 0), order), shot_of((), (there,)))
    assert found == (() if kind is None else ((order, kind),))
    other = kit.working("db.1", A, status=OrdStatus.PENDING_CANCEL)
    assert lost_changes(state_of((0, 0, 0), other), shot_of((), (there,))) == ()


@dataclass
class Telling:
    """A broker that answers one snapshot after the other, and the last for ever."""

    shots: list[BrokerSnapshot]
    asked: int = 0

    async def snapshot(self) -> BrokerSnapshot:
        self.asked += 1
        return self.shots[min(self.asked, len(self.shots)) - 1]


def agree(*shots: BrokerSnapshot, heard: Any = lambda: 0) -> tuple[BrokerSnapshot, int]:
    broker = Telling(list(shots))
    shot = asyncio.run(agreed(broker, heard, 0.0))  # type: ignore[arg-type]
    return shot, broker.asked


def test_a_snapshot_counts_when_two_passes_say_the_same() -> None:
    one, other = shot_of(), shot_of(held(**{A: 5}))
    assert agree(one, other) == (other, 3)
    assert agree(one) == (one, 2)


def test_names_that_move_are_told_apart_from_those_that_stand_still() -> None:
    moves = [shot_of(held(**{A: qty, B: 5})) for qty in range(1, 7)]
    broker: Any = Telling(moves)
    seen = asyncio.run(looked(broker, lambda: 0, 0.0))
    assert (seen.shot, seen.moving, seen.is_at_rest) == (moves[-1], {A}, False)
    with pytest.raises(BrokerError, match="still moved after 6 passes"):
        agree(*moves)


def test_books_that_move_or_are_not_known_are_no_answer() -> None:
    counts = iter(range(100))
    with pytest.raises(BrokerError, match="still moved after 6 passes"):
        agree(shot_of(), heard=lambda: next(counts))
    unknown = replace(shot_of(), positions=Failed("no"))
    with pytest.raises(BrokerError, match="books are not known"):
        agree(shot_of(), unknown)
