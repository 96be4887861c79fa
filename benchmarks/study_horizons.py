"""Does arbitrating horizons pay? Two signals of known decay, for books of several holding times.

    python benchmarks/study_horizons.py

A fast signal (half-life 20 minutes, horizon 30) and a slow one (240, horizon 120) drive the returns
of 50 names, both first-order autoregressions as in Gârleanu and Pedersen; the fast one is the
stronger over ten minutes. Books differ in how long they hold. Measured: the rank correlation of the
merged score with the return over the book's holding time, against equal weights of both z, from the
second session on; and what the arbiter came to believe at the end.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests import kit

from deadband.core.config import SignalSettings
from deadband.core.seen import Scores
from deadband.core.session import sessions_between
from deadband.core.types import RiskModel
from deadband.signals.merge import merge
from deadband.signals.ranks import rank_correlation

N, STEP, GROSS = 50, 10.0, 0.4
HORIZONS, LIVES, DRIVES = (30.0, 120.0), np.array([20.0, 240.0]), np.array([0.06, 0.03])
SIGMA = 0.0017
"""Of ten minutes: 30 bps over half an hour."""


def one(seed: int, holding: float, spread_bps: float, sessions: int) -> dict[str, float]:
    rng, names = np.random.default_rng(seed), kit.universe(N)
    left = 2.0 ** (-STEP / LIVES)[:, None]
    risk = RiskModel(
        30.0, np.full(N, SIGMA * 3**0.5), None, None, None, np.zeros(N, dtype=np.int16), ""
    )
    x, price = rng.normal(size=(2, N)), np.full(N, 100.0)
    state, book = kit.state(names), kit.portfolio(names, weights=GROSS / N)
    prices, said = [], []
    for session in sessions_between(date(2026, 1, 5), date(2026, 6, 30))[:sessions]:
        for k in range(1, round(session.minutes / STEP) + 1):
            now = session.open + timedelta(minutes=STEP * k)
            turned = 2.0 * GROSS * STEP * k / holding
            market = kit.market(names, price=price, asof=now, bar_min=STEP, spread_bps=spread_bps)
            scores = Scores(
                universe=names,
                models=("fast", "slow"),
                unit=("z", "z"),
                horizon_min=HORIZONS,
                value=x,
                age_s=np.zeros((2, N)),
                defect=np.zeros((2, N), dtype=np.int16),
            )
            seen = kit.seen(names, now=now, market=market, scores=scores, portfolio=book)
            state = replace(state, turnover_today=turned)
            signal = merge(seen, state, risk, SignalSettings())
            state = replace(state, skill=signal.skill)
            prices.append(price)
            said.append((signal.score, x.mean(axis=0)))
            price = price * (1.0 + SIGMA * (DRIVES @ x + rng.normal(size=N)))
            x = left * x + np.sqrt(1.0 - left**2) * rng.normal(size=(2, N))
    ahead, first = round(holding / STEP), 39
    found = [
        [rank_correlation(score, prices[k + ahead] / prices[k]) for score in said[k]]
        for k in range(first, len(prices) - ahead)
    ]
    arbitrated, equal = np.mean(found, axis=0)
    fast, slow = signal.skill.horizons
    return {
        "IC": float(arbitrated),
        "IC, equal weights": float(equal),
        "weight of the fast": fast.weight,
        "half-life, fast": fast.half_life_min,
        "half-life, slow": slow.half_life_min,
        "holding time": fast.holding_min,
        "earns, fast, bps": fast.earned_bps,
        "earns, slow, bps": slow.earned_bps,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--sessions", type=int, default=30)
    asked = parser.parse_args()
    results = {}
    for spread in (1.0, 8.0):
        for holding in (20.0, 60.0, 240.0):
            made = [one(seed, holding, spread, asked.sessions) for seed in range(asked.seeds)]
            mean = {what: float(np.mean([each[what] for each in made])) for what in made[0]}
            results[f"held {holding:g} min, spread {spread:g} bps"] = mean
    columns = list(next(iter(results.values())))
    table = Table("book", *columns)
    for name, found in results.items():
        table.add_row(name, *(f"{found[what]:.3f}" for what in columns))
    console = Console(width=160)
    console.print(table)
    kept = keep("study_horizons", {"seeds": asked.seeds, "books": results})
    console.print(f"kept in {kept}")


if __name__ == "__main__":
    main()
