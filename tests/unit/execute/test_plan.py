"""Orders from a decision by example: rounding, order of sending, tickets, cancels, cash, limits."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from deadband.core.config import OptimizationConfig
from deadband.core.orders import (
    Algorithm,
    OrdStatus,
    OrdType,
    Route,
    Side,
    Terms,
    Tif,
    Venue,
    WorkingOrder,
)
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.core.types import Plan
from deadband.execute.amend import add_to
from deadband.execute.plan import plan
from tests import kit

NAMES = kit.universe(4, S0000="Energy", S0001="Energy")
A, B, C, D = NAMES.symbols
Weights = Mapping[str, float]
SHORT = Side.SELL_SHORT
ROUTE = Route(Algorithm.PASSIVE, Venue.SMART, Tif.DAY, Code.ALGO_ASKED)


def planned(
    held: Weights,
    target: Weights,
    working: tuple[WorkingOrder, ...] = (),
    *,
    price: kit.inputs.Column = kit.PRICE,
    config: OptimizationConfig | None = None,
    z: kit.inputs.Column = 0.0,
    beta: Weights | None = None,
    switch: Switch | None = None,
    cash: float | None = None,
    code: Code = Code.BUY_TOP_K,
    spread_bps: float = 5.0,
    **execution: Any,
) -> Plan:
    """A plan on a million dollars; `held` and `target` in weights, working leaves counted in."""
    leaves = dict.fromkeys(NAMES.symbols, 0)
    for order in working:
        if order.status not in (OrdStatus.PENDING_CANCEL, OrdStatus.UNKNOWN):
            leaves[order.order.symbol] += order.order.side.sign * order.leaves_qty
    book = kit.portfolio(NAMES, weights=held, price=price, working=leaves, cash=cash)
    seen = kit.seen(
        NAMES,
        market=kit.market(NAMES, price=price, spread_bps=spread_bps),
        portfolio=book,
        switch=switch,
    )
    wide = OptimizationConfig(max_net_exposure=1.0, max_gross_exposure=2.0, per_name_cap=1.0)
    config = config or wide
    problem = kit.problem(
        NAMES, current=book.weights, config=config, z=z, beta=beta, allow_short=True
    )
    wanted = kit.column(NAMES, target, book.weights)
    return plan(
        NAMES,
        kit.decision(NAMES, wanted, code),
        problem,
        seen,
        working,
        "20260303.000007",
        kit.settings(**execution).execution,
    )


def sent(made: Plan) -> list[tuple[str, str, int]]:
    return [(order.symbol, order.side.value, order.order_qty) for order in made.orders]


def noted(made: Plan) -> list[tuple[Code, str]]:
    return [(note.code, note.symbol) for note in made.notes]


# Rounding


@pytest.mark.parametrize(
    ("held", "target", "expected"),
    [
        (0.0, 0.05009, ("BUY", 500)),
        (0.0, -0.05009, ("SELL_SHORT", 500)),
        (0.05, 0.07999, ("BUY", 299)),
        (0.05, 0.02001, ("SELL", 300)),
        (0.05, 0.02, ("SELL", 300)),
        (-0.05, -0.02001, ("BUY", 300)),
        (0.05, 0.0, ("SELL", 500)),
        (-0.05, 0.0, ("BUY", 500)),
        (0.05, 0.05, None),
    ],
)
def test_growth_rounds_down_and_shrinkage_up(
    held: float, target: float, expected: tuple[str, int] | None
) -> None:
    made = planned({A: held}, {A: target})
    assert sent(made) == ([(A, *expected)] if expected else [])


def test_less_than_a_share_is_noted() -> None:
    made = planned({}, {A: 0.0004}, price={A: 500.0}, min_ticket_usd=0.0)
    assert sent(made) == []
    assert noted(made) == [(Code.ORDER_ROUNDED_TO_ZERO, A)]
    assert made.notes[0].facts == {"usd": pytest.approx(400.0)}


@pytest.mark.parametrize("target", [-0.03, -0.05, -0.08])
def test_an_order_through_zero_only_closes_and_says_so(target: float) -> None:
    made = planned({A: 0.05}, {A: target})
    assert sent(made) == [(A, "SELL", 500)]
    assert noted(made) == [(Code.ORDER_CLOSE_FIRST, A)]
    made = planned({A: -0.05}, {A: -target})
    assert sent(made) == [(A, "BUY", 500)]
    assert noted(made) == [(Code.ORDER_CLOSE_FIRST, A)]


def test_a_name_whose_other_side_keeps_beta_does_not_wait() -> None:
    """A is to hedge the short of B: closed alone it would leave 0.1 of beta open."""
    wide = {"max_net_exposure": 1.0, "max_gross_exposure": 2.0, "per_name_cap": 1.0}
    held, target, beta = {A: -0.04}, {A: 0.10, B: -0.10}, {A: 1.0, B: 1.0}
    tight = OptimizationConfig(beta_tolerance=0.05, **wide)
    made = planned(held, target, beta=beta, config=tight)
    assert sent(made) == [(B, "SELL_SHORT", 1000), (A, "BUY", 1400)]
    assert noted(made) == []
    loose = OptimizationConfig(beta_tolerance=0.20, **wide)
    made = planned(held, target, beta=beta, config=loose)
    assert sent(made) == [(B, "SELL_SHORT", 1000), (A, "BUY", 400)]
    assert noted(made) == [(Code.ORDER_CLOSE_FIRST, A)]


# What an order says


def test_sells_come_first_then_the_larger_then_by_symbol() -> None:
    made = planned({A: 0.02, C: 0.04}, {A: 0.0, C: 0.0, B: 0.03, D: 0.03})
    assert [order.symbol for order in made.orders] == [C, A, B, D]


def test_an_order_carries_its_decision() -> None:
    made = planned({A: 0.02}, {A: 0.0, B: 0.03}, code=Code.BUY_BETTER, strategy="mine")
    sell, buy = made.orders
    assert (sell.cl_ord_id, buy.cl_ord_id) == (
        "mine.20260303.000007.000",
        "mine.20260303.000007.001",
    )
    assert {sell.decision_id, buy.decision_id} == {"20260303.000007"}
    assert {sell.reason, buy.reason} == {"BUY_BETTER"}
    assert {sell.ord_type, buy.ord_type} == {OrdType.LIMIT}
    assert sell.arrival == buy.arrival == pytest.approx(100.0)
    assert buy.transact_time == int(kit.NOW.timestamp()) * 1_000_000_000


def test_limit_prices_are_beyond_the_far_touch_on_the_next_tick_outwards() -> None:
    """Touch 99.95 and 100.05; 30 bps beyond is 99.65015 and 100.35015."""
    made = planned({A: 0.02}, {A: 0.0, B: 0.03}, spread_bps=10.0)
    assert [order.price for order in made.orders] == [99.65, 100.36]
    made = planned({}, {A: 0.03}, price={A: 0.5}, spread_bps=0.0)
    assert [order.price for order in made.orders] == [0.5015]


# Tickets


def test_small_tickets_are_dropped_but_exits_are_not() -> None:
    made = planned({A: 0.0004, B: 0.05}, {A: 0.0, B: 0.0496, C: 0.0004})
    assert sent(made) == [(A, "SELL", 4)]
    assert noted(made) == [(Code.ORDER_BELOW_MIN_TICKET, B), (Code.ORDER_BELOW_MIN_TICKET, C)]
    assert made.notes[0].facts == {"usd": pytest.approx(400.0), "minimum": 500.0}


def test_a_ticket_of_exactly_the_minimum_is_sent() -> None:
    assert sent(planned({}, {A: 0.0005})) == [(A, "BUY", 5)]


def test_an_order_that_cash_reduces_below_the_minimum_is_not_sent() -> None:
    made = planned({}, {A: 0.01}, cash=1_400.0, min_ticket_usd=500.0, cash_buffer=0.001)
    assert sent(made) == []
    assert noted(made) == [(Code.ORDER_NO_CASH, A)]


# Cash


def test_cash_goes_to_the_best_edge_and_never_below_the_buffer() -> None:
    made = planned(
        {}, {A: 0.03, B: 0.03, C: 0.03}, z={A: 1.0, B: 3.0, C: 2.0}, cash=51_000.0, spread_bps=0.0
    )
    assert sent(made) == [(B, "BUY", 300), (C, "BUY", 199)]
    assert noted(made) == [(Code.ORDER_NO_CASH, A), (Code.ORDER_NO_CASH, C)]


def test_planned_sells_pay_for_buys_and_short_sales_do_not() -> None:
    made = planned({A: 0.03}, {A: 0.0, B: 0.0299}, cash=1_000.0, spread_bps=0.0)
    assert sent(made) == [(A, "SELL", 300), (B, "BUY", 299)]
    made = planned({}, {A: -0.03, B: 0.0299}, cash=1_000.0, spread_bps=0.0)
    assert sent(made) == [(A, "SELL_SHORT", 300)]


def test_covers_are_bought_whatever_the_cash() -> None:
    made = planned({A: -0.03}, {A: 0.0, B: 0.03}, cash=-5_000.0)
    assert sent(made) == [(A, "BUY", 300)]


def test_working_buys_have_spoken_for_their_cash() -> None:
    waiting = kit.working("w", B, order_qty=200)
    made = planned({}, {A: 0.03}, (waiting,), cash=41_000.0, spread_bps=0.0)
    assert sent(made) == [(A, "BUY", 199)]


# Working orders


def test_an_opposing_working_order_is_canceled_and_only_settled_shares_are_sold() -> None:
    waiting = kit.working("w", A, order_qty=100, cum_qty=40)
    made = planned({A: 0.05}, {A: 0.0}, (waiting,))
    assert made.cancels == ("w",)
    assert sent(made) == [(A, "SELL", 500)]
    assert noted(made) == [(Code.ORDER_CANCEL_FIRST, A)]
    made = planned({A: 0.05}, {A: 0.03}, (waiting,))
    assert sent(made) == [(A, "SELL", 200)]


def changed(made: Plan) -> list[tuple[str, int, float]]:
    return [(one.cl_ord_id, one.order_qty, one.price) for one in made.replaces]


def test_what_only_undoes_a_working_order_is_taken_off_it() -> None:
    waiting = kit.working("w", A, order_qty=340, cum_qty=40, price=99.0)
    made = planned({A: 0.05}, {A: 0.06}, (waiting,))
    assert (made.cancels, sent(made), changed(made)) == ((), [], [("w", 140, 99.0)])
    assert noted(made) == [(Code.ORDER_REDUCED, A)]
    assert dict(made.notes[0].facts) == {"from_qty": 340.0, "to_qty": 140.0}
    selling = kit.working("w", A, side=Side.SELL, order_qty=300)
    made = planned({A: 0.05}, {A: 0.04}, (selling,))
    assert (made.cancels, sent(made), changed(made)) == ((), [], [("w", 100, kit.PRICE)])


def test_an_order_of_which_nothing_is_wanted_any_more_is_canceled() -> None:
    waiting = kit.working("w", A, order_qty=300)
    made = planned({A: 0.05}, {A: 0.05}, (waiting,))
    assert (made.cancels, sent(made), changed(made)) == (("w",), [], [])
    assert noted(made) == [(Code.ORDER_CANCEL_FIRST, A)]


def test_the_newest_orders_are_taken_back_first() -> None:
    old, new = kit.working("w1", A, order_qty=200), kit.working("w2", A, order_qty=200)
    made = planned({A: 0.05}, {A: 0.06}, (old, new))
    assert (made.cancels, changed(made)) == (("w2",), [("w1", 100, kit.PRICE)])


@pytest.mark.parametrize(
    "order",
    [
        kit.working("w", A, order_qty=300, status=OrdStatus.PENDING_NEW),
        kit.working("w", A, order_qty=300, status=OrdStatus.SUSPENDED),
        kit.working("w", A, order_qty=300, terms=Terms(strategy="Vwap")),
        kit.working("w", A, order_qty=300, ord_type=OrdType.MARKET),
    ],
    ids=["unanswered", "suspended", "the broker's algorithm", "market"],
)
def test_what_cannot_be_changed_is_canceled_or_joined(order: WorkingOrder) -> None:
    made = planned({A: 0.05}, {A: 0.06}, (order,))
    assert (made.cancels, sent(made), made.replaces) == (("w",), [], ())
    made = planned({A: 0.05}, {A: 0.09}, (order,))
    assert (made.cancels, sent(made), made.replaces) == ((), [(A, "BUY", 100)], ())


@pytest.mark.parametrize("algorithm", [Algorithm.PASSIVE, Algorithm.IB_VWAP])
def test_a_worked_order_is_changed_whatever_works_it(algorithm: Algorithm) -> None:
    """Reduced as any other; raised only by an order that would be worked too."""
    worked = kit.working("w", A, order_qty=300, route=replace(ROUTE, algorithm=algorithm))
    made = planned({A: 0.05}, {A: 0.06}, (worked,))
    assert (made.cancels, sent(made), changed(made)) == ((), [], [("w", 100, kit.PRICE)])
    made = planned({A: 0.05}, {A: 0.09}, (worked,))
    assert (made.cancels, sent(made), made.replaces) == ((), [(A, "BUY", 100)], ())


@pytest.mark.parametrize(
    ("algorithm", "joins"), [(Algorithm.PASSIVE, False), (Algorithm.CLOSE, True)]
)
def test_more_of_a_name_that_waits_for_the_auction_is_a_second_order(
    algorithm: Algorithm, *, joins: bool
) -> None:
    """Its child is sent once: what would be added to the order could never trade."""
    waits = kit.working("w", A, order_qty=300, route=replace(ROUTE, algorithm=algorithm))
    made = planned({A: 0.05}, {A: 0.09}, (waits,), algorithm=algorithm)
    assert made.cancels == ()
    assert sent(made) == ([(A, "BUY", 100)] if joins else [])
    assert [one.cl_ord_id for one in made.replaces] == ([] if joins else ["w"])


@pytest.mark.parametrize(
    ("reason", "algorithm", "joins"),
    [
        ("CUT_SCORE", Algorithm.MARKETABLE, False),
        ("CUT_SCORE", Algorithm.PASSIVE, True),
        ("DROP_GREEN", Algorithm.PEG_MID, True),
    ],
)
def test_an_exit_that_crosses_does_not_wait_with_an_order_that_rests(
    reason: str, algorithm: Algorithm, *, joins: bool
) -> None:
    terms = {"side": Side.SELL, "order_qty": 100}
    rests = kit.working("w", A, route=ROUTE, **terms)
    new = kit.order("n", A, reason=reason, route=replace(ROUTE, algorithm=algorithm), **terms)
    draft: Any = SimpleNamespace(note_change=lambda *_: None)
    raises = add_to(draft, (rests,), (new,))
    assert [one.order_qty for one in raises.values()] == ([200] if joins else [])


def test_what_a_cancel_takes_too_much_of_is_not_sent_again_at_once() -> None:
    """The large cover cannot be changed and may fill all the same: nothing is bought beside it."""
    large = kit.working("w1", A, order_qty=400, status=OrdStatus.PENDING_NEW)
    others = (kit.working("w2", A, order_qty=10), kit.working("w3", A, side=SHORT, order_qty=4))
    made = planned({A: -0.05}, {A: -0.04}, (large, *others))
    assert (made.cancels, made.orders, made.replaces) == (("w1",), (), ())


def test_all_orders_against_a_trade_beyond_them_are_canceled() -> None:
    covers = (kit.working("w1", A, order_qty=200), kit.working("w2", A, order_qty=100))
    made = planned({A: -0.05}, {A: -0.06}, covers)
    assert (made.cancels, made.orders, made.replaces) == (("w1", "w2"), (), ())


def test_nothing_is_asked_of_an_order_with_a_change_under_way() -> None:
    waiting = kit.working("w", A, order_qty=300)
    pending = replace(waiting, status=OrdStatus.PENDING_REPLACE, wanted=waiting.order)
    made = planned({A: 0.05}, {A: 0.09}, (pending,))
    assert (made.cancels, sent(made), made.replaces) == ((), [(A, "BUY", 100)], ())


def test_a_reduction_below_the_minimum_ticket_is_not_worth_a_message() -> None:
    waiting = kit.working("w", A, order_qty=300)
    made = planned({A: 0.05}, {A: 0.0798}, (waiting,), min_ticket_usd=500.0)
    assert (made.cancels, made.orders, made.replaces) == ((), (), ())
    assert noted(made) == [(Code.ORDER_BELOW_MIN_TICKET, A)]


def test_a_reduced_sell_costs_no_cash_and_a_reduced_buy_brings_none() -> None:
    selling = kit.working("w", A, side=Side.SELL, order_qty=300)
    made = planned({A: 0.05}, {A: 0.04}, (selling,), cash=0.0)
    assert changed(made) == [("w", 100, kit.PRICE)]
    buying = kit.working("w", A, order_qty=300)
    made = planned({A: 0.05}, {A: 0.06, B: 0.02}, (buying,), cash=30_000.0, cash_buffer=0.0)
    assert changed(made) == [("w", 100, kit.PRICE)]
    assert sent(made) == []
    assert (Code.ORDER_NO_CASH, B) in noted(made)


@pytest.mark.parametrize("tolerance", [0.005, 0.05])
def test_what_waits_for_a_cancel_does_not_where_a_limit_needs_it(tolerance: float) -> None:
    """B's cover is canceled for more of the short; A was bought against both."""
    config = OptimizationConfig(
        max_net_exposure=1.0, max_gross_exposure=2.0, per_name_cap=1.0, beta_tolerance=tolerance
    )
    cover = kit.working("w", B, order_qty=200)
    made = planned(
        {A: 0.05, B: -0.02},
        {A: 0.05, B: -0.05},
        (cover,),
        config=config,
        beta={A: 1.0, B: 1.0},
    )
    assert made.cancels == ("w",)
    assert sent(made) == ([(B, "SELL_SHORT", 300)] if tolerance < 0.03 else [])


