"""OptimizationConfig with the seeds' names and defaults, and the settings of the other rooms.

Fractions are of NAV unless a suffix says otherwise; `_bps` are basis points, `_min` minutes of
open market, `_s` seconds, `_usd` dollars. Docstrings under the fields feed docs/config.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .broker_settings import BrokerSettings
from .costs import CostSettings
from .gate_settings import GateSettings
from .limits import RELAX_ORDER, Limits
from .model_settings import ModelSettings
from .orders import Algorithm
from .tactics import Tactics
from .units import BPS


@dataclass(frozen=True, slots=True)
class OptimizationConfig:
    """What is optimized and within which limits; the first twenty fields are the seeds'."""

    lambda_risk: float = 0.1
    """Risk aversion λ of wᵀΣw (no ½). At 0.1 risk is under 1 % of the edge; 10 makes it count."""
    gamma_cost: float = 0.05
    """Cost aversion γ: z per basis point of one-way cost."""
    tau_utility: float = 0.0
    """A trade's edge after cost must exceed this."""
    max_gross_exposure: float = 1.5
    """Σ|w| at most."""
    max_net_exposure: float = 0.3
    """|Σw| at most."""
    per_name_cap: float = 0.1
    """|w| of one name at most."""
    sector_cap: float = 0.3
    """|Σw| of one sector at most."""
    max_turnover: float = 0.2
    """Σ|Δw| a cycle at most (two-way)."""
    max_turnover_per_name: float = 0.05
    """|Δw| of one name a cycle at most."""
    beta_tolerance: float = 0.05
    """|βᵀw| at most, where betas are given."""
    portfolio_drift_threshold: float = 0.01
    """Discretionary Σ|Δw| below this is not traded (tau_L1)."""
    name_drift_threshold: float = 0.005
    """|Δw| of one name below this is not traded, exits apart."""
    K: int = 20
    """Names held long at most."""
    K_buy: int = 18
    """Bought only up to this rank."""
    K_sell: int = 24
    """Kept up to this rank."""
    z_keep: float = 0.8
    """Score above which a name is bought, and at which it is kept."""
    z_cut: float = 0.2
    """Score under which a name beyond K_sell is cut."""
    delta_z_min: float = 0.25
    """Least score gap between donor and buyer of a rotation."""
    k_ATR: float = 1.2
    """Loss since entry, in average true ranges, at which a name is cut."""
    Tmax_min: float = 120
    """Minutes of open market after which a name with |z| < z_cut is cut."""
    K_short: int = 0
    """Names held short at most; 0 is a long-only book."""
    allow_short: bool | None = None
    """May weights be negative? None: greedy follows K_short > 0, the convex program says yes."""
    weighting: str = ""
    """equal, score or inverse_vol; empty: inverse_vol where volatilities are known, else equal."""
    sector_gross_cap: float | None = None
    """Σ|w| of one sector at most; none by default."""
    fully_invested: bool = False
    """Σw = 1, refused where max_net_exposure < 1."""
    max_turnover_day: float | None = None
    """Σ|Δw| of a day at most; none by default."""
    budget_buffer: float = 0.03
    """Share of gross and net left unused, so that drift needs no repairs."""
    repair_tolerance_bps: float = 5.0
    """A limit passed by no more than this through price moves alone is not repaired."""
    reentry_min: float = 60.0
    """Minutes before a name cut by CUT_LOSER or CUT_DEAD_MONEY may grow again."""
    hedge_symbol: str = ""
    """Instrument that takes the book's residual beta; empty: none."""
    hedge_cap: float = 0.3
    """|w| of the hedge instrument at most."""
    relax_order: tuple[str, ...] = RELAX_ORDER
    """Limits that give way where limits conflict, the one given up first in front."""
    escalate_gap: float | None = None
    """Share of the best U that greedy's rules may lose before qp answers the cycle; none: never."""
    max_abs_z: float = 8.0
    """Scores beyond this many σ are pulled back to it: one wild score must not own the book."""
    impact_cost: bool = False
    """Square-root market impact inside the optimization: cost grows with the trade, κ|Δw|^{3/2}."""
    borrow_pct: float = 0.0
    """Cost of borrowing shares, percent a year; 0 takes the rates of `[costs]`."""
    cash_yield_pct: float = 0.0
    """Yield of cash, percent a year; 0 takes what `[costs]` pays."""
    min_trade: float = 0.0
    """|Δw| of one name below this is not traded by qp, exits apart."""
    whole_lots: bool = False
    """qp proposes whole lots at the market's prices; orders are in whole lots in any case."""

    @property
    def tau_L1(self) -> float:
        return self.portfolio_drift_threshold

    @property
    def tau_name_bps(self) -> float:
        return self.name_drift_threshold / BPS

    @property
    def tau_U(self) -> float:
        return self.tau_utility

    @property
    def K_buy_short(self) -> int:
        """K_buy in proportion to the short book."""
        return max(1, round(self.K_short * self.K_buy / self.K))

    @property
    def K_sell_short(self) -> int:
        """K_sell in proportion to the short book."""
        return max(self.K_short, round(self.K_short * self.K_sell / self.K))

    @property
    def shorts_allowed(self) -> bool:
        """As the greedy engine reads `allow_short`."""
        return self.K_short > 0 if self.allow_short is None else self.allow_short

    def limits(self, *, allow_short: bool) -> Limits:
        return Limits(
            per_name_cap=self.per_name_cap,
            gross=self.max_gross_exposure,
            net=self.max_net_exposure,
            sector=self.sector_cap,
            sector_gross=self.sector_gross_cap,
            beta=self.beta_tolerance,
            turnover=self.max_turnover,
            turnover_name=self.max_turnover_per_name,
            allow_short=allow_short,
            fully_invested=self.fully_invested,
        )


