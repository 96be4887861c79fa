"""Gates of single names: whom each one holds, how hard, and that it says so."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from deadband.core.reasons import BY_NUMBER, Code
from deadband.core.seen import NEVER_S, Seen, Switch, Universe
from deadband.core.types import CycleRecord, Permits, State
from deadband.risk.estimate import estimate
from tests import kit

N = 30
LONG, FLAT, FREE = "S0003", "S0004", "S0005"
"""Gated and held at 5 %, gated and flat, and a name that no gate names."""
GATED = (LONG, FLAT)

Setup = dict[str, Any]


def both(value: Any) -> dict[str, Any]:
    return dict.fromkeys(GATED, value)


def on_market(**columns: Any) -> Callable[[Universe], Setup]:
    return lambda names: {"market": kit.market(names, **columns)}


def on_scores(**columns: Any) -> Callable[[Universe], Setup]:
    return lambda names: {"scores": columns}


def on_settings(**given: Any) -> Callable[[Universe], Setup]:
    return lambda names: {"settings": given}


JUST_NOW = int((kit.NOW.timestamp() - 60.0) * 1e9)

FREEZES = {
    Code.LIQ_HALTED: on_market(halted=both(True)),
    Code.DATA_STALE_QUOTE: on_market(quote_age_s=both(451.0)),
    Code.LIST_RESTRICTED: on_settings(restricted=GATED),
    Code.ORDER_UNKNOWN: lambda names: {"unknown": both(10)},
}
HOLDS = {
    Code.LIQ_SPREAD: on_market(spread_bps=both(41.0)),
    Code.LIST_PAUSED: lambda names: {"switch": Switch(paused=GATED)},
    Code.DATA_STALE_SCORE: on_scores(age_s=both(45 * 60 + 1.0)),
    Code.DATA_MISSING_SCORE: on_scores(
        defect=both(Code.DATA_MISSING_SCORE.number), age_s=both(NEVER_S)
    ),
    Code.DATA_NOT_FINITE: on_scores(defect=both(Code.DATA_NOT_FINITE.number)),
}
SHRINKS = {
    Code.LIQ_DOLLAR_VOLUME: lambda names: {
        "market": kit.market(names, adv=both(49_999.0)),
        "settings": {"max_participation": 10.0},
    },
    Code.LIQ_PRICE: on_market(price=both(1.99), adv=both(1e8)),
    Code.LIST_CLOSE_ONLY: on_settings(close_only=GATED),
    Code.LIST_EARNINGS: on_settings(earnings=GATED),
    Code.LIST_REENTRY: lambda names: {"state": {"cut_at": both(JUST_NOW)}},
}
NO_SHORTS = {
    Code.LIQ_NOT_SHORTABLE: on_market(shortable=both(False)),
    Code.LIST_NO_SHORT: on_settings(no_short=GATED),
}
ONE_SIDED = FREEZES | HOLDS | SHRINKS
ALL = ONE_SIDED | NO_SHORTS


def scene(
    setup: Callable[[Universe], Setup] | None = None,
    z: dict[str, float] | None = None,
    weights: dict[str, float] | None = None,
    **given: Any,
) -> tuple[Seen, State, Any]:
    """A book of one name and scores that fall with the symbol's number; `setup` gates two names."""
    names = kit.universe(N)
    parts = setup(names) if setup else {}
    ranked = {symbol: 0.5 - 0.01 * i for i, symbol in enumerate(names.symbols)} | (z or {})
    held = {LONG: 0.05} if weights is None else weights
    book = kit.portfolio(names, weights=held, unknown=parts.get("unknown", 0))
    seen = kit.seen(
        names,
        now=given.pop("now", kit.NOW),
        market=parts.get("market"),
        scores=kit.scores(names, ranked, **parts.get("scores", {})),
        portfolio=book,
        switch=parts.get("switch", Switch()),
    )
    state = kit.state(names, portfolio=book, **parts.get("state", {}))
    return seen, state, kit.settings(**(parts.get("settings", {}) | given))


def flatten(seen: Seen, *symbols: str) -> Seen:
    return replace(seen, switch=replace(seen.switch, flatten=symbols))