def test_an_order_that_is_being_canceled_takes_nothing_off_an_exit() -> None:
    """Its leaves do not count as held any more, so the exit is the settled shares, all of them."""
    going = kit.working("w", A, order_qty=100, status=OrdStatus.PENDING_CANCEL)
    made = planned({A: 0.05}, {A: 0.0}, (going,))
    assert (made.cancels, sent(made), noted(made)) == ((), [(A, "SELL", 500)], [])


def test_a_working_order_on_the_same_side_is_raised_at_the_price_of_a_new_one() -> None:
    waiting = kit.working("w", A, order_qty=150, cum_qty=50, price=99.0)
    made = planned({A: 0.05}, {A: 0.09}, (waiting,))
    (new,) = planned({A: 0.05}, {A: 0.08}).orders
    assert (made.cancels, sent(made), changed(made)) == ((), [], [("w", 450, new.price)])
    assert noted(made) == [(Code.ORDER_RAISED, A)]


def test_a_raised_order_is_not_old_and_new_orders_are_numbered_without_it() -> None:
    at = (kit.NOW - timedelta(minutes=20)).timestamp()
    waiting = kit.working("w", A, order_qty=100, transact_time=int(at) * 1_000_000_000)
    made = planned({}, {A: 0.09, B: 0.05}, (waiting,))
    assert made.cancels == ()
    assert [one.cl_ord_id for one in made.replaces] == ["w"]
    assert [one.cl_ord_id for one in made.orders] == ["db.20260303.000007.000"]


