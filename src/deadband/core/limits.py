"""Every limit has one name here, used by greedy, the convex program, policy and monitor alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from .arrays import Bools, Floats, Ints, exact_sum

TOLERANCE = 1e-12
"""A limit is kept when value ≤ bound + TOLERANCE·(1 + bound)."""


class Limit(StrEnum):
    """The names; `number` is what columns and the journal store."""

    number: int

    def __new__(cls, value: str, number: int) -> Limit:
        member = str.__new__(cls, value)
        member._value_ = value
        member.number = number
        return member

    PER_NAME_CAP = "PER_NAME_CAP", 1
    GROSS = "GROSS", 2
    NET = "NET", 3
    SECTOR = "SECTOR", 4
    SECTOR_GROSS = "SECTOR_GROSS", 5
    BETA = "BETA", 6
    TURNOVER = "TURNOVER", 7
    TURNOVER_NAME = "TURNOVER_NAME", 8
    TURNOVER_DAY = "TURNOVER_DAY", 13
    FULLY_INVESTED = "FULLY_INVESTED", 9
    SLOTS = "SLOTS", 10
    BUDGET = "BUDGET", 11
    PERMIT = "PERMIT", 12


BY_NUMBER: Mapping[int, Limit] = {limit.number: limit for limit in Limit}


@dataclass(frozen=True, slots=True)
class Limits:
    """The mandate, fractions of NAV; `sector_gross` and `beta` are None when not asked for."""

    per_name_cap: float
    gross: float
    net: float
    sector: float
    sector_gross: float | None
    beta: float | None
    turnover: float
    turnover_name: float
    allow_short: bool
    fully_invested: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """What limits are summed over: sector number (n,), −1 for none; β (n,) or None."""

    group: Ints
    group_names: tuple[str, ...]
    beta: Floats | None

    def exposure(self, weights: Floats) -> Exposure:
        """Measure a book (n,), summed exactly."""
        held = np.flatnonzero(weights)
        w = weights[held]
        group = self.group[held]
        sector = np.zeros(len(self.group_names))
        sector_gross = np.zeros(len(self.group_names))
        for k in np.unique(group[group >= 0]):
            members = w[group == k]
            sector[k] = exact_sum(members)
            sector_gross[k] = exact_sum(np.abs(members))
        beta = 0.0 if self.beta is None else exact_sum(self.beta[held] * w)
        return Exposure(exact_sum(np.abs(w)), exact_sum(w), sector, sector_gross, beta)


@dataclass(slots=True, eq=False)
class Exposure:
    """What a book uses of the limits: signed sums, fractions of NAV; sector arrays (k,)."""

    gross: float
    net: float
    sector: Floats
    sector_gross: Floats
    beta: float


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """The limits as they hold in one cycle, widened where SEMANTICS §3 says so.

    A passive breach within the repair tolerance may stay but not grow; a frozen name keeps its
    weight. `low`, `high` (n,) bound each weight; the rest bound absolute sums.
    """

    low: Floats
    high: Floats
    gross: float
    net: float
    sector: Floats
    sector_gross: Floats
    beta: float
    turnover: float
    turnover_name: float


def passive(bound: float, current: float, tolerance: float) -> float:
    """Widen `bound` to what prices made of the book, if that is within `tolerance`."""
    return max(bound, current) if current <= bound + tolerance else bound


def widen(
    limits: Limits, structure: Structure, current: Floats, frozen: Bools, tolerance: float
) -> Bounds:
    """Bounds of this cycle from the mandate, the current book (n,) and who may not trade (n,)."""
    cap = limits.per_name_cap
    size = np.abs(current)
    held_over = (size > cap) & (size <= cap + tolerance)
    high = np.where(frozen | held_over, np.maximum(cap, current), cap)
    floor = -cap if limits.allow_short else 0.0
    short_over = held_over & limits.allow_short
    low = np.where(frozen | short_over, np.minimum(floor, current), floor)
    now = structure.exposure(current)
    stuck = structure.exposure(np.where(frozen, current, 0.0))
    sector = np.full(len(now.sector), limits.sector)
    sector_gross = np.full(
        len(now.sector), np.inf if limits.sector_gross is None else limits.sector_gross
    )
    for k in range(len(sector)):
        sector[k] = max(passive(sector[k], abs(now.sector[k]), tolerance), abs(stuck.sector[k]))
        sector_gross[k] = max(
            passive(sector_gross[k], now.sector_gross[k], tolerance), stuck.sector_gross[k]
        )
    beta = np.inf
    if limits.beta is not None and structure.beta is not None:
        beta = max(passive(limits.beta, abs(now.beta), tolerance), abs(stuck.beta))
    return Bounds(
        low=low,
        high=high,
        gross=max(passive(limits.gross, now.gross, tolerance), stuck.gross),
        net=max(passive(limits.net, abs(now.net), tolerance), abs(stuck.net)),
        sector=sector,
        sector_gross=sector_gross,
        beta=beta,
        turnover=limits.turnover,
        turnover_name=limits.turnover_name,
    )


def reserve(bounds: Bounds, structure: Structure, current: Floats, reserved: Floats) -> Bounds:
    """Bounds tightened by what orders of unknown fate may still do, never below what is held now.

    `reserved` (n,) ≥ 0 is the weight each such name may yet move by, in the direction that hurts.
    """
    now, worst = structure.exposure(current), structure.exposure(reserved)
    beta = 0.0 if structure.beta is None else exact_sum(np.abs(structure.beta) * reserved)
    return replace(
        bounds,
        gross=max(now.gross, bounds.gross - worst.gross),
        net=max(abs(now.net), bounds.net - worst.gross),
        sector=np.maximum(np.abs(now.sector), bounds.sector - worst.sector_gross),
        sector_gross=np.maximum(now.sector_gross, bounds.sector_gross - worst.sector_gross),
        beta=max(abs(now.beta), bounds.beta - beta),
    )


def excesses(bounds: Bounds, structure: Structure, weights: Floats) -> dict[str, float]:
    """By how much each exposure limit is exceeded, by name (`SECTOR:Energy`); empty when kept."""
    used = structure.exposure(weights)
    name_excess = np.maximum(weights - bounds.high, bounds.low - weights)
    pairs = [
        (Limit.PER_NAME_CAP.value, float(name_excess.max(initial=-1.0)), 0.0),
        (Limit.NET.value, abs(used.net), bounds.net),
        (Limit.GROSS.value, used.gross, bounds.gross),
        (Limit.BETA.value, abs(used.beta), bounds.beta),
    ]
    for k, sector in enumerate(structure.group_names):
        pairs.append((f"{Limit.SECTOR}:{sector}", abs(used.sector[k]), bounds.sector[k]))
        pairs.append(
            (f"{Limit.SECTOR_GROSS}:{sector}", used.sector_gross[k], bounds.sector_gross[k])
        )
    return {name: value - bound for name, value, bound in pairs if not keeps(value, bound)}


def keeps(value: float, bound: float) -> bool:
    """Whether a limit is kept, up to the last bits of its sum."""
    return value <= bound + TOLERANCE * (1.0 + bound)
