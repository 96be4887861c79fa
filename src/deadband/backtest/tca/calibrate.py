"""What the cost model should learn: the share of the half-spread paid, and Y of the impact law.

The model that the optimizer and the simulated broker share (core/costs.py) says of each fill, as
fractions of price,

    s (p − m) / m  =  spread_paid · half + Y · σ_day · √(q / ADV) + noise,

with m the mid at the decision. Both are fitted together by least squares weighted with notional,
and a block bootstrap gives their intervals. Fees are known and stay out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.arrays import Floats
from ...core.costs import CostSettings
from .intervals import Estimate, day_or_half_hour, estimate
from .shortfall import Trade


@dataclass(frozen=True, slots=True)
class Calibration:
    """The two figures with intervals, and the settings they were compared with."""

    spread_paid: Estimate
    impact: Estimate
    fills: int
    now: CostSettings

    def toml(self) -> str:
        """A [costs] table; a figure that cannot be told from the present one stays as it is."""
        lines = [f"[costs]  # from {self.fills} fills, 95 % intervals by block bootstrap"]
        for name, found, least, most in (
            ("spread_paid", self.spread_paid, -1.0, 2.0),
            ("impact", self.impact, 0.0, np.inf),
        ):
            present = float(getattr(self.now, name))
            if not found.is_known:
                lines.append(f"{name} = {present:g}  # too few days or half hours to say otherwise")
                continue
            span = f"{found.value:.3f} in [{found.low:.3f}, {found.high:.3f}]"
            if found.low <= present <= found.high:
                lines.append(f"{name} = {present:g}  # measured {span}: no reason to change it")
            else:
                value = min(max(found.value, least), most)
                lines.append(f"{name} = {value:.3f}  # measured {span}, was {present:g}")
        return "\n".join(lines)


def calibrate(trades: Sequence[Trade], costs: CostSettings) -> Calibration:
    """Fit both figures to all fills."""
    rows, at = [], []
    scale = costs.scale or 1.0
    for trade in trades:
        adv = trade.order_qty / trade.share if trade.share > 0 else np.inf
        for qty, price in zip(trade.qty.tolist(), trade.price.tolist(), strict=True):
            weight, mid = qty * price, trade.decision
            paid = trade.sign * (price - mid) / mid
            half, root = trade.half / mid, scale * trade.sigma_day * float(np.sqrt(qty / adv))
            rows.append(np.array([half * half, half * root, root * root, half * paid, root * paid]))
            rows[-1] *= weight
            at.append(trade.at)
    if not rows:
        unknown = Estimate(np.nan, np.nan, np.nan, 0)
        return Calibration(unknown, unknown, 0, costs)
    blocks = day_or_half_hour(np.array(at, dtype=np.int64))
    spread, impact = estimate(np.array(rows), blocks, _fit)
    return Calibration(spread, impact, len(rows), costs)


def _fit(sums: Floats) -> Floats:
    """Least squares with two regressors from sums of products (…, 5); NaN where they are one."""
    hh, hr, rr, hy, ry = np.moveaxis(sums, -1, 0)
    determinant = hh * rr - hr * hr
    safe = np.where(determinant > 1e-9 * hh * rr, determinant, np.nan)
    return np.stack([(hy * rr - ry * hr) / safe, (ry * hh - hy * hr) / safe], axis=-1)
