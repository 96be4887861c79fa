"""What the random schedules found, each once more by itself."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from deadband.core.broker import CancelAll, CancelScope, Memory, Ok, Replacement
from deadband.core.events import Intent
from deadband.core.orders import (
    Action,
    ExecType,
    ExecutionReport,
    OrdStatus,
    Source,
    Terms,
    Tif,
    TradeFee,
)
from deadband.core.reasons import Code
from deadband.core.session import EXCHANGE_ZONE
from deadband.core.units import epoch_ns
from deadband.twsim.gateway import Gateway
from deadband.twsim.orders import Status

from ..kit import settings, virtual
from ..kit.death import Boundary, Death
from ..kit.ibkr import Desk, buy, trade
from ..kit.live import EAGER, Mortal, World
from ..kit.orders import report as kit_report
from ..kit.torture import checks, torment
from ..kit.tws import RawClient, ask_of, fault, gateway


def memory_of(desk: Desk) -> Memory:
    """What a journal would hold of a desk's orders."""
    told = [one.event for one in desk.hear()]
    intents: list[Intent] = desk.intents
    reports = tuple(e for e in told if isinstance(e, ExecutionReport | TradeFee))
    return Memory(intents[-1].high_water, tuple(intents), reports)


def second_life(host: Gateway, memory: Memory, seconds: float = 1.0) -> Desk:
    async def work(desk: Desk) -> None:
        await asyncio.sleep(seconds)

    return trade(host, work, memory=memory)


@pytest.mark.parametrize("is_on_record", [True, False])
def test_an_order_that_is_on_record_as_having_left_is_not_taken_for_never_sent(
    tmp_path: Path, *, is_on_record: bool
) -> None:
    """A dialog holds two orders out of every list, and the process dies after it sent them."""
    held = fault("order_held_by_dialog", seconds=700.0, times=2)
    of = World(tmp_path / "journal.db", 5, faults=(held,), begins_min=9.0)
    of.settings = settings(**EAGER, collar_bps=-8.0, order_life_min=4.0)

    async def work(journal: Mortal) -> None:
        await of.trade(journal, 8, also=lambda _: checks.expect_within_belief(of))

    # The sixth record says that they have left.
    death = Death(Boundary.RECORD, 6, is_after=is_on_record)
    assert of.live(work, death=death).died.is_set()
    names = {order.contract.symbol for order in of.host.desk.orders}
    assert len(names) == 2
    before = len(of.records)
    of.live(work)
    again = [o.symbol for r in of.records[before : before + 2] for o in r.plan.orders]
    assert bool(names & set(again)) is not is_on_record
    checks.expect_end(of)


def test_a_fill_that_was_busted_while_nobody_listened_leaves_its_order_over() -> None:
    host = gateway(fault("exec_busted", seconds=2.0))

    async def first(desk: Desk) -> None:
        desk.broker.submit([buy("db.1.000", 10, 150.0)])
        await desk.until("db.1.000", OrdStatus.NEW)

    memory = memory_of(trade(host, first))
    [there] = host.desk.orders
    host.exchange.fill_anyhow(there)
    host.timeline.run_for(10)
    assert (there.status, there.filled) == (Status.FILLED, 0)
    desk = second_life(host, memory)
    assert desk.status("db.1.000") is OrdStatus.CANCELED
    assert desk.filled("db.1.000") == 0


def test_an_order_that_was_made_smaller_unseen_and_then_filled_is_over() -> None:
    """The change is taken, its answer never comes, and the order fills to its new size."""

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy("db.1.000", 10, 150.0)])
        await desk.until("db.1.000", OrdStatus.NEW)
        assert desk.broker.replace(Replacement("db.1.000", 6, 150.0)).is_accepted
        await asyncio.sleep(1)
        assert desk.status("db.1.000") is OrdStatus.PENDING_REPLACE
        [there] = desk.host.desk.orders
        desk.host.exchange.fill_anyhow(there)
        await desk.until("db.1.000", OrdStatus.CANCELED)
        assert desk.filled("db.1.000") == 6

    trade(gateway(fault("drop_message", message="openOrder", nth=3)), work)