def box(permits: Permits, symbol: str, *, hard: bool = False) -> tuple[float, float]:
    i = int(symbol[1:])
    if hard:
        return float(permits.hard_low[i]), float(permits.hard_high[i])
    return float(permits.low[i]), float(permits.high[i])


def code_of(record: CycleRecord, symbol: str) -> Code:
    return BY_NUMBER[int(record.decision.code[int(symbol[1:])])]


def target_of(record: CycleRecord, symbol: str) -> float:
    return float(record.decision.target[int(symbol[1:])])


OPEN = (-np.inf, np.inf)


@pytest.mark.parametrize("code", ALL)
def test_a_gate_holds_its_names_and_nobody_else(code: Code) -> None:
    permits = kit.permitted(*scene(ALL[code]))
    (gate,) = permits.gates
    assert gate.code is code
    assert [s for s, held in zip(kit.symbols(N), gate.names, strict=True) if held] == list(GATED)
    assert box(permits, FREE) == box(permits, FREE, hard=True) == OPEN


@pytest.mark.parametrize("code", FREEZES)
def test_a_frozen_name_keeps_its_weight_whatever_happens(code: Code) -> None:
    seen, state, settings = scene(FREEZES[code])
    permits = kit.permitted(seen, state, settings)
    assert box(permits, LONG) == box(permits, LONG, hard=True) == (0.05, 0.05)
    assert box(permits, FLAT, hard=True) == (0.0, 0.0)
    _, record = kit.walk(flatten(seen, LONG), state, settings)
    assert target_of(record, LONG) == 0.05
    assert code_of(record, LONG) is code


@pytest.mark.parametrize("code", HOLDS)
def test_a_held_back_name_does_not_move_but_for_a_command(code: Code) -> None:
    seen, state, settings = scene(HOLDS[code])
    permits = kit.permitted(seen, state, settings)
    assert box(permits, LONG) == (0.05, 0.05)
    assert box(permits, FLAT) == (0.0, 0.0)
    assert box(permits, LONG, hard=True) == OPEN
    _, record = kit.walk(flatten(seen, LONG), state, settings)
    assert target_of(record, LONG) == 0.0
    assert code_of(record, LONG) is Code.KILL_FLATTEN


@pytest.mark.parametrize("code", SHRINKS)
def test_a_close_only_name_may_shrink_but_not_grow(code: Code) -> None:
    seen, state, settings = scene(SHRINKS[code])
    permits = kit.permitted(seen, state, settings)
    weight = float(seen.portfolio.weights[3])
    assert box(permits, LONG) == (0.0, weight)
    assert box(permits, FLAT) == (0.0, 0.0)
    assert box(permits, LONG, hard=True) == OPEN


@pytest.mark.parametrize("code", SHRINKS)
def test_a_close_only_short_may_only_be_covered(code: Code) -> None:
    seen, state, settings = scene(SHRINKS[code], weights={LONG: -0.05})
    weight = float(seen.portfolio.weights[3])
    assert box(kit.permitted(seen, state, settings), LONG) == (weight, 0.0)


@pytest.mark.parametrize("code", NO_SHORTS)
def test_no_short_leaves_longs_free_and_never_lets_a_short_grow(code: Code) -> None:
    permits = kit.permitted(*scene(NO_SHORTS[code]))
    assert box(permits, LONG, hard=True) == box(permits, FLAT, hard=True) == (0.0, np.inf)
    permits = kit.permitted(*scene(NO_SHORTS[code], weights={LONG: -0.05}))
    assert box(permits, LONG, hard=True) == (-0.05, np.inf)


@pytest.mark.parametrize("code", ONE_SIDED)
def test_a_buyer_that_is_gated_says_which_gate(code: Code) -> None:
    _, record = kit.walk(*scene(ONE_SIDED[code], z={FLAT: 3.0, FREE: 2.9}))
    assert target_of(record, FLAT) == 0.0
    assert code_of(record, FLAT) is code
    assert code_of(record, FREE) is Code.BUY_TOP_K


