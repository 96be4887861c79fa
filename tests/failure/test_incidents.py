"""Public incidents of other systems at IBKR, replayed to the adapter and the live loop.

Each test is named after a thread; what happened there stands in its docstring, what has to happen
here in its body. `docs/incidents.md` lists them, and a test below compares the two.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.core.broker import Receipt, Replacement
from deadband.core.events import Notice, SessionEvent, SessionState, Severity
from deadband.core.orders import ExecType, ExecutionReport, OrdStatus, Source, WorkingOrder
from deadband.core.reasons import Code
from deadband.twsim.faults import Fault, moment
from deadband.twsim.orders import Status

from ..kit import settings
from ..kit.death import Boundary, Death
from ..kit.live import EAGER, Mortal, World
from ..kit.torture.checks import expect_end, held_by_us, ours, ref_of
from ..kit.tws import RawClient, fault, place_order, quote_of
from .test_live_day import journaled

RESTING = settings(**EAGER, collar_bps=-8.0, order_life_min=4.0)
THREADS = {"LEAN#249", "LEAN#242", "LEAN#93"}
THREADS |= {"Nautilus#4564", "Nautilus#4247", "Nautilus#4228", "Nautilus#3968"}
THREADS |= {"pysystemtrade#1580", "ib_insync#502", "ib_insync#364", "ib_insync#328"}
PAGE = Path(__file__).parents[2] / "docs" / "incidents.md"


def day(folder: Path, *faults: Fault, **changes: Any) -> World:
    """Five names whose orders rest inside the spread; decisions at 09:45, 09:50, 09:55."""
    given: dict[str, Any] = {"settings": RESTING, "begins_min": 9.0, "step_s": 5.0} | changes
    return World(folder / "journal.db", 5, faults=faults, **given)


def traded(of: World, cycles: int = 6, also: Any = None) -> None:
    """One life of the first cycles, with somebody who does something beside it."""

    async def work(journal: Mortal) -> None:
        beside = asyncio.ensure_future(also(of)) if also is not None else None
        await of.trade(journal, cycles)
        if beside is not None:
            await beside

    of.live(work)


def reports(of: World) -> list[ExecutionReport]:
    batches: list[Any] = journaled(of, "REPORTS")
    return [one for batch in batches for one in batch if isinstance(one, ExecutionReport)]


def heard(of: World) -> list[Any]:
    batches: list[Any] = journaled(of, "HEARD")
    return [one.event for batch in batches for one in batch]


def codes(of: World) -> set[int]:
    return {event.code for event in heard(of) if isinstance(event, Notice | SessionEvent)}


def clock(of: World, written: str) -> datetime:
    """That time in New York on the day of the run."""
    instant = moment(written, of.market.sessions[0].open.date())
    assert instant is not None
    return instant


async def until(of: World, written: str) -> None:
    """Sleep until it is so late."""
    wait = (clock(of, written) - of.wall()).total_seconds()
    await asyncio.sleep(max(wait, 0.0))


def standing(of: World) -> list[WorkingOrder]:
    """Our orders that work, and of which nothing is asked."""
    plain = (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
    return [order for order in of.state.working if order.status in plain]


def broker_of(of: World) -> IbkrBroker:
    assert of.line is not None
    assert isinstance(of.line.broker, IbkrBroker)
    return of.line.broker


def changed(of: World, receipts: list[Receipt]) -> str:
    """Ask for a third fewer shares of an order that works; its reference."""
    order = standing(of)[0]
    qty = order.order.order_qty - order.leaves_qty // 3
    wanted = Replacement(order.order.cl_ord_id, qty, order.order.price)
    receipts.append(broker_of(of).replace(wanted))
    return wanted.cl_ord_id


# --- LEAN


def test_lean_249_fills_and_cancels_told_into_an_outage_are_asked_for_again(
    tmp_path: Path,
) -> None:
    """LEAN dropped fills and broker's cancels that came between 1100 and 1101, and never asked."""
    lost = fault("connectivity_lost", at="09:45:01", seconds=270.0, lossy=True, data_lost=True)
    of = day(tmp_path, lost)

    async def broker_cancels(_: World) -> None:
        await until(of, "09:46:00")
        alive = of.host.desk.working()
        assert len(alive) >= 2
        of.host.exchange.cancel(alive[0], "canceled by the broker")

    traded(of, also=broker_cancels)
    gap = (clock(of, "09:45:01"), of.wall())
    away = [e for e in of.host.exchange.books.executions if gap[0] < e.moment < gap[1]]
    assert away, "nothing was filled in the gap"
    expect_end(of)
    assert {1100, 1101} <= codes(of)
    told = [r for r in reports(of) if r.source is Source.RECONCILED]
    assert {ExecType.TRADE, ExecType.CANCELED} <= {r.exec_type for r in told}
    states = [e.state for e in heard(of) if isinstance(e, SessionEvent)]
    assert SessionState.DEGRADED in states


