"""How far the greedy answer is from the optimum, in two parts (SEMANTICS §5).

mandate    what K equal places cost: the optimum within all limits, less the optimum with no name
           above its place
heuristic  what the rules cost: the optimum with no name above its place, less greedy
Only the second may escalate a cycle to the exact engine. The bound is cheaper: no weights within
the limits gain more than a linear program at the greedy weights says (Frank and Wolfe, 1956).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..core.arrays import Floats
from ..core.config import OptimizationConfig
from ..core.problem import Problem
from .exact.duality import dual_bound, risk_gradient, value
from .exact.program import Program, program_of
from .objective import utility
from .rotation.side import budgets
from .solvers.qp import optimum


def optimality_gap(
    problem: Problem, config: OptimizationConfig, weights: Floats
) -> Mapping[str, float] | None:
    """mandate, heuristic and their sum, in units of U; None where limits conflict."""
    program = program_of(problem)
    placed = heuristic_gap(problem, config, weights)
    whole = optimum(program)
    if whole is None or placed is None:
        return None
    total = value(program, weights) - whole.proof.value
    return {"mandate": total - placed, "heuristic": placed, "total": total}


def heuristic_gap(problem: Problem, config: OptimizationConfig, weights: Floats) -> float | None:
    """What greedy's rules cost against the best book of the same places; None: limits conflict."""
    program = _placed(problem, config, weights)
    found = optimum(program)
    return None if found is None else value(program, weights) - found.proof.value


def gap_bound(problem: Problem, weights: Floats) -> Mapping[str, float] | None:
    """An upper bound of U(optimum) − U(weights), from one linear program; None: limits conflict."""
    program = program_of(problem)
    risk = risk_gradient(program, weights)
    straight = replace(program, linear=program.linear + risk, correlation=None, risk_weight=0.0)
    found = optimum(straight)
    if found is None:
        return None
    bound = dual_bound(program, weights, found.answer.prices, risk)
    return {"bound": value(program, weights, risk) - bound}


def share_lost(problem: Problem, weights: Floats, gap: float) -> float:
    """A gap as a share of the U that could be had."""
    best = utility(problem, weights) + gap
    return gap / abs(best) if best != 0.0 else np.inf


def _placed(problem: Problem, config: OptimizationConfig, weights: Floats) -> Program:
    """The program with no name above the weight of its place, but what it holds or was given."""
    program = program_of(problem)
    long, short = budgets(problem, config)
    size = np.maximum(np.abs(problem.current), np.abs(weights))
    high = np.maximum(long / config.K, size)
    low = -np.maximum(short / max(1, config.K_short), size)
    if problem.hedge >= 0:
        high[problem.hedge], low[problem.hedge] = np.inf, -np.inf
    # Never past the box of a name that must hold more than its place.
    return replace(
        program,
        low=np.minimum(np.maximum(program.low, low), program.high),
        high=np.maximum(np.minimum(program.high, high), program.low),
    )
