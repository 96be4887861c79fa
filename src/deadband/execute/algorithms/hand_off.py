"""Hand-off: one order worked by an algorithm of IB's own, named and with validated parameters.

Names and parameters as IBKR's API has them (AvailableAlgoParams in its samples): Adaptive, Twap,
Vwap, ArrivalPx, PctVol. IB refuses to modify an order that one of its algorithms works (error 440),
so a change is a cancel and a new order. Times are UTC in IBKR's dashed form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ...core.errors import ConfigError
from ...core.orders import Algorithm
from ...core.parents import HandOff, Parent, Progress, Tick
from ...core.reasons import NOT_DISCRETIONARY, Code
from .wish import Wish

LEAST_PCT_VOL, MOST_PCT_VOL = 0.1, 0.5
"""What IB accepts as a share of volume."""


def wish(progress: Progress, tick: Tick) -> Wish:
    """All that is left, at the collar, with the algorithm's name on it."""
    parent = progress.parent
    return Wish(
        progress.leaves_qty, parent.order.price, Code.ALGO_HANDED_OFF, hand_off=hand_off(parent)
    )


def hand_off(parent: Parent) -> HandOff:
    """The descriptor of the parent's algorithm; ConfigError where IB would refuse a parameter."""
    strategy, parameters = DESCRIPTORS[parent.route.algorithm]
    return HandOff(strategy, tuple(parameters(parent)))


def _adaptive(parent: Parent) -> list[tuple[str, str]]:
    return [("adaptivePriority", "Urgent" if is_urgent(parent) else "Normal")]


def _twap(parent: Parent) -> list[tuple[str, str]]:
    kind = "Marketable" if is_urgent(parent) else "Midpoint"
    return [("strategyType", kind), *_times(parent), _past_end(parent)]


def _vwap(parent: Parent) -> list[tuple[str, str]]:
    rate = ("maxPctVol", _rate("max_participation", parent.tactics.max_participation))
    return [rate, *_times(parent), _past_end(parent), _no_take(parent)]


def _arrival(parent: Parent) -> list[tuple[str, str]]:
    return [
        ("maxPctVol", _rate("max_participation", parent.tactics.max_participation)),
        ("riskAversion", "Get Done" if is_urgent(parent) else "Neutral"),
        *_times(parent),
        ("forceCompletion", _flag(on=parent.tactics.complete)),
        _past_end(parent),
    ]


def _pct_vol(parent: Parent) -> list[tuple[str, str]]:
    rate = ("pctVol", _rate("participation", parent.tactics.participation))
    return [rate, *_times(parent), _no_take(parent)]


DESCRIPTORS: Mapping[Algorithm, tuple[str, Callable[[Parent], list[tuple[str, str]]]]] = {
    Algorithm.IB_ADAPTIVE: ("Adaptive", _adaptive),
    Algorithm.IB_TWAP: ("Twap", _twap),
    Algorithm.IB_VWAP: ("Vwap", _vwap),
    Algorithm.IB_ARRIVAL: ("ArrivalPx", _arrival),
    Algorithm.IB_PCT_VOL: ("PctVol", _pct_vol),
}


def is_urgent(parent: Parent) -> bool:
    """An exit, a repair or a command: nothing that may wait for a better price."""
    return parent.order.reason in NOT_DISCRETIONARY


def _rate(name: str, value: float) -> str:
    if not LEAST_PCT_VOL <= value <= MOST_PCT_VOL:
        raise ConfigError(
            (
                f"tactics.{name}={value:g} is outside of the {LEAST_PCT_VOL:g} to {MOST_PCT_VOL:g} "
                "that IB's algorithms accept. Choose one inside, or an algorithm of our own.",
            )
        )
    return f"{value:g}"


def _times(parent: Parent) -> list[tuple[str, str]]:
    return [("startTime", _clock(parent.start)), ("endTime", _clock(parent.deadline))]


def _clock(ns: int) -> str:
    return datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y%m%d-%H:%M:%S")


def _past_end(parent: Parent) -> tuple[str, str]:
    # The deadline is ours to keep: an order that lives on past it would be out of the schedule.
    return ("allowPastEndTime", _flag(on=False))


def _no_take(parent: Parent) -> tuple[str, str]:
    return ("noTakeLiq", _flag(on=not parent.tactics.complete))


def _flag(*, on: bool) -> str:
    return "1" if on else "0"
