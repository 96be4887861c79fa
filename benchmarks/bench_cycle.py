"""Full cycles per second at N = 300: gather, step, broker and fold, with and without a journal."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter

from machine import keep
from rich.console import Console
from rich.table import Table

from deadband.backtest.run import Run
from deadband.brokers.sim import SimBroker
from deadband.core.config import Settings
from deadband.feeds.simulated import simulated_market
from deadband.journal.store import JournalReader, JournalWriter, NoJournal

NAMES = 300
ROUNDS = 3


def one_day(journal: NoJournal | JournalWriter) -> float:
    """Seconds for a simulated session of 78 cycles, the market made beforehand."""
    settings = Settings()
    market = simulated_market(settings, seed=7, names=NAMES)
    broker = SimBroker(
        market.tape.universe, settings.execution, settings.costs, market.tape.shortable
    )
    run = Run(settings, market.tape, market.scores, broker, journal)
    started = perf_counter()
    run.over(market.sessions, lambda _: None)
    return perf_counter() - started


def main() -> None:
    console = Console()
    plain, written, laps = [], [], {}
    cycles = 78
    for _ in range(ROUNDS):
        plain.append(one_day(NoJournal()))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "journal.db"
            with JournalWriter(path) as journal:
                written.append(one_day(journal))
            with JournalReader(path) as reader:
                for room, ms in reader.laps():
                    laps[room] = laps.get(room, 0.0) + ms / cycles / ROUNDS
    result = {
        "names": NAMES,
        "cycles_per_second": cycles / min(plain),
        "cycles_per_second_journaled": cycles / min(written),
        "ms_by_room": laps,
    }
    table = Table("full cycles at N = 300", "cycles / s")
    table.add_row("without a journal", f"{result['cycles_per_second']:.0f}")
    table.add_row("journaled, durable each cycle", f"{result['cycles_per_second_journaled']:.0f}")
    console.print(table)
    table = Table("room", "ms a cycle")
    for room, ms in sorted(laps.items(), key=lambda lap: -lap[1]):
        table.add_row(room, f"{ms:.2f}")
    console.print(table)
    console.print(f"kept in {keep('cycle', result)}")


if __name__ == "__main__":
    main()
