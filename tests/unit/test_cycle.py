"""The corridor: pure, in order, and what it remembers from one cycle to the next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from deadband import cycle
from deadband.core.orders import ExecType, OrdStatus
from deadband.core.reasons import Code
from deadband.core.seen import Seen, Switch
from deadband.core.types import State, Watch
from tests import kit

N = 30
KEPT, IDLE, BUYER = "S0001", "S0002", "S0004"


def looked(**given: Any) -> Seen:
    """A position with a dead score, one to keep, and one to buy."""
    names = kit.universe(N)
    z = {s: 0.05 - 0.01 * i for i, s in enumerate(names.symbols)}
    z |= {KEPT: 1.0, IDLE: 0.1, BUYER: 2.0}
    book = kit.portfolio(
        names,
        weights=given.pop("weights", {KEPT: 0.04, IDLE: 0.05}),
        nav=given.pop("nav", kit.NAV),
        holding_min={IDLE: 121.0},
    )
    return kit.seen(names, scores=kit.scores(names, z), portfolio=book, **given)


def stepped(state: State | None = None, seen: Seen | None = None, **given: Any) -> State:
    seen = seen or looked()
    return kit.walk(seen, state or kit.state(seen.market.universe), kit.settings(**given))[0]


def printed(value: Any) -> Any:
    """A value as nested tuples of plain data, arrays as bytes: equal if and only if it is."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if is_dataclass(value):
        return type(value).__name__, *(printed(getattr(value, f.name)) for f in fields(value))
    if isinstance(value, tuple | list):
        return tuple(map(printed, value))
    if isinstance(value, dict):
        return tuple((key, printed(item)) for key, item in value.items())
    return repr(value)


# Purity


def test_the_same_arguments_give_the_same_state_and_record_and_are_left_alone() -> None:
    seen = looked()
    waiting = kit.working("w", BUYER, order_qty=7)
    state = kit.state(seen.market.universe, portfolio=seen.portfolio, working=(waiting,))
    settings = kit.settings()
    before = printed((settings, state, seen))
    first, second = (cycle.step(settings, state, seen) for _ in range(2))
    assert printed(first) == printed(second)
    assert printed((settings, state, seen)) == before


def test_a_stopwatch_hears_the_rooms_in_order_and_changes_nothing() -> None:
    class Laps:
        def __init__(self) -> None:
            self.rooms: list[str] = []

        @contextmanager
        def lap(self, room: str) -> Iterator[None]:
            self.rooms.append(room)
            yield

    laps, seen = Laps(), looked()
    state = kit.state(seen.market.universe)
    timed = cycle.step(kit.settings(), state, seen, laps)
    assert laps.rooms == ["risk", "signals", "permit", "optimize", "decide", "execute", "gate"]
    assert printed(timed) == printed(cycle.step(kit.settings(), state, seen))


def test_the_record_holds_what_went_in_and_what_came_out() -> None:
    seen = looked()
    state, record = kit.walk(seen)
    assert record.cycle_id == "20260303.000007"
    assert record.seen is seen
    assert record.state.cycle == 7
    assert {order.decision_id for order in record.plan.orders} == {record.cycle_id}
    assert state.risk is record.risk
    assert record.state.universe is seen.market.universe


def test_the_risk_model_is_kept_while_nothing_it_rests_on_changes() -> None:
    state, first = kit.walk(looked())
    _, second = kit.walk(looked(), state)
    assert second.risk is first.risk


# Orders


def test_orders_are_appended_as_pending_new_behind_those_already_working() -> None:
    seen = looked()
    waiting = kit.working("w", "S0009", status=OrdStatus.PARTIALLY_FILLED, cum_qty=1)
    names = seen.market.universe
    state, record = kit.walk(seen, kit.state(names, portfolio=seen.portfolio, working=(waiting,)))
    assert len(record.plan.orders) == 2
    assert state.working[0] is waiting
    assert [w.order for w in state.working[1:]] == list(record.plan.orders)
    assert {(w.status, w.cum_qty) for w in state.working[1:]} == {(OrdStatus.PENDING_NEW, 0)}


def test_canceled_orders_become_pending_cancel() -> None:
    seen = looked(switch=Switch(mode="HALTED"))
    waiting = kit.working("w", BUYER, cum_qty=3)
    names = seen.market.universe
    state, record = kit.walk(seen, kit.state(names, working=(waiting,)))
    assert record.plan.cancels == ("w",)
    assert state.working == (replace(waiting, status=OrdStatus.PENDING_CANCEL),)


def test_an_order_at_work_is_raised_and_waits_for_its_answer() -> None:
    seen = looked()
    names = seen.market.universe
    at_work = kit.working("w", BUYER, order_qty=7, cum_qty=2, transact_time=1)
    before = kit.state(names, portfolio=seen.portfolio, working=(at_work,))
    after, record = kit.walk(seen, before)
    (change,) = record.plan.replaces
    (waits, *new) = after.working
    assert [one.order.symbol for one in new] == [IDLE]
    assert (waits.order, waits.status) == (at_work.order, OrdStatus.PENDING_REPLACE)
    wanted = waits.wanted
    assert wanted is not None and wanted.order_qty == change.order_qty > 100
    assert (wanted.decision_id, wanted.reason) == (record.cycle_id, "BUY_TOP_K")
    assert wanted.transact_time == int(kit.NOW.timestamp()) * 1_000_000_000
    # What is added counts as sent and towards the day's turnover; what works already did before.
    more = change.order_qty - 7
    sold = record.plan.orders[0]
    assert after.sent.count == 2 and after.sent.recent[0].order_qty == more
    usd = more * kit.PRICE + sold.order_qty * sold.arrival
    assert after.turnover_today == pytest.approx(usd / kit.NAV)
    made = kit.report(wanted, ExecType.REPLACED, order_qty=wanted.order_qty, price=wanted.price)
    stands = cycle.apply(after, made).working[0]
    assert (stands.order, stands.status) == (wanted, OrdStatus.PARTIALLY_FILLED)
    refused = cycle.apply(after, kit.report(wanted, ExecType.CANCEL_REJECTED))
    assert refused.working[0] == replace(at_work, status=OrdStatus.PARTIALLY_FILLED)
    assert refused.turnover_today == pytest.approx(sold.order_qty * sold.arrival / kit.NAV)


