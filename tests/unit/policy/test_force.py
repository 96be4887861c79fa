"""FORCE: what shrinks, empties or stops the whole book, and when it lets go."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from deadband.core.orders import OrdStatus
from deadband.core.reasons import BY_NUMBER, GLOBAL, Code
from deadband.core.seen import Seen, Switch
from deadband.core.types import CycleRecord, Permits, State, Watch
from tests import kit

N = 30
HELD = {"S0001": 0.05, "S0002": -0.04}
BUYER = "S0004"
LATCHING = (Code.RISK_DAILY_LOSS, Code.RISK_DRAWDOWN)


def looked(**given: Any) -> Seen:
    """A long and a short, a name to buy, and scores that keep what is held."""
    names = kit.universe(N)
    columns = {name: given.pop(name) for name in tuple(given) if name not in SEEN}
    nav = columns.pop("nav", kit.NAV)
    z = {s: 0.5 - 0.01 * i for i, s in enumerate(names.symbols)}
    z |= {"S0001": 1.5, "S0002": -1.5, BUYER: 2.0}
    return kit.seen(
        names,
        market=kit.market(names, **columns),
        scores=kit.scores(names, z),
        portfolio=kit.portfolio(names, weights=given.pop("weights", HELD), nav=nav),
        **given,
    )


SEEN = ("now", "switch", "weights")


def spoken(permits: Permits) -> list[Code]:
    return [reason.code for reason in permits.spoken]


def may_only_shrink(permits: Permits, seen: Seen) -> bool:
    w = seen.portfolio.weights
    low, high = np.minimum(w, 0.0), np.maximum(w, 0.0)
    return bool((permits.low == low).all() and (permits.high == high).all())


def is_free(permits: Permits) -> bool:
    return bool(np.isneginf(permits.low).all() and np.isposinf(permits.high).all())


def targets(record: CycleRecord) -> dict[str, float]:
    target = record.decision.target
    return {record.state.universe.symbols[i]: float(target[i]) for i in np.flatnonzero(target)}


def run(*cycles: Seen, state: State | None = None, **given: Any) -> tuple[State, Permits]:
    """Some cycles in a row; the last one's permits."""
    state = state or kit.state(cycles[0].market.universe)
    for seen in cycles:
        state, record = kit.walk(seen, state, kit.settings(**given))
        state = replace(state, working=())
    return state, record.permits


# The switch


def test_active_and_quiet_forbids_nothing() -> None:
    permits = kit.permitted(looked())
    assert is_free(permits)
    assert permits.spoken == permits.gates == ()
    assert not permits.force.any()
    assert permits.gross_scale == 1.0


def test_reducing_is_the_box_between_zero_and_the_current_weight() -> None:
    seen = looked(switch=Switch(mode="REDUCING"))
    permits = kit.permitted(seen)
    assert spoken(permits) == [Code.KILL_REDUCING]
    assert may_only_shrink(permits, seen)
    _, record = kit.walk(seen, None, kit.settings(K_short=5))
    assert BUYER not in targets(record)
    assert BY_NUMBER[int(record.decision.code[4])] is Code.KILL_REDUCING


def test_reducing_lets_cuts_through() -> None:
    seen = looked(switch=Switch(mode="REDUCING"))
    names = seen.market.universe
    seen = replace(
        seen,
        scores=kit.scores(
            names,
            {"S0001": -3.0, "S0002": -3.0}
            | {s: 0.5 - 0.01 * i for i, s in enumerate(names.symbols[3:])},
        ),
    )
    _, record = kit.walk(seen, None, kit.settings(K_short=5))
    assert targets(record) == {"S0002": -0.04}
    assert [order.symbol for order in record.plan.orders] == ["S0001"]


def test_halted_sends_nothing_and_cancels_what_works() -> None:
    seen = looked(switch=Switch(mode="HALTED", flatten=(GLOBAL,)))
    working = (
        kit.working("a", "S0001"),
        kit.working("b", "S0003", status=OrdStatus.PENDING_NEW),
        kit.working("c", "S0005", status=OrdStatus.PENDING_CANCEL),
    )
    state = kit.state(seen.market.universe, portfolio=seen.portfolio, working=working)
    permits = kit.permitted(seen, state)
    assert permits.frozen.all()
    after, record = kit.walk(seen, state, kit.settings(K_short=5))
    assert record.plan.orders == ()
    assert record.plan.cancels == ("a", "b")
    assert {order.status for order in after.working} == {OrdStatus.PENDING_CANCEL}
    assert Code.KILL_HALTED in [reason.code for reason in record.decision.spoken]


