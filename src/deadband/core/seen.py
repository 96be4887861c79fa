"""What a cycle gets to see: frozen, checked, and aligned by one Universe.

Arrays are float64 unless said otherwise, finite and read-only; n = names, m = models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from .arrays import Bools, Floats, Ints, seal
from .correlation import Correlation
from .errors import DataError, ShapeError
from .events import AccountReport
from .reasons import Code

SWITCH_MODES = ("ACTIVE", "REDUCING", "HALTED")
UNITS = ("z", "return", "rank")
NEVER_S = 1e9
"""Age in seconds of a quote or score that never came."""

Codes = np.ndarray[Any, np.dtype[np.int16]]
"""A column of reason-code numbers (n,); 0 is none."""


def seal_fields(owner: object, n: int, **dtypes: Any) -> None:
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
        seal_fields(self, n, group=np.int64, lot=np.int64, traded=np.bool_)
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
        seal_fields(self, len(self.universe), **dict.fromkeys(floats, np.float64))
        seal_fields(self, len(self.universe), halted=np.bool_, shortable=np.bool_)

    @property
    def mid(self) -> Floats:
        return 0.5 * (self.bid + self.ask)

    @property
    def spread_bps(self) -> Floats:
        """Quoted spread over mid, bps; 0 where there is no quote."""
        mid = self.mid
        return np.divide(self.ask - self.bid, mid, out=np.zeros_like(mid), where=mid > 0) * 1e4


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong with a model in this cycle; `text` is for people, in the model's words."""

    model: str
    code: Code
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Raw model scores (m, n), as they came: value, age in seconds, and what is wrong with each.

    `unit` is "z" (already score / σ), "return" (expected return, fraction over the model's
    `horizon_min`) or "rank" (any number, higher is better). `defect` holds a reason-code number, 0
    where the score is usable. `version` (m,) says which model spoke, empty where it is not known.
    """

    universe: Universe
    models: tuple[str, ...]
    unit: tuple[str, ...]
    horizon_min: tuple[float, ...]
    value: Floats
    age_s: Floats
    defect: Codes
    version: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()

    def __post_init__(self) -> None:
        if not self.version:
            object.__setattr__(self, "version", ("",) * len(self.models))
        stated = (len(self.unit), len(self.horizon_min), len(self.version))
        if set(stated) - {len(self.models)}:
            raise ShapeError(
                f"Scores has {len(self.models)} models with {stated[0]} units, {stated[1]} "
                f"horizons and {stated[2]} versions. Give one of each for every model."
            )
        if len(set(self.models)) < len(self.models):
            twice = sorted({model for model in self.models if self.models.count(model) > 1})
            raise DataError(f"more than one model is called {', '.join(twice)}. Rename one.")
        unknown = sorted(set(self.unit) - set(UNITS))
        if unknown:
            raise DataError(f"scores in {', '.join(unknown)}, expected {' or '.join(UNITS)}.")
        shape = (len(self.models), len(self.universe))
        for name, dtype in (("value", np.float64), ("age_s", np.float64), ("defect", np.int16)):
            sealed = seal(getattr(self, name), shape, f"Scores.{name}", dtype)
            object.__setattr__(self, name, sealed)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Bars known before today's open, oldest first, shared by all cycles of the day.

    returns (t, n): fraction over one bar of `bar_min`, within a session only, 0 where not
    observed; market (t,): the market symbol's, or None. range_* (u, n): bars of `range_min`
    minutes for average true range, the last close carried over gaps, 0 before the first price.
    row_of_day (t,): the place of each row's bar in its session, from 0; without it, rows are taken
    for whole sessions of 390 minutes. gaps (s, n): open over the last close before it, less one,
    of each session; 0 where not known. No price ratio of a split is in either.
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
    row_of_day: Ints | None = None
    gaps: Floats | None = None

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
        if self.row_of_day is not None:
            fields.append(("row_of_day", (shape[0],), np.int64))
        if self.gaps is not None:
            fields.append(("gaps", (len(self.gaps), n), np.float64))
        for name, wanted, dtype in fields:
            sealed = seal(getattr(self, name), wanted, f"History.{name}", dtype)
            object.__setattr__(self, name, sealed)


@dataclass(frozen=True, slots=True, eq=False)
class RiskGiven:
    """What the user states instead of an estimate: correlation and β (n,), each None if not."""

    correlation: Correlation | None
    beta: Floats | None
    version: str


@dataclass(frozen=True, slots=True, eq=False)
class Portfolio:
    """The managed account as seen at a cycle's start.

    shares, working (signed leaves), unknown (leaves of unknown fate, unsigned) (n,) int; price
    (n,) USD used to mark; nav USD; entry_price (n,) average cost USD; holding_min (n,) minutes of
    open market.
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
        seal_fields(self, n, shares=np.int64, working=np.int64, unknown=np.int64)
        seal_fields(self, n, price=np.float64, entry_price=np.float64, holding_min=np.float64)
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
    of loss and drawdown latches. `fault`: why no command could be read, where that is why.
    """

    mode: str = "ACTIVE"
    flatten: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    cleared: int = 0
    fault: str = ""

    def __post_init__(self) -> None:
        if self.mode not in SWITCH_MODES:
            raise DataError(
                f"the kill switch says {self.mode!r}, expected one of {', '.join(SWITCH_MODES)}. "
                "Nothing is decided on a command that is not understood."
            )


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
    funds: AccountReport | None = None
    """The account's money as its broker tells it; None where no broker does."""
