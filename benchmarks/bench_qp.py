"""The exact engine's whole façade call against solvers and portfolio libraries, in one run.

1. All are asked for the same program from the same book, in blocks of cycles and an order that
   turns, so that they see the same machine (race.py). The first cycle warms up and is not counted.
2. Times are CPU time of the one thread that all have: on a shared machine the clock on the wall
   would count other programs against whoever takes longest. Wall times are kept beside them.
3. A time stands beside its gap to the best known value and its worst violation of a limit. The best
   known value is the best of all answers inside the limits, one of PIQP's at 1e-10 with them; dual
   bounds of PIQP and Clarabel say how good it can be at most. A gap is relative to |U|, positive
   where value was left; below zero it was had by passing a limit.
4. The next book is the façade's answer (another's where that breaks a limit), drifted. Each solver
   has a time to spend in each cell and stops there; one foreseen to take too long for one solve is
   not started.

    python benchmarks/bench_qp.py          N = 50 to 300 and one of 1,000, 4 minutes
    python benchmarks/bench_qp.py --full   everything, 45 minutes
"""

from __future__ import annotations

import argparse
import gc
import warnings
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from time import perf_counter
from typing import Any

from instances import NEVER, REGIMES
from machine import keep
from race import OURS, Cell, Race
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

GROWTH = {"dense": 3.0, "factor": 1.3}
"""Power of N by which a solver's next time is foreseen, apart from its overhead."""
OVERHEAD, WORK = 0.15, 0.2
"""Seconds of a solve that do not grow with N, and the least share of it that does."""
PACKAGES = (
    *("deadband", "numpy", "scipy", "piqp", "clarabel", "osqp", "qoco", "cvxpy", "pandas"),
    *("pyportfolioopt", "skfolio", "riskfolio-lib", "cvxportfolio"),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: cycles in each cell, and seconds after which no cell is begun.

    A solver that took more than `slow` seconds for a solve is not asked twice.
    """

    name: str
    cells: tuple[Cell, ...]
    cycles: int
    seconds: float
    slow: float


ALSO = ("long", "free")
OTHERS = tuple(regime for regime in REGIMES if regime != "capped")
SHORT = Plan(
    "qp_short",
    (
        *(Cell(n, "dense", "capped", 0.6, 3.0) for n in (50, 100)),
        Cell(300, "dense", "capped", 1.2, 5.0),
        Cell(300, "factor", "capped", 0.8, 3.0),
        Cell(1000, "dense", "capped", 1.2, 6.0),
        *(Cell(n, "dense", regime, 0.6, 3.0) for n in (50, 100) for regime in ALSO),
        *(Cell(300, "dense", regime, 1.2, 5.0) for regime in ALSO),
    ),
    cycles=30,
    seconds=200.0,
    slow=6.0,
)
FULL = Plan(
    "qp",
    (
        *(Cell(n, "dense", regime, 3.0, 10.0) for n in (50, 100, 300) for regime in REGIMES),
        *(Cell(n, "factor", regime, 3.0, 10.0) for n in (300, 1000) for regime in REGIMES),
        Cell(1000, "dense", "capped", 5.0, 100.0),
        *(Cell(n, "factor", "capped", 3.0, 20.0) for n in (3000, 10_000)),
        Cell(3000, "dense", "capped", 5.0, 150.0),
        *(Cell(1000, "dense", regime, 3.0, 6.0) for regime in OTHERS),
        *(Cell(n, "factor", regime, 3.0, 6.0) for n in (3000, 10_000) for regime in OTHERS),
        *(Cell(3000, "dense", regime, 3.0, 6.0) for regime in OTHERS),
    ),
    cycles=50,
    seconds=2_550.0,
    slow=20.0,
)


def foresee(rows: list[dict[str, Any]], cell: Cell) -> dict[str, float]:
    """Seconds that each solver will likely take for one solve, from the next smaller size."""
    found: dict[str, tuple[int, float]] = {}
    for row in rows:
        alike = row["form"] == cell.form and row["regime"] == cell.regime
        if alike and "p50_ms" in row and row["n"] <= cell.n:
            took = row["longest_ms"] / 1e3
            growing = max(took - OVERHEAD, WORK * took)
            seconds = took + growing * ((cell.n / row["n"]) ** GROWTH[cell.form] - 1.0)
            found[row["who"]] = max(found.get(row["who"], (0, 0.0)), (row["n"], seconds))
        elif alike and str(row.get("absent", "")).startswith("not run"):
            found[row["who"]] = (row["n"], NEVER)
    return {who: seconds for who, (_, seconds) in found.items()}


def show(console: Console, cell: Cell, rows: list[dict[str, Any]]) -> None:
    heads = ("p50 ms", "p99", "max", "× ours", "gap", "violation", "cycles")
    table = Table("", *heads, "", title=str(cell), title_justify="left")
    said, absent = {}, {}
    for row in rows:
        if "absent" in row:
            absent[row["who"]] = row["absent"]
            continue
        if row["states"] != "everything":
            said[row["who"]] = row["states"]
        notes = [f"{row['failed']} failed"] if row["failed"] else []
        notes += [f"{count} {method}" for method, count in row.get("methods", {}).items()]
        table.add_row(
            row["who"],
            *(f"{row[key]:,.2f}" for key in ("p50_ms", "p99_ms", "max_ms")),
            f"{row['ratio']:,.1f}",
            *("" if row[key] is None else f"{row[key]:.0e}" for key in ("gap", "violation")),
            str(row["cycles"]),
            "; ".join(notes),
        )
    console.print(table)
    for who, what in (said | absent).items():
        console.print(f"  {who}: {what}", highlight=False, style="dim", markup=False)


def versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def run(plan: Plan, console: Console) -> None:
    deadline = perf_counter() + plan.seconds
    rows: list[dict[str, Any]] = []
    left_out = []
    for cell in plan.cells:
        foreseen = foresee(rows, cell)
        if perf_counter() > deadline or foreseen.get(OURS, 0.0) > cell.longest:
            left_out.append(str(cell))
            continue
        race = Race(cell, plan.cycles, plan.slow, foreseen)
        race.run(deadline)
        found = race.rows()
        rows += found
        show(console, cell, found)
        del race
        gc.collect()
    if left_out:
        console.print(f"left out for want of time: {'; '.join(left_out)}")
    result = {"versions": versions(), "threads": 1, "rows": rows, "left_out": left_out}
    console.print(f"kept in {keep(plan.name, result)}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="everything, 45 minutes")
    parser.add_argument("--only", default="", help="cells whose name holds this, such as 'N = 300'")
    asked = parser.parse_args(arguments)
    plan = FULL if asked.full else SHORT
    if asked.only:
        cells = tuple(cell for cell in plan.cells if asked.only in str(cell))
        plan = replace(plan, name=f"{plan.name}_part", cells=cells)
    # Rivals' warnings (inaccurate answers, deprecations) show as gaps and violations.
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        run(plan, Console())


if __name__ == "__main__":
    main()
