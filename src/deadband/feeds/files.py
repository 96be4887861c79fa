"""Bars from a tidy Parquet or CSV file, cleaned with a name for everything that is left out."""

from __future__ import annotations

import difflib
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from ..core.config import Settings
from ..core.errors import DataError, MissingError
from ..core.seen import Universe
from ..core.session import Session, sessions_between
from ..core.session_table import FIRST_DAY, LAST_DAY
from .clean import (
    HOUR_NS,
    MINUTE_NS,
    PRICES,
    QUOTES,
    Rows,
    drop_impossible,
    half_quotes,
    moment,
    note_silent_sessions,
    place_in_sessions,
)
from .table import floats, labels, read_table, utc_nanoseconds
from .tape import BarTape, DayBars
from .universe import Listing

HALF_HOUR_NS = 30 * MINUTE_NS
"""What divides the length of every session: 390 minutes, and 210 on a half-day."""
EVEN_BARS = 10
"""Equal distances all day that are no chance gaps."""


def bar_tape(path: Path, listing: Listing, settings: Settings) -> BarTape:
    """Read, clean and lay out a bars file: ts (UTC bar start), symbol, OHLCV, optional bid, ask.

    Raises DataError where nothing usable is left or bars of one file have several lengths, and
    MissingError where the market symbol of the settings has no bars.
    """
    rows = _read(path)
    sessions = _sessions(rows, path)
    step = _bar_length(rows, path)
    drop_impossible(rows)
    days, traded = _lay_out(rows, sessions, step)
    if not days:
        listed = "; ".join(map(str, rows.findings))
        raise DataError(f"{path} has no bar inside any session ({listed}).")
    market = settings.data.market
    _refuse_unknown_market(market, rows.symbols, traded, path)
    universe = Universe.of(rows.symbols, listing.sectors, frozenset({market} - {""}))
    return BarTape(
        universe=universe,
        bar_min=step / MINUTE_NS,
        days=days,
        market=market,
        risk=settings.risk,
        costs=settings.costs,
        shortable=~universe.mask(listing.not_shortable),
        findings=tuple(rows.findings),
    )


def _read(path: Path) -> Rows:
    table = read_table(path, ("ts", "symbol", *PRICES, "volume"), QUOTES)
    symbols, name = labels(table, "symbol", path)
    columns = [c for c in table.column_names if c not in ("ts", "symbol")]
    return Rows(
        symbols=tuple(symbols.tolist()),
        ts=utc_nanoseconds(table, "ts", path),
        name=name,
        values={column: floats(table, column, path) for column in columns},
    )


def _sessions(rows: Rows, path: Path) -> tuple[Session, ...]:
    first, last = (moment(int(ts)).date() for ts in (rows.ts.min(), rows.ts.max()))
    if first < FIRST_DAY or last > LAST_DAY:
        raise DataError(
            f"{path} has bars from {first} to {last}, and sessions are known from {FIRST_DAY} to "
            f"{LAST_DAY}. Check the unit of ts, or leave the days outside out."
        )
    # At 20:00 in New York it is the next day in UTC.
    return sessions_between(max(FIRST_DAY, first - timedelta(days=1)), last)


def _bar_length(rows: Rows, path: Path) -> int:
    """The distance between bar starts that is seen most often, in nanoseconds."""
    times = np.unique(rows.ts)
    if len(times) < 2:
        raise DataError(f"{path} has bars at {len(times)} time, expected a series of them.")
    steps, counts = np.unique(np.diff(times), return_counts=True)
    step = int(steps[counts.argmax()])
    if step < MINUTE_NS or HALF_HOUR_NS % step:
        raise DataError(
            f"{path} has bars of {step / MINUTE_NS:g} minutes, expected 1, 2, 3, 5, 6, 10, 15 or "
            "30: whole bars have to fill a session of 390 minutes, and a half-day of 210. "
            "Resample them."
        )
    _refuse_other_lengths(rows, step, path)
    return step


def _refuse_other_lengths(rows: Rows, step: int, path: Path) -> None:
    """Raise where the bars of a name are evenly spaced by another length all day."""
    order = np.lexsort((rows.ts, rows.name))
    ts, name = rows.ts[order], rows.name[order]
    day = ts // (24 * HOUR_NS)
    within = (name[1:] == name[:-1]) & (day[1:] == day[:-1])
    gap, last = np.diff(ts)[within], np.flatnonzero(within) + 1
    if not len(gap):
        return
    begins = (np.diff(name[last], prepend=-1) != 0) | (np.diff(day[last], prepend=-1) != 0)
    starts = np.flatnonzero(begins)
    shortest, longest = np.minimum.reduceat(gap, starts), np.maximum.reduceat(gap, starts)
    bars = np.diff(starts, append=len(gap))
    odd = (shortest == longest) & (shortest > 0) & (shortest != step) & (bars >= EVEN_BARS)
    if odd.any():
        group = int(odd.argmax())
        at = last[starts[group]]
        raise DataError(
            f"{path} has bars of {step / MINUTE_NS:g} minutes, but {rows.symbols[name[at]]} on "
            f"{moment(int(ts[at])).date()} has bars of {shortest[group] / MINUTE_NS:g}. "
            "Resample them to one length."
        )


def _lay_out(
    rows: Rows, sessions: tuple[Session, ...], step: int
) -> tuple[dict[date, DayBars], Bools]:
    """One dense table a session, and which symbols (n,) are in any."""
    place, row = place_in_sessions(rows, sessions, step)
    note_silent_sessions(rows, sessions, place)
    columns = {name: rows.values[name] for name in (*PRICES, "volume")}
    columns["quoted"] = half_quotes(rows)
    n = len(rows.symbols)
    bars = [round(session.minutes * MINUTE_NS) // step for session in sessions]
    days = {
        sessions[p].day: _dense(columns, place == p, row, rows.name, (bars[p], n))
        for p in np.unique(place).tolist()
    }
    return days, np.bincount(rows.name, minlength=n) > 0


def _dense(
    columns: dict[str, Floats], mine: Bools, row: Ints, name: Ints, shape: tuple[int, int]
) -> DayBars:
    where = row[mine], name[mine]

    def table(values: Floats) -> Floats:
        dense = np.full(shape, np.nan)
        dense[where] = values[mine]
        dense.flags.writeable = False
        return dense

    return DayBars(**{key: table(values) for key, values in columns.items()})


def _refuse_unknown_market(
    market: str, symbols: tuple[str, ...], traded: Bools, path: Path
) -> None:
    if not market or (market in symbols and traded[symbols.index(market)]):
        return
    near = difflib.get_close_matches(market, symbols, n=1)
    hint = f" Did you mean {near[0]}?" if near and near[0] != market else ""
    raise MissingError(
        f"market symbol {market} has no usable bars in {path}.{hint} Add them, or leave market "
        "empty: then no betas are estimated."
    )