ALIASES = {
    "tau_L1": "portfolio_drift_threshold",
    "tau_U": "tau_utility",
    "tau_name_bps": "name_drift_threshold",
}
"""The seeds' second spellings, accepted in files; tau_name_bps is converted from bps."""


@dataclass(frozen=True, slots=True)
class SignalSettings:
    """How raw scores are read."""

    max_score_age_min: float = 45.0
    """A score as old as this does not count; a younger one the less, the older it is."""
    skill_half_life_days: float = 20.0
    """Half-life of a model's record of outcomes, in sessions."""
    recent_half_life_days: float = 3.0
    """Half-life of the outcomes of late that may take a model's vote away, in sessions."""
    weight_floor: float = 0.1
    """Least weight of a model in its horizon, and of a horizon, as a share of the equal weight."""
    weight_cap: float = 0.8
    """Largest weight of a model in its horizon, and of a horizon, where there are several."""
    weight_half_life_min: float = 60.0
    """Time in which weights go half of the way to where the record wants them."""
    churn_penalty: float = 0.5
    """Share of the cost of following a model's changes that counts against its skill."""


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """How σ, correlation and β are estimated: before each session, σ's level with every bar."""

    half_life_days: float = 5.0
    """Half-life of the exponential weights of σ, correlation and β, in sessions."""
    level_half_life_min: float = 30.0
    """Half-life of the level of volatility within the day, in minutes of open market."""
    form: str = "auto"
    """dense or factor: the form of the correlation; auto is dense up to 1,000 names."""
    factors: int = 10
    """Statistical factors beside the market and the sectors, in the factor form and its target."""
    history_days: int = 15
    """Sessions of history used."""
    min_days: float = 3.0
    """Sessions a name must have traded before it may be bought."""
    min_coverage: float = 0.6
    """Share of bars a name must have traded in."""
    trade_borrowed: bool = False
    """May a name trade whose history is too short, on the risk of its sector?"""
    atr_bars: int = 14
    """Bars of Wilder's average true range."""
    atr_bar_min: float = 30.0
    """Length of those bars."""


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """When to trade, which names may trade, and what forces the book."""

    windows: tuple[str, ...] = ("open+5", "10:30", "12:00", "14:30", "close-10")
    """Scheduled windows: exchange clock time, or minutes from open or close."""
    window_min: float = 5.0
    """Length of a window."""
    windows_only: bool = False
    """Discretionary trades in windows alone."""
    open_clamp_min: float = 5.0
    """No discretionary trade this soon after the open."""
    close_clamp_min: float = 5.0
    """No discretionary trade this close to the close."""
    max_quote_age_s: float = 450.0
    """A quote older than this is not fresh."""
    max_spread_bps: float = 40.0
    """No discretionary trade at a wider spread."""
    min_dollar_volume_usd: float = 5e6
    """Average daily dollar volume under which a name may only shrink."""
    min_price_usd: float = 2.0
    """Price under which a name may only shrink."""
    max_participation: float = 0.1
    """A discretionary trade is at most this share of the expected volume of `participation_min`."""
    participation_min: float = 30.0
    """The horizon of that volume."""
    restricted: tuple[str, ...] = ()
    """Names never traded."""
    no_short: tuple[str, ...] = ()
    """Names never sold short."""
    close_only: tuple[str, ...] = ()
    """Names that may only shrink."""
    earnings: tuple[str, ...] = ()
    """Names that may only shrink because earnings are near."""
    vol_spike_ratio: float = 3.0
    """Mean |bar return| over its norm for the time of day, in spike_cycles cycles in a row."""
    spread_blowout_ratio: float = 3.0
    """Mean spread over its norm, likewise."""
    spike_cycles: int = 2
    """Cycles in a row that make a spike or a blow-out."""
    daily_loss: float = 0.02
    """Loss since the session's start that latches `override_action`."""
    drawdown: float = 0.05
    """Loss from the highest NAV that latches `override_action`."""
    override_action: str = "reduce"
    """reduce: weights may only shrink; scale: gross and net limits times override_scale."""
    override_scale: float = 0.5
    """Factor of the limits when the action is scale."""
    cooldown_min: float = 30.0
    """Minutes of open market a vol or spread override lasts."""
    flat_by_close_min: float = 0.0
    """Flat from this many minutes before the close on; 0: positions are held overnight."""
    overnight_gross: float | None = None
    """Gross to be within from 30 minutes before the close on; none by default."""