def test_a_short_sale_behind_a_sale_of_what_is_held_is_no_raise() -> None:
    """The sale has to leave first, and raises leave before new orders."""
    config = OptimizationConfig(
        max_net_exposure=1.0, max_gross_exposure=2.0, per_name_cap=1.0, beta_tolerance=0.01
    )
    short = kit.working("w", A, side=Side.SELL_SHORT, order_qty=100)
    made = planned(
        {A: 0.05, B: 0.05},
        {A: -0.05, B: 0.05},
        (short,),
        config=config,
        beta={A: 1.0, B: 1.0},
    )
    assert sent(made) == [(A, "SELL", 400), (A, "SELL_SHORT", 500)]
    assert made.replaces == ()


@pytest.mark.parametrize(("age_min", "canceled"), [(14.95, ()), (15.0, ("w",))])
def test_old_orders_are_canceled(age_min: float, canceled: tuple[str, ...]) -> None:
    at = (kit.NOW - timedelta(minutes=age_min)).timestamp()
    waiting = kit.working("w", A, order_qty=100, transact_time=int(at) * 1_000_000_000)
    assert planned({}, {}, (waiting,)).cancels == canceled


@pytest.mark.parametrize(
    ("algorithm", "age_min", "canceled"),
    [
        (Algorithm.TWAP, 59.0, ()),
        (Algorithm.TWAP, 60.0, ("w",)),
        (Algorithm.CLOSE, 380.0, ()),
    ],
)
def test_schedules_and_auction_orders_have_the_time_they_need(
    algorithm: Algorithm, age_min: float, canceled: tuple[str, ...]
) -> None:
    at = (kit.NOW - timedelta(minutes=age_min)).timestamp()
    route = Route(algorithm, Venue.SMART, Tif.DAY, Code.ALGO_ASKED)
    worked = kit.working("w", A, order_qty=100, route=route, transact_time=int(at) * 1_000_000_000)
    assert planned({}, {}, (worked,)).cancels == canceled


