"""Which features there are, and how each is read from what the bars left behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from ...core.arrays import Floats
from ...core.session import SESSION_MIN
from .state import HALF_HOUR, MOVES, RANGES, TRUE_RANGE, VOLUMES, FeatureState, is_whole
from .volatility import volatility
from .volume import DOLLARS, SHARES

Reader = Callable[[FeatureState], Floats | float]


@dataclass(frozen=True, slots=True)
class Feature:
    """Minutes that must be whole bars, the reader, and the part that it reads beside prices.

    One number is every name's.
    """

    window_min: float
    read: Reader
    part: str = ""


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


CATALOG = {
    "return_5m": Feature(5.0, _return_over(5.0)),
    "return_30m": Feature(HALF_HOUR, _return_over(HALF_HOUR)),
    "return_1d": Feature(0.0, _return_since(1)),
    "return_5d": Feature(0.0, _return_since(5)),
    "opening_return_30m": Feature(HALF_HOUR, _opening_return),
    "slot_return_30m": Feature(HALF_HOUR, _slot_return),
    "overnight_gap": Feature(0.0, lambda state: state.prices.gap()),
    "realized_vol_30m": Feature(HALF_HOUR, lambda state: volatility(state.moves.recent), MOVES),
    "realized_vol_1d": Feature(SESSION_MIN, lambda state: volatility(state.moves.day), MOVES),
    "range_vol_1d": Feature(SESSION_MIN, lambda state: volatility(state.ranges.day), RANGES),
    "atr_30m": Feature(HALF_HOUR, lambda state: state.true_range.of(state.last), TRUE_RANGE),
    "volume_ratio": Feature(HALF_HOUR, lambda state: state.volumes.ratio(SHARES), VOLUMES),
    "dollar_volume_ratio": Feature(HALF_HOUR, lambda state: state.volumes.ratio(DOLLARS), VOLUMES),
    "vwap_distance": Feature(0.0, _vwap_distance, VOLUMES),
    "spread": Feature(0.0, lambda state: 2.0 * state.prices.half_spread / state.last),
    "since_open_min": Feature(0.0, lambda state: state.k * state.bar_min),
    "to_close_min": Feature(0.0, lambda state: state.minutes_left),
}

FEATURES = tuple(CATALOG)
"""Every feature's name."""


@cache
def measurable(bar_min: float) -> tuple[str, ...]:
    """The features that bars of this length can tell: their windows are whole numbers of bars."""
    return tuple(
        name for name, feature in CATALOG.items() if is_whole(feature.window_min / bar_min)
    )


@cache
def parts_of(names: tuple[str, ...] | None) -> frozenset[str]:
    """What has to be folded for these features, beside prices; None: for all there are."""
    chosen = FEATURES if names is None else names
    return frozenset(CATALOG[name].part for name in chosen if name in CATALOG) - {""}
