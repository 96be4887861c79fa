"""Whatever record is the journal's last one, it folds to where the run stood."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deadband.backtest.run import REPORTS
from deadband.core.parents import Basket, Progress
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.core.tactics import Tactics
from deadband.core.types import State
from deadband.journal.codec import Encoder
from deadband.journal.store import JournalReader
from deadband.live.recover import _Reading
from deadband.live.watch import Standing
from deadband.live.write_ahead import REFUSED, WORKED

from ..kit import settings
from ..kit.live import EAGER, Mortal, World
from ..kit.tws import fault
from .test_live_algorithms import QUICK, SLOW, world

CYCLES = 14
SWING = settings(**EAGER, engine="qp", lambda_risk=10.0, order_life_min=4.0)


@dataclass
class Witness:
    """A journal that sees where the run stands once a record has done what it does.

    That is before the next one: so much of what is written has to be the state by then.
    """

    inner: Mortal
    of: World
    stood: dict[int, tuple[State, Basket]] = field(default_factory=dict)

    def append(self, kind: str, *record: Any) -> None:
        line = self.of.line
        if line is not None and kind == WORKED:
            self.check(line.standing)
        # What is refused is written while what was taken with it is still being folded.
        if line is not None and kind != REFUSED:
            self.stood[self.inner.count] = line.standing.state, line.standing.basket
        self.inner.append(kind, *record)

    def check(self, standing: Standing) -> None:
        """Nothing that may still fill is beyond what was decided, and both sides say the same."""
        working = {one.order.cl_ord_id: one for one in standing.state.working}
        for one in standing.basket.works:
            ref = one.parent.order.cl_ord_id
            order = working.get(ref)
            if order is None:
                assert one.outcome is not None or not one.leaves_qty, f"{ref} works for nobody"
                continue
            assert one.filled == order.cum_qty
            assert one.filled + one.worst_leaves <= order.largest_qty

    def close(self) -> None: ...


def lived(of: World, *cycles: int) -> Witness:
    seen: list[Witness] = []

    async def work(journal: Mortal) -> None:
        seen.append(Witness(journal, of))
        await of.trade(seen[0], *cycles)

    of.live(work)
    return seen[0]


def as_bytes(value: object) -> bytes:
    return Encoder(lambda *_: None).encode(value)


def works_of(basket: Basket) -> dict[str, Progress]:
    """What is worked, without what is only shown of the market."""
    return {
        one.parent.order.cl_ord_id: replace(one, last_tick=0, volume=0, waits=None)
        for one in basket.works
        if not one.is_over
    }


def compared(of: World, witness: Witness, first: int = 0) -> None:
    """Each prefix of the journal against what stood then."""
    count = 0
    with JournalReader(of.path) as journal:
        reading = _Reading(journal)
        for number, entry in enumerate(journal.entries(), 1):
            reading.take(entry.kind, entry.cycle_id, entry.at, entry.tree)
            stood = witness.stood.get(number - first)
            if stood is None:
                continue
            found = reading.end(of.wall().date())
            assert found is not None
            where = f"after record {number}, {entry.kind}"
            assert as_bytes(found.state) == as_bytes(stood[0]), where
            assert works_of(found.basket) == works_of(stood[1]), where
            count += 1
    assert count >= 40


@pytest.mark.parametrize(
    ("algorithm", "accident", "tactics"),
    [
        ("passive", "", SLOW),
        ("twap", "", QUICK),
        ("passive", "exec_corrected", QUICK),
        ("passive", "exec_busted", QUICK),
        ("passive", "fill_after_cancel", SLOW),
        ("passive", "modify_rejected", SLOW),
    ],
)
def test_every_prefix_of_the_journal_folds_to_where_the_run_stood(
    tmp_path: Path, algorithm: str, accident: str, tactics: Tactics
) -> None:
    of = eager(tmp_path, algorithm, accident, tactics)
    compared(of, lived(of, CYCLES))
    of.check()


@pytest.mark.parametrize("mode", ["HALTED", "REDUCING"])
def test_so_does_every_prefix_through_a_death_and_a_word_of_the_operators(
    tmp_path: Path, mode: str
) -> None:
    of = eager(tmp_path, "passive", "", SLOW)
    first = of.live(lambda journal: of.trade(journal, CYCLES), 60, is_after=True)
    assert first.died.is_set()
    of.line = None
    opens = of.market.sessions[0].open
    begins, ends = opens + timedelta(minutes=31, seconds=20), opens + timedelta(minutes=33)
    of.switch = lambda at: Switch(mode) if begins <= at < ends else Switch()
    compared(of, lived(of, CYCLES), first.count)
    of.check()
    with JournalReader(of.path) as journal:
        told = [r for e in journal.entries() if e.kind == REPORTS for r in journal.value(e.tree)]
    spoken = [one for one in told if f"{Code.ORDER_CALLED_OFF}" in getattr(one, "text", "")]
    at = [datetime.fromtimestamp(one.ts / 1e9, UTC) for one in spoken]
    assert [one for one in at if begins <= one < begins + timedelta(seconds=3)]


def eager(folder: Path, algorithm: str, accident: str, tactics: Tactics) -> World:
    """A world in which decisions change by the cycle, and amend what is at work."""
    of = world(folder, algorithm, *((fault(accident, times=3, seconds=0.5),) if accident else ()))
    made = replace(SWING.execution, algorithm=algorithm)
    of.settings = replace(SWING, execution=made, tactics=tactics)
    return of
