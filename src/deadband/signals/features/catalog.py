"""Which features there are, and how each is read from what the bars left behind."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from ...core.arrays import Floats
from ...core.session import SESSION_MIN
from .state import HALF_HOUR, FeatureState, is_whole
from .volatility import ranged, realized
from .volume import DOLLARS, SHARES

Reader = Callable[[FeatureState], Floats | float]


def _return_over(minutes: float) -> Reader:
    return lambda state: state.prices.return_over(state.bars_in(minutes))


def _return_since(sessions: int) -> Reader:
    return lambda state: state.prices.return_since(sessions)


def _opening_return(state: FeatureState) -> Floats:
    return state.prices.opening_return(state.bars_in(HALF_HOUR))


def _slot_return(state: FeatureState) -> Floats:
    return state.prices.slot_return(state.bars_left, state.bars_in(HALF_HOUR))


def _vwap_distance(state: FeatureState) -> Floats:
    distance: Floats = state.last / state.volumes.average_price() - 1.0
    return distance


READERS: dict[str, tuple[float, Reader]] = {
    "return_5m": (5.0, _return_over(5.0)),
    "return_30m": (HALF_HOUR, _return_over(HALF_HOUR)),
    "return_1d": (0.0, _return_since(1)),
    "return_5d": (0.0, _return_since(5)),
    "opening_return_30m": (HALF_HOUR, _opening_return),
    "slot_return_30m": (HALF_HOUR, _slot_return),
    "overnight_gap": (0.0, lambda state: state.prices.gap()),
    "realized_vol_30m": (HALF_HOUR, lambda state: realized(state.ranges.recent)),
    "realized_vol_1d": (SESSION_MIN, lambda state: realized(state.ranges.day)),
    "range_vol_1d": (SESSION_MIN, lambda state: ranged(state.ranges.day)),
    "atr_30m": (HALF_HOUR, lambda state: state.true_range.of(state.last)),
    "volume_ratio": (HALF_HOUR, lambda state: state.volumes.ratio(SHARES)),
    "dollar_volume_ratio": (HALF_HOUR, lambda state: state.volumes.ratio(DOLLARS)),
    "vwap_distance": (0.0, _vwap_distance),
    "spread": (0.0, lambda state: 2.0 * state.prices.half_spread / state.last),
    "since_open_min": (0.0, lambda state: state.k * state.bar_min),
    "to_close_min": (0.0, lambda state: state.minutes_left),
}
"""Per feature the minutes that must be whole bars, and its reader; one number is every name's."""

FEATURES = tuple(READERS)
"""Every feature's name."""


@cache
def measurable(bar_min: float) -> tuple[str, ...]:
    """The features that bars of this length can tell: their windows are whole numbers of bars."""
    return tuple(name for name, (minutes, _) in READERS.items() if is_whole(minutes / bar_min))
