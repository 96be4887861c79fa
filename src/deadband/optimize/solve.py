"""The room's verb: build the problem, let an engine answer, check the answer, or fall back.

The ladder: the engine asked for → greedy → the current book cut and shrunk inside its limits →
the current book. No rung returns weights that `certify` did not accept, except the last, which
trades nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.config import OptimizationConfig, Settings
from ..core.limits import Limit, keeps
from ..core.seen import Market, Portfolio, Universe
from ..core.types import Certificate, Permits, Problem, Proposal, RiskModel, Signal
from .build import build
from .certify import certify
from .codes import decide_codes
from .draft import Draft
from .greedy import cut, rotate_top_k
from .trim import trim

CONVEX = ("qp", "cvxpy")
INVESTED = 1e-9
"""Σw this close to one is fully invested."""


def solve(
    universe: Universe,
    signal: Signal,
    risk: RiskModel,
    permits: Permits,
    market: Market,
    portfolio: Portfolio,
    turnover_today: float,
    settings: Settings,
) -> Proposal:
    """Target weights under costs and limits for this cycle, with a code for every name."""
    problem = build(universe, signal, risk, permits, market, portfolio, turnover_today, settings)
    return answer(problem, settings.optimize, settings.engine)


def answer(problem: Problem, config: OptimizationConfig, engine: str) -> Proposal:
    """Run the ladder on one problem, from the rung that `engine` ("qp" or "greedy") names."""
    return judge(problem, config, engine, _optima(problem) if engine == "qp" else ())


def judge(
    problem: Problem,
    config: OptimizationConfig,
    engine: str,
    optima: Sequence[Draft],
    *,
    fall_back: bool = True,
) -> Proposal:
    """The first of the `optima` that passes its check, else down the ladder from greedy.

    `fall_back` False goes straight to its last rung: no other engine knows the caller's own rules.
    """
    answers = [_propose(problem, config, best, engine, "optimal") for best in optima]
    accepted = [answer for answer in answers if answer.certificate.accepted]
    if accepted:
        # One that passes no turnover either comes first; of equals, the first.
        return min(accepted, key=lambda proposal: len(proposal.relaxed))
    why = "" if engine == "greedy" else _refusal(engine, answers)
    if not fall_back:
        return _propose(problem, config, Draft(problem), "hold", "held", why)
    status = "optimal" if engine == "greedy" else "fell_back"
    proposal = _propose(problem, config, rotate_top_k(problem, config), "greedy", status, why)
    if proposal.certificate.accepted:
        return proposal
    why = " ".join([why, _refusal("greedy", [proposal])]).strip()
    reduced = Draft(problem)
    cut(reduced)
    trim(reduced)
    proposal = _propose(problem, config, reduced, "reduce", "fell_back", why)
    if proposal.certificate.accepted:
        return proposal
    return _propose(problem, config, Draft(problem), "hold", "held", why)


def _refusal(engine: str, answers: Sequence[Proposal]) -> str:
    if not answers:
        return f"{engine} found no answer within this cycle's limits and turnover."
    worst = min(answer.certificate.violation for answer in answers)
    return f"{engine}'s answer passed a limit by {worst:.3g}."


def _optima(problem: Problem) -> tuple[Draft, ...]:
    # The solver and SciPy are loaded only when that engine is asked for.
    from .qp import candidates

    return candidates(problem)


def _propose(
    problem: Problem,
    config: OptimizationConfig,
    draft: Draft,
    engine: str,
    status: str,
    why: str = "",
) -> Proposal:
    certificate = certify(problem, draft.weights)
    relaxed = _relaxed(problem, certificate)
    columns = decide_codes(draft, config, rotates=engine not in CONVEX)
    return Proposal(
        engine=engine,
        status="optimal_relaxed" if relaxed and status == "optimal" else status,
        weights=draft.weights,
        code=columns.code,
        counterpart=columns.counterpart,
        gap=columns.gap,
        gain=columns.gain,
        cost=columns.cost,
        limit=columns.limit,
        relaxed=relaxed,
        certificate=certificate,
        problem=problem,
        why=why,
    )


def _relaxed(problem: Problem, certificate: Certificate) -> dict[str, float]:
    """Limits given up, by how much: turnover to cuts and repairs, Σw = 1 to the other limits."""
    used = certificate.used
    over = {
        name.value: used[name][0] - used[name][1]
        for name in (Limit.TURNOVER, Limit.TURNOVER_NAME, Limit.TURNOVER_DAY)
        if name in used and not keeps(*used[name])
    }
    if problem.limits.fully_invested and Limit.FULLY_INVESTED in used:
        missing, _ = used[Limit.FULLY_INVESTED]
        over |= {} if missing <= INVESTED else {Limit.FULLY_INVESTED.value: missing}
    return over