@pytest.mark.parametrize(("tolerance", "canceled"), [(0.005, ()), (0.05, ("w",))])
def test_an_old_order_that_beta_needs_works_on(tolerance: float, canceled: tuple[str, ...]) -> None:
    """B is sold short as far as A was bought; its last 200 shares, 0.02 of NAV, still work."""
    config = OptimizationConfig(
        max_net_exposure=1.0, max_gross_exposure=2.0, per_name_cap=1.0, beta_tolerance=tolerance
    )
    at = (kit.NOW - timedelta(minutes=20)).timestamp()
    waiting = kit.working(
        "w", B, side=Side.SELL_SHORT, order_qty=200, transact_time=int(at) * 1_000_000_000
    )
    made = planned(
        {A: 0.05, B: -0.03},
        {A: 0.05, B: -0.05},
        (waiting,),
        config=config,
        beta={A: 1.0, B: 1.0},
    )
    assert (made.cancels, sent(made)) == (canceled, [])


def test_what_is_canceled_first_counts_no_more_for_limits() -> None:
    """B's short of 0.02 is taken back; A's buy of 0.03 leaned on it, and is cut for beta."""
    config = OptimizationConfig(
        max_net_exposure=1.0, max_gross_exposure=2.0, per_name_cap=1.0, beta_tolerance=0.02
    )
    waiting = kit.working("w", B, side=Side.SELL_SHORT, order_qty=200, status=OrdStatus.PENDING_NEW)
    target = {A: 0.03, B: -0.01}
    made = planned({}, target, (waiting,), config=config, beta={A: 1.0, B: 1.0})
    assert made.cancels == ("w",)
    (bought,) = sent(made)
    assert bought[:2] == (A, "BUY") and bought[2] in (199, 200)