@pytest.mark.parametrize("code", NO_SHORTS)
def test_a_short_that_may_not_be_opened_says_which_gate(code: Code) -> None:
    z = {FLAT: -3.0, FREE: -2.9}
    _, record = kit.walk(*scene(NO_SHORTS[code], z=z, weights={}, K_short=10))
    assert target_of(record, FLAT) == 0.0
    assert code_of(record, FLAT) is code
    assert target_of(record, FREE) < 0.0


@pytest.mark.parametrize("code", NO_SHORTS)
def test_no_short_does_not_speak_for_a_long_that_another_gate_stops(code: Code) -> None:
    def also_wide(names: Universe) -> Setup:
        parts = NO_SHORTS[code](names)
        market = parts.get("market") or kit.market(names)
        wide = kit.market(names, spread_bps={FLAT: 60.0})
        return parts | {"market": replace(market, bid=wide.bid, ask=wide.ask)}

    _, record = kit.walk(*scene(also_wide, z={FLAT: 3.0}))
    assert code_of(record, FLAT) is Code.LIQ_SPREAD


def test_reducing_does_not_speak_for_a_donor_that_a_halt_stops() -> None:
    seen, state, settings = scene(FREEZES[Code.LIQ_HALTED])
    seen = replace(flatten(seen, LONG), switch=Switch(mode="REDUCING", flatten=(LONG,)))
    _, record = kit.walk(seen, state, settings)
    assert code_of(record, LONG) is Code.LIQ_HALTED


def test_the_first_gate_in_order_speaks() -> None:
    def many(names: Universe) -> Setup:
        return {
            "market": kit.market(names, halted=both(True), spread_bps=both(60.0)),
            "settings": {"close_only": GATED},
        }

    _, record = kit.walk(*scene(many, z={FLAT: 3.0}))
    assert code_of(record, FLAT) is Code.LIST_CLOSE_ONLY


@pytest.mark.parametrize(
    ("columns", "gated"),
    [
        ({"quote_age_s": both(450.0)}, False),
        ({"spread_bps": both(39.9)}, False),
        ({"adv": both(50_000.0)}, False),
        ({"price": both(2.0), "adv": both(1e8)}, False),
        ({"bid": both(0.0)}, True),
        ({"bid": both(101.0), "ask": both(100.0)}, True),
    ],
    ids=["quote at the limit", "spread", "volume", "price", "no bid", "crossed"],
)
def test_bounds_are_meant_to_the_letter(columns: dict[str, Any], gated: bool) -> None:
    permits = kit.permitted(*scene(on_market(**columns)))
    held = {gate.code for gate in permits.gates} - {Code.LIQ_PARTICIPATION}
    assert bool(held) is gated


def test_reentry_ends_after_sixty_minutes_of_open_market() -> None:
    """Half an hour before yesterday's close and half an hour after today's open."""
    cut_at = int(kit.clock("15:30", "2026-03-02").timestamp() * 1e9)
    permits = kit.permitted(*scene(lambda names: {"state": {"cut_at": both(cut_at)}}))
    assert permits.gates == ()


def test_a_night_does_not_end_the_wait_to_reenter() -> None:
    """Cut at 15:45, looked at when the next session is 30 minutes old: 45 minutes of market."""
    cut_at = int(kit.clock("15:45", "2026-03-02").timestamp() * 1e9)
    seen, state, settings = scene(lambda names: {"state": {"cut_at": both(cut_at)}})
    permits = kit.permitted(seen, state, settings)
    assert [gate.code for gate in permits.gates] == [Code.LIST_REENTRY]
    assert permits.gates[0].value.max() == 45.0


def test_participation_bounds_the_size_of_a_discretionary_trade() -> None:
    """10 % of 30 of 390 minutes of 1.3 million dollars is 10,000 dollars, 1 % of NAV."""
    thin = on_market(adv=both(13_000.0))
    seen, state, settings = scene(thin, z={FLAT: 3.0}, min_dollar_volume_usd=0.0)
    permits = kit.permitted(seen, state, settings)
    assert [gate.code for gate in permits.gates] == [Code.LIQ_PARTICIPATION]
    assert box(permits, LONG) == pytest.approx((0.04, 0.06))
    assert box(permits, FLAT) == pytest.approx((-0.01, 0.01))
    assert box(permits, LONG, hard=True) == OPEN
    _, record = kit.walk(seen, state, settings)
    assert target_of(record, FLAT) == pytest.approx(0.01)
    _, record = kit.walk(flatten(seen, LONG), state, settings)
    assert target_of(record, LONG) == 0.0


