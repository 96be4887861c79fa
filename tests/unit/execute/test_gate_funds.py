"""The gate against the account as the broker tells it: a hair inside leaves, a hair beyond not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband.core.events import AccountReport
from deadband.core.orders import OrdStatus, WorkingOrder
from deadband.core.reasons import Code
from deadband.execute.gate import gate
from tests import kit
from tests.kit.gate import NAMES, asked, buy, said, sell, wide

GROWN = 10_000.0
"""USD of an order for a hundred shares at the last price."""
LATE = kit.clock("15:50")
HELD = kit.portfolio(NAMES, shares={"S0001": 1_000})


def funds(**given: Any) -> AccountReport:
    amounts = dict.fromkeys(("net_liq", "cash", "settled_cash", "buying_power"), 1e6)
    amounts |= dict.fromkeys(("available", "excess_liquidity"), 1e6)
    known = {"account": "SIM", "currency": "USD", "init_margin": 0.0, "maint_margin": 0.0}
    others = {"day_trades_left": -1, "is_ready": True}
    return AccountReport(**(known | amounts | others | given))


def verdict(order: Any, told: AccountReport | None, **given: Any) -> Code | None:
    judged = asked(order, **given)
    return said(gate(replace(judged, seen=replace(judged.seen, funds=told)))).get(order.cl_ord_id)


@pytest.mark.parametrize(
    ("short", "enough", "code"),
    [
        ({"available": 4_999.0}, {"available": 5_001.0}, Code.GATE_FUNDS),
        ({"buying_power": 9_990.0}, {"buying_power": 10_010.0}, Code.GATE_FUNDS),
        ({"excess_liquidity": 2_990.0}, {"excess_liquidity": 3_010.0}, Code.GATE_FUNDS),
        ({"available": float("nan")}, {}, Code.GATE_FUNDS),
        ({"is_ready": False}, {}, Code.GATE_FUNDS_UNKNOWN),
        ({"currency": "EUR"}, {}, Code.GATE_FUNDS_UNKNOWN),
        ({"day_trades_left": 0}, {"day_trades_left": 1}, Code.GATE_DAY_TRADES),
    ],
)
def test_what_the_account_does_not_carry_does_not_leave(
    short: dict[str, Any], enough: dict[str, Any], code: Code
) -> None:
    assert verdict(buy(), funds(**short)) is code
    assert verdict(buy(), funds(**enough)) is None
    # Whatever the account has left, a position may shrink.
    assert verdict(sell("S0001"), funds(**short), book=HELD) is None


def test_without_a_broker_that_tells_the_model_alone_judges() -> None:
    assert verdict(buy(), None) is None


def test_what_works_already_counts_with_what_is_asked() -> None:
    working = (WorkingOrder(buy("S0002"), OrdStatus.NEW),)
    assert verdict(buy(), funds(available=9_990.0), working=working) is Code.GATE_FUNDS
    assert verdict(buy(), funds(available=10_010.0), working=working) is None


def test_a_cash_account_grows_by_settled_cash_alone() -> None:
    made = wide(account_type="cash", allow_short=False)
    assert verdict(buy(), funds(settled_cash=9_990.0), made=made) is Code.GATE_FUNDS
    assert verdict(buy(), funds(settled_cash=10_010.0, available=0.0), made=made) is None


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"available_overnight": 4_999.0}, Code.GATE_OVERNIGHT),
        ({"available_overnight": 5_001.0}, None),
        # Half of the 100,000 that are held and of the 10,000 that are asked.
        ({"net_liq": 54_990.0}, Code.GATE_OVERNIGHT),
        ({"net_liq": 55_010.0}, None),
        # The account holds other things beside.
        ({"net_liq": 84_990.0, "init_margin": 80_000.0}, Code.GATE_OVERNIGHT),
    ],
)
def test_near_the_close_the_book_has_to_be_held_over_night(
    given: dict[str, Any], code: Code | None
) -> None:
    assert verdict(buy(), funds(**given), book=HELD, now=LATE) is code
    assert verdict(buy(), funds(**given), book=HELD) is None


def test_the_report_of_the_denial_names_the_brokers_word_and_both_numbers() -> None:
    judged = asked(buy())
    passed = gate(replace(judged, seen=replace(judged.seen, funds=funds(buying_power=9_000.0))))
    [note] = [one for one in passed.notes if one.code is Code.GATE_FUNDS]
    assert note.limit == "BuyingPower"
    assert (note.facts["value"], note.facts["bound"]) == (pytest.approx(GROWN), 9_000.0)


amount = st.floats(0.0, 3e4)


@given(low=amount, more=amount, qty=st.integers(1, 300))
def test_a_richer_account_lets_out_all_that_a_poorer_one_does(
    low: float, more: float, qty: int
) -> None:
    def passes(usd: float) -> bool:
        told = funds(available=usd, buying_power=2 * usd, excess_liquidity=usd)
        return verdict(buy(qty=qty), told) is None

    assert not passes(low) or passes(low + more)
    # What leaves is carried: half of it as margin, all of it as buying power.
    assert not passes(low) or qty * 100.0 * 0.5 <= low + 0.01