def test_halted_cancels_everything_that_can_be_canceled_and_sends_nothing() -> None:
    every = tuple(
        kit.working(status.value, A, status=status)
        for status in (
            OrdStatus.PENDING_NEW,
            OrdStatus.NEW,
            OrdStatus.PARTIALLY_FILLED,
            OrdStatus.PENDING_CANCEL,
            OrdStatus.UNKNOWN,
        )
    )
    made = planned({A: 0.05}, {A: 0.0, B: 0.05}, every, switch=Switch(mode="HALTED"))
    assert made.cancels == ("PENDING_NEW", "NEW", "PARTIALLY_FILLED")
    assert made.orders == made.notes == ()


# Limits in whole shares

PAIR_BETA = {A: 1.0, B: 1.0, C: 0.0, D: 0.0}


def test_a_dropped_sell_takes_back_the_buy_that_counted_on_it() -> None:
    config = OptimizationConfig(max_net_exposure=0.1)
    made = planned({A: 0.06, B: 0.04}, {A: 0.0596, C: 0.0104, B: 0.03}, config=config)
    assert sent(made) == [(B, "SELL", 100), (C, "BUY", 100)]
    assert noted(made) == [
        (Code.ORDER_BELOW_MIN_TICKET, A),
        (Code.ORDER_ROUNDED_FOR_LIMIT, C),
    ]
    assert made.notes[1].facts == {"shares": 4.0}


