"""What a second of quotes and trades gives an order, rule by rule."""

import math
from typing import Any

import pytest

from deadband.brokers.matching import Queued, match
from deadband.brokers.quotes import QuoteBroker
from deadband.core.costs import CostSettings
from deadband.core.orders import Action, ExecType, OrdType, Side, Tif, Venue
from deadband.core.parents import ChildOrder, Instruction
from deadband.core.quotes import Traded
from deadband.core.reasons import Code
from tests.kit.parents import START, tick

QUIET = Traded(math.nan, math.nan, 0)


def child(price: float, qty: int = 1000, side: Side = Side.BUY, **other: Any) -> ChildOrder:
    given: dict[str, Any] = {"ord_type": OrdType.LIMIT, "tif": Tif.DAY}
    return ChildOrder(
        cl_ord_id="p.1",
        parent_id="p",
        symbol="S0000",
        side=side,
        order_qty=qty,
        price=price,
        venue=Venue.SMART,
        reason=Code.ALGO_RESTS,
        transact_time=START,
        **(given | other),
    )


def test_a_crossing_order_takes_what_is_shown_and_as_much_a_tick_deeper() -> None:
    after, fills = match(Queued(child(100.02, 1200)), tick(1), QUIET)
    assert fills == ((500, 100.01), (500, 100.02))
    assert after.leaves_qty == 200


def test_a_resting_order_waits_behind_all_that_is_shown() -> None:
    joined, fills = match(Queued(child(99.99)), tick(1), Traded(99.99, 99.99, 400))
    assert (joined.ahead, fills) == (500.0, ())
    moved, fills = match(joined, tick(2), Traded(99.99, 99.99, 400))
    assert (moved.ahead, fills) == (100.0, ())
    after, fills = match(moved, tick(3), Traded(99.99, 99.99, 350))
    assert fills == ((250, 99.99),)
    assert after.ahead == 0.0


def test_half_of_a_second_of_several_prices_traded_at_its_own() -> None:
    joined, _ = match(Queued(child(99.99)), tick(1), QUIET)
    moved, _ = match(joined, tick(2), Traded(100.01, 99.99, 400))
    assert moved.ahead == 300.0


def test_a_queue_that_shows_less_has_moved() -> None:
    joined, _ = match(Queued(child(99.99)), tick(1), QUIET)
    moved, _ = match(joined, tick(2, bid_size=120.0), QUIET)
    assert moved.ahead == 120.0


def test_trades_through_its_price_fill_it_where_the_touch_goes_too() -> None:
    joined, _ = match(Queued(child(99.99)), tick(1), QUIET)
    gone = tick(2, bid=99.97, ask=100.0)
    assert match(joined, gone, Traded(99.99, 99.97, 300))[1] == ((300, 99.99),)
    # A print alone may be a late one.
    stays, fills = match(joined, tick(2), Traded(99.99, 99.95, 300))
    assert (stays.ahead, fills) == (350.0, ())


def test_the_far_touch_that_comes_to_a_resting_order_fills_it_at_its_own_price() -> None:
    joined, _ = match(Queued(child(99.99)), tick(1), QUIET)
    assert match(joined, tick(2, bid=99.95, ask=99.97), QUIET)[1] == ((500, 99.99),)


def test_inside_the_spread_there_is_no_queue() -> None:
    joined, _ = match(Queued(child(100.0)), tick(1), QUIET)
    assert match(joined, tick(2), Traded(100.0, 100.0, 60))[1] == ((60, 100.0),)


def test_nothing_fills_without_quotes_or_trades() -> None:
    joined, _ = match(Queued(child(99.99)), tick(1), QUIET)
    assert match(joined, tick(2, bid=0.0, ask=0.0), Traded(90.0, 90.0, 9000)) == (joined, ())
    assert match(joined, tick(2), QUIET) == (joined, ())


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_pegged_order_meets_a_tenth_of_what_trades_at_the_mid(side: Side) -> None:
    cap = 100.3 if side is Side.BUY else 99.7
    pegged = Queued(child(cap, side=side, ord_type=OrdType.PEGGED_MIDPOINT))
    assert match(pegged, tick(1), Traded(100.0, 100.0, 900))[1] == ((90, 100.0),)
    worse = 100.01 if side is Side.BUY else 99.99
    assert match(pegged, tick(1), Traded(worse, worse, 900))[1] == ()
    beyond = 100.0 - 0.5 * side.sign
    capped = Queued(child(beyond, side=side, ord_type=OrdType.PEGGED_MIDPOINT))
    assert match(capped, tick(1), Traded(100.0, 100.0, 900))[1] == ()


