"""What the risk model costs: once a session, dense and in factor form, and with every bar.

The bar's share is a ratio within one run: its update against whole cycles, the market's making
included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from time import process_time

import numpy as np
from bench_cycle import one_day
from machine import keep
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from deadband import cycle
from deadband.core.arrays import Floats
from deadband.core.config import RiskSettings
from deadband.core.seen import History, Market, Universe
from deadband.core.session import sessions_between
from deadband.feeds.simulated import FIRST_DAY
from deadband.journal.store import NoJournal

SESSIONS, ROWS, SECTORS, BAR_MIN = 15, 78, 11, 5.0
FORMS = ((300, "dense"), (1000, "dense"), (1000, "factor"), (3000, "factor"))
ROUNDS = 3
BARS = 70


def drawn(n: int) -> tuple[History, Callable[[int], Market]]:
    """Fifteen sessions of `n` names that share a market and sectors, and the bars of the next."""
    rng = np.random.default_rng(5)
    symbols = tuple(f"S{i:05d}" for i in range(n))
    universe = Universe.of(symbols, {s: f"sector {i % SECTORS}" for i, s in enumerate(symbols)})
    rows = SESSIONS * ROWS
    common = (
        rng.standard_normal((rows, 1)) + rng.standard_normal((rows, SECTORS))[:, universe.group]
    )
    returns: Floats = 7e-4 * (common + rng.standard_normal((rows, n)))
    flat = np.full((20, n), 100.0)
    history = History(
        universe=universe,
        bar_min=BAR_MIN,
        returns=returns,
        observed=np.ones(returns.shape, dtype=np.bool_),
        market=returns.mean(axis=1),
        range_min=30.0,
        range_high=flat * 1.01,
        range_low=flat * 0.99,
        range_close=flat,
        version=str(n),
        gaps=0.01 * rng.standard_normal((SESSIONS, n)),
    )
    opened = sessions_between(FIRST_DAY, FIRST_DAY + timedelta(days=7))[0].open
    moves = 7e-4 * rng.standard_normal((BARS + 1, n))
    price, none = np.full(n, 100.0), np.zeros(n, dtype=np.bool_)

    def market(k: int) -> Market:
        return Market(
            universe=universe,
            asof=opened + timedelta(minutes=BAR_MIN * k),
            bar_min=BAR_MIN,
            bid=price,
            ask=price,
            last=price,
            volume=price,
            adv=price,
            bar_return=moves[k],
            quote_age_s=np.zeros(n),
            halted=none,
            shortable=~none,
            norm_move=0.0,
            norm_spread=0.0,
        )

    return history, market


def session_ms(n: int, form: str) -> dict[str, float]:
    """Best CPU milliseconds of a session's estimate, and the mean of a bar's update."""
    history, market = drawn(n)
    settings = replace(RiskSettings(), form=form)
    session, bar = [], []
    for _ in range(ROUNDS):
        started = process_time()
        model = cycle.foresee(settings, market(1), history, None)
        session.append((process_time() - started) * 1e3)
        markets = [market(k) for k in range(2, BARS + 1)]
        started = process_time()
        for one in markets:
            model = cycle.foresee(settings, one, history, model)
        bar.append((process_time() - started) * 1e3 / len(markets))
    return {"session_ms": min(session), "bar_ms": min(bar)}


def cycle_ms() -> float:
    """CPU milliseconds of a whole cycle of 300 names on the simulated market, without a journal."""
    spent = []
    for _ in range(ROUNDS):
        started = process_time()
        one_day(NoJournal())
        spent.append((process_time() - started) * 1e3 / ROWS)
    return min(spent)


def main() -> None:
    console = Console()
    with threadpool_limits(limits=1, user_api="blas"):
        found = {f"{n} {form}": session_ms(n, form) for n, form in FORMS}
        whole = cycle_ms()
    share = found["300 dense"]["bar_ms"] / whole
    table = Table("names, form", "estimate of a session, CPU ms", "update of a bar, CPU ms")
    for name, ms in found.items():
        table.add_row(name, f"{ms['session_ms']:.0f}", f"{ms['bar_ms']:.3f}")
    console.print(table)
    console.print(f"at 300 names a bar's update is {share:.1%} of a cycle's {whole:.1f} ms")
    result = {"models": found, "cycle_ms": whole, "bar_share_of_cycle": share}
    console.print(f"kept in {keep('risk', result)}")


if __name__ == "__main__":
    main()
