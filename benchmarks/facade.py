"""The whole façade call of the exact engine, as a program that calls it every bar would make it."""

from __future__ import annotations

from typing import Any

import numpy as np
from instances import Cycle, Setting

from deadband import QPOptimizationEngine
from deadband.core.arrays import Floats
from deadband.core.correlation import seal_correlation
from deadband.core.seen import Universe


class Facade:
    """One engine, a sealed correlation and a checked universe; made once, called each cycle."""

    def __init__(self, setting: Setting) -> None:
        given = setting.matrix if setting.factors is None else setting.factors
        self.setting = setting
        self.correlation = seal_correlation(given, setting.size)
        sectors = dict(zip(setting.symbols, setting.sectors, strict=True))
        self.universe = Universe.of(setting.symbols, sectors)
        self.engine = QPOptimizationEngine(setting.config)
        self.info: dict[str, Any] = {}

    def __call__(self, cycle: Cycle) -> Floats:
        """Weights (n,); `info` holds what the engine said of them."""
        weights, self.info = self.engine.optimize(
            cycle.scores,
            self.correlation,
            self.setting.costs,
            cycle.home,
            self.universe,
            volatility=self.setting.volatility,
            beta_exposures=self.setting.beta,
        )
        return np.asarray(weights)

    @property
    def method(self) -> str:
        """Which algorithm answered, and the status where that is not optimal."""
        method = str(self.info.get("method") or self.info["engine"])
        status = str(self.info["status"])
        return method if status == "optimal" else f"{method}, {status}"

    @property
    def certified_gap(self) -> float | None:
        """Distance to the dual bound relative to U, where the certificate has one."""
        gap = getattr(self.info["certificate"], "gap", None)
        return None if gap is None else float(gap)
