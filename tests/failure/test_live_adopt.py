"""Orders that another run left at work: canceled or left, as the policy says; others' never."""

import asyncio
from pathlib import Path

from deadband.core.events import Difference
from deadband.core.reasons import Code
from deadband.live.adopt import Adopt

from ..kit.live import Mortal, World
from ..kit.tws import RawClient, place_order
from .test_live_crash import RESTING
from .test_live_halt import AT_WORK


def left_over(folder: Path) -> World:
    """A world whose run ended with orders at work."""
    of = World(folder / "first.db", 5, settings=RESTING, begins_min=9.0)
    of.live(lambda journal: of.trade(journal, AT_WORK))
    assert of.host.desk.working()
    return of


def begun(of: World, adopt: Adopt, client: int = 11) -> tuple[Difference, ...]:
    """Another run's start on the same gateway, beside an order that is nobody's of ours."""
    second = World(
        of.path.with_name("second.db"),
        5,
        settings=RESTING,
        adopt=adopt,
        changes={"client_id": client},
    )
    second.host = of.host

    async def work(journal: Mortal) -> None:
        other = RawClient(of.host, 9)
        other.send(*place_order(1, symbol="SPY", orderRef="x", lmtPrice=1, totalQuantity=50))
        await asyncio.sleep(1)
        line = await second.begun(journal)
        await line.broker.close()

    second.live(work)
    assert second.line is not None
    codes = (Code.RECON_FOREIGN_ORDER,)
    return tuple(d for d in second.line.standing.differences if d.code in codes)


def refs(of: World) -> set[str]:
    return {order.ticket.text("orderRef") for order in of.host.desk.working()}


def test_they_are_left_and_reserved_unless_told_otherwise(tmp_path: Path) -> None:
    of = left_over(tmp_path)
    before = refs(of)
    found = begun(of, Adopt.LEAVE)
    assert refs(of) == before | {"x"}
    assert len(found) == len(before) + 1


def test_they_are_canceled_where_the_policy_says_so(tmp_path: Path) -> None:
    of = left_over(tmp_path)
    [mine] = begun(of, Adopt.CANCEL)
    assert refs(of) == {"x"}
    assert (mine.symbol, mine.reserved) == ("SPY", 50)


def test_those_of_another_client_cannot_be_and_stay_reserved(tmp_path: Path) -> None:
    of = left_over(tmp_path)
    before = refs(of)
    found = begun(of, Adopt.CANCEL, client=13)
    assert refs(of) == before | {"x"}
    assert len(found) == len(before) + 1
