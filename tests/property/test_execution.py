"""Any quotes, any fills, any answers of the broker: what an algorithm never does."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.orders import Action, Algorithm, ExecType, ExecutionReport, Side
from deadband.core.parents import ChildOrder, Instruction, Parent, Progress, Tick
from deadband.core.tactics import Tactics
from deadband.execute.algorithms import arrival, twap, vwap
from deadband.execute.algorithms.sliced import due, edge, slice_at
from deadband.execute.algorithms.table import SCHEDULES
from deadband.execute.machine import CROSSINGS, act, hear, observe, replace_budget
from deadband.journal.codec import Decoder, Encoder
from tests.kit.parents import SECOND, START, parent, report

CENT = 0.01


@dataclass
class Living:
    """An order at the broker, with what was asked of it and not yet answered."""

    order: ChildOrder
    cum_qty: int = 0
    asked: list[Instruction] = field(default_factory=list)


@dataclass
class Venue:
    """A broker that answers when it likes, and never fills more than it was given."""

    living: dict[str, Living] = field(default_factory=dict)
    count: int = 0

    def take(self, intent: Instruction) -> None:
        if intent.action is Action.NEW:
            assert not self.living, "a new child while another one lives could fill twice"
            self.living[intent.order.cl_ord_id] = Living(intent.order, asked=[intent])
        elif intent.order.cl_ord_id in self.living:
            self.living[intent.order.cl_ord_id].asked.append(intent)

    def report(self, order: ChildOrder, kind: ExecType, **other: Any) -> ExecutionReport:
        self.count += 1
        return report(order, kind, f"x{self.count}", **other)

    def fill(self, share: float) -> ExecutionReport | None:
        for one in self.living.values():
            qty = int(share * (one.order.order_qty - one.cum_qty))
            if qty > 0:
                one.cum_qty += qty
                self._drop_filled(one)
                px = one.order.price
                return self.report(one.order, ExecType.TRADE, last_qty=qty, last_px=px)
        return None

    def answer(self, yes: bool) -> ExecutionReport | None:
        """The oldest question of the living order, granted or not."""
        for key, one in list(self.living.items()):
            if not one.asked:
                continue
            intent = one.asked.pop(0)
            if intent.action is Action.NEW:
                if not yes:
                    del self.living[key]
                return self.report(one.order, ExecType.NEW if yes else ExecType.REJECTED)
            if not yes:
                return self.report(one.order, ExecType.CANCEL_REJECTED)
            if intent.action is Action.CANCEL:
                del self.living[key]
                return self.report(one.order, ExecType.CANCELED)
            one.order = intent.order
            self._drop_filled(one)
            return self.report(one.order, ExecType.REPLACED)
        return None

    def expire(self) -> ExecutionReport | None:
        """An immediate order that found nobody, or the exchange's own cancel."""
        for key, one in list(self.living.items()):
            if not one.asked:
                del self.living[key]
                return self.report(one.order, ExecType.EXPIRED)
        return None

    def _drop_filled(self, one: Living) -> None:
        if one.cum_qty >= one.order.order_qty:
            self.living.pop(one.order.cl_ord_id, None)


STEP = st.one_of(
    st.tuples(
        st.just("tick"),
        st.integers(1, 40),
        st.integers(-6, 6),
        st.integers(0, 8),
        st.integers(0, 4000),
        st.booleans(),
    ),
    st.tuples(st.just("fill"), st.floats(0.05, 1.0)),
    st.tuples(st.just("answer"), st.sampled_from([True, True, True, False])),
    st.tuples(st.just("expire")),
)
TACTICS = st.builds(
    Tactics,
    start_at=st.sampled_from([-1.0, 0.0, 0.5]),
    rungs=st.integers(1, 4),
    cross_at=st.sampled_from([0.5, 0.8, 1.0]),
    slices=st.integers(1, 6),
    jitter=st.sampled_from([0.0, 0.5, 0.9]),
    complete=st.booleans(),
    min_reprice_s=st.sampled_from([0.0, 5.0]),
    max_replaces=st.integers(0, 6),
    adverse_spreads=st.sampled_from([0.0, 2.0]),
    imbalance=st.sampled_from([0.0, 3.0]),
    close_limit_bps=st.sampled_from([0.0, 50.0]),
)
PARENTS = st.builds(
    parent,
    st.sampled_from(sorted(Algorithm)),
    side=st.sampled_from([Side.BUY, Side.SELL, Side.SELL_SHORT]),
    qty=st.integers(1, 5000),
    seconds=st.integers(5, 600),
    tactics=TACTICS,
    lot=st.sampled_from([1, 100]),
    curve=st.sampled_from([(), (1.0, 2.0, 1.0)]),
)


def ticks(step: tuple[Any, ...], last: Tick) -> Tick:
    _, seconds, move, spread, volume, sized = step
    mid = max(1.0, 0.5 * (last.bid + last.ask) + move * CENT)
    bid = round(mid - spread * CENT / 2, 2)
    return Tick(
        ts=last.ts + seconds * SECOND,
        bid=bid,
        ask=round(bid + spread * CENT, 2),
        bid_size=500.0 if sized else 5000.0,
        ask_size=500.0,
        volume=volume,
    )


