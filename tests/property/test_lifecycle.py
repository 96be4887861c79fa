"""Orders and fills in any order: the book is the sum of its fills, and a final order is gone."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from deadband import cycle
from deadband.core.errors import BrokerError
from deadband.core.lifecycle import FINAL
from deadband.core.orders import TRADES, ExecType, ExecutionReport, OrdStatus, Side, WorkingOrder
from deadband.core.types import State
from deadband.core.units import MICRO, micros
from tests import kit

NAMES = kit.universe(3)
START = micros(kit.NAV)


class Lifecycle(RuleBasedStateMachine):
    """Sends orders, lets a broker say anything it may about them, and keeps its own books."""

    live: Any = Bundle("live")

    @initialize()
    def begin(self) -> None:
        self.state: State = kit.state(NAMES)
        self.sent: dict[str, WorkingOrder] = {}
        self.fills: list[ExecutionReport] = []
        self.gone: set[str] = set()
        self.clock = 0

    @rule(
        target=live,
        symbol=st.sampled_from(NAMES.symbols),
        side=st.sampled_from(Side),
        order_qty=st.integers(1, 5),
        status=st.sampled_from([OrdStatus.PENDING_NEW, OrdStatus.NEW, OrdStatus.UNKNOWN]),
    )
    def send(self, symbol: str, side: Side, order_qty: int, status: OrdStatus) -> str:
        name = f"o{len(self.sent)}"
        order = kit.working(name, symbol, side=side, order_qty=order_qty, status=status)
        self.sent[name] = order
        working = (*self.state.working, order)
        self.state = replace(self.state, working=working)
        return name

    @rule(
        name=live,
        qty=st.integers(1, 6),
        cents=st.integers(1, 100_000),
        fee=st.integers(-1_000, 3_000_000),
    )
    def fill(self, name: str, qty: int, cents: int, fee: int) -> None:
        self.clock += 1
        report = kit.fill(self.sent[name].order, qty, cents / 100, fee_micro=fee, ts=self.clock)
        if name in self.gone or qty > self.filled(name)[1]:
            self.refused(report)
            return
        self.fills.append(report)
        self.hear(report)

    @rule(name=live, exec_type=st.sampled_from(sorted(set(ExecType) - TRADES)))
    def say(self, name: str, exec_type: ExecType) -> None:
        report = kit.report(self.sent[name].order, exec_type)
        if name in self.gone:
            self.refused(report)
        else:
            self.hear(report)

    @rule(name=consumes(live))
    def close(self, name: str) -> None:
        if name not in self.gone:
            self.hear(kit.report(self.sent[name].order, ExecType.CANCELED))

    def hear(self, report: ExecutionReport) -> None:
        before = self.state
        self.state = cycle.apply(before, report)
        if report.exec_type is not ExecType.TRADE:
            assert self.state.book is before.book
        if report.cl_ord_id not in self.working():
            self.gone.add(report.cl_ord_id)

    def refused(self, report: ExecutionReport) -> None:
        with pytest.raises(BrokerError, match="Reconcile"):
            cycle.apply(self.state, report)

    def working(self) -> dict[str, WorkingOrder]:
        return {order.order.cl_ord_id: order for order in self.state.working}

    def filled(self, name: str) -> tuple[int, int]:
        """Filled and left of an order, by our own count."""
        done = sum(fill.last_qty for fill in self.fills if fill.cl_ord_id == name)
        return done, self.sent[name].order.order_qty - done

    @invariant()
    def quantities_are_the_sum_of_fills(self) -> None:
        for name, order in self.working().items():
            assert (order.cum_qty, order.leaves_qty) == self.filled(name)
            assert order.leaves_qty > 0

    @invariant()
    def working_orders_are_not_final_and_final_ones_are_gone(self) -> None:
        assert not {order.status for order in self.state.working} & FINAL
        assert set(self.working()) == set(self.sent) - self.gone
        full = {name for name in self.sent if self.filled(name)[1] == 0}
        assert full <= self.gone

    @invariant()
    def cash_and_fees_add_up_to_the_micro_dollar(self) -> None:
        paid = sum(f.side.sign * f.last_qty * micros(f.last_px) + f.fee_micro for f in self.fills)
        assert self.state.book.cash_micro == START - paid
        assert self.state.book.fees_micro == sum(fill.fee_micro for fill in self.fills)

    @invariant()
    def positions_entries_and_average_costs_are_those_of_a_plain_ledger(self) -> None:
        book = self.state.book
        for i, symbol in enumerate(NAMES.symbols):
            shares, cost, at = 0, Fraction(0), -1
            for fill in self.fills:
                if fill.symbol == symbol:
                    shares, cost, at = ledger(shares, cost, at, fill)
            assert int(book.shares[i]) == shares
            assert int(book.entry_at[i]) == at
            assert float(book.entry_price[i]) == pytest.approx(float(cost), rel=1e-12)


def ledger(
    shares: int, cost: Fraction, at: int, fill: ExecutionReport
) -> tuple[int, Fraction, int]:
    """One fill at a time in exact fractions, share by share: slow, and hard to get wrong."""
    price = Fraction(micros(fill.last_px), MICRO)
    for _ in range(fill.last_qty):
        after = shares + fill.side.sign
        if shares == 0:
            cost, at = price, fill.ts
        elif abs(after) > abs(shares):
            cost = (cost * abs(shares) + price) / abs(after)
        if after == 0:
            cost, at = Fraction(0), -1
        shares = after
    return shares, cost, at


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, derandomize=True
)
