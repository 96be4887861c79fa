"""How often does the exact engine need its fall-backs, and is every answer proved?

1. Random settings (chances.py), each a closed loop of 20 cycles through the façade.
2. Counted: which method answered, statuses, answers that carry no proof, the worst gap and
   violation that certificates state, and the share of each by regime.
3. Every so many cycles, where the setting is plain and the answer calls itself optimal, PIQP at
   1e-10 solves the same program from this repository's own epigraph form: a second opinion that
   shares no code with the engine.
A setting that went wrong is named by its index: `--first INDEX --cycles 20` draws it again.

    python benchmarks/study_fallback.py --cycles 100000 --processes 2
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from time import perf_counter
from typing import Any

import numpy as np
from chances import CYCLES, Chance, draw
from epigraph import Epigraph
from instances import Cycle
from machine import keep
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rivals import PiqpSolver
from threadpoolctl import threadpool_limits

from deadband import QPOptimizationEngine
from deadband.core.correlation import seal_correlation
from deadband.core.errors import ConfigError
from deadband.core.seen import Universe

PROVED = 1e-8
"""Relative gap up to which an answer counts as proved, where certificates state one."""
KEPT = 1e-9
"""Violation of a limit up to which an answer counts as inside."""
SMALL = 1e-3
"""Gaps are relative to |U|, or to this where U is smaller."""
BATCH = 5
EXAMPLES = 30
ENOUGH = 50_000
"""A study of fewer cycles is kept apart, so that a look at one setting overwrites no result."""


@dataclass(slots=True)
class Tally:
    """What was counted; `worst` holds (value, setting, cycle) by name."""

    cycles: int = 0
    settings: int = 0
    refused: int = 0
    checked: int = 0
    unchecked: int = 0
    methods: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    whys: Counter[str] = field(default_factory=Counter)
    asked_by: Counter[str] = field(default_factory=Counter)
    unproved_by: Counter[str] = field(default_factory=Counter)
    method_by: Counter[tuple[str, str]] = field(default_factory=Counter)
    worst: dict[str, tuple[float, int, int]] = field(default_factory=dict)
    examples: list[tuple[int, int, str]] = field(default_factory=list)

    def exceed(self, name: str, value: float, index: int, place: int) -> None:
        if value > self.worst.get(name, (-np.inf, 0, 0))[0]:
            self.worst[name] = (value, index, place)

    def add(self, other: Tally) -> None:
        for name in ("cycles", "settings", "refused", "checked", "unchecked"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("methods", "statuses", "whys", "asked_by", "unproved_by", "method_by"):
            getattr(self, name).update(getattr(other, name))
        for name, (value, index, place) in other.worst.items():
            self.exceed(name, value, index, place)
        self.examples = (self.examples + other.examples)[:EXAMPLES]


def one_batch(seed: int, indices: range, check: int) -> Tally:
    """The settings of `indices`; every `check`-th cycle gets a second opinion."""
    tally = Tally()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for index in indices:
            run_chance(tally, draw(seed, index), index, check)
    return tally


def run_chance(tally: Tally, chance: Chance, index: int, check: int) -> None:
    tally.settings += 1
    setting = chance.setting
    try:
        engine = QPOptimizationEngine(setting.config, apply_cuts=chance.apply_cuts)
    except ConfigError:
        tally.refused += 1
        return
    given = seal_correlation(chance.correlation, setting.size)
    universe, target = Universe.of(setting.symbols), chance.start
    second = PiqpSolver(Epigraph(setting), dense=True, accuracy=1e-10) if chance.plain else None
    for place in range(CYCLES):
        cycle = setting.cycle(place, target)
        started = perf_counter()
        try:
            target, info = engine.optimize(
                cycle.scores,
                given,
                setting.costs,
                cycle.home,
                universe,
                volatility=setting.volatility,
                beta_exposures=setting.beta,
                sector_exposures=setting.sectors,
                tradable=chance.tradable,
                hedge_symbol=chance.hedge,
                pnl_since_entry_bps=chance.pnl_bps,
                atr_pct=None if chance.pnl_bps is None else np.full(setting.size, 0.5),
                holding_min=None if chance.pnl_bps is None else np.full(setting.size, 150.0),
            )
        except Exception as fault:  # noqa: BLE001  A fault is what this study looks for.
            tally.cycles += 1
            tally.methods["raised"] += 1
            tally.unproved_by["all"] += 1
            tally.examples.append((index, place, f"{type(fault).__name__}: {fault}"[:160]))
            return
        tally.exceed("seconds", perf_counter() - started, index, place)
        count(tally, chance, info, index, place)
        if second is not None and place % check == 0 and info["status"] == "optimal":
            compare(tally, chance, second, cycle, target, index)


def count(tally: Tally, chance: Chance, info: dict[str, Any], index: int, place: int) -> None:
    status, certificate = str(info["status"]), info["certificate"]
    method = str(info.get("method") or info["engine"])
    gap = getattr(certificate, "gap", None)
    proved = certificate.accepted and status in ("optimal", "optimal_relaxed")
    if gap is not None:
        tally.exceed("certified gap", float(gap), index, place)
        proved = proved and float(gap) <= PROVED
    tally.exceed("violation", float(certificate.violation), index, place)
    tally.cycles += 1
    tally.methods[method] += 1
    tally.statuses[status] += 1
    for trait in chance.traits:
        tally.asked_by[trait] += 1
        tally.method_by[trait, method] += 1
        tally.unproved_by[trait] += not proved
    if info["why"]:
        tally.whys[re.sub(r"[-+]?\d[\d.e+-]*", "#", str(info["why"]))] += 1
    if not proved:
        tally.unproved_by["all"] += 1
        said = f"{method} {status} gap {gap} {info['why']}".strip()
        tally.examples.append((index, place, said[:160]))


def compare(
    tally: Tally, chance: Chance, second: PiqpSolver, cycle: Cycle, weights: Any, index: int
) -> None:
    """Value against PIQP's, and limits measured anew, where no limit was widened for the book."""
    setting, place = chance.setting, cycle.place
    low, high = setting.box(cycle.home)
    # Limits give way to a book that breaks them, by rules that the epigraph form does not know.
    stays = setting.violation(cycle, cycle.home) <= 0.0 or setting.config.repair_tolerance_bps == 0
    if (low > high).any() or not stays:
        tally.unchecked += 1
        return
    other = second(cycle)
    if other.weights is None or setting.violation(cycle, other.weights) > KEPT:
        tally.unchecked += 1
        return
    tally.checked += 1
    best, reached = setting.utility(cycle, other.weights), setting.utility(cycle, weights)
    gap = (best - reached) / max(SMALL, abs(best))
    outside = setting.violation(cycle, weights)
    tally.exceed("gap to PIQP", gap, index, place)
    tally.exceed("violation measured anew", outside, index, place)
    if gap > 10 * PROVED or outside > KEPT:
        said = f"optimal, but {gap:.1e} below PIQP and {outside:.1e} outside"
        tally.examples.append((index, place, said))


