"""The simulated market as a file of bars, to be spoiled, and what is then found wrong with it."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from deadband.core.config import Settings
from deadband.core.session import session_on
from deadband.feeds.files import examine_bars
from deadband.feeds.simulated import simulated_market

from .files import brief

SEED = 7
COLUMNS = ("open", "high", "low", "close", "volume")
Spoil = Callable[[pd.DataFrame], pd.DataFrame]


@cache
def _clean(names: int, days: int) -> pd.DataFrame:
    tape = simulated_market(Settings(), SEED, names=names, days=days - 5).tape
    symbols = np.array(tape.universe.symbols)
    tables = []
    for day, bars in tape.days.items():
        session = session_on(day)
        assert session is not None
        step = pd.Timedelta(minutes=tape.bar_min)
        starts = pd.date_range(session.open, session.close, freq=step, inclusive="left")
        table = {name: getattr(bars, name).ravel() for name in COLUMNS}
        stamps = {
            "ts": np.repeat(starts.as_unit("ns"), names),
            "symbol": np.tile(symbols, len(starts)),
        }
        tables.append(pd.DataFrame(stamps | table))
    return pd.concat(tables, ignore_index=True)


def clean(names: int = 20, days: int = 15) -> pd.DataFrame:
    """Bars of 5 minutes of SIM001 and others, from 2026-03-02 on, over a change of clocks."""
    return _clean(names, days).copy()


def found(folder: Path, frame: pd.DataFrame, now: datetime | None = None) -> list[str]:
    """What is found wrong with these bars, in brief, the worst first."""
    path = folder / "bars.parquet"
    frame.to_parquet(path, index=False)
    return [brief(finding) for finding in examine_bars(path, now).findings]


def nth(frame: pd.DataFrame, day: int) -> date:
    """A day of the file by its number, the first being 0."""
    days = sorted(frame.ts.dt.tz_convert("America/New_York").dt.date.unique())
    each: date = days[day]
    return each


def on(frame: pd.DataFrame, first: int, last: int | None = None) -> "pd.Series[bool]":
    """Rows of the days numbered `first` to `last`, both included."""
    local = frame.ts.dt.tz_convert("America/New_York").dt.date
    mask: pd.Series[bool] = (local >= nth(frame, first)) & (
        local <= nth(frame, first if last is None else last)
    )
    return mask


def clock(frame: pd.DataFrame) -> "pd.Series[str]":
    """Start of each bar on New York clocks, as 09:30."""
    text: pd.Series[str] = frame.ts.dt.tz_convert("America/New_York").dt.strftime("%H:%M")
    return text


def hours(count: float) -> timedelta:
    return pd.Timedelta(hours=count)
