"""The seeds' names as thin translators: their containers in, our types inside."""

from .convex import CvxpyRebalanceEngine, QPOptimizationEngine
from .execution import ShortHorizonExecution
from .optimization import OptimizationEngine
from .rotation import GreedyRotationEngine, RotationEngine
from .zoo import HorizonArbiter, ZooBalancer

__all__ = [
    "CvxpyRebalanceEngine",
    "GreedyRotationEngine",
    "HorizonArbiter",
    "OptimizationEngine",
    "QPOptimizationEngine",
    "RotationEngine",
    "ShortHorizonExecution",
    "ZooBalancer",
]
