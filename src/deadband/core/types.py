"""The frozen data types that flow between rooms.

Arrays are float64 unless said otherwise, finite and read-only; n = names, m = models, k = sectors.
All vectors of a cycle share one Universe by identity, so they cannot be misaligned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from .arrays import Bools, Floats, Ints, seal
from .correlation import Correlation
from .errors import DataError
from .limits import Bounds, Limits, Structure
from .orders import Book, Order, WorkingOrder
from .reasons import Code, Reason

NEVER_S = 1e9
"""Age in seconds of a quote or score that never came."""

Codes = np.ndarray[Any, np.dtype[np.int16]]
"""A column of reason-code numbers (n,); 0 is none."""


def _seal(owner: object, n: int, **dtypes: Any) -> None:
    """Seal the named (n,) fields of a frozen dataclass in place."""
    for name, dtype in dtypes.items():
        sealed = seal(getattr(owner, name), (n,), f"{type(owner).__name__}.{name}", dtype)
        object.__setattr__(owner, name, sealed)


@dataclass(frozen=True, slots=True, eq=False)
class Universe:
    """The names of a cycle. `group` (n,) is a sector number into `group_names`, −1 for none.

    `traded` (n,) is False for a name that is there for risk only, such as the market symbol.
    Ties between names are broken by symbol.
    """

    symbols: tuple[str, ...]
    group: Ints
    group_names: tuple[str, ...]
    lot: Ints
    traded: Bools
    index: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.symbols)
        index = {symbol: i for i, symbol in enumerate(self.symbols)}
        if len(index) != n:
            twice = sorted({s for i, s in enumerate(self.symbols) if index[s] != i})
            raise DataError(f"universe lists {', '.join(twice)} more than once. Name each once.")
        _seal(self, n, group=np.int64, lot=np.int64, traded=np.bool_)
        object.__setattr__(self, "index", index)

    @classmethod
    def of(
        cls,
        symbols: tuple[str, ...],
        sectors: Mapping[str, str] | None = None,
        not_traded: frozenset[str] = frozenset(),
    ) -> Universe:
        """Build from symbols, their sector labels (absent: none) and the names for risk only."""
        labels = [(sectors or {}).get(symbol, "") for symbol in symbols]
        names = tuple(sorted({label for label in labels if label}))
        number = {name: k for k, name in enumerate(names)} | {"": -1}
        return cls(
            symbols=symbols,
            group=np.array([number[label] for label in labels], dtype=np.int64),
            group_names=names,
            lot=np.ones(len(symbols), dtype=np.int64),
            traded=np.array([symbol not in not_traded for symbol in symbols], dtype=np.bool_),
        )

    def __len__(self) -> int:
        return len(self.symbols)

    def mask(self, symbols: tuple[str, ...]) -> Bools:
        """Which names (n,) bool are listed; symbols the universe lacks are passed over."""
        listed = np.zeros(len(self), dtype=np.bool_)
        listed[[self.index[s] for s in symbols if s in self.index]] = True
        return listed


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """What is known of the market at `asof` (aware UTC).

    bid, ask, last USD (0 when never seen); volume shares of the last bar; adv shares a day;
    bar_return fraction over the last bar; quote_age_s seconds. `norm_move` and `norm_spread` are
    the usual mean absolute bar return and mean relative spread at this time of day, 0 = unknown.
    """

    universe: Universe
    asof: datetime
    bar_min: float
    bid: Floats
    ask: Floats
    last: Floats
    volume: Floats
    adv: Floats
    bar_return: Floats
    quote_age_s: Floats
    halted: Bools
    shortable: Bools
    norm_move: float
    norm_spread: float

    def __post_init__(self) -> None:
        floats = ("bid", "ask", "last", "volume", "adv", "bar_return", "quote_age_s")
        _seal(self, len(self.universe), **dict.fromkeys(floats, np.float64))
        _seal(self, len(self.universe), halted=np.bool_, shortable=np.bool_)

    @property
    def mid(self) -> Floats:
        return 0.5 * (self.bid + self.ask)

    @property
    def spread_bps(self) -> Floats:
        """Quoted spread over mid, bps; 0 where there is no quote."""
        mid = self.mid
        return np.divide(self.ask - self.bid, mid, out=np.zeros_like(mid), where=mid > 0) * 1e4


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Raw model scores (m, n), as they came: value, age in seconds, and what is wrong with each.

    `unit` is "z" (already score / σ) or "return" (expected return, fraction over the model's
    `horizon_min`). `defect` holds a reason-code number, 0 where the score is usable.
    """

    universe: Universe
    models: tuple[str, ...]
    unit: tuple[str, ...]
    horizon_min: tuple[float, ...]
    value: Floats
    age_s: Floats
    defect: Codes

    def __post_init__(self) -> None:
        shape = (len(self.models), len(self.universe))
        for name, dtype in (("value", np.float64), ("age_s", np.float64), ("defect", np.int16)):
            sealed = seal(getattr(self, name), shape, f"Scores.{name}", dtype)
            object.__setattr__(self, name, sealed)


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One score per name (n,): z, or expected return (fraction over `horizon_min`)."""

    score: Floats
    age_s: Floats
    defect: Codes
    unit: str
    horizon_min: float

    def __post_init__(self) -> None:
        _seal(self, len(self.score), score=np.float64, age_s=np.float64, defect=np.int16)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Bars known before today's open, oldest first, shared by all cycles of the day.

    returns (t, n): fraction over one bar of `bar_min`, within a session only, 0 where not
    observed; market (t,): the market symbol's, or None. range_* (u, n): bars of `range_min`
    minutes for average true range, the last close carried over gaps, 0 before the first price.
    """

    universe: Universe
    bar_min: float
    returns: Floats
    observed: Bools
    market: Floats | None
    range_min: float
    range_high: Floats
    range_low: Floats
    range_close: Floats
    version: str

    def __post_init__(self) -> None:
        shape, n = np.shape(self.returns), len(self.universe)
        ranges = (len(self.range_close), n)
        fields: list[tuple[str, tuple[int, ...], Any]] = [
            ("returns", (shape[0], n), np.float64),
            ("observed", (shape[0], n), np.bool_),
            ("range_high", ranges, np.float64),
            ("range_low", ranges, np.float64),
            ("range_close", ranges, np.float64),
        ]
        if self.market is not None:
            fields.append(("market", (shape[0],), np.float64))
        for name, wanted, dtype in fields:
            sealed = seal(getattr(self, name), wanted, f"History.{name}", dtype)
            object.__setattr__(self, name, sealed)


