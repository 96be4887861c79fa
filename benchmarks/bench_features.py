"""What features and the reference zoo cost beside the cycle they are for, within one run.

A full cycle is that of bench_cycle.py: gather, step, broker, fold, and where it is journaled the
record made durable. CPU time: beside other work, wall time would flatter what is short.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from time import process_time

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

from deadband import cycle
from deadband.backtest.run import Run
from deadband.brokers.sim import SimBroker
from deadband.core.config import Settings
from deadband.feeds.simulated import simulated_market
from deadband.journal.store import JournalWriter, NoJournal
from deadband.models.reference import REFERENCE_ZOO

NAMES = (300, 3000)
DAYS = 2
"""Sessions run; the features have seen one more before them."""
NEEDS = tuple(dict.fromkeys(need for model in REFERENCE_ZOO for need in model.needs))


@dataclass(slots=True)
class Clock:
    """CPU milliseconds of each part, cycle by cycle, one measured right after the other."""

    cycle: list[float] = field(default_factory=list)
    features: list[float] = field(default_factory=list)
    zoo: list[float] = field(default_factory=list)


def timed(names: int, journal: NoJournal | JournalWriter) -> Clock:
    """A run whose every bar is also observed, read for the zoo and scored by it."""
    settings, clock = Settings(), Clock()
    market = simulated_market(settings, seed=7, names=names, days=DAYS)
    tape = market.tape
    broker = SimBroker(tape.universe, settings.execution, settings.costs, tape.shortable)
    run = Run(settings, tape, market.scores, broker, journal)
    run.open(market.sessions[0].open)
    state = cycle.first_features(tape.universe, tape.bar_min, NEEDS)
    before = tape.day(tape.sessions()[-DAYS - 1])
    for k in range(1, len(before) + 1):
        state = cycle.observe(state, before.bar(k), before.session)
    for session in market.sessions:
        day = tape.day(session)
        for k in range(1, len(day) + 1):
            started = process_time()
            run.bar(day, k)
            cycled = process_time()
            state = cycle.observe(state, day.bar(k), session)
            features = cycle.read(state, NEEDS)
            told = process_time()
            for model in REFERENCE_ZOO:
                model.score(features)
            clock.cycle.append((cycled - started) * 1e3)
            clock.features.append((told - cycled) * 1e3)
            clock.zoo.append((process_time() - told) * 1e3)
    return clock


def shares(clock: Clock) -> dict[str, float]:
    """Medians of a bar, ms, and what they are of the cycle's; means count its worst bars too."""
    cycle_ms, features_ms, zoo_ms = (
        float(np.median(laps)) for laps in (clock.cycle, clock.features, clock.zoo)
    )
    return {
        "cycle_ms": cycle_ms,
        "features_ms": features_ms,
        "zoo_ms": zoo_ms,
        "features_share": features_ms / cycle_ms,
        "features_share_of_means": float(np.mean(clock.features) / np.mean(clock.cycle)),
        "zoo_share": zoo_ms / cycle_ms,
    }


def main() -> None:
    console, results = Console(), {}
    table = Table(
        "names", "full cycle", "ms", "features ms", "share", "of means", "zoo ms", "share"
    )
    for names in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            with JournalWriter(Path(folder) / "journal.db") as journal:
                journaled = shares(timed(names, journal))
        result = {"journaled": journaled, "without a journal": shares(timed(names, NoJournal()))}
        results[str(names)] = result
        for kind, one in result.items():
            table.add_row(
                f"{names}",
                kind,
                f"{one['cycle_ms']:.2f}",
                f"{one['features_ms']:.3f}",
                f"{one['features_share']:.1%}",
                f"{one['features_share_of_means']:.1%}",
                f"{one['zoo_ms']:.3f}",
                f"{one['zoo_share']:.1%}",
            )
    console.print(table)
    console.print(f"kept in {keep('features', results)}")


if __name__ == "__main__":
    main()
