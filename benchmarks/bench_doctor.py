"""What the examination costs beside reading a bars file, and what it says of clean ones.

    python benchmarks/bench_doctor.py [FILE.parquet ...]

Files given are read with and without the examination of their laid-out bars; the ratio is of
processor times within this run. Without files, simulated bars are. False alarms are counted over
simulated markets of many seeds: 100 names, 30 sessions each.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path
from time import process_time
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from machine import keep
from rich.console import Console
from rich.table import Table

from deadband.core.config import Settings
from deadband.core.session import session_on
from deadband.feeds import files
from deadband.feeds.doctor.examine import examine
from deadband.feeds.simulated import simulated_market
from deadband.feeds.tape import BarTape

NAMES, DAYS = 100, 30
SEEDS = range(20)
ROUNDS = 5


def tape(seed: int) -> BarTape:
    return simulated_market(Settings(), seed, names=NAMES, days=DAYS - 5).tape


def write(market: BarTape, path: Path) -> None:
    """The tape as a bars file."""
    columns: dict[str, list[np.ndarray]] = {}
    for day, bars in market.days.items():
        session = session_on(day)
        assert session is not None
        starts = session.open.timestamp() + np.arange(len(bars.close)) * market.bar_min * 60
        cells = {name: getattr(bars, name).ravel() for name in files.PRICES}
        cells["volume"] = bars.volume.ravel()
        cells["ts"] = np.repeat((starts * 1e9).astype(np.int64), NAMES)
        cells["symbol"] = np.tile(np.array(market.universe.symbols), len(starts))
        for name, values in cells.items():
            columns.setdefault(name, []).append(values)
    table = pa.table({name: np.concatenate(parts) for name, parts in columns.items()})
    stamps = table["ts"].cast(pa.timestamp("ns", tz="UTC"))
    pq.write_table(table.set_column(table.column_names.index("ts"), "ts", stamps), path)


def seconds(path: Path) -> float:
    """The quickest of some readings, seconds of processor time."""
    times = []
    for _ in range(ROUNDS):
        started = process_time()
        files.examine_bars(path)
        times.append(process_time() - started)
    return min(times)


def measured(path: Path) -> dict[str, object]:
    examined = seconds(path)
    with patch.object(files, "examine", lambda *_: ()):
        read = seconds(path)
    found = [f"{each.ailment}: {each.count}" for each in files.examine_bars(path).findings]
    return {"read_s": read, "examined_s": examined, "ratio": examined / read, "found": found}


def main(paths: list[str]) -> None:
    alarms: Counter[str] = Counter()
    for seed in SEEDS:
        market = tape(seed)
        found = examine(market.universe.symbols, market.bar_min, market.days)
        alarms.update(str(each.ailment) for each in found)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "simulated.parquet"
        write(tape(7), path)
        each = {path.name: measured(path)}
    each |= {"/".join(Path(given).parts[-2:]): measured(Path(given)) for given in paths}
    console = Console()
    table = Table("file", "read s", "examined s", "ratio", "found")
    for name, of in each.items():
        figures = (f"{of[key]:.2f}" for key in ("read_s", "examined_s", "ratio"))
        table.add_row(name, *figures, "\n".join(of["found"]) or "nothing")
    console.print(table)
    name_sessions = len(SEEDS) * NAMES * DAYS
    console.print(
        f"false alarms in {name_sessions} simulated name-sessions: {sum(alarms.values())}"
    )
    result = {"false_alarms": dict(alarms), "simulated_name_sessions": name_sessions, "files": each}
    console.print(f"kept in {keep('doctor', result)}")


if __name__ == "__main__":
    main(sys.argv[1:])
