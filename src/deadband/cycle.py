"""The corridor: opens the five rooms in order, and writes down what each said.

    estimate → merge → permit → solve → decide → plan → gate

`step` is pure: the same arguments give the same record, byte for byte. Backtest, paper and live
differ only in who calls it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol

import numpy as np

from .core.arrays import is_one_of
from .core.bars import Bar
from .core.config import RiskSettings, Settings
from .core.events import Word
from .core.features import Features
from .core.orders import Charge, ExecutionReport, Order, OrdStatus, Sent, TradeFee, WorkingOrder
from .core.parents import Basket, Instruction, Parent, Progress, Tick
from .core.reasons import BY_NUMBER, Code
from .core.seen import History, Market, Seen, Universe
from .core.session import Session, exchange_day
from .core.types import CycleRecord, RiskModel, State
from .core.units import epoch_ns
from .execute.basket import work as work_basket
from .execute.child import child_fault as child_fault
from .execute.facts import facts_of as facts_of
from .execute.gate import Asked, gate
from .execute.lifecycle import apply as apply_report
from .execute.plan import plan
from .execute.short_horizon import Facts, adopt, ended, netted, parent_of
from .execute.short_horizon import amend as amend_basket
from .execute.short_horizon import call_off as call_off
from .execute.short_horizon import changed as changed
from .execute.short_horizon import heard as heard_by_parents
from .optimize.solve import solve
from .policy.decide import decide
from .policy.permit import permit
from .risk.estimate import estimate
from .signals.features.catalog import measurable as measurable_features
from .signals.features.catalog import parts_of as feature_parts
from .signals.features.observe import observe as observe_bar
from .signals.features.observe import read as read_features
from .signals.features.state import FeatureState as FeatureState
from .signals.merge import merge

NO_REENTRY = (Code.CUT_LOSER.number, Code.CUT_DEAD_MONEY.number)


class Stopwatch(Protocol):
    """Told the room that is entered; laps are journaled beside the record, never in it."""

    def lap(self, room: str) -> AbstractContextManager[None]: ...


class NoWatch:
    def lap(self, room: str) -> AbstractContextManager[None]:
        return nullcontext()


def step(
    settings: Settings, state: State, seen: Seen, watch: Stopwatch | None = None
) -> tuple[State, CycleRecord]:
    """Decide what to trade now; returns the state that follows and the record of the cycle."""
    universe, watch = state.universe, watch or NoWatch()
    state = _at_open(state, seen)
    with watch.lap("risk"):
        risk = estimate(seen.market, seen.history, seen.risk_given, settings.risk, state.risk)
    with watch.lap("signals"):
        signal = merge(seen, state, risk, settings.signals)
    with watch.lap("permit"):
        permits = permit(universe, seen, state, signal, risk, settings)
    with watch.lap("optimize"):
        proposal = solve(
            universe,
            signal,
            risk,
            permits,
            seen.market,
            seen.portfolio,
            state.turnover_today,
            settings,
            state.last_target,
        )
    with watch.lap("decide"):
        decision = decide(proposal, permits, seen, settings)
    cycle_id = f"{state.day.replace('-', '')}.{state.cycle:06d}"
    with watch.lap("execute"):
        planned = plan(
            universe,
            decision,
            proposal.problem,
            seen,
            state.working,
            cycle_id,
            settings.execution,
            settings.tactics,
        )
    with watch.lap("gate"):
        asked = Asked(cycle_id, universe, state, seen, risk.beta, decision, planned, settings)
        passed = gate(asked)
    record = CycleRecord(cycle_id, state, seen, signal, risk, permits, proposal, decision, passed)
    return after(record), record


def foresee(
    settings: RiskSettings, market: Market, history: History, previous: RiskModel | None
) -> RiskModel:
    """The risk model alone, as `step` would have it: for whoever checks it against outcomes."""
    return estimate(market, history, None, settings, previous)


def _at_open(state: State, seen: Seen) -> State:
    """On a new exchange day the day's turnover and its starting NAV begin afresh."""
    day = exchange_day(seen.now).isoformat()
    nav = seen.portfolio.nav
    if day == state.day:
        return replace(state, peak_nav=max(state.peak_nav, nav))
    return replace(
        state,
        day=day,
        turnover_today=0.0,
        sent=Sent(),
        start_nav=state.last_nav or nav,
        peak_nav=max(state.peak_nav, nav),
    )


