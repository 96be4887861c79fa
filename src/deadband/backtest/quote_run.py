"""Works a basket on recorded quotes: the same state machines as live, on a virtual clock.

At the end of each step, in this order:
  1. the broker answers what it was sent before, and fills what the step's market allows
  2. its reports are folded
  3. the basket is asked what to send, and it is on its way: the broker sees it a step later
At the session's close the auction trades at the last mid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .. import cycle
from ..brokers.quotes import QuoteBroker
from ..core.orders import ExecutionReport
from ..core.parents import Basket, Instruction
from ..core.quotes import QuoteDay


@dataclass(frozen=True, slots=True)
class Played:
    """What came of it: the basket, reports on children and on parents, and what was sent."""

    basket: Basket
    reports: tuple[ExecutionReport, ...]
    parents: tuple[ExecutionReport, ...]
    sent: tuple[Instruction, ...]


def play(
    basket: Basket, broker: QuoteBroker, days: Mapping[str, QuoteDay], start: int, until: int
) -> Played:
    """Run from `start` to `until` (ns), or until nothing is left to do; days share one grid."""
    reports: list[ExecutionReport] = []
    parents: list[ExecutionReport] = []
    sent: list[Instruction] = []
    grid = next(iter(days.values())).ts
    first = int(grid.searchsorted(start))
    for k in range(first, len(grid)):
        ts = grid.item(k)
        if ts > until or not _is_busy(basket):
            break
        ticks = {symbol: day.tick(k) for symbol, day in days.items()}
        told = [
            one
            for symbol, day in days.items()
            for one in broker.advance(symbol, ticks[symbol], day.traded(k))
        ]
        if k == len(grid) - 1:
            told += [
                one for symbol in days for one in broker.auction(symbol, ticks[symbol].mid, ts)
            ]
        for report in told:
            basket, up = cycle.hear(basket, report)
            parents += up
        reports += told
        basket, intents, ended = cycle.work(basket, ticks, ts)
        broker.send(intents)
        sent += intents
        parents += ended
    return Played(basket, tuple(reports), tuple(parents), tuple(sent))


def _is_busy(basket: Basket) -> bool:
    return any(one.outcome is None or one.child is not None for one in basket.works)
