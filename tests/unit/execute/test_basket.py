"""A basket of a few legs, followed step by step."""

from dataclasses import replace
from typing import Any

import pytest

from deadband import cycle
from deadband.core.costs import CostSettings
from deadband.core.errors import BrokerError
from deadband.core.orders import Action, Algorithm, ExecType, Side, Tif
from deadband.core.parents import Basket, Instruction, Parent, Tick
from deadband.core.reasons import Code
from deadband.core.tactics import Tactics
from deadband.execute.basket import heard, work
from deadband.execute.corridor import Corridor
from deadband.execute.short_horizon import Facts, adopt, amend, ended
from tests import kit
from tests.kit.parents import CLOSE, SECOND, START, parent, report, tick

A, B = "S0000", "S0001"


def basket(*parents: Parent, cash: float = 1e6, **tactics: Any) -> Basket:
    given = {"corridor": 1.0, "beta_corridor": 1.0} | tactics
    empty = Basket((), cash, 0.0, 1e6, Tactics(**given), CostSettings(scale=0.0))
    return adopt(empty, parents)


def at(made: Basket, seconds: float = 0.0) -> tuple[Basket, tuple[Instruction, ...]]:
    return work(made, {A: tick(seconds), B: tick(seconds)}, START + int(seconds * SECOND))


def answered(
    made: Basket, intents: tuple[Instruction, ...], *kinds: ExecType, **other: Any
) -> Basket:
    for k, intent in enumerate(intents):
        for kind in kinds:
            said = report(intent.order, kind, f"{intent.order.cl_ord_id}/{kind}{k}", **other)
            made = heard(made, said)
    return made


BUY = parent(order_id="p.1", symbol=A, qty=500)
SELL = parent(order_id="p.2", symbol=B, qty=500, side=Side.SELL)


def test_a_buy_waits_for_the_cash_of_the_sells() -> None:
    made, first = at(basket(BUY, SELL, cash=0.0))
    assert [one.order.symbol for one in first] == [B]
    assert made.works[0].waits is Code.ORDER_WAITS_CASH
    made = answered(made, first, ExecType.TRADE, last_qty=200, last_px=100.0)
    assert made.cash == pytest.approx(20_000.0)
    made, second = at(made, 1)
    assert [(one.order.symbol, one.order.order_qty) for one in second] == [(A, 199)]


def test_two_buys_share_one_purse_whatever_fills_first() -> None:
    other = parent(order_id="p.3", symbol=B, qty=500)
    made, sent = at(basket(BUY, other, cash=60_000.0))
    most = sum(one.order.order_qty for one in sent) * BUY.order.price
    assert 59_000.0 < most <= 60_000.0
    made = answered(made, sent, ExecType.NEW)
    assert at(made, 1)[1] == ()


def test_shares_sold_short_are_no_cash_to_buy_with() -> None:
    short = replace(SELL, order=replace(SELL.order, side=Side.SELL_SHORT))
    made, first = at(basket(BUY, short, cash=0.0))
    made = answered(made, first, ExecType.TRADE, last_qty=500, last_px=100.0)
    assert made.cash == 0.0
    assert at(made, 1)[1] == ()


def test_legs_fill_together_within_the_corridor() -> None:
    made, first = at(basket(BUY, SELL, corridor=0.01))
    # A hundred shares are ten thousand dollars, one percent of a million.
    assert sorted((one.order.symbol, one.order.order_qty) for one in first) == [(A, 100), (B, 100)]
    assert made.works[0].waits is Code.ORDER_WAITS_LEGS
    made = answered(made, first[:1], ExecType.NEW, ExecType.TRADE, last_qty=100, last_px=100.0)
    assert Corridor(made).deviation()[0] == pytest.approx(-10_000.0)
    made, second = at(made, 1)
    assert [one.order.symbol for one in second] == []
    made = answered(made, first[1:], ExecType.NEW, ExecType.TRADE, last_qty=60, last_px=100.0)
    made, third = at(made, 2)
    assert [(one.order.symbol, one.order.order_qty) for one in third] == [(B, 60)]


def test_an_exit_is_held_by_no_corridor() -> None:
    exit_ = replace(SELL, order=replace(SELL.order, reason="CUT_LOSER"))
    _, sent = at(basket(BUY, exit_, corridor=0.01))
    assert {one.order.symbol: one.order.order_qty for one in sent}[B] == 500


def test_a_basket_of_one_side_needs_no_corridor() -> None:
    other = parent(order_id="p.3", symbol=B, qty=500)
    _, sent = at(basket(BUY, other, corridor=1e-6, beta_corridor=1e-6))
    assert [one.order.order_qty for one in sent] == [500, 500]


