"""The limits of the mandate on the book that orders would leave behind, at its worst case.

Two books are measured against every limit:

  all     everything that works has filled, what is unsure hurts, and the asked orders fill;
  uneven  of all that works, is unsure or is asked only those fill that hurt; GROSS, NET and SECTOR
          may be passed by `gate.uneven` there, BETA by `uneven_beta`, the cap of a name by nothing.

A limit that is passed already may not be passed further. A denied order counts both ways: as if it
left where that hurts, as if it did not where it would have helped. So what is denied only ever
denies more, and what is left keeps every limit with the denied orders and without them. Orders that
make no sense whatever the settings (not decided, sent twice, more than held) count as never asked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...core.arrays import Bools, Floats
from ...core.config import EXACT, Settings
from ...core.limits import Limit
from ...core.reasons import Code
from .desk import Denial
from .weights import SLACK, Breach, Weights, size

Row = tuple[str, Floats, float, float]
"""A limit's name, what a unit of weight (n,) adds, its bound, and how far past it in `uneven`."""


def breaches(weights: Weights, denied: Bools) -> Iterator[Breach]:
    """Every limit that the asked orders would pass, those `denied` (m,) counted both ways."""
    yield from _names(weights)
    for row in _size_rows(weights):
        yield from _sizes(weights, denied, row)
    yield from _sums(weights, denied)


def _names(weights: Weights) -> Iterator[Breach]:
    """PER_NAME_CAP; where shorts are not allowed, zero is the lowest weight."""
    desk = weights.desk
    config = desk.asked.settings.optimize
    cap = np.full(len(weights.held), config.per_name_cap)
    floor = cap.copy() if shorts_allowed(desk.asked.settings) else np.zeros(len(cap))
    if desk.hedge >= 0:
        cap[desk.hedge] = floor[desk.hedge] = config.hedge_cap
    (high, low), (high_now, low_now) = weights.ends(asked=True), weights.ends(asked=False)
    for sign, value, now, most in ((1, high, high_now, cap), (-1, -low, -low_now, floor)):
        bound = np.maximum(most, now)
        for name in np.flatnonzero(~(value <= bound + SLACK)).tolist():
            pushing = (desk.name == name) & ~(sign * weights.order <= 0)
            yield _breach(Limit.PER_NAME_CAP, value[name], bound[name], pushing)


def shorts_allowed(settings: Settings) -> bool:
    """As the engines read `allow_short`: greedy by its short book, the exact ones say yes."""
    config = settings.optimize
    unsaid = settings.engine in EXACT if config.allow_short is None else False
    return config.shorts_allowed or unsaid


def _size_rows(weights: Weights) -> Iterator[Row]:
    config, universe = weights.desk.asked.settings.optimize, weights.desk.asked.universe
    slack = weights.desk.asked.settings.gate.uneven
    yield Limit.GROSS.value, np.ones(len(universe)), config.max_gross_exposure, slack
    if config.sector_gross_cap is not None:
        for k, name in enumerate(universe.group_names):
            members = (universe.group == k).astype(np.float64)
            yield f"{Limit.SECTOR_GROSS}:{name}", members, config.sector_gross_cap, slack


def _sizes(weights: Weights, denied: Bools, row: Row) -> Iterator[Breach]:
    """Sums of |w|: what grows pushes them."""
    limit, factor, most, slack = row
    pushing = weights.desk.growing & weights.members(factor > 0)
    full = size(*weights.filled(denied))
    now = size(weights.base + weights.up, weights.base - weights.down)
    yield from _over((limit, factor, most), full, now, pushing, Code.GATE_LIMIT)
    ends, stood = size(*weights.ends(asked=True)), size(*weights.ends(asked=False))
    yield from _over((limit, factor, most + slack), ends, stood, pushing, Code.GATE_UNEVEN)


def _over(
    row: tuple[str, Floats, float], value: Floats, now: Floats, pushing: Bools, code: Code
) -> Iterator[Breach]:
    limit, factor, most = row
    used, bound = dot(factor, value), max(most, dot(factor, now))
    if not used <= bound + SLACK:
        yield _breach(limit, used, bound, pushing, code)


def _sums(weights: Weights, denied: Bools) -> Iterator[Breach]:
    """NET, SECTOR and BETA: sums with a sign, so whatever adds to one direction pushes it."""
    limits, factors, most, slack = _sum_rows(weights)
    busy = weights.busy()
    held, buys, sells = weights.held[busy], weights.buys[busy], weights.sells[busy]
    for sign in (1.0, -1.0):
        of = sign * factors[:, busy]
        up, down = np.maximum(of, 0.0), np.maximum(-of, 0.0)
        unsure = totals(up, weights.up[busy]) + totals(down, weights.down[busy])
        own = sign * factors[:, weights.desk.name] * weights.order
        pushing = ~(own <= 0)
        push = np.where(pushing, own, 0.0).sum(axis=1)
        help_ = np.where(pushing | denied, 0.0, own).sum(axis=1)
        now = totals(of, held + buys - sells) + unsure
        stood = totals(of, held) + unsure + totals(up, buys) + totals(down, sells)
        for value, bound, code in (
            (now + push + help_, np.maximum(most, now), Code.GATE_LIMIT),
            (stood + push, np.maximum(most + slack, stood), Code.GATE_UNEVEN),
        ):
            for row in np.flatnonzero(~(value <= bound + SLACK)).tolist():
                yield _breach(limits[row], value[row], bound[row], pushing[row], code)


def _sum_rows(weights: Weights) -> tuple[list[str], Floats, Floats, Floats]:
    """Limits by name (k,), what a unit of each weight adds (k, n), bounds (k,), allowances (k,)."""
    asked, config = weights.desk.asked, weights.desk.asked.settings.optimize
    groups, gate = asked.universe.group_names, asked.settings.gate
    limits = [Limit.NET.value, *(f"{Limit.SECTOR}:{name}" for name in groups)]
    most = [config.max_net_exposure, *(config.sector_cap for _ in groups)]
    slack = [gate.uneven for _ in limits]
    sectors = asked.universe.group == np.arange(len(groups))[:, None]
    factors = [np.ones((1, len(asked.universe))), sectors.astype(np.float64)]
    if asked.beta is not None:
        limits.append(Limit.BETA.value)
        factors.append(asked.beta[None])
        most.append(config.beta_tolerance)
        slack.append(gate.uneven_beta)
    return limits, np.concatenate(factors), np.array(most), np.array(slack)


def totals(factors: Floats, values: Floats) -> Floats:
    """As `dot`, of each of `factors` (k, n)."""
    summed: Floats = np.where(values != 0.0, factors * values, 0.0).sum(axis=1)
    return summed


def dot(factor: Floats, values: Floats) -> float:
    """Σ factor·value of what is not zero: a factor that is not known counts where it matters."""
    there = values != 0.0
    return float((factor[there] * values[there]).sum())


def _breach(
    limit: str, value: float, bound: float, pushing: Bools, code: Code = Code.GATE_LIMIT
) -> Breach:
    return Breach(Denial(code, float(value), float(bound), str(limit)), pushing)
