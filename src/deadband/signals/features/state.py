"""What the features remember of the bars so far: frozen, and small enough to fold bar by bar."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from ...core.arrays import Floats
from ...core.errors import DataError
from ...core.seen import Universe
from ...core.session import SESSION_MIN, Session
from .price import Prices
from .volatility import Moves, Ranges, TrueRange
from .volume import Volumes

HALF_HOUR = 30.0

MOVES, RANGES, TRUE_RANGE, VOLUMES = PARTS = ("moves", "ranges", "true_range", "volumes")
"""What is folded only where a feature that is asked for reads it; prices always are."""


@dataclass(frozen=True, slots=True, eq=False)
class FeatureState:
    """Bars of the session that have ended, `k` of them, and what they and earlier ones left.

    Every part is a frozen value of sealed rows (n,); folding a bar makes a new state and shares the
    rows that did not change. Of `PARTS` those in `folds` are kept up, the others stay empty.
    """

    universe: Universe
    bar_min: float
    session: Session | None
    k: int
    folds: frozenset[str]
    prices: Prices
    moves: Moves
    ranges: Ranges
    true_range: TrueRange
    volumes: Volumes

    @classmethod
    def empty(
        cls, universe: Universe, bar_min: float, folds: frozenset[str] = frozenset(PARTS)
    ) -> FeatureState:
        """Nothing seen yet; bars are `bar_min` minutes long."""
        if not 0 < bar_min <= SESSION_MIN:
            raise DataError(
                f"bars of {bar_min:g} minutes have no features; expected above 0 and at most "
                f"{SESSION_MIN:g}."
            )
        n, recent, day = len(universe), bars_in(HALF_HOUR, bar_min), bars_of(SESSION_MIN, bar_min)
        return cls(
            universe=universe,
            bar_min=bar_min,
            session=None,
            k=0,
            folds=folds,
            prices=Prices.empty(n, day),
            moves=Moves.empty(n, recent, day),
            ranges=Ranges.empty(n, day),
            true_range=TrueRange.empty(n),
            volumes=Volumes.empty(n, recent, day),
        )

    def bars_in(self, minutes: float) -> int:
        return bars_in(minutes, self.bar_min)

    @property
    def last(self) -> Floats:
        """Last price (n,) USD of this session, NaN before a name's first trade in it."""
        return self.prices.today[-1]

    @property
    def minutes_left(self) -> float:
        """Minutes from the end of the last bar to the close; 0 for one that the close cut short."""
        assert self.session is not None, "a bar has been seen"
        return max(self.session.minutes - self.k * self.bar_min, 0.0)

    @property
    def bars_left(self) -> int:
        return round(self.minutes_left / self.bar_min)


def bars_in(minutes: float, bar_min: float) -> int:
    """Bars in a window, one at least; a feature whose window is no whole number is not told."""
    return max(1, round(minutes / bar_min))


def bars_of(minutes: float, bar_min: float) -> int:
    """Bars of a session of so many minutes, the last of which may be cut short."""
    return ceil(minutes / bar_min - 1e-9)


def is_whole(bars: float) -> bool:
    return abs(bars - round(bars)) < 1e-9
