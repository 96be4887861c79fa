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
SPIKE_BARS = 6
"""Bars after a jump in which it may be taken back."""
SCALE = 4.0
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
    """Prices that leave their neighbors and are back, and those that no news multiplies so."""
    returns = [_returns(table) for table in chart.tables]
    bound = np.maximum(SPIKE, SPIKE_SIGMAS * _usual_sigma(returns, len(chart.symbols)))
    found = []
    for day, table, there in zip(chart.days, chart.tables, returns, strict=True):
        wicks = _wicks(table)
        told = [(bar, name, wicks[bar, name]) for bar, name in np.argwhere(np.abs(wicks) > bound)]
        for bar, name in np.argwhere(np.abs(there) > bound).tolist():
            if _is_back(there[bar : bar + SPIKE_BARS + 1, name]) or _is_scale(there[bar, name]):
                told.append((bar + 1, name, there[bar, name]))
        found += [
            f"{chart.symbols[name]} {day} bar {bar}: {jump:+.1%}"
            for bar, name, jump in sorted(told)
        ]
    return [Finding(Ailment.DATA_SPIKE, len(found), listed(found))] if found else []


def _wicks(table: DayBars) -> Floats:
    """How far high or low lies beyond open and close (b, n), as a fraction; NaN without a bar."""
    up = table.high / np.maximum(table.open, table.close) - 1.0
    down = table.low / np.minimum(table.open, table.close) - 1.0
    beyond: Floats = np.where(up > -down, up, down)
    # After news the first bar ranges as far as that on good prints.
    beyond[:1] = np.nan
    return beyond


def _is_back(jump: Floats) -> bool:
    """Whether a bar soon after (k,) takes back what the first one did, as suddenly."""
    first, later = jump[0], jump[1:]
    left = np.abs(np.cumprod(1 + jump)[1:] - 1) <= SPIKE_LEFT * abs(first)
    sudden = np.abs(np.log1p(later)) > abs(np.log1p(first)) / 2
    return bool((left & (later * first < 0) & sudden).any())


def _is_scale(move: float) -> bool:
    """A multiple that within a session nothing but a wrong unit or a wrong name has."""
    return bool(abs(np.log1p(move)) >= np.log(SCALE))


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
