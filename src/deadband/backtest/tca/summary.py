"""The analysis of a journal as one value, and as the object that `tca --json` prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import JournalError
from .calibrate import Calibration, calibrate
from .groups import Group, groups
from .intervals import Estimate
from .journal import read_trades


@dataclass(frozen=True, slots=True)
class Analysis:
    """Groups with costs in bps of the notional decided; mark-outs in bps by seconds (mean, fills).

    `unmarked`: horizons in seconds that are shorter than the journal's quotes are apart.
    """

    orders: int
    fills: int
    groups: tuple[Group, ...]
    mark_outs: dict[int, tuple[float, int]]
    unmarked: tuple[int, ...]
    calibration: Calibration

    def json(self) -> dict[str, Any]:
        return {
            "orders": self.orders,
            "fills": self.fills,
            "groups": [
                {
                    "by": group.by,
                    "name": group.name,
                    "orders": group.orders,
                    "notional": group.notional,
                    "fill_rate": group.fill_rate,
                    "bps": {part: _json(found) for part, found in group.parts.items()},
                }
                for group in self.groups
            ],
            "mark_out_bps": {
                str(seconds): {"mean": mean, "fills": count}
                for seconds, (mean, count) in self.mark_outs.items()
            },
            "not_marked_s": list(self.unmarked),
            "spread_paid": _json(self.calibration.spread_paid),
            "impact": _json(self.calibration.impact),
            "toml": self.calibration.toml(),
        }


def analyze(path: Path) -> Analysis:
    """Read a journal and measure it; JournalError where it holds no order."""
    recorded = read_trades(path)
    if not recorded.trades:
        raise JournalError(f"journal {path} holds no order, so there is no cost to analyze.")
    marks, unmarked = {}, []
    for seconds, values in recorded.mark_outs.items():
        known = values[np.isfinite(values)]
        if len(known):
            marks[seconds] = (float(known.mean()), len(known))
        else:
            unmarked.append(seconds)
    return Analysis(
        orders=len(recorded.trades),
        fills=sum(len(trade.qty) for trade in recorded.trades),
        groups=tuple(groups(recorded.trades)),
        mark_outs=marks,
        unmarked=tuple(unmarked),
        calibration=calibrate(recorded.trades, recorded.settings.costs),
    )


def _json(found: Estimate) -> dict[str, float | int | None]:
    bounded = found.is_known
    return {
        "value": found.value if np.isfinite(found.value) else None,
        "low": found.low if bounded else None,
        "high": found.high if bounded else None,
        "blocks": found.blocks,
    }
