"""Chooses how an order is worked, by urgency, size, spread and time to the close.

`auto` asks in this order, and the first that applies decides:
  1. exits, repairs, commands, and orders after the auction's cut-off cross at once
  2. an order whose time would reach into the cut-off joins the closing auction
  3. an order of `slice_share` of daily volume or more follows Almgren and Chriss's schedule
  4. a spread of `peg_spread_bps` or more is met at the mid
  5. all else rests first and crosses by its deadline
Any other name is what is used, for all orders; `marketable` and none leave orders as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..core.config import AUTO, ExecutionSettings
from ..core.orders import Algorithm, Order, Route, Tif, Venue
from ..core.reasons import NOT_DISCRETIONARY, Code
from ..core.seen import Seen, Universe
from ..core.session import session_at
from ..core.tactics import Tactics
from ..core.units import BPS


@dataclass(frozen=True, slots=True)
class Situation:
    """What the choice depends on: share of daily volume, spread in bps, minutes to the close."""

    is_urgent: bool
    share: float
    spread_bps: float
    minutes_left: float


def routed(
    orders: tuple[Order, ...],
    universe: Universe,
    seen: Seen,
    settings: ExecutionSettings,
    tactics: Tactics,
) -> tuple[Order, ...]:
    """The orders with their routes; as they are where they go out as marketable limits."""
    if settings.algorithm in ("", Algorithm.MARKETABLE):
        return orders
    session = session_at(seen.now)
    left = 0.0 if session is None else (session.close - seen.now).total_seconds() / 60.0
    market = seen.market
    spread_bps = (market.ask - market.bid) / np.maximum(market.mid, 1e-9) / BPS
    done = []
    for order in orders:
        name = universe.index[order.symbol]
        situation = Situation(
            is_urgent=order.reason in NOT_DISCRETIONARY,
            share=order.order_qty / max(float(market.adv[name]), 1.0),
            spread_bps=float(spread_bps[name]),
            minutes_left=left,
        )
        done.append(replace(order, route=route(situation, settings.algorithm, tactics)))
    return tuple(done)


def route(situation: Situation, asked: str, tactics: Tactics) -> Route:
    """The algorithm, venue and time in force of one order, with the code that says why."""
    algorithm, code = Algorithm.MARKETABLE, Code.ALGO_URGENT
    if asked != AUTO:
        algorithm, code = Algorithm(asked), Code.ALGO_ASKED
    elif not situation.is_urgent and situation.minutes_left > tactics.close_cutoff_min:
        algorithm, code = _patient(situation, tactics)
    tif = {Algorithm.MARKETABLE: Tif.IOC, Algorithm.CLOSE: Tif.CLS}.get(algorithm, Tif.DAY)
    venue = Venue.PRIMARY if algorithm is Algorithm.CLOSE else Venue.SMART
    return Route(algorithm, venue, tif, code)


def _patient(situation: Situation, tactics: Tactics) -> tuple[Algorithm, Code]:
    """The choice where there is time."""
    if situation.minutes_left <= tactics.close_cutoff_min + tactics.horizon_min:
        return Algorithm.CLOSE, Code.ALGO_AUCTION
    if situation.share >= tactics.slice_share:
        return Algorithm.ARRIVAL, Code.ALGO_SLICED
    if situation.spread_bps >= tactics.peg_spread_bps:
        return Algorithm.PEG_MID, Code.ALGO_WIDE
    return Algorithm.PASSIVE, Code.ALGO_PATIENT
