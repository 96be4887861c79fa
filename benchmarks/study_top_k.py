"""Does the dead band pay? deadband against naive top-K rotation on recorded bars, net of costs.

Both run through the same cycle, simulated broker and costs; naive is the same engine with every
brake taken off: it sells what leaves the top K and buys what enters it, whatever it costs. Scores
are multiplied, because the honest ones are too weak to make anything trade. The difference of
daily P&L is given with a block-bootstrap interval (blocks of five sessions).

    python benchmarks/study_top_k.py BARS SCORES UNIVERSE FIRST LAST
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

from deadband import OptimizationConfig
from deadband.backtest.run import Run
from deadband.backtest.start import choose_sessions
from deadband.brokers.sim import SimBroker
from deadband.core.config import DataSettings, PolicySettings, Settings
from deadband.core.types import CycleRecord
from deadband.feeds.files import bar_tape
from deadband.feeds.scores import read_scores
from deadband.feeds.universe import read_listing
from deadband.journal.store import NoJournal

NAIVE = OptimizationConfig(
    K=20,
    K_buy=20,
    K_sell=20,
    z_keep=-9.0,
    z_cut=9.0,
    delta_z_min=0.0,
    gamma_cost=0.0,
    k_ATR=1e9,
    Tmax_min=1e9,
    reentry_min=0.0,
    weighting="equal",
    portfolio_drift_threshold=0.0,
    name_drift_threshold=0.0,
)
DEADBAND = OptimizationConfig(weighting="equal")
SCALES = (50.0, 100.0)
COSTS = (0.0, 1.0, 2.0, 4.0, 8.0)
BLOCK = 5
DRAWS = 5_000


@dataclass(frozen=True)
class Case:
    """One run to make."""

    name: str
    config: OptimizationConfig
    score_scale: float
    cost_scale: float


@dataclass(frozen=True)
class Outcome:
    """P&L by session, bps of NAV; turnover (two-way, × NAV), fees and names opened of the run."""

    case: Case
    daily_bps: list[float]
    turnover: float
    costs_bps: float
    entries_a_day: float


class Tally:
    """Collects NAV by day, and what orders and fills did, from records and the final state."""

    def __init__(self) -> None:
        self.nav: dict[str, float] = {}
        self.first = 0.0
        self.turnover = 0.0
        self.opened = 0

    def __call__(self, record: CycleRecord) -> None:
        book = record.seen.portfolio
        self.first = self.first or book.nav
        self.nav[record.state.day] = book.nav
        for order in record.plan.orders:
            name = record.state.universe.index[order.symbol]
            self.turnover += order.order_qty * order.arrival / book.nav
            self.opened += int(book.weights[name] == 0.0)


def run_case(case: Case, files: tuple[str, str, str], first: str, last: str) -> Outcome:
    bars, scores, universe = map(Path, files)
    base = Settings()
    settings = replace(
        base,
        optimize=case.config,
        costs=replace(base.costs, scale=case.cost_scale),
        # The study compares whole periods: latches that stop a losing run would cut it short.
        policy=PolicySettings(daily_loss=1.0, drawdown=1.0),
        data=DataSettings(
            score_column="exp_resid_bps_30m",
            score_unit="bps",
            score_horizon="30min",
            score_scale=case.score_scale,
        ),
    )
    tape = bar_tape(bars, read_listing(universe), settings)
    table = read_scores(scores, tape.universe, settings.data)
    sessions = choose_sessions(tape, date.fromisoformat(first), date.fromisoformat(last))
    broker = SimBroker(tape.universe, settings.execution, settings.costs, tape.shortable)
    run, tally = Run(settings, tape, table, broker, NoJournal()), Tally()
    run.over(sessions, tally)
    nav = np.array([tally.first, *tally.nav.values()])
    fees = run.state.book.fees_micro / 1e6
    return Outcome(
        case=case,
        daily_bps=(np.diff(nav) / nav[:-1] * 1e4).tolist(),
        turnover=tally.turnover,
        costs_bps=fees / tally.first * 1e4,
        entries_a_day=tally.opened / len(sessions),
    )


def block_bootstrap(values: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """95 % interval of the mean by the moving-block bootstrap (Künsch 1989)."""
    n = len(values)
    blocks = -(-n // BLOCK)
    starts = rng.integers(0, max(1, n - BLOCK + 1), size=(DRAWS, blocks))
    rows = (starts[:, :, None] + np.arange(BLOCK)).reshape(DRAWS, -1)[:, :n] % n
    means = values[rows].mean(axis=1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def cases() -> list[Case]:
    pairs = [
        Case(name, config, scale, 1.0)
        for scale in SCALES
        for name, config in (("deadband", DEADBAND), ("naive", NAIVE))
    ]
    costly = [Case("deadband", DEADBAND, 100.0, c) for c in COSTS if c != 1.0]
    return pairs + costly


def main() -> None:
    bars, scores, universe, first, last = sys.argv[1:6]
    files, listed = (bars, scores, universe), cases()
    with ProcessPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(run_case, case, files, first, last) for case in listed]
        outcomes = [job.result() for job in jobs]
    console, rng = Console(), np.random.default_rng(0)
    table = Table("scores", "policy", "entries / day", "turnover × NAV", "P&L bps / day")
    for one in outcomes[: 2 * len(SCALES)]:
        table.add_row(
            f"× {one.case.score_scale:g}",
            one.case.name,
            f"{one.entries_a_day:.1f}",
            f"{one.turnover:.1f}",
            f"{np.mean(one.daily_bps):+.2f}",
        )
    console.print(table)
    gains = []
    for k, scale in enumerate(SCALES):
        ours, naive = outcomes[2 * k], outcomes[2 * k + 1]
        gap = np.array(ours.daily_bps) - np.array(naive.daily_bps)
        low, high = block_bootstrap(gap, rng)
        gains.append({"scale": scale, "mean_bps": float(gap.mean()), "interval": [low, high]})
        console.print(
            f"× {scale:g}: deadband − naive = {gap.mean():+.2f} bps of NAV a day, "
            f"95 % interval [{low:+.2f}, {high:+.2f}], {len(gap)} sessions"
        )
    ladder = sorted(
        (one for one in outcomes if one.case.name == "deadband" and one.case.score_scale == 100.0),
        key=lambda one: one.case.cost_scale,
    )
    table = Table("costs ×", "turnover × NAV", "entries / day")
    for one in ladder:
        table.add_row(f"{one.case.cost_scale:g}", f"{one.turnover:.2f}", f"{one.entries_a_day:.1f}")
    console.print(table)
    turnovers = [one.turnover for one in ladder]
    falls = all(a >= b for a, b in zip(turnovers, turnovers[1:], strict=False))
    console.print(f"turnover falls as costs rise: {'yes' if falls else 'NO'}")
    result = {
        "sessions": [first, last],
        "runs": [
            {
                "policy": one.case.name,
                "score_scale": one.case.score_scale,
                "cost_scale": one.case.cost_scale,
                "entries_a_day": one.entries_a_day,
                "turnover": one.turnover,
                "fees_bps": one.costs_bps,
                "mean_daily_bps": float(np.mean(one.daily_bps)),
            }
            for one in outcomes
        ],
        "deadband_minus_naive": gains,
        "turnover_falls_with_costs": falls,
    }
    console.print(f"kept in {keep('study_top_k', result)}")


if __name__ == "__main__":
    main()
