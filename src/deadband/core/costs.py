"""The one formula for what a trade costs: half a spread, impact and commission.

The optimizer's cost vector, the embedded simulated market's quotes and the simulated broker's
fills all read this page, so that a decision is judged by the costs it was made with. What an order
owes is in `billing`, what a night costs in `carry`.
"""

from __future__ import annotations

import numpy as np

from .arrays import Floats
from .billing import added_share, is_regulated, marginal_rate, owed_at_most, sale_tax, venue_rate
from .cost_settings import CostSettings as CostSettings
from .units import BPS

OPEN_WIDENING = 2.0
OPEN_DECAY_MIN = 15.0
CLOSE_WIDENING = 0.3
CLOSE_DECAY_MIN = 5.0
SPREAD_AT_100M_BPS = 2.0
"""Quoted midday spread of a stock that trades 100 million dollars a day."""


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
    """USD of one whole order to buy: exact under fixed, under tiered the most that it can be."""
    return owed_at_most(abs(shares), price, settings)


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
    fee_bps = settings.scale * _fee(shares, ticket_usd, settings) / max(ticket_usd, 1e-9) / BPS
    half_bps = 0.5 * spread_bps * settings.spread_paid
    # What resting earns may pay for impact and fees, but a trade is never worth making for it.
    return np.maximum(half_bps + impact(shares, adv, sigma_day, settings) / BPS + fee_bps, 0.0)


def _fee(shares: Floats, ticket_usd: float, settings: CostSettings) -> Floats:
    """Expected fees (n,) in USD of a ticket, one way: of what only sales pay, half.

    Under tiered at the rate of `month_shares`: what is traded since is not known to a decision.
    """
    is_tiered = settings.plan == "tiered"
    rate = marginal_rate(settings) if is_tiered else settings.commission_per_share
    least = settings.tier_min if is_tiered else settings.commission_min
    fee: Floats = np.minimum(np.maximum(rate * shares, least), settings.commission_max * ticket_usd)
    if is_tiered:
        clearing = np.minimum(
            settings.clearing_per_share * shares, settings.clearing_max * ticket_usd
        )
        venues = venue_rate(added_share(settings), settings) * shares
        fee = fee * (1.0 + settings.pass_through) + venues + clearing
    if is_regulated(settings):
        activity = np.minimum(settings.taf_per_share * shares, settings.taf_max)
        fee = fee + 0.5 * (sale_tax(ticket_usd, settings) + activity)
    return fee
