"""Which held names must go, whatever the engine (SEMANTICS §4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.arrays import EQUALITY, Bools, Floats, Ints, highest, top
from ..core.config import OptimizationConfig
from ..core.limits import Held
from ..core.reasons import Code
from ..core.seen import Codes
from ..core.units import PERCENT


def cut_codes(
    symbols: Sequence[str],
    z: Floats,
    scored: Bools,
    held: Held,
    pnl_bps: Floats | None,
    atr_pct: Floats | None,
    holding_min: Floats | None,
    config: OptimizationConfig,
) -> Codes:
    """The code number (n,) of the first rule that fires for each held name, 0 where none does.

    Scores are side-adjusted: a short is cut on −z. A rule whose input is missing does not fire.
    """
    code = np.zeros(len(z), dtype=np.int16)
    names = held.names
    side = np.sign(held.weights)
    ranked = scored[names]
    own_z = z[names]
    poor = ranked & (side * own_z <= config.z_cut - EQUALITY)
    cut = np.zeros(len(names), dtype=np.int16)
    if np.count_nonzero(poor):
        for sign, k_sell in ((1.0, config.K_sell), (-1.0, config.K_sell_short)):
            asked = (poor & (side == sign)).nonzero()[0]
            if len(asked):
                outside = _outside(symbols, z, scored, sign, names[asked], k_sell)
                cut[asked[outside]] = Code.CUT_SCORE.number
    if pnl_bps is not None and atr_pct is not None:
        atr = atr_pct[names]
        # ATR in percent of price; one percent is a hundred basis points.
        stop_bps = -config.k_ATR * atr * (PERCENT * 1e4)
        loser = (atr > 0) & (pnl_bps[names] <= stop_bps - EQUALITY)
        cut[loser & (cut == 0)] = Code.CUT_LOSER.number
    if holding_min is not None:
        stale = ranked & (holding_min[names] > config.Tmax_min)
        dead = stale & (np.abs(own_z) <= config.z_cut - EQUALITY)
        cut[dead & (cut == 0)] = Code.CUT_DEAD_MONEY.number
    code[names] = cut
    return code


def _outside(
    symbols: Sequence[str], z: Floats, scored: Bools, sign: float, names: Ints, k_sell: int
) -> Bools:
    """Which of the scored `names` (m,) have `k_sell` better ones on their side."""
    side_z = sign * z[names]
    best = highest(side_z)
    better = scored & (z > best if sign > 0 else z < -best)
    if np.count_nonzero(better) >= k_sell:
        # The usual case in a large universe: even the best of them is outside, nothing to sort.
        return np.ones(len(names), dtype=np.bool_)
    inside = np.zeros(len(z), dtype=np.bool_)
    inside[top(np.where(scored, sign * z, -np.inf), symbols, k_sell)] = True
    return ~inside[names]
