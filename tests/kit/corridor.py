"""The rooms in the order of the cycle, up to the one a test is about."""

from deadband import cycle
from deadband.core.config import Settings
from deadband.core.problem import Proposal
from deadband.core.seen import Seen
from deadband.core.types import CycleRecord, Decision, Permits, State
from deadband.policy.permit import permit
from deadband.risk.estimate import estimate
from deadband.signals.merge import merge

from . import inputs


def permitted(seen: Seen, state: State | None = None, settings: Settings | None = None) -> Permits:
    """What each name may do; state and settings are the kit's defaults where not given."""
    settings = settings or inputs.settings()
    universe = seen.market.universe
    state = state or inputs.state(universe)
    risk = estimate(seen.market, seen.history, seen.risk_given, settings.risk, state.risk)
    signal = merge(seen, state, risk, settings.signals)
    return permit(universe, seen, state, signal, risk, settings)


def walk(
    seen: Seen, state: State | None = None, settings: Settings | None = None
) -> tuple[State, CycleRecord]:
    """One whole step."""
    state = state or inputs.state(seen.market.universe, portfolio=seen.portfolio)
    return cycle.step(settings or inputs.settings(), state, seen)


def proposed(seen: Seen, state: State | None = None, settings: Settings | None = None) -> Proposal:
    return walk(seen, state, settings)[1].proposal


def decided(seen: Seen, state: State | None = None, settings: Settings | None = None) -> Decision:
    return walk(seen, state, settings)[1].decision
