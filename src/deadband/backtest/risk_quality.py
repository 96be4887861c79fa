"""How well variances were forecast: bias statistic, QLIKE, and the errors of both.

z = return / σ. The bias statistic is the root of the mean of z², one where σ is right on average
(J. Menchero, D. J. Orr, J. Wang, The Barra US equity model (USE4), 2011). QLIKE is the mean of
ln σ² + z²: it ranks forecasts as the true variance would, though only returns are seen (A. Patton,
Volatility forecast comparison using imperfect volatility proxies, J. Econometrics 160 (2011)).
Errors come from drawing whole days again and again: decisions of a day are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from ..core.arrays import Floats, Ints

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one estimator, with standard errors.

    bias: of all portfolios, of long-only and of neutral ones; `volatility` is realized over
    forecast, mean over portfolios' days. qlike_behind: over the best, paired by day.
    """

    bias: float
    bias_se: float
    bias_long: float
    bias_long_se: float
    bias_neutral: float
    bias_neutral_se: float
    volatility: float
    qlike: float
    qlike_se: float
    qlike_behind: float
    qlike_behind_se: float

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 5) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What portfolios did: returns (d, p) of d decisions; the first `long` (of p) are long-only.

    day (d,): the number of the day of each decision, from 0.
    """

    returns: Floats
    day: Ints
    long: int


def qualities(
    outcomes: Outcomes, variance: Mapping[str, Floats], draws: Ints
) -> dict[str, Quality]:
    """The quality of each estimator from its forecasts (d, p); `draws` (b, days) of days."""
    squares = {name: outcomes.returns**2 / found for name, found in variance.items()}
    loss = {name: (np.log(found) + squares[name]).mean(axis=1) for name, found in variance.items()}
    best = min(loss, key=lambda name: float(loss[name].mean()))
    return {
        name: _quality(outcomes, squares[name], variance[name], loss[name], loss[best], draws)
        for name in variance
    }


def _quality(
    outcomes: Outcomes,
    squares: Floats,
    variance: Floats,
    loss: Floats,
    best: Floats,
    draws: Ints,
) -> Quality:
    day, long = outcomes.day, outcomes.long
    whole, of_long, of_neutral = (
        _rooted(kind.mean(axis=1), day, draws)
        for kind in (squares, squares[:, :long], squares[:, long:])
    )
    qlike, behind = _mean(loss, day, draws), _mean(loss - best, day, draws)
    realized, forecast = _by_day(outcomes.returns**2, day), _by_day(variance, day)
    return Quality(
        bias=whole[0],
        bias_se=whole[1],
        bias_long=of_long[0],
        bias_long_se=of_long[1],
        bias_neutral=of_neutral[0],
        bias_neutral_se=of_neutral[1],
        volatility=float(np.sqrt(realized / forecast).mean()),
        qlike=qlike[0],
        qlike_se=qlike[1],
        qlike_behind=behind[0],
        qlike_behind_se=behind[1],
    )


def _by_day(values: Floats, day: Ints) -> Floats:
    """Sums (days, p) of the rows of each day."""
    sums = np.zeros((int(day.max()) + 1, *values.shape[1:]))
    np.add.at(sums, day, values)
    return sums


def _mean(values: Floats, day: Ints, draws: Ints) -> tuple[float, float]:
    """Mean of `values` (d,) and its standard error over draws of days."""
    drawn = _drawn_means(values, day, draws)
    return float(values.mean()), float(drawn.std())


def _rooted(values: Floats, day: Ints, draws: Ints) -> tuple[float, float]:
    drawn = np.sqrt(_drawn_means(values, day, draws))
    return float(np.sqrt(values.mean())), float(drawn.std())


def _drawn_means(values: Floats, day: Ints, draws: Ints) -> Floats:
    sums, counts = _by_day(values, day), np.bincount(day)
    means: Floats = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    return means
