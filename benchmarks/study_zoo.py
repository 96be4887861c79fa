"""What a zoo loses to its best model in hindsight, over many seeds; the tables of docs/signals.md.

    python benchmarks/study_zoo.py --seeds 24 --processes 2

The zoos are those of tests/kit/zoo.py, through `merge` as in a run. Once more with models that are
much alike taken for independent, and with weights that go at once where the record wants them.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.kit.zoo import FLIP_EVERY, ZOOS, Outcome, run

from deadband.core.config import SignalSettings
from deadband.signals import zoo_balancer

CASES = (
    ("one good", 0.02, ""),
    ("one good", 0.04, ""),
    ("one good", 0.08, ""),
    ("one good", 0.04, "at once"),
    ("useless copies", 0.04, ""),
    ("useless copies", 0.04, "independent"),
    ("good copies", 0.04, ""),
    ("good copies", 0.04, "independent"),
    ("all good", 0.04, ""),
)
AT_ONCE = SignalSettings(weight_half_life_min=1e-6)


def outcome(seed: int, kind: str, ic: float, variant: str) -> Outcome:
    zoo_balancer.APART = 1.0 if variant == "independent" else 0.5
    return run(seed, kind, ic, AT_ONCE if variant == "at once" else None)


def lost_its_vote(kind: str, outcomes: list[Outcome]) -> float:
    """Sessions from its first flip until a model has half of an equal weight; NaN of none."""
    if not ZOOS[kind].flips:
        return np.nan
    lasted = []
    for one in outcomes:
        weight, a_day = one.weights[:, ZOOS[kind].flips[0]], len(one.weights) / 60
        after = weight[round(FLIP_EVERY * a_day) : round(2 * FLIP_EVERY * a_day)]
        low = np.flatnonzero(after < 0.5 / one.weights.shape[1])
        lasted.append(low[0] / a_day if len(low) else FLIP_EVERY)
    return float(np.mean(lasted))


def summed(kind: str, outcomes: list[Outcome]) -> dict[str, float]:
    regret = np.array([one.regret for one in outcomes])
    return {
        "seeds": float(len(outcomes)),
        "best": float(np.mean([one.models.max() for one in outcomes])),
        "zoo": float(np.mean([one.zoo for one in outcomes])),
        "equal": float(np.mean([one.equal for one in outcomes])),
        "regret": float(regret.mean()),
        "worst": float(regret.max()),
        "beats equal": float(np.mean([one.zoo > one.equal for one in outcomes])),
        "largest jump": float(np.mean([one.jump for one in outcomes])),
        "flip, sessions": lost_its_vote(kind, outcomes),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--processes", type=int, default=2)
    asked = parser.parse_args()
    results = {}
    with ProcessPoolExecutor(asked.processes) as pool:
        for kind, ic, variant in CASES:
            one = partial(outcome, kind=kind, ic=ic, variant=variant)
            # What is the main claim gets all seeds, what it is compared with a third of them.
            seeds = asked.seeds if kind == "one good" and not variant else asked.seeds // 3
            made = list(pool.map(one, range(seeds)))
            results[f"{kind}, IC {ic:g}{', ' if variant else ''}{variant}"] = summed(kind, made)
    columns = list(next(iter(results.values())))
    table = Table("zoo", *columns)
    for name, found in results.items():
        table.add_row(name, *(f"{found[what]:.4g}" for what in columns))
    console = Console(width=160)
    console.print(table)
    console.print(f"kept in {keep('study_zoo', results)}")


if __name__ == "__main__":
    main()
