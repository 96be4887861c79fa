"""Volatility spikes, spread blow-outs, daily loss and drawdown: what forces the book.

Rules
  * A spike or blow-out needs `spike_cycles` cycles in a row over its norm; it latches and releases
    itself after `cooldown_min` minutes of open market.
  * Daily loss and drawdown latch too, and only the operator clears them.
  * A norm that is not known (0) never fires, nor does a market of which half is not quoted.
  * Exactly three times the norm, or exactly the loss, fires, whatever the last bits say.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from ..core.arrays import EQUALITY
from ..core.config import PolicySettings
from ..core.reasons import Code
from ..core.seen import Market, Seen
from ..core.session import open_minutes
from ..core.types import State, Watch
from .gates import is_fresh

LEAST_FRESH = 0.5
BY_COMMAND = (Code.RISK_DAILY_LOSS, Code.RISK_DRAWDOWN)


def look(seen: Seen, state: State, settings: PolicySettings) -> Watch:
    """The watch after this cycle: counts, latches that fell, latches that released."""
    move, spread = _market_means(seen.market, settings.max_quote_age_s)
    vol_cycles = _count(
        state.watch.vol_cycles, move, seen.market.norm_move, settings.vol_spike_ratio
    )
    spread_cycles = _count(
        state.watch.spread_cycles, spread, seen.market.norm_spread, settings.spread_blowout_ratio
    )
    cleared = seen.switch.cleared > state.watch.cleared
    latches = {
        code: fell
        for code, fell in state.watch.latches
        if not _released(code, fell, seen.now, settings, cleared=cleared)
    }
    fired = []
    if vol_cycles >= settings.spike_cycles:
        fired.append(Code.RISK_VOL_SPIKE)
    if spread_cycles >= settings.spike_cycles:
        fired.append(Code.RISK_SPREAD_BLOWOUT)
    nav = seen.portfolio.nav
    if not cleared and _lost(state.start_nav, nav, settings.daily_loss):
        fired.append(Code.RISK_DAILY_LOSS)
    if not cleared and _lost(state.peak_nav, nav, settings.drawdown):
        fired.append(Code.RISK_DRAWDOWN)
    for code in fired:
        # A spike that goes on renews its cool-down; a loss keeps the time at which it fell.
        if code not in BY_COMMAND or code not in latches:
            latches[code] = seen.now.timestamp()
    return Watch(vol_cycles, spread_cycles, tuple(sorted(latches.items())), seen.switch.cleared)


def _market_means(market: Market, max_quote_age_s: float) -> tuple[float, float]:
    """Mean |bar return| and mean relative spread over names with a fresh quote.

    The norms are of all names: where fewer than half of the known ones are fresh, it is a feed in
    trouble and not the market that would be measured, and neither rule may fire.
    """
    fresh = is_fresh(market, max_quote_age_s) & (market.last > 0)
    if fresh.sum() < LEAST_FRESH * max(1, int((market.last > 0).sum())):
        return 0.0, 0.0
    move = float(np.abs(market.bar_return[fresh]).mean())
    return move, float(market.spread_bps[fresh].mean()) * 1e-4


def _count(before: int, value: float, norm: float, ratio: float) -> int:
    return before + 1 if norm > 0 and value > ratio * norm - EQUALITY else 0


def _lost(before: float, nav: float, limit: float) -> bool:
    """Whether NAV fell by the fraction `limit` or more; a NAV of 0 before is not known."""
    return before > 0 and 1.0 - nav / before > limit - EQUALITY


def _released(
    code: Code, fell: float, now: datetime, settings: PolicySettings, *, cleared: bool
) -> bool:
    if code in BY_COMMAND:
        return cleared
    return open_minutes(datetime.fromtimestamp(fell, UTC), now) >= settings.cooldown_min