def test_buying_and_selling_mirror_each_other() -> None:
    for qty, traded in ((800, Traded(99.99, 99.99, 700)), (300, Traded(99.99, 99.98, 100))):
        buy, _ = match(Queued(child(99.99, qty)), tick(1), QUIET)
        sell, _ = match(Queued(child(100.01, qty, Side.SELL)), tick(1), QUIET)
        mirrored = Traded(200.0 - traded.low, 200.0 - traded.high, traded.volume)
        bought = match(buy, tick(2), traded)[1]
        sold = match(sell, tick(2), mirrored)[1]
        assert [q for q, _ in bought] == [q for q, _ in sold]


# The broker around it


def told(broker: QuoteBroker, seconds: float, traded: Traded = QUIET) -> list[tuple[str, int]]:
    reports = broker.advance("S0000", tick(seconds), traded)
    return [(report.exec_type.value, report.last_qty) for report in reports]


def test_it_answers_a_tick_later_and_in_order() -> None:
    broker, order = QuoteBroker(CostSettings()), child(99.99)
    broker.send((Instruction(Action.NEW, order), Instruction(Action.CANCEL, order)))
    assert told(broker, 1) == [("NEW", 0), ("CANCELED", 0)]
    broker.send((Instruction(Action.CANCEL, order),))
    assert told(broker, 2) == [("CANCEL_REJECTED", 0)]


def test_an_immediate_order_ends_with_the_tick_it_meets() -> None:
    broker = QuoteBroker(CostSettings())
    broker.send((Instruction(Action.NEW, child(100.01, 800, tif=Tif.IOC)),))
    assert told(broker, 1) == [("NEW", 0), ("TRADE", 500), ("CANCELED", 0)]
    assert not broker.held


def test_a_replace_to_what_has_filled_cancels_and_a_smaller_one_keeps_its_place() -> None:
    broker, order = QuoteBroker(CostSettings()), child(99.99)
    broker.send((Instruction(Action.NEW, order),))
    told(broker, 1)
    told(broker, 2, Traded(99.99, 99.99, 600))
    assert broker.held["p.1"].queued.cum_qty == 100
    smaller = child(99.99, 500, revision=1)
    broker.send((Instruction(Action.REPLACE, smaller),))
    assert told(broker, 3) == [("REPLACED", 0)]
    assert broker.held["p.1"].queued.ahead == 0.0
    broker.send((Instruction(Action.REPLACE, child(99.99, 100, revision=2)),))
    assert told(broker, 4) == [("CANCELED", 0)]


def test_commission_is_charged_on_the_child_as_a_whole() -> None:
    broker = QuoteBroker(CostSettings())
    broker.send((Instruction(Action.NEW, child(100.02, 1000)),))
    reports = broker.advance("S0000", tick(1), QUIET)
    assert [report.fee_micro for report in reports] == [0, 2_500_000, 2_500_000]


def test_the_auction_fills_what_its_limit_allows_and_ends_the_day() -> None:
    broker = QuoteBroker(CostSettings())
    loc = child(100.0, ord_type=OrdType.LIMIT_ON_CLOSE, tif=Tif.CLS)
    broker.send((Instruction(Action.NEW, loc),))
    assert told(broker, 1, Traded(99.0, 99.0, 9000)) == [("NEW", 0)]
    assert [r.exec_type for r in broker.auction("S0000", 100.5, START)] == [ExecType.EXPIRED]
    broker.send((Instruction(Action.NEW, loc),))
    told(broker, 2)
    filled = broker.auction("S0000", 99.9, START)
    assert [(r.exec_type, r.last_qty, r.last_px) for r in filled] == [(ExecType.TRADE, 1000, 99.9)]
