"""What each algorithm sends on quotes that are easy to follow."""

from dataclasses import replace

import pytest

from deadband.core.errors import BrokerError, ConfigError
from deadband.core.orders import Action, Algorithm, ExecType, OrdType, Side, Tif, Venue
from deadband.core.parents import Progress
from deadband.core.reasons import Code
from deadband.core.tactics import Tactics
from deadband.execute.algorithms.hand_off import hand_off
from deadband.execute.algorithms.sliced import edge
from deadband.execute.algorithms.table import WISHES
from deadband.execute.machine import act, observe
from tests.kit.parents import SECOND, START, Desk, parent, tick


def test_every_algorithm_has_its_place_in_the_table() -> None:
    assert set(WISHES) == set(Algorithm)


# Marketable


def test_marketable_takes_the_far_touch_twice_and_gives_up() -> None:
    desk = Desk.of(Algorithm.MARKETABLE)
    first = desk.at(0)
    assert first is not None and first.order.tif is Tif.IOC
    assert (first.order.order_qty, first.order.price) == (1000, 100.07)
    desk.fill(300)
    desk.tell(ExecType.CANCELED)
    second = desk.at(1, bid=100.09, ask=100.11)
    assert second is not None and (second.order.order_qty, second.order.price) == (700, 100.17)
    desk.tell(ExecType.CANCELED)
    assert desk.at(2) is None
    assert desk.progress.outcome is Code.ORDER_GAVE_UP
    assert desk.progress.leaves_qty == 700


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, 100.3), (Side.SELL, 99.7)])
def test_no_child_is_priced_beyond_the_collar(side: Side, price: float) -> None:
    desk = Desk.of(Algorithm.MARKETABLE, side=side)
    away = 0.5 * side.sign
    sent = desk.at(0, bid=99.99 + away, ask=100.01 + away)
    assert sent is not None and sent.order.price == price


def test_marketable_goes_on_where_it_was_only_allowed_a_part() -> None:
    desk = Desk.of(Algorithm.MARKETABLE)
    for seconds in range(3):
        desk.at(seconds, allowed=100)
        desk.fill(100)
    assert desk.at(3, allowed=100) is not None
    assert desk.progress.filled == 300


def test_marketable_waits_where_the_spread_is_too_wide() -> None:
    desk = Desk.of(Algorithm.MARKETABLE)
    assert desk.at(0, bid=99.0, ask=101.0) is None
    assert desk.progress.waits is Code.ALGO_NO_QUOTE
    assert desk.at(1) is not None


# Passive, then aggressive


def test_passive_joins_climbs_and_crosses_by_its_deadline() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    quote = {"bid": 99.95, "ask": 100.05}
    sent = [desk.at(seconds, **quote) for seconds in (0, 60, 120, 180, 240, 299)]
    prices = [one and one.order.price for one in sent]
    # A ladder of two rungs until 0.8 of five minutes, then the far touch and the sweep.
    assert prices == [99.95, None, 100.0, None, 100.11, None]
    assert [one.action for one in sent if one] == [Action.NEW, Action.REPLACE, Action.REPLACE]
    assert sent[0].order.reason is Code.ALGO_RESTS
    assert sent[4].order.reason is Code.ALGO_CROSSES


def test_passive_ends_at_its_deadline_with_a_cancel() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    last = desk.at(300)
    assert last is not None and last.action is Action.CANCEL
    desk.at(301)
    assert desk.progress.outcome is Code.ORDER_DEADLINE


@pytest.mark.parametrize(
    ("quote", "code"),
    [
        ({"bid": 100.04, "ask": 100.06}, Code.ALGO_ADVERSE),
        ({"bid_size": 5000.0, "ask_size": 500.0}, Code.ALGO_IMBALANCE),
    ],
)
def test_passive_crosses_early_where_waiting_has_become_dear(
    quote: dict[str, float], code: Code
) -> None:
    desk = Desk.of(Algorithm.PASSIVE, tactics=Tactics(adverse_spreads=2.0, imbalance=10.0))
    desk.at(0)
    crossed = desk.at(1, **quote)
    assert crossed is not None and crossed.action is Action.REPLACE
    assert crossed.order.reason is code
    assert crossed.order.price > quote.get("ask", 100.01)
    # It does not go back to resting when the market calms down.
    desk.at(10)
    assert desk.child.price >= 100.01


