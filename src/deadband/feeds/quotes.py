"""Recorded quotes and trades from a Parquet or CSV file, laid out session by session.

Columns: ts (UTC, start of the step), symbol, high, low, volume, bid, ask, bid_size, ask_size; empty
where there was no trade or no quote. A quote stands until the next one, but no longer than
`STALE_STEPS`; a crossed one is none.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from ..core.errors import DataError
from ..core.quotes import QuoteDay
from ..core.session import EXCHANGE_ZONE, Session, sessions_between
from ..core.units import epoch_ns
from .doctor.rows import moment
from .table import floats, labels, read_table, utc_nanoseconds

SECOND = 1_000_000_000
STALE_STEPS = 60
COLUMNS = ("high", "low", "volume", "bid", "ask", "bid_size", "ask_size")


def read_quotes(path: Path, step_s: int) -> list[QuoteDay]:
    """Every session of every name that was quoted in it; DataError where there is none."""
    table = read_table(path, ("ts", "symbol", *COLUMNS))
    ts = utc_nanoseconds(table, "ts", path)
    symbols, place = labels(table, "symbol", path)
    columns = {name: floats(table, name, path) for name in COLUMNS}
    first, last = (moment(int(at)).astimezone(EXCHANGE_ZONE).date() for at in (ts.min(), ts.max()))
    days = []
    for session in sessions_between(first, last):
        inside = (ts >= epoch_ns(session.open)) & (ts < epoch_ns(session.close))
        for number, symbol in enumerate(symbols):
            rows = np.flatnonzero(inside & (place == number))
            quoted = np.isfinite(columns["bid"][rows]).any() if len(rows) else False
            if quoted:
                chosen = {name: values[rows] for name, values in columns.items()}
                days.append(_day(symbol, session, ts[rows], chosen, step_s * SECOND))
    if not days:
        raise DataError(f"{path} holds no quote inside a session. Are its times UTC?")
    return days


def _day(
    symbol: str, session: Session, ts: Ints, columns: dict[str, Floats], step: int
) -> QuoteDay:
    """The rows of one session on an even grid; of doubled rows the last counts."""
    opens, closes = epoch_ns(session.open), epoch_ns(session.close)
    steps = (closes - opens) // step
    at = (ts - opens) // step
    grid = {name: np.full(steps, np.nan) for name in COLUMNS}
    for name, values in columns.items():
        grid[name][at] = values
    known = grid["bid"] > 0
    known &= grid["ask"] >= grid["bid"]
    source = _last_known(known)
    fresh = source >= 0
    quotes = {
        name: np.where(fresh, np.nan_to_num(grid[name][np.maximum(source, 0)]), 0.0)
        for name in ("bid", "ask", "bid_size", "ask_size")
    }
    return QuoteDay(
        symbol=symbol,
        ts=opens + step * np.arange(1, steps + 1, dtype=np.int64),
        high=grid["high"],
        low=grid["low"],
        volume=np.nan_to_num(grid["volume"]).astype(np.int64),
        **quotes,
    )


def _last_known(known: Bools) -> Ints:
    """Index (t,) of the newest quote at each step, −1 where there is none that is fresh."""
    steps = np.arange(len(known))
    newest = np.maximum.accumulate(np.where(known, steps, -1))
    return np.where(steps - newest <= STALE_STEPS, newest, -1)
