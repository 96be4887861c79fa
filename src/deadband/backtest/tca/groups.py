"""Shortfall by group: all, by reason code, algorithm, hour of the day and size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from ...core.session import EXCHANGE_ZONE
from .intervals import Estimate, day_or_half_hour, estimate, ratios
from .shortfall import Shortfall, Trade, shortfall

PARTS = ("delay", "spread", "impact", "opportunity", "fees", "total")
SIZES = ((1e-4, "below 0.01 % ADV"), (1e-3, "0.01 to 0.1 % ADV"), (1e-2, "0.1 to 1 % ADV"))
LARGEST = "1 % ADV and more"


@dataclass(frozen=True, slots=True)
class Group:
    """Costs of the orders of one group, bps of the notional decided, + is worse for us."""

    by: str
    name: str
    orders: int
    notional: float
    fill_rate: float
    parts: Mapping[str, Estimate]


def hour_of(trade: Trade) -> str:
    at = datetime.fromtimestamp(trade.at // 1_000_000_000, UTC).astimezone(EXCHANGE_ZONE)
    return f"{at:%H}:00"


def size_of(trade: Trade) -> str:
    return next((name for bound, name in SIZES if trade.share < bound), LARGEST)


WAYS: Mapping[str, Callable[[Trade], str]] = {
    "all": lambda _: "all",
    "algorithm": lambda trade: trade.algorithm,
    "reason": lambda trade: trade.reason,
    "hour": hour_of,
    "size": size_of,
}


def groups(trades: Sequence[Trade]) -> Iterator[Group]:
    """Every group of every way to group, in the order of WAYS and by name."""
    costs = [shortfall(trade) for trade in trades]
    for by, name_of in WAYS.items():
        names = [name_of(trade) for trade in trades]
        for name in sorted(set(names)):
            chosen = [k for k, one in enumerate(names) if one == name]
            yield measured(by, name, [trades[k] for k in chosen], [costs[k] for k in chosen])


def measured(by: str, name: str, trades: Sequence[Trade], costs: Sequence[Shortfall]) -> Group:
    """One group's ratios with intervals."""
    rows = np.array(
        [
            [*(getattr(cost, part) for part in PARTS), trade.notional]
            for cost, trade in zip(costs, trades, strict=True)
        ]
    )
    blocks = day_or_half_hour(np.array([trade.at for trade in trades], dtype=np.int64))
    in_bps = estimate(rows, blocks, lambda sums: ratios(sums) / 1e-4)
    wanted = sum(trade.order_qty * trade.decision for trade in trades)
    done = sum(trade.filled * trade.decision for trade in trades)
    return Group(
        by=by,
        name=name,
        orders=len(trades),
        notional=wanted,
        fill_rate=done / wanted if wanted else 0.0,
        parts=dict(zip(PARTS, in_bps, strict=True)),
    )