def test_lean_242_orders_that_vanish_in_a_restart_are_not_sent_again(tmp_path: Path) -> None:
    """LEAN sent orders in the second of the gateway's restart: gone, and their ids given anew."""
    gone = fault("order_lost", at="09:50")
    of = day(tmp_path, gone, fault("restart", at="09:50:00.5", seconds=20.0))
    traded(of, 8)
    lost = [o for o in of.state.working if o.status is OrdStatus.UNKNOWN]
    assert lost, "no order was lost"
    # Their names wait for a human; the others go on, with numbers above all that were used.
    frozen = {order.order.symbol for order in lost}
    since = lost[0].order.transact_time
    later = [o for r in of.records for o in r.plan.orders if o.transact_time > since]
    assert later
    assert not frozen & {order.symbol for order in later}
    numbers = [order.order_id for order in ours(of.host)]
    assert numbers == sorted(set(numbers))
    expect_end(of)


def test_lean_242_around_a_known_restart_nothing_is_sent(tmp_path: Path) -> None:
    """The same incident's cure: whoever knows when the gateway restarts sends nothing then."""
    restart = fault("restart", at="09:50:00.5", seconds=20.0)
    of = day(tmp_path, restart, changes={"restart_at": "09:51", "quiet_min": 3.0})
    traded(of)
    denied = [r for r in reports(of) if r.exec_type is ExecType.REJECTED]
    assert denied
    assert all(r.text.startswith(f"{Code.SESSION_QUIET}:") for r in denied)
    placed = [order.placed for order in ours(of.host)]
    assert placed
    assert not [one for one in placed if clock(of, "09:48") < one < clock(of, "09:54")]
    expect_end(of)


def test_lean_93_an_order_without_any_callback_freezes_its_name(tmp_path: Path) -> None:
    """Of a batch that LEAN sent, some orders got no callback at all, and were counted as open."""
    of = day(tmp_path, fault("order_lost", nth=2))
    traded(of)
    first = next(r.plan.orders for r in of.records if r.plan.orders)
    [lost] = [o for o in of.state.working if o.status is OrdStatus.UNKNOWN]
    assert lost.order == first[1]
    again = [o for r in of.records for o in r.plan.orders if o.symbol == lost.order.symbol]
    assert again == [lost.order]
    assert len(ours(of.host)) > len(first)
    assert any("is frozen" in e.text for e in heard(of) if isinstance(e, Notice))
    expect_end(of)


def test_lean_93_an_order_that_a_dialog_held_lives_on_when_it_is_let_go(tmp_path: Path) -> None:
    """Later in the thread: some of the silent orders waited behind a dialog, and then worked."""
    of = day(tmp_path, fault("order_held_by_dialog", seconds=100.0))
    traded(of)
    told = [r.exec_type for r in reports(of) if r.cl_ord_id.endswith("01.000")]
    assert told[:2] == [ExecType.UNKNOWN, ExecType.NEW]
    assert not [o for o in of.state.working if o.status is OrdStatus.UNKNOWN]
    expect_end(of)


# --- Nautilus


def test_nautilus_4564_an_order_that_lives_twice_is_known_to_and_both_are_booked(
    tmp_path: Path,
) -> None:
    """A change made two live permIds of one order; one was canceled, the other filled unseen."""
    of = day(tmp_path, fault("modify_splits"))
    refs: list[str] = []
    receipts: list[Receipt] = []

    async def change(_: World) -> None:
        await until(of, "09:50:02")
        refs.append(changed(of, receipts))

    traded(of, also=change)
    assert receipts[0].is_accepted
    two = [order for order in ours(of.host) if ref_of(order) == refs[0]]
    assert len(two) == 2
    twice = [e for e in heard(of) if isinstance(e, Notice) and e.severity is Severity.FATAL]
    assert "lives twice" in twice[0].text
    grown = [r for r in reports(of) if r.exec_type is ExecType.REPLACED]
    assert grown[-1].order_qty == sum(order.ticket.shares for order in two)
    assert sum(order.filled for order in two) > max(order.ticket.shares for order in two)
    expect_end(of)


