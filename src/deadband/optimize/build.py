"""Assembles the Problem: z = score / σ happens here, and limits become this cycle's bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.arrays import Bools, Floats, constant, median, sealed
from ..core.carry import borrow_pct, credit_pct
from ..core.config import EXACT, OptimizationConfig, Settings
from ..core.correlation import Correlation
from ..core.costs import impact, one_way_bps
from ..core.errors import MissingError
from ..core.limits import Held, Structure, held_in, passive, reserve, widen
from ..core.problem import Problem
from ..core.rows import Row
from ..core.seen import Codes, Market, Portfolio, Universe
from ..core.session import SESSION_MIN
from ..core.types import Permits, RiskModel, Signal
from ..core.units import BPS, PERCENT
from .cuts import cut_codes

EVERYWHERE = (-np.inf, np.inf, np.inf)
"""The reach of boxes that are not there."""
IMPACT_TRADE = 0.01
"""The trade, fraction of NAV, whose impact is given; impact grows with the root of the trade."""
SESSIONS_A_YEAR = 252


@dataclass(slots=True, eq=False)
class Ask:
    """What is put to an engine before limits are turned into bounds; (n,) unless said otherwise.

    cost_bps one-way; volatility fraction per √horizon or None; pnl_bps, atr_pct, holding_min None
    where not known. `permits` None: everything may trade. `exits` False asks for no cuts.
    `impact_bps`: one-way market impact of a trade of IMPACT_TRADE, or None for none.
    `reserved`: weight of orders whose fate is not known, at its worst. `lot`: weight of one lot, or
    None where trades need not be whole lots. `borrow_bps` (None: none) and `cash_yield_bps` (a
    number) are over the horizon of the scores; `rows` are the user's own limits.
    """

    symbols: Sequence[str]
    z: Floats
    scored: Bools
    cost_bps: Floats
    current: Floats
    structure: Structure
    correlation: Correlation | None = None
    volatility: Floats | None = None
    pnl_bps: Floats | None = None
    atr_pct: Floats | None = None
    holding_min: Floats | None = None
    permits: Permits | None = None
    hedge: int = -1
    allow_short: bool = False
    exits: bool = True
    turnover_left: float = np.inf
    reserved: Floats | None = None
    impact_bps: Floats | None = None
    lot: Floats | None = None
    borrow_bps: Floats | None = None
    cash_yield_bps: float = 0.0
    rows: tuple[Row, ...] = ()


def assemble(ask: Ask, config: OptimizationConfig) -> Problem:
    """Turn what was asked into the problem that engines solve and `certify` checks."""
    n = len(ask.z)
    # What is made here belongs to the problem alone: sealed in place, it is not copied once more.
    z = sealed(np.minimum(np.maximum(ask.z, -config.max_abs_z), config.max_abs_z))
    # s = σ / median(σ), SEMANTICS §2.
    typical = np.nan if ask.volatility is None else median(ask.volatility)
    scale = None if ask.volatility is None else ask.volatility / typical
    scored, edge = ask.scored, z if scale is None else sealed(scale * z)
    if ask.hedge >= 0:
        # The hedge takes no rank from anybody (SEMANTICS §4.5), and is no bet of its own.
        others = np.arange(n) != ask.hedge
        scored, edge = sealed(scored & others), sealed(np.where(others, edge, 0.0))
    limits = config.limits(allow_short=ask.allow_short)
    if ask.permits is None:
        low, high = constant(n, -np.inf), constant(n, np.inf)
        hard_low, hard_high, force = low, high, constant(n, 0, np.int16)
        frozen, reach = constant(n, 0, np.bool_), EVERYWHERE
    else:
        low, high = ask.permits.low, ask.permits.high
        hard_low, hard_high = ask.permits.hard_low, ask.permits.hard_high
        force, frozen, reach = ask.permits.force, ask.permits.frozen, None
        limits = replace(
            limits,
            gross=min(limits.gross * ask.permits.gross_scale, ask.permits.gross_cap),
            net=limits.net * ask.permits.gross_scale,
        )
    tolerance = config.repair_tolerance_bps * BPS
    held = held_in(ask.current)
    bounds = widen(limits, ask.structure, ask.current, frozen, tolerance, held)
    if ask.reserved is not None and ask.reserved.any():
        bounds = reserve(bounds, ask.structure, ask.current, ask.reserved)
    if ask.hedge >= 0:
        size, cap = abs(float(ask.current[ask.hedge])), config.hedge_cap
        most = max(cap, size) if frozen[ask.hedge] else passive(cap, size, tolerance)
        bounds = bounds.with_box(ask.hedge, most)
    return Problem(
        symbols=tuple(ask.symbols),
        z=z,
        scored=scored,
        edge=edge,
        cost=sealed(config.gamma_cost * ask.cost_bps),
        impact=_impact(ask.impact_bps, config.gamma_cost),
        scale=scale,
        current=ask.current,
        lambda_risk=config.lambda_risk,
        correlation=ask.correlation,
        structure=ask.structure,
        limits=limits,
        bounds=bounds,
        low=low,
        high=high,
        hard_low=hard_low,
        hard_high=hard_high,
        cut=_cuts(ask, z, scored, held, force, config),
        in_profit=constant(n, 0, np.bool_) if ask.pnl_bps is None else sealed(ask.pnl_bps > 0),
        hedge=ask.hedge,
        turnover_left=max(0.0, min(limits.turnover, ask.turnover_left)),
        unit_bps=typical / BPS,
        lot=ask.lot,
        borrow=None if ask.borrow_bps is None else sealed(config.gamma_cost * ask.borrow_bps),
        cash_yield=config.gamma_cost * ask.cash_yield_bps,
        rows=ask.rows,
        known=reach,
    )


def _impact(impact_bps: Floats | None, gamma: float) -> Floats | None:
    """κ (n,) such that κ|Δ|^{3/2} is γ·bps·|Δ| at a trade of IMPACT_TRADE."""
    return None if impact_bps is None else sealed(gamma * impact_bps / np.sqrt(IMPACT_TRADE))


def _cuts(
    ask: Ask, z: Floats, scored: Bools, held: Held, force: Codes, config: OptimizationConfig
) -> Codes:
    if not ask.exits:
        return force
    cut: Codes = cut_codes(
        ask.symbols,
        z,
        scored,
        held,
        ask.pnl_bps,
        ask.atr_pct,
        ask.holding_min,
        config,
    )
    if ask.hedge >= 0:
        cut[ask.hedge] = 0
    if ask.permits is not None:
        commanded = (force > 0) & (ask.current != 0)
        cut[commanded] = force[commanded]
    cut.setflags(write=False)
    return cut


def build(
    universe: Universe,
    signal: Signal,
    risk: RiskModel,
    permits: Permits,
    market: Market,
    portfolio: Portfolio,
    turnover_today: float,
    settings: Settings,
) -> Problem:
    """The pipeline's problem: z from signal and σ, costs from the market, cuts from the book."""
    config = settings.optimize
    shorts = config.shorts_allowed
    if settings.engine in EXACT and config.allow_short is None:
        shorts = True
    cost_bps, impact_bps = _costs_bps(market, risk, portfolio.nav, settings)
    # What a percent a year is over the scores' horizon, bps.
    carry = signal.horizon_min / (SESSIONS_A_YEAR * SESSION_MIN) * PERCENT / BPS
    day_left = np.inf if config.max_turnover_day is None else config.max_turnover_day
    ask = Ask(
        symbols=universe.symbols,
        z=_z(signal, risk),
        scored=(signal.defect == 0) & universe.traded,
        cost_bps=cost_bps,
        current=portfolio.weights,
        structure=Structure(universe.group, universe.group_names, risk.beta),
        correlation=risk.correlation,
        volatility=risk.sigma,
        pnl_bps=portfolio.pnl_since_entry_bps,
        atr_pct=None if risk.atr is None else risk.atr / PERCENT,
        holding_min=portfolio.holding_min,
        permits=permits,
        hedge=_hedge(universe, config),
        allow_short=shorts,
        turnover_left=day_left - turnover_today,
        reserved=portfolio.unknown * portfolio.price / portfolio.nav,
        impact_bps=impact_bps,
        lot=_lots(universe, portfolio) if config.whole_lots else None,
        borrow_bps=_borrow_bps(universe, carry, settings),
        cash_yield_bps=carry * (config.cash_yield_pct or credit_pct(settings.costs)),
    )
    return assemble(ask, config)


