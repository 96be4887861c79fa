"""What the reference zoo is worth on recorded bars: rank IC of each model, half hour by half hour.

At every half hour each model ranks the names by what it sees, and the ranks are compared with the
returns of the 30 minutes after (Spearman), within the session. `a bar later` counts returns from
the end of the next bar on: what a bounce between bid and ask gives, nobody can trade. t is of the
sessions' means.

    python benchmarks/study_reference.py BARS [MARKET]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table
from scipy.stats import rankdata

from deadband import cycle
from deadband.core.arrays import Floats
from deadband.core.bars import SessionBars
from deadband.core.config import DataSettings, Settings
from deadband.feeds.files import bar_tape
from deadband.feeds.universe import Listing
from deadband.models.reference import REFERENCE_ZOO

LEAST_NAMES = 20
AT_ONCE, LATER = "at once", "a bar later"


def prices_of(day: SessionBars) -> Floats:
    """Last prices (b, n) of the session after each bar, NaN before a name's first trade."""
    last, rows = np.full(day.close.shape[1], np.nan), []
    for close in day.close:
        last = np.where(np.isfinite(close), close, last)
        rows.append(last)
    return np.array(rows)


def rank_ic(score: Floats, moved: Floats) -> float:
    """Spearman's rank correlation over names that have both; NaN of few, or where all are equal."""
    both = np.isfinite(score) & np.isfinite(moved)
    if np.count_nonzero(both) < LEAST_NAMES:
        return np.nan
    ranks = [rankdata(column[both]) for column in (score, moved)]
    if min(np.ptp(rank) for rank in ranks) == 0.0:
        return np.nan
    return float(np.corrcoef(ranks)[0, 1])


@dataclass(frozen=True)
class Seen:
    """Per model and start of the return the ICs of each session; the scatter of those returns."""

    ics: dict[tuple[str, str], list[list[float]]]
    sigma_bps: float


def watched(bars: Path, market: str) -> Seen:
    """Every session of the bars that has a history, half hour by half hour."""
    tape = bar_tape(bars, Listing(), Settings(data=DataSettings(market=market)))
    ahead = round(30.0 / tape.bar_min)
    state = cycle.first_features(tape.universe, tape.bar_min)
    found: dict[tuple[str, str], list[list[float]]] = defaultdict(list)
    scatter: list[float] = []
    for session in tape.sessions():
        day = tape.day(session)
        price = prices_of(day)
        today: dict[tuple[str, str], list[float]] = defaultdict(list)
        for k in range(1, len(day) + 1):
            state = cycle.observe(state, day.bar(k), session)
            if k % ahead or k + ahead > len(day):
                continue
            # price[k - 1] is the price at the end of the k-th bar.
            end = price[k + ahead - 1]
            scatter.append(float(np.nanstd(end / price[k] - 1.0)))
            for model in REFERENCE_ZOO:
                score = model.score(cycle.read(state, model.needs))
                for start, since in ((AT_ONCE, price[k - 1]), (LATER, price[k])):
                    today[model.name, start].append(rank_ic(score, end / since - 1.0))
        for key, ics in today.items():
            if known := [ic for ic in ics if np.isfinite(ic)]:
                found[key].append(known)
    return Seen(found, float(np.median(scatter)) * 1e4)


def summary(sessions: list[list[float]]) -> dict[str, float]:
    means = np.array([np.mean(ics) for ics in sessions])
    return {
        "mean_ic": float(means.mean()),
        "t": float(means.mean() / (means.std(ddof=1) / np.sqrt(len(means)))),
        "sessions": len(means),
        "cross_sections": sum(map(len, sessions)),
    }


def main(arguments: list[str]) -> None:
    bars, market = Path(arguments[0]), arguments[1] if len(arguments) > 1 else ""
    seen = watched(bars, market)
    table = Table("model", "IC at once", "t", "IC a bar later", "t", "half hours")
    results: dict[str, dict[str, dict[str, float]]] = {}
    for model in REFERENCE_ZOO:
        at_once, later = (summary(seen.ics[model.name, start]) for start in (AT_ONCE, LATER))
        results[model.name] = {AT_ONCE: at_once, LATER: later}
        table.add_row(
            model.name,
            *(f"{at_once['mean_ic']:+.4f}", f"{at_once['t']:+.1f}"),
            *(f"{later['mean_ic']:+.4f}", f"{later['t']:+.1f}"),
            f"{later['cross_sections']}",
        )
    console = Console()
    console.print(table)
    console.print(f"median scatter of those returns across names: {seen.sigma_bps:.1f} bps")
    result = {"bars": bars.name, "sigma_bps": seen.sigma_bps, "models": results}
    console.print(f"kept in {keep('study_reference', result)}")


if __name__ == "__main__":
    main(sys.argv[1:])