def test_no_alarm_is_set_unless_asked_for() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    followed = desk.at(10, bid=100.1, ask=100.12, bid_size=50_000.0)
    assert followed is not None and followed.order.reason is Code.ALGO_RESTS


def test_a_resting_order_follows_the_touch_but_never_steps_back() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    assert desk.at(10, bid=99.97, ask=99.99) is None
    followed = desk.at(20, bid=100.01, ask=100.03)
    assert followed is not None and followed.order.price == 100.01
    assert desk.at(22, bid=100.0, ask=100.04) is None


def test_prices_change_no_more_often_than_is_allowed() -> None:
    desk = Desk.of(Algorithm.PASSIVE, tactics=Tactics(max_replaces=2, min_reprice_s=5.0))
    quotes = [(k, 99.99 + 0.001 * k) for k in range(0, 20)]
    changed = [k for k, bid in quotes if desk.at(k, bid=bid, ask=bid + 0.02)]
    assert changed == [0, 10, 20] or changed == [0, 10]
    assert desk.progress.replaces <= 2


# Pegged


def test_peg_rests_at_the_mid_with_the_collar_as_cap_and_crosses_at_the_end() -> None:
    desk = Desk.of(Algorithm.PEG_MID)
    pegged = desk.at(0)
    assert pegged is not None and pegged.order.ord_type is OrdType.PEGGED_MIDPOINT
    assert pegged.order.price == 100.3
    assert desk.at(100, bid=100.0, ask=100.02) is None
    # A change of kind: the pegged order is canceled first, and only then a new one is sent.
    assert [desk.at(240).action, desk.at(241).action] == [Action.CANCEL, Action.NEW]
    assert desk.child.ord_type is OrdType.LIMIT


# Schedules


def test_twap_slices_evenly_and_carries_over_what_a_slice_left() -> None:
    desk = Desk.of(Algorithm.TWAP, tactics=Tactics(slices=4, jitter=0.0, cross_at=1.0, rungs=1))
    assert desk.at(0).order.order_qty == 250
    desk.fill(200)
    again = desk.at(75)
    assert again.action is Action.REPLACE and again.order.order_qty == 500
    assert desk.progress.worst_leaves + desk.progress.filled == 500


def test_slices_begin_at_times_that_only_the_order_s_id_decides() -> None:
    one, same = parent(Algorithm.TWAP), parent(Algorithm.TWAP)
    other = parent(Algorithm.TWAP, order_id="db.20260303.000007.004")
    edges = [[edge(p, k) for k in range(11)] for p in (one, same, other)]
    assert edges[0] == edges[1] != edges[2]
    assert edges[0] == sorted(edges[0])
    assert (edges[0][0], edges[0][-1]) == (0.0, 1.0)
    assert all(abs(e - k / 10) <= 0.025 for k, e in enumerate(edges[0]))


def test_a_schedule_that_need_not_complete_never_crosses() -> None:
    desk = Desk.of(Algorithm.TWAP, tactics=Tactics(complete=False))
    for seconds in range(0, 300, 7):
        desk.at(seconds)
    assert all(one.order.price < 100.0 for one in desk.sent)


def test_vwap_follows_its_volume_curve() -> None:
    tactics = Tactics(slices=4, jitter=0.0)
    desk = Desk.of(Algorithm.VWAP, tactics=tactics, curve=(3.0, 1.0, 0.0, 4.0))
    assert desk.at(0).order.order_qty == 375
    assert desk.at(75).order.order_qty == 500
    assert desk.at(155) is None or desk.child.order_qty == 500


def test_what_a_slice_left_crosses_by_itself_while_the_next_one_rests() -> None:
    desk = Desk.of(Algorithm.TWAP, tactics=Tactics(slices=2, jitter=0.0))
    desk.at(0)
    assert desk.at(125).order.reason is Code.ALGO_CROSSES
    desk.fill(400)
    assert desk.at(151) is None
    desk.fill(100)
    rests = desk.at(152)
    assert rests.action is Action.NEW and rests.order.order_qty == 500
    assert rests.order.price == 99.99