@pytest.mark.parametrize("now", ["10:00", "09:31", "15:57"])
def test_flatten_all_empties_the_book_and_buys_nothing_back(now: str) -> None:
    seen = looked(now=kit.clock(now), switch=Switch(flatten=(GLOBAL,)))
    _, record = kit.walk(seen, None, kit.settings(K_short=5))
    assert targets(record) == {}
    assert {o.symbol: o.order_qty for o in record.plan.orders} == {"S0001": 500, "S0002": 400}
    assert {o.reason for o in record.plan.orders} == {"KILL_FLATTEN"}
    assert BY_NUMBER[int(record.decision.code[4])] is Code.KILL_FLATTEN
    assert Code.KILL_FLATTEN in spoken(record.permits)


def test_flatten_one_leaves_the_others_alone() -> None:
    seen = looked(switch=Switch(flatten=("S0001", BUYER, "NOT_IN_UNIVERSE")))
    _, record = kit.walk(seen, None, kit.settings(K_short=5))
    assert "S0001" not in targets(record)
    assert BUYER not in targets(record)
    assert targets(record)["S0002"] <= -0.04


def test_flatten_stays_until_the_command_is_withdrawn() -> None:
    seen = looked(switch=Switch(flatten=(GLOBAL,)))
    state, _ = kit.walk(seen)
    flat = replace(seen, portfolio=kit.portfolio(seen.market.universe))
    state, record = kit.walk(flat, replace(state, working=()))
    assert record.plan.orders == ()
    _, record = kit.walk(replace(flat, switch=Switch()), state)
    assert BUYER in targets(record)


def test_nothing_moves_while_the_exchange_is_closed() -> None:
    seen = looked(now=kit.clock("16:00"), switch=Switch(flatten=(GLOBAL,)))
    _, record = kit.walk(seen)
    assert record.permits.frozen.all()
    assert spoken(record.permits)[0] is Code.SESSION_CLOSED
    assert record.plan.orders == ()
    assert {BY_NUMBER[int(c)] for c in record.decision.code[[1, 2]]} == {Code.SESSION_CLOSED}


# Spikes and blow-outs

SPIKE = {"bar_return": 3e-3}
BLOWOUT = {"spread_bps": 15.0}


@pytest.mark.parametrize(
    ("columns", "code"),
    [(SPIKE, Code.RISK_VOL_SPIKE), (BLOWOUT, Code.RISK_SPREAD_BLOWOUT)],
)
def test_three_times_the_norm_in_two_cycles_in_a_row_reduces(
    columns: dict[str, float], code: Code
) -> None:
    wild, quiet = looked(**columns), looked()
    _, permits = run(wild)
    assert is_free(permits)
    _, permits = run(wild, quiet, wild)
    assert is_free(permits)
    _, permits = run(wild, wild)
    assert spoken(permits) == [code]
    assert may_only_shrink(permits, wild)


def test_falling_prices_spike_as_rising_ones_do() -> None:
    alternating = {s: 3e-3 * (-1) ** i for i, s in enumerate(kit.symbols(N))}
    wild = looked(bar_return=alternating)
    assert spoken(run(wild, wild)[1]) == [Code.RISK_VOL_SPIKE]


def test_under_three_times_or_without_a_norm_nothing_fires() -> None:
    for columns in (
        {"bar_return": 2.9e-3},
        {"spread_bps": 14.9},
        {"bar_return": 9.0, "norm_move": 0.0},
        {"spread_bps": 39.0, "norm_spread": 0.0},
    ):
        wild = looked(**columns)
        assert is_free(run(wild, wild)[1])


def test_exactly_three_times_the_norm_fires_whatever_its_last_bits() -> None:
    """3 · 0.0011 is 0.0033000000000000004 in floating point."""
    wild = looked(bar_return=0.0033, norm_move=0.0011)
    assert spoken(run(wild, wild)[1]) == [Code.RISK_VOL_SPIKE]


def test_names_without_a_fresh_quote_do_not_count() -> None:
    for one in ({"quote_age_s": {"S0009": 9e3}}, {"bid": {"S0009": 0.0}}):
        wild = looked(bar_return={"S0009": 10.0}, ask={"S0009": 500.0}, **one)
        assert spoken(run(wild, wild)[1]) == []


