"""Orders are worked on the gateway's quotes by children, between cycles, over deaths and halts."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from deadband import cycle
from deadband.backtest.explain import explain
from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.backtest.tca.journal import read_trades
from deadband.core.config import Settings
from deadband.core.errors import BrokerError
from deadband.core.orders import Action, Order, OrdType, Tif
from deadband.core.parents import parent_of_child
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.core.session import EXCHANGE_ZONE
from deadband.core.tactics import Tactics
from deadband.core.types import CycleRecord
from deadband.core.units import epoch_ns
from deadband.twsim.faults import Fault

from ..kit import settings
from ..kit.live import EAGER, Mortal, World
from ..kit.tws import fault

CYCLES = 7
QUICK = Tactics(horizon_min=0.8, min_reprice_s=5.0, rungs=2, cross_at=0.7)
"""An order has less than a bar: it rests, steps up, and crosses."""


def worked_by(algorithm: str, tactics: Tactics) -> Settings:
    made = settings(**EAGER, algorithm=algorithm, order_life_min=4.0)
    return replace(made, tactics=tactics)


def world(
    folder: Path,
    algorithm: str = "passive",
    *faults: Fault,
    tactics: Tactics = QUICK,
    begins_min: float = 9.0,
) -> World:
    return World(
        folder / "journal.db",
        5,
        faults=faults,
        settings=worked_by(algorithm, tactics),
        begins_min=begins_min,
        quotes=True,
        step_s=5.0,
    )


def lived(of: World, at: int = 0, *, is_after: bool = False, cycles: int = CYCLES) -> Mortal:
    async def work(journal: Mortal) -> None:
        await of.trade(journal, cycles)

    return of.live(work, at, is_after=is_after)


def test_orders_are_worked_by_children_and_the_books_are_the_gateways(tmp_path: Path) -> None:
    of = world(tmp_path)
    lived(of)
    of.check()
    orders = [order for record in of.records for order in record.plan.orders]
    assert len(orders) >= 5
    assert all(order.route is not None for order in orders)
    intents = of.intents()
    parents = {order.cl_ord_id for order in orders}
    assert {parent_of_child(intent.order.cl_ord_id) for intent in intents} <= parents
    assert sum(intent.action is Action.REPLACE for intent in intents) >= 3
    assert of.kinds()["WORKED"] > 10
    assert any(of.state.book.shares)
    assert replay(of.path).differences == ()
    # Whoever reads the journal finds children's fills with the orders that were decided.
    ledger = read_ledger(of.path)
    assert (ledger.cycles_off_by_a_cent, sum(ledger.breaches.values())) == (0, 0)
    assert ledger.slippage != 0
    trades = read_trades(of.path).trades
    assert {trade.algorithm for trade in trades} == {"passive"}
    assert sum(trade.qty.sum() for trade in trades) == np.abs(of.state.book.shares).sum()
    # And who asks why is told how it was worked, by the minute that the run showed.
    for trade in trades:
        at = datetime.fromtimestamp(trade.at / 1e9, EXCHANGE_ZONE)
        said = explain(of.path, trade.symbol, f"{at:%H:%M}")
        facts, total = dict(said.facts), trade.qty.sum()
        assert said.at == f"{at:%Y-%m-%d %H:%M} ET"
        assert facts["order"].split()[1] == str(trade.order_qty)
        assert facts["worked by"].startswith("passive (ALGO_ASKED), ")
        assert facts["child 1"].split()[1] == "LIMIT"
        assert facts["filled"].startswith(f"{total} of {trade.order_qty} at ")
        assert facts["ended"].startswith("ORDER_")
        assert f": {total} of {trade.order_qty} shares filled at " in said.sentence


@pytest.mark.parametrize(
    ("algorithm", "kinds"),
    [
        ("auto", {"LIMIT DAY "}),
        ("peg_mid", {"LIMIT DAY ", "PEGGED_MIDPOINT DAY "}),
        ("twap", {"LIMIT DAY "}),
        ("pov", {"LIMIT DAY "}),
        ("ib_adaptive", {"LIMIT DAY Adaptive"}),
        ("ib_twap", {"LIMIT DAY Twap"}),
    ],
)
def test_every_kind_of_child_reaches_the_gateway(
    tmp_path: Path, algorithm: str, kinds: set[str]
) -> None:
    of = world(tmp_path, algorithm)
    lived(of)
    of.check()
    sent = [intent.order for intent in of.intents()]
    found = {f"{one.ord_type} {one.terms.tif} {one.terms.strategy}" for one in sent}
    assert found == kinds
    assert any(of.state.book.shares)
    assert of.line is not None
    assert of.line.standing.differences == ()
    assert replay(of.path).differences == ()


def test_orders_for_the_closing_auction_trade_in_it_while_the_run_waits(tmp_path: Path) -> None:
    of = world(tmp_path, "close", tactics=replace(QUICK, close_limit_bps=0.0), begins_min=372.0)
    lived(of, cycles=78)
    of.check()
    sent = [intent.order for intent in of.intents()]
    found = {(one.ord_type, one.terms.tif) for one in sent}
    # What is decided at the cut-off or later can only cross.
    assert (OrdType.MARKET_ON_CLOSE, Tif.CLS) in found
    assert found <= {(OrdType.MARKET_ON_CLOSE, Tif.CLS), (OrdType.LIMIT, Tif.DAY)}
    assert any(of.state.book.shares)
    assert of.state.working == ()


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(2, 87, 12))
def test_killed_while_orders_are_worked_the_schedule_goes_on(
    tmp_path: Path, at: int, is_after: bool
) -> None:
    of = world(tmp_path)
    assert lived(of, at, is_after=is_after).died.is_set()
    lived(of)
    of.check()
    assert of.line is not None
    standing = of.line.standing
    assert standing.differences == ()
    worked = {one.parent.order.cl_ord_id for one in standing.basket.works}
    assert {o.order.cl_ord_id for o in of.state.working} <= worked, "nobody works it any more"
    assert replay(of.path).differences == ()


@pytest.mark.parametrize(
    "accident",
    [
        "commission_first",
        "exec_corrected",
        "exec_busted",
        "status_never",
        "status_twice",
        "modify_rejected",
        "cancel_too_late",
        "fill_after_cancel",
        "order_rejected",
        "duplicate_message",
    ],
)
def test_accidents_on_children_and_a_death_end_with_the_gateways_books(
    tmp_path: Path, accident: str
) -> None:
    of = world(tmp_path, "passive", fault(accident, times=3, seconds=0.5))
    lived(of, 45, is_after=True)
    lived(of)
    of.check()
    assert replay(of.path).differences == ()
    # Corrections and busts are in what the cost analysis and an explanation count.
    universe = of.state.universe.symbols
    filled = dict.fromkeys(universe, 0)
    for trade in read_trades(of.path).trades:
        filled[trade.symbol] += trade.sign * int(trade.qty.sum())
        at = datetime.fromtimestamp(trade.at / 1e9, EXCHANGE_ZONE)
        facts = dict(explain(of.path, trade.symbol, f"{at:%H:%M}").facts)
        assert facts["filled"].startswith(f"{trade.qty.sum()} of ")
    assert filled == dict(zip(universe, of.state.book.shares.tolist(), strict=True))


def test_halted_by_the_operator_everything_is_called_off_within_a_round(tmp_path: Path) -> None:
    of = world(tmp_path)
    halted_from = of.market.sessions[0].open + timedelta(minutes=11, seconds=10)
    of.switch = lambda at: Switch("HALTED") if at >= halted_from else Switch()
    seen: list[int] = []

    async def work(journal: Mortal) -> None:
        async def look() -> None:
            while of.wall() < halted_from + timedelta(seconds=5):
                await asyncio.sleep(0.5)
            seen.append(len(of.host.desk.working()))

        watching = asyncio.ensure_future(look())
        await of.trade(journal, 13)
        await watching

    of.live(work)
    of.check()
    assert seen == [0]
    late = [i for i in of.intents() if i.order.transact_time > epoch_ns(halted_from)]
    assert late == []
    assert of.state.working == ()


def test_a_name_that_halts_or_goes_dark_has_nothing_resting(tmp_path: Path) -> None:
    patient = replace(QUICK, horizon_min=10.0)
    orders = _first_orders(tmp_path / "before")
    halted = min(order.symbol for order in orders)
    decided = datetime.fromtimestamp(orders[0].transact_time / 1e9, EXCHANGE_ZONE)
    at = (decided + timedelta(seconds=2)).strftime("%H:%M:%S")
    halt = fault("halt", at=at, seconds=100.0, symbol=halted)
    of = world(tmp_path / "after", "passive", halt, tactics=patient)
    resting: list[set[str]] = []

    async def work(journal: Mortal) -> None:
        async def look() -> None:
            while of.wall() < decided + timedelta(seconds=10):
                await asyncio.sleep(0.5)
            resting.append({o.ticket.text("symbol") for o in of.host.desk.working()})

        watching = asyncio.ensure_future(look())
        await of.trade(journal, 13)
        await watching

    of.live(work)
    assert resting
    assert resting[0]
    assert halted not in resting[0]
    of.check()


def _first_orders(folder: Path) -> tuple[Order, ...]:
    of = world(folder)
    lived(of)
    return next(record.plan.orders for record in of.records if record.plan.orders)


def test_orders_that_need_quotes_are_refused_where_there_are_none(tmp_path: Path) -> None:
    of = world(tmp_path)
    of.quotes = False
    with pytest.raises(BrokerError, match="works orders on quotes, and the broker gives none"):
        lived(of)


def test_a_child_beyond_its_orders_bounds_does_not_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the machine ever ask for one; after two of them the order ends."""
    monkeypatch.setattr(cycle, "child_fault", lambda one, asked: "it is not to be")
    of = world(tmp_path)
    lived(of)
    of.check()
    assert of.host.desk.orders == []
    assert of.state.working == ()
    rejected = read_ledger(of.path).rejected
    assert set(rejected) == {f"{Code.ORDER_CHILD_BAD}: it is not to be"}
    orders = [order for record in of.records for order in record.plan.orders]
    assert rejected.total() == 2 * len(orders) > 0