def after(record: CycleRecord) -> State:
    """The state that follows a cycle, its orders not yet acknowledged."""
    state, seen, plan_ = record.state, record.seen, record.plan
    working = _asked_of(record)
    new = tuple(WorkingOrder(order, OrdStatus.PENDING_NEW) for order in plan_.orders)
    usd = sum(order.order_qty * order.arrival for order in plan_.orders)
    pairs = tuple(zip(state.working, working, strict=True))
    usd += sum(after.committed_usd - before.committed_usd for before, after in pairs)
    added = tuple(
        replace(after.wanted, order_qty=after.wanted.order_qty - after.order.order_qty)
        for before, after in pairs
        if after.wanted is not None and before.wanted is None
        if after.wanted.order_qty > after.order.order_qty
    )
    barred = is_one_of(record.decision.code, NO_REENTRY)
    taken_up = record.permits.watch.cleared > state.watch.cleared
    nav = seen.portfolio.nav
    return replace(
        state,
        working=working + new,
        cycle=state.cycle + 1,
        turnover_today=state.turnover_today + usd / nav,
        start_nav=nav if taken_up else state.start_nav,
        peak_nav=nav if taken_up else state.peak_nav,
        last_nav=nav,
        cut_at=np.where(barred, epoch_ns(seen.now), state.cut_at),
        watch=record.permits.watch,
        risk=record.risk,
        last_target=record.proposal.weights,
        skill=record.signal.skill,
        sent=state.sent.and_now(added + plan_.orders, epoch_ns(seen.now)),
    )


def _asked_of(record: CycleRecord) -> tuple[WorkingOrder, ...]:
    """The orders that worked before the cycle, with what it asks of them."""
    universe, now = record.state.universe, epoch_ns(record.seen.now)
    canceled = frozenset(record.plan.cancels)
    changes = {one.cl_ord_id: one for one in record.plan.replaces}
    asked = []
    for order in record.state.working:
        ref, name = order.order.cl_ord_id, universe.index[order.order.symbol]
        after = order
        if ref in canceled:
            after = replace(order, status=OrdStatus.PENDING_CANCEL)
        elif ref in changes:
            reason = BY_NUMBER[int(record.decision.code[name])].value
            mid = float(record.seen.market.mid[name])
            wanted = order.changed(changes[ref], record.cycle_id, reason, mid, now)
            after = replace(order, status=OrdStatus.PENDING_REPLACE, wanted=wanted)
        asked.append(after)
    return tuple(asked)


def apply(state: State, report: ExecutionReport | TradeFee | Charge | Word) -> State:
    """Fold one broker report, or a word of the operator's, into the state: the way back."""
    return apply_report(state, report)


def net(orders: tuple[Order, ...]) -> tuple[Order, ...]:
    """One order a name where several strategies trade it, to be taken up in place of theirs."""
    return netted(orders)


def open_basket(
    settings: Settings, cash: float, nav: float, works: tuple[Progress, ...] = ()
) -> Basket:
    """A basket of what is worked already, with `cash` USD to spend, less the cash buffer."""
    buffer = settings.execution.cash_buffer * nav
    return Basket(works, cash, buffer, nav, settings.tactics, settings.costs)


def take_up(
    basket: Basket, orders: tuple[Order, ...], facts: Mapping[str, Facts], now: int
) -> Basket:
    """Begin to work a plan's orders at `now` (ns), by what is known of their names."""
    return adopt(basket, _parents(basket, orders, facts, now))


def amend(
    basket: Basket, orders: tuple[Order, ...], facts: Mapping[str, Facts], now: int
) -> Basket:
    """Work towards a new decision's orders, stated from settled positions, with what is working."""
    return amend_basket(basket, _parents(basket, orders, facts, now))


def _parents(
    basket: Basket, orders: tuple[Order, ...], facts: Mapping[str, Facts], now: int
) -> tuple[Parent, ...]:
    return tuple(parent_of(order, facts[order.symbol], now, basket.tactics) for order in orders)


def work(
    basket: Basket, ticks: Mapping[str, Tick], now: int
) -> tuple[Basket, tuple[Instruction, ...], tuple[ExecutionReport, ...]]:
    """A round of quotes: messages for the broker, and reports on parents that ended short.

    Pure, as `step` is. The caller makes the basket durable before it sends what is intended.
    """
    after, intents = work_basket(basket, ticks, now)
    return after, intents, ended(basket, after, now)


def hear(basket: Basket, report: ExecutionReport) -> tuple[Basket, tuple[ExecutionReport, ...]]:
    """Fold a report on a child; what `apply` is to be told of its parent comes back with it."""
    return heard_by_parents(basket, report)


def first_features(
    universe: Universe, bar_min: float, names: tuple[str, ...] | None = None
) -> FeatureState:
    """What features remember before any bar; bars will be `bar_min` minutes long.

    `names`: the features that will be read, None for all; what none of them needs is not kept up.
    """
    return FeatureState.empty(universe, bar_min, feature_parts(names))


def observe(features: FeatureState, bar: Bar, session: Session) -> FeatureState:
    """Fold a bar that has ended into the features: before `step`, for drivers whose models ask.

    Oldest bar first, earlier sessions too: a feature is NaN until enough has been seen for it.
    Pure, as `step` is; nothing of it is journaled, for models' scores are part of `Seen`.
    """
    return observe_bar(features, bar, session)


def read(features: FeatureState, names: tuple[str, ...] | None = None) -> Features:
    """The named features as of the last bar's end, as models take them; None: all folded."""
    return read_features(features, names)


def measurable(bar_min: float) -> tuple[str, ...]:
    """The features that bars of this length can tell."""
    return measurable_features(bar_min)
