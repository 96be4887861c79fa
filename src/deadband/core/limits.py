"""Every limit has one name here, used by greedy, the convex program, policy and monitor alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from .arrays import (
    Bools,
    Floats,
    Ints,
    constant,
    exact_sum,
    freeze,
    highest,
    lowest,
    sealed,
    support,
)

TOLERANCE = 1e-12
"""A limit is kept when value ≤ bound + TOLERANCE·(1 + |bound|)."""


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
    ROW = "ROW", 14


# Plain texts, read once: an enum's `value` costs as much as measuring against it.
PER_NAME_CAP, GROSS = Limit.PER_NAME_CAP.value, Limit.GROSS.value
NET, BETA = Limit.NET.value, Limit.BETA.value
TURNOVER, TURNOVER_NAME = Limit.TURNOVER.value, Limit.TURNOVER_NAME.value
TURNOVER_DAY, FULLY_INVESTED = Limit.TURNOVER_DAY.value, Limit.FULLY_INVESTED.value

RELAX_ORDER = ("fully_invested", "turnover", "turnover_name", "rows", "beta", "sector", "net")
"""Classes of limits that may give way where limits conflict, the one given up first in front.

"rows" are the user's own; caps, gross and what may not trade never give way (SEMANTICS §3).
"""

BY_NUMBER: Mapping[int, Limit] = {limit.number: limit for limit in Limit}

Reach = tuple[float, float, float]
"""Of boxes (n,): a lowest and a highest weight inside all of them, and the largest |w| in any."""


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


class Held(NamedTuple):
    """What a book holds: `names` (m,) and `weights` (m,), the same as a list, and the extremes."""

    names: Ints
    weights: Floats
    sizes: list[float]
    lowest: float
    highest: float


def held_in(weights: Floats) -> Held:
    """What a book (n,) holds: its sums, limits and costs need look at nothing else."""
    names = support(weights)
    return _held(names, weights[names])


def _held(names: Ints, weights: Floats) -> Held:
    sizes = weights.tolist()
    if not sizes:
        return Held(names, weights, sizes, 0.0, 0.0)
    return Held(names, weights, sizes, sizes[weights.argmin()], sizes[weights.argmax()])


@lru_cache(maxsize=16)
def sector_limits(group_names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of SECTOR and of SECTOR_GROSS of each group."""
    return (
        tuple(f"{Limit.SECTOR}:{group}" for group in group_names),
        tuple(f"{Limit.SECTOR_GROSS}:{group}" for group in group_names),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """What limits are summed over: sector number (n,), −1 for none; β (n,) or None."""

    group: Ints
    group_names: tuple[str, ...]
    beta: Floats | None

    def exposure(self, weights: Floats) -> Exposure:
        """Measure a book (n,), summed exactly."""
        return self.exposure_of(held_in(weights))

    def exposure_of(self, held: Held) -> Exposure:
        """Measure a book by what it holds."""
        net = math.fsum(held.sizes)
        # Without shorts the sum of sizes is the same sum.
        gross = net if held.lowest >= 0.0 else math.fsum(map(abs, held.sizes))
        beta = 0.0 if self.beta is None else exact_sum(self.beta[held.names] * held.weights)
        return Exposure(gross, net, self._by_sector(held, held.sizes), beta)

    def sector_gross_of(self, held: Held) -> Floats:
        """Σ|w| of each sector (k,), apart from the rest: few mandates limit it."""
        return self._by_sector(held, list(map(abs, held.sizes)))

    def _by_sector(self, held: Held, sizes: list[float]) -> Floats:
        members: list[list[float]] = [[] for _ in self.group_names]
        if members:
            for k, size in zip(self.group[held.names].tolist(), sizes, strict=True):
                if k >= 0:
                    members[k].append(size)
        return np.array(list(map(math.fsum, members)))


@dataclass(slots=True, eq=False)
class Exposure:
    """What a book uses of the limits, fractions of NAV; sector (k,), with signs."""

    gross: float
    net: float
    sector: Floats
    beta: float


def reach_of(low: Floats, high: Floats) -> Reach:
    return highest(low), lowest(high), max(highest(high), -lowest(low), 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """The limits as they hold in one cycle, widened where SEMANTICS §3 says so.

    A passive breach within the repair tolerance may stay but not grow; a frozen name keeps its
    weight. `low`, `high` (n,) bound each weight; the rest bound absolute sums. `known`: their
    reach, from whoever made them and need not look at all n.
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
    known: InitVar[Reach | None] = None
    reach: Reach = field(init=False)

    def __post_init__(self, known: Reach | None) -> None:
        freeze(self, "low", "high", "sector", "sector_gross")
        object.__setattr__(self, "reach", known or reach_of(self.low, self.high))

    def with_box(self, name: int, size: float) -> Bounds:
        """The same, but for one name that may go from −`size` to `size`."""
        low, high = self.low.copy(), self.high.copy()
        low[name], high[name] = -size, size
        return replace(self, low=sealed(low), high=sealed(high))


def passive(bound: float, current: float, tolerance: float) -> float:
    """Widen `bound` to what prices made of the book, if that is within `tolerance`."""
    return max(bound, current) if current <= bound + tolerance else bound


def _each_passive(bound: float, current: Floats, tolerance: float) -> Floats:
    """As `passive`, of each of `current` (k,)."""
    if highest(current) <= bound:
        same: Floats = constant(len(current), bound)
        return same
    within = current <= bound + tolerance
    each: Floats = sealed(np.where(within, np.maximum(bound, current), bound))
    return each


def widen(
    limits: Limits,
    structure: Structure,
    current: Floats,
    frozen: Bools,
    tolerance: float,
    held: Held | None = None,
) -> Bounds:
    """Bounds of this cycle from the mandate, the current book (n,) and who may not trade (n,).

    `held`: what the current book holds, where that is known already.
    """
    held = held or held_in(current)
    fixed = frozen[held.names]
    now = structure.exposure_of(held)
    low, high, reach = _boxes(limits, len(current), held, fixed, tolerance)
    beta = np.inf if limits.beta is None or structure.beta is None else limits.beta
    bounds = Bounds(
        low=low,
        high=high,
        gross=passive(limits.gross, now.gross, tolerance),
        net=passive(limits.net, abs(now.net), tolerance),
        sector=_each_passive(limits.sector, np.abs(now.sector), tolerance),
        sector_gross=_sector_gross(limits, structure, held, tolerance),
        beta=passive(beta, abs(now.beta), tolerance),
        turnover=limits.turnover,
        turnover_name=limits.turnover_name,
        known=reach,
    )
    if not np.count_nonzero(fixed):
        return bounds
    fixed_book = _held(held.names[fixed], held.weights[fixed])
    stuck = structure.exposure_of(fixed_book)
    return replace(
        bounds,
        gross=max(bounds.gross, stuck.gross),
        net=max(bounds.net, abs(stuck.net)),
        sector=sealed(np.maximum(bounds.sector, np.abs(stuck.sector))),
        sector_gross=sealed(np.maximum(bounds.sector_gross, structure.sector_gross_of(fixed_book))),
        beta=max(bounds.beta, abs(stuck.beta)),
        known=reach,
    )


def _sector_gross(limits: Limits, structure: Structure, held: Held, tolerance: float) -> Floats:
    if limits.sector_gross is None:
        none: Floats = constant(len(structure.group_names), np.inf)
        return none
    return _each_passive(limits.sector_gross, structure.sector_gross_of(held), tolerance)


def _boxes(
    limits: Limits, n: int, held: Held, fixed: Bools, tolerance: float
) -> tuple[Floats, Floats, Reach]:
    """Lowest and highest weights (n,); names that are held can have boxes wider than the cap."""
    cap, short = limits.per_name_cap, limits.allow_short
    floor = -cap if short else 0.0
    low, high = constant(n, floor), constant(n, cap)
    if max(held.highest, -held.lowest) <= cap and not np.count_nonzero(fixed):
        return low, high, (floor, cap, cap)
    size = np.abs(held.weights)
    own = fixed | ((size > cap) & (size <= cap + tolerance))
    names, weights = held.names[own], held.weights[own]
    low, high = low.copy(), high.copy()
    high[names] = np.maximum(cap, weights)
    low[names] = np.where(fixed[own] | short, np.minimum(floor, weights), floor)
    widest = max(cap, highest(high[names]), -lowest(low[names]))
    return sealed(low), sealed(high), (floor, cap, widest)


def reserve(bounds: Bounds, structure: Structure, current: Floats, reserved: Floats) -> Bounds:
    """Bounds tightened by what orders of unknown fate may still do, never below what is held now.

    `reserved` (n,) ≥ 0 is the weight each such name may yet move by, in the direction that hurts.
    """
    held, most = held_in(current), held_in(reserved)
    now, worst = structure.exposure_of(held), structure.exposure_of(most)
    now_gross, worst_gross = structure.sector_gross_of(held), structure.sector_gross_of(most)
    beta = 0.0 if structure.beta is None else exact_sum(np.abs(structure.beta) * reserved)
    return replace(
        bounds,
        gross=max(now.gross, bounds.gross - worst.gross),
        net=max(abs(now.net), bounds.net - worst.gross),
        sector=np.maximum(np.abs(now.sector), bounds.sector - worst_gross),
        sector_gross=np.maximum(now_gross, bounds.sector_gross - worst_gross),
        beta=max(abs(now.beta), bounds.beta - beta),
    )


def excesses(bounds: Bounds, structure: Structure, weights: Floats) -> dict[str, float]:
    """By how much each exposure limit is exceeded, by name (`SECTOR:Energy`); empty when kept."""
    held = held_in(weights)
    used = structure.exposure_of(held)
    names = suspects(bounds.reach, held)
    excess = 0.0
    if names is not None:
        w = weights[names]
        excess = max(0.0, highest(np.maximum(w - bounds.high[names], bounds.low[names] - w)))
    pairs = [
        (PER_NAME_CAP, excess, 0.0),
        (NET, abs(used.net), bounds.net),
        (GROSS, used.gross, bounds.gross),
        (BETA, abs(used.beta), bounds.beta),
    ]
    signed, sized = sector_limits(structure.group_names)
    pairs += zip(signed, np.abs(used.sector).tolist(), bounds.sector.tolist(), strict=True)
    if lowest(bounds.sector_gross) < np.inf:
        own = structure.sector_gross_of(held).tolist()
        pairs += zip(sized, own, bounds.sector_gross.tolist(), strict=True)
    # What keeps its bound plainly needs no allowance for last bits.
    over = [pair for pair in pairs if pair[1] > pair[2]]
    return {name: value - bound for name, value, bound in over if not keeps(value, bound)}


def suspects(reach: Reach, held: Held) -> Ints | slice | None:
    """The names of a book whose own boxes must be asked: none while it is inside all of them."""
    low, high, _ = reach
    if not low <= 0.0 <= high:
        return slice(None)
    inside = low <= held.lowest and held.highest <= high
    return None if inside else held.names


def keeps(value: float, bound: float) -> bool:
    """Whether a limit is kept, up to the last bits of its sum."""
    return value <= bound + TOLERANCE * (1.0 + abs(bound))
