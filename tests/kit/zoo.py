"""Synthetic zoos of models: scores of known skill, merged and judged as in a run.

Every half hour of 60 sessions the models score 50 names; what the zoo says is what `merge` makes of
them then, from outcomes known by then. IC is the rank correlation of a score with the returns that
follow it, on average from the first day on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from deadband.core.arrays import Floats
from deadband.core.config import SignalSettings
from deadband.core.seen import Scores
from deadband.core.session import sessions_between
from deadband.core.types import RiskModel
from deadband.signals.merge import merge
from deadband.signals.ranks import rank_correlation

from . import inputs

N, SESSIONS = 50, 60
FLIP_EVERY = 10
"""Sessions after which a model that flips turns its sign."""
SIGMA = 0.003
RISK = RiskModel(
    30.0, np.full(N, SIGMA), None, None, None, np.zeros(N, dtype=np.int16), "synthetic"
)


@dataclass(frozen=True)
class Zoo:
    """Models by the share of `ic` each knows; `copies`: rows whose noise is 0.9 the same."""

    knows: tuple[float, ...]
    copies: tuple[int, ...] = ()
    flips: tuple[int, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(f"model {k}" for k in range(len(self.knows)))

    def views(self, rng: np.random.Generator, returns: Floats, ic: float, day: int) -> Floats:
        """Scores (models, n) of unit variance."""
        noise = rng.normal(size=(len(self.knows), N))
        if self.copies:
            own, shared = noise[list(self.copies)], rng.normal(size=N)
            noise[list(self.copies)] = np.sqrt(0.9) * shared + np.sqrt(0.1) * own
        known = ic * np.array(self.knows)
        if (day // FLIP_EVERY) % 2:
            known[list(self.flips)] *= -1.0
        value: Floats = known[:, None] * returns + np.sqrt(1.0 - known[:, None] ** 2) * noise
        return value


ZOOS = {
    "one good": Zoo((1, 0, 0, 0, 0, 1), flips=(5,)),
    "useless copies": Zoo((1, 0, 0, 0, 0, 1), copies=(1, 2, 3, 4), flips=(5,)),
    "good copies": Zoo((1, 1, 1, 1, 0, 0), copies=(0, 1, 2)),
    "all good": Zoo((1, 1, 1, 1, 1, 1)),
}


@dataclass(frozen=True)
class Outcome:
    """One seeded run: mean IC of the zoo, of equal weights, and of each model.

    weights (cycles, models); `jump`: the largest change of a weight between two cycles.
    """

    zoo: float
    equal: float
    models: Floats
    weights: Floats

    @property
    def regret(self) -> float:
        """IC lost to the best model in hindsight."""
        return float(self.models.max()) - self.zoo

    @property
    def jump(self) -> float:
        return float(abs(np.diff(self.weights, axis=0)).max())


def run(
    seed: int,
    kind: str,
    ic: float,
    settings: SignalSettings | None = None,
    sessions: int = SESSIONS,
) -> Outcome:
    rng, zoo = np.random.default_rng(seed), ZOOS[kind]
    settings = settings or SignalSettings()
    names = inputs.universe(N)
    state, book, price = inputs.state(names), inputs.portfolio(names), np.full(N, 100.0)
    found: list[list[float]] = []
    weights: list[list[float]] = []
    days = sessions_between(date(2026, 1, 5), date(2026, 6, 30))[:sessions]
    for day, session in enumerate(days):
        for k in range(round(session.minutes / 30) + 1):
            now, returns = session.open + timedelta(minutes=30 * k), rng.normal(size=N)
            value = zoo.views(rng, returns, ic, day)
            scores = Scores(
                universe=names,
                models=zoo.models,
                unit=("z",) * len(value),
                horizon_min=(30.0,) * len(value),
                value=value,
                age_s=np.zeros(value.shape),
                defect=np.zeros(value.shape, dtype=np.int16),
            )
            market = inputs.market(names, price=price, asof=now, spread_bps=2.0)
            seen = inputs.seen(names, now=now, market=market, scores=scores, portfolio=book)
            signal = merge(seen, state, RISK, settings)
            state = replace(state, skill=signal.skill)
            heard = [signal.score, value.mean(axis=0), *value]
            found.append([rank_correlation(one, returns) for one in heard])
            weights.append([one.weight for one in signal.skill.weights])
            price = price * (1.0 + SIGMA * returns)
    zoo_ic, equal_ic, *models = np.mean(found, axis=0)
    return Outcome(float(zoo_ic), float(equal_ic), np.array(models), np.array(weights))
