"""One life of a live run as a process of its own, which may be killed by the operating system.

`python -m tests.kit.life JOURNAL CYCLES...` makes ready, says so, and waits for a line with the
gateway's port and the clock. Then it recovers from the journal, connects, trades so many cycles of
each session and stops cleanly. Without cycles it only compares the books. Where it stood is in the
journal alone.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import ib_async

from deadband.backtest.measure import Measure
from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.clock import LoopClock
from deadband.brokers.ibkr.settings import IbkrSettings
from deadband.core.broker import Memory, WriteAhead
from deadband.core.config import Settings
from deadband.core.costs import CostSettings
from deadband.core.session import exchange_day
from deadband.core.units import epoch_ns
from deadband.feeds.simulated import SimulatedMarket, simulated_market
from deadband.journal.store import JournalWriter
from deadband.live.begin import Beginning, Counter, begin
from deadband.live.line import Patience
from deadband.live.recover import recover
from deadband.live.run import LiveRun
from deadband.twsim.contracts import BUILT_IN

from .ibkr import ACCOUNT, CLIENT
from .inputs import settings as settings_of
from .live import Short
from .scaled import Clock, run

assert ib_async, "on this clock, loading it later would take a quarter of an hour"

NAMES = 100
DAYS = 2
COSTS = CostSettings(plan="tiered", borrow_pct=0.25, financing=True, credit=True)
SYMBOLS = (
    *(contract.symbol for contract in BUILT_IN),
    *(f"SIM{number:03d}" for number in range(1, NAMES - len(BUILT_IN) + 1)),
)
PATIENCE = Patience(first_s=30.0, most_s=240.0, settle_s=20.0, compare_s=1_800.0, answer_s=600.0)
QUIET = {
    **{"connect_s": 6_000.0, "answer_s": 6_000.0, "ack_s": 600.0, "doubt_s": 10.0},
    **{"settle_s": 10.0, "reconcile_s": 3_600.0, "heartbeat_s": 3_000.0, "silence_s": 20_000.0},
    **{"most_skew_s": 900.0},
}
"""Waits of seconds become an hour or two: a machine that is busy for a second loses eight minutes
of the clock by day, and eighty by night."""


def made() -> Settings:
    """Long and short in a hundred names: limits rest inside the spread, and grow old."""
    traded = settings_of(
        **{"K": 20, "K_buy": 20, "K_sell": 24, "K_short": 20, "per_name_cap": 0.05, "z_keep": 0.0},
        **{"max_turnover": 0.4, "open_clamp_min": 0.0, "sector_cap": 0.6},
        **{"collar_bps": -3.0, "order_life_min": 12.0},
    )
    return replace(traded, costs=COSTS)


@cache
def market() -> SimulatedMarket:
    return simulated_market(made(), 5, symbols=SYMBOLS, days=DAYS)


async def live(clock: Clock, port: int, path: Path, cycles: tuple[int, ...]) -> None:
    """Recover, trade, stop."""

    def counter(write_ahead: WriteAhead, memory: Memory) -> Counter:
        settings = IbkrSettings(ACCOUNT, port=port, client_id=CLIENT, **QUIET)
        loop_clock = LoopClock(lambda: epoch_ns(clock.now()))
        broker = IbkrBroker(settings, loop_clock, write_ahead, memory)
        return Counter(broker, broker.contracts)

    settings, tape = made(), market().tape
    with JournalWriter(path, goes_on=True) as journal:
        recovered = recover(path, exchange_day(clock.now()))
        what = Beginning(settings, tape.universe, journal, clock.now, recovered, PATIENCE)
        line = await begin(what, counter)
        feeds = (
            Short(tape.day(session), Measure(tape, ()), None, most)
            for session, most in zip(market().sessions, cycles, strict=False)
        )
        await LiveRun(settings, line, market().scores, clock.now).over(tuple(feeds))


if __name__ == "__main__":
    told = sys.argv[1:]
    market()
    print("ready", flush=True)
    port, _, text = sys.stdin.readline().partition(" ")
    on = Clock.of(text)
    run(on, lambda: live(on, int(port), Path(told[0]), tuple(map(int, told[1:]))))
