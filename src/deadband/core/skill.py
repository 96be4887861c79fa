"""What is known of each model's skill: a record of outcomes, and votes whose time is not up.

Arrays are float64 unless said otherwise and read-only; n = names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .arrays import Bools, Floats, freeze
from .reasons import Code


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """One model's scores at one instant, judged once its horizon has passed.

    at aware UTC; score (n,) in the model's unit; usable (n,) bool; price (n,) USD, the last then.
    """

    model: str
    horizon_min: float
    at: datetime
    score: Floats
    usable: Bools
    price: Floats
    judged: bool = False

    def __post_init__(self) -> None:
        freeze(self, "score", "usable", "price")


@dataclass(frozen=True, slots=True)
class Track:
    """A model's record; the sums are over outcomes, each by its share, decayed.

    An outcome's share is 1 where it overlaps no earlier one. `ic`: Σ share·IC, rank correlation of
    scores and returns; `ic_square`: Σ share·IC²; `chance`: Σ share/(names − 1), the variance that
    an IC of no skill has. `cost`: Σ share·(half spread / spread of returns). `steady`: Σ share·ρ, ρ
    the rank correlation of scores one horizon apart, over `steady_shares`.
    """

    model: str
    horizon_min: float
    shares: float = 0.0
    ic: float = 0.0
    ic_square: float = 0.0
    chance: float = 0.0
    cost: float = 0.0
    steady: float = 0.0
    steady_shares: float = 0.0
    judged_at: datetime | None = None
    """When the last vote that was judged was cast."""


@dataclass(frozen=True, slots=True)
class Skill:
    """All records and open votes; what a run remembers of its models between cycles."""

    tracks: tuple[Track, ...] = ()
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelWeight:
    """What one model's vote weighs among those of its horizon, and why.

    `ic` with its standard `error`, NaN where no outcome is known; `outcomes` it rests on;
    `trusted`: the share of the difference between its IC and the models' mean that is taken for
    skill; `drag`: what trading its changes costs, in units of IC, against the models' mean.
    """

    model: str
    horizon_min: float
    weight: float
    why: Code
    ic: float
    error: float
    outcomes: float
    trusted: float
    drag: float
