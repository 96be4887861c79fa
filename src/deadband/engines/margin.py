"""What an exact answer says of one name and of every limit, worked out when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..core.limits import BY_NUMBER
from ..core.problem import Proposal
from ..optimize.exact.duality import priced_slopes, risk_gradient
from ..optimize.exact.marginals import marginals
from ..optimize.exact.one_sided import price_ranges
from ..optimize.exact.program import program_of


@dataclass(frozen=True, slots=True)
class Margin:
    """Per unit of weight, in units of U, with the sign of buying more.

    edge + risk ± cost + limits = 0 for a name that may move freely. `stopped_by`: the limit that
    holds it back and what that weighs, empty where cost or nothing does.
    """

    edge: float
    risk: float
    cost: float
    limits: float
    stopped_by: str
    weighs: float


def margin_of(proposal: Proposal, name: int) -> Margin | None:
    """The margins of one name of an exact answer; None where greedy or nothing answered."""
    problem, proof = proposal.problem, proposal.certificate.proof
    if proof is None:
        return None
    program, weights = program_of(problem), proposal.weights
    slopes = priced_slopes(program, proof.prices, risk_gradient(program, weights))
    found = marginals(problem, program, weights, proof.prices, slopes)
    limit = BY_NUMBER.get(int(found.limit[name]))
    moved = np.sign(weights[name] - problem.current[name])
    on_size = np.sign(weights[name]) * slopes.on_size[name]
    return Margin(
        edge=float(found.edge[name]),
        risk=float(found.risk[name]),
        cost=float(problem.cost[name]),
        limits=float(found.priced[name] - moved * slopes.on_move[name] - on_size),
        stopped_by="" if limit is None else str(limit),
        weighs=float(found.weight_of[name]),
    )


def shadow_price_ranges(proposal: Proposal) -> Mapping[str, tuple[float, float]]:
    """(gain per unit loosened, loss per unit tightened) of each limit in force, in bps of NAV.

    In units of U where volatilities are not known. They differ where the optimum is degenerate.
    Empty where greedy or nothing answered.
    """
    if proposal.certificate.proof is None:
        return {}
    problem = proposal.problem
    unit = problem.unit_bps if np.isfinite(problem.unit_bps) else 1.0
    ranges = price_ranges(program_of(problem), proposal.weights)
    return {name: (unit * low, unit * high) for name, (low, high) in ranges.items()}
