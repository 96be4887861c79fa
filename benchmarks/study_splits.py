"""How well splits are told from prices alone, against a file that knows the true ratios.

    python benchmarks/study_splits.py us1000_daily.parquet

The file has date, symbol, open, close and `adj_ratio_next_day`: the price ratio of the next
session, 1 where nothing happened; dividends are in it too, as ratios just under 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from deadband.core.corporate_action import ORDINARY, split_ratio

CLOSE_TO = 0.02
"""Found and true ratio agree when they are within this of each other."""


def nights(path: Path) -> pd.DataFrame:
    """One row a name and night: prior close, open, true ratio (new shares per old), found ratio."""
    frame = pd.read_parquet(path).sort_values(["symbol", "date"])
    by_name = frame.groupby("symbol", sort=False)
    frame["prior"] = by_name.close.shift()
    frame["true"] = 1.0 / by_name.adj_ratio_next_day.shift().fillna(1.0)
    frame = frame.dropna(subset=["prior", "open"]).copy()
    found = [
        pd.Series(split_ratio(day.prior.to_numpy(), day.open.to_numpy()), index=day.index)
        for _, day in frame.groupby("date")
    ]
    frame["found"] = pd.concat(found)
    return frame


def scored(frame: pd.DataFrame) -> dict[str, float]:
    """Counts, precision and recall of ratios that no ordinary night reaches."""
    large = np.abs(np.log(frame.true)) >= ORDINARY
    found = frame.found != 1.0
    right = found & large & (np.abs(frame.found / frame.true - 1.0) <= CLOSE_TO)
    gone = np.abs(np.log(frame.open * frame.true / frame.prior)) > np.log(2.0)
    return {
        "nights": len(frame),
        "true": int(large.sum()),
        "found": int(found.sum()),
        "right": int(right.sum()),
        "precision": float(right.sum() / max(found.sum(), 1)),
        "recall": float(right.sum() / max(large.sum(), 1)),
        "moved by half beside the ratio": int(gone.sum()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    frame = nights(parser.parse_args().file)
    console, table = Console(), Table("what", "value")
    for name, value in scored(frame).items():
        table.add_row(name, f"{value:.3f}" if isinstance(value, float) else f"{value:,}")
    console.print(table)
    large = np.abs(np.log(frame.true)) >= ORDINARY
    wrong = frame[
        (large | (frame.found != 1.0)) & (np.abs(frame.found / frame.true - 1) > CLOSE_TO)
    ]
    table = Table("missed or wrong", "date", "prior close", "open", "true", "found")
    for row in wrong.itertuples():
        numbers = (f"{x:.4g}" for x in (row.prior, row.open, row.true, row.found))
        table.add_row(str(row.symbol), str(row.date)[:10], *numbers)
    console.print(table)


if __name__ == "__main__":
    main()
