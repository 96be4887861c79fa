"""Implementation shortfall of one parent order, split so that the parts add up.

Perold, "The implementation shortfall: paper versus reality" (1988): what the order would have made
on paper, filled whole at the decision's mid, less what it made. With s = +1 to buy, −1 to sell,
Q shares wanted, q_i filled at p_i while the mid was m_i, F = Σq_i:

    delay        s (arrival − decision) Q
    spread       Σ s (p_i − m_i) q_i
    impact       Σ s (m_i − arrival) q_i
    opportunity  s (end − arrival)(Q − F)
    fees

All in USD, + is worse for us. Impact is what the mid did from arrival to fill, whoever moved it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import Floats, Ints, freeze


@dataclass(frozen=True, slots=True, eq=False)
class Trade:
    """One parent order with its fills and the mids it is measured against (USD).

    at: ns of the decision; end: mid when it ended; qty, price, mid, ts (m,) per fill, `mid` as it
    stood then; half (USD) of the spread quoted at the decision; share: order over daily volume.
    """

    order_id: str
    symbol: str
    sign: int
    order_qty: int
    at: int
    reason: str
    algorithm: str
    decision: float
    arrival: float
    end: float
    fees: float
    half: float
    sigma_day: float
    share: float
    qty: Ints
    price: Floats
    mid: Floats
    ts: Ints

    def __post_init__(self) -> None:
        freeze(self, "qty", "price", "mid", "ts")

    @property
    def filled(self) -> int:
        return int(self.qty.sum())

    @property
    def notional(self) -> float:
        """What was to be traded at the decision's mid, USD."""
        return self.order_qty * self.decision


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The parts in USD, + is worse for us."""

    delay: float
    spread: float
    impact: float
    opportunity: float
    fees: float

    @property
    def total(self) -> float:
        return self.delay + self.spread + self.impact + self.opportunity + self.fees


def shortfall(trade: Trade) -> Shortfall:
    """The parts of one order's shortfall."""
    s, left = trade.sign, trade.order_qty - trade.filled
    return Shortfall(
        delay=s * (trade.arrival - trade.decision) * trade.order_qty,
        spread=s * float((trade.price - trade.mid) @ trade.qty),
        impact=s * float((trade.mid - trade.arrival) @ trade.qty),
        opportunity=s * (trade.end - trade.arrival) * left,
        fees=trade.fees,
    )


def paper_less_real(trade: Trade) -> float:
    """The whole of it from two portfolios: at the end's mid, whole and free against as it was."""
    paper = trade.sign * (trade.end - trade.decision) * trade.order_qty
    real = trade.sign * float((trade.end - trade.price) @ trade.qty) - trade.fees
    return paper - real


HORIZONS_S = (1, 10, 60, 300, 1800)
"""Seconds after a fill at which it is marked: 1 s to 30 min."""


def mark_out_bps(trade: Trade, later: Floats) -> Floats:
    """Gain (m,) of each fill against a later mid (m,), bps: below zero, the price turned on us.

    It is the realized half-spread of a fill with its sign turned.
    """
    gain: Floats = trade.sign * (later - trade.price) / trade.price / 1e-4
    return gain


def later_mids(ts: Ints, mids: Floats, fills: Ints, seconds: int, step_s: float) -> Floats:
    """The mid (m,) `seconds` after each fill, NaN past the data or where steps are too coarse."""
    wanted = fills + seconds * 1_000_000_000
    place = ts.searchsorted(wanted, side="right") - 1
    known = (place >= 0) & (wanted <= ts[-1]) & (seconds >= step_s)
    return np.where(known, mids[np.maximum(place, 0)], np.nan)
