"""Each check of the gate on an order that fails it, and on one that does not by a hair."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deadband.core.orders import Order, OrdStatus, OrdType, Replacement, Sent, Side, Terms
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.execute.gate import Asked, gate
from tests import kit
from tests.kit.gate import NAMES, asked, buy, said, sell, short, wide
from tests.kit.orders import NOW_NS

LONG = kit.portfolio(NAMES, shares={"S0000": 500})
SHORT = kit.portfolio(NAMES, shares={"S0000": -500})


def verdict(*orders: Order, **given: Any) -> Code | None:
    """The code under which the last of the orders is denied, None if it leaves."""
    passed = gate(asked(*orders, **given))
    assert {*passed.orders, *passed.denied} == set(orders), "no order is lost"
    return said(passed).get(orders[-1].cl_ord_id)


def test_a_sane_order_leaves_as_it_came() -> None:
    judged = asked(buy(), sell("S0001", 50), book=kit.portfolio(NAMES, shares={"S0001": 50}))
    assert gate(judged) == judged.plan


def quotes(**columns: Any) -> Any:
    return kit.market(NAMES, **{name: {"S0000": value} for name, value in columns.items()})


EVERY: dict[str, tuple[Code, dict[str, Any], Order]] = {
    "account": (Code.GATE_ACCOUNT, {"made": wide(account="U2")}, sell()),
    "currency": (Code.GATE_ACCOUNT, {"made": wide(currency="EUR")}, sell()),
    "halted switch": (Code.GATE_KILLED, {"switch": Switch("HALTED")}, sell()),
    "halted name": (Code.GATE_NOT_TRADABLE, {"market": quotes(halted=True)}, sell()),
    "closed": (Code.GATE_NOT_TRADABLE, {"now": kit.clock("16:00")}, sell()),
    "restricted": (Code.GATE_NOT_TRADABLE, {"made": wide(restricted=("S0000",))}, sell()),
    "no bid": (Code.GATE_NO_QUOTE, {"market": quotes(bid=0.0)}, sell()),
    "crossed": (Code.GATE_NO_QUOTE, {"market": quotes(bid=101.0)}, sell()),
    "never traded": (Code.GATE_NO_QUOTE, {"market": quotes(last=0.0)}, sell()),
    "stale": (Code.GATE_STALE_QUOTE, {"market": quotes(quote_age_s=450.5)}, sell()),
    "price far below": (Code.GATE_COLLAR, {}, sell(price=94.99)),
    "price far above": (Code.GATE_COLLAR, {}, sell(price=1000.0)),
    "price is no number": (Code.GATE_COLLAR, {}, sell(price=float("nan"))),
    "price without end": (Code.GATE_COLLAR, {}, sell(price=float("inf"))),
    "far touch": (Code.GATE_COLLAR, {"market": quotes(bid=94.0)}, sell()),
    "market order": (
        Code.GATE_COLLAR,
        {"market": quotes(bid=94.0)},
        sell(ord_type=OrdType.MARKET, price=0.0),
    ),
    "off tick": (Code.GATE_TICK, {}, sell(price=99.995)),
    "no shares": (Code.GATE_LOT, {}, sell(qty=0)),
    "less than none": (Code.GATE_LOT, {}, sell(qty=-5)),
    "not listed": (Code.GATE_NOT_DECIDED, {}, sell("GHOST")),
    "not decided": (Code.GATE_NOT_DECIDED, {"target": LONG.weights}, sell()),
    "other side": (Code.GATE_NOT_DECIDED, {"target": LONG.weights + 0.1}, sell()),
    "other decision": (Code.GATE_NOT_DECIDED, {}, sell(decision_id="0")),
    "more than decided": (Code.GATE_MORE_THAN_DECIDED, {"target": LONG.weights - 0.0096}, sell()),
    "more than held": (Code.GATE_POSITION, {}, sell(qty=501)),
    "short of what is held": (Code.GATE_POSITION, {}, short()),
}


@pytest.mark.parametrize("case", EVERY)
def test_even_an_exit_has_to_be_sane(case: str) -> None:
    code, given, order = EVERY[case]
    assert verdict(sell(), book=LONG) is None
    assert verdict(order, **({"book": LONG} | given)) is code


def test_what_is_just_inside_leaves() -> None:
    assert verdict(sell(price=95.0), book=LONG) is None
    assert verdict(sell(price=105.0), book=LONG) is None
    assert verdict(sell(), book=LONG, market=quotes(quote_age_s=450.0)) is None
    assert verdict(sell(), book=LONG, now=kit.clock("15:59")) is None
    assert verdict(sell(), book=LONG, target=LONG.weights - 0.0097) is None
    assert verdict(sell(qty=500), book=LONG) is None
    assert verdict(sell(price=99.99), book=LONG) is None


def test_a_market_order_needs_no_price() -> None:
    assert verdict(buy(ord_type=OrdType.MARKET, price=0.0)) is None


def test_below_a_dollar_a_tick_is_a_hundredth_of_a_cent() -> None:
    penny = kit.portfolio(NAMES, shares={"S0000": 500}, price={"S0000": 0.5})
    market = kit.market(NAMES, price={"S0000": 0.5})
    assert verdict(sell(price=0.4999), book=penny, market=market) is None
    assert verdict(sell(price=0.49995), book=penny, market=market) is Code.GATE_TICK


def test_a_name_for_risk_only_may_shrink_but_not_grow() -> None:
    seen_only = replace(NAMES, traded=np.array([False, True, True, True]))

    def of(judged: Asked) -> Code | None:
        plan = gate(replace(judged, universe=seen_only))
        return next(iter(said(plan).values()), None)

    assert of(asked(sell(), book=LONG)) is None
    assert of(asked(buy())) is Code.GATE_NOT_TRADABLE
    assert of(asked(buy(), made=wide(hedge_symbol="S0000"))) is None


def test_the_same_order_twice() -> None:
    assert verdict(buy(), replace(buy(), cl_ord_id="again")) is Code.GATE_DUPLICATE
    assert verdict(buy(), buy(qty=101)) is None
    working = kit.working("old", transact_time=NOW_NS - 29 * 10**9, decision_id="0")
    older = kit.working("old", transact_time=NOW_NS - 31 * 10**9, decision_id="0")
    assert verdict(buy(), working=(working,)) is Code.GATE_DUPLICATE
    assert verdict(buy(), working=(older,)) is None
    assert verdict(buy(), working=(older,), made=wide(duplicate_s=40.0)) is Code.GATE_DUPLICATE
    filled = Sent(1, 1e4, (working.order,))
    assert verdict(buy(), sent=filled) is Code.GATE_DUPLICATE


def test_an_id_is_used_once() -> None:
    older = kit.working(buy().cl_ord_id, order_qty=7, transact_time=0, decision_id="0")
    assert verdict(buy(), working=(older,)) is Code.GATE_DUPLICATE


def test_what_left_for_a_decision_counts_against_it() -> None:
    """Sent, then asked for again under another id and in another size: at most once (I1)."""
    half = kit.working("first", order_qty=60, transact_time=NOW_NS)
    decided, gone = np.array([0.01, 0, 0, 0]), Sent(1, 6e3, (half.order,))
    assert verdict(buy(qty=43), sent=gone, target=decided) is None
    assert verdict(buy(qty=44), sent=gone, target=decided) is Code.GATE_MORE_THAN_DECIDED
    # What works is part of the book that the decision was made on.
    further = np.array([0.016, 0, 0, 0])
    both = {"working": (half,), "sent": gone, "target": further}
    assert verdict(buy(qty=43), **both) is None, "one that works and was just sent counts once"
    assert verdict(buy(qty=44), **both) is Code.GATE_MORE_THAN_DECIDED
    split = (buy(qty=60), buy(qty=44))
    assert verdict(*split, target=decided) is Code.GATE_MORE_THAN_DECIDED


def both_held() -> Any:
    return kit.portfolio(NAMES, shares={"S0000": 500, "S0001": 500})


@pytest.mark.parametrize("status", [OrdStatus.NEW, OrdStatus.PENDING_CANCEL, OrdStatus.UNKNOWN])
def test_no_order_meets_one_of_our_own(status: OrdStatus) -> None:
    bid = kit.working("bid", status=status, decision_id="0", transact_time=0)
    assert verdict(sell(), book=LONG, working=(bid,)) is Code.GATE_SELF_CROSS
    assert verdict(sell(), book=LONG, working=(bid,), cancels=("bid",)) is None
    assert verdict(sell("S0001"), book=both_held(), working=(bid,)) is None
    assert verdict(buy(), short()) is Code.GATE_NOT_DECIDED, "only one side of a name is decided"


SELL = {"side": sell().side}


@pytest.mark.parametrize("how", ["canceled", "reduced"])
@pytest.mark.parametrize(("qty", "code"), [(102, None), (104, Code.GATE_MORE_THAN_DECIDED)])
def test_what_goes_of_the_other_side_is_less_to_trade(
    how: str, qty: int, code: Code | None
) -> None:
    """200 to go: 100 are taken off a buy at work, 100 and three lots of rounding may be sold."""
    gone: dict[str, Any] = {"cancels": ("w",)} if how == "canceled" else {"replaces": (to(40),)}
    left = 140 if how == "reduced" else 100
    bid = kit.working("w", order_qty=left, decision_id="0", transact_time=0)
    target = np.array([0.05 + (left - 200) * 1e-4, 0.0, 0.0, 0.0])
    passed = gate(asked(sell(qty=qty), book=LONG, working=(bid,), target=target, **gone))
    codes = list(said(passed).values())
    # Only a cancel leaves before a new order may; a bid that is but reduced may still be met.
    assert codes == ([code] if code else [] if how == "canceled" else [Code.GATE_SELF_CROSS])


def test_a_share_is_sold_once() -> None:
    offered = kit.working("o", order_qty=450, decision_id="0", transact_time=0, **SELL)
    assert verdict(sell(qty=50), book=LONG, working=(offered,)) is None
    assert verdict(sell(qty=51), book=LONG, working=(offered,)) is Code.GATE_POSITION
    lost = replace(offered, status=OrdStatus.UNKNOWN)
    assert verdict(sell(qty=51), book=LONG, working=(lost,)) is Code.GATE_POSITION
    assert verdict(sell(qty=300), sell(qty=201), book=LONG) is Code.GATE_POSITION
    assert verdict(sell(qty=500), short(qty=100), book=LONG) is None


def test_a_short_sale_needs_leave() -> None:
    assert verdict(short()) is None
    assert verdict(short(), market=quotes(shortable=False)) is Code.GATE_SHORT
    assert verdict(short(), made=wide(no_short=("S0000",))) is Code.GATE_SHORT
    assert verdict(short(), made=wide(account_type="cash")) is Code.GATE_SHORT
    assert verdict(short(), made=wide(allow_short=False)) is Code.GATE_LIMIT


def test_a_short_sale_goes_where_the_sale_before_it_goes() -> None:
    off_tick = sell(qty=500, price=99.995)
    assert verdict(off_tick, short(), book=LONG) is Code.GATE_LEG


GROWING: dict[str, tuple[Code, dict[str, Any], dict[str, Any]]] = {
    "reducing": (Code.GATE_KILLED, {"switch": Switch("REDUCING")}, {}),
    "flatten all": (Code.GATE_KILLED, {"switch": Switch(flatten=("GLOBAL",))}, {}),
    "flatten it": (Code.GATE_KILLED, {"switch": Switch(flatten=("S0000",))}, {}),
    "close only": (Code.GATE_CLOSE_ONLY, {"made": wide(close_only=("S0000",))}, {}),
    "odd lot": (Code.GATE_LOT, {"made": wide(round_lot=30)}, {"made": wide(round_lot=20)}),
    "shares": (
        Code.GATE_SIZE_SHARES,
        {"made": wide(max_order_shares=99.0)},
        {"made": wide(max_order_shares=100.0)},
    ),
    "dollars": (
        Code.GATE_SIZE_USD,
        {"made": wide(max_order_usd=9_999.0)},
        {"made": wide(max_order_usd=10_000.0)},
    ),
    "share of NAV": (
        Code.GATE_SIZE_NAV,
        {"made": wide(max_order_nav=0.0099)},
        {"made": wide(max_order_nav=0.01)},
    ),
    "share of volume": (
        Code.GATE_SIZE_ADV,
        {"market": quotes(adv=1999.0)},
        {"market": quotes(adv=2000.0)},
    ),
    "no volume": (Code.GATE_SIZE_ADV, {"market": quotes(adv=0.0)}, {}),
    "a second": (
        Code.GATE_RATE,
        {"made": wide(max_orders_per_s=0.5)},
        {"made": wide(max_orders_per_s=1.0)},
    ),
    "a day": (
        Code.GATE_DAY_COUNT,
        {"sent": Sent(20_000, 0.0)},
        {"sent": Sent(19_999, 0.0)},
    ),
    "a day's dollars": (
        Code.GATE_DAY_USD,
        {"sent": Sent(1, 20e6 - 9_999.0)},
        {"sent": Sent(1, 20e6 - 10_000.0)},
    ),
    "a day's loss": (
        Code.GATE_DAILY_LOSS,
        {"start_nav": kit.NAV / 0.97},
        {"start_nav": kit.NAV / 0.971},
    ),
    "no start": (Code.GATE_DAILY_LOSS, {"start_nav": 0.0}, {}),
}


@pytest.mark.parametrize("case", GROWING)
def test_what_stops_growth_stops_no_exit(case: str) -> None:
    code, given, inside = GROWING[case]
    assert verdict(buy(), **given) is code
    assert verdict(sell(), **given, book=LONG) is None
    assert verdict(buy(), **given, book=SHORT) is None, "covering is an exit too"
    assert verdict(buy(), **inside) is None


def test_orders_of_the_last_minute_count() -> None:
    minute_ago = buy("S0001", transact_time=NOW_NS - 59 * 10**9)
    one = wide(max_orders_per_min=1.0)
    assert verdict(buy(), made=one, sent=Sent(1, 0.0, (minute_ago,))) is Code.GATE_RATE
    older = replace(minute_ago, transact_time=NOW_NS - 61 * 10**9)
    assert verdict(buy(), made=one, sent=Sent(1, 0.0, (older,))) is None


def test_a_note_says_what_the_check_saw_and_its_bound() -> None:
    passed = gate(asked(buy(price=94.0)))
    (note,) = passed.notes
    assert note.facts == pytest.approx({"shares": 100, "price": 94.0, "value": 600, "bound": 500})
    assert (note.code, note.symbol) == (Code.GATE_COLLAR, "S0000")


def test_cancels_always_pass() -> None:
    judged = asked(buy(), cancels=("old",), switch=Switch("HALTED"))
    assert gate(judged).cancels == ("old",)


# Changes of orders at work


AT_WORK = kit.working("w", order_qty=200, cum_qty=50, decision_id="0", transact_time=0)


def to(qty: int, price: float = kit.PRICE, ref: str = "w") -> Replacement:
    return Replacement(ref, qty, price)


def changed(*changes: Replacement, **given: Any) -> tuple[tuple[Replacement, ...], list[Code]]:
    passed = gate(asked(replaces=changes, **({"working": (AT_WORK,)} | given)))
    return passed.replaces, list(said(passed).values())


def test_a_reduction_passes_like_a_cancel() -> None:
    tight = wide(max_order_shares=1.0, max_orders_per_s=1e-6, per_name_cap=1e-6)
    for given in ({}, {"made": tight}, {"switch": Switch("REDUCING")}, {"now": kit.clock("16:00")}):
        assert changed(to(120), **given) == ((to(120),), [])


@pytest.mark.parametrize(
    ("changes", "given"),
    [
        ((to(120, ref="other"),), {}),
        ((to(50),), {}),
        ((to(0),), {}),
        ((to(120, price=99.0),), {}),
        ((to(300),), {"cancels": ("w",)}),
        ((to(300),), {"working": (replace(AT_WORK, status=OrdStatus.PENDING_CANCEL),)}),
        ((to(300),), {"working": (replace(AT_WORK, status=OrdStatus.PENDING_NEW),)}),
        ((to(300),), {"working": (replace(AT_WORK, wanted=AT_WORK.order),)}),
        (
            (to(300),),
            {
                "working": (
                    replace(AT_WORK, order=replace(AT_WORK.order, terms=Terms(strategy="Vwap"))),
                )
            },
        ),
    ],
    ids=[
        *("unknown", "filled", "nothing", "another price", "canceled too", "being canceled"),
        *("not answered", "changed already", "the broker's algorithm"),
    ],
)
def test_a_change_of_what_cannot_be_changed_so_does_not_leave(
    changes: tuple[Replacement, ...], given: dict[str, Any]
) -> None:
    left, codes = changed(*changes, **given)
    assert left == ()
    # What takes off, and is none, adds nothing either: it is no whole number of shares.
    assert codes == [Code.GATE_CHANGE] or codes == [Code.GATE_LOT]


def test_a_second_change_of_an_order_does_not_leave() -> None:
    assert changed(to(120), to(130)) == ((to(120),), [Code.GATE_CHANGE])


RAISES: dict[str, tuple[Code, dict[str, Any], Replacement]] = {
    "price": (Code.GATE_COLLAR, {}, to(300, price=110.0)),
    "tick": (Code.GATE_TICK, {}, to(300, price=100.005)),
    "all that is left": (Code.GATE_SIZE_SHARES, {"made": wide(max_order_shares=249)}, to(300)),
    "pace": (Code.GATE_RATE, {"made": wide(max_orders_per_s=0.5)}, to(300)),
    "count": (Code.GATE_DAY_COUNT, {"sent": Sent(20_000)}, to(300)),
    "notional": (Code.GATE_DAY_USD, {"sent": Sent(1, 1e9)}, to(300)),
    "cap": (Code.GATE_LIMIT, {"made": wide(per_name_cap=0.0249)}, to(300)),
    "switch": (Code.GATE_KILLED, {"switch": Switch("REDUCING")}, to(300)),
    "decision": (Code.GATE_MORE_THAN_DECIDED, {"target": np.array([0.02, 0, 0, 0])}, to(300)),
    "no decision": (Code.GATE_NOT_DECIDED, {"target": np.array([0.015, 0, 0, 0])}, to(300)),
    "twice": (
        Code.GATE_DUPLICATE,
        {"sent": Sent(1, 0.0, (kit.order("o", order_qty=100, decision_id="0"),))},
        to(300),
    ),
}


@pytest.mark.parametrize("case", RAISES)
def test_a_raise_passes_every_check_that_a_new_order_does(case: str) -> None:
    code, given, change = RAISES[case]
    assert changed(change, **given) == ((), [code])
    assert changed(to(300)) == ((to(300),), [])


def test_a_raise_sells_no_more_than_is_held() -> None:
    selling = kit.working("w", side=Side.SELL, order_qty=200, decision_id="0", transact_time=0)
    given = {"book": kit.portfolio(NAMES, shares={"S0000": 300}), "working": (selling,)}
    assert changed(to(300), **given) == ((to(300),), [])
    assert changed(to(301), **given) == ((), [Code.GATE_POSITION])


def test_what_a_reduction_takes_off_makes_no_room_yet() -> None:
    """It may fill before it is reduced: a name's cap counts the order as it was."""
    made = wide(max_gross_exposure=0.03)
    sold = short("S0001", 160)
    assert verdict(sold, working=(AT_WORK,), made=made, replaces=(to(60),)) is Code.GATE_LIMIT
    alone = replace(AT_WORK, order=replace(AT_WORK.order, order_qty=60))
    assert verdict(sold, working=(alone,), made=made) is None


def test_where_the_gate_fails_no_change_leaves() -> None:
    judged = asked(working=(AT_WORK,), replaces=(to(120),))
    broken = replace(judged, seen=replace(judged.seen, portfolio=None))  # type: ignore[arg-type]
    passed = gate(broken)
    assert passed.replaces == ()
    assert [(note.code, note.counterpart) for note in passed.notes] == [(Code.GATE_FAILED, "w")]


def test_a_switch_that_could_not_be_read_is_said() -> None:
    passed = gate(asked(sell(), book=LONG, switch=Switch("HALTED", fault="cut off")))
    assert [note.code for note in passed.notes] == [Code.GATE_KILLED, Code.KILL_UNREADABLE]
    assert passed.notes[1].symbol == "GLOBAL"
