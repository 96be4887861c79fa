"""The desk's shares as fractions of NAV, and the worst that may come of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...core.arrays import Bools, Floats, Ints
from ...core.reasons import Code
from .desk import Denial, Desk

SLACK = 1e-9
"""Fraction of NAV by which binary sums may be off a bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Breach:
    """A bound that the asked orders would pass, and which of them (m,) push it."""

    denial: Denial
    pushing: Bools


@dataclass(slots=True, eq=False)
class Weights:
    """Fractions of NAV: held, known working buys and sells, unsure ones `up` and `down` (n,).

    order (m,): what each asked order adds, signed; 0 where it cannot be read.
    """

    desk: Desk
    held: Floats = field(init=False)
    buys: Floats = field(init=False)
    sells: Floats = field(init=False)
    up: Floats = field(init=False)
    down: Floats = field(init=False)
    order: Floats = field(init=False)

    def __post_init__(self) -> None:
        desk = self.desk
        book = desk.asked.seen.portfolio
        per_share = book.price / book.nav
        self.held, self.buys = desk.held * per_share, desk.buys * per_share
        self.sells = desk.sells * per_share
        self.up, self.down = desk.unsure_buys * per_share, desk.unsure_sells * per_share
        self.order = desk.qty * per_share[desk.name]

    @property
    def base(self) -> Floats:
        """The book (n,) once all that is known to work has filled."""
        base: Floats = self.held + self.buys - self.sells
        return base

    def busy(self) -> Ints:
        """Names that are held, or of which something works: the others add to no sum."""
        busy: Ints = (
            (self.held != 0) | (self.buys + self.sells != 0) | (self.up + self.down != 0)
        ).nonzero()[0]
        return busy

    def ends(self, *, asked: bool) -> tuple[Floats, Floats]:
        """The highest and the lowest weight (n,) of each name, whatever fills and does not."""
        high, low = self.held + self.buys + self.up, self.held - self.sells - self.down
        if asked:
            high = high + self.by_name(np.maximum(self.order, 0.0))
            low = low + self.by_name(np.minimum(self.order, 0.0))
        return high, low

    def filled(self, denied: Bools) -> tuple[Floats, Floats]:
        """As `ends`, once all that works has filled and the shrinking orders not denied too."""
        helps = np.where(denied | self.desk.growing, 0.0, self.order)
        high = np.maximum(self.order, 0.0) + np.minimum(helps, 0.0)
        low = np.minimum(self.order, 0.0) + np.maximum(helps, 0.0)
        return (
            self.base + self.up + self.by_name(high),
            self.base - self.down + self.by_name(low),
        )

    def by_name(self, of_orders: Floats) -> Floats:
        """Sums (n,) of what orders (m,) add to their names."""
        read = self.desk.name >= 0
        summed = np.zeros(len(self.held))
        np.add.at(summed, self.desk.name[read], of_orders[read])
        return summed

    def members(self, names: Bools) -> Bools:
        """Which orders (m,) are of these names (n,)."""
        members: Bools = (self.desk.name >= 0) & names[self.desk.name]
        return members


def size(high: Floats, low: Floats) -> Floats:
    """The largest |w| (n,) of an interval."""
    largest: Floats = np.maximum(np.maximum(high, -low), 0.0)
    return largest


def priced(desk: Desk) -> Breach | None:
    """Nothing grows while a name that is held, works or is asked for has no price."""
    busy = (desk.held != 0) | (desk.lowest != desk.highest)
    read = desk.name >= 0
    busy[desk.name[read]] = True
    missing = busy & ~(desk.asked.seen.portfolio.price > 0)
    if not missing.any():
        return None
    return Breach(Denial(Code.GATE_FAILED, float(missing.sum()), 0.0), desk.growing)
