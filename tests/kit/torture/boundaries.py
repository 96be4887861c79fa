"""One quiet session, to be died in at every record, every frame sent and every frame read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from deadband.core.orders import OrdStatus
from deadband.core.types import CycleRecord

from ..death import Boundary, Death
from ..inputs import settings
from ..live import EAGER, Mortal, World
from . import checks

CYCLES = 7
NAMES = 5


def quiet_session(path: Path) -> World:
    """Orders rest inside the spread, fill, and are canceled when they have become old."""
    resting = settings(**EAGER, collar_bps=-8.0, order_life_min=4.0)
    return World(path, NAMES, settings=resting, begins_min=9.0, first_s=10.0)


def crossings(path: Path) -> Counter[Boundary]:
    """How often an undisturbed life crosses each boundary."""
    return _live(quiet_session(path), Death()).life.crossed


def deaths(crossed: Counter[Boundary]) -> Iterator[Death]:
    """Every place to die: before and after each crossing, and with what was on its way lost."""
    for boundary in Boundary:
        for nth in range(1, crossed[boundary] + 1):
            yield Death(boundary, nth)
            yield Death(boundary, nth, is_after=True)
            if boundary is not Boundary.RECEIVE:
                yield Death(boundary, nth, is_after=True, loses_sent=True)


def die(path: Path, death: Death) -> World:
    """Die there, begin again, trade on, and compare; raises AssertionError."""
    world = quiet_session(path)
    assert _live(world, death).died.is_set(), f"no life comes to {death}"
    _live(world, Death())
    checks.expect_end(world)
    assert world.line is not None
    assert world.line.standing.differences == ()
    # Only what is on record as having left, and was lost with the machine, is left to a human.
    unknown = [order for order in world.state.working if order.status is OrdStatus.UNKNOWN]
    assert unknown == [] or death.loses_sent, f"{death}: {unknown}"
    return world


def _live(world: World, death: Death) -> Mortal:
    def within_belief(_: CycleRecord) -> None:
        checks.expect_within_belief(world)

    async def work(journal: Mortal) -> None:
        await world.trade(journal, CYCLES, also=within_belief)

    return world.live(work, death=death)
