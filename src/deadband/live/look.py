"""Compares a journal with its broker and changes neither: what a start would find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ..core.broker import BrokerSnapshot, Ok
from ..core.errors import BrokerError
from ..core.events import Difference, Intent
from ..core.orders import ExecType, WorkingOrder
from ..core.units import usd
from ..journal.store import NoJournal
from .begin import OpenCounter
from .reconcile import agreed, differences, lost_cancels, lost_changes
from .recover import Recovered
from .watch import Standing
from .write_ahead import Pen


@dataclass(frozen=True, slots=True)
class Look:
    """What journal and broker say of each other; cash USD."""

    differences: tuple[Difference, ...]
    news: int
    """Reports that the broker has and the journal has not, booked here for the comparison."""
    lost_cancels: tuple[WorkingOrder, ...]
    lost_changes: tuple[WorkingOrder, ...]
    not_intended: tuple[WorkingOrder, ...]
    journal_cash: float
    broker_cash: float


async def look(
    recovered: Recovered,
    open_counter: OpenCounter,
    wall: Callable[[], datetime],
    settle_s: float = 2.0,
) -> Look:
    """Ask the broker, and compare with what the journal recovers to; raises BrokerError."""
    standing = Standing(recovered.state, Pen(NoJournal(), wall), recovered.basket)
    broker = open_counter(_refuse, recovered.memory).broker

    def hear() -> int:
        standing.hear(broker.taken())
        return standing.folded

    try:
        await broker.connect()
        shot = await agreed(broker, hear, settle_s)
    finally:
        await broker.close()
    return _compared(standing, shot, recovered)


def _compared(standing: Standing, shot: BrokerSnapshot, recovered: Recovered) -> Look:
    assert isinstance(shot.account, Ok), "a snapshot that was agreed on is complete"
    # The order that never left is no difference: a start says so and goes on.
    refs = {order.order.cl_ord_id for order in recovered.not_intended}
    refs |= {child.cl_ord_id for child in recovered.children_not_intended}
    found = differences(standing.state, standing.basket, shot)
    found = tuple(one for one in found if one.text not in refs)
    return Look(
        differences=found,
        news=standing.folded,
        lost_cancels=lost_cancels(standing.state, shot),
        lost_changes=tuple(
            order
            for order, kind in lost_changes(standing.state, shot)
            if kind is ExecType.CANCEL_REJECTED
        ),
        not_intended=recovered.not_intended,
        journal_cash=usd(standing.state.book.cash_micro),
        broker_cash=shot.account.value.cash,
    )


def _refuse(intents: tuple[Intent, ...]) -> None:
    raise BrokerError(f"{len(intents)} orders were to be sent by a comparison, which sends none.")