def _borrow_bps(universe: Universe, carry: float, settings: Settings) -> Floats | None:
    """Cost of a short (n,) over the horizon, bps: as stated for all, else as it will be charged."""
    if settings.optimize.borrow_pct:
        return np.full(len(universe), carry * settings.optimize.borrow_pct)
    rates = borrow_pct(universe.symbols, settings.costs)
    return None if rates is None else carry * rates


def _lots(universe: Universe, portfolio: Portfolio) -> Floats:
    """Weight (n,) of one lot; of all of NAV for a name without a price, which cannot trade."""
    price = portfolio.price
    return np.where(price > 0.0, universe.lot * price / portfolio.nav, 1.0)


def _z(signal: Signal, risk: RiskModel) -> Floats:
    """Score / σ of the score's own horizon; a score already in σ passes through."""
    if signal.unit == "z":
        return signal.score
    sigma = risk.sigma_over(signal.horizon_min)
    if sigma is None:
        raise MissingError(
            "scores are expected returns but no volatility is known to scale them. "
            "Give history or volatilities, or scores in units of z."
        )
    z: Floats = np.divide(signal.score, sigma, out=np.zeros_like(sigma), where=sigma > 0)
    return z


def _costs_bps(
    market: Market, risk: RiskModel, nav: float, settings: Settings
) -> tuple[Floats, Floats | None]:
    """One-way cost (n,) of a typical ticket; and the impact of IMPACT_TRADE, where it is apart."""
    config, costs = settings.optimize, settings.costs
    long_only = min(config.max_gross_exposure, config.max_net_exposure)
    book = config.max_gross_exposure / 2 if config.K_short > 0 else long_only
    ticket = nav * min(config.per_name_cap, book / config.K)
    sigma_day = risk.sigma_day
    if sigma_day is None:
        sigma_day = np.full(len(market.last), 0.02)
    impact_bps = None
    if config.impact_cost:
        shares = IMPACT_TRADE * nav / np.maximum(market.last, 1e-4)
        impact_bps = impact(shares, market.adv, sigma_day, costs) / BPS
        costs = replace(costs, impact=0.0)
    cost_bps = one_way_bps(market.last, market.spread_bps, market.adv, sigma_day, ticket, costs)
    return cost_bps, impact_bps


def _hedge(universe: Universe, config: OptimizationConfig) -> int:
    if not config.hedge_symbol:
        return -1
    if config.hedge_symbol not in universe.index:
        raise MissingError(
            f"hedge_symbol={config.hedge_symbol} is not in the universe of {len(universe)} names. "
            "Add its bars or clear hedge_symbol."
        )
    return universe.index[config.hedge_symbol]
