"""Which held names must go, whatever the engine (SEMANTICS §4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.arrays import EQUALITY, Bools, Floats, top
from ..core.config import OptimizationConfig
from ..core.reasons import Code
from ..core.seen import Codes
from ..core.units import PERCENT


def cut_codes(
    symbols: Sequence[str],
    z: Floats,
    scored: Bools,
    current: Floats,
    pnl_bps: Floats | None,
    atr_pct: Floats | None,
    holding_min: Floats | None,
    config: OptimizationConfig,
) -> Codes:
    """The code number (n,) of the first rule that fires for each held name, 0 where none does.

    Scores are side-adjusted: a short is cut on −z. A rule whose input is missing does not fire.
    """
    side = np.sign(current)
    side_z = side * z
    held = side != 0
    code = np.zeros(len(z), dtype=np.int16)
    outside = held & scored & ~_inside_k_sell(symbols, z, scored, side, config)
    code[outside & (side_z <= config.z_cut - EQUALITY)] = Code.CUT_SCORE.number
    if pnl_bps is not None and atr_pct is not None:
        # ATR in percent of price; one percent is a hundred basis points.
        stop_bps = -config.k_ATR * atr_pct * (PERCENT * 1e4)
        loser = held & (atr_pct > 0) & (pnl_bps <= stop_bps - EQUALITY)
        code[loser & (code == 0)] = Code.CUT_LOSER.number
    if holding_min is not None:
        stale = held & scored & (holding_min > config.Tmax_min)
        dead = stale & (np.abs(z) <= config.z_cut - EQUALITY)
        code[dead & (code == 0)] = Code.CUT_DEAD_MONEY.number
    return code


def _inside_k_sell(
    symbols: Sequence[str], z: Floats, scored: Bools, side: Floats, config: OptimizationConfig
) -> Bools:
    inside = np.zeros(len(z), dtype=np.bool_)
    for sign, k_sell in ((1.0, config.K_sell), (-1.0, config.K_sell_short)):
        if (side == sign).any():
            best = top(np.where(scored, sign * z, -np.inf), symbols, k_sell)
            inside[best[side[best] == sign]] = True
    return inside
