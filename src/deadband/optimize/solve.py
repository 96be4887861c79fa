"""The room's verb: build the problem, let an engine answer, check the answer, or fall back.

The ladder: the engine asked for → greedy → the current book cut and shrunk inside its limits →
the current book. No rung returns weights that `certify` did not accept, except the last, which
trades nothing.
"""

from __future__ import annotations

from dataclasses import replace

from ..core.arrays import Floats
from ..core.config import OptimizationConfig, Settings
from ..core.limits import FULLY_INVESTED, keeps
from ..core.reasons import Code
from ..core.seen import Market, Portfolio, Universe
from ..core.types import Certificate, Permits, Problem, Proof, Proposal, RiskModel, Signal
from .build import build
from .certify import certify
from .columns import Columns
from .exact.answer import Exact, solve_exactly
from .exact.duality import Optimum
from .exact.marginals import exact_columns
from .exact.program import Answer, Program
from .rotation.codes import decide_codes
from .rotation.draft import Draft
from .rotation.greedy import cut
from .rotation.rotate import rotated
from .rotation.trim import trim
from .solvers.qp import optimum

INVESTED = 1e-9
"""Σw this close to one is fully invested."""
UNROUNDED = "No book in lots is known to keep every limit: the weights are not rounded."


def solve(
    universe: Universe,
    signal: Signal,
    risk: RiskModel,
    permits: Permits,
    market: Market,
    portfolio: Portfolio,
    turnover_today: float,
    settings: Settings,
    start: Floats | None = None,
) -> Proposal:
    """Target weights under costs and limits for this cycle, with a code for every name.

    `start` (n,) is the last cycle's proposal, where the exact engine may begin.
    """
    problem = build(universe, signal, risk, permits, market, portfolio, turnover_today, settings)
    return answer(problem, settings.optimize, settings.engine, start)


def answer(
    problem: Problem, config: OptimizationConfig, engine: str, start: Floats | None = None
) -> Proposal:
    """Run the ladder on one problem, from the rung that `engine` (one of config.ENGINES) names.

    `start` (n,), the last target, is where the exact engine may begin; it changes the work only.
    """
    if engine == "qp":
        return _exactly(problem, config, start)
    if engine == "cvxpy":
        return _by_cvxpy(problem, config)
    proposal = _by_greedy(problem, config, "optimal", "")
    if config.escalate_gap is None:
        return proposal
    return _escalated(proposal, config, config.escalate_gap, start)


def _exactly(problem: Problem, config: OptimizationConfig, start: Floats | None) -> Proposal:
    def solver(program: Program, *, feasible: bool) -> Optimum | None:
        return optimum(program, start, feasible=feasible)

    return judge(problem, config, "qp", solve_exactly(problem, solver, config.relax_order))


def _by_cvxpy(problem: Problem, config: OptimizationConfig) -> Proposal:
    # An extra, loaded only where it is asked for. Compiled afresh: what a warm start leaves in the
    # last bits must not make a cycle depend on the ones before it.
    from .solvers.cvx import CvxpyPrograms, cvxpy_optimum

    def solver(program: Program, *, feasible: bool) -> Optimum | None:
        return cvxpy_optimum(program, CvxpyPrograms())

    return judge(problem, config, "cvxpy", solve_exactly(problem, solver, config.relax_order))


def _escalated(
    proposal: Proposal, config: OptimizationConfig, most: float, start: Floats | None
) -> Proposal:
    """The exact answer where greedy's rules cost more than the configured share of U."""
    from .gap import heuristic_gap, share_lost

    problem, weights = proposal.problem, proposal.weights
    gap = heuristic_gap(problem, config, weights)
    if gap is None:
        return proposal
    lost = {"heuristic": gap}
    if share_lost(problem, weights, gap) <= most:
        return replace(proposal, optimality_gap=lost)
    exact = _exactly(problem, config, start)
    return replace(exact if exact.engine == "qp" else proposal, optimality_gap=lost)