def test_nautilus_4564_nothing_is_changed_while_the_servers_are_lost(tmp_path: Path) -> None:
    """The same incident's cause: the change was sent into a lost connection."""
    of = day(tmp_path, fault("connectivity_lost", at="09:50:01", seconds=30.0))
    receipts: list[Receipt] = []

    async def change(_: World) -> None:
        await until(of, "09:50:02")
        changed(of, receipts)

    traded(of, also=change)
    assert receipts[0].code is Code.SESSION_NOT_READY
    assert Counter(ref_of(order) for order in ours(of.host)).most_common(1)[0][1] == 1
    expect_end(of)


def test_nautilus_4247_a_number_that_is_given_again_takes_no_fill_with_it(tmp_path: Path) -> None:
    """After a restart ids rolled back: order 1514 was two orders of a day, and one got a fill."""
    of = day(tmp_path, fault("restart", at="09:46", seconds=10.0))

    async def another(_: World) -> None:
        await until(of, "09:50:02")
        mine = of.host.desk.working()[-1]
        other = RawClient(of.host, 9)
        _, ask = quote_of(of.host, mine.contract.symbol)
        order = place_order(
            mine.order_id,
            symbol=mine.contract.symbol,
            orderRef="",
            totalQuantity=10,
            lmtPrice=f"{ask + 1:.2f}",
        )
        other.send(*order)

    traded(of, also=another)
    numbers = [order.order_id for order in ours(of.host)]
    assert len(numbers) > 3
    assert numbers == sorted(set(numbers))
    theirs = [order for order in of.host.desk.orders if not ref_of(order)]
    assert [order.filled for order in theirs] == [10]
    assert theirs[0].order_id in numbers
    assert of.line is not None
    told = [r for r in reports(of) if r.exec_type is ExecType.TRADE]
    assert sum(r.last_qty * r.side.sign for r in told) == sum(held_by_us(of.host).values())


def test_nautilus_4247_numbers_go_on_over_a_death_and_a_restart(tmp_path: Path) -> None:
    """The same, with a process that ends in between: what it used is in its journal."""
    of = day(tmp_path, fault("restart", at="09:51", seconds=10.0))

    async def work(journal: Mortal) -> None:
        await of.trade(journal, 8)

    assert of.live(work, death=Death(Boundary.RECORD, 9, is_after=True)).died.is_set()
    of.host.timeline.run_until(clock(of, "09:51:30"))
    used = [order.order_id for order in ours(of.host)]
    of.live(work)
    numbers = [order.order_id for order in ours(of.host)]
    assert used
    assert len(numbers) > len(used)
    assert numbers == sorted(set(numbers))
    expect_end(of)


def test_nautilus_4228_an_empty_answer_is_not_a_flat_account(tmp_path: Path) -> None:
    """An error came back as an empty list of positions, was taken for flat, and traded away."""
    empty = fault("empty_answer", message="reqPositions", at="09:51", times=3)
    of = day(tmp_path, empty, fault("commission_never", times=2), compare_s=60.0)
    traded(of)
    found: list[Any] = journaled(of, "RECONCILED")
    named = {one.code for batch in found for one in batch}
    assert named == {Code.RECON_POSITION_DIFFERS}
    assert found[-1] == (), "what differed is found to agree again"
    frozen = {one.symbol for batch in found for one in batch}
    meanwhile = [r for r in of.records if r.seen.portfolio.unknown.any()]
    assert all(o.symbol not in frozen for r in meanwhile for o in r.plan.orders)
    expect_end(of)


def test_nautilus_4228_no_answer_is_no_book(tmp_path: Path) -> None:
    """The same thread: silence in place of positions; nothing may be concluded from it."""
    silent = fault("no_answer", message="reqPositions", at="09:51", times=4)
    of = day(tmp_path, silent, compare_s=60.0)
    traded(of)
    assert any("books are not known" in e.text for e in heard(of) if isinstance(e, Notice))
    assert journaled(of, "RECONCILED") == []
    expect_end(of)


