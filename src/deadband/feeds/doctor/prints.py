"""Tells prices that stand still, that jump and are back, or that no trade could have."""

from __future__ import annotations

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Bools, Floats, Ints
from ...core.ports import Finding
from ..tape import DayBars
from .chart import Chart
from .rows import listed

FROZEN_BARS = 12
FROZEN_MIN = 30
SPIKE = 0.05
SPIKE_SIGMAS = 20.0
SPIKE_LEFT = 0.2
"""Most of a jump that may be left after the bar that takes it back."""
MEAN_TO_SIGMA = 1.2533
"""σ of a normal variable over its mean distance from 0."""


def find_frozen(chart: Chart) -> list[Finding]:
    """Stretches in which all four prices repeat while volume goes on."""
    least = max(FROZEN_BARS, int(np.ceil(FROZEN_MIN / chart.bar_min)))
    found = []
    for day, table in zip(chart.days, chart.tables, strict=True):
        if len(table.close) < least:
            continue
        repeats = _repeats(table)
        # Few names repeat that often in a day at all: only they are looked at more closely.
        for name in np.flatnonzero(repeats.sum(axis=0) >= least - 1).tolist():
            longest = _longest(repeats[:, name]) + 1
            if longest >= least:
                found.append(f"{chart.symbols[name]} {day}, {longest} bars")
    return [Finding(Ailment.DATA_FROZEN, len(found), listed(found))] if found else []


def find_spikes(chart: Chart) -> list[Finding]:
    """Closes that leave both neighbors by the same way and are back."""
    returns = [_returns(table) for table in chart.tables]
    bound = np.maximum(SPIKE, SPIKE_SIGMAS * _usual_sigma(returns, len(chart.symbols)))
    found = []
    for day, there in zip(chart.days, returns, strict=True):
        jumps = np.abs(there[:-1]) > bound
        if not jumps.any():
            continue
        back = np.abs((1 + there[:-1]) * (1 + there[1:]) - 1)
        for bar, name in np.argwhere(jumps & (back <= SPIKE_LEFT * np.abs(there[:-1]))).tolist():
            found.append(f"{chart.symbols[name]} {day} bar {bar + 1}: {there[bar, name]:+.1%}")
    return [Finding(Ailment.DATA_SPIKE, len(found), listed(found))] if found else []


def _repeats(table: DayBars) -> Bools:
    """Bars (b − 1, n) with the four prices of the bar before, and volume."""
    same: Bools = table.close[1:] == table.close[:-1]
    for prices in (table.open, table.high, table.low):
        same &= prices[1:] == prices[:-1]
    return same & (table.volume[1:] > 0)


def _longest(flags: Bools) -> int:
    edges: Ints = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0


def _returns(table: DayBars) -> Floats:
    """Close over the close before, less one (b − 1, n)."""
    returns: Floats = table.close[1:] / table.close[:-1] - 1
    return returns


def _usual_sigma(returns: list[Floats], n: int) -> Floats:
    """σ of a bar (n,): the median over days of the mean |return|; 0 where nothing is known."""
    means = np.full((len(returns), n), np.nan)
    for d, day in enumerate(returns):
        moves = np.abs(day)
        known = np.isfinite(moves)
        count = known.sum(axis=0)
        total = np.where(known, moves, 0.0).sum(axis=0)
        means[d] = np.divide(total, count, out=np.full(n, np.nan), where=count > 0)
    known = np.isfinite(means).any(axis=0)
    sigma = np.zeros(n)
    if known.any():
        # The median over days: one bad day is one vote.
        sigma[known] = MEAN_TO_SIGMA * np.nanmedian(means[:, known], axis=0)
    return sigma
