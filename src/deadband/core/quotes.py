"""Recorded quotes and trades of one name on a grid of equal steps, a second or a minute each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Floats, Ints
from .parents import Tick


@dataclass(frozen=True, slots=True)
class Traded:
    """What traded in the step that ended in a tick's quotes; prices are NaN where nothing did."""

    high: float
    low: float
    volume: int


@dataclass(frozen=True, slots=True, eq=False)
class QuoteDay:
    """A session of one name, columns (t,): `ts` the end of each step, quotes as they stood then.

    bid, ask USD, 0 where not quoted; sizes in shares; high, low of the step's trades, NaN without;
    volume shares.
    """

    symbol: str
    ts: Ints
    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats
    high: Floats
    low: Floats
    volume: Ints

    def tick(self, k: int) -> Tick:
        return Tick(
            ts=self.ts.item(k),
            bid=self.bid.item(k),
            ask=self.ask.item(k),
            bid_size=self.bid_size.item(k),
            ask_size=self.ask_size.item(k),
            volume=self.volume.item(k),
        )

    def traded(self, k: int) -> Traded:
        return Traded(self.high.item(k), self.low.item(k), self.volume.item(k))

    def index_at(self, ts: int) -> int:
        """The last step that had ended by `ts`; −1 before the first."""
        return int(self.ts.searchsorted(ts, side="right")) - 1

    @property
    def mid(self) -> Floats:
        """(t,) USD, NaN where not quoted."""
        quoted = (self.bid > 0) & (self.ask >= self.bid)
        return np.where(quoted, 0.5 * (self.bid + self.ask), np.nan)

    @property
    def last_mid(self) -> Floats:
        """(t,) USD, the newest mid there was by then; NaN before the first."""
        mid = self.mid
        known = np.where(np.isfinite(mid), np.arange(len(mid)), 0)
        return mid[np.maximum.accumulate(known)]