def test_nautilus_3968_a_blip_of_a_farm_does_not_silence_a_name(tmp_path: Path) -> None:
    """A farm was gone for three seconds; bars stayed silent for eight hours, without a word."""
    blip = fault("market_farm_down", at="09:46", seconds=3.0, lossy=True)
    of = day(tmp_path, blip, watches=True)
    traded(of, 8)
    assert {2103, 2104} <= codes(of)
    later = [r for r in of.records if r.seen.now > clock(of, "09:49")]
    assert len(later) >= 5
    assert all(r.seen.market.quote_age_s.max() < 60.0 for r in later)
    assert any(r.plan.orders for r in later)
    # A farm says nothing about orders: the session was ready all along.
    states = [e.state for e in heard(of) if isinstance(e, SessionEvent)]
    assert SessionState.DEGRADED not in states
    expect_end(of)


# --- pysystemtrade and ib_insync


def test_pysystemtrade_1580_an_order_with_10349_is_alive_and_not_sent_again(
    tmp_path: Path,
) -> None:
    """10349, a preset set the time in force, was read as canceled: sent again, and filled twice."""
    of = day(tmp_path, fault("tif_preset", times=0))
    traded(of, 8)
    assert 10349 in codes(of)
    assert all(order.filled <= order.ticket.shares for order in ours(of.host))
    canceled = {r.cl_ord_id for r in reports(of) if r.exec_type is ExecType.CANCELED}
    asked = {ref for r in of.records for ref in r.plan.cancels}
    assert canceled <= asked
    assert any(order.status is Status.FILLED for order in ours(of.host))
    expect_end(of)


def test_ib_insync_502_a_refused_change_leaves_the_order_at_work(tmp_path: Path) -> None:
    """A change was refused with 201; the order showed as canceled, and then it filled."""
    of = day(tmp_path, fault("modify_rejected"))
    refs: list[str] = []

    async def change(_: World) -> None:
        await until(of, "09:45:02")
        refs.append(changed(of, []))

    traded(of, also=change)
    told = [r for r in reports(of) if r.cl_ord_id == refs[0]]
    kinds = [r.exec_type for r in told]
    place = kinds.index(ExecType.CANCEL_REJECTED)
    assert told[place].ord_status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
    assert ExecType.TRADE in kinds[place:]
    assert 201 in codes(of)
    expect_end(of)


@pytest.mark.parametrize("move", [-0.05, 0.02])
def test_ib_insync_364_a_corrected_execution_counts_once(tmp_path: Path, move: float) -> None:
    """A correction came as a new execution; both were counted, and the order was overfilled."""
    of = day(tmp_path, fault("exec_corrected", times=0, seconds=3.0, move=move))
    traded(of)
    corrected = [r for r in reports(of) if r.exec_type is ExecType.TRADE_CORRECT]
    assert len(corrected) >= 3
    assert all(r.last_qty == r.prior_qty and r.last_px != r.prior_px for r in corrected)
    expect_end(of)


def test_ib_insync_328_an_order_that_waits_for_shares_is_not_canceled(tmp_path: Path) -> None:
    """404, shares are being located, was read as canceled; the order worked minutes later."""
    of = day(tmp_path, fault("short_held", seconds=30.0, times=2))
    traded(of)
    held = [r for r in reports(of) if r.exec_type is ExecType.SUSPENDED]
    assert len(held) == 2
    assert 404 in codes(of)
    for one in held:
        after = [r.exec_type for r in reports(of) if r.cl_ord_id == one.cl_ord_id]
        assert after[after.index(ExecType.SUSPENDED) + 1] is ExecType.NEW
    expect_end(of)


# --- the page


def test_the_page_lists_every_incident_and_every_test() -> None:
    written = Path(__file__).read_text("utf-8")
    tests = set(re.findall(r"^def (test_[a-z_]+_[0-9]+_\w+)", written, re.M))
    page = PAGE.read_text("utf-8")
    listed = set(re.findall(r"`(test_\w+)`", page))
    assert listed == tests
    assert {thread for thread in THREADS if thread not in page} == set()
