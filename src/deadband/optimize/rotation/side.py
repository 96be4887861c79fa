"""One side of the book, long or short: who may be bought, up to what weight, and who may give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.arrays import EQUALITY, Floats, best_first, exact_sum, top
from ...core.config import OptimizationConfig
from ...core.problem import Problem


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """`sign` +1 long, −1 short; side_z (n,) is sign·z, −inf where there is no score.

    buyers: names of rank ≤ K_buy above z_keep, best first, each with its target |weight|;
    donors: held names of this side that may give weight, worst first.
    """

    sign: float
    places: int
    budget: float
    side_z: Floats
    buyers: tuple[int, ...]
    target: dict[int, float]
    donors: tuple[int, ...]


def sides(problem: Problem, weights: Floats, config: OptimizationConfig) -> tuple[Side, ...]:
    """The long side, and the short one when K_short asks for it; `weights` (n,) after trims."""
    long, short = budgets(problem, config)
    if config.K_short <= 0:
        return (_side(problem, weights, 1.0, long, config),)
    return (
        _side(problem, weights, 1.0, long, config),
        _side(problem, weights, -1.0, short, config),
    )


def budgets(problem: Problem, config: OptimizationConfig) -> tuple[float, float]:
    """What the long and the short book may hold, fractions of NAV (SEMANTICS §4, Book)."""
    gross, net = problem.limits.gross, problem.limits.net
    free = 1.0 - config.budget_buffer
    if config.K_short > 0:
        return free * gross / 2, free * gross / 2
    if problem.limits.fully_invested:
        # Σw = 1 leaves no cash to keep as a buffer.
        return min(1.0, gross, net), 0.0
    return free * min(gross, net), 0.0


def _side(
    problem: Problem, weights: Floats, sign: float, budget: float, config: OptimizationConfig
) -> Side:
    long = sign > 0
    places = config.K if long else config.K_short
    k_buy = config.K_buy if long else config.K_buy_short
    k_sell = config.K_sell if long else config.K_sell_short
    ranked = problem.scored.copy()
    if problem.hedge >= 0:
        ranked[problem.hedge] = False
    side_z = np.where(ranked, sign * problem.z, -np.inf)
    inside_sell = top(side_z, problem.symbols, k_sell)
    best = inside_sell[:k_buy]
    target = _targets(problem, side_z, best, budget, places, k_buy, config)
    # A name cut or trimmed in this cycle is not bought back in it.
    untouched = (problem.cut == 0) & (np.abs(weights) >= np.abs(problem.current))
    wanted = (side_z[best] > config.z_keep) & untouched[best] & (weights[best] * sign >= 0)
    return Side(
        sign=sign,
        places=places,
        budget=budget,
        side_z=side_z,
        buyers=tuple(best[wanted].tolist()),
        target=target,
        donors=_donors(problem, weights, sign, side_z, inside_sell, config),
    )


def _donors(
    problem: Problem,
    weights: Floats,
    sign: float,
    side_z: Floats,
    inside_sell: np.ndarray,
    config: OptimizationConfig,
) -> tuple[int, ...]:
    kept = np.zeros(len(weights), dtype=np.bool_)
    kept[inside_sell] = True
    kept &= side_z > config.z_keep - EQUALITY
    held = (weights * sign > 0) & (side_z > -np.inf) & (problem.cut == 0)
    eligible = np.flatnonzero(held & ~kept)
    return tuple(best_first(-side_z, problem.symbols, eligible).tolist())


def _targets(
    problem: Problem,
    side_z: Floats,
    best: np.ndarray,
    budget: float,
    places: int,
    k_buy: int,
    config: OptimizationConfig,
) -> dict[int, float]:
    """Target |weight| of each name of rank ≤ K_buy (SEMANTICS §4, Book)."""
    cap = config.per_name_cap
    weighting = config.weighting or ("equal" if problem.scale is None else "inverse_vol")
    if weighting == "equal":
        return dict.fromkeys(best.tolist(), min(cap, budget / places))
    if weighting == "score":
        raw = np.maximum(side_z[best], 0.0)
    else:
        scale = np.ones(len(side_z)) if problem.scale is None else problem.scale
        raw = np.divide(1.0, scale[best], out=np.zeros(len(best)), where=scale[best] > 0)
    filled = fill_to(raw, budget * k_buy / places, cap)
    return dict(zip(best.tolist(), filled.tolist(), strict=True))


def fill_to(raw: Floats, total: float, cap: float) -> Floats:
    """Weights proportional to `raw` (m,) that sum to `total`, none above `cap`.

    What a cap cuts off is spread over the names below it; all at the cap holds less than `total`.
    """
    weights = np.zeros_like(raw)
    open_ = raw > 0
    left = total
    while open_.any() and left > 0:
        share = left * raw / exact_sum(raw[open_])
        over = open_ & (share >= cap)
        if not over.any():
            weights[open_] = share[open_]
            break
        weights[over] = cap
        left -= cap * int(over.sum())
        open_ &= ~over
    return weights
