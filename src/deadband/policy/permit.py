"""Before the solve: what each name may do, so that no pair is broken afterwards.

1. Session: outside it nothing moves.
2. FORCE: the kill switch and overrides; a name that is commanded out may not grow either.
3. Gates of single names: lists, halts, data, liquidity.
4. Clamps after the open and before the close hold everything discretionary.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import Settings
from ..core.reasons import GLOBAL, Code, Reason
from ..core.seen import Codes, Seen, Universe
from ..core.session import Session, session_at
from ..core.types import Gate, Permits, RiskModel, Signal, State
from .gates import Effect, by_code, effect_of, is_fresh, name_gates
from .overrides import look
from .windows import clamp

OVERNIGHT_LEAD_MIN = 30.0


class _Boxes:
    """The two boxes of every name while gates are applied to them."""

    def __init__(self, current: Floats) -> None:
        n = len(current)
        self.current = current
        self.low, self.hard_low = np.full((2, n), -np.inf)
        self.high, self.hard_high = np.full((2, n), np.inf)

    def apply(self, effect: Effect, names: Bools, size: Floats) -> None:
        w = self.current
        floor, ceiling = np.minimum(w, 0.0), np.maximum(w, 0.0)
        if effect is Effect.FREEZE:
            self.bound(names, w, w, hard=True)
        elif effect is Effect.HOLD:
            self.bound(names, w, w, hard=False)
        elif effect is Effect.SHRINK:
            self.bound(names, floor, ceiling, hard=False)
        elif effect is Effect.NO_SHORT:
            self.bound(names, floor, np.full_like(w, np.inf), hard=True)
        else:
            self.bound(names, w - size, w + size, hard=False)

    def bound(self, names: Bools, low: Floats, high: Floats, *, hard: bool) -> None:
        self.low = np.where(names, np.maximum(self.low, low), self.low)
        self.high = np.where(names, np.minimum(self.high, high), self.high)
        if hard:
            self.hard_low = np.where(names, np.maximum(self.hard_low, low), self.hard_low)
            self.hard_high = np.where(names, np.minimum(self.hard_high, high), self.hard_high)


def permit(
    universe: Universe,
    seen: Seen,
    state: State,
    signal: Signal,
    risk: RiskModel,
    settings: Settings,
) -> Permits:
    """The boxes of every name for this cycle, with the rules that made them."""
    current = seen.portfolio.weights
    everyone = np.ones(len(universe), dtype=np.bool_)
    session = session_at(seen.now)
    watch = look(seen, state, settings.policy)
    before = [] if session else [Code.SESSION_CLOSED]
    before += _reducing(seen, watch.latches, settings)
    force = _forced(universe, seen, session, settings)
    clamped = clamp(session, seen.now, settings.policy) if session else None
    after = [Code.DATA_OUTAGE] if _vendor_is_out(seen, settings) else []
    after += [clamped] if clamped else []
    gates = (
        *(Gate(code, everyone, current, 0.0) for code in before),
        *_commanded(force, current),
        *name_gates(universe, seen, state, signal, risk, settings),
        *(Gate(code, everyone, current, 0.0) for code in after),
    )
    boxes = _Boxes(current)
    for gate in gates:
        boxes.apply(effect_of(gate.code), gate.names, gate.value)
    scale, cap, scaled = _gross_limits(seen, watch.latches, session, settings)
    commands = [code for code, _ in by_code(force)]
    spoken = [Reason(code, GLOBAL) for code in (*before, *commands, *after)]
    return Permits(
        low=boxes.low,
        high=boxes.high,
        hard_low=boxes.hard_low,
        hard_high=boxes.hard_high,
        force=force,
        gross_scale=scale,
        gates=gates,
        spoken=tuple(spoken + scaled),
        watch=watch,
        gross_cap=cap,
    )


def _vendor_is_out(seen: Seen, settings: Settings) -> bool:
    """No name at all has a quote of the bar that ended: the feed is out, not the names halted."""
    newest = is_fresh(seen.market, settings.policy.max_quote_age_s)
    newest &= seen.market.quote_age_s < seen.market.bar_min * 60.0
    return not newest.any()


def _reducing(
    seen: Seen, latches: tuple[tuple[Code, float], ...], settings: Settings
) -> list[Code]:
    codes = []
    if seen.switch.mode == "HALTED":
        codes.append(Code.KILL_HALTED)
    if seen.switch.mode == "REDUCING":
        codes.append(Code.KILL_REDUCING)
    if settings.policy.override_action == "reduce":
        codes += [code for code, _ in latches]
    return codes


def _commanded(force: Codes, current: Floats) -> Iterator[Gate]:
    """Gates of the names commanded out: what is flat already must not be bought again."""
    for code, names in by_code(force):
        yield Gate(code, names, current, 0.0)


def _gross_limits(
    seen: Seen,
    latches: tuple[tuple[Code, float], ...],
    session: Session | None,
    settings: Settings,
) -> tuple[float, float, list[Reason]]:
    """What gross and net are multiplied by, what gross is capped at, and who says so."""
    policy, scale, cap, spoken = settings.policy, 1.0, np.inf, []
    if policy.override_action == "scale" and latches:
        scale = min(1.0, policy.override_scale)
        spoken = [Reason(code, GLOBAL, {"scale": scale}) for code, _ in latches]
    lead = timedelta(minutes=OVERNIGHT_LEAD_MIN)
    if policy.overnight_gross is not None and session and seen.now >= session.close - lead:
        cap = policy.overnight_gross
        spoken.append(Reason(Code.RISK_END_OF_DAY, GLOBAL, {"gross": cap}))
    return scale, cap, spoken


def _forced(universe: Universe, seen: Seen, session: Session | None, settings: Settings) -> Codes:
    """Commanded exits (n,): FLATTEN by the operator, flat by the close by the settings."""
    force = np.zeros(len(universe), dtype=np.int16)
    before = settings.policy.flat_by_close_min
    if before > 0 and session and seen.now >= session.close - timedelta(minutes=before):
        force[:] = Code.RISK_END_OF_DAY.number
    if GLOBAL in seen.switch.flatten:
        force[:] = Code.KILL_FLATTEN.number
    elif seen.switch.flatten:
        force[universe.mask(seen.switch.flatten)] = Code.KILL_FLATTEN.number
    return force
