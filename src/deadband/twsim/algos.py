"""IBKR's algorithms, plausibly: how many shares may have traded by now, and how they trade.

What IBKR's do inside is not public. These keep the promises that are (a horizon, a share of volume,
a display size), so that a client sees partial fills come over time; their costs mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from .market import volume_share
from .ticket import Ticket
from .timeline import parse_stamp

ADAPTIVE_WAIT_S = MappingProxyType({"Urgent": 2.0, "Normal": 10.0, "Patient": 30.0})
"""How long an Adaptive order waits for its own side's price before it crosses."""
ARRIVAL_BEND = MappingProxyType({"Get Done": 6.0, "Aggressive": 4.0, "Neutral": 2.0, "Passive": 1})
"""How front-loaded ArrivalPx is: e-folds over the horizon."""
CLOSE_RAMP_MIN = 30.0
SPARE_MIN = 1.0
"""Orders without an end of their own are through by this much before the close."""
DARK_ICE_PAUSE_S = 15.0
TWAP_SLICE_S = 60.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What an algorithm may look at: now, its horizon, its session and the volume it may follow."""

    now: datetime
    start: datetime
    end: datetime
    session_open: datetime
    session_close: datetime
    volume_since: int

    @property
    def elapsed(self) -> float:
        """Part of the horizon that has passed, 0 to 1."""
        length = (self.end - self.start).total_seconds()
        return min(max((self.now - self.start).total_seconds() / length, 0.0), 1.0) if length else 1

    def share_of_day(self, instant: datetime) -> float:
        length = (self.session_close - self.session_open).total_seconds() / 60
        return volume_share((instant - self.session_open).total_seconds() / 60, length)


Schedule = Callable[[Ticket, Moment], float]
"""Part of the order, 0 to 1, that may have traded by now."""


def _twap(ticket: Ticket, at: Moment) -> float:
    horizon = max((at.end - at.start).total_seconds(), 1.0)
    slices = max(math.floor(horizon / TWAP_SLICE_S), 1)
    return min(math.floor(at.elapsed * slices + 1) / slices, 1.0)


def _vwap(ticket: Ticket, at: Moment) -> float:
    done, start, end = (at.share_of_day(t) for t in (at.now, at.start, at.end))
    part = (done - start) / (end - start) if end > start else 1.0
    return min(part, _volume_cap(ticket, at, "maxPctVol"))


def _arrival(ticket: Ticket, at: Moment) -> float:
    bend = ARRIVAL_BEND.get(ticket.params.get("riskAversion", ""), 2.0)
    part = (1 - math.exp(-bend * at.elapsed)) / (1 - math.exp(-bend))
    return min(part, _volume_cap(ticket, at, "maxPctVol"))


def _participate(ticket: Ticket, at: Moment) -> float:
    return _volume_cap(ticket, at, "pctVol")


def _close(ticket: Ticket, at: Moment) -> float:
    left = (at.session_close - at.now).total_seconds() / 60 - SPARE_MIN
    ramp = 1 - min(max(left / CLOSE_RAMP_MIN, 0.0), 1.0)
    return min(ramp * ramp, _volume_cap(ticket, at, "maxPctVol"))


def _dark_ice(ticket: Ticket, at: Moment) -> float:
    shown = ticket.price("displaySize") or 100.0
    turns = math.floor((at.now - at.start).total_seconds() / DARK_ICE_PAUSE_S) + 1
    return shown * turns / max(ticket.quantity, 1.0)


def _volume_cap(ticket: Ticket, at: Moment, name: str) -> float:
    """The part of the order that the share of volume named by a parameter allows."""
    rate = _number(ticket.params.get(name, ""))
    if rate is None:
        return 1.0
    return rate * at.volume_since / max(ticket.quantity, 1.0)


def _number(written: str) -> float | None:
    try:
        return float(written)
    except ValueError:
        return None


SCHEDULES: Mapping[str, Schedule] = MappingProxyType(
    {
        "Adaptive": lambda ticket, at: 1.0,
        "Twap": _twap,
        "Vwap": _vwap,
        "ArrivalPx": _arrival,
        "PctVol": _participate,
        "ClosePx": _close,
        "DarkIce": _dark_ice,
    }
)

_RATES = MappingProxyType(
    {"maxPctVol": (0.01, 0.5), "pctVol": (0.1, 0.5)},
)
_CHOICES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "adaptivePriority": frozenset(ADAPTIVE_WAIT_S),
        "riskAversion": frozenset(ARRIVAL_BEND),
    }
)


def fault_of(ticket: Ticket) -> str:
    """Why an algo order cannot be taken, or nothing."""
    shown = ticket.price("displaySize")
    if shown is not None and shown < 1:
        return f"displaySize is {shown}"
    if ticket.algo not in SCHEDULES:
        return f"Unknown algorithm {ticket.algo}"
    params = ticket.params
    for name, (least, most) in _RATES.items():
        rate = _number(params[name]) if name in params else least
        if rate is None or not least <= rate <= most:
            return f"Algorithm parameter {name} is {params[name]}, expected {least} to {most}"
    for name, choices in _CHOICES.items():
        if name in params and params[name] not in choices:
            return f"Algorithm parameter {name} is {params[name]}, expected {sorted(choices)}"
    if ticket.algo == "PctVol" and "pctVol" not in params:
        return "Algorithm parameter pctVol is missing"
    if ticket.algo == "Adaptive" and "adaptivePriority" not in params:
        return "Algorithm parameter adaptivePriority is missing"
    for name in ("startTime", "endTime"):
        if params.get(name):
            try:
                parse_stamp(params[name])
            except ValueError:
                return f"Algorithm parameter {name} is {params[name]}, expected yyyymmdd-hh:mm:ss"
    return ""


def horizon(ticket: Ticket, placed: datetime, close: datetime) -> tuple[datetime, datetime]:
    """First and last instant of an algo order: its own times, else to shortly before the close.

    An end before the start leaves no time: all of it is due at the start.
    """
    start_text, end_text = (ticket.params.get(name, "") for name in ("startTime", "endTime"))
    start = max(parse_stamp(start_text), placed) if start_text else placed
    last = close - timedelta(minutes=SPARE_MIN)
    end = min(parse_stamp(end_text), last) if end_text else last
    return start, max(start, end)


def shares_due(ticket: Ticket, at: Moment) -> int:
    """Whole shares of the order that may have traded by now."""
    if at.now < at.start:
        return 0
    part = SCHEDULES[ticket.algo](ticket, at)
    return min(math.floor(part * ticket.quantity + 1e-9), ticket.shares)


def crosses_by(ticket: Ticket, placed: datetime, now: datetime) -> bool:
    """Whether an order of this algorithm takes the other side's price yet."""
    if ticket.algo != "Adaptive":
        return True
    wait = ADAPTIVE_WAIT_S[ticket.params["adaptivePriority"]]
    return (now - placed).total_seconds() >= wait
