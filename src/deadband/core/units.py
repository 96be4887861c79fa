"""Fractions, basis points, ticks, lots and micro-dollars, and the only roads between them."""

from __future__ import annotations

import re
from datetime import datetime

import numpy as np

from .arrays import Floats
from .errors import ConfigError
from .session import SESSION_MIN

BPS = 1e-4
"""One basis point as a fraction."""

PERCENT = 1e-2
MICRO = 1_000_000
"""Micro-dollars in a dollar: cash is an integer of these, so that books close to the last bit."""

UNIT_MIN = {"min": 1.0, "m": 1.0, "h": 60.0, "d": SESSION_MIN}


def micros(usd: float) -> int:
    """Dollars as the nearest whole number of micro-dollars."""
    return round(usd * MICRO)


def usd(micro: int) -> float:
    return micro / MICRO


def epoch_ns(moment: datetime) -> int:
    """An aware instant as whole nanoseconds since 1970, to the second below."""
    return int(moment.timestamp()) * 1_000_000_000


def horizon_minutes(text: str, setting: str = "score_horizon") -> float:
    """Read 30min, 2h or 1d (a day is one session of 390 minutes); `setting` is named in faults."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(min|m|h|d)", text.strip())
    if not match or not float(match[1]):
        raise ConfigError((f"{setting} is {text!r}, expected a length such as 30min, 2h or 1d.",))
    return float(match[1]) * UNIT_MIN[match[2]]


def to_tick(price: float, tick: float, *, up: bool) -> float:
    """Move a price to the next tick, up or down; a price on a tick (to 1e-6 of one) stays."""
    steps = price / tick
    nearest = round(steps)
    if abs(steps - nearest) > 1e-6:
        nearest = int(np.ceil(steps)) if up else int(np.floor(steps))
    return round(nearest * tick, 10)


def tick_size(price: Floats) -> Floats:
    """US equity minimum price variation in USD (SEC Rule 612): a cent from one dollar up."""
    return np.where(price >= 1.0, 0.01, 0.0001)
