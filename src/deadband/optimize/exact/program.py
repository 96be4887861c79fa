"""The problem as one convex program, the form that every solver and the certificate share.

    minimise   λ xᵀCx + qᵀw + Σ_l h_lᵀ|w − t_l|          with x = s∘w
               + κᵀ|w − home|^{3/2}                       market impact, where it is asked for
    within     low ≤ w ≤ high
               floor ≤ R w ≤ ceiling                      NET or FULLY_INVESTED, BETA, own rows
               |Σ_{group = k} w| ≤ sector_k
               Σ counted·|w − home| ≤ turnover
               Σ|w| ≤ gross,  Σ_{group = k} |w| ≤ sector_gross_k

Its value is −U up to a constant. Every name's part is a quadratic with kinks (its bounds, its
hinges t_l, home where turnover counts, zero where gross does): names rest there and few are free.
Solvers know no impact: impact.py asks them with more hinges in its place.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...core.arrays import Bools, Floats, Ints, constant
from ...core.correlation import Correlation
from ...core.limits import BETA, FULLY_INVESTED, GROSS, NET, TURNOVER, sector_limits
from ...core.problem import Problem
from .box import hard_box, weight_box


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The arrays of the module's formula; n names, R signed rows, G groups, L layers of hinges.

    linear q (n,); risk_weight λ ≥ 0; correlation C or None (then no risk term); scale s (n,);
    low, high (n,); home (n,); hinge_at t (L, n), hinge_weight h (L, n) ≥ 0;
    rows (R, n), floor, ceiling (R,); group (n,) int64, −1 none; sector, sector_gross (G,);
    counted (n,) bool; impact κ (n,) ≥ 0, units of U per (fraction of NAV)^{3/2}, or None.
    All C-contiguous; finite, but a bound that is not there is infinite.
    `names` name every limit in the order of a solver's prices: the R rows, then SECTOR of each
    group, TURNOVER, GROSS, then SECTOR_GROSS of each group.
    """

    linear: Floats
    risk_weight: float
    correlation: Correlation | None
    scale: Floats
    low: Floats
    high: Floats
    home: Floats
    hinge_at: Floats
    hinge_weight: Floats
    rows: Floats
    floor: Floats
    ceiling: Floats
    group: Ints
    sector: Floats
    counted: Bools
    turnover: float
    gross: float
    sector_gross: Floats
    names: tuple[str, ...]
    impact: Floats | None = None
    limit_bounds: tuple[Floats, Floats] = field(init=False)
    """Lower and upper bound (limits,) of every limit, in the order of `names`."""

    def __post_init__(self) -> None:
        signed, groups = len(self.floor), len(self.sector)
        both = signed + groups
        lower = np.full(both + 2 + groups, -np.inf)
        lower[:signed] = self.floor
        np.negative(self.sector, out=lower[signed:both])
        pair = (self.turnover, self.gross)
        upper = np.concatenate((self.ceiling, self.sector, pair, self.sector_gross))
        object.__setattr__(self, "limit_bounds", (lower, upper))

    @property
    def size(self) -> int:
        return len(self.linear)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a solver says: weights (n,) and the price of each limit, in the order of Program.names.

    A price is −d(objective)/d(bound): positive where the upper side binds, negative where the lower
    side of a two-sided limit does, 0 where neither. `work` counts pivots or iterations.
    """

    weights: Floats
    prices: Floats
    method: str
    work: int


def program_of(problem: Problem) -> Program:
    """The convex program of a problem; cuts come in as fixed weights and use up turnover first."""
    n = len(problem.z)
    bounds, structure = problem.bounds, problem.structure
    low, high = weight_box(problem)
    rows, floor, ceiling, names = _signed_rows(problem)
    sector, sector_gross = sector_limits(structure.group_names)
    counted, gone = constant(n, 1, np.bool_), 0.0
    if np.count_nonzero(problem.cut):
        cut = problem.cut > 0
        counted, gone = ~cut, float(np.abs(problem.current[cut] - low[cut]).sum())
    linear, hinge_at, hinge_weight = _linear_and_hinges(problem)
    return Program(
        linear=linear,
        risk_weight=problem.lambda_risk if problem.correlation is not None else 0.0,
        correlation=problem.correlation if problem.lambda_risk > 0.0 else None,
        scale=constant(n, 1.0) if problem.scale is None else problem.scale,
        low=low,
        high=high,
        home=problem.current,
        hinge_at=hinge_at,
        hinge_weight=hinge_weight,
        rows=rows,
        floor=floor,
        ceiling=ceiling,
        group=structure.group,
        sector=bounds.sector,
        counted=counted,
        turnover=max(0.0, problem.turnover_left - gone),
        gross=bounds.gross,
        sector_gross=bounds.sector_gross,
        names=(*names, *sector, TURNOVER, GROSS, *sector_gross),
        impact=problem.impact,
    )


def _linear_and_hinges(problem: Problem) -> tuple[Floats, Floats, Floats]:
    """q (n,), t (L, n), h (L, n): edge and cash, costs from home, borrowing from zero down."""
    linear = problem.cash_yield - problem.edge
    at, weight = problem.current[None, :], problem.cost[None, :]
    half = half_borrow(problem)
    if half is None:
        return linear, at, weight
    at, weight = np.vstack([at, np.zeros_like(half)]), np.vstack([weight, half])
    return linear - half, at, weight


def half_borrow(problem: Problem) -> Floats | None:
    """b/2 (n,) of b·max(0, −w) = b/2·|w| − b/2·w, zero where no short may be; None if all are."""
    if problem.borrow is None:
        return None
    # Not the box of one cycle's turnover, which may give way.
    half = np.where(hard_box(problem)[0] < 0.0, 0.5 * problem.borrow, 0.0)
    return half if half.any() else None


def _signed_rows(problem: Problem) -> tuple[Floats, Floats, Floats, tuple[str, ...]]:
    """Rows (R, n) with floor, ceiling (R,) and the names of their limits."""
    n, bounds, beta = len(problem.z), problem.bounds, problem.structure.beta
    ones = constant(n, 1.0)
    if problem.limits.fully_invested:
        found = [(ones, 1.0, 1.0, FULLY_INVESTED)]
    else:
        found = [(ones, -bounds.net, bounds.net, NET)]
    if beta is not None and bounds.beta < np.inf:
        found.append((beta, -bounds.beta, bounds.beta, BETA))
    found += [(row.coefficients, row.low, row.high, row.name) for row in problem.rows]
    rows, floor, ceiling, names = zip(*found, strict=True)
    return np.array(rows), np.array(floor), np.array(ceiling), names
