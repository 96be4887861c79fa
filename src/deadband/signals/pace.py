"""How long the book is expected to hold what it buys, from its own turnover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..core.seen import Seen
from ..core.session import SESSION_MIN, exchange_day, open_minutes
from ..core.skill import Pace
from ..core.types import State


def follow(pace: Pace | None, seen: Seen, state: State) -> Pace:
    """The pace after what was traded since it was last looked at; it forgets half in a session."""
    if pace is None:
        return Pace(seen.now, turnover_today=state.turnover_today)
    minutes = open_minutes(pace.at, seen.now)
    traded = state.turnover_today
    if exchange_day(pace.at) == exchange_day(seen.now):
        traded -= pace.turnover_today
    kept = float(0.5 ** (minutes / SESSION_MIN))
    return replace(
        pace,
        at=seen.now,
        exposure=kept * pace.exposure + gross(seen) * minutes,
        turned=kept * pace.turned + traded,
        turnover_today=state.turnover_today,
    )


def gross(seen: Seen) -> float:
    """Σ|w| of the book."""
    return float(abs(seen.portfolio.weights).sum())


def holding_min(pace: Pace, held: float, half_lives: Sequence[float], bar_min: float) -> float:
    """Expected holding time, open minutes: gross·time over half the turnover, at least one bar.

    Before the book has a pace it is expected to turn over with the half-life of its signals: that
    counts as much as turning today's gross, `held`, over once.
    """
    expected = sum(half_lives) / len(half_lives)
    turned = pace.turned + 2.0 * held
    if turned <= 0.0:
        return max(expected, bar_min)
    return max(2.0 * (pace.exposure + held * expected) / turned, bar_min)