def test_a_pair_is_reduced_by_what_rounding_broke_and_not_taken_apart() -> None:
    """The hedge rounds down to 399 shares of 500 dollars; taking either leg away breaks more."""
    config = OptimizationConfig(beta_tolerance=0.0004, per_name_cap=1.0)
    made = planned({}, {A: 0.2, B: -0.19999}, price={B: 500.0}, config=config, beta=PAIR_BETA)
    assert sent(made) == [(B, "SELL_SHORT", 399), (A, "BUY", 1999)]
    assert made.notes[-1].facts == {"shares": 1.0}


def test_a_sale_gives_back_the_share_it_was_rounded_up_by_when_that_breaks_a_limit() -> None:
    config = OptimizationConfig(beta_tolerance=0.0099, per_name_cap=1.0)
    held = {A: 0.2, B: -0.2}
    made = planned(held, {A: 0.1901}, price={A: 500.0}, config=config, beta=PAIR_BETA)
    assert sent(made) == [(A, "SELL", 19)]
    assert noted(made) == [(Code.ORDER_ROUNDED_FOR_LIMIT, A)]


def test_a_repair_below_the_minimum_ticket_stays_undone_when_nothing_grows() -> None:
    config = OptimizationConfig(max_net_exposure=1.0)
    made = planned({A: 0.102}, {A: 0.1}, config=config, min_ticket_usd=5_000.0)
    assert sent(made) == []
    assert noted(made) == [(Code.ORDER_BELOW_MIN_TICKET, A)]


