"""The rules that hold single names back, each with whom it holds, what it saw, and its bound.

The order is the precedence: a name's deciding code is that of the first gate that holds it. A gate
that leaves the trade in question alone, such as no-short when it is a buy, does not hold it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum, auto

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import Settings
from ..core.reasons import BY_NUMBER, Code
from ..core.seen import Codes, Market, Seen, Universe
from ..core.session import SESSION_MIN, open_minutes_since
from ..core.types import Gate, RiskModel, Signal, State

NOTHING = 1e-12


class Effect(Enum):
    """What a gate does to a name's boxes."""

    FREEZE = auto()
    """Nothing moves it, not even a cut."""
    HOLD = auto()
    """No discretionary trade; cuts and commands go through."""
    SHRINK = auto()
    """Discretionary trades may only make it smaller."""
    NO_SHORT = auto()
    """Never below zero, or further below it."""
    SIZE = auto()
    """A discretionary trade no larger than the value, a fraction of NAV."""


EFFECTS: Mapping[Code, Effect] = {
    Code.SESSION_CLOSED: Effect.FREEZE,
    Code.KILL_HALTED: Effect.FREEZE,
    Code.KILL_REDUCING: Effect.SHRINK,
    Code.RISK_VOL_SPIKE: Effect.SHRINK,
    Code.RISK_SPREAD_BLOWOUT: Effect.SHRINK,
    Code.RISK_DAILY_LOSS: Effect.SHRINK,
    Code.RISK_DRAWDOWN: Effect.SHRINK,
    Code.KILL_FLATTEN: Effect.SHRINK,
    Code.RISK_END_OF_DAY: Effect.SHRINK,
    Code.LIST_RESTRICTED: Effect.FREEZE,
    Code.LIST_PAUSED: Effect.HOLD,
    Code.LIST_CLOSE_ONLY: Effect.SHRINK,
    Code.LIST_EARNINGS: Effect.SHRINK,
    Code.LIST_NO_SHORT: Effect.NO_SHORT,
    Code.LIQ_HALTED: Effect.FREEZE,
    Code.DATA_STALE_QUOTE: Effect.FREEZE,
    Code.ORDER_UNKNOWN: Effect.FREEZE,
    Code.LIQ_NOT_SHORTABLE: Effect.NO_SHORT,
    Code.DATA_NOT_TRADED: Effect.SHRINK,
    Code.DATA_TOO_NEW: Effect.SHRINK,
    Code.DATA_TOO_GAPPY: Effect.SHRINK,
    Code.LIST_REENTRY: Effect.SHRINK,
    Code.LIQ_SPREAD: Effect.HOLD,
    Code.LIQ_PRICE: Effect.SHRINK,
    Code.LIQ_DOLLAR_VOLUME: Effect.SHRINK,
    Code.LIQ_PARTICIPATION: Effect.SIZE,
    Code.DATA_OUTAGE: Effect.FREEZE,
    Code.WINDOW_OPEN_CLAMP: Effect.HOLD,
    Code.WINDOW_CLOSE_CLAMP: Effect.HOLD,
}


def effect_of(code: Code) -> Effect:
    """What a gate of this code does; a code the table lacks is a score's defect, which holds."""
    return EFFECTS.get(code, Effect.HOLD)


def stops(gate: Gate, current: Floats, toward: Floats, bound_to_go: Bools) -> Bools:
    """Whom (n,) a gate stops: trades in the direction `toward` (n,) ±1, from `current` weights.

    `bound_to_go`: cuts and commands, which only a freeze stops.
    """
    effect = effect_of(gate.code)
    if effect is Effect.FREEZE:
        return gate.names
    shrinks = current * toward < 0
    if effect is Effect.SHRINK:
        held = ~shrinks
    elif effect is Effect.NO_SHORT:
        held = ~shrinks & (toward < 0)
    elif effect is Effect.SIZE:
        held = gate.value <= NOTHING
    else:
        held = np.ones_like(shrinks)
    return gate.names & held & ~bound_to_go