@dataclass(frozen=True, slots=True)
class ExecutionSettings:
    """How weight changes become orders."""

    capital_usd: float = 1_000_000.0
    """Capital of the simulated account."""
    min_ticket_usd: float = 500.0
    """Smaller orders are not sent, exits to zero apart."""
    collar_bps: float = 30.0
    """Limit price: this far beyond the far touch."""
    order_life_min: float = 15.0
    """A working order older than this is canceled; what is left is decided anew."""
    cash_buffer: float = 0.001
    """Share of NAV that buys never touch."""
    max_fill_participation: float = 0.1
    """Simulated fills take at most this share of a bar's volume."""
    account: str = "SIM"
    """Account the orders are for."""
    currency: str = "USD"
    """Currency of the account; quotes are in it."""
    strategy: str = "db"
    """Prefix of client order ids."""
    algorithm: str = ""
    """How orders are worked; auto chooses by urgency, size, spread and time. Empty: auto where the
    broker quotes, as live, and marketable on bars."""


@dataclass(frozen=True, slots=True)
class DataSettings:
    """What files hold; used by `deadband run --bars`."""

    bars: str = ""
    """Bars: ts (UTC, bar start), symbol, open, high, low, close, volume, optional bid, ask."""
    scores: str = ""
    """Scores: asof (UTC), symbol and the score column."""
    universe: str = ""
    """symbol, sector and optional flags restricted, no_short, close_only, earnings."""
    market: str = ""
    """Symbol whose returns betas are measured against; not traded."""
    score_column: str = ""
    """Column of the scores file to use."""
    score_unit: str = ""
    """z, bps of expected return over score_horizon, or rank."""
    score_horizon: str = ""
    """Horizon of a bps score, such as 30min or 1d."""
    score_scale: float = 1.0
    """Scores are multiplied by this; for studies of what stronger scores would do."""
    first: str = ""
    """First session to run, such as 2026-03-02; empty: the last one of the bars."""
    last: str = ""
    """Last session to run; empty: the first alone."""
    accept: tuple[str, ...] = ()
    """Errors of the data that do not stop a run, by their names in data-doctor.md."""


EXACT = ("qp", "cvxpy")
ENGINES = ("greedy", *EXACT)
"""What may answer a cycle."""

AUTO = "auto"
"""The algorithm's name under which the router chooses."""
ALGORITHMS = ("", AUTO, *(one.value for one in Algorithm))
"""What may work an order."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run can be told, one table per room."""

    optimize: OptimizationConfig = field(default_factory=OptimizationConfig)
    signals: SignalSettings = field(default_factory=SignalSettings)
    risk: RiskSettings = field(default_factory=RiskSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    execution: ExecutionSettings = field(default_factory=ExecutionSettings)
    costs: CostSettings = field(default_factory=CostSettings)
    data: DataSettings = field(default_factory=DataSettings)
    models: tuple[ModelSettings, ...] = ()
    tactics: Tactics = field(default_factory=Tactics)
    gate: GateSettings = field(default_factory=GateSettings)
    broker: BrokerSettings = field(default_factory=BrokerSettings)
    engine: str = "greedy"
    """greedy; qp, the exact engine; or cvxpy, the same program by cvxpy and OSQP (extra cvxpy)."""