def test_a_few_quoted_names_do_not_speak_for_the_market() -> None:
    """The norms are of all names; ten wild ones of thirty are a feed in trouble."""
    silent = {f"S{i:04d}": 9e3 for i in range(20)}
    wild = looked(quote_age_s=silent, bar_return=1.0)
    state, permits = run(wild, wild)
    assert spoken(permits) == []
    assert state.watch == Watch()


def test_a_closed_vendor_is_no_spike() -> None:
    gone = looked(quote_age_s=9e3, bar_return=1.0)
    state, permits = run(gone, gone)
    assert spoken(permits) == [Code.DATA_OUTAGE]
    assert state.watch == Watch()


def latched(code: Code, fell: datetime) -> State:
    watch = Watch(latches=((code, fell.timestamp()),))
    return kit.state(kit.universe(N), watch=watch)


@pytest.mark.parametrize(
    ("fell", "until"),
    [
        (kit.clock("10:00"), kit.clock("10:30")),
        (kit.clock("15:50"), kit.clock("09:50", "2026-03-04")),
        (kit.clock("15:45", "2026-03-06"), kit.clock("09:45", "2026-03-09")),
        (kit.clock("12:50", "2026-11-27"), kit.clock("09:50", "2026-11-30")),
    ],
    ids=["one session", "over night", "over a weekend and the clock change", "half-day"],
)
def test_the_cooldown_is_thirty_minutes_of_open_market(fell: datetime, until: datetime) -> None:
    state = latched(Code.RISK_VOL_SPIKE, fell)
    before = kit.permitted(looked(now=until - timedelta(seconds=1)), state)
    assert Code.RISK_VOL_SPIKE in spoken(before)
    assert before.watch.latches == state.watch.latches
    after = kit.permitted(looked(now=until), state)
    assert Code.RISK_VOL_SPIKE not in spoken(after)
    assert after.watch.latches == ()


def test_a_spike_that_goes_on_renews_its_cooldown() -> None:
    times = [kit.clock(hhmm) for hhmm in ("10:00", "10:05", "10:10")]
    state, _ = run(*(looked(now=now, **SPIKE) for now in times))
    assert state.watch.latches == ((Code.RISK_VOL_SPIKE, times[-1].timestamp()),)


def test_both_overrides_may_hold_at_once() -> None:
    wild = looked(**SPIKE, **BLOWOUT)
    _, permits = run(wild, wild)
    assert set(spoken(permits)) == {Code.RISK_VOL_SPIKE, Code.RISK_SPREAD_BLOWOUT}


# Losses


@pytest.mark.parametrize(
    ("nav", "codes"),
    [
        (980_000.01, set()),
        (980_000.0, {Code.RISK_DAILY_LOSS}),
        (950_000.01, {Code.RISK_DAILY_LOSS}),
        (950_000.0, {Code.RISK_DAILY_LOSS, Code.RISK_DRAWDOWN}),
    ],
)
def test_two_percent_a_day_and_five_from_the_peak(nav: float, codes: set[Code]) -> None:
    seen = looked(nav=nav)
    permits = kit.permitted(seen)
    assert set(spoken(permits)) == codes
    assert may_only_shrink(permits, seen) == bool(codes)


def test_drawdown_is_from_the_highest_nav_not_from_this_morning() -> None:
    state = kit.state(kit.universe(N), start_nav=960_000.0, peak_nav=kit.NAV)
    assert spoken(kit.permitted(looked(nav=949_000.0), state)) == [Code.RISK_DRAWDOWN]


def test_loss_latches_outlive_recovery_and_the_night() -> None:
    state, _ = run(looked(nav=940_000.0))
    tomorrow = kit.clock("11:00", "2026-03-04")
    for seen in (looked(nav=999_000.0), looked(nav=999_000.0, now=tomorrow)):
        state, permits = run(seen, state=state)
        assert set(spoken(permits)) == set(LATCHING)
    fell = {when for _, when in state.watch.latches}
    assert fell == {kit.NOW.timestamp()}