def test_a_cancel_that_died_in_the_outbox_is_not_waited_for_for_ever() -> None:
    host = gateway()
    desks: list[Desk] = []

    async def first() -> None:
        # The bucket is empty: the cancel is on record, and waits.
        desk = await Desk(host, messages_per_s=2.0, burst=1).connect()
        desks.append(desk)
        desk.broker.submit([buy("db.1.000", 10, 150.0)])
        await desk.until("db.1.000", OrdStatus.NEW)
        for _ in range(20):
            desk.broker.quotes.subscribe(["AAPL"])
        desk.broker.submit([buy(f"db.1.{k:03}", 10, 150.0) for k in range(1, 4)])
        assert desk.broker.cancel("db.1.000").is_accepted
        desk.hear()
        for client in list(host.clients):
            client.close()

    virtual.run(host, first)
    memory = memory_of(desks[0])
    asked = [r for r in memory.reports if isinstance(r, ExecutionReport)]
    assert ExecType.PENDING_CANCEL in [r.exec_type for r in asked]
    assert host.desk.working()[0].status is not Status.PENDING_CANCEL
    desk = second_life(host, memory)
    [told] = [r for r in desk.reports("db.1.000") if r.exec_type is ExecType.CANCEL_REJECTED]
    assert (told.ord_status, told.source) == (OrdStatus.NEW, Source.RECONCILED)


def test_a_cancel_that_the_gateway_never_heard_is_told_to_be_lost() -> None:
    host = gateway(fault("no_answer", message="cancelOrder"))

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy("db.1.000", 10, 150.0)])
        await desk.until("db.1.000", OrdStatus.NEW)
        desk.broker.cancel("db.1.000")
        await desk.broker.order_status("db.1.000")
        # It may still be on its way: nothing is said of it yet.
        assert desk.status("db.1.000") is OrdStatus.PENDING_CANCEL
        await asyncio.sleep(6)
        await desk.broker.order_status("db.1.000")
        assert desk.status("db.1.000") is OrdStatus.NEW
        desk.broker.cancel("db.1.000")
        await desk.until("db.1.000", OrdStatus.CANCELED)

    trade(host, work)


def test_a_cancel_that_waits_at_the_exchange_stays_asked_for() -> None:
    host = gateway(fault("cancel_unanswered", seconds=30.0))

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy("db.1.000", 10, 150.0)])
        await desk.until("db.1.000", OrdStatus.NEW)
        desk.broker.cancel_all(CancelAll(CancelScope.ACCOUNT, confirm_foreign=True))
        await asyncio.sleep(10)
        await desk.broker.order_status("db.1.000")
        assert desk.status("db.1.000") is OrdStatus.PENDING_CANCEL
        await desk.until("db.1.000", OrdStatus.CANCELED)

    trade(host, work)


async def split(desk: Desk) -> tuple[int, int]:
    """An order that the broker makes two of: 10 shares that stay, and 8 of the change."""
    desk.broker.submit([buy("db.1.000", 10, 150.0)])
    await desk.until("db.1.000", OrdStatus.NEW)
    assert desk.broker.replace(Replacement("db.1.000", 8, 151.0)).is_accepted
    await asyncio.sleep(1)
    old, new = desk.host.desk.orders
    return old.perm_id, new.perm_id


def test_an_order_that_lives_twice_is_as_large_as_both_and_cannot_be_changed() -> None:
    async def work(desk: Desk) -> None:
        await split(desk)
        grown = desk.reports("db.1.000")[-1]
        assert (grown.exec_type, grown.order_qty, grown.leaves_qty) == (ExecType.REPLACED, 18, 18)
        denied = desk.broker.replace(Replacement("db.1.000", 5, 150.0))
        assert denied.code is Code.ORDER_UNSUPPORTED
        before = len(desk.reports())
        # Both are listed, again and again: nothing new is learned from it.
        answer = await desk.broker.order_status("db.1.000")
        assert isinstance(answer, Ok)
        assert (answer.value.order_qty, len(answer.value.order_ids)) == (18, 2)
        assert len(desk.reports()) == before
        for order in desk.host.desk.orders:
            desk.host.exchange.fill_anyhow(order)
        await desk.until("db.1.000", OrdStatus.FILLED)
        assert desk.filled("db.1.000") == 18

    trade(gateway(fault("modify_splits")), work)


def test_an_order_that_was_split_is_over_when_both_halves_are() -> None:
    async def work(desk: Desk) -> None:
        await split(desk)
        old, new = desk.host.desk.orders
        desk.host.exchange.cancel(old, "by hand")
        await asyncio.sleep(1)
        assert desk.status("db.1.000") is OrdStatus.NEW
        desk.host.exchange.fill_anyhow(new)
        await desk.until("db.1.000", OrdStatus.CANCELED)
        assert desk.filled("db.1.000") == 8

    trade(gateway(fault("modify_splits")), work)


