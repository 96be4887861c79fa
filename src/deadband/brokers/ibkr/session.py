"""How far the gateway can be trusted: states, what leads from one to the next, and who may send.

Rules
  * READY is reached from SYNCING alone, when the books agree; a doubt about the line leads back.
  * A data farm says nothing about orders, in neither direction.
  * READ_ONLY and HALTED end with the session, never by a message.
  * Around the daily restart nothing new is sent: orders sent into it vanish without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from ...core.events import SessionEvent, SessionState
from ...core.reasons import Code
from ...core.session import EXCHANGE_ZONE
from .codes import Effect, Rule, is_read_only


class Need(StrEnum):
    """What has to be done after a message about the session."""

    RECONCILE = "RECONCILE"
    RESUBSCRIBE = "RESUBSCRIBE"
    HANG_UP = "HANG_UP"
    SLOW_DOWN = "SLOW_DOWN"


_S = SessionState
DENIALS = {
    _S.DISCONNECTED: Code.SESSION_NOT_READY,
    _S.CONNECTING: Code.SESSION_NOT_READY,
    _S.SYNCING: Code.SESSION_NOT_READY,
    _S.DEGRADED: Code.SESSION_NOT_READY,
    _S.READ_ONLY: Code.SESSION_READ_ONLY,
    _S.HALTED: Code.SESSION_HALTED,
}
STUCK = frozenset({_S.READ_ONLY, _S.HALTED})
UP = frozenset({_S.SYNCING, _S.READY, _S.DEGRADED, _S.READ_ONLY, _S.HALTED})


class Session:
    """The state, and `emit` to hear of every change."""

    def __init__(self, emit: Callable[[SessionEvent], None]) -> None:
        self.state = SessionState.DISCONNECTED
        self._emit = emit

    @property
    def is_up(self) -> bool:
        return self.state in UP

    def to(self, state: SessionState, text: str, code: int = 0) -> None:
        """Go into a state, unless this one is left only by a new session."""
        stays = self.state in STUCK and state in UP
        if state is not self.state and not stays:
            self.state = state
            self._emit(SessionEvent(state, text, code))

    def message(self, rule: Rule, text: str) -> frozenset[Need]:
        """Take a message that is about the session; gives back what has to be done."""
        effect = rule.effect
        if effect is Effect.VALIDATION and is_read_only(text):
            self.to(SessionState.READ_ONLY, text, rule.code)
        if not self.is_up:
            return frozenset()
        if effect is Effect.CONNECTION_LOST:
            self.to(SessionState.DEGRADED, text, rule.code)
        elif effect in (Effect.RESTORED, Effect.RESTORED_ANEW):
            self.to(SessionState.SYNCING, text, rule.code)
            anew = {Need.RESUBSCRIBE} if effect is Effect.RESTORED_ANEW else set()
            return frozenset({Need.RECONCILE} | anew)
        elif effect is Effect.SESSION_REFUSED:
            return frozenset({Need.HANG_UP})
        elif effect is Effect.PACED:
            return frozenset({Need.SLOW_DOWN, Need.RECONCILE})
        return frozenset()

    def denial(self, *, is_quiet: bool) -> Code | None:
        """Why nothing new may be sent now; None if it may."""
        if self.state is not SessionState.READY:
            return DENIALS[self.state]
        return Code.SESSION_QUIET if is_quiet else None


def is_quiet(restart_at: str, quiet_min: float, wall_ns: int) -> bool:
    """Whether the wall clock is near the gateway's daily restart, New York `HH:MM`."""
    if not restart_at:
        return False
    now = datetime.fromtimestamp(wall_ns // 1_000_000_000, UTC).astimezone(EXCHANGE_ZONE)
    around = timedelta(minutes=quiet_min)
    days = (now.date() + timedelta(days=shift) for shift in (-1, 0, 1))
    moments = (datetime.combine(day, time.fromisoformat(restart_at), EXCHANGE_ZONE) for day in days)
    return any(abs(now - moment) <= around for moment in moments)