def test_only_a_new_command_clears_and_the_count_begins_again_from_here() -> None:
    state, _ = run(looked(nav=940_000.0))
    cleared = Switch(cleared=1)
    state, permits = run(looked(nav=940_000.0, switch=cleared), state=state)
    assert is_free(permits)
    assert (state.start_nav, state.peak_nav) == (940_000.0, 940_000.0)
    state, permits = run(looked(nav=922_000.0, switch=cleared), state=state)
    assert is_free(permits)
    state, permits = run(looked(nav=921_000.0, switch=cleared), state=state)
    assert spoken(permits) == [Code.RISK_DAILY_LOSS]
    _, permits = run(looked(nav=921_000.0, switch=cleared), state=state)
    assert spoken(permits) == [Code.RISK_DAILY_LOSS]


def test_clearing_does_not_release_a_cooldown() -> None:
    state = latched(Code.RISK_VOL_SPIKE, kit.NOW)
    seen = looked(now=kit.clock("10:10"), switch=Switch(cleared=1))
    assert spoken(kit.permitted(seen, state)) == [Code.RISK_VOL_SPIKE]


def test_the_other_action_scales_gross_and_net() -> None:
    seen = looked(nav=980_000.0, weights={f"S{i:04d}": 0.02 for i in range(14)})
    settings = {"override_action": "scale", "override_scale": 0.5}
    permits = kit.permitted(seen, None, kit.settings(**settings))
    assert is_free(permits)
    assert permits.gross_scale == 0.5
    assert spoken(permits) == [Code.RISK_DAILY_LOSS]
    _, record = kit.walk(seen, None, kit.settings(**settings, z_cut=-9.0))
    assert record.decision.target.sum() <= 0.15 + 1e-12
    assert record.proposal.problem.limits.gross == 0.75


# The end of the day


@pytest.mark.parametrize(
    ("now", "flat"),
    [
        (kit.clock("15:44"), False),
        (kit.clock("15:45"), True),
        (kit.clock("15:50"), True),
        (kit.clock("15:59"), True),
        (kit.clock("12:44", "2026-11-27"), False),
        (kit.clock("12:45", "2026-11-27"), True),
    ],
)
def test_flat_by_the_close(now: datetime, flat: bool) -> None:
    seen = looked(now=now)
    _, record = kit.walk(seen, None, kit.settings(flat_by_close_min=15.0, K_short=5))
    assert (targets(record) == {}) is flat
    assert (Code.RISK_END_OF_DAY in spoken(record.permits)) is flat


def test_once_flat_by_the_close_the_last_window_buys_nothing() -> None:
    seen = looked(now=kit.clock("15:50"), weights=0.0)
    _, record = kit.walk(seen, None, kit.settings(flat_by_close_min=15.0))
    assert record.plan.orders == ()
    assert BY_NUMBER[int(record.decision.code[4])] is Code.RISK_END_OF_DAY


@pytest.mark.parametrize(("now", "cap"), [("15:29", np.inf), ("15:30", 0.6), ("15:59", 0.6)])
def test_overnight_gross_holds_from_half_an_hour_before_the_close(now: str, cap: float) -> None:
    settings = kit.settings(overnight_gross=0.6, max_gross_exposure=1.5)
    permits = kit.permitted(looked(now=kit.clock(now)), None, settings)
    assert (permits.gross_cap, permits.gross_scale) == (cap, 1.0)
    assert (Code.RISK_END_OF_DAY in spoken(permits)) is (cap < 1.0)


def test_a_book_within_the_overnight_gross_is_left_alone() -> None:
    """0.5 of gross is allowed overnight, and net keeps its own limit."""
    weights = {f"S{i:04d}": 0.05 for i in range(5)}
    seen = looked(now=kit.clock("15:45"), weights=weights)
    _, record = kit.walk(seen, None, kit.settings(overnight_gross=0.5, z_cut=-9.0))
    assert not [order for order in record.plan.orders if order.reason.startswith("CAP")]


def test_overnight_gross_is_reached_in_spite_of_the_clamp() -> None:
    weights = {f"S{i:04d}": 0.05 for i in range(4)}
    seen = looked(now=kit.clock("15:57"), weights=weights)
    settings = kit.settings(overnight_gross=0.1, z_cut=-9.0)
    _, record = kit.walk(seen, None, settings)
    assert np.abs(record.decision.target).sum() <= 0.1 + 1e-12


def test_an_overnight_gross_above_the_mandate_widens_nothing() -> None:
    settings = kit.settings(overnight_gross=9.0)
    assert kit.permitted(looked(now=kit.clock("15:45")), None, settings).gross_scale == 1.0