def test_beta_has_a_corridor_of_its_own() -> None:
    heavy = replace(BUY, beta=2.0)
    light = replace(SELL, beta=1.0)
    made, sent = at(basket(heavy, light, beta_corridor=0.01))
    assert all(one.order.order_qty < 500 for one in sent)
    assert made.works[0].waits is Code.ORDER_WAITS_LEGS


def test_messages_beyond_the_second_s_are_sent_in_the_next() -> None:
    made, first = at(basket(BUY, SELL, messages_per_s=1))
    assert [one.order.symbol for one in first] == [B]
    assert made.works[0].waits is Code.ORDER_WAITS_MESSAGES
    made, none = at(made, 0.5)
    assert none == ()
    made, second = at(made, 1)
    assert [one.order.symbol for one in second] == [A]


def test_one_side_of_a_name_waits_until_the_other_s_child_is_gone() -> None:
    opposed = parent(order_id="p.9", symbol=A, side=Side.SELL, qty=100)
    made, first = at(basket(BUY))
    made = answered(made, first, ExecType.NEW)
    made = amend(made, (opposed,))
    made, second = at(made, 1)
    assert [(one.action, one.order.parent_id) for one in second] == [(Action.CANCEL, "p.1")]
    assert made.works[1].waits is Code.ORDER_CANCEL_FIRST
    made = answered(made, second, ExecType.CANCELED)
    _, third = at(made, 2)
    assert [(one.action, one.order.parent_id) for one in third] == [(Action.NEW, "p.9")]


def test_a_new_decision_amends_what_works_and_cancels_only_what_is_not_wanted() -> None:
    other = parent(order_id="p.3", symbol=B, qty=300)
    made, first = at(basket(BUY, other))
    made = answered(made, first, ExecType.NEW)
    made = answered(made, first[:1], ExecType.TRADE, last_qty=200, last_px=100.0)
    wanted = parent(order_id="q.1", symbol=A, qty=150, seconds=600)
    made = amend(made, (wanted,))
    assert [one.parent.order.order_qty for one in made.works] == [350, 0]
    assert made.works[0].parent.deadline == wanted.deadline
    made, sent = at(made, 1)
    assert [(one.action, one.order.symbol) for one in sent] == [
        (Action.CANCEL, B),
        (Action.REPLACE, A),
    ]
    assert sent[1].order.order_qty == 350


@pytest.mark.parametrize("ticks", ({}, {A: tick(200)}))
def test_an_order_is_called_back_at_its_deadline_though_its_quotes_have_stopped(
    ticks: dict[str, Tick],
) -> None:
    made, sent = at(basket(BUY))
    made = answered(made, sent, ExecType.NEW)
    made, early = work(made, ticks, START + 299 * SECOND)
    assert Action.CANCEL not in [one.action for one in early]
    made = answered(made, early, ExecType.REPLACED)
    made, last = work(made, ticks, START + 300 * SECOND)
    assert [one.action for one in last] == [Action.CANCEL]
    made = answered(made, last, ExecType.CANCELED)
    after, _ = work(made, ticks, START + 301 * SECOND)
    assert [one.text for one in ended(made, after, START)] == [Code.ORDER_DEADLINE]


def test_an_exit_worked_as_before_is_no_longer_held_by_the_corridor() -> None:
    made, first = at(basket(BUY, SELL, corridor=0.01))
    made = answered(made, first, ExecType.NEW)
    made = amend(made, (BUY, replace(SELL, order=replace(SELL.order, reason="CUT_LOSER"))))
    _, second = at(made, 10)
    assert [one.order.order_qty for one in second if one.order.symbol == B] == [500]


def test_a_sale_that_has_become_an_exit_is_worked_as_one() -> None:
    made, first = at(basket(BUY, SELL, corridor=0.01))
    made = answered(made, first, ExecType.NEW)
    stop = parent(Algorithm.MARKETABLE, order_id="q.1", symbol=B, qty=500, side=Side.SELL)
    stop = replace(stop, order=replace(stop.order, reason="CUT_LOSER"))
    made = amend(made, (BUY, stop))
    made, second = at(made, 1)
    assert [(one.action, one.order.symbol) for one in second] == [(Action.CANCEL, B)]
    made = answered(made, second, ExecType.CANCELED)
    _, third = at(made, 2)
    (sale,) = [one.order for one in third if one.order.symbol == B]
    assert (sale.order_qty, sale.tif, sale.reason) == (500, Tif.IOC, Code.ALGO_CROSSES)


def test_an_order_that_has_become_one_for_the_auction_does_not_rest_past_the_close() -> None:
    made, first = at(basket(BUY))
    made = answered(made, first, ExecType.NEW)
    auction = parent(Algorithm.CLOSE, order_id="q.1", symbol=A, qty=500, seconds=8 * 3600)
    made = amend(made, (auction,))
    made, second = at(made, 1)
    made = answered(made, second, ExecType.CANCELED)
    _, third = at(made, 2)
    assert [one.order.tif for one in third] == [Tif.CLS]