@pytest.mark.parametrize("code", (Code.LIQ_SPREAD, Code.LIQ_DOLLAR_VOLUME, Code.LIST_PAUSED))
def test_a_cut_goes_through_the_gates_that_only_slow_an_order(code: Code) -> None:
    _, record = kit.walk(*scene(ONE_SIDED[code], z={LONG: -1.0}))
    assert target_of(record, LONG) == 0.0
    assert code_of(record, LONG) is Code.CUT_SCORE


@pytest.mark.parametrize("code", (Code.LIQ_HALTED, Code.DATA_STALE_QUOTE))
def test_a_cut_never_goes_through_a_halt_or_an_old_quote(code: Code) -> None:
    _, record = kit.walk(*scene(FREEZES[code], z={LONG: -1.0}))
    assert target_of(record, LONG) == 0.05
    assert code_of(record, LONG) is code
    assert record.plan.orders == ()


def test_a_cut_is_not_stopped_for_the_reason_that_only_slows_it() -> None:
    def paused_and_halted(names: Universe) -> Setup:
        return {
            "market": kit.market(names, halted=both(True)),
            "switch": Switch(paused=GATED),
        }

    _, record = kit.walk(*scene(paused_and_halted, z={LONG: -1.0}))
    assert code_of(record, LONG) is Code.LIQ_HALTED


def test_one_halted_name_is_no_outage_and_all_quotes_gone_is_one() -> None:
    one, _, _ = scene(on_market(quote_age_s={LONG: 9_000.0}))
    everyone, _, _ = scene(on_market(quote_age_s=9_000.0))
    no_bid, _, _ = scene(on_market(bid=0.0))
    spoken = [{r.code for r in kit.permitted(seen).spoken} for seen in (one, everyone, no_bid)]
    assert spoken == [set(), {Code.DATA_OUTAGE}, {Code.DATA_OUTAGE}]
    assert kit.permitted(everyone).frozen.all()
    assert kit.permitted(one).frozen.sum() == 1


@pytest.mark.parametrize("code", (Code.DATA_TOO_NEW, Code.DATA_TOO_GAPPY))
def test_a_name_whose_history_carries_no_estimate_may_only_shrink(code: Code) -> None:
    seen, state, settings = scene(z={FLAT: 3.0})
    names = seen.market.universe
    known = estimate(seen.market, None, None, settings.risk, None)
    risk = replace(known, defect=kit.column(names, both(code.number), 0).astype(np.int16))
    state = replace(state, risk=risk)
    permits = kit.permitted(seen, state, settings)
    assert box(permits, LONG) == (0.0, 0.05)
    _, record = kit.walk(seen, state, settings)
    assert code_of(record, FLAT) is code


def test_a_name_for_risk_only_is_never_bought() -> None:
    seen, _, settings = scene(z={FLAT: 3.0})
    names = seen.market.universe
    risk_only = Universe.of(names.symbols, not_traded=frozenset({FLAT}))
    seen = kit.seen(risk_only, scores=kit.scores(risk_only, {FLAT: 3.0}))
    _, record = kit.walk(seen, None, settings)
    assert target_of(record, FLAT) == 0.0
    assert code_of(record, FLAT) is Code.DATA_NOT_TRADED


def test_an_outage_of_one_bar_freezes_everything_cuts_too() -> None:
    """Quotes a bar old are fresh by age, but nothing at all came in: the feed is out."""
    late = on_market(quote_age_s=300.0)
    _, record = kit.walk(*scene(late, z={LONG: -1.0, FLAT: 3.0}))
    assert Code.DATA_OUTAGE in {reason.code for reason in record.decision.spoken}
    assert code_of(record, FLAT) is Code.DATA_OUTAGE
    assert code_of(record, LONG) is Code.DATA_OUTAGE
    assert record.plan.orders == ()
