"""Plans for all books: rounding never adds risk, and cash and limits hold in whole shares."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deadband.core.arrays import Floats, Ints
from deadband.core.config import OptimizationConfig
from deadband.core.limits import excesses
from deadband.core.orders import Side
from deadband.core.reasons import Code
from deadband.core.seen import Seen
from deadband.core.types import Decision, Plan, Problem
from deadband.execute.draft import FEE_ALLOWANCE
from deadband.execute.plan import plan
from tests import kit

N = 5
NAV = 100_000.0
NAMES = kit.universe(N, S0000="Energy", S0001="Energy", S0002="Banks")
TWO_SIDED = OptimizationConfig(
    max_gross_exposure=0.4, max_net_exposure=0.2, sector_cap=0.12, beta_tolerance=0.05
)
LONG_ONLY = OptimizationConfig(
    max_gross_exposure=0.4, max_net_exposure=0.4, sector_cap=0.15, beta_tolerance=0.3
)
BETA = {"S0000": 1.5, "S0001": 0.5, "S0004": 0.0}


@dataclass(frozen=True)
class Case:
    """A book in whole shares, the weights decided for it, and what may be sent."""

    seen: Seen
    problem: Problem
    decision: Decision
    minimum_usd: float
    cash_buffer: float

    @cached_property
    def plan(self) -> Plan:
        return self.plan_again()

    def plan_again(self) -> Plan:
        execution = kit.settings(
            min_ticket_usd=self.minimum_usd, cash_buffer=self.cash_buffer
        ).execution
        return plan(NAMES, self.decision, self.problem, self.seen, (), "c", execution)

    @property
    def held(self) -> Ints:
        return self.seen.portfolio.shares

    def breaks(self, weights: Floats) -> bool:
        return bool(excesses(self.problem.bounds, self.problem.structure, weights))

    def weights(self, shares: Ints) -> Floats:
        made: Floats = shares * self.seen.portfolio.price / NAV
        return made


def traded(planned: Plan) -> Ints:
    """Signed shares (n,) of all orders."""
    change = np.zeros(N, np.int64)
    for order in planned.orders:
        change[NAMES.index[order.symbol]] += order.side.sign * order.order_qty
    return change


def case(seed: int, *, short: bool, minimum_usd: float) -> Case:
    """A book out of a seed: drawing every number by itself would take most of the time.

    Targets keep the limits; so may the book, or prices may have moved it out.
    """
    draw = np.random.default_rng(seed)
    price = draw.choice([3.17, 12.5, 99.99, 410.25, 1703.0], N)
    floor = -0.1 if short else 0.0
    book = kit.portfolio(
        NAMES,
        weights=draw.uniform(floor, 0.11, N) * draw.choice([0.0, 0.3, 1.0], N),
        price=price,
        nav=NAV,
        cash=draw.choice([None, 0.0, 3_000.0]),
    )
    problem = kit.problem(
        NAMES,
        current=book.weights,
        z=draw.integers(-3, 4, N),
        beta=BETA,
        config=TWO_SIDED if short else LONG_ONLY,
        allow_short=short,
    )
    target = draw.uniform(floor, 0.1, N)
    target = np.where(draw.random(N) < 0.3, 0.0, target)
    target = np.where(draw.random(N) < 0.3, book.weights, target)
    target = _onto_the_limits(problem, target)
    spread = draw.choice([0.0, 2.0, 30.0])
    market = kit.market(NAMES, price=price, spread_bps=spread)
    return Case(
        kit.seen(NAMES, market=market, portfolio=book),
        problem,
        kit.decision(NAMES, target),
        minimum_usd,
        float(draw.choice([0.0, 0.01])),
    )


def _onto_the_limits(problem: Problem, target: Floats) -> Floats:
    """The largest part of a target that keeps every limit: they are sums through the origin."""
    low, high = 0.0, 1.0
    part = high
    for _ in range(25):
        if excesses(problem.bounds, problem.structure, target * part):
            high = part
        else:
            low = part
        part = (low + high) / 2
    return target * low


def cases(
    *, short: st.SearchStrategy[bool], minimum_usd: st.SearchStrategy[float]
) -> st.SearchStrategy[Case]:
    return st.builds(case, st.integers(0, 2**32), short=short, minimum_usd=minimum_usd)


NO_MINIMUM, MINIMUM = st.just(0.0), st.just(500.0)
many = settings(max_examples=60, deadline=None, derandomize=True)
any_case = cases(short=st.booleans(), minimum_usd=NO_MINIMUM | MINIMUM)


@many
@given(any_case)
def test_a_trade_goes_towards_its_target_and_not_a_share_past_it(case: Case) -> None:
    change, target = traded(case.plan), case.decision.target
    wanted = target - case.weights(case.held)
    assert (change * wanted >= 0).all()
    after = case.held + change
    assert (np.abs(case.weights(change)) < np.abs(wanted) + case.weights(np.ones(N))).all()
    grows = np.abs(after) > np.abs(case.held)
    assert (np.abs(case.weights(after))[grows] <= np.abs(target)[grows] + 1e-9).all()


@many
@given(any_case)
def test_an_order_goes_through_zero_only_where_waiting_would_pass_a_limit(case: Case) -> None:
    after = case.held + traded(case.plan)
    through = after * case.held < 0
    if through.any():
        waiting = np.where(through, 0, after)
        decided = np.where(through, 0.0, case.decision.target)
        assert case.breaks(case.weights(waiting)) or case.breaks(decided)


@many
@given(any_case)
def test_exits_are_exact_and_are_always_sent(case: Case) -> None:
    after = case.held + traded(case.plan)
    assert (after[case.decision.target == 0.0] == 0).all()


@many
@given(any_case)
def test_what_is_not_decided_is_not_traded(case: Case) -> None:
    still = case.decision.target == case.weights(case.held)
    assert (traded(case.plan)[still] == 0).all()


@many
@given(any_case)
def test_sells_come_before_buys_one_order_a_name_numbered_in_turn(case: Case) -> None:
    orders = case.plan.orders
    buys = [order.side is Side.BUY for order in orders]
    assert buys == sorted(buys)
    # A sale through zero is two: of what is held, and short.
    assert len({(order.symbol, order.side) for order in orders}) == len(orders)
    assert [order.cl_ord_id for order in orders] == [f"db.c.{k:03d}" for k in range(len(orders))]


@many
@given(any_case)
def test_only_exits_are_smaller_than_the_minimum_ticket(case: Case) -> None:
    price = case.seen.portfolio.price
    for order in case.plan.orders:
        name = NAMES.index[order.symbol]
        if case.decision.target[name] != 0.0:
            assert order.order_qty * price[name] >= case.minimum_usd


@many
@given(any_case)
def test_planned_buys_leave_the_cash_buffer_alone(case: Case) -> None:
    """Counted at the touch with fees; what is sold short is no cash. Covers are never reduced."""
    market, change = case.seen.market, traded(case.plan)
    opening = (change > 0) & (case.held >= 0)
    closing = np.where((change < 0) & (case.held > 0), -change, 0)
    covers = np.where((change > 0) & (case.held < 0), change, 0)
    paid = (np.where(opening, change, 0) + covers) @ market.ask * (1 + FEE_ALLOWANCE)
    left = case.seen.portfolio.cash + float(closing @ market.bid) - float(paid)
    assert left >= case.cash_buffer * NAV - 1e-6 or not opening.any()


@many
@given(cases(short=st.just(False), minimum_usd=NO_MINIMUM))
def test_the_whole_share_book_keeps_every_limit_that_the_decision_kept(case: Case) -> None:
    assert not case.breaks(case.weights(case.held + traded(case.plan)))


@many
@given(cases(short=st.just(True), minimum_usd=NO_MINIMUM))
def test_a_two_sided_book_is_off_by_less_than_a_share_a_trade(case: Case) -> None:
    """A hedge that grows rounds down like any other; nothing else is sold to make up for it.

    Nor for buys that cash does not cover, or for a side that is only closed before it is opened.
    """
    current = case.weights(case.held)
    assume(not (case.decision.target * current < 0).any())
    assume(Code.ORDER_NO_CASH not in {note.code for note in case.plan.notes})
    share = case.weights(np.ones(N, np.int64)) * max(BETA.values())
    slack = float(share[case.decision.target != current].sum())
    after = case.weights(case.held + traded(case.plan))
    over = excesses(case.problem.bounds, case.problem.structure, after)
    assert max(over.values(), default=0.0) <= slack


@many
@given(cases(short=st.just(False), minimum_usd=MINIMUM))
def test_dropped_tickets_break_no_limit_that_the_book_kept(case: Case) -> None:
    if not case.breaks(case.weights(case.held)):
        assert not case.breaks(case.weights(case.held + traded(case.plan)))


@many
@given(any_case)
def test_what_was_decided_and_not_sent_whole_is_noted(case: Case) -> None:
    planned = case.plan
    wanted = np.abs(case.decision.target - case.weights(case.held)) * NAV
    sent = np.abs(traded(planned)) * case.seen.portfolio.price
    noted = {note.symbol for note in planned.notes}
    for name in np.flatnonzero(sent < wanted - case.seen.portfolio.price - 1e-6).tolist():
        assert NAMES.symbols[name] in noted


@many
@given(any_case)
def test_the_same_arguments_plan_the_same(case: Case) -> None:
    once, again = case.plan, case.plan_again()
    assert (once.orders, once.cancels) == (again.orders, again.cancels)
    assert list(map(str, once.notes)) == list(map(str, again.notes))