def test_a_reduction_ends_where_it_would_break_another_limit_by_more() -> None:
    """A dropped sale leaves the sector 4 bps over; A could make room, but holds up the beta.

    A share of A is 0.1 bps of the sector and 0.3 bps of beta, which has room for ten of them.
    """
    config = OptimizationConfig(
        sector_cap=0.1, beta_tolerance=0.05, per_name_cap=1.0, max_net_exposure=1.0
    )
    beta = {A: 3.0, B: 0.0, C: 0.0, D: 1.0}
    held, target = {B: 0.0504, D: -0.1997}, {A: 0.05, B: 0.05}
    made = planned(held, target, price={A: 10.0}, config=config, beta=beta)
    assert sent(made) == [(A, "BUY", 4990)]


@pytest.mark.parametrize(("cap", "sold"), [(0.0209, 20), (0.021, 21)])
def test_a_lot_more_that_would_keep_a_limit_does_not_pass_the_names_own_cap(
    cap: float, sold: int
) -> None:
    """20.5 shares of 999 dollars against a long of 0.0208: the 21st keeps NET, where it may."""
    config = OptimizationConfig(max_net_exposure=0.0004, max_gross_exposure=2.0, per_name_cap=cap)
    made = planned({A: 0.0208}, {A: 0.0208, B: -0.0205}, price={A: 100.0, B: 999.0}, config=config)
    assert sent(made) == [(B, "SELL_SHORT", sold)]
