"""A small market written to files: eight names, six sessions, and what a run over them said."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from deadband.backtest.ledger import Ledger, read_ledger
from deadband.backtest.start import Prepared, drive, prepare_files
from deadband.core.config import DataSettings, Settings
from deadband.core.ports import Finding
from deadband.core.session import session_on
from deadband.core.types import CycleRecord

from . import inputs

NAMES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")
DAYS = tuple(date.fromisoformat(f"2026-03-{day:02d}") for day in (2, 3, 4, 5, 6, 9))
"""Six sessions in a row, the last after the clocks went forward; the first three are history."""
BUSY: dict[str, Any] = {
    "K": 4,
    "K_buy": 3,
    "K_sell": 5,
    "portfolio_drift_threshold": 0.002,
    "name_drift_threshold": 0.001,
    "lambda_risk": 1.0,
    "max_turnover": 0.4,
    "max_turnover_per_name": 0.1,
}
"""Limits under which eight names trade every day."""


def bars(
    names: Iterable[str] = NAMES,
    days: Iterable[date] = DAYS,
    bar_min: int = 30,
    seed: int = 1,
) -> pd.DataFrame:
    """Clean bars of whole sessions: 20 to 200 dollars, 100 million dollars a day and more."""
    rng = np.random.default_rng(seed)
    tables = []
    for symbol in names:
        close = rng.uniform(20, 200)
        for day in days:
            session = session_on(day)
            assert session is not None, f"{day} has no session"
            ts = pd.date_range(session.open, session.close, freq=f"{bar_min}min", inclusive="left")
            returns = rng.normal(0, 0.0025, len(ts))
            closes = close * np.cumprod(1 + returns)
            opens = np.concatenate([[close], closes[:-1]])
            reach = 1 + np.abs(rng.normal(0, 0.001, (2, len(ts))))
            tables.append(
                pd.DataFrame(
                    {
                        "ts": ts.as_unit("ns"),
                        "symbol": symbol,
                        "open": opens,
                        "high": np.maximum(opens, closes) * reach[0],
                        "low": np.minimum(opens, closes) / reach[1],
                        "close": closes,
                        "volume": rng.integers(2, 6, len(ts)) * 1e8 / close / len(ts),
                    }
                )
            )
            close = closes[-1]
    prices = pd.concat(tables, ignore_index=True)
    return prices.round({"open": 2, "high": 2, "low": 2, "close": 2, "volume": 0})


def scores(
    names: Iterable[str] = NAMES,
    days: Iterable[date] = DAYS,
    every_min: int = 30,
    seed: int = 2,
) -> pd.DataFrame:
    """Random z scores, stated from half an hour after each open on."""
    rng = np.random.default_rng(seed)
    tables = []
    for day in days:
        session = session_on(day)
        assert session is not None, f"{day} has no session"
        asof = pd.date_range(session.open, session.close, freq=f"{every_min}min")[1:]
        for symbol in names:
            z = rng.normal(0, 1.5, len(asof))
            tables.append(pd.DataFrame({"asof": asof.as_unit("ns"), "symbol": symbol, "z": z}))
    return pd.concat(tables, ignore_index=True)


def at(day: date, hhmm: str) -> pd.Timestamp:
    """The UTC instant at which New York clocks show `hhmm`."""
    return pd.Timestamp(inputs.clock(hhmm, day.isoformat()))


def between(table: pd.DataFrame, day: date, first: str, last: str) -> "pd.Series[bool]":
    """Rows that start at or after `first` and before `last`, New York clock."""
    column = "ts" if "ts" in table.columns else "asof"
    mask: pd.Series[bool] = (table[column] >= at(day, first)) & (table[column] < at(day, last))
    return mask


def written(
    folder: Path,
    bars: pd.DataFrame,
    scores: pd.DataFrame,
    **given: Any,
) -> Settings:
    """Settings whose data are these tables, written to `folder`; `given` as in kit.settings."""
    folder.mkdir(parents=True, exist_ok=True)
    bars.to_parquet(folder / "bars.parquet", index=False)
    scores.to_parquet(folder / "scores.parquet", index=False)
    data = {
        "bars": str(folder / "bars.parquet"),
        "scores": str(folder / "scores.parquet"),
        "score_column": "z",
        "score_unit": "z",
    }
    return inputs.settings(**(BUSY | data | given))


def brief(finding: Finding) -> str:
    """A finding without its prose: name, count and example."""
    return f"{finding.ailment}: {finding.count} ({finding.example})"


@dataclass(frozen=True)
class Ran:
    """A run over files: what was prepared, every cycle's record, and the books."""

    prepared: Prepared
    records: list[CycleRecord]
    ledger: Ledger
    journal: Path

    @property
    def found(self) -> tuple[str, ...]:
        """What was found in the data, in brief."""
        return tuple(brief(finding) for finding in self.prepared.tape.findings)

    def finding(self, ailment: str) -> str:
        """The one finding of that name."""
        (found,) = [text for text in self.found if text.startswith(ailment)]
        return found

    def column(self, symbol: str) -> int:
        return self.prepared.tape.universe.index[symbol]

    def shares(self, symbol: str) -> list[int]:
        """What is held of a name at the start of each cycle."""
        name = self.column(symbol)
        return [int(record.seen.portfolio.shares[name]) for record in self.records]

    def ordered(self, *symbols: str) -> list[str]:
        """When each order in one of the symbols (any, if none is named) was decided."""
        return [
            f"{order.symbol} {record.seen.now:%m-%d %H:%M}"
            for record in self.records
            for order in record.plan.orders
            if not symbols or order.symbol in symbols
        ]

    def spoken(self, record: CycleRecord) -> set[str]:
        return {str(reason.code) for reason in record.decision.spoken}

    def assert_books_close(self) -> None:
        summary = self.ledger.summary()
        assert summary["statements"] == len(self.prepared.sessions)
        assert summary["statements_agree"] == summary["statements"]
        assert summary["nav_off_by_a_cent"] == 0
        assert summary["limit_breaches"] == 0, summary["breaches_by_limit"]
        assert summary["complete"]


def run(settings: Settings, journal: Path, first: date = DAYS[3], last: date = DAYS[-1]) -> Ran:
    """Prepare and drive the sessions from `first` to `last`."""
    prepared = prepare_files(settings, first, last)
    return ran(prepared, journal)


def ran(prepared: Prepared, journal: Path) -> Ran:
    records: list[CycleRecord] = []
    drive(prepared, journal, records.append)
    return Ran(prepared, records, read_ledger(journal), journal)


def with_data(settings: Settings, **given: Any) -> Settings:
    """The same settings with fields of [data] replaced."""
    data: DataSettings = replace(settings.data, **given)
    return replace(settings, data=data)
