"""Tells raw prices from adjusted ones, and a universe of survivors from one of its time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import pdtr

from ...core.ailments import Ailment
from ...core.arrays import Bools, Floats, Ints
from ...core.corporate_action import split_ratio
from ...core.ports import Finding
from .chart import HALF_CENT, Chart
from .rows import listed

SPLIT_VOLUME = 3.0
REVERSE_VOLUME = 8.0
"""How far volume may be from what a split makes of it; bad news halves a price on far more."""
USUAL_DAYS = 5
ADJUSTED = 0.5
ADJUSTED_DAYS = 5
OFF_TICK = 0.05
TICK = 0.0001
ROUNDING, ROUNDING_SHARE = 1e-5, 1e-7
"""What a price may be beside its grid, USD and as a share: float32 holds seven digits."""
MIXED_NAMES = 0.2
LEAVING = 0.03
"""Share of listed companies that leave in a year, at least: bought, merged or delisted."""
CHANCE = 0.01
SESSIONS_A_YEAR = 252


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """Nights (k,) that look like splits: the day after, the name, and new shares per old one."""

    day: Ints
    name: Ints
    shares: Floats


def find_adjustment(chart: Chart) -> list[Finding]:
    """What the prices' grid, and their nights, say about adjustments."""
    splits = find_splits(chart.opening, chart.closing, chart.volume)
    off_half_cent, off_tick = _off_grid(chart)
    adjusted = (off_half_cent >= ADJUSTED).sum(axis=0) >= ADJUSTED_DAYS
    fine = (off_tick >= OFF_TICK) & ~adjusted
    named = chart.symbols
    nights = [
        f"{named[n]} {chart.days[d]}, {shares:.3g} for 1"
        for d, n, shares in zip(splits.day, splits.name, splits.shares, strict=True)
    ]
    found = []
    if nights:
        found.append(Finding(Ailment.DATA_UNADJUSTED_SPLIT, len(nights), listed(nights)))
    if nights and adjusted.mean() >= MIXED_NAMES:
        raw = sorted({named[n] for n in splits.name})
        text = f"{listed(raw)}, while {adjusted.mean():.0%} of the symbols are adjusted"
        found.append(Finding(Ailment.DATA_MIXED_ADJUSTMENT, len(raw), text))
    for ailment, which in ((Ailment.DATA_ADJUSTED, adjusted), (Ailment.DATA_OFF_TICK, fine)):
        symbols = [named[i] for i in np.flatnonzero(which)]
        if symbols:
            found.append(Finding(ailment, len(symbols), listed(symbols)))
    return found


def find_splits(opening: Floats, closing: Floats, volume: Floats) -> Splits:
    """Nights whose price ratio is a split's and whose volume moves with it; arrays (d, n).

    The ratio is taken from the last day with a close. NaN where a name did not trade.
    """
    before, usual = _carried(closing)[:-1], _usual_volume(volume)
    shares = np.ones(before.shape)
    for night in range(len(before)):
        shares[night] = split_ratio(before[night], opening[night + 1])
    with np.errstate(invalid="ignore", divide="ignore"):
        surprise = np.abs(np.log(volume[1:] / usual / shares))
    bound = np.where(shares > 1, SPLIT_VOLUME, REVERSE_VOLUME)
    day, name = np.nonzero((shares != 1) & (surprise <= np.log(bound)))
    return Splits(day + 1, name, shares[day, name])


def find_survivors(days: int, traded: Bools) -> list[Finding]:
    """Too few names that leave over `days` sessions; `traded` (d, n)."""
    d, n = traded.shape
    present = traded.any(axis=0)
    first, last = traded.argmax(axis=0), d - 1 - traded[::-1].argmax(axis=0)
    leavers = int((present & (last < d - 2)).sum())
    joiners = int((present & (first > 1)).sum())
    expected = LEAVING * int(present.sum()) * days / SESSIONS_A_YEAR
    if float(pdtr(leavers, expected)) >= CHANCE:
        return []
    text = (
        f"{leavers} leave and {joiners} join of {n} in {days} sessions; "
        f"about {expected:.0f} would leave"
    )
    return [Finding(Ailment.DATA_SURVIVORS, int(present.sum()) - leavers, text)]


def _carried(closing: Floats) -> Floats:
    """The last close known at each day's end (d, n)."""
    seen = np.isfinite(closing)
    row = np.where(seen, np.arange(len(closing))[:, np.newaxis], 0)
    latest = np.maximum.accumulate(row, axis=0)
    carried: Floats = np.take_along_axis(closing, latest, axis=0)
    return carried


def _usual_volume(volume: Floats) -> Floats:
    """Median volume of the last days before each night (d − 1, n)."""
    if len(volume) < 2:
        return np.empty((0, volume.shape[1]))
    padded = np.vstack([np.full((USUAL_DAYS - 1, volume.shape[1]), np.nan), volume[:-1]])
    windows = np.lib.stride_tricks.sliding_window_view(padded, USUAL_DAYS, axis=0)
    known = np.isfinite(windows).any(axis=-1)
    usual = np.full(known.shape, np.nan)
    usual[known] = np.nanmedian(windows[known], axis=-1)
    return usual


def _off_grid(chart: Chart) -> tuple[Floats, Floats]:
    """Share of closes off half a cent, by day (d, n), and off the finest tick, over all (n,)."""
    shape = len(chart.days), len(chart.symbols)
    half_cent, fine = np.zeros(shape), np.zeros(shape)
    for d, table in enumerate(chart.tables):
        half_cent[d] = _off(table.close, HALF_CENT).sum(axis=0)
        # Only what is off half a cent can be off a finer tick that divides it.
        if half_cent[d].any():
            fine[d] = _off(table.close, TICK).sum(axis=0)
    bars = np.maximum(chart.bars, 1)
    return half_cent / bars, fine.sum(axis=0) / np.maximum(chart.bars.sum(axis=0), 1)


def _off(price: Floats, step: float) -> Bools:
    """Prices that are no multiple of `step`, what float32 files round away left aside."""
    beside = np.abs(price - np.rint(price / step) * step)
    off: Bools = beside > np.maximum(ROUNDING, price * ROUNDING_SHARE)
    return off
