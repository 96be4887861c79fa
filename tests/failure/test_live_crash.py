"""Killed at any record of the journal: the next start ends with the gateway's own books.

Every record of a session is a place to die, once before it is durable and once right after. What
had been sent, and what the broker did meanwhile, stays; a new process recovers and trades on.
"""

from pathlib import Path

import pytest

from deadband.backtest.replay import replay
from deadband.core.orders import ExecType, OrdStatus
from deadband.core.reasons import Code
from deadband.journal.store import JournalReader

from ..kit import settings
from ..kit.live import EAGER, Mortal, World
from ..kit.tws import fault

RECORDS = 36
"""Of one undisturbed life."""
CYCLES = 7
RESTING = settings(**EAGER, collar_bps=-8.0, order_life_min=4.0)
"""Orders rest inside the spread, and are canceled when they have become old."""


def world(folder: Path, *faults: str) -> World:
    """Five names, from the cycle before the first scores on."""
    made = tuple(fault(name, times=0, seconds=0.5) for name in faults)
    return World(folder / "journal.db", 5, settings=RESTING, begins_min=9.0, faults=made)


def lived(of: World, at: int = 0, *, is_after: bool = False) -> Mortal:
    async def work(journal: Mortal) -> None:
        await of.trade(journal, CYCLES)

    return of.live(work, at, is_after=is_after)


def test_an_undisturbed_life_has_as_many_records_as_are_tried(tmp_path: Path) -> None:
    of = world(tmp_path)
    assert lived(of).count == RECORDS
    of.check()
    assert of.kinds()["CYCLE"] == CYCLES - 1
    assert sum(len(record.plan.orders) for record in of.records) >= 5
    assert sum(len(record.plan.cancels) for record in of.records) >= 2


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, RECORDS + 1))
def test_killed_at_any_record_the_next_start_ends_with_the_gateways_books(
    tmp_path: Path, at: int, is_after: bool
) -> None:
    of = world(tmp_path)
    assert lived(of, at, is_after=is_after).died.is_set()
    lived(of)
    of.check()
    assert of.line is not None
    assert of.line.standing.differences == ()
    assert not any(o.status is OrdStatus.UNKNOWN for o in of.state.working)
    assert replay(of.path).differences == ()


@pytest.mark.parametrize("accident", ["commission_first", "exec_corrected", "status_never"])
def test_killed_again_and_again_also_in_the_recovery(tmp_path: Path, accident: str) -> None:
    of = world(tmp_path, accident)
    deaths = [13, 1, 2, 3, 4, 5, 6]
    assert all(lived(of, at, is_after=at % 2 == 0).died.is_set() for at in deaths)
    lived(of)
    of.check()
    assert replay(of.path).differences == ()