def judge(
    problem: Problem,
    config: OptimizationConfig,
    engine: str,
    exact: Exact,
    *,
    fall_back: bool = True,
) -> Proposal:
    """The exact answer if it passes its check, else down the ladder from greedy.

    `fall_back` False goes straight to its last rung: no other engine knows the caller's own rules.
    """
    why = exact.why or f"{engine} found no answer within this cycle's limits."
    if exact.found is not None:
        proposal = _by_optimum(problem, config, engine, exact, exact.found, rounds=fall_back)
        if proposal.certificate.accepted:
            return proposal
        why = _refusal(engine, proposal.certificate)
    if not fall_back:
        return _from_draft(problem, config, Draft(problem), "hold", "held", why)
    return _by_greedy(problem, config, "fell_back", why)


def _by_optimum(
    problem: Problem,
    config: OptimizationConfig,
    engine: str,
    exact: Exact,
    found: Optimum,
    *,
    rounds: bool,
) -> Proposal:
    answer, proof, lost, why = found.answer, found.proof, 0.0, ""
    if problem.lot is not None or config.min_trade > 0.0:
        weights, lost = _tradable(problem, config, exact.program, answer) if rounds else (None, 0.0)
        why = UNROUNDED if weights is None else ""
        answer = answer if weights is None else replace(answer, weights=weights)
    proven = Proof(-proof.bound, proof.gap, exact.program.names, answer.prices, found.tried, lost)
    certificate = certify(problem, answer.weights, exact.relaxed, proven)
    columns = exact_columns(problem, config, exact.program, answer, proof.slopes)
    if answer is not found.answer:
        here = problem.current
        dropped = (answer.weights == here) & (found.answer.weights != here)
        columns.code[dropped] = Code.HOLD_SMALL.number
    return _proposal(problem, answer.weights, columns, certificate, engine, "optimal", why)


def _tradable(
    problem: Problem, config: OptimizationConfig, program: Program, answer: Answer
) -> tuple[Floats | None, float]:
    """Weights in whole lots and of the least trade, None where none are found; the U they lose."""
    # Rounding is seldom asked for.
    from .rounding.lots import tradable

    rounded = tradable(program, answer, problem.lot, config.min_trade)
    return rounded.weights, 0.0 if rounded.weights is None else rounded.gap


def _by_greedy(problem: Problem, config: OptimizationConfig, status: str, why: str) -> Proposal:
    weights, columns = rotated(problem, config)
    certificate = certify(problem, weights)
    if certificate.accepted:
        return _proposal(problem, weights, columns, certificate, "greedy", status, why)
    why = f"{why} {_refusal('greedy', certificate)}".strip()
    reduced = Draft(problem)
    cut(reduced)
    trim(reduced)
    proposal = _from_draft(problem, config, reduced, "reduce", "fell_back", why)
    if proposal.certificate.accepted:
        return proposal
    return _from_draft(problem, config, Draft(problem), "hold", "held", why)


def _from_draft(
    problem: Problem, config: OptimizationConfig, draft: Draft, engine: str, status: str, why: str
) -> Proposal:
    columns = decide_codes(draft, config)
    certificate = certify(problem, draft.weights)
    return _proposal(problem, draft.weights, columns, certificate, engine, status, why)


def _refusal(engine: str, certificate: Certificate) -> str:
    return f"{engine}'s answer passed a limit by {certificate.violation:.3g}."


def _proposal(
    problem: Problem,
    weights: Floats,
    columns: Columns,
    certificate: Certificate,
    engine: str,
    status: str,
    why: str,
) -> Proposal:
    relaxed = _relaxed(problem, certificate)
    return Proposal(
        engine=engine,
        status="optimal_relaxed" if relaxed and status == "optimal" else status,
        weights=weights,
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
    """Limits that were passed, by how much: by cuts and repairs, or because limits conflict."""
    if not certificate.accepted:
        return {}
    over = {
        name: value - bound
        for name, (value, bound) in certificate.used.items()
        if value > bound and name != FULLY_INVESTED and not keeps(value, bound)
    }
    if over and problem.rows:
        row_of = {side: row.name for row in problem.rows for side, _, _ in row.sides(0.0)}
        over = {row_of.get(name, name): excess for name, excess in over.items()}
    if problem.limits.fully_invested:
        missing, _ = certificate.used[FULLY_INVESTED]
        over |= {} if missing <= INVESTED else {FULLY_INVESTED: missing}
    return over
