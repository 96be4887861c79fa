"""Does resting first beat crossing at once? The algorithms on recorded quotes, a second apart.

Every twenty minutes of each recorded session the same order is given, to buy and to sell, to each
algorithm, five minutes long, and worked by the same code as live against the quote simulator (its
assumptions: `brokers/matching.py`). Shortfall is against the mid at arrival. What is not filled by
the end is charged as if it crossed then, a tick more for each size that the touch shows. An
algorithm is compared with crossing at once order by order; intervals are by block bootstrap over
half hours.

    python benchmarks/study_execution.py QUOTES [MINUTES]

QUOTES: ts, symbol, high, low, volume, bid, ask, bid_size, ask_size by the second; a quote is that
of the step's end. The recorded days used for the kept result are of QuantConnect's Lean
repository (Apache-2.0), AIG, BAC and SPY, 7 to 11 October 2013; they are not part of this one.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from machine import keep
from rich.console import Console
from rich.table import Table

from deadband import cycle
from deadband.backtest.quote_run import play
from deadband.backtest.tca.intervals import day_or_half_hour, estimate, ratios
from deadband.backtest.tca.played import trades_of
from deadband.backtest.tca.shortfall import (
    HORIZONS_S,
    Trade,
    later_mids,
    mark_out_bps,
    shortfall,
)
from deadband.brokers.quotes import QuoteBroker
from deadband.core.config import Settings
from deadband.core.orders import Algorithm, Order, OrdType, Route, Side, Tif, Venue
from deadband.core.quotes import QuoteDay
from deadband.core.reasons import Code
from deadband.core.tactics import Tactics
from deadband.core.units import tick_size, to_tick
from deadband.execute.short_horizon import Facts
from deadband.feeds.quotes import read_quotes

SECOND = 1_000_000_000
EVERY_MIN, FIRST_MIN, LAST_MIN = 20, 15, 375
SIGMA_DAY = 0.015
COLLAR_BPS = 30.0
TAU_S = 30 * 60.0
SIZES = {"small": 0.002, "large": 0.02}
"""Orders as a share of what a name trades in five minutes on average."""


@dataclass(frozen=True)
class Contender:
    name: str
    algorithm: Algorithm
    tactics: Tactics


CONTENDERS = (
    Contender("marketable", Algorithm.MARKETABLE, Tactics()),
    Contender(
        "passive, both alarms", Algorithm.PASSIVE, Tactics(adverse_spreads=2.0, imbalance=10.0)
    ),
    Contender(
        "passive, alarm: run", Algorithm.PASSIVE, Tactics(adverse_spreads=2.0, imbalance=0.0)
    ),
    Contender(
        "passive, alarm: size", Algorithm.PASSIVE, Tactics(adverse_spreads=0.0, imbalance=10.0)
    ),
    Contender("passive, no alarms", Algorithm.PASSIVE, Tactics(adverse_spreads=0.0, imbalance=0.0)),
    Contender("peg_mid", Algorithm.PEG_MID, Tactics()),
    Contender("twap", Algorithm.TWAP, Tactics(slices=5)),
    Contender("pov", Algorithm.POV, Tactics()),
    Contender("arrival", Algorithm.ARRIVAL, Tactics(slices=5)),
)


@dataclass(frozen=True)
class Outcome:
    """One order: costs in USD of its shortfall without and with fees, and what became of it.

    `waited`: Σ over shares of 1 − e^(−t/τ), the share of an edge that was lost by waiting.
    """

    contender: str
    size: str
    symbol: str
    at: int
    notional: float
    cost: float
    fees: float
    half: float
    filled: float
    waited: float
    messages: int
    rested: float
    marks: tuple[float, ...]


def orders_of(day: QuoteDay, adv: float, size: str) -> list[Order]:
    qty = max(100, round(adv / 78 * SIZES[size] / 100) * 100)
    opens = int(day.ts[0]) - (int(day.ts[1]) - int(day.ts[0]))
    made = []
    for minute in range(FIRST_MIN, LAST_MIN, EVERY_MIN):
        at = opens + minute * 60 * SECOND
        k = day.index_at(at)
        mid = float(day.mid[k])
        if not np.isfinite(mid):
            continue
        for side in (Side.BUY, Side.SELL):
            tick = float(tick_size(np.array([mid]))[0])
            collar = to_tick(mid * (1 + side.sign * COLLAR_BPS * 1e-4), tick, up=side is Side.BUY)
            made.append(
                Order(
                    cl_ord_id=f"{size}.{minute}.{side.value}",
                    symbol=day.symbol,
                    side=side,
                    order_qty=qty,
                    ord_type=OrdType.LIMIT,
                    price=collar,
                    decision_id=str(minute),
                    reason="BUY_TOP_K",
                    arrival=mid,
                    transact_time=at,
                )
            )
    return made


def work_one(
    order: Order, contender: Contender, day: QuoteDay, adv: float, minutes: float
) -> Outcome:
    settings = replace(Settings(), tactics=replace(contender.tactics, horizon_min=minutes))
    route = Route(contender.algorithm, Venue.SMART, Tif.DAY, Code.ALGO_ASKED)
    facts = Facts(1, 0.01, SIGMA_DAY, adv, int(day.ts[0]), int(day.ts[-1]))
    basket = cycle.open_basket(settings, cash=1e12, nav=1e12)
    start = order.transact_time
    basket = cycle.take_up(basket, (replace(order, route=route),), {day.symbol: facts}, start)
    until = start + int((minutes * 60 + 10) * SECOND)
    days = {day.symbol: day}
    played = play(basket, QuoteBroker(settings.costs), days, start, until)
    (trade,) = trades_of(played, days)
    return measured(trade, contender, day, len(played.sent), int(start + minutes * 60 * SECOND))


def measured(
    trade: Trade, contender: Contender, day: QuoteDay, messages: int, deadline: int
) -> Outcome:
    left = trade.order_qty - trade.filled
    cost = shortfall(
        replace(trade, end=completed_at(day, day.index_at(deadline), trade.sign, left))
    )
    lasted = np.append((trade.ts - trade.at) / SECOND, (deadline - trade.at) / SECOND)
    weights = np.append(trade.qty, left)
    better = trade.sign * (trade.mid - trade.price) > 0
    marks = []
    for seconds in HORIZONS_S:
        gains = mark_out_bps(trade, later_mids(day.ts, day.mid, trade.ts, seconds, 1.0))
        known = np.isfinite(gains)
        whole = float(trade.qty[known].sum())
        marks.append(float(gains[known] @ trade.qty[known] / whole) if whole else np.nan)
    return Outcome(
        contender=contender.name,
        size=trade.order_id.partition(".")[0],
        symbol=trade.symbol,
        at=trade.at,
        notional=trade.notional,
        cost=cost.total - cost.fees,
        fees=cost.fees,
        half=trade.half * trade.order_qty,
        filled=trade.filled / trade.order_qty,
        waited=float((1.0 - np.exp(-lasted / TAU_S)) @ weights) * trade.decision,
        messages=messages,
        rested=float(trade.qty[better].sum()) / trade.order_qty,
        marks=tuple(marks),
    )


def completed_at(day: QuoteDay, k: int, sign: int, qty: int) -> float:
    """Mean price of crossing with `qty` shares, the depth that of the simulator."""
    tick = day.tick(k)
    far, shown = (tick.ask, tick.ask_size) if sign > 0 else (tick.bid, tick.bid_size)
    levels = qty / max(shown, 100.0)
    return far + sign * 0.01 * max(0.0, (levels - 1.0) / 2.0)


def run_day(day: QuoteDay, adv: float, minutes: float) -> list[Outcome]:
    return [
        work_one(order, contender, day, adv, minutes)
        for size in SIZES
        for order in orders_of(day, adv, size)
        for contender in CONTENDERS
    ]


def figures(outcomes: list[Outcome], crossing: list[Outcome]) -> dict[str, object]:
    """One algorithm's means with intervals, and its difference to crossing at once."""
    blocks = day_or_half_hour(np.array([one.at for one in outcomes], dtype=np.int64))
    rows = np.array(
        [
            [
                one.cost,
                one.cost + one.fees,
                one.cost - other.cost,
                one.cost + one.fees - other.cost - other.fees,
                one.waited,
                one.half,
                one.notional,
            ]
            for one, other in zip(outcomes, crossing, strict=True)
        ]
    )
    found = estimate(rows, blocks, lambda sums: ratios(sums) / 1e-4)
    cost, with_fees, gap, gap_fees, waited, half = found
    marks = np.nanmean([one.marks for one in outcomes], axis=0)
    saved = -gap.value
    lost = (waited.value - sum(o.waited for o in crossing) / rows[:, -1].sum() / 1e-4) * 1e-4
    return {
        "orders": len(outcomes),
        "shortfall_bps": spread(cost),
        "with_fees_bps": spread(with_fees),
        "against_crossing_bps": spread(gap),
        "against_crossing_with_fees_bps": spread(gap_fees),
        "half_spread_bps": half.value,
        "filled": float(np.mean([one.filled for one in outcomes])),
        "filled_better_than_mid": float(np.mean([one.rested for one in outcomes])),
        "messages": float(np.mean([one.messages for one in outcomes])),
        "edge_lost_by_waiting": lost,
        "break_even_edge_bps": saved / lost if lost > 1e-3 and saved > 0 else None,
        "mark_out_bps": dict(zip(map(str, HORIZONS_S), map(float, marks), strict=True)),
    }


