"""HALTED between two cycles cancels at once, once, and again only what is still at work."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from deadband.backtest.replay import replay
from deadband.core.broker import CancelAll, CancelScope, Receipt
from deadband.core.errors import JournalError
from deadband.core.events import Heard, Notice
from deadband.core.orders import OrdStatus
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.journal.store import JournalReader
from deadband.live.halt import AGAIN_S, Halt
from deadband.live.run import LiveRun
from deadband.twsim.faults import Fault

from ..kit.live import Mortal, World
from ..kit.tws import RawClient, fault, place_order
from .test_live_crash import RESTING

AT_WORK = 3
"""Cycles after which orders of the run rest."""
HALT_S, LOOK_S = 60.0, 64.0
"""Seconds after the last of them: the command, and when the gateway is looked at."""


def notes(of: World) -> list[str]:
    with JournalReader(of.path) as journal:
        heard = [journal.value(e.tree) for e in journal.entries() if e.kind == "HEARD"]
    told = [one.event for batch in heard for one in batch if isinstance(one, Heard)]
    return [e.text for e in told if isinstance(e, Notice) and Code.LIVE_HALTED in e.text]


def halted(folder: Path, *faults: Fault, look_s: float = LOOK_S) -> tuple[World, list[int], int]:
    """A run that is halted between two cycles: the orders at work before, and those later."""
    of = World(folder / "journal.db", 5, settings=RESTING, begins_min=9.0, faults=faults)
    seen: list[int] = []
    command = [Switch()]

    async def work(journal: Mortal) -> None:
        line = await of.begun(journal)

        def later(record: object) -> None:
            of.records.append(record)  # type: ignore[arg-type]
            if len(of.records) == AT_WORK:
                loop = asyncio.get_running_loop()
                loop.call_later(HALT_S, command.__setitem__, 0, Switch("HALTED"))
                for seconds in (HALT_S, look_s):
                    loop.call_later(seconds, lambda: seen.append(len(of.host.desk.working())))

        of.run = LiveRun(
            of.settings,
            line,
            of.market.scores,
            of.wall,
            switch=lambda _: command[0],
            progress=later,
        )
        await of.run.over(of.feeds(AT_WORK + 5))

    of.live(work)
    return of, seen, len(of.host.desk.orders)


def test_what_works_is_canceled_within_seconds_and_nothing_new_is_sent(tmp_path: Path) -> None:
    of, [before, after], sent = halted(tmp_path)
    assert before > 0
    assert after == 0
    assert sent == sum(len(record.plan.orders) for record in of.records)
    assert not of.records[-1].plan.orders
    assert len(notes(of)) == 1
    of.check()
    assert replay(of.path).differences == ()


def test_a_cancel_that_is_refused_is_tried_again(tmp_path: Path) -> None:
    of, [before, after], _ = halted(
        tmp_path, fault("cancel_not_found", times=2), look_s=HALT_S + 3 * AGAIN_S
    )
    assert before > 0
    assert after == 0
    of.check()


@pytest.mark.parametrize("account", [False, True])
def test_orders_of_others_go_only_where_the_operator_chose_so(
    tmp_path: Path, account: bool
) -> None:
    of = World(tmp_path / "journal.db", 5, settings=RESTING, begins_min=9.0)
    scopes = [CancelAll()]
    if account:
        scopes.append(CancelAll(CancelScope.ACCOUNT, confirm_foreign=True))

    async def work(journal: Mortal) -> None:
        other = RawClient(of.host, 9)
        other.send(*place_order(1, symbol="SPY", orderRef="x", lmtPrice=1, totalQuantity=50))
        await asyncio.sleep(1)
        line = await of.begun(journal)
        halt = Halt(line, lambda _: Switch("HALTED"), of.wall, scopes)
        watching = asyncio.ensure_future(halt.watch())
        await asyncio.sleep(5)
        watching.cancel()
        await line.broker.close()

    of.live(work)
    assert len(of.host.desk.working()) == (0 if account else 1)


def test_while_the_line_is_down_it_is_tried_until_it_is_back(tmp_path: Path) -> None:
    # The servers are lost when the command comes, and back half a minute later.
    of, [before, after], _ = halted(
        tmp_path, fault("drop_socket", at="09:55:50"), look_s=HALT_S + 6 * AGAIN_S
    )
    assert before > 0
    assert after == 0
    assert not [o for o in of.state.working if o.status is OrdStatus.NEW]
    of.check()


def test_a_full_disk_keeps_no_cancel_from_going(tmp_path: Path) -> None:
    of = World(tmp_path / "journal.db", 5, settings=RESTING, begins_min=9.0)

    async def work(journal: Mortal) -> None:
        line = await of.begun(journal)
        asked: list[CancelAll] = []

        class Writes:
            def note(self, text: str) -> None:
                raise JournalError("the disk is full")

        class Cancels:
            def cancel_all(self, what: CancelAll) -> Receipt:
                asked.append(what)
                return Receipt("")

        full = replace(line, broker=Cancels(), standing=Writes())  # type: ignore[arg-type]
        with pytest.raises(JournalError):
            Halt(full, lambda _: Switch("HALTED"), of.wall).look()
        assert asked == [CancelAll()]
        await line.broker.close()

    of.live(work)