def test_a_half_that_is_found_alive_after_the_other_was_full_is_restated() -> None:
    """The line drops as the change splits the order; one half fills while nobody listens."""
    host = gateway(fault("modify_splits"))

    async def first(desk: Desk) -> None:
        desk.broker.submit([buy("db.1.000", 10, 150.0)])
        await desk.until("db.1.000", OrdStatus.NEW)
        desk.broker.replace(Replacement("db.1.000", 8, 151.0))
        desk.hear()

    made = trade(host, first)
    memory = memory_of(made)
    host.timeline.run_for(1)
    if len(host.desk.orders) == 1:
        # The change was cut off with the line: it reaches the gateway now.
        other = RawClient(host, 11)
        changed = host.desk.orders[0].ticket.with_fields({"totalQuantity": "8"})
        host.desk.place(11, changed)
        other.session.close()
        host.timeline.run_for(1)
    old, new = host.desk.orders
    host.exchange.fill_anyhow(old)
    desk = second_life(host, memory, seconds=5.0)
    last = desk.reports("db.1.000")[-1]
    assert (last.ord_status, last.cum_qty, last.order_qty) == (OrdStatus.PARTIALLY_FILLED, 10, 18)
    assert not new.is_done


def test_an_execution_that_was_corrected_can_still_be_busted() -> None:
    host = gateway(fault("exec_corrected", seconds=1.0), fault("exec_busted", seconds=2.0))
    price = round(ask_of(host) + 1, 2)

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy("db.1.000", 10, price)])
        await asyncio.sleep(5)
        assert desk.kinds("db.1.000")[-2:] == [ExecType.TRADE_CORRECT, ExecType.TRADE_CANCEL]
        assert desk.filled("db.1.000") == 0

    trade(host, work)
    [account] = host.accounts.values()
    assert list(account.held()) == []
    assert account.cash_micros == account.start_micros


def test_an_execution_that_was_busted_is_corrected_no_more() -> None:
    host = gateway(fault("exec_corrected", seconds=3.0), fault("exec_busted", seconds=1.0))
    price = round(ask_of(host) + 1, 2)

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy("db.1.000", 10, price)])
        await asyncio.sleep(5)
        assert desk.kinds("db.1.000")[-1] is ExecType.TRADE_CANCEL

    trade(host, work)
    [account] = host.accounts.values()
    assert account.cash_micros == account.start_micros


@pytest.mark.parametrize(
    ("sent", "tif", "status"),
    [
        ("2026-02-27T15:00", Tif.DAY, OrdStatus.EXPIRED),
        # After the close it was for the next session, which is today.
        ("2026-02-27T17:00", Tif.DAY, OrdStatus.UNKNOWN),
        ("2026-02-27T15:00", Tif.GTC, OrdStatus.UNKNOWN),
        ("2026-03-02T09:40", Tif.DAY, OrdStatus.UNKNOWN),
    ],
)
def test_an_order_of_a_day_that_is_over_freezes_nothing(
    sent: str, tif: Tif, status: OrdStatus
) -> None:
    """The process was away from a Friday to the Monday after; no list tells of Friday."""
    host = gateway()
    ns = epoch_ns(datetime.fromisoformat(sent).replace(tzinfo=EXCHANGE_ZONE))
    order = buy("db.1.000", 10, 150.0, transact_time=ns, terms=Terms(tif=tif))
    told = kit_report(order, ExecType.NEW, order_id=4711, ord_status=OrdStatus.NEW)
    memory = Memory(1, (Intent(Action.NEW, order, 1),), (told,))
    assert second_life(host, memory).status("db.1.000") is status


def test_a_run_that_died_in_mid_session_trades_its_names_the_next_morning(tmp_path: Path) -> None:
    """Orders rested as it died; they expired at the close, and nothing of them had traded."""
    of = World(tmp_path / "journal.db", 5, days=2, begins_min=9.0, step_s=60.0)
    of.settings = settings(**EAGER, collar_bps=-40.0, order_life_min=400.0)

    async def work(journal: Mortal) -> None:
        await of.trade(journal, 9, 9)

    assert of.live(work, death=Death(Boundary.RECORD, 12, is_after=True)).died.is_set()
    resting = {order.contract.symbol for order in of.host.desk.working()}
    assert resting
    of.host.timeline.run_until(of.market.sessions[1].open - timedelta(minutes=5))
    assert not of.host.desk.working()
    before = len(of.records)
    of.live(work)
    assert of.line is not None
    assert of.line.standing.differences == ()
    again = {o.symbol for r in of.records[before:] for o in r.plan.orders}
    assert again & resting
    of.check()


def test_the_half_that_rests_is_known_though_the_other_was_full_before_it_was_listed(
    tmp_path: Path,
) -> None:
    """A raise that the broker split, and a process that died on it: seed 2890."""
    assert torment(2890, tmp_path).failure == ""
