"""After the solve: is there a reason to trade, and which trades are worth it?"""

from __future__ import annotations

import numpy as np

from ..core.arrays import is_one_of
from ..core.config import Settings
from ..core.limits import Limit
from ..core.problem import Proposal
from ..core.reasons import GLOBAL, Code, Reason
from ..core.seen import Codes, Seen
from ..core.session import session_at
from ..core.types import Decision, Permits
from .bands import hold_inside_bands
from .gates import stops
from .windows import open_window

UNRANKED = Code.HOLD_FLAT.number, Code.HOLD_RANK.number


def decide(proposal: Proposal, permits: Permits, seen: Seen, settings: Settings) -> Decision:
    """REASON and bands: a scheduled window sets the portfolio band to zero, the name band stays."""
    policy, config = settings.policy, settings.optimize
    session = session_at(seen.now)
    window = open_window(session, seen.now, policy) if session else None
    banded = hold_inside_bands(
        proposal.problem,
        proposal.weights,
        proposal.code,
        portfolio_band=0.0 if window else config.portfolio_drift_threshold,
        name_band=config.name_drift_threshold,
        closed=Code.WINDOW_CLOSED if policy.windows_only and not window else None,
    )
    spoken = list(banded.spoken)
    if window:
        spoken.append(Reason(Code.WINDOW_OPEN, GLOBAL, limit=window))
    if proposal.relaxed:
        spoken.append(Reason(Code.SOLVE_RELAXED, GLOBAL, dict(proposal.relaxed)))
    if proposal.optimality_gap and proposal.engine == "qp":
        spoken.append(Reason(Code.SOLVE_ESCALATED, GLOBAL, dict(proposal.optimality_gap)))
    if proposal.status == "fell_back":
        spoken.append(Reason(Code.SOLVE_FELL_BACK, GLOBAL, counterpart=proposal.engine))
    if proposal.status == "held":
        spoken.append(Reason(Code.SOLVE_HELD, GLOBAL))
    code = _name_the_gate(banded.code, proposal, permits)
    return Decision(banded.weights, code, (*permits.spoken, *spoken))


def _name_the_gate(code: Codes, proposal: Proposal, permits: Permits) -> Codes:
    """Where a permit stopped a trade, or an exit, the first gate that did speaks for the name.

    A name without a usable score is not ranked at all, so its gate speaks for every hold of it.
    """
    problem = proposal.problem
    stopped = (code == Code.HOLD_LIMIT.number) & (proposal.limit == Limit.PERMIT.number)
    stopped |= (problem.cut > 0) & (problem.current != 0) & (proposal.weights == problem.current)
    unranked = ~problem.scored & is_one_of(code, UNRANKED)
    # What is held was stopped on its way out (held and kept is HOLD_KEEP), what is flat on its way
    # in, on the side its score asks for.
    toward = np.where(problem.current == 0, np.sign(problem.z), -np.sign(problem.current))
    gate = np.where(unranked, permits.first_gate(), 0)
    for one in reversed(permits.gates):
        gate[stops(one, problem.current, toward, problem.cut > 0)] = one.code.number
    return np.where((stopped | unranked) & (gate > 0), gate, code).astype(np.int16)
