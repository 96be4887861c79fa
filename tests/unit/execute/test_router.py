"""How an order is to be worked, and for how long."""

from dataclasses import replace

import numpy as np
import pytest

from deadband import ShortHorizonExecution, cycle
from deadband.core.config import ExecutionSettings
from deadband.core.orders import Algorithm, Side, Tif, Venue
from deadband.core.reasons import Code
from deadband.core.tactics import Tactics
from deadband.execute.horizon import Haste, horizon, slippage
from deadband.execute.router import Situation, route
from deadband.execute.short_horizon import Facts, parent_of
from deadband.execute.volume_curve import volume_before, volume_curve
from tests import kit
from tests.kit.parents import CLOSE, SECOND, START

TACTICS = Tactics()
CALM = Situation(is_urgent=False, share=1e-4, spread_bps=2.0, minutes_left=200.0)


@pytest.mark.parametrize(
    ("situation", "algorithm", "code"),
    [
        (CALM, Algorithm.PASSIVE, Code.ALGO_PATIENT),
        (replace(CALM, is_urgent=True), Algorithm.MARKETABLE, Code.ALGO_URGENT),
        (replace(CALM, spread_bps=20.0), Algorithm.PEG_MID, Code.ALGO_WIDE),
        (replace(CALM, share=0.02, spread_bps=20.0), Algorithm.ARRIVAL, Code.ALGO_SLICED),
        (replace(CALM, minutes_left=14.0), Algorithm.CLOSE, Code.ALGO_AUCTION),
        (replace(CALM, minutes_left=9.0), Algorithm.MARKETABLE, Code.ALGO_URGENT),
    ],
)
def test_auto_chooses_by_urgency_size_spread_and_time(
    situation: Situation, algorithm: Algorithm, code: Code
) -> None:
    chosen = route(situation, "auto", TACTICS)
    assert (chosen.algorithm, chosen.code) == (algorithm, code)


def test_what_the_settings_name_is_used() -> None:
    assert route(CALM, "twap", TACTICS).algorithm is Algorithm.TWAP
    assert route(CALM, "twap", TACTICS).code is Code.ALGO_ASKED


def test_venue_and_time_in_force_follow_the_algorithm() -> None:
    terms = {
        name: (route(CALM, name, TACTICS).venue, route(CALM, name, TACTICS).tif)
        for name in ("marketable", "passive", "close")
    }
    assert terms == {
        "marketable": (Venue.SMART, Tif.IOC),
        "passive": (Venue.SMART, Tif.DAY),
        "close": (Venue.PRIMARY, Tif.CLS),
    }


# The horizon

EXAMPLE = Haste(alpha=20e-4, tau_min=30.0, sigma_day=200e-4, share=0.005)


@pytest.mark.parametrize(
    ("minutes", "bps"),
    [(4, 19.7), (8, 14.6), (12, 13.1), (16, 12.5), (20, 12.4), (24, 12.5), (39, 13.5), (60, 15.0)],
)
def test_the_example_of_the_formula(minutes: float, bps: float) -> None:
    assert slippage(minutes, EXAMPLE) / 1e-4 == pytest.approx(bps, abs=0.051)


def test_the_best_horizon_of_the_example_is_twenty_minutes() -> None:
    best = horizon(EXAMPLE, 60.0)
    assert best == pytest.approx(20.0, abs=0.5)
    around = np.linspace(1.0, 60.0, 591)
    assert slippage(best, EXAMPLE) <= min(slippage(m, EXAMPLE) for m in around) + 1e-9


def test_more_edge_makes_haste_and_more_size_takes_time() -> None:
    base = horizon(EXAMPLE, 240.0)
    assert horizon(replace(EXAMPLE, alpha=40e-4), 240.0) < base
    assert horizon(replace(EXAMPLE, share=0.02), 240.0) > base
    assert horizon(replace(EXAMPLE, risk_price=0.5), 240.0) < base
    assert horizon(replace(EXAMPLE, alpha=0.0), 60.0) == pytest.approx(60.0, abs=0.01)
    assert horizon(EXAMPLE, 0.25) == 0.25


# Parents


FACTS = Facts(
    lot=1, tick=0.01, sigma_day=0.02, adv=200_000.0, opens=CLOSE - 390 * 60 * SECOND, closes=CLOSE
)


def minutes(order_qty: int = 1000, reason: str = "BUY_TOP_K", **facts: float) -> float:
    order = kit.order(order_qty=order_qty, reason=reason)
    made = parent_of(order, replace(FACTS, **facts), START, TACTICS)
    return (made.deadline - made.start) / (60 * SECOND)


def test_the_time_of_an_order_follows_its_edge_and_size_where_they_are_known() -> None:
    assert minutes() == TACTICS.horizon_min
    assert minutes(alpha=20e-4) == pytest.approx(20.0, abs=0.5)
    assert minutes(alpha=20e-4, reason="CUT_LOSER") == TACTICS.horizon_min


def test_no_order_lives_beyond_the_close() -> None:
    late = parent_of(kit.order(), FACTS, CLOSE - 60 * SECOND, TACTICS)
    assert late.deadline == CLOSE


def test_volume_is_shaped_like_a_u_and_adds_up() -> None:
    opens = CLOSE - 390 * 60 * SECOND
    curve = volume_curve(opens, CLOSE, opens, CLOSE)
    assert curve[0] > curve[10] < curve[-1]
    assert sum(curve) == pytest.approx(volume_before(390.0, 390.0))
    assert min(curve) > 0


def test_strategies_are_netted_to_one_order_a_name() -> None:
    buy = kit.order("a.1", order_qty=300, price=100.2)
    more = kit.order("b.1", order_qty=100, price=100.1)
    sell = kit.order("c.1", side=Side.SELL, order_qty=150, price=99.8)
    other = kit.order("c.2", "S0001", side=Side.SELL, order_qty=50, price=99.8)
    short = kit.order("c.3", "S0001", side=Side.SELL_SHORT, order_qty=70, price=99.7)
    made = cycle.net((buy, more, sell, other, short))
    assert [(o.symbol, o.side, o.order_qty, o.price) for o in made] == [
        ("S0000", Side.BUY, 250, 100.1),
        ("S0001", Side.SELL, 50, 99.8),
        ("S0001", Side.SELL_SHORT, 70, 99.7),
    ]
    assert cycle.net((buy, kit.order("d", side=Side.SELL, order_qty=300))) == ()


# In the cycle, and by the seeds' name


def test_the_founding_name_routes_its_orders_too() -> None:
    execution = ShortHorizonExecution(ExecutionSettings(algorithm="auto"))
    orders, _ = execution.orders(
        [0.1, 0.0], [0, 0], [99.8, 50.0], [100.2, 50.01], 1e5, "AB", kit.NOW
    )
    # Without a daily volume every order is large.
    assert [order.route and order.route.algorithm for order in orders] == [Algorithm.ARRIVAL]


@pytest.mark.parametrize("algorithm", ["marketable", "auto", "twap"])
def test_a_plan_carries_routes_where_an_algorithm_is_asked_for(algorithm: str) -> None:
    names = kit.universe(6)
    seen = kit.seen(names, scores=kit.scores(names, {"S0000": 3.0, "S0001": 2.0}))
    made = kit.settings(algorithm=algorithm, beta_tolerance=1.0)
    _, record = cycle.step(made, kit.state(names), seen)
    routes = {order.route and order.route.algorithm for order in record.plan.orders}
    expected = {"marketable": None, "auto": Algorithm.PASSIVE, "twap": Algorithm.TWAP}
    assert record.plan.orders
    assert routes == {expected[algorithm]}
