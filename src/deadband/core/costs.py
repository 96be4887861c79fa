"""The one formula for what a trade costs: half a spread, impact and commission.

The optimizer's cost vector, the embedded simulated market's quotes and the simulated broker's
fills all read this page, so that a decision is judged by the costs it was made with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .arrays import Floats
from .units import BPS

OPEN_WIDENING = 2.0
OPEN_DECAY_MIN = 15.0
CLOSE_WIDENING = 0.3
CLOSE_DECAY_MIN = 5.0
SPREAD_AT_100M_BPS = 2.0
"""Quoted midday spread of a stock that trades 100 million dollars a day."""


@dataclass(frozen=True, slots=True)
class CostSettings:
    """Frictions of the simulated market; commissions are IBKR's fixed US pricing."""

    scale: float = 1.0
    """Multiplies spread, impact and commission alike."""
    spread_scale: float = 1.0
    """Multiplies the simulated spread alone."""
    spread_paid: float = 1.0
    """Share of the half-spread a fill pays: 1 crosses, 0 is the mid, -1 rests; `deadband tca`."""
    impact: float = 0.7
    """Y of the square-root law: cost = Y · σ_day · √(shares / ADV)."""
    commission_per_share: float = 0.005
    """USD a share."""
    commission_min: float = 1.0
    """USD an order at least."""
    commission_max: float = 0.01
    """Share of an order's value at most, even below the minimum."""


def spread_curve(minute: float, session_min: float) -> float:
    """How wide spreads are at `minute` of a session of `session_min`, midday = 1."""
    after_open = OPEN_WIDENING * np.exp(-max(minute, 0.0) / OPEN_DECAY_MIN)
    before_close = CLOSE_WIDENING * np.exp(-max(session_min - minute, 0.0) / CLOSE_DECAY_MIN)
    return float(1.0 + after_open + before_close)


def half_spread(price: Floats, adv_usd: Floats, tick: Floats, curve: float, scale: float) -> Floats:
    """Half the quoted spread in USD: falls with the root of dollar volume, never below half a tick.

    `adv_usd` is average daily dollar volume; `scale` multiplies the result, floor and all, so that
    0 is a market without spreads.
    """
    bps = SPREAD_AT_100M_BPS * np.sqrt(1e8 / np.maximum(adv_usd, 1e5)) * curve
    return np.maximum(0.5 * price * bps * BPS, 0.5 * tick) * scale


def impact(shares: Floats, adv: Floats, sigma_day: Floats, settings: CostSettings) -> Floats:
    """Price impact as a fraction of price, by the square-root law, for a trade of `shares`."""
    share = np.abs(shares) / np.maximum(adv, 1.0)
    return settings.scale * settings.impact * sigma_day * np.sqrt(share)


def commission(shares: int, price: float, settings: CostSettings) -> float:
    """Commission in USD of one whole order, IBKR fixed: per share, with a minimum and a maximum."""
    if shares == 0:
        return 0.0
    value = abs(shares) * price
    floor = max(settings.commission_min, settings.commission_per_share * abs(shares))
    return settings.scale * min(floor, settings.commission_max * value)


def one_way_bps(
    price: Floats,
    spread_bps: Floats,
    adv: Floats,
    sigma_day: Floats,
    ticket_usd: float,
    settings: CostSettings,
) -> Floats:
    """Expected one-way cost (n,), bps of traded notional, of a ticket of `ticket_usd` a name."""
    safe = np.maximum(price, 1e-4)
    shares = ticket_usd / safe
    fee = np.minimum(
        np.maximum(settings.commission_per_share * shares, settings.commission_min),
        settings.commission_max * ticket_usd,
    )
    fee_bps = settings.scale * fee / max(ticket_usd, 1e-9) / BPS
    half_bps = 0.5 * spread_bps * settings.spread_paid
    # What resting earns may pay for impact and fees, but a trade is never worth making for it.
    return np.maximum(half_bps + impact(shares, adv, sigma_day, settings) / BPS + fee_bps, 0.0)
