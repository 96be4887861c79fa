"""Killed around a change of an order at work: it stands as it was, or as the broker has it.

A session of the exact engine whose orders rest, so that decisions raise and reduce them. Deaths are
at every record from a cycle that decides a change to the answer of it, before and after; the broker
may refuse, or fill meanwhile.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deadband.backtest.replay import replay
from deadband.core.orders import Action, ExecType, OrdStatus
from deadband.core.reasons import Code
from deadband.journal.store import JournalReader

from ..kit import settings
from ..kit.live import EAGER, Mortal, World
from ..kit.tws import fault
from .test_live_crash import concluded

CYCLES = 14
RESTING = settings(**EAGER, engine="qp", lambda_risk=10.0, collar_bps=-8.0, order_life_min=60.0)
"""Orders rest inside the spread for the whole session, and are amended by every other decision."""
AFTER = 6
"""Records after a cycle within which its changes are intended and answered."""


def world(folder: Path, *faults: str) -> World:
    made = tuple(fault(name, times=0, seconds=0.5) for name in faults)
    return World(folder / "journal.db", 5, settings=RESTING, begins_min=9.0, faults=made)


def lived(of: World, at: int = 0, *, is_after: bool = False) -> Mortal:
    async def work(journal: Mortal) -> None:
        await of.trade(journal, CYCLES)

    return of.live(work, at, is_after=is_after)


@cache
def places() -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Numbers of the cycles' records that decide a raise, and of those that decide a reduction."""
    raises, reductions = [], []
    with TemporaryDirectory() as folder:
        of = world(Path(folder))
        lived(of)
        of.check()
        with JournalReader(of.path) as journal:
            for entry in journal.entries():
                if entry.kind == "CYCLE":
                    notes = {note.code for note in journal.value(entry.tree).plan.notes}
                    raises += [entry.seq] if Code.ORDER_RAISED in notes else []
                    reductions += [entry.seq] if Code.ORDER_REDUCED in notes else []
    return tuple(raises), tuple(reductions)


def checked(of: World) -> None:
    of.check()
    assert of.line is not None
    assert of.line.standing.differences == ()
    assert not any(o.status is OrdStatus.UNKNOWN or o.wanted for o in of.state.working)
    assert replay(of.path).differences == ()


def test_a_session_raises_and_reduces_orders_at_the_broker(tmp_path: Path) -> None:
    raises, reductions = places()
    assert len(raises) >= 3 and reductions
    of = world(tmp_path)
    lived(of)
    checked(of)
    changes = sum(len(record.plan.replaces) for record in of.records)
    intended = [intent for intent in of.intents() if intent.action is Action.REPLACE]
    with JournalReader(of.path) as journal:
        told = [r for e in journal.entries() if e.kind == "REPORTS" for r in journal.value(e.tree)]
    made = [one for one in told if getattr(one, "exec_type", None) is ExecType.REPLACED]
    assert len(made) == len(intended) == changes


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["raise", "reduction"])
@pytest.mark.parametrize("later", range(AFTER + 1))
def test_killed_around_a_change_the_next_start_ends_with_the_gateways_books(
    tmp_path: Path, kind: str, later: int, is_after: bool
) -> None:
    of = world(tmp_path)
    at = places()[kind == "reduction"][0] + later
    assert lived(of, at, is_after=is_after).died.is_set()
    lived(of)
    checked(of)


@pytest.mark.parametrize("kind", ["raise", "reduction"])
def test_a_change_that_was_never_intended_leaves_the_order_as_it_was(
    tmp_path: Path, kind: str
) -> None:
    of = world(tmp_path)
    lived(of, places()[kind == "reduction"][0], is_after=True)
    wanted = list(last_changes(of))
    assert wanted
    lived(of)
    checked(of)
    found = concluded(of, Code.RECON_CHANGE_LOST)
    assert [ref for ref, _ in found] == wanted
    assert {exec_type for _, exec_type in found} == {ExecType.CANCEL_REJECTED}


def last_changes(of: World) -> Iterator[str]:
    with JournalReader(of.path) as journal:
        plans = [journal.value(e.tree).plan for e in journal.entries() if e.kind == "CYCLE"]
    return (change.cl_ord_id for change in plans[-1].replaces)


@pytest.mark.parametrize("accident", ["modify_rejected", "status_never", "commission_first"])
def test_a_session_with_accidents_ends_with_the_gateways_books(
    tmp_path: Path, accident: str
) -> None:
    of = world(tmp_path, accident)
    assert lived(of, places()[0][1] + 1).died.is_set()
    lived(of)
    checked(of)
