"""Features by name, and models that say what they are told to say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from deadband.core.features import Features
from deadband.core.seen import Universe
from deadband.models.voice import Voice

from .inputs import NOW, Column, column


def features(names: Universe, asof: datetime = NOW, **rows: Column) -> Features:
    """Columns by the name of their feature."""
    value = np.array([column(names, row, 0.0) for row in rows.values()], dtype=np.float64)
    return Features(names, asof, tuple(rows), value.reshape(len(rows), len(names)))


def voice(
    score: Callable[[Features], Any] | Any = 0.0,
    *,
    name: str = "model",
    unit: str = "z",
    horizon_min: float = 30.0,
    needs: tuple[str, ...] = (),
    version: str = "1",
    budget_ms: float = 1000.0,
) -> Voice:
    """A model that answers as told: with what a function gives, or always the same."""
    ask = score if callable(score) else lambda _: score
    return Voice(name, version, unit, horizon_min, needs, ask, budget_ms)


class Follow:
    """What rose goes on: as a configuration names it, tests.kit.models:Follow."""

    unit, horizon_min, needs = "z", 30.0, ("return_30m", "realized_vol_1d", "volume_ratio")

    def score(self, features: Features) -> Any:
        move, sigma, volume = features.rows(self.needs)
        return 4.0 * move / sigma * volume


@dataclass
class Scripted:
    """Answers from a list, one a call; an error in it is raised."""

    script: list[Any]
    asked: list[datetime] = field(default_factory=list)

    def __call__(self, features: Features) -> Any:
        self.asked.append(features.asof)
        said = self.script[len(self.asked) - 1]
        if isinstance(said, BaseException):
            raise said
        return said