def restarted(progress: Progress) -> Progress:
    """As it comes back from the journal."""
    shelf: dict[bytes, bytes] = {}
    data = Encoder(shelf.__setitem__).encode(progress)
    back: Progress = Decoder(shelf.__getitem__).decode(data)
    return back


def expect_within_bounds(progress: Progress, intent: Instruction, at: Tick) -> None:
    order, mandate = intent.order, progress.parent.order
    sign = order.side.sign
    assert sign * order.price <= sign * mandate.price + 1e-9, "beyond the collar"
    assert abs(order.price / CENT - round(order.price / CENT)) < 1e-6, "off tick"
    assert at.ts >= progress.parent.start
    if intent.action is not Action.CANCEL:
        assert at.ts < progress.parent.deadline, "past the deadline only cancels are sent"
        assert order.order_qty > 0


def walk(mandate: Parent, steps: list[tuple[Any, ...]], check: Callable[..., None]) -> Progress:
    progress, venue = Progress(mandate), Venue()
    last = Tick(START, 99.99, 100.01, 500.0, 500.0)
    for step in [("tick", 0, 0, 2, 0, True), *steps]:
        heard: ExecutionReport | None = None
        if step[0] == "tick":
            last = ticks(step, last)
        elif step[0] == "fill":
            heard = venue.fill(step[1])
        elif step[0] == "answer":
            heard = venue.answer(step[1])
        else:
            heard = venue.expire()
        before = progress
        if heard is not None:
            progress = hear(progress, heard)
            assert hear(progress, heard) == progress, "a report that comes twice counts once"
        progress = observe(progress, last)
        twin, same = act(restarted(progress), last)
        progress, intent = act(progress, last)
        assert (twin, same) == (progress, intent), "a restart changes nothing"
        if intent is not None:
            venue.take(intent)
        check(before, progress, intent, last)
        assert progress.filled + progress.worst_leaves <= mandate.order.order_qty
        assert progress.filled >= before.filled
        assert progress.volume >= before.volume
    return progress


@settings(max_examples=300, deadline=None)
@given(PARENTS, st.lists(STEP, max_size=60))
def test_no_path_leads_out_of_bounds(mandate: Parent, steps: list[tuple[Any, ...]]) -> None:
    def check(_before: Progress, after: Progress, intent: Instruction | None, at: Tick) -> None:
        if intent is not None:
            expect_within_bounds(after, intent, at)
        assert after.replaces <= replace_budget(mandate) + 1

    walk(mandate, steps, check)


@settings(max_examples=150, deadline=None)
@given(PARENTS, st.lists(STEP, max_size=60))
def test_past_its_deadline_a_parent_ends_once_its_child_is_gone(
    mandate: Parent, steps: list[tuple[Any, ...]]
) -> None:
    progress = walk(mandate, steps, lambda *_: None)
    after = Tick(max(mandate.deadline, progress.last_tick + 1), 99.99, 100.01, 500.0, 500.0)
    progress, intent = act(observe(progress, after), after)
    if progress.child is None:
        assert progress.outcome is not None and intent is None
    elif intent is not None:
        assert intent.action is Action.CANCEL


@settings(max_examples=150, deadline=None)
@given(PARENTS, st.lists(STEP, max_size=60))
def test_a_resting_child_never_steps_back(mandate: Parent, steps: list[tuple[Any, ...]]) -> None:
    def check(before: Progress, after: Progress, intent: Instruction | None, _at: Tick) -> None:
        if intent is None or intent.action is not Action.REPLACE or before.child is None:
            return
        was, now = before.child.order, intent.order
        if was.cl_ord_id == now.cl_ord_id and now.reason not in CROSSINGS:
            sign = mandate.order.side.sign
            assert sign * now.price >= sign * was.price

    walk(mandate, steps, check)


SHARES = {
    Algorithm.TWAP: lambda _: twap.even,
    Algorithm.VWAP: lambda p: lambda u: vwap.along(p.curve, u),
    Algorithm.ARRIVAL: lambda p: lambda u: arrival.traded(u, arrival.urgency(p)),
}


@settings(max_examples=200, deadline=None)
@given(PARENTS, st.sampled_from(sorted(SHARES)), st.floats(0.0, 100.0))
def test_schedules_only_grow_and_end_with_all_of_it(
    mandate: Parent, algorithm: Algorithm, risk: float
) -> None:
    mandate = replace(mandate, tactics=replace(mandate.tactics, risk_aversion=risk))
    share = SHARES[algorithm](mandate)
    n = mandate.tactics.slices
    planned = [due(mandate, share, k) for k in range(n)]
    assert planned == sorted(planned) and planned[-1] == mandate.order.order_qty
    fine = [share(u / 200) for u in range(201)]
    assert all(b >= a - 1e-12 for a, b in zip(fine, fine[1:], strict=False))
    assert fine[0] == pytest.approx(0.0, abs=1e-12) and fine[-1] == pytest.approx(1.0)
    edges = [edge(mandate, k) for k in range(n + 1)]
    assert edges == sorted(edges)
    at = [slice_at(mandate, u / 500) for u in range(501)]
    assert at == sorted(at) and (at[0], at[-1]) == (0, n - 1)
    assert all(edge(mandate, k) <= u / 500 for u, k in enumerate(at))


def test_the_schedules_are_those_the_table_counts_slices_for() -> None:
    assert set(SHARES) | {Algorithm.POV} == SCHEDULES