def spread(found: object) -> dict[str, float]:
    return {"mean": found.value, "low": found.low, "high": found.high}  # type: ignore[attr-defined]


def main() -> None:
    path, minutes = Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    days = read_quotes(path, 1)
    volume = {s: [d.volume.sum() for d in days if d.symbol == s] for s in {d.symbol for d in days}}
    adv = {symbol: float(np.median(sums)) for symbol, sums in volume.items()}
    with ProcessPoolExecutor(max_workers=2) as pool:
        jobs = [pool.submit(run_day, day, adv[day.symbol], minutes) for day in days]
        outcomes = [one for job in jobs for one in job.result()]
    console, result = Console(width=140), {}
    for size in SIZES:
        for symbol in ("all", *sorted(adv)):
            chosen = [o for o in outcomes if o.size == size and symbol in ("all", o.symbol)]
            by_name = {c.name: [o for o in chosen if o.contender == c.name] for c in CONTENDERS}
            found = {name: figures(one, by_name["marketable"]) for name, one in by_name.items()}
            result[f"{size} {symbol}"] = found
            show(console, f"{size}, {symbol}", found)
    settings = {"minutes": minutes, "sizes": SIZES, "every_min": EVERY_MIN, "sessions": len(days)}
    kept = keep("study_execution", {"settings": settings, "figures": result})
    console.print(f"kept in {kept}")


def show(console: Console, title: str, found: dict[str, dict]) -> None:  # type: ignore[type-arg]
    heads = (
        "algorithm",
        "orders",
        "shortfall bps",
        "− crossing bps",
        "95 %",
        "with fees",
        "filled",
        "messages",
        "break-even edge",
    )
    table = Table(*heads, title=title, box=None)
    for name, one in found.items():
        gap, fees = one["against_crossing_bps"], one["against_crossing_with_fees_bps"]
        even = one["break_even_edge_bps"]
        table.add_row(
            name,
            str(one["orders"]),
            f"{one['shortfall_bps']['mean']:+.2f}",
            f"{gap['mean']:+.2f}",
            f"{gap['low']:+.2f} to {gap['high']:+.2f}",
            f"{fees['mean']:+.2f}",
            f"{one['filled']:.0%}",
            f"{one['messages']:.1f}",
            "" if even is None else f"{even:.1f} bps",
        )
    console.print(table)


if __name__ == "__main__":
    main()
