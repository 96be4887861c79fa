"""The proof by fault injection: thousands of seeded ordeals of the order path, counted.

    make torture                                  10,000 seeds, every boundary, and real kills
    python -m benchmarks.torture --seed 4711      one seed again, with all that it holds

A seed that fails prints the command that repeats it. Results go to benchmarks/results/torture.json.
"""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.kit.death import Death
from tests.kit.killed import Killings, kill_often
from tests.kit.torture import Outcome, draw, torment
from tests.kit.torture.boundaries import crossings, deaths, die
from tests.kit.torture.schedule import NEVER_DRAWN

from .machine import machine

BATCH = 20
KILLS_A_DAY = 20
MOST_CPU_S = 120.0
"""Seconds of processor for one seed beyond which it runs in a circle."""
RESULT = Path(__file__).parent / "results" / "torture.json"


@dataclass(slots=True)
class Total:
    """All seeds together; `failures` by seed, what did not hold."""

    seeds: int = 0
    lives: int = 0
    failed_starts: int = 0
    cycles: int = 0
    records: int = 0
    orders: int = 0
    fills: int = 0
    deaths: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, one: Outcome) -> None:
        self.seeds += 1
        for name in ("lives", "failed_starts", "cycles", "records", "orders", "fills"):
            setattr(self, name, getattr(self, name) + getattr(one, name))
        self.deaths += one.deaths
        self.faults += one.faults
        self.acts += one.acts
        if one.failure:
            self.failures[one.seed] = one.failure


