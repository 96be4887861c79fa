"""The gate on the whole book: limits, margin and cash at the worst case, and who has to stay."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deadband.core.orders import Order, OrdStatus, Side, WorkingOrder
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.execute.gate import gate
from tests import kit
from tests.kit.gate import NAMES, asked, buy, said, sell, short, wide


def denied(*orders: Order, **given: Any) -> dict[str, str]:
    """Code and limit of each denied order, by symbol."""
    passed = gate(asked(*orders, **given))
    return {note.symbol: f"{note.code} {note.limit}".strip() for note in passed.notes}


def held(**weights: float) -> Any:
    return kit.portfolio(NAMES, weights=weights)


def working(symbol: str, qty: int, side: Side = Side.BUY, **other: Any) -> WorkingOrder:
    name = f"w.{symbol}.{side}"
    return kit.working(
        name, symbol, order_qty=qty, side=side, decision_id="0", transact_time=0, **other
    )


BETA = np.array([1.0, 1.0, -2.0, 1.0])
LIMITS: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "name": (held(S0000=0.19), "PER_NAME_CAP", {}),
    "gross": (held(S0001=0.2, S0002=-0.2), "GROSS", {"made": {"max_gross_exposure": 0.409}}),
    "net": (held(S0001=0.2), "NET", {"made": {"max_net_exposure": 0.209}}),
    "sector": (held(S0001=0.2), "SECTOR:Energy", {"made": {"sector_cap": 0.209}}),
    "sector gross": (
        held(S0001=-0.2),
        "SECTOR_GROSS:Energy",
        {"made": {"sector_gross_cap": 0.209}},
    ),
    "beta": (held(S0002=-0.1), "BETA", {"made": {"beta_tolerance": 0.209}, "beta": BETA}),
}


@pytest.mark.parametrize("case", LIMITS)
def test_no_limit_is_passed_by_a_share(case: str) -> None:
    book, limit, given = LIMITS[case]
    made = wide(**given.get("made", {}))
    fits = 100 if case == "name" else 90
    rest = {"book": book, "made": made, "beta": given.get("beta")}
    assert denied(buy(qty=fits), **rest) == {}
    assert denied(buy(qty=fits + 1), **rest) == {"S0000": f"GATE_LIMIT {limit}"}


@pytest.mark.parametrize("case", LIMITS)
def test_a_limit_that_is_passed_already_may_not_be_passed_further(case: str) -> None:
    book, limit, given = LIMITS[case]
    tight = {"per_name_cap": 0.1} if case == "name" else given["made"].copy()
    tight = {key: 0.1 for key in tight}
    rest = {"book": book, "made": wide(**tight), "beta": given.get("beta")}
    assert denied(buy(qty=1), **rest)["S0000"].endswith(limit)
    name = next(s for s, w in zip(NAMES.symbols, book.weights, strict=True) if w)
    shrink = sell(name, 10) if book.weights[NAMES.index[name]] > 0 else buy(name, 10)
    assert denied(shrink, **rest) == {}


def test_a_short_has_the_cap_of_a_long() -> None:
    assert denied(short(qty=100), book=held(S0000=-0.19)) == {}
    assert denied(short(qty=101), book=held(S0000=-0.19)) == {"S0000": "GATE_LIMIT PER_NAME_CAP"}
    no = wide(allow_short=False)
    assert denied(short(qty=1), made=no) == {"S0000": "GATE_LIMIT PER_NAME_CAP"}
    exact = wide(allow_short=None, engine="qp")
    assert denied(short(qty=1), made=exact) == {}


def test_the_hedge_has_a_cap_of_its_own() -> None:
    made = wide(hedge_symbol="S0003", hedge_cap=0.25, allow_short=False)
    assert denied(short("S0003", 2500), made=made) == {}
    assert denied(short("S0003", 2501), made=made) == {"S0003": "GATE_LIMIT PER_NAME_CAP"}


@pytest.mark.parametrize("status", [OrdStatus.NEW, OrdStatus.UNKNOWN, OrdStatus.PENDING_CANCEL])
def test_working_orders_count_as_filled_whatever_their_fate(status: OrdStatus) -> None:
    at_work = (working("S0001", 1000, status=status),)
    made = wide(max_net_exposure=0.15)
    assert denied(buy(qty=500), working=at_work, made=made) == {}
    assert denied(buy(qty=501), working=at_work, made=made) == {"S0000": "GATE_LIMIT NET"}


def test_a_sale_of_unknown_fate_frees_no_room() -> None:
    book, made = held(S0001=0.2), wide(max_net_exposure=0.2)
    sale = working("S0001", 1000, Side.SELL)
    assert denied(buy(qty=1000), book=book, made=made, working=(sale,)) == {}
    lost = replace(sale, status=OrdStatus.UNKNOWN)
    over = denied(buy(qty=1000), book=book, made=made, working=(lost,))
    assert over == {"S0000": "GATE_LIMIT NET"}


def test_what_works_beside_the_orders_we_know_of_is_unsure() -> None:
    """A report not folded yet, or an order by hand: the driver saw it, the state does not."""
    book = kit.portfolio(NAMES, working={"S0001": -1000}, weights={"S0001": 0.2})
    made = wide(max_net_exposure=0.2)
    assert denied(buy(qty=1), book=book, made=made) == {"S0000": "GATE_LIMIT NET"}


def test_orders_that_are_not_ours_count_both_ways() -> None:
    book = kit.portfolio(NAMES, unknown={"S0001": 1000})
    made = wide(max_net_exposure=0.15)
    assert denied(buy(qty=501), book=book, made=made) == {"S0000": "GATE_LIMIT NET"}
    assert denied(short(qty=501), book=book, made=made) == {"S0000": "GATE_LIMIT NET"}


def test_a_sale_that_may_not_fill_leaves_no_more_than_uneven() -> None:
    """Sold and bought in one basket: if only the buy fills, net is past its limit by 0.1."""
    book = held(S0001=0.2)
    swap = (sell("S0001", 1000), buy(qty=1000))
    made = {"max_net_exposure": 0.2}
    assert denied(*swap, book=book, made=wide(uneven=0.1, **made)) == {}
    assert denied(*swap, book=book, made=wide(uneven=0.0999, **made)) == {
        "S0000": "GATE_UNEVEN NET"
    }
    at_work = (working("S0001", 1000, Side.SELL),)
    over = denied(swap[1], book=book, working=at_work, made=wide(uneven=0.0999, **made))
    assert over == {"S0000": "GATE_UNEVEN NET"}
    longs = {"max_gross_exposure": 0.2}
    assert denied(*swap, book=book, made=wide(uneven=0.0999, **longs)) == {
        "S0000": "GATE_UNEVEN GROSS"
    }


def test_the_cap_of_a_name_has_no_such_allowance() -> None:
    at_work = (working("S0000", 1000, Side.SELL),)
    over = denied(buy(qty=1), book=held(S0000=0.2), working=at_work, cancels=("w.S0000.SELL",))
    assert over == {"S0000": "GATE_LIMIT PER_NAME_CAP"}


def test_what_relied_on_a_denied_leg_stays_too_and_the_rest_goes() -> None:
    """The sale that makes room is off its tick; a short in another sector needs no room."""
    book, made = held(S0001=0.2), wide(max_net_exposure=0.2, sector_cap=0.4)
    bad = sell("S0001", 1000, price=99.995)
    rest = (buy(qty=500), short("S0002", 300))
    assert denied(bad, *rest, book=book, made=made) == {
        "S0001": "GATE_TICK",
        "S0000": "GATE_LEG NET",
    }
    fits = denied(bad, buy(qty=300), short("S0002", 300), book=book, made=made)
    assert fits == {"S0001": "GATE_TICK"}


def test_a_hedge_that_is_denied_takes_what_it_hedged_with_it() -> None:
    made = wide(beta_tolerance=0.05, hedge_symbol="S0003")
    beta = np.ones(4)
    bad = short("S0003", 800, price=99.995)
    assert denied(buy(qty=1000), bad, made=made, beta=beta) == {
        "S0000": "GATE_LEG BETA",
        "S0003": "GATE_TICK",
    }
    good = short("S0003", 800)
    assert denied(buy(qty=1000), good, made=made, beta=beta) == {}


def test_shrinking_passes_though_the_other_leg_is_all_that_holds_net() -> None:
    """Selling the long side of a pair makes |net| larger; an exit is not stopped for that."""
    book = held(S0000=0.2, S0002=-0.2)
    assert denied(sell(qty=2000), book=book, made=wide(max_net_exposure=0.1)) == {}


def test_margin_by_day_and_by_night() -> None:
    """Day: ½ of what grows and ¼ of what stands, 0.3 of shorts; night: ½ of all."""
    limits = {"per_name_cap": 3.0, "max_net_exposure": 5.0, "sector_cap": 5.0}
    limits |= {"max_gross_exposure": 5.0, "max_order_nav": 2.0, "uneven": 3.0}
    made = wide(**limits)
    book = held(S0001=1.6, S0002=-0.5)
    # 0.25·1.6 + 0.3·0.5 + 0.5·0.9 = 1
    assert denied(buy(qty=9_000), book=book, made=made) == {}
    assert denied(buy(qty=9_001), book=book, made=made) == {"S0000": "GATE_MARGIN"}
    late = kit.clock("15:45")
    smaller = held(S0001=1.0, S0002=-0.5)
    assert denied(buy(qty=5_000), book=smaller, made=made, now=late) == {}
    assert denied(buy(qty=5_001), book=smaller, made=made, now=late) == {"S0000": "GATE_MARGIN"}
    assert denied(buy(qty=5_001), book=smaller, made=made, now=kit.clock("15:44")) == {}
    strict = wide(house_multiplier=1.01, **limits)
    assert denied(buy(qty=9_000), book=book, made=strict) == {"S0000": "GATE_MARGIN"}
    assert denied(sell("S0001", 16_000), book=held(S0001=1.6, S0002=-2.0), made=made) == {}


def test_a_cash_account_buys_from_settled_cash_alone() -> None:
    made = wide(account_type="cash")
    book = kit.portfolio(NAMES, weights={"S0001": 0.1}, cash=10_010.0)
    assert denied(buy(), book=book, made=made) == {}
    swap = (sell("S0001", 1000), buy(qty=101))
    assert denied(*swap, book=book, made=made) == {"S0000": "GATE_CASH"}
    at_work = (working("S0002", 1),)
    assert denied(buy(), book=book, working=at_work, made=made) == {"S0000": "GATE_CASH"}
    assert denied(buy(price=100.2), book=book, made=made) == {"S0000": "GATE_CASH"}


def test_nothing_grows_while_something_held_has_no_price() -> None:
    book = kit.portfolio(NAMES, shares={"S0001": 10, "S0002": 10}, price={"S0001": 0.0})
    passed = gate(asked(buy(), sell("S0002", 10), book=book))
    assert said(passed) == {buy().cl_ord_id: Code.GATE_FAILED}


def test_betas_that_are_not_known_deny_what_they_are_needed_for() -> None:
    beta = np.array([np.nan, 1.0, 1.0, 1.0])
    assert denied(buy("S0001"), beta=beta) == {}
    assert denied(buy(), beta=beta) == {"S0000": "GATE_LIMIT BETA"}


def test_sales_at_work_count_against_a_short_book_too() -> None:
    at_work = (working("S0001", 1000, Side.SELL),)
    pair = (short("S0002", 500), buy(qty=500))
    rest = {"book": held(S0001=-0.1), "working": at_work}
    limits = {"max_net_exposure": 0.2}
    assert denied(*pair, made=wide(uneven=0.05, **limits), **rest) == {}
    over = denied(*pair, made=wide(uneven=0.0499, **limits), **rest)
    assert over == {"S0002": "GATE_UNEVEN NET"}


@pytest.mark.parametrize("status", [OrdStatus.NEW, OrdStatus.UNKNOWN])
def test_a_cover_that_could_turn_the_position_is_no_exit(status: OrdStatus) -> None:
    """Short 500, and 300 of a buy at work: of 201 more one could be a long."""
    rest: dict[str, Any] = {
        "book": kit.portfolio(NAMES, shares={"S0000": -500}),
        "working": (working("S0000", 300, status=status),),
        "switch": Switch("REDUCING"),
    }
    assert denied(buy(qty=200), **rest) == {}
    assert denied(buy(qty=201), target=np.ones(4), **rest) == {"S0000": "GATE_KILLED"}


def test_a_denied_sale_makes_no_room_in_gross() -> None:
    book, made = held(S0001=0.2), wide(max_gross_exposure=0.2)
    swap = (sell("S0001", 1000), buy("S0002", 500))
    assert denied(*swap, book=book, made=made) == {}
    bad = replace(swap[0], price=99.995)
    over = denied(bad, swap[1], book=book, made=made)
    assert over == {"S0001": "GATE_TICK", "S0002": "GATE_LEG GROSS"}


def test_a_senseless_order_takes_no_room() -> None:
    """Ten times what was decided is no order at all: neither limits nor cash are counted for it."""
    target = np.array([0.0, 0.01, 0.0, 0.0])
    lie = buy("S0000", 5000, price=float("nan"))
    for made in (wide(), wide(account_type="cash")):
        over = denied(lie, buy("S0001"), target=target, made=made)
        assert list(over) == ["S0000"]
