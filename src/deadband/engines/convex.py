"""The exact engines: the seeds' program solved to optimality, by the kernel or through cvxpy."""

from __future__ import annotations

from typing import Any

from ..core.arrays import Floats
from ..core.config import OptimizationConfig
from ..core.problem import Problem, Proposal
from ..core.reasons import Code
from ..optimize.exact.answer import solve_exactly
from ..optimize.exact.duality import Optimum
from ..optimize.exact.program import Program
from ..optimize.solve import answer, judge
from ..optimize.solvers.cvx import Constraints, CvxpyPrograms, Objective, cvxpy_optimum
from .info import info_of
from .optimization import OptimizationEngine

SPOKEN = {
    "optimal_relaxed": Code.SOLVE_RELAXED,
    "fell_back": Code.SOLVE_FELL_BACK,
    "held": Code.SOLVE_HELD,
}


class QPOptimizationEngine(OptimizationEngine):
    """The seeds' convex program, solved to optimality; shorts are allowed unless forbidden.

    Without cuts and bands: the program to the letter. `apply_cuts` True adds the cuts of
    SEMANTICS §4.1, as the cycle does. An answer that fails its check falls back to greedy, and
    `info["status"]` says so.
    """

    def __init__(
        self, config: OptimizationConfig | None = None, *, apply_cuts: bool = False
    ) -> None:
        super().__init__(config)
        self.apply_cuts = apply_cuts

    def _answer(self, problem: Problem) -> tuple[Floats, dict[str, Any]]:
        proposal = self._propose(problem)
        spoken = SPOKEN.get(proposal.status, Code.SOLVE_DONE)
        return proposal.weights, info_of(proposal, proposal.weights, proposal.code, spoken)

    def _propose(self, problem: Problem) -> Proposal:
        return answer(problem, self.config, "qp")

    def _shorts_allowed(self) -> bool:
        return True if self.config.allow_short is None else self.config.allow_short


class CvxpyRebalanceEngine(QPOptimizationEngine):
    """The same program in cvxpy with OSQP, open to the user's own constraints and objective.

    Both are given cvxpy's weight variable (n,). `extra_constraints` returns constraints to add,
    such as `lambda w: [w[0] == 0]`; `extra_objective` a concave term to add to U, such as
    `lambda w: -cvxpy.sum_squares(w - target)`, whose value `info["extra_objective"]` reports beside
    U. Where they leave no answer, current weights are kept (status held).

    The program is compiled on the first call, and again when its shape or the correlation changes;
    they are called only then. What they read that changes from cycle to cycle must be a
    cvxpy.Parameter. The solver starts from its last answer, which moves U by less than 1e-6.
    Needs the extra `deadband[cvxpy]`. Raises ConfigError for terms that are not convex.
    """

    def __init__(
        self,
        config: OptimizationConfig | None = None,
        *,
        apply_cuts: bool = False,
        extra_constraints: Constraints | None = None,
        extra_objective: Objective | None = None,
    ) -> None:
        super().__init__(config, apply_cuts=apply_cuts)
        self._programs = CvxpyPrograms(extra_constraints, extra_objective)

    def _answer(self, problem: Problem) -> tuple[Floats, dict[str, Any]]:
        weights, info = super()._answer(problem)
        if self._programs.objective is not None:
            info["extra_objective"] = self._programs.extra_value(weights)
        return weights, info

    def _propose(self, problem: Problem) -> Proposal:
        alone = not self._programs.extended

        def solver(program: Program, *, feasible: bool) -> Optimum | None:
            return cvxpy_optimum(program, self._programs)

        exact = solve_exactly(problem, solver, self.config.relax_order, relaxes=alone)
        return judge(problem, self.config, "cvxpy", exact, fall_back=alone)
