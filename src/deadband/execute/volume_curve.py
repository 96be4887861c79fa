"""How a session's volume is spread over its minutes, where no curve is given.

The usual U: v(m) ∝ 1 + a·e^(−m/τ_a) + b·e^(−(S−m)/τ_b), m minutes after the open of a session of S.
Its integral is in closed form, so that parts of any length are exact.
"""

from __future__ import annotations

from math import exp

OPEN_SURGE, OPEN_DECAY_MIN = 2.0, 30.0
CLOSE_SURGE, CLOSE_DECAY_MIN = 2.0, 20.0
PARTS = 20
MINUTE = 60_000_000_000


def volume_before(minute: float, session_min: float) -> float:
    """Volume from the open until `minute`, in midday minutes."""
    opening = OPEN_SURGE * OPEN_DECAY_MIN * (1.0 - exp(-minute / OPEN_DECAY_MIN))
    closing = (
        CLOSE_SURGE
        * CLOSE_DECAY_MIN
        * (exp((minute - session_min) / CLOSE_DECAY_MIN) - exp(-session_min / CLOSE_DECAY_MIN))
    )
    return minute + opening + closing


def volume_curve(start: int, deadline: int, opens: int, closes: int) -> tuple[float, ...]:
    """Relative volume in equal parts between two instants (ns) of a session."""
    session = (closes - opens) / MINUTE
    begin, end = (start - opens) / MINUTE, (deadline - opens) / MINUTE
    edges = [begin + (end - begin) * k / PARTS for k in range(PARTS + 1)]
    before = [volume_before(min(max(edge, 0.0), session), session) for edge in edges]
    return tuple(b - a for a, b in zip(before, before[1:], strict=False))
