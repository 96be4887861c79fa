"""Orders at work under new decisions, whatever fills meanwhile and however late that is heard.

A plan that amends leaves no outcome beyond what could come before it, or was decided now; and what
the state takes for the worst case of an order under change is never less than what may still trade.
"""

from collections import deque
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deadband import cycle
from deadband.backtest.gather import portfolio
from deadband.core.config import OptimizationConfig
from deadband.core.orders import (
    Book,
    ExecType,
    ExecutionReport,
    OrdStatus,
    Replacement,
    Side,
    WorkingOrder,
)
from deadband.core.types import Plan, State
from deadband.core.units import micros
from deadband.execute.gate import Asked, gate
from deadband.execute.plan import plan
from tests import kit

N = 3
NAMES = kit.universe(N)
NAV = 1_000_000.0
WIDE = OptimizationConfig(
    max_net_exposure=1.0, max_gross_exposure=2.0, per_name_cap=1.0, beta_tolerance=1.0
)
TIGHT = OptimizationConfig(
    max_net_exposure=0.03, max_gross_exposure=0.15, per_name_cap=1.0, beta_tolerance=0.02
)
BETA = {"S0000": 1.5, "S0001": 0.5}
SPARE = 2
"""Shares beyond what was decided that keep a limit."""
STATUSES = [OrdStatus.NEW, OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED, OrdStatus.PENDING_NEW]
OLD_NS = int(kit.NOW.timestamp() - 600) * 1_000_000_000
many = settings(max_examples=200, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Case:
    """A book, orders at work, whole-share targets, and what the planner makes of them."""

    held: tuple[int, ...]
    working: tuple[WorkingOrder, ...]
    target: tuple[int, ...]
    made: Any
    tight: bool = False
    """Whether limits bind, so that orders are fitted to them."""

    @cached_property
    def state(self) -> State:
        book = Book(
            np.array(self.held), micros(NAV - 100.0 * sum(self.held)), np.zeros(N), np.full(N, -1)
        )
        state = kit.state(NAMES, working=self.working, start_nav=NAV)
        return replace(state, book=book)

    @cached_property
    def asked(self) -> Asked:
        """What the gate is asked with the plan: everything is wide but the planner's own rules."""
        market = kit.market(NAMES)
        made = kit.settings(
            allow_short=True,
            max_net_exposure=1.0,
            max_gross_exposure=2.0,
            per_name_cap=1.0,
            max_order_adv=1.0,
            max_order_nav=10.0,
            house_multiplier=1e-6,
            uneven=10.0,
            **self.made,
        )
        book = portfolio(self.state, market, made.execution, kit.NOW)
        seen = kit.seen(NAMES, market=market, portfolio=book)
        problem = kit.problem(
            NAMES,
            current=book.weights,
            config=TIGHT if self.tight else WIDE,
            allow_short=True,
            beta=BETA,
        )
        # A name with shares of unknown fate is frozen: nothing is decided for it.
        target = np.where(book.unknown > 0, book.weights, self.wanted * book.price / book.nav)
        decision = kit.decision(NAMES, target)
        planned = plan(
            NAMES, decision, problem, seen, self.working, "c", made.execution, made.tactics
        )
        return Asked("c", NAMES, self.state, seen, None, decision, planned, made)

    @property
    def plan(self) -> Plan:
        return self.asked.plan

    @property
    def wanted(self) -> np.ndarray:
        """Whole shares that the decision asks for."""
        return np.array(self.target)

    def after(self) -> tuple[WorkingOrder, ...]:
        """Orders at work once the plan has left."""
        return cycle._asked_of(record_of(self.asked))


def record_of(asked: Asked) -> Any:
    """As much of a cycle's record as what follows it looks at."""

    @dataclass(frozen=True)
    class Part:
        cycle_id: str
        state: State
        seen: Any
        decision: Any
        plan: Plan

    return Part(asked.cycle_id, asked.state, asked.seen, asked.decision, asked.plan)


def case(seed: int) -> Case:
    draw = np.random.default_rng(seed)
    held = tuple(int(one) for one in draw.integers(-5, 6, N) * 100)
    working = []
    for k in range(int(draw.integers(1, 5))):
        name = int(draw.integers(0, N))
        side = str(draw.choice(["BUY", "SELL" if held[name] > 0 else "SELL_SHORT"]))
        room = abs(held[name]) if (side == "BUY") == (held[name] < 0) and held[name] else 500
        if any(one.order.symbol == NAMES.symbols[name] for one in working):
            # Two orders of a name that together close more than is held are nobody's plan.
            room = min(room, 100)
        qty = int(draw.integers(2, max(3, room)))
        cum = int(draw.integers(0, qty)) if draw.random() < 0.5 else 0
        status = STATUSES[int(draw.integers(0, len(STATUSES)))]
        working.append(
            kit.working(
                f"w{k}",
                NAMES.symbols[name],
                side=Side(side),
                order_qty=qty,
                cum_qty=cum,
                status=status,
                price=float(draw.choice([99.0, 100.0, 101.0])),
                decision_id="b",
                transact_time=OLD_NS,
            )
        )
    target = list(draw.integers(-6, 7, N) * 100)
    for one in working:
        # Often a part of what an order at work would still do is wanted, and no more.
        if draw.random() < 0.6:
            name = NAMES.index[one.order.symbol]
            part = int(draw.integers(0, one.leaves_qty + 1))
            target[name] = held[name] + one.order.side.sign * part
    made = {"order_life_min": float(draw.choice([5.0, 60.0]))}
    tight = bool(draw.random() < 0.5)
    return Case(held, tuple(working), tuple(map(int, target)), made, tight)


cases = st.builds(case, st.integers(0, 2**32))


def reach(held: int, orders: list[tuple[int, int]]) -> set[int]:
    """Positions that may come of signed leaves, each filled in part, whole or not at all."""
    ends = [sorted({0, qty // 2, qty}) for _, qty in orders]
    signs = [sign for sign, _ in orders]
    return {
        held + sum(sign * qty for sign, qty in zip(signs, filled, strict=True))
        for filled in product(*ends)
    }


def of(name: int, working: tuple[WorkingOrder, ...]) -> list[tuple[int, int]]:
    symbol = NAMES.symbols[name]
    return [(one.order.side.sign, one.most_leaves) for one in working if one.order.symbol == symbol]


@many
@given(cases)
@example(case(148))
@example(case(244))
@example(case(545))
@example(case(1193))
def test_no_race_ends_beyond_what_worked_before_or_was_decided_now(case: Case) -> None:
    """Whatever a replaced or canceled order fills of its old or its new terms, or of neither."""
    for name, symbol in enumerate(NAMES.symbols):
        before = reach(case.held[name], of(name, case.working))
        new = [(one.side.sign, one.order_qty) for one in case.plan.orders if one.symbol == symbol]
        after = reach(case.held[name], of(name, case.after()) + new)
        low, high = min(*before, case.target[name]), max(*before, case.target[name])
        assert low - SPARE <= min(after) and max(after) <= high + SPARE


@many
@given(cases)
def test_zero_is_crossed_only_where_it_could_have_been_or_was_decided(case: Case) -> None:
    for name, symbol in enumerate(NAMES.symbols):
        held = case.held[name]
        crosses = any(one * held < 0 for one in reach(held, of(name, case.working)))
        if crosses or case.target[name] * held < 0:
            continue
        new = [(one.side.sign, one.order_qty) for one in case.plan.orders if one.symbol == symbol]
        assert not any(one * held < 0 for one in reach(held, of(name, case.after()) + new))


@many
@given(cases)
def test_an_amended_book_is_the_decided_one_where_nothing_had_to_be_canceled_first(
    case: Case,
) -> None:
    if case.tight:
        return
    gone, changes = set(case.plan.cancels), {one.cl_ord_id: one for one in case.plan.replaces}
    for name, symbol in enumerate(NAMES.symbols):
        own = [one for one in case.working if one.order.symbol == symbol]
        touched = [one for one in own if one.order.cl_ord_id in changes]
        if not touched or any(one.order.cl_ord_id in gone for one in own):
            continue
        left = [
            one.order.side.sign
            * (
                changes[one.order.cl_ord_id].order_qty - one.cum_qty
                if one in touched
                else one.leaves_qty
            )
            for one in own
        ]
        new = [one.side.sign * one.order_qty for one in case.plan.orders if one.symbol == symbol]
        assert case.held[name] + sum(left) + sum(new) == case.target[name] or (
            case.held[name] + sum(left) + sum(new) == 0
        ), "or it waits at zero"


@many
@given(cases)
def test_only_what_may_be_changed_is_and_each_order_is_asked_one_thing(case: Case) -> None:
    there = {one.order.cl_ord_id: one for one in case.working}
    asked = [*case.plan.cancels, *(one.cl_ord_id for one in case.plan.replaces)]
    assert len(asked) == len(set(asked))
    sizes = []
    for change in case.plan.replaces:
        order = there[change.cl_ord_id]
        assert order.status in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED)
        assert change.order_qty > order.cum_qty and change.order_qty != order.order.order_qty
        takes_off = change.order_qty < order.order.order_qty
        assert not takes_off or change.price == order.order.price
        sizes.append(not takes_off)
    assert sizes == sorted(sizes), "reductions leave before raises"


@many
@given(cases)
def test_no_two_changeable_orders_of_a_side_come_of_a_plan_where_one_was_raised(
    case: Case,
) -> None:
    """A second order beside one at work is sent only where that one could not be raised."""
    changeable = {
        (one.order.symbol, one.order.side)
        for one in case.working
        if one.status is not OrdStatus.PENDING_NEW and one.order.cl_ord_id not in case.plan.cancels
    }
    sold = {one.symbol for one in case.plan.orders if one.side is Side.SELL}
    for order in case.plan.orders:
        waits = order.side is Side.SELL_SHORT and order.symbol in sold
        assert waits or (order.symbol, order.side) not in changeable


@many
@given(cases)
def test_the_gate_finds_nothing_odd_in_what_the_planner_amends(case: Case) -> None:
    """Limits are wide here: no change, order, side or position of the planner's is denied."""
    passed = gate(case.asked)
    crossing = {
        symbol
        for symbol in NAMES.symbols
        if len({one.order.side.sign for one in case.working if one.order.symbol == symbol}) > 1
    }
    odd = [one for one in passed.denied if one.symbol not in crossing]
    assert odd == [], [str(note) for note in passed.notes]


def test_the_cases_reduce_raise_and_cancel() -> None:
    tally = {"reduced": 0, "raised": 0, "canceled": 0, "new": 0}
    for seed in range(300):
        one = case(seed)
        there = {w.order.cl_ord_id: w.order.order_qty for w in one.working}
        for change in one.plan.replaces:
            more = change.order_qty > there[change.cl_ord_id]
            tally["raised" if more else "reduced"] += 1
        tally["canceled"] += len(one.plan.cancels)
        tally["new"] += len(one.plan.orders)
    assert min(tally.values()) > 50, tally


class Race(RuleBasedStateMachine):
    """One order, its exchange, and the wire between: changes, cancels and fills overtake another.

    Requests reach the exchange later than they are made, and what it says is heard later still, but
    in its order.
    """

    @initialize(side=st.sampled_from([Side.BUY, Side.SELL]), qty=st.integers(2, 9))
    def begin(self, side: Side, qty: int) -> None:
        order = kit.working("w", side=side, order_qty=qty)
        self.state: State = replace(kit.state(NAMES, working=(order,)), last_nav=NAV)
        self.sign, self.most = side.sign, qty
        self.qty, self.filled, self.is_over = qty, 0, False
        self.requests: deque[Replacement | None] = deque()
        self.said: deque[ExecutionReport] = deque()
        self.turnover = qty * order.order.arrival / NAV
        self.state = replace(self.state, turnover_today=self.turnover)

    @property
    def order(self) -> WorkingOrder | None:
        return self.state.working[0] if self.state.working else None

    # --- what we ask

    @rule(to=st.integers(1, 12), price=st.sampled_from([kit.PRICE, 99.0]))
    def change(self, to: int, price: float) -> None:
        order = self.order
        if order is None or order.status not in (OrdStatus.NEW, OrdStatus.PARTIALLY_FILLED):
            return
        if to <= order.cum_qty or to == order.order.order_qty:
            return
        wanted = order.changed(Replacement("w", to, price), "c2", "CAP_NET", 50.0, 7)
        after = replace(order, status=OrdStatus.PENDING_REPLACE, wanted=wanted)
        more = after.committed_usd - order.committed_usd
        turnover = self.state.turnover_today + more / NAV
        self.state = replace(self.state, working=(after,), turnover_today=turnover)
        self.requests.append(Replacement("w", to, price))
        self.most = max(self.most, to)

    @rule()
    def cancel(self) -> None:
        order = self.order
        if order is None or order.status is OrdStatus.PENDING_CANCEL:
            return
        self.state = replace(self.state, working=(replace(order, status=OrdStatus.PENDING_CANCEL),))
        self.requests.append(None)

    # --- what the exchange does

    @rule(qty=st.integers(1, 5))
    def fill(self, qty: int) -> None:
        qty = min(qty, self.qty - self.filled)
        if self.is_over or qty <= 0:
            return
        self.filled += qty
        self.is_over = self.filled == self.qty
        self.say(ExecType.TRADE, last_qty=qty, last_px=100.0)

    @rule(refuses=st.booleans())
    def take(self, *, refuses: bool) -> None:
        """The next request arrives; one that comes too late is refused."""
        if not self.requests:
            return
        wanted = self.requests.popleft()
        if self.is_over or refuses:
            self.say(ExecType.CANCEL_REJECTED)
        elif wanted is None or wanted.order_qty <= self.filled:
            self.is_over = True
            self.say(ExecType.CANCELED)
        else:
            self.qty = wanted.order_qty
            self.say(ExecType.REPLACED, order_qty=self.qty, price=wanted.price)

    def say(self, kind: ExecType, **more: Any) -> None:
        status = OrdStatus.PARTIALLY_FILLED
        if self.filled == self.qty:
            status = OrdStatus.FILLED
        elif self.is_over:
            status = OrdStatus.CANCELED
        given: dict[str, Any] = {"ord_status": status, "cum_qty": self.filled} | more
        of = kit.order("w", side=Side.BUY if self.sign > 0 else Side.SELL)
        self.said.append(kit.report(of, kind, **given))

    @rule()
    def hear(self) -> None:
        if not self.said:
            return
        report = self.said.popleft()
        over = self.order is None
        if over and report.exec_type is not ExecType.TRADE:
            # An answer to what was asked of an order that has ended meanwhile moves nothing.
            return
        self.state = cycle.apply(self.state, report)

    # --- what holds throughout

    @invariant()
    def the_worst_case_covers_all_that_may_still_be_heard(self) -> None:
        if not hasattr(self, "said"):
            return
        unheard = sum(one.last_qty for one in self.said)
        sizes = [self.qty] + [one.order_qty for one in self.requests if one is not None]
        ahead = 0 if self.is_over else max(sizes) - self.filled
        order = self.order
        most = 0 if order is None else order.most_leaves
        assert most >= unheard + ahead
        if order is not None:
            assert 0 <= order.least_leaves <= order.leaves_qty <= most
            assert order.cum_qty <= self.most

    @invariant()
    def the_book_is_what_was_heard(self) -> None:
        if hasattr(self, "said"):
            heard = self.filled - sum(one.last_qty for one in self.said)
            assert int(self.state.book.shares[0]) == self.sign * heard

    @invariant()
    def at_rest_state_and_exchange_agree(self) -> None:
        if not hasattr(self, "said") or self.said or self.requests:
            return
        order = self.order
        assert (order is None) == self.is_over
        if order is not None:
            assert (order.order.order_qty, order.cum_qty) == (self.qty, self.filled)
            assert order.wanted is None
            assert order.status is (OrdStatus.PARTIALLY_FILLED if self.filled else OrdStatus.NEW)

    @invariant()
    def turnover_is_what_traded_and_what_may_yet_trade(self) -> None:
        if hasattr(self, "said") and self.order is None:
            prices = [50.0, kit.PRICE]
            low, high = (self.filled * one / NAV for one in prices)
            assert low - 1e-9 <= self.state.turnover_today <= high + 1e-9


TestRace = Race.TestCase
TestRace.settings = settings(
    max_examples=150, stateful_step_count=30, deadline=None, derandomize=True
)