@dataclass(frozen=True, slots=True, eq=False)
class RiskModel:
    """σ (n,) fraction per √horizon_min; correlation; β (n,) or None; ATR (n,) fraction of price.

    `defect` (n,) is the code number of names whose history does not carry an estimate; their σ is
    the median of the others and they may only shrink. `sigma` None: volatilities were not given.
    """

    horizon_min: float
    sigma: Floats | None
    correlation: Correlation | None
    beta: Floats | None
    atr: Floats | None
    defect: Codes
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class RiskGiven:
    """What the user states instead of an estimate: correlation and β (n,), each None if not."""

    correlation: Correlation | None
    beta: Floats | None
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """The managed account as seen at a cycle's start.

    shares, working (signed leaves of working orders), unknown (n,) int; price (n,) USD used to
    mark; nav USD; entry_price (n,) average cost USD; holding_min (n,) minutes of open market.
    weights (n,) = (shares + working)·price / nav, fraction of NAV.
    """

    account: str
    currency: str
    shares: Ints
    working: Ints
    unknown: Ints
    price: Floats
    cash: float
    nav: float
    entry_price: Floats
    holding_min: Floats
    weights: Floats = field(init=False)

    def __post_init__(self) -> None:
        n = len(self.shares)
        _seal(self, n, shares=np.int64, working=np.int64, unknown=np.int64)
        _seal(self, n, price=np.float64, entry_price=np.float64, holding_min=np.float64)
        if not self.nav > 0:
            raise DataError(
                f"account {self.account}: NAV is {self.nav:.2f} {self.currency}, expected above "
                "0. Fund the account or set `capital`."
            )
        weights = (self.shares + self.working) * self.price / self.nav
        object.__setattr__(self, "weights", seal(weights, (n,), "Portfolio.weights"))

    @property
    def pnl_since_entry_bps(self) -> Floats:
        """Gain on average cost (n,), bps, side-adjusted; 0 where flat."""
        entered = (self.shares != 0) & (self.entry_price > 0) & (self.price > 0)
        ratio = np.divide(self.price, self.entry_price, out=np.ones_like(self.price), where=entered)
        gain: Floats = np.sign(self.shares) * (ratio - 1.0) * 1e4
        return gain


