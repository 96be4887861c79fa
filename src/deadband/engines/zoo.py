"""The seeds' names for merging scores, opened to callers outside the rooms."""

from ..signals.horizon_arbiter import HorizonArbiter
from ..signals.zoo_balancer import ZooBalancer

__all__ = ["HorizonArbiter", "ZooBalancer"]
