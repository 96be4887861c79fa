"""Bars from a tidy Parquet or CSV file, cleaned with a name for everything that is left out."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from ..core.arrays import Bools, Floats, Ints
from ..core.config import Settings
from ..core.errors import DataError, MissingError
from ..core.ports import Finding
from ..core.seen import Universe
from ..core.session import Session, sessions_between
from ..core.session_table import FIRST_DAY, LAST_DAY
from .doctor.copies import drop_doubles
from .doctor.examine import examine, worst_first
from .doctor.placing import note_silent_sessions, place_in_sessions
from .doctor.rows import HOUR_NS, MINUTE_NS, PRICES, QUOTES, Grid, Rows, moment
from .doctor.truth import drop_future, drop_impossible, half_quotes
from .doctor.volume import drop_filled
from .table import floats, labels, read_table, utc_nanoseconds
from .tape import BarTape, DayBars
from .universe import Listing

HALF_HOUR_NS = 30 * MINUTE_NS
"""What divides the length of every session: 390 minutes, and 210 on a half-day."""
EVEN_BARS = 10
"""Equal distances all day that are no chance gaps."""


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """Bars as laid out, which symbols (n,) have any, and everything found wrong with them."""

    path: Path
    symbols: tuple[str, ...]
    bar_min: float
    days: Mapping[date, DayBars]
    present: Bools
    findings: tuple[Finding, ...]


def bar_tape(
    path: Path, listing: Listing, settings: Settings, now: datetime | None = None
) -> BarTape:
    """Read, examine and lay out a bars file: ts (UTC bar start), symbol, OHLCV, optional bid, ask.

    Raises DataError where nothing usable is left or bars of one file have several lengths, and
    MissingError where the market symbol of the settings has no bars. Findings of severity error
    are left to the caller, who knows what the user accepts.
    """
    bars = examine_bars(path, now)
    if not bars.days:
        listed = "; ".join(map(str, bars.findings))
        raise DataError(f"{path} has no bar inside any session ({listed}).")
    market = settings.data.market
    _refuse_unknown_market(market, bars)
    universe = Universe.of(bars.symbols, listing.sectors, frozenset({market} - {""}))
    return BarTape(
        universe=universe,
        bar_min=bars.bar_min,
        days=bars.days,
        market=market,
        risk=settings.risk,
        costs=settings.costs,
        shortable=~universe.mask(listing.not_shortable),
        findings=bars.findings,
    )


def examine_bars(path: Path, now: datetime | None = None) -> Examined:
    """Read, examine and lay out a bars file, whatever is found; rows after `now` are left out.

    Raises DataError where the file cannot be read as bars of one length.
    """
    rows = _read(path)
    drop_future(rows, now)
    if not len(rows.ts):
        raise DataError(f"{path} has only rows after {now}. Check the zone of ts, and the clock.")
    grid = Grid(_sessions(rows, path), _bar_length(rows, path))
    drop_impossible(rows)
    bar_min = grid.step / MINUTE_NS
    days = _lay_out(rows, grid) if len(rows.ts) else {}
    found = [*rows.findings, *(examine(rows.symbols, bar_min, days) if days else ())]
    present = np.bincount(rows.name, minlength=len(rows.symbols)) > 0
    return Examined(path, rows.symbols, bar_min, days, present, worst_first(found))


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


def _lay_out(rows: Rows, grid: Grid) -> dict[date, DayBars]:
    """One dense table a session; rows without a place in one are left out."""
    placed = drop_doubles(rows, drop_filled(rows, place_in_sessions(rows, grid)))
    note_silent_sessions(rows, grid, placed.session)
    columns = {name: rows.values[name] for name in (*PRICES, "volume")}
    columns["quoted"] = half_quotes(rows)
    used = np.unique(placed.session)
    lengths = np.array([len(grid.starts(p)) for p in used.tolist()], dtype=np.int64)
    ends = np.cumsum(lengths)
    begins = ends - lengths
    row = begins[np.searchsorted(used, placed.session)] + placed.bar
    # All days are filled in at once and cut apart afterwards: a table a day would cost a pass each.
    shape = int(lengths.sum()), len(rows.symbols)
    tables = {name: _dense(column, row, rows.name, shape) for name, column in columns.items()}
    return {
        grid.sessions[p].day: DayBars(**{name: t[begin:end] for name, t in tables.items()})
        for p, begin, end in zip(used.tolist(), begins.tolist(), ends.tolist(), strict=True)
    }


def _dense(values: Floats, row: Ints, name: Ints, shape: tuple[int, int]) -> Floats:
    dense = np.full(shape, np.nan)
    dense[row, name] = values
    dense.flags.writeable = False
    return dense


def _refuse_unknown_market(market: str, bars: Examined) -> None:
    if not market or (market in bars.symbols and bars.present[bars.symbols.index(market)]):
        return
    near = difflib.get_close_matches(market, bars.symbols, n=1)
    hint = f" Did you mean {near[0]}?" if near and near[0] != market else ""
    raise MissingError(
        f"market symbol {market} has no usable bars in {bars.path}.{hint} Add them, or leave "
        "market empty: then no betas are estimated."
    )
