"""Leaves out rows that cannot be true, whatever the market did."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Bools, Floats
from ...core.units import epoch_ns
from .rows import PRICES, QUOTES, Rows


def drop_future(rows: Rows, now: datetime | None) -> None:
    """Leave out rows dated after `now`; nothing where no clock is given."""
    if now is not None:
        future = rows.ts > epoch_ns(now)
        rows.note(Ailment.DATA_FUTURE, future)
        rows.keep(~future)


def drop_impossible(rows: Rows) -> None:
    """Leave out rows whose prices or volume cannot be true."""
    prices = np.array([rows.values[name] for name in PRICES])
    volume = rows.values["volume"]
    # A quote-only row (no trade in that bar) carries no bar; it is not a defect.
    empty: Bools = np.logical_and.reduce(np.isnan(prices))
    not_finite: Bools = ~empty & ~np.logical_and.reduce(np.isfinite(prices))
    with np.errstate(invalid="ignore"):
        not_positive: Bools = np.logical_or.reduce(prices <= 0)
        _open, high, low, _close = prices
        disordered = (high < prices.max(axis=0)) | (low > prices.min(axis=0))
        bad_volume = ~empty & ~((volume >= 0) & np.isfinite(volume))
    rows.note(Ailment.DATA_PRICE_NOT_FINITE, not_finite)
    rows.note(Ailment.DATA_PRICE_NOT_POSITIVE, not_positive)
    rows.note(Ailment.DATA_HIGH_LOW, disordered & ~not_finite & ~not_positive)
    rows.note(Ailment.DATA_VOLUME_INVALID, bad_volume)
    rows.keep(~(empty | not_finite | not_positive | disordered | bad_volume))


def half_quotes(rows: Rows) -> Floats:
    """Half the quoted spread of each row, NaN where there is no quote or it cannot be true."""
    if any(name not in rows.values for name in QUOTES):
        return np.full(len(rows.ts), np.nan)
    bid, ask = (rows.values[name] for name in QUOTES)
    with np.errstate(invalid="ignore"):
        sound = (bid > 0) & (ask >= bid) & np.isfinite(ask)
        half: Floats = np.where(sound, (ask - bid) / 2, np.nan)
    rows.note(Ailment.DATA_QUOTE_INVALID, ~sound & ~np.isnan(bid) & ~np.isnan(ask))
    return half