def tallies(seed: int, batches: list[range], check: int, processes: int) -> Iterator[Tally]:
    if processes == 1:
        yield from map(one_batch, repeat(seed), batches, repeat(check))
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(one_batch, repeat(seed), batches, repeat(check))


def show(console: Console, tally: Tally) -> None:
    table = Table("answered by", "cycles", "share")
    for method, cycles in tally.methods.most_common():
        table.add_row(method, f"{cycles:,}", f"{cycles / tally.cycles:.4%}")
    console.print(table)
    names = [method for method, _ in tally.methods.most_common()]
    table = Table("regime", "cycles", "not proved", *names)
    for trait in sorted(tally.asked_by):
        asked = tally.asked_by[trait]
        shares = (f"{tally.method_by[trait, method] / asked:.2%}" for method in names)
        table.add_row(trait, f"{asked:,}", str(tally.unproved_by[trait]), *shares)
    console.print(table)
    for name, (value, index, place) in tally.worst.items():
        console.print(f"worst {name}: {value:.2e} (setting {index}, cycle {place})")
    console.print(
        f"{tally.cycles:,} cycles of {tally.settings:,} settings ({tally.refused} refused by the "
        f"config check); {tally.unproved_by['all']:,} not proved; second opinions "
        f"{tally.checked:,}, and {tally.unchecked:,} where limits were widened or PIQP had none"
    )


def result_of(tally: Tally, seed: int, first: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "first": first,
        "cycles": tally.cycles,
        "settings": tally.settings,
        "refused": tally.refused,
        "second_opinions": tally.checked,
        "without_second_opinion": tally.unchecked,
        "methods": dict(tally.methods),
        "statuses": dict(tally.statuses),
        "why": dict(tally.whys),
        "not_proved": tally.unproved_by["all"],
        "worst": {
            name: {"value": value, "setting": index, "cycle": place}
            for name, (value, index, place) in tally.worst.items()
        },
        "by_regime": {
            trait: {
                "cycles": asked,
                "not_proved": tally.unproved_by[trait],
                "methods": {m: tally.method_by[trait, m] for m in tally.methods},
            }
            for trait, asked in sorted(tally.asked_by.items())
        },
        "examples": tally.examples,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="index of the first setting")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--check", type=int, default=10, help="cycles to each second opinion")
    asked = parser.parse_args()
    console = Console()
    settings = max(1, asked.cycles // CYCLES)
    indices = range(asked.first, asked.first + settings)
    batches = [indices[start : start + BATCH] for start in range(0, settings, BATCH)]
    tally = Tally()
    parts = tallies(asked.seed, batches, asked.check, asked.processes)
    for part in track(parts, "studying", total=len(batches), console=console):
        tally.add(part)
    show(console, tally)
    name = "fallback" if tally.cycles >= ENOUGH else "fallback_part"
    path = keep(name, result_of(tally, asked.seed, asked.first))
    console.print(f"kept in {path}")


if __name__ == "__main__":
    main()
