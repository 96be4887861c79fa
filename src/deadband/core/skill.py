"""What is known of each model's skill: a record of outcomes, votes still open, and what follows.

Arrays are float64 unless said otherwise and read-only; n = names, m = models of one horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from .arrays import Floats, freeze
from .reasons import Code

Places = np.ndarray[Any, np.dtype[np.int32]]
"""A column of places in an order (n,), −1 for none."""

LAGS = (0.25, 0.5, 1.0, 2.0)
"""Shares of its horizon after which a vote is looked at; at the third it is judged."""
JUDGED = 2
"""Which of them is the horizon itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Vote:
    """One model's scores at one instant, looked at when each of `LAGS` has passed.

    at aware UTC; rank (n,): the place of each score among the distinct ones, −1 where none counts
    or no price was fresh: all that a rank correlation asks for. price (n,) USD, the last then,
    `since` (n,) at the last lag looked at. `passed`: how many lags that was. `apart`: horizons
    since the model's vote before, at most 1: the share of the outcome that is new.
    """

    model: str
    at: datetime
    rank: Places
    price: Floats
    since: Floats
    apart: float
    passed: int = 0

    def __post_init__(self) -> None:
        freeze(self, "rank", "price", "since")


@dataclass(frozen=True, slots=True)
class Track:
    """A model's record; the sums are over outcomes, each by its share, decayed.

    An outcome's share is 1 where it overlaps no earlier one. `ic`: Σ share·IC, rank correlation of
    scores and returns; `ic_square`: Σ share·IC²; `chance`: Σ share/(names − 1), the variance that
    an IC of no skill has. `cost`: Σ share·(half spread / spread of returns). `steady`: Σ share·ρ, ρ
    the rank correlation of scores one horizon apart, over `steady_shares`. `recent_*`: the same
    sums, decayed by `recent_half_life_days`. `lag_ic`, `lag_shares`: of the return from each of
    `LAGS` to the next.
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
    recent_shares: float = 0.0
    recent_ic: float = 0.0
    recent_chance: float = 0.0
    lag_ic: tuple[float, ...] = (0.0,) * len(LAGS)
    lag_shares: tuple[float, ...] = (0.0,) * len(LAGS)


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How much the models of one horizon say the same.

    rho (m, m): mean rank correlation of their scores, over `times` (m, m) comparisons, decayed;
    0 where two were never compared. `at`: the last comparison.
    """

    horizon_min: float
    models: tuple[str, ...]
    rho: Floats
    times: Floats
    at: datetime

    def __post_init__(self) -> None:
        freeze(self, "rho", "times")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the book turns over: gross times minutes, and L1 turnover, both decayed.

    `turnover_today` is the day's when it was last looked at, `at`.
    """

    at: datetime
    exposure: float = 0.0
    turned: float = 0.0
    turnover_today: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelWeight:
    """What one model's vote weighs among those of its horizon, and why.

    `aim`: the weight it moves towards. `ic` with its standard `error`, NaN where no outcome is
    known; `recent`: that of late; `outcomes` they rest on. `trusted`: the share of the difference
    between its IC and the models' mean that is taken for skill; `drag`: what trading its changes
    costs, in units of IC, against the models' mean; `skill`: the IC it is given credit for.
    `alike`: the share of its weight that it gives up because others say the same.
    """

    model: str
    horizon_min: float
    weight: float
    aim: float
    why: Code
    skill: float
    ic: float
    error: float
    recent: float
    outcomes: float
    trusted: float
    drag: float
    alike: float


@dataclass(frozen=True, slots=True)
class HorizonWeight:
    """What a horizon's score weighs in the decision, and why.

    `half_life_min` of its skill; `holding_min` expected of the book; `earned_bps` by a name that
    stands out, within that time, against `paid_bps` for the round trip; NaN where σ is not known.
    """

    horizon_min: float
    weight: float
    aim: float
    why: Code
    skill: float
    half_life_min: float
    holding_min: float
    earned_bps: float
    paid_bps: float


@dataclass(frozen=True, slots=True)
class Skill:
    """What a run remembers of its models between cycles; the same object while nothing changes."""

    tracks: tuple[Track, ...] = ()
    votes: tuple[Vote, ...] = ()
    alike: tuple[Likeness, ...] = ()
    pace: Pace | None = None
    weights: tuple[ModelWeight, ...] = ()
    horizons: tuple[HorizonWeight, ...] = ()