def test_arrival_trades_earlier_the_more_risk_costs() -> None:
    calm = Tactics(slices=10, jitter=0.0, risk_aversion=1e-9)
    quick = replace(calm, risk_aversion=1e-2)
    first = [
        Desk.of(Algorithm.ARRIVAL, tactics=one, seconds=3600).at(0).order.order_qty
        for one in (calm, quick)
    ]
    assert first[0] == pytest.approx(100, abs=1)
    assert first[1] > 200


def test_pov_follows_the_volume_between_its_rates() -> None:
    tactics = Tactics(participation=0.1, min_participation=0.05, max_participation=0.2)
    desk = Desk.of(Algorithm.POV, tactics=tactics)
    assert desk.at(0) is None
    assert desk.at(1, volume=1000).order.order_qty == 100
    assert desk.child.price == 99.99
    behind = desk.at(7, volume=2000)
    assert behind.order.reason is Code.ALGO_BEHIND
    assert behind.order.order_qty == 300


def test_pov_completes_only_within_its_largest_rate() -> None:
    desk = Desk.of(Algorithm.POV)
    desk.at(0)
    desk.at(240, volume=1000)
    assert desk.child.order_qty == 200
    assert desk.child.reason is Code.ALGO_CROSSES


# The close


def test_close_joins_the_auction_before_the_cut_off_and_leaves_it_alone_after() -> None:
    to_close = (parent().close - START) / SECOND
    desk = Desk.of(Algorithm.CLOSE, seconds=to_close + 300)
    sent = desk.at(to_close - 1200)
    assert (sent.order.ord_type, sent.order.tif) == (OrdType.LIMIT_ON_CLOSE, Tif.CLS)
    assert sent.order.venue is Venue.PRIMARY
    assert sent.order.price == 100.3, "50 bps from the mid, but not beyond the collar"
    assert desk.at(to_close - 300, bid=0.0, ask=0.0) is None
    desk.fill(400)
    desk.tell(ExecType.EXPIRED)
    desk.at(to_close + 300)
    assert desk.progress.outcome is Code.ORDER_DEADLINE


def test_close_after_the_cut_off_climbs_the_ladder() -> None:
    to_close = (parent().close - START) / SECOND
    desk = Desk.of(Algorithm.CLOSE, seconds=to_close)
    sent = desk.at(to_close - 500)
    assert (sent.order.ord_type, sent.order.tif) == (OrdType.LIMIT, Tif.DAY)
    assert desk.at(to_close - 60).order.reason is Code.ALGO_CROSSES


def test_close_without_a_limit_is_market_on_close() -> None:
    desk = Desk.of(Algorithm.CLOSE, seconds=21600, tactics=Tactics(close_limit_bps=0.0))
    assert desk.at(0).order.ord_type is OrdType.MARKET_ON_CLOSE


# Hand-off

TIMES = [("startTime", "20260303-15:00:00"), ("endTime", "20260303-15:05:00")]
DESCRIBED = {
    Algorithm.IB_ADAPTIVE: ("Adaptive", [("adaptivePriority", "Normal")]),
    Algorithm.IB_TWAP: (
        "Twap",
        [("strategyType", "Midpoint"), *TIMES, ("allowPastEndTime", "0")],
    ),
    Algorithm.IB_VWAP: (
        "Vwap",
        [("maxPctVol", "0.2"), *TIMES, ("allowPastEndTime", "0"), ("noTakeLiq", "0")],
    ),
    Algorithm.IB_ARRIVAL: (
        "ArrivalPx",
        [
            ("maxPctVol", "0.2"),
            ("riskAversion", "Neutral"),
            *TIMES,
            ("forceCompletion", "1"),
            ("allowPastEndTime", "0"),
        ],
    ),
    Algorithm.IB_PCT_VOL: ("PctVol", [("pctVol", "0.1"), *TIMES, ("noTakeLiq", "0")]),
}


@pytest.mark.parametrize("algorithm", sorted(DESCRIBED))
def test_a_hand_off_names_ib_s_algorithm_and_is_never_modified(algorithm: Algorithm) -> None:
    desk = Desk.of(algorithm)
    sent = desk.at(0)
    strategy, params = DESCRIBED[algorithm]
    assert sent.order.reason is Code.ALGO_HANDED_OFF
    assert sent.order.hand_off is not None
    assert (sent.order.hand_off.strategy, list(sent.order.hand_off.params)) == (strategy, params)
    assert sent.order.price == 100.3
    assert desk.at(100, bid=100.1, ask=100.12) is None
    assert desk.at(300).action is Action.CANCEL