def is_fresh(market: Market, max_quote_age_s: float) -> Bools:
    """Names (n,) with a two-sided quote that is not too old."""
    quoted = (market.bid > 0) & (market.ask >= market.bid)
    fresh: Bools = quoted & (market.quote_age_s <= max_quote_age_s)
    return fresh


def name_gates(
    universe: Universe,
    seen: Seen,
    state: State,
    signal: Signal,
    risk: RiskModel,
    settings: Settings,
) -> Iterator[Gate]:
    """Every gate that holds at least one name, in the order of precedence."""
    hedge = np.array([s == settings.optimize.hedge_symbol for s in universe.symbols])
    rules = (
        *_lists(universe, seen, settings),
        *_tradable(seen, settings),
        *_data(universe, signal, risk, hedge),
        *_reentry(seen, state, settings),
        *_liquidity(seen, settings),
    )
    for gate in rules:
        if gate.names.any():
            yield gate


def _gate(code: Code, names: Bools, value: Floats | None = None, bound: float = 0.0) -> Gate:
    return Gate(code, names, names.astype(np.float64) if value is None else value, bound)


def _lists(universe: Universe, seen: Seen, settings: Settings) -> Iterator[Gate]:
    policy = settings.policy
    for code, symbols in (
        (Code.LIST_RESTRICTED, policy.restricted),
        (Code.LIST_PAUSED, seen.switch.paused),
        (Code.LIST_CLOSE_ONLY, policy.close_only),
        (Code.LIST_EARNINGS, policy.earnings),
        (Code.LIST_NO_SHORT, policy.no_short),
    ):
        if symbols:
            yield _gate(code, universe.mask(symbols))


def _tradable(seen: Seen, settings: Settings) -> Iterator[Gate]:
    market, limit = seen.market, settings.policy.max_quote_age_s
    yield _gate(Code.LIQ_HALTED, market.halted)
    stale = ~is_fresh(market, limit)
    yield _gate(Code.DATA_STALE_QUOTE, stale, market.quote_age_s, limit)
    yield _gate(Code.ORDER_UNKNOWN, seen.portfolio.unknown != 0)
    yield _gate(Code.LIQ_NOT_SHORTABLE, ~market.shortable)


def _data(universe: Universe, signal: Signal, risk: RiskModel, hedge: Bools) -> Iterator[Gate]:
    yield _gate(Code.DATA_NOT_TRADED, ~universe.traded & ~hedge)
    for code, names in by_code(risk.defect):
        yield _gate(code, names)
    for code, names in by_code(signal.defect):
        yield _gate(code, names & ~hedge, signal.age_s)


def by_code(column: Codes) -> Iterator[tuple[Code, Bools]]:
    """Each code of a column of code numbers, 0 apart, with the names (n,) that carry it."""
    for number in np.unique(column[column > 0]).tolist():
        yield BY_NUMBER[number], column == number


def _reentry(seen: Seen, state: State, settings: Settings) -> Iterator[Gate]:
    """Minutes of open market since the cut, so that a night does not end the wait."""
    since, wait = open_minutes_since(state.cut_at, seen.now), settings.optimize.reentry_min
    waiting = (state.cut_at >= 0) & (since < wait)
    yield _gate(Code.LIST_REENTRY, waiting, since, wait)


def _liquidity(seen: Seen, settings: Settings) -> Iterator[Gate]:
    market, policy, nav = seen.market, settings.policy, seen.portfolio.nav
    spread = market.spread_bps
    wide = spread > policy.max_spread_bps
    yield _gate(Code.LIQ_SPREAD, wide, spread, policy.max_spread_bps)
    low_price = market.last < policy.min_price_usd
    yield _gate(Code.LIQ_PRICE, low_price, market.last, policy.min_price_usd)
    traded_usd = market.adv * market.last
    thin = traded_usd < policy.min_dollar_volume_usd
    yield _gate(Code.LIQ_DOLLAR_VOLUME, thin, traded_usd, policy.min_dollar_volume_usd)
    share = policy.max_participation * policy.participation_min / SESSION_MIN
    size = share * traded_usd / nav
    most = settings.optimize.max_turnover_per_name
    yield _gate(Code.LIQ_PARTICIPATION, size < most, size, most)
