"""What an engine is asked, and what it proposes with its proof.

Arrays are float64 unless said otherwise, finite and read-only; n = names, k = sectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field

import numpy as np

from .arrays import Bools, Floats, Ints, freeze, take_over
from .correlation import Correlation
from .limits import Bounds, Limits, Reach, Structure, reach_of
from .rows import Row
from .seen import Codes


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What an engine is asked: maximise edgeᵀw − λ wᵀΣw − cost·|w − current| within bounds.

    z (n,) scores; edge a (n,) = s∘z; cost (n,) in units of U per unit of weight (γ·bps);
    scale s (n,) or None; scored (n,) says whose z means anything. `cut` (n,) holds the code
    number of names that must go. low/high bound discretionary weights, `bounds` all of them.
    `impact` κ (n,) or None: U is less by κ|w − current|^{3/2}, weights as fractions of NAV.
    `unit_bps`: one unit of U in bps of NAV (the median σ), NaN where volatilities are not known.
    `lot` (n,) > 0 or None: the weight of one lot, where trades are to be whole lots.
    U is less by borrowᵀmax(0, −w) and by cash_yield·Σw too: `borrow` (n,) ≥ 0 or None and
    `cash_yield`, in units of U per unit of weight (γ·bps). `rows`: the user's own limits.
    `known`: the reach of the hard boxes, where nobody need look for it.
    """

    symbols: tuple[str, ...]
    z: Floats
    scored: Bools
    edge: Floats
    cost: Floats
    scale: Floats | None
    current: Floats
    lambda_risk: float
    correlation: Correlation | None
    structure: Structure
    limits: Limits
    bounds: Bounds
    low: Floats
    high: Floats
    hard_low: Floats
    hard_high: Floats
    cut: Codes
    in_profit: Bools
    hedge: int
    turnover_left: float
    unit_bps: float = np.nan
    impact: Floats | None = None
    lot: Floats | None = None
    borrow: Floats | None = None
    cash_yield: float = 0.0
    rows: tuple[Row, ...] = ()
    known: InitVar[Reach | None] = None
    reach: Reach = field(init=False)

    def __post_init__(self, known: Reach | None) -> None:
        freeze(
            self,
            "z",
            "scored",
            "edge",
            "cost",
            "current",
            "low",
            "high",
            "hard_low",
            "hard_high",
            "cut",
            "in_profit",
        )
        if self.impact is not None:
            freeze(self, "impact")
        if self.lot is not None:
            freeze(self, "lot")
        if self.borrow is not None:
            freeze(self, "borrow")
        low, high, widest = self.bounds.reach
        hard_low, hard_high, _ = known or reach_of(self.hard_low, self.hard_high)
        object.__setattr__(self, "reach", (max(low, hard_low), min(high, hard_high), widest))

    @property
    def flat(self) -> bool:
        """Whether zero is known to be inside every bound and hard box."""
        low, high, _ = self.reach
        return low <= 0.0 <= high


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """The check of an answer, by code that did not produce it.

    `violation` is the worst excess over any limit, relative to 1 + limit; `used` maps each limit's
    name to (value, bound); `accepted` says whether the weights may be traded. `proof` is there
    where an exact engine answered.
    """

    objective: float
    violation: float
    used: Mapping[str, tuple[float, float]]
    accepted: bool
    proof: Proof | None = None

    @property
    def gap(self) -> float:
        """Relative duality gap of an exact answer; NaN where none was proven."""
        return np.nan if self.proof is None else self.proof.gap

    @property
    def shadow_prices(self) -> dict[str, float]:
        """What U gains per unit by which a limit is loosened, of every limit with a price."""
        if self.proof is None:
            return {}
        pairs = zip(self.proof.limits, self.proof.prices.tolist(), strict=True)
        return {name: abs(price) for name, price in pairs if price != 0.0}


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """Why no other weights do better: a bound on U made from the prices of limits.

    U of any weights that keep the limits is at most `bound`; `gap` is (bound − U) / (1 + |U|). Both
    are of the program that was solved: with what gave way where limits conflict, and with names
    that should rest dear to move where a repair needs them.
    limits (m,) names, prices (m,): −d(−U)/d(bound), positive where the upper side of a limit binds,
    negative where its lower side does. `methods`: the solvers that were asked, the last answered.
    All this is of the optimum itself; `rounding` is the U lost to whole lots and the least trade.
    """

    bound: float
    gap: float
    limits: tuple[str, ...]
    prices: Floats
    methods: tuple[str, ...]
    rounding: float = 0.0

    def __post_init__(self) -> None:
        freeze(self, "prices")


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Target weights (n,) with, per name, the deciding code and its numbers as columns.

    counterpart (n,) int64 index or −1; gap, gain, cost (n,): score gap, edge after cost and cost
    of the test that decided; limit (n,): number of the limit that stopped the name, 0 none. `why`
    says what was wrong with the engine that was asked, where another one answered.
    `optimality_gap`: what greedy leaves, by part, in units of U, where it was asked for.
    """

    engine: str
    status: str
    weights: Floats
    code: Codes
    counterpart: Ints
    gap: Floats
    gain: Floats
    cost: Floats
    limit: Codes
    relaxed: Mapping[str, float]
    certificate: Certificate
    problem: Problem
    why: str = ""
    optimality_gap: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        take_over(self, "weights", "code", "counterpart", "gap", "gain", "cost", "limit")
