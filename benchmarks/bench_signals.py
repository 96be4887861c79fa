"""What six models of three horizons cost a cycle at N = 300, in time and in the journal.

    python benchmarks/bench_signals.py

Two simulated sessions, run with the six models and with one of them. In nearly all of their cycles
votes are cast or looked at; a quiet one is the same cycle once more, when that is done.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from time import perf_counter

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

from deadband import cycle
from deadband.backtest.run import Run
from deadband.brokers.sim import SimBroker
from deadband.core.config import Settings
from deadband.core.seen import Scores
from deadband.core.types import CycleRecord
from deadband.feeds.simulated import SimulatedMarket, simulated_market
from deadband.journal.store import JournalWriter

NAMES, DAYS = 300, 2
MODELS = tuple(f"model {k}" for k in range(6))
HORIZONS = (15.0, 15.0, 30.0, 30.0, 120.0, 120.0)


@dataclass
class Zoo:
    """Models that see the simulated score through noise of their own."""

    market: SimulatedMarket
    models: int

    def at(self, now: datetime) -> Scores:
        told = self.market.scores.at(now)
        # Noise that lasts as long as the score it is laid on.
        made = int(now.timestamp()) - int(told.age_s.min())
        noise = np.random.default_rng(made).normal(size=(self.models, NAMES))
        rows = (self.models, 1)
        return Scores(
            universe=told.universe,
            models=MODELS[: self.models],
            unit=("z",) * self.models,
            horizon_min=HORIZONS[: self.models],
            value=np.where(told.defect == 0, told.value + noise, 0.0),
            age_s=np.tile(told.age_s, rows),
            defect=np.tile(told.defect, rows),
        )


@dataclass
class Laps:
    """Milliseconds of the signals room and of whole steps."""

    signals: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)

    @contextmanager
    def lap(self, room: str) -> Iterator[None]:
        started = perf_counter()
        yield
        if room == "signals":
            self.signals.append((perf_counter() - started) * 1e3)


def measured(models: int) -> dict[str, float]:
    """Median milliseconds and mean journal bytes of a cycle."""
    settings = Settings()
    market = simulated_market(settings, seed=7, names=NAMES, days=DAYS)
    records: list[CycleRecord] = []
    broker = SimBroker(
        market.tape.universe, settings.execution, settings.costs, market.tape.shortable
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        with JournalWriter(path) as journal:
            run = Run(settings, market.tape, Zoo(market, models), broker, journal)
            run.over(market.sessions, records.append)
        size = path.stat().st_size / len(records)
    busy, quiet = Laps(), Laps()
    for record in records:
        for laps, skill in ((busy, record.state.skill), (quiet, record.signal.skill)):
            state = replace(record.state, skill=skill)
            started = perf_counter()
            cycle.step(settings, state, record.seen, laps)
            laps.step.append((perf_counter() - started) * 1e3)
    return {
        "quiet signals, ms": float(np.median(quiet.signals)),
        "busy signals, ms": float(np.median(busy.signals)),
        "whole step, ms": float(np.median(busy.step)),
        "journal, bytes a cycle": float(size),
    }


def main() -> None:
    result = {"one model": measured(1), "six models": measured(6)}
    table = Table(f"N = {NAMES}", *result)
    for what in result["one model"]:
        table.add_row(what, *(f"{one[what]:.4g}" for one in result.values()))
    console = Console()
    console.print(table)
    console.print(f"kept in {keep('signals', result)}")


if __name__ == "__main__":
    main()