def folder_in_memory() -> Path | None:
    """Where files need no disk; the journal is written and synced there all the same."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else None


def one_seed(seed: int) -> Outcome:
    """Torment one seed in a folder of its own; whatever escapes is its failure."""

    def too_long(*_: object) -> None:
        raise TimeoutError(f"{MOST_CPU_S:g} s of processor and no end")

    signal.signal(signal.SIGPROF, too_long)
    signal.setitimer(signal.ITIMER_PROF, MOST_CPU_S)
    try:
        with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder:
            return torment(seed, Path(folder))
    except TimeoutError as fault:
        return Outcome(seed, failure=f"{type(fault).__name__}: {fault}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def one_death(place: int) -> str:
    """Die at one place of the quiet session; what did not hold, empty if all did."""
    logging.disable(logging.CRITICAL)
    death = places()[place]
    with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder:
        try:
            die(Path(folder) / "journal.db", death)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is what the death came to
            return f"{death}: {type(fault).__name__}: {fault}"
    return ""


@cache
def places() -> tuple[Death, ...]:
    """Every place to die in the quiet session."""
    with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder:
        return tuple(deaths(crossings(Path(folder) / "journal.db")))


def every_boundary(processes: int) -> dict[str, Any]:
    """Die at every record, every frame sent and every frame read of one session."""
    count, failures = len(places()), []
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for done, said in enumerate(pool.map(one_death, range(count), chunksize=BATCH), 1):
            if said:
                failures.append(said)
                print(said[:400], flush=True)
            if done % 200 == 0 or done == count:
                print(f"{done:,} of {count:,} boundaries", file=sys.stderr, flush=True)
    by_kind = Counter(str(death.boundary) for death in places())
    return {"deaths": dict(sorted(by_kind.items())), "failures": failures}


def real_kills(kills: int, first: int) -> dict[str, Any]:
    """Processes that the operating system kills, a score of them to a journal."""
    came, failures, seed = Killings(), [], first
    while came.kills < kills and len(failures) < 3:
        with tempfile.TemporaryDirectory() as folder:
            try:
                _, one = kill_often(
                    Path(folder) / "journal.db", min(KILLS_A_DAY, kills - came.kills), seed
                )
            except AssertionError as fault:
                failures.append(f"seed {seed}: {str(fault)[:1000]}")
                print(failures[-1], flush=True)
            else:
                came = came.and_then(one)
        seed += 1
        print(f"{came.kills:,} of {kills:,} kills", file=sys.stderr, flush=True)
    return {**asdict(came), "failures": failures}


def batch(seeds: range) -> list[Outcome]:
    logging.disable(logging.CRITICAL)
    return [one_seed(seed) for seed in seeds]


def outcomes(first: int, seeds: int, processes: int, minutes: float) -> Iterator[Outcome]:
    """All seeds, as they are done; no batch begins after so many minutes."""
    end, began = first + seeds, perf_counter()
    batches = [range(at, min(at + BATCH, end)) for at in range(first, end, BATCH)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(batch, seeds) for seeds in batches]
        for done in as_completed(waiting):
            if not done.cancelled():
                yield from done.result()
            if perf_counter() - began > 60 * minutes:
                for future in waiting:
                    future.cancel()


def repeat(seed: int) -> str:
    return f"python -m benchmarks.torture --seed {seed}"


def torture(first: int, seeds: int, processes: int, minutes: float) -> tuple[Total, float]:
    """Run the seeds and say how it goes; the total and the seconds it took."""
    total, began, said = Total(), perf_counter(), 0.0
    for one in outcomes(first, seeds, processes, minutes):
        total.add(one)
        if one.failure:
            print(f"seed {one.seed}: {one.failure[:300]}\n  {repeat(one.seed)}", flush=True)
        passed = perf_counter() - began
        if passed - said > 15 or total.seeds == seeds:
            said = passed
            print(
                f"{total.seeds:,} of {seeds:,} seeds, {sum(total.deaths.values()):,} deaths, "
                f"{sum(total.faults.values()):,} faults, {total.orders:,} orders, "
                f"{len(total.failures)} failures, {total.seeds / passed:.1f} a second",
                file=sys.stderr,
                flush=True,
            )
    return total, perf_counter() - began


def written(total: Total, first: int, seconds: float, processes: int) -> dict[str, Any]:
    """The result as it is kept."""
    # Not asdict: it makes a Counter of pairs out of a Counter.
    counted = {one.name: getattr(total, one.name) for one in fields(total)}
    for name in ("deaths", "faults", "acts"):
        counted[name] = dict(sorted(counted[name].items()))
    return {
        "machine": machine(),
        "first_seed": first,
        "seconds": round(seconds, 1),
        "processes": processes,
        "never_drawn": {name.value: why for name, why in NEVER_DRAWN.items()},
        **counted,
    }


def show(seed: int) -> int:
    """One seed with its schedule and what came of it."""
    schedule = draw(seed)
    for name in schedule.__dataclass_fields__:
        value = getattr(schedule, name)
        lines = value if isinstance(value, tuple) and value else (value,)
        for line in lines:
            print(f"{name}: {line}")
    one = one_seed(seed)
    for name in one.__dataclass_fields__:
        print(f"{name}: {getattr(one, name)}")
    return 1 if one.failure else 0


def main(arguments: list[str] | None = None) -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--seed", type=int, help="repeat this one")
    asked.add_argument("--seeds", type=int, default=10_000)
    asked.add_argument("--from", dest="first", type=int, default=1, help="the first seed")
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--kills", type=int, default=100, help="processes to kill, 0 for none")
    asked.add_argument("--only-seeds", action="store_true", help="no boundaries and no kills")
    asked.add_argument("--minutes", type=float, default=1e9, help="begin no more after these")
    asked.add_argument("--keep", type=Path, default=RESULT, help="where the result goes")
    given = asked.parse_args(arguments)
    if given.seed is not None:
        return show(given.seed)
    total, seconds = torture(given.first, given.seeds, given.processes, given.minutes)
    result = written(total, given.first, seconds, given.processes)
    # Kept at once: what follows takes minutes, and may be broken off.
    given.keep.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if not given.only_seeds:
        result["every_boundary"] = every_boundary(given.processes)
        result["real_kills"] = real_kills(given.kills, given.first)
    given.keep.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(
        f"{total.seeds:,} seeds: {sum(total.deaths.values()):,} deaths in {total.lives:,} lives, "
        f"{sum(total.faults.values()):,} faults of {len(total.faults)} kinds, {total.orders:,} "
        f"orders, {total.fills:,} fills; {len(total.failures)} failures."
    )
    parts = [
        result[name]["failures"] for name in ("every_boundary", "real_kills") if name in result
    ]
    return 1 if total.failures or any(parts) else 0


if __name__ == "__main__":
    sys.exit(main())
