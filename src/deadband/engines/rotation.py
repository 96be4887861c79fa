"""The greedy engines: top-K rotation with hysteresis and no-trade bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.arrays import Floats
from ..core.config import OptimizationConfig
from ..core.errors import DataError
from ..core.problem import Problem
from ..core.seen import Universe
from ..core.units import BPS
from ..optimize.solve import answer
from ..policy.bands import hold_inside_bands
from .info import ReasonCodes, info_of
from .optimization import OptimizationEngine

ROTATION_NAME_BAND = 12 * BPS
"""The seeds give RotationEngine a tau_name_bps of its own (errata)."""


class GreedyRotationEngine(OptimizationEngine):
    """Greedy top-K rotation with hysteresis and no-trade bands (SEMANTICS §4)."""

    def _answer(self, problem: Problem) -> tuple[Floats, dict[str, Any]]:
        if problem.rows:
            raise DataError(
                f"greedy knows no limits of your own such as {problem.rows[0].name}. "
                "Use QPOptimizationEngine, or leave out linear_limits and factor_exposures."
            )
        proposal = answer(problem, self.config, "greedy")
        banded = hold_inside_bands(
            problem,
            proposal.weights,
            proposal.code,
            portfolio_band=self.config.portfolio_drift_threshold,
            name_band=self.config.name_drift_threshold,
        )
        return banded.weights, info_of(proposal, banded.weights, banded.code, banded.spoken[0].code)


class RotationEngine(GreedyRotationEngine):
    """The seeds' first spelling of the greedy engine; its name band is 12 bps by default."""

    def __init__(self, config: OptimizationConfig | None = None) -> None:
        super().__init__(config or OptimizationConfig(name_drift_threshold=ROTATION_NAME_BAND))

    def rotation_targets(
        self,
        z_scores: Any,
        correlation_matrix: Any,
        costs: Any,
        current_weights: Any,
        universe: Sequence[str] | Universe,
        **optional: Any,
    ) -> tuple[Any, ReasonCodes]:
        """As `optimize`, returning the weights and the reason codes alone."""
        weights, info = self.optimize(
            z_scores, correlation_matrix, costs, current_weights, universe, **optional
        )
        return weights, info["reason_codes"]