def test_reports_fold_back_into_the_state() -> None:
    state, record = kit.walk(looked())
    sale = record.plan.orders[0]
    assert sale.symbol == IDLE
    state = cycle.apply(state, kit.report(sale, ExecType.NEW))
    state = cycle.apply(state, kit.fill(sale, 500))
    assert int(state.book.shares[2]) == 0
    assert sale not in [working.order for working in state.working]


# What is remembered


def test_the_days_turnover_counts_both_sides_of_what_was_sent() -> None:
    seen = looked()
    state, record = kit.walk(seen, kit.state(seen.market.universe, turnover_today=0.25))
    sent = sum(o.order_qty * o.arrival for o in record.plan.orders) / kit.NAV
    assert sent == pytest.approx(0.05 + 0.0145)
    assert state.turnover_today == pytest.approx(0.25 + sent)


def test_the_days_turnover_binds_the_next_cycle_and_cuts_pass() -> None:
    seen = looked()
    spent = kit.state(seen.market.universe, turnover_today=0.3)
    _, record = kit.walk(seen, spent, kit.settings(max_turnover_day=0.3))
    assert [order.symbol for order in record.plan.orders] == [IDLE]


def test_cut_names_may_not_come_back_for_an_hour() -> None:
    state, record = kit.walk(looked())
    assert Code.CUT_DEAD_MONEY.number == record.decision.code[2]
    barred = np.flatnonzero(state.cut_at >= 0)
    assert barred.tolist() == [2]
    assert state.cut_at[2] == int(kit.NOW.timestamp()) * 1_000_000_000
    names = record.seen.market.universe
    wanted = kit.seen(names, now=kit.clock("10:55"), scores=kit.scores(names, {IDLE: 3.0}))
    again, record = kit.walk(wanted, replace(state, working=()))
    assert record.decision.target[2] == 0.0
    assert Code.LIST_REENTRY.number == record.decision.code[2]
    assert again.cut_at[2] == state.cut_at[2]
    _, record = kit.walk(replace(wanted, now=kit.clock("11:00")), replace(state, working=()))
    assert record.decision.target[2] > 0.0


@pytest.mark.parametrize("code", [Code.CUT_SCORE, Code.ROTATE_OUT, Code.KILL_FLATTEN])
def test_other_exits_bar_nobody(code: Code) -> None:
    _, record = kit.walk(looked())
    decision = replace(record.decision, code=np.full(N, code.number, dtype=np.int16))
    state = cycle.after(replace(record, decision=decision))
    assert (state.cut_at < 0).all()


def test_the_watch_of_the_permits_is_carried_on() -> None:
    seen = looked(market=kit.market(kit.universe(N), bar_return=0.01))
    names = seen.market.universe
    book, scores = kit.portfolio(names), kit.scores(names)
    seen = kit.seen(names, market=kit.market(names, bar_return=0.01), portfolio=book, scores=scores)
    state, record = kit.walk(seen)
    assert state.watch == record.permits.watch == Watch(vol_cycles=1)


def test_each_cycle_has_its_number() -> None:
    state = stepped()
    assert state.cycle == 8
    assert stepped(state, looked(weights=0.0)).cycle == 9


# Days and peaks


@pytest.mark.parametrize(
    ("now", "day"),
    [
        (kit.clock("15:59"), "2026-03-03"),
        (kit.clock("09:30", "2026-03-04"), "2026-03-04"),
    ],
)
def test_a_new_day_begins_turnover_and_starting_nav_afresh(now: datetime, day: str) -> None:
    seen = looked(now=now, nav=990_000.0, weights=0.0, switch=Switch(mode="HALTED"))
    state = kit.state(seen.market.universe, turnover_today=0.4, start_nav=970_000.0)
    state = stepped(state, seen)
    assert state.day == day
    fresh = day != "2026-03-03"
    assert (state.turnover_today, state.start_nav) == (
        (0.0, 990_000.0) if fresh else (0.4, 970_000.0)
    )


def test_the_day_is_the_exchanges_and_not_greenwichs() -> None:
    """20:30 in New York is tomorrow in UTC; tomorrow's session has not begun to be counted."""
    state = kit.state(kit.universe(N), start_nav=970_000.0)
    assert stepped(state, looked(now=kit.clock("20:30"))).day == "2026-03-03"


@pytest.mark.parametrize(("nav", "peak"), [(1_100_000.0, 1_100_000.0), (900_000.0, kit.NAV)])
def test_the_peak_only_rises(nav: float, peak: float) -> None:
    for now in (kit.NOW, kit.clock("10:00", "2026-03-04")):
        seen = looked(nav=nav, now=now, weights=0.0)
        assert stepped(seen=seen).peak_nav == peak


def test_a_clearing_command_sets_start_and_peak_once() -> None:
    seen = looked(nav=900_000.0, weights=0.0, switch=Switch(cleared=3))
    state = stepped(seen=seen)
    assert (state.start_nav, state.peak_nav, state.watch.cleared) == (900_000.0, 900_000.0, 3)
    later = looked(nav=895_000.0, weights=0.0, switch=Switch(cleared=3))
    state = stepped(state, later)
    assert (state.start_nav, state.peak_nav) == (900_000.0, 900_000.0)
