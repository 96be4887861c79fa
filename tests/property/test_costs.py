"""Price lists for all inputs: no jumps between tiers, never cheaper by trading in pieces."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from deadband.core.billing import Bill, by_tiers, filled, marginal_rate, owed
from deadband.core.costs import CostSettings

TIERED = CostSettings(plan="tiered")
SHARES = st.integers(1, 2_000_000)
MONTH = st.integers(0, 200_000_000)
PRICES = st.integers(1, 100_000).map(lambda cents: cents / 100)
PIECES = st.lists(st.tuples(st.integers(1, 50_000), st.floats(0, 1)), min_size=1, max_size=8)


def rate_sum(before: float, shares: float) -> float:
    return by_tiers(before, shares, TIERED.tier_shares, TIERED.tier_per_share)


@given(MONTH, SHARES)
def test_more_shares_cost_more_and_each_less(before: int, shares: int) -> None:
    cost = rate_sum(before, shares)
    assert TIERED.tier_per_share[-1] * shares <= cost * (1 + 1e-9)
    assert cost <= TIERED.tier_per_share[0] * shares * (1 + 1e-9)
    assert rate_sum(before, shares + 1) > cost
    assert rate_sum(before + 1, shares) <= cost * (1 + 1e-12)


@given(st.sampled_from(TIERED.tier_shares), st.integers(0, 1000), st.integers(0, 1000))
def test_there_is_no_jump_at_a_bound(bound: float, under: int, over: int) -> None:
    below = rate_sum(bound - under, under)
    above = rate_sum(bound, over)
    assert rate_sum(bound - under, under + over) == approx(below + above)
    assert above <= over * marginal_rate(replace(TIERED, month_shares=bound)) * (1 + 1e-9)


@given(MONTH, PIECES, PRICES, st.booleans(), st.sampled_from(["fixed", "tiered"]))
def test_a_bill_is_the_sum_of_its_fills_in_any_order(
    before: int, pieces: list[tuple[int, float]], price: float, sells: bool, plan: str
) -> None:
    costs = replace(TIERED, plan=plan)
    bill, month = Bill(), float(before)
    for qty, added in pieces:
        bill += filled(qty, price, month, added, costs)
        month += qty
    total = sum(qty for qty, _ in pieces)
    mean = sum(qty * added for qty, added in pieces) / total
    whole = filled(total, price, before, mean, costs)
    assert owed(bill, costs, sells=sells) == approx(owed(whole, costs, sells=sells), abs=1e-6)


@given(MONTH, SHARES, PRICES)
def test_the_brokers_own_part_is_between_its_bounds(before: int, shares: int, price: float) -> None:
    alone = replace(TIERED, remove_per_share=0.0, clearing_per_share=0.0, pass_through=0.0)
    own = owed(filled(shares, price, before, 0.0, alone), alone, sells=False)
    assert own <= 0.01 * shares * price * (1 + 1e-9)
    assert own >= min(0.35, 0.01 * shares * price) * (1 - 1e-9)


@given(MONTH, SHARES, PRICES, st.floats(0, 1))
def test_a_sale_costs_more_than_a_purchase(
    before: int, shares: int, price: float, added: float
) -> None:
    bill = filled(shares, price, before, added, TIERED)
    assert owed(bill, TIERED, sells=True) > owed(bill, TIERED, sells=False)
