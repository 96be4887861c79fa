"""A portfolio decision engine: computes every interval, trades only when a trigger fires."""

from .core.config import OptimizationConfig
from .core.rows import LinearLimit
from .engines import (
    CvxpyRebalanceEngine,
    GreedyRotationEngine,
    HorizonArbiter,
    OptimizationEngine,
    QPOptimizationEngine,
    RotationEngine,
    ShortHorizonExecution,
    ZooBalancer,
)
from .integration import IBKROptimizationIntegration

__all__ = [
    "CvxpyRebalanceEngine",
    "GreedyRotationEngine",
    "HorizonArbiter",
    "IBKROptimizationIntegration",
    "LinearLimit",
    "OptimizationConfig",
    "OptimizationEngine",
    "QPOptimizationEngine",
    "RotationEngine",
    "ShortHorizonExecution",
    "ZooBalancer",
]
