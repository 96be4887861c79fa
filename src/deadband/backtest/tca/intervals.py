"""Intervals by the block bootstrap: whole blocks are drawn, since trades near in time go together.

Künsch (1989) for the idea; here blocks are given by label (a day, or half an hour), drawn with
replacement, and a statistic is taken of all their rows. The generator is seeded: the same trades
give the same interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...core.arrays import Floats, Ints

DRAWS = 2_000
LEVEL = 0.95
SEED = 20260101
LEAST_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; NaN bounds where there are too few blocks to say."""

    value: float
    low: float
    high: float
    blocks: int

    @property
    def is_known(self) -> bool:
        return bool(np.isfinite(self.low))


def estimate(
    rows: Floats, blocks: Ints, statistic: Callable[[Floats], Floats], draws: int = DRAWS
) -> tuple[Estimate, ...]:
    """`statistic` of the column sums of `rows` (m, k), with its interval; blocks (m,) are labels.

    It is given sums (…, k) and returns figures (…, f): what can be told from sums alone, such as a
    ratio or a least-squares fit, needs no row twice.
    """
    labels, place = np.unique(blocks, return_inverse=True)
    sums = np.zeros((len(labels), rows.shape[1]))
    np.add.at(sums, place, rows)
    values = statistic(sums.sum(axis=0))
    if len(labels) < LEAST_BLOCKS:
        return tuple(Estimate(float(v), np.nan, np.nan, len(labels)) for v in values)
    rng = np.random.default_rng(SEED)
    counts = rng.multinomial(len(labels), np.full(len(labels), 1.0 / len(labels)), size=draws)
    drawn = statistic(counts @ sums)
    tail = (1.0 - LEVEL) / 2.0
    low, high = np.nanquantile(drawn, [tail, 1.0 - tail], axis=0)
    return tuple(
        Estimate(float(v), float(a), float(b), len(labels))
        for v, a, b in zip(values, low, high, strict=True)
    )


def ratios(sums: Floats) -> Floats:
    """Every column over the last: cost over notional."""
    whole = sums[..., -1:]
    return np.divide(
        sums[..., :-1], whole, out=np.full_like(sums[..., :-1], np.nan), where=whole > 0
    )


def day_or_half_hour(at: Ints) -> Ints:
    """Labels (m,) of blocks: days of ns timestamps where there are enough, else half hours."""
    days: Ints = at // 86_400_000_000_000
    if len(np.unique(days)) >= LEAST_BLOCKS:
        return days
    half_hours: Ints = at // 1_800_000_000_000
    return half_hours
