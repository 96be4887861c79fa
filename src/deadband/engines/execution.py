"""ShortHorizonExecution: target weights become marketable whole-share orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from ..core import align
from ..core.config import ExecutionSettings, OptimizationConfig
from ..core.errors import DataError
from ..core.limits import Structure
from ..core.orders import Order
from ..core.reasons import Code, Reason
from ..core.seen import Market, Portfolio, Scores, Seen, Switch, Universe
from ..core.tactics import Tactics
from ..core.types import Decision
from ..execute.plan import plan
from ..optimize.build import Ask, assemble

SESSION_BAR_MIN = 5.0


@dataclass(frozen=True, slots=True)
class ShortHorizonExecution:
    """Turns target weights into limit orders: sells before buys, whole lots, limits and cash kept.

    The same planner as the cycle's: growth rounds down and shrinkage up, an order through zero only
    closes, tickets below the minimum are dropped, buys never use more than the cash there is. Where
    `settings.algorithm` names one, other than "marketable", each order says how it is to be worked
    (`route`).
    """

    settings: ExecutionSettings = field(default_factory=ExecutionSettings)
    config: OptimizationConfig = field(default_factory=OptimizationConfig)
    tactics: Tactics = field(default_factory=Tactics)

    def orders(
        self,
        target_weights: Any,
        current_shares: Any,
        bid: Any,
        ask: Any,
        cash: float,
        universe: Sequence[str],
        now: datetime,
    ) -> tuple[tuple[Order, ...], tuple[Reason, ...]]:
        """Orders and what rounding did; vectors (n,) in the order of `universe` or by symbol.

        target_weights are fractions of NAV = cash + shares·mid (USD); `now` is aware UTC.
        """
        symbols = tuple(universe)
        names = Universe.of(symbols)
        target = align.vector(target_weights, symbols, "target_weights")
        seen = _seen(names, current_shares, bid, ask, cash, now, self.settings)
        current = seen.portfolio.weights
        problem = assemble(
            Ask(
                symbols=symbols,
                z=np.zeros(len(symbols)),
                scored=np.ones(len(symbols), dtype=np.bool_),
                cost_bps=np.zeros(len(symbols)),
                current=current,
                structure=Structure(names.group, (), None),
                allow_short=True if self.config.allow_short is None else self.config.allow_short,
                exits=False,
            ),
            self.config,
        )
        code = np.where(target != current, Code.TARGET_MOVED.number, Code.HOLD_CURRENT.number)
        decision = Decision(target, code.astype(np.int16), ())
        cycle_id = f"{now:%Y%m%d.%H%M%S}"
        planned = plan(names, decision, problem, seen, (), cycle_id, self.settings, self.tactics)
        return planned.orders, planned.notes


def _seen(
    universe: Universe,
    current_shares: Any,
    bid: Any,
    ask: Any,
    cash: float,
    now: datetime,
    settings: ExecutionSettings,
) -> Seen:
    symbols, n = universe.symbols, len(universe)
    bids, asks = align.vector(bid, symbols, "bid"), align.vector(ask, symbols, "ask")
    crossed = np.flatnonzero((bids <= 0) | (asks < bids))
    if len(crossed):
        name = int(crossed[0])
        raise DataError(
            f"{symbols[name]} is quoted {bids[name]:g} bid, {asks[name]:g} ask. "
            "Give a positive bid no higher than the ask, or leave the name out."
        )
    held = align.vector(current_shares, symbols, "current_shares").astype(np.int64)
    mid, zeros, none = 0.5 * (bids + asks), np.zeros(n), np.zeros(n, dtype=np.int64)
    yes, no = np.ones(n, dtype=np.bool_), np.zeros(n, dtype=np.bool_)
    market = Market(
        universe=universe,
        asof=now,
        bar_min=SESSION_BAR_MIN,
        bid=bids,
        ask=asks,
        last=mid,
        volume=zeros,
        adv=zeros,
        bar_return=zeros,
        quote_age_s=zeros,
        halted=no,
        shortable=yes,
        norm_move=0.0,
        norm_spread=0.0,
    )
    nav = cash + float(held @ mid)
    book = Portfolio(
        settings.account, settings.currency, held, none, none, mid, cash, nav, zeros, zeros
    )
    empty = np.zeros((0, n))
    silent = Scores(universe, (), (), (), empty, empty, empty.astype(np.int16))
    return Seen(now, market, None, None, silent, book, Switch())