SLOW = replace(QUICK, horizon_min=30.0, start_at=-6.0, rungs=1, cross_at=1.0)
"""Orders rest far from the market, so that the next decisions find them at work."""


@pytest.mark.parametrize("at", [0, 30, 45, 60, 75, 90])
def test_a_new_decision_changes_orders_that_are_worked(tmp_path: Path, at: int) -> None:
    exact = settings(**EAGER, engine="qp", lambda_risk=10.0, algorithm="passive")
    of = world(tmp_path)
    of.settings = replace(exact, tactics=SLOW)
    lived(of, at, is_after=True, cycles=14)
    if at:
        lived(of, cycles=14)
    of.check()
    changes = [change for record in of.records for change in record.plan.replaces]
    assert len(changes) >= 3
    assert not [o for o in of.state.working if o.wanted is not None]
    worked = {w.parent.order.cl_ord_id: w for w in of.line.standing.basket.works}  # type: ignore[union-attr]
    for order in of.state.working:
        one = worked[order.order.cl_ord_id]
        assert (one.parent.order, one.filled) == (order.order, order.cum_qty)
        assert one.filled + one.worst_leaves <= order.order.order_qty
    assert replay(of.path).differences == ()


@pytest.mark.parametrize("algorithm", ["passive", "ib_twap"])
def test_a_clean_stop_leaves_nothing_that_somebody_has_to_watch(
    tmp_path: Path, algorithm: str
) -> None:
    """What rests at our own price is taken back; what the broker works goes on."""
    # With one message a second, taking back takes some.
    of = world(tmp_path, algorithm, tactics=replace(SLOW, corridor=1.0, messages_per_s=1))

    async def work(journal: Mortal) -> None:
        def stop(record: CycleRecord) -> None:
            if record.plan.orders:
                asyncio.get_running_loop().call_later(20.0, of.run.stop)  # type: ignore[union-attr]

        await of.trade(journal, 13, also=stop)

    of.live(work)
    of.check()
    assert bool(of.host.desk.working()) == (algorithm == "ib_twap")
    assert bool(of.state.working) == (algorithm == "ib_twap")
    lived(of, cycles=13)
    of.check()
    assert replay(of.path).differences == ()
