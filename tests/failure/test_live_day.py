"""A session and the next morning over lost servers, a restart by day and one at night."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.backtest.tca.journal import read_trades
from deadband.core.errors import BrokerError, DataError, JournalLocked
from deadband.core.events import Skipped
from deadband.core.orders import ExecType, OrdStatus, Source
from deadband.core.reasons import Code
from deadband.journal.store import JournalReader
from deadband.twsim.faults import Fault

from ..kit import settings
from ..kit.live import EAGER, Mortal, World
from ..kit.tws import RawClient, fault, place_order

TWELVE = settings(**EAGER | {"K": 6, "K_buy": 6, "K_sell": 8, "per_name_cap": 0.1}, collar_bps=-3.0)


def of_twelve(folder: Path, *faults: Fault, days: int = 1) -> World:
    return World(folder / "journal.db", 12, days=days, faults=faults, step_s=60.0, settings=TWELVE)


def journaled(of: World, kind: str) -> list[object]:
    with JournalReader(of.path) as journal:
        return [journal.value(entry.tree) for entry in journal.entries() if entry.kind == kind]


def test_a_session_and_the_next_morning_over_three_losses_of_the_line(tmp_path: Path) -> None:
    of = of_twelve(
        tmp_path,
        fault("restart", at="10:05:10", seconds=400.0),
        fault("connectivity_lost", at="10:45:20", seconds=200.0),
        fault("restart", at="23:45", seconds=120.0),
        days=2,
    )
    of.live(lambda journal: of.trade(journal, 78, 4))
    of.check()
    assert of.run is not None and of.line is not None
    assert of.line.standing.differences == ()
    # One cycle fell into the restart; fills came while nobody listened, and were booked later.
    [skipped] = journaled(of, "SKIPPED")
    assert isinstance(skipped, Skipped)
    assert (skipped.code, of.run.skipped) == (Code.LIVE_NOT_READY, 1)
    assert len(of.records) == 78 + 4 - 1
    assert len({record.state.day for record in of.records}) == 2
    told = [report for batch in journaled(of, "REPORTS") for report in batch]  # type: ignore[attr-defined]
    away = [
        report
        for report in told
        if getattr(report, "source", None) is Source.RECONCILED
        and report.exec_type is ExecType.TRADE
    ]
    assert len(away) >= 2
    assert sum(len(record.plan.orders) for record in of.records) > 50
    replayed = replay(of.path)
    assert (replayed.cycles, replayed.differences) == (81, ())
    assert read_ledger(of.path).cycles_off_by_a_cent == 0
    trades = read_trades(of.path).trades
    assert sum(trade.fees for trade in trades) == pytest.approx(of.state.book.fees_micro / 1e6)
    # Ids begin with the clock, so that another journal of the day uses none of them again.
    assert of.records[0].cycle_id == "20260309.092930"


def test_shares_traded_by_hand_freeze_their_name_and_are_never_traded_over(tmp_path: Path) -> None:
    by_hand = fault("manual_order", at="09:31", symbol="NVDA", shares=70)
    of = of_twelve(tmp_path, by_hand)
    of.compare_s = 60.0
    of.live(lambda journal: of.trade(journal, 12))
    assert of.line is not None
    [difference] = of.line.standing.differences
    assert (difference.symbol, difference.code) == ("NVDA", Code.RECON_POSITION_DIFFERS)
    assert (difference.expected, difference.held, difference.reserved) == (0, 70, 70)
    place = of.state.universe.index["NVDA"]
    assert all(r.seen.portfolio.unknown[place] == 70 for r in of.records[1:])
    assert all(o.symbol != "NVDA" for r in of.records for o in r.plan.orders)
    assert sum(len(r.plan.orders) for r in of.records) > 5
    assert replay(of.path).differences == ()


def test_an_order_typed_by_hand_is_reserved_and_left_alone(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)

    async def work(journal: Mortal) -> None:
        other = RawClient(of.host, 9)
        other.send(*place_order(1, symbol="NVDA", orderRef="x", lmtPrice=1, totalQuantity=50))
        await asyncio.sleep(1)
        await of.trade(journal, 6)

    of.live(work)
    assert of.line is not None
    [difference] = of.line.standing.differences
    assert (difference.code, difference.reserved) == (Code.RECON_FOREIGN_ORDER, 50)
    assert "x" in {o.ticket.text("orderRef") for o in of.host.desk.working()}
    assert any(o.symbol != "NVDA" for r in of.records for o in r.plan.orders)
    assert all(o.symbol != "NVDA" for r in of.records for o in r.plan.orders)


def test_an_order_that_vanished_freezes_its_name_until_a_human_decides(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, fault("order_lost"))
    of.live(lambda journal: of.trade(journal, 12))
    [lost] = [o for o in of.state.working if o.status is OrdStatus.UNKNOWN]
    again = [o for r in of.records for o in r.plan.orders if o.symbol == lost.order.symbol]
    assert again == [lost.order]
    assert replay(of.path).differences == ()


def test_a_stop_ends_the_run_after_the_cycle_under_way(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)

    async def work(journal: Mortal) -> None:
        def stop_third(record: object) -> None:
            if of.run is not None and len(of.records) == 3:
                of.run.stop()

        await of.trade(journal, 78, also=stop_third)

    of.live(work)
    assert len(of.records) == 3
    assert of.kinds()["END"] == 1
    of.check()


def test_a_cycle_whose_time_has_passed_is_skipped_and_counted(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)

    async def work(journal: Mortal) -> None:
        def sleep_over(record: object) -> None:
            if len(of.records) == 2:
                of.late_s = 700.0

        await of.trade(journal, 6, also=sleep_over)

    of.live(work)
    skipped = journaled(of, "SKIPPED")
    assert [one.code for one in skipped if isinstance(one, Skipped)] == [Code.LIVE_OVERRUN]
    assert len(of.records) == 5
    of.check()


def test_a_second_run_on_the_same_journal_is_refused(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)

    async def work(journal: Mortal) -> None:
        with pytest.raises(JournalLocked):
            of.live(work)
        await of.trade(journal, 1)

    of.live(work)


def test_a_read_only_interface_ends_deciding_and_is_left_to_a_human(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, fault("read_only", times=0))
    of.live(lambda journal: of.trade(journal, 8))
    sent = [record for record in of.records if record.plan.orders]
    assert len(sent) == 1
    assert sent == of.records[-1:]
    skipped = [one for one in journaled(of, "SKIPPED") if isinstance(one, Skipped)]
    assert {one.code for one in skipped} == {Code.LIVE_NOT_READY}
    assert all("READ_ONLY" in one.text for one in skipped)
    assert len(skipped) + len(of.records) == 8
    assert of.host.desk.orders == []
    of.check()


def test_books_that_are_not_told_are_no_beginning(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, fault("account_not_ready", at="09:29:30", seconds=600.0))

    async def work(journal: Mortal) -> None:
        with pytest.raises(BrokerError, match="the account's money is not known"):
            await of.trade(journal, 2)

    of.live(work)
    assert of.kinds() == {}
    assert of.host.clients == []


def test_another_universe_is_refused_on_the_same_journal(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)
    of.live(lambda journal: of.trade(journal, 1))
    other = World(of.path, 5, settings=TWELVE)

    async def work(journal: Mortal) -> None:
        with pytest.raises(DataError, match="universe is another one"):
            await other.trade(journal, 1)

    other.live(work)


def test_another_account_is_refused_on_the_same_journal(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)
    of.live(lambda journal: of.trade(journal, 1))
    of.settings = replace(TWELVE, execution=replace(TWELVE.execution, account="DU9"))

    async def work(journal: Mortal) -> None:
        with pytest.raises(DataError, match="journal is of account SIM, and DU9 is to be traded"):
            await of.trade(journal, 1)

    of.live(work)


def test_other_settings_are_said_in_the_journal_and_replayed(tmp_path: Path) -> None:
    of = of_twelve(tmp_path)
    of.live(lambda journal: of.trade(journal, 5))
    of.settings = settings(**EAGER | {"K": 5, "K_buy": 5, "K_sell": 7})
    of.live(lambda journal: of.trade(journal, 9))
    assert of.kinds()["SETTINGS"] == 1
    assert of.kinds()["RESUMED"] == 1
    replayed = replay(of.path)
    assert (replayed.cycles, replayed.differences) == (9, ())
    of.check()
