"""Assembles the Problem: z = score / σ happens here, and limits become this cycle's bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import OptimizationConfig, Settings
from ..core.correlation import Correlation
from ..core.costs import one_way_bps
from ..core.errors import MissingError
from ..core.limits import Structure, passive, reserve, widen
from ..core.seen import Codes, Market, Portfolio, Universe
from ..core.session import SESSION_MIN
from ..core.types import Permits, Problem, RiskModel, Signal
from ..core.units import BPS, PERCENT
from .cuts import cut_codes


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """What is put to an engine before limits are turned into bounds; (n,) unless said otherwise.

    cost_bps one-way; volatility fraction per √horizon or None; pnl_bps, atr_pct, holding_min None
    where not known. `permits` None: everything may trade. `exits` False asks for no cuts.
    `reserved`: weight of orders whose fate is not known, at its worst.
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


def assemble(ask: Ask, config: OptimizationConfig) -> Problem:
    """Turn what was asked into the problem that engines solve and `certify` checks."""
    n = len(ask.z)
    z = np.clip(ask.z, -config.max_abs_z, config.max_abs_z)
    scale = _scale(ask.volatility)
    scored = ask.scored
    if ask.hedge >= 0:
        # The hedge takes no rank from anybody (SEMANTICS §4.5).
        scored = scored & (np.arange(n) != ask.hedge)
    limits = config.limits(allow_short=ask.allow_short)
    if ask.permits is None:
        low, high = np.full(n, -np.inf), np.full(n, np.inf)
        hard_low, hard_high, force = low, high, np.zeros(n, dtype=np.int16)
    else:
        low, high = ask.permits.low, ask.permits.high
        hard_low, hard_high = ask.permits.hard_low, ask.permits.hard_high
        force = ask.permits.force
        limits = replace(
            limits,
            gross=min(limits.gross * ask.permits.gross_scale, ask.permits.gross_cap),
            net=limits.net * ask.permits.gross_scale,
        )
    frozen = hard_low == hard_high
    tolerance = config.repair_tolerance_bps * BPS
    bounds = widen(limits, ask.structure, ask.current, frozen, tolerance)
    if ask.reserved is not None and ask.reserved.any():
        bounds = reserve(bounds, ask.structure, ask.current, ask.reserved)
    if ask.hedge >= 0:
        size, cap = abs(float(ask.current[ask.hedge])), config.hedge_cap
        reach = max(cap, size) if frozen[ask.hedge] else passive(cap, size, tolerance)
        bounds.low[ask.hedge], bounds.high[ask.hedge] = -reach, reach
    return Problem(
        symbols=tuple(ask.symbols),
        z=z,
        scored=scored,
        edge=z if scale is None else scale * z,
        cost=config.gamma_cost * ask.cost_bps,
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
        cut=_cuts(ask, z, scored, force, config),
        in_profit=np.zeros(n, np.bool_) if ask.pnl_bps is None else ask.pnl_bps > 0,
        hedge=ask.hedge,
        turnover_left=max(0.0, min(limits.turnover, ask.turnover_left)),
    )


def _scale(volatility: Floats | None) -> Floats | None:
    """s = σ / median(σ), SEMANTICS §2."""
    return None if volatility is None else volatility / float(np.median(volatility))


def _cuts(ask: Ask, z: Floats, scored: Bools, force: Codes, config: OptimizationConfig) -> Codes:
    if not ask.exits:
        return force
    cut = cut_codes(
        ask.symbols,
        z,
        scored,
        ask.current,
        ask.pnl_bps,
        ask.atr_pct,
        ask.holding_min,
        config,
    )
    if ask.hedge >= 0:
        cut[ask.hedge] = 0
    return np.where((force > 0) & (ask.current != 0), force, cut).astype(np.int16)


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
    if settings.engine == "qp" and config.allow_short is None:
        shorts = True
    day_left = np.inf if config.max_turnover_day is None else config.max_turnover_day
    ask = Ask(
        symbols=universe.symbols,
        z=_z(signal, risk),
        scored=(signal.defect == 0) & universe.traded,
        cost_bps=_cost_bps(market, risk, portfolio.nav, settings),
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
    )
    return assemble(ask, config)


def _z(signal: Signal, risk: RiskModel) -> Floats:
    """Score / σ of the score's own horizon; a score already in σ passes through."""
    if signal.unit == "z":
        return signal.score
    if risk.sigma is None:
        raise MissingError(
            "scores are expected returns but no volatility is known to scale them. "
            "Give history or volatilities, or scores in units of z."
        )
    sigma = risk.sigma * np.sqrt(signal.horizon_min / risk.horizon_min)
    z: Floats = np.divide(signal.score, sigma, out=np.zeros_like(sigma), where=sigma > 0)
    return z


def _cost_bps(market: Market, risk: RiskModel, nav: float, settings: Settings) -> Floats:
    config = settings.optimize
    long_only = min(config.max_gross_exposure, config.max_net_exposure)
    book = config.max_gross_exposure / 2 if config.K_short > 0 else long_only
    ticket = nav * min(config.per_name_cap, book / config.K)
    if risk.sigma is None:
        sigma_day = np.full(len(market.last), 0.02)
    else:
        sigma_day = risk.sigma * np.sqrt(SESSION_MIN / risk.horizon_min)
    return one_way_bps(
        market.last, market.spread_bps, market.adv, sigma_day, ticket, settings.costs
    )


def _hedge(universe: Universe, config: OptimizationConfig) -> int:
    if not config.hedge_symbol:
        return -1
    if config.hedge_symbol not in universe.index:
        raise MissingError(
            f"hedge_symbol={config.hedge_symbol} is not in the universe of {len(universe)} names. "
            "Add its bars or clear hedge_symbol."
        )
    return universe.index[config.hedge_symbol]