def test_an_exit_is_handed_off_as_urgent() -> None:
    urgent = hand_off(parent(Algorithm.IB_ADAPTIVE, reason="CUT_LOSER"))
    assert urgent.params == (("adaptivePriority", "Urgent"),)


def test_a_rate_ib_would_refuse_is_refused_here() -> None:
    with pytest.raises(ConfigError, match=r"participation=0\.05 is outside of the 0\.1 to 0\.5"):
        hand_off(parent(Algorithm.IB_PCT_VOL, tactics=Tactics(participation=0.05)))


# The machine


def test_a_market_without_quotes_takes_resting_orders_back() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    assert desk.at(1, bid=0.0, ask=0.0).action is Action.CANCEL
    assert desk.at(2, bid=0.0, ask=0.0) is None
    assert desk.progress.waits is Code.ALGO_NO_QUOTE


def test_nothing_is_sent_before_the_start() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    assert desk.at(-1) is None
    assert desk.progress.arrival == 0.0


def test_after_two_rejections_it_ends() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    for seconds in (0, 1):
        desk.at(seconds)
        desk.tell(ExecType.REJECTED)
    assert desk.at(2) is None
    assert desk.progress.outcome is Code.ORDER_CHILD_REJECTED


def test_a_filled_parent_is_done() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    desk.fill(1000)
    assert desk.at(1) is None
    assert desk.progress.outcome is Code.ORDER_DONE


def test_while_an_answer_is_pending_only_a_cancel_is_sent() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.acknowledges = False
    desk.at(0)
    assert desk.at(20, bid=100.01, ask=100.03) is None
    assert desk.at(300).action is Action.CANCEL
    assert desk.at(301) is None


def test_a_refused_replace_leaves_the_child_on_its_old_terms() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    desk.acknowledges = False
    desk.at(20, bid=100.01, ask=100.03)
    desk.tell(ExecType.CANCEL_REJECTED)
    assert desk.child.price == 99.99
    assert desk.progress.outcome is None


def test_a_refusal_answers_the_replace_before_the_cancel_that_followed_it() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    desk.acknowledges = False
    desk.at(20, bid=100.01, ask=100.03)
    desk.at(300)
    desk.tell(ExecType.CANCEL_REJECTED)
    assert desk.at(301) is None, "the cancel is still pending"
    desk.tell(ExecType.CANCEL_REJECTED)
    assert desk.at(302).action is Action.CANCEL


def test_a_child_filled_on_its_old_terms_is_gone_when_its_replace_is_refused() -> None:
    desk = Desk.of(Algorithm.TWAP, tactics=Tactics(slices=2, jitter=0.0, cross_at=1.0, rungs=1))
    desk.at(0)
    desk.acknowledges = False
    assert desk.at(150).order.order_qty == 1000
    desk.fill(500)
    desk.tell(ExecType.CANCEL_REJECTED)
    assert desk.progress.child is None
    assert desk.at(151).order.order_qty == 500


def test_a_late_fill_takes_back_what_was_sent_in_its_place() -> None:
    desk = Desk.of(Algorithm.PEG_MID)
    desk.at(0)
    pegged = desk.child
    desk.at(240)
    desk.at(241)
    desk.tell(ExecType.TRADE, pegged, last_qty=400, last_px=100.0)
    less = desk.at(242)
    assert less.action is Action.REPLACE and less.order.order_qty == 600


def test_more_shares_than_were_sent_stop_everything() -> None:
    desk = Desk.of(Algorithm.PASSIVE)
    desk.at(0)
    with pytest.raises(BrokerError, match=r"filled 1001 of 1000\. Reconcile"):
        desk.fill(1001)


def test_a_tick_that_is_not_newer_changes_nothing() -> None:
    progress = observe(observe(Progress(parent()), tick(0)), tick(5, volume=100))
    assert observe(progress, tick(5, volume=100)) is progress
    assert observe(progress, tick(4, volume=100)) is progress
    assert act(progress, tick(5))[0].volume == 100
