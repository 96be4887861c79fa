"""Killed at any record of the journal: the next start ends with the gateway's own books.

Every record of a session is a place to die, once before it is durable and once right after. What
had been sent, and what the broker did meanwhile, stays; a new process recovers and trades on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from deadband.backtest.replay import replay
from deadband.core.errors import JournalError
from deadband.core.orders import ExecType, OrdStatus
from deadband.core.reasons import Code
from deadband.journal.store import JournalReader

from ..kit import settings
from ..kit.live import EAGER, Mortal, World
from ..kit.tws import fault

RECORDS = 38
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


def concluded(of: World, code: Code) -> list[tuple[str, ExecType]]:
    """Orders of which the driver itself said what became of them, for this reason."""
    with JournalReader(of.path) as journal:
        told = [r for e in journal.entries() if e.kind == "REPORTS" for r in journal.value(e.tree)]
    return [
        (report.cl_ord_id, report.exec_type)
        for report in told
        if getattr(report, "text", "").startswith(f"{code}:")
    ]


def place_of(folder: Path, kind: str, *, cancels: bool) -> int:
    """The number of the first record of a kind after which orders, or cancels, were to leave."""
    of = world(folder)
    lived(of)
    with JournalReader(of.path) as journal:
        for entry in journal.entries():
            if entry.kind == kind:
                plan = journal.value(entry.tree).plan
                if plan.cancels if cancels else plan.orders:
                    return entry.seq
    raise AssertionError(f"no {kind} is there")


@pytest.mark.parametrize(
    ("cancels", "code", "kind"),
    [
        (False, Code.RECON_NOT_INTENDED, ExecType.CANCELED),
        (True, Code.RECON_CANCEL_LOST, ExecType.CANCEL_REJECTED),
    ],
)
def test_what_was_decided_and_never_asked_for_is_said_to_be_so(
    tmp_path: Path, cancels: bool, code: Code, kind: ExecType
) -> None:
    at = place_of(tmp_path / "before", "CYCLE", cancels=cancels)
    of = world(tmp_path / "after")
    lived(of, at, is_after=True)
    lived(of)
    found = concluded(of, code)
    assert found
    assert {exec_type for _, exec_type in found} == {kind}
    of.check()


@pytest.mark.parametrize("accident", ["commission_first", "exec_corrected", "status_never"])
def test_killed_again_and_again_also_in_the_recovery(tmp_path: Path, accident: str) -> None:
    of = world(tmp_path, accident)
    deaths = [13, 1, 2, 3, 4, 5, 6]
    assert all(lived(of, at, is_after=at % 2 == 0).died.is_set() for at in deaths)
    lived(of)
    of.check()
    assert replay(of.path).differences == ()


@dataclass(slots=True)
class Full:
    """A journal whose disk is full from its n-th record on."""

    inner: Mortal
    at: int
    count: int = 0

    def append(self, *record: Any) -> None:
        self.count += 1
        if self.count >= self.at:
            raise JournalError("the disk is full")
        self.inner.append(*record)

    def close(self) -> None:
        self.inner.close()


@pytest.mark.parametrize("at", range(1, RECORDS + 1, 4))
def test_a_journal_that_takes_no_more_ends_the_run_and_the_next_one_finds_all(
    tmp_path: Path, at: int
) -> None:
    of = world(tmp_path)

    async def work(journal: Mortal) -> None:
        await of.trade(Full(journal, at), CYCLES)

    with pytest.raises((JournalError, ExceptionGroup)) as ended:
        of.live(work)
    assert not isinstance(ended.value, ExceptionGroup) or ended.value.split(JournalError)[1] is None
    lived(of)
    of.check()
    assert of.line is not None
    assert of.line.standing.differences == ()
    assert replay(of.path).differences == ()