# The way back to the cycle


def test_children_s_fills_are_the_parent_order_s_and_a_short_end_is_a_cancel() -> None:
    names = kit.universe(2)
    order = kit.order("db.1.000", order_qty=500, price=100.3, route=BUY.route)
    facts = {A: Facts(1, 0.01, 0.02, 1e6, CLOSE - 390 * 60 * SECOND, CLOSE)}
    settings = kit.settings(scale=0.0)
    made = cycle.take_up(cycle.open_basket(settings, 1e6, 1e6), (order,), facts, START)
    state = kit.state(names, working=(kit.working(order_qty=500, route=BUY.route),))
    made, intents, told = cycle.work(made, {A: tick()}, START)
    assert told == ()
    for kind, other in (
        (ExecType.NEW, {}),
        (ExecType.TRADE, {"last_qty": 200, "last_px": 99.99}),
    ):
        said = report(intents[0].order, kind, f"x{kind}", **other)
        made, up = cycle.hear(made, said)
        for parent_report in up:
            assert parent_report.cl_ord_id == "db.1.000"
            state = cycle.apply(state, parent_report)
    assert int(state.book.shares[0]) == 200
    assert state.working[0].leaves_qty == 300
    later = START + 301 * SECOND
    made, last, told = cycle.work(made, {A: tick(301)}, later)
    assert [one.action for one in last] == [Action.CANCEL]
    made, _ = cycle.hear(made, report(last[0].order, ExecType.CANCELED, "gone"))
    made, _, told = cycle.work(made, {A: tick(302)}, later + SECOND)
    assert [(one.exec_type, one.text) for one in told] == [(ExecType.CANCELED, Code.ORDER_DEADLINE)]
    state = cycle.apply(state, told[0])
    assert state.working == ()


def test_an_order_without_a_route_is_worked_as_a_marketable_limit() -> None:
    facts = {A: Facts(1, 0.01, 0.02, 1e6, CLOSE - 390 * 60 * SECOND, CLOSE)}
    settings = kit.settings()
    made = cycle.open_basket(settings, 1e6, 1e6)
    made = cycle.amend(made, (kit.order("db.1.000", price=100.3),), facts, START)
    assert made.works[0].parent.route.algorithm is Algorithm.MARKETABLE
    assert made.buffer == pytest.approx(settings.execution.cash_buffer * 1e6)
    _, intents, _ = cycle.work(made, {A: tick()}, START)
    assert len(intents) == 1


def test_a_parent_is_told_to_have_ended_once() -> None:
    made, sent = at(basket(BUY))
    made = answered(made, sent, ExecType.NEW)
    before, cancels = at(made, 301)
    before = answered(before, cancels, ExecType.CANCELED)
    after, _ = at(before, 302)
    assert len(ended(before, after, START)) == 1
    assert ended(after, at(after, 303)[0], START) == ()


def test_a_report_on_an_order_of_nobody_here_changes_nothing() -> None:
    made, sent = at(basket(BUY))
    stranger = replace(sent[0].order, cl_ord_id="x.1.1")
    assert heard(made, report(stranger, ExecType.NEW, "e1")) is made


def test_a_fill_of_a_parent_that_was_let_go_is_passed_up_and_refused() -> None:
    made, sent = at(basket(BUY))
    gone = adopt(replace(made, works=()), ())
    late = report(sent[0].order, ExecType.TRADE, "late", last_qty=100, last_px=100.0)
    _, up = cycle.hear(gone, late)
    assert [one.cl_ord_id for one in up] == ["p.1"]
    with pytest.raises(BrokerError, match=r"not among the 0 working orders\. Reconcile"):
        cycle.apply(kit.state(kit.universe(2)), up[0])


def test_a_handed_off_order_is_canceled_where_less_is_wanted() -> None:
    handed = parent(Algorithm.IB_ADAPTIVE, order_id="p.1", symbol=A, qty=500)
    made, sent = at(basket(handed))
    made = answered(made, sent, ExecType.NEW)
    made = amend(made, (parent(order_id="q.1", symbol=A, qty=200),))
    made, less = at(made, 1)
    assert [one.action for one in less] == [Action.CANCEL]
    made = answered(made, less, ExecType.CANCELED)
    _, again = at(made, 2)
    assert [(one.action, one.order.order_qty) for one in again] == [(Action.NEW, 200)]


def test_a_pending_larger_replace_counts_as_working() -> None:
    made, sent = at(basket(BUY))
    made = answered(made, sent, ExecType.NEW)
    made = amend(made, (parent(order_id="q.1", symbol=A, qty=800),))
    made, sent = at(made, 10)
    assert [one.action for one in sent] == [Action.REPLACE]
    assert made.works[0].worst_leaves == 800