@dataclass(frozen=True, slots=True)
class Switch:
    """What the operator commands: ACTIVE, REDUCING or HALTED; names to flatten or pause.

    `flatten` may hold GLOBAL for the whole book. `cleared` numbers the operator's last clearing
    of loss and drawdown latches.
    """

    mode: str = "ACTIVE"
    flatten: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    cleared: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Everything a cycle may look at, gathered by the driver."""

    now: datetime
    market: Market
    history: History | None
    risk_given: RiskGiven | None
    scores: Scores
    portfolio: Portfolio
    switch: Switch


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """One rule that held names back: who (n,), the number it saw (n,), and its bound."""

    code: Code
    names: Bools
    value: Floats
    bound: float


@dataclass(frozen=True, slots=True, eq=False)
class Permits:
    """What each name may do.

    low, high (n,): box for discretionary weights; hard_low, hard_high (n,): box nothing leaves,
    not even a cut. `force` (n,): code number of a commanded exit, 0 none. `gross_scale` multiplies
    the gross and net limits. `gates` name the rules behind it; `spoken` speaks for the portfolio.
    """

    low: Floats
    high: Floats
    hard_low: Floats
    hard_high: Floats
    force: Codes
    gross_scale: float
    gates: tuple[Gate, ...]
    spoken: tuple[Reason, ...]
    watch: Watch

    def first_gate(self) -> Codes:
        """Per name (n,) the code number of the first gate that holds it, 0 none."""
        code = np.zeros(len(self.low), dtype=np.int16)
        for gate in reversed(self.gates):
            code[gate.names] = gate.code.number
        return code

    @property
    def frozen(self) -> Bools:
        """Names (n,) that nothing may move."""
        frozen: Bools = self.hard_low == self.hard_high
        return frozen


@dataclass(frozen=True, slots=True)
class Watch:
    """What the overrides remember: cycles in a row over a norm, and latches with their release.

    A latch is a code with the epoch seconds at which it fell; `cleared` is the operator's last
    clearing that was taken up.
    """

    vol_cycles: int = 0
    spread_cycles: int = 0
    latches: tuple[tuple[Code, float], ...] = ()
    cleared: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What an engine is asked: maximise edgeᵀw − λ wᵀΣw − cost·|w − current| within bounds.

    z (n,) scores; edge a (n,) = s∘z; cost (n,) in units of U per unit of weight (γ·bps);
    scale s (n,) or None; scored (n,) says whose z means anything. `cut` (n,) holds the code
    number of names that must go. low/high bound discretionary weights, `bounds` all of them.
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


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """The check of an answer, by code that did not produce it.

    `violation` is the worst excess over any limit, relative to 1 + limit; `used` maps each limit's
    name to (value, bound); `accepted` says whether the weights may be traded.
    """

    objective: float
    violation: float
    used: Mapping[str, tuple[float, float]]
    accepted: bool


@dataclass(frozen=True, slots=True, eq=False)
class Proposal:
    """Target weights (n,) with, per name, the deciding code and its numbers as columns.

    counterpart (n,) int64 index or −1; gap, gain, cost (n,): score gap, edge after cost and cost
    of the test that decided; limit (n,): number of the limit that stopped the name, 0 none.
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


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """What is to be traded: `target` (n,) weights, `code` (n,) the final deciding code per name.

    `spoken` says what fired and what refused, for the portfolio.
    """

    target: Floats
    code: Codes
    spoken: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders to send, working orders to cancel, and what rounding did, per name."""

    orders: tuple[Order, ...]
    cancels: tuple[str, ...]
    notes: tuple[Reason, ...]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What a run remembers between cycles: a fold of its journal.

    turnover_today L1 fraction of NAV; reentry (n,): epoch seconds before which a name that was
    cut may not grow again, 0 none.
    """

    universe: Universe
    book: Book
    working: tuple[WorkingOrder, ...]
    cycle: int
    day: str
    turnover_today: float
    start_nav: float
    peak_nav: float
    reentry: Floats
    watch: Watch
    risk: RiskModel | None


@dataclass(frozen=True, slots=True, eq=False)
class CycleRecord:
    """One cycle with all that went in and all that came out; no timings."""

    cycle_id: str
    state: State
    seen: Seen
    signal: Signal
    risk: RiskModel
    permits: Permits
    proposal: Proposal
    decision: Decision
    plan: Plan
