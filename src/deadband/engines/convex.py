"""The convex engines: the seeds' program solved to optimality, by PIQP or through cvxpy."""

from __future__ import annotations

from typing import Any

from ..core.arrays import Floats
from ..core.config import OptimizationConfig
from ..core.reasons import Code
from ..core.types import Problem, Proposal
from ..optimize.cvx import Constraints, cvxpy_optimum
from ..optimize.solve import answer, judge
from .info import info_of
from .optimization import OptimizationEngine

SPOKEN = {"fell_back": Code.SOLVE_FELL_BACK, "held": Code.SOLVE_HELD}


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
    """The same program in cvxpy with OSQP, open to the user's own constraints.

    `extra_constraints` is given cvxpy's weight variable (n,) and returns constraints to add, such
    as `lambda w: [w[0] == 0]`; where they cannot be met, current weights are kept (status held).
    Needs the extra `deadband[cvxpy]`. Exact to about 1e-6.
    """

    def __init__(
        self,
        config: OptimizationConfig | None = None,
        *,
        apply_cuts: bool = False,
        extra_constraints: Constraints | None = None,
    ) -> None:
        super().__init__(config, apply_cuts=apply_cuts)
        self.extra_constraints = extra_constraints

    def _propose(self, problem: Problem) -> Proposal:
        best = cvxpy_optimum(problem, self.extra_constraints)
        return judge(
            problem,
            self.config,
            "cvxpy",
            () if best is None else (best,),
            fall_back=self.extra_constraints is None,
        )
