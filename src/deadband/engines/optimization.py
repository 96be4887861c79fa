"""OptimizationEngine: what every engine is asked, and how it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from ..core import align
from ..core.arrays import Bools, Floats, Ints, constant, lowest, sealed
from ..core.config import OptimizationConfig, Settings
from ..core.correlation import seal_correlation
from ..core.errors import DataError, MissingError
from ..core.limits import Structure
from ..core.lint import lint, refuse_errors
from ..core.problem import Problem
from ..core.rows import LinearLimit
from ..core.seen import Universe
from ..core.types import Permits, Watch
from ..optimize.build import Ask, assemble
from .info import gap_of
from .own_rows import own_rows


@dataclass(slots=True, eq=False)
class Extras:
    """The optional inputs of `optimize`, as they came."""

    volatility: Any = None
    beta_exposures: Any = None
    sector_exposures: Any = None
    pnl_since_entry_bps: Any = None
    atr_pct: Any = None
    holding_min: Any = None
    tradable: Any = None
    hedge_symbol: str = ""
    impact_bps: Any = None
    lot_weights: Any = None
    borrow_bps: Any = None
    cash_yield_bps: float = 0.0
    linear_limits: Sequence[LinearLimit] = ()
    factor_exposures: Any = None
    factor_tolerance: float = 0.0


class OptimizationEngine(ABC):
    """Turns scores, risk and costs into target weights, and says why for every name."""

    apply_cuts = True

    def __init__(self, config: OptimizationConfig | None = None) -> None:
        self.config = config or OptimizationConfig()
        refuse_errors(lint(Settings(optimize=self.config)))

    def optimize(
        self,
        z_scores: Any,
        correlation_matrix: Any,
        costs: Any,
        current_weights: Any,
        universe: Sequence[str] | Universe,
        *,
        volatility: Any = None,
        beta_exposures: Any = None,
        sector_exposures: Any = None,
        pnl_since_entry_bps: Any = None,
        atr_pct: Any = None,
        holding_min: Any = None,
        tradable: Any = None,
        hedge_symbol: str = "",
        impact_bps: Any = None,
        lot_weights: Any = None,
        borrow_bps: Any = None,
        cash_yield_bps: float = 0.0,
        linear_limits: Sequence[LinearLimit] = (),
        factor_exposures: Any = None,
        factor_tolerance: float = 0.0,
        gap: bool | str = False,
    ) -> tuple[Any, dict[str, Any]]:
        """Target weights (fractions of NAV) in the container type of `current_weights`, and `info`.

        Vectors (n,) are arrays or lists in the order of `universe`, or dicts and Series by symbol;
        `universe` is a list of symbols, or a Universe that was checked once.
        z_scores: score / σ, + is better to be long. correlation_matrix: (n, n), a sealed
        correlation, a pair (loadings, specific), or None. costs: one-way, bps of traded notional.
        volatility: fraction per √horizon; beta_exposures; sector_exposures: labels or n×k of 0/1,
        by default those of a Universe;
        pnl_since_entry_bps side-adjusted; atr_pct percent of price; holding_min minutes of open
        market; tradable: False freezes a name at its weight. impact_bps: one-way
        market impact on top of `costs`, bps of a trade of 1 % of NAV; it grows with the square root
        of the trade, and greedy's own tests leave it out. lot_weights: fraction of NAV
        of one lot (share price x lot size / NAV): the exact engines trade whole lots, and
        `rounding_gap` is the U that costs. gap: True measures what the answer leaves against the
        optimum, "bound" bounds it by one linear program (`optimality_gap`).

        borrow_bps: cost of being short, bps of the short's value over the scores' horizon;
        cash_yield_bps: yield of cash, bps over the same, which buying forgoes. Greedy's own tests
        leave both out. linear_limits: LinearLimit each, low ≤ coefficientsᵀw ≤ high, and
        factor_exposures: vectors by factor, |exposureᵀw| ≤ factor_tolerance, reported as
        "FACTOR:<name>"; greedy refuses both.

        `info` holds changes, reason_codes, status, objective_value, engine, method (the solver that
        answered), relaxed, certificate, solve_ms, rounding_gap, why (what was wrong with the engine
        asked for, where another answered, or why weights are not rounded) and correlation_repair
        (largest entry changed to make the matrix positive semidefinite).

        Raises DataError, ShapeError or MissingError naming the symbol at fault.
        """
        started = perf_counter()
        given = Extras(
            volatility,
            beta_exposures,
            sector_exposures,
            pnl_since_entry_bps,
            atr_pct,
            holding_min,
            tradable,
            hedge_symbol or self.config.hedge_symbol,
            impact_bps,
            lot_weights,
            borrow_bps,
            cash_yield_bps,
            linear_limits,
            factor_exposures,
            factor_tolerance,
        )
        problem = self._problem(
            z_scores, correlation_matrix, costs, current_weights, universe, given
        )
        weights, info = self._answer(problem)
        if gap:
            info["optimality_gap"] = gap_of(problem, self.config, weights, gap)
        info["solve_ms"] = (perf_counter() - started) * 1e3
        return align.like(weights, current_weights, problem.symbols), info

    @abstractmethod
    def _answer(self, problem: Problem) -> tuple[Floats, dict[str, Any]]:
        """Weights (n,) and the info of this engine."""

    def _problem(
        self,
        z_scores: Any,
        correlation_matrix: Any,
        costs: Any,
        current_weights: Any,
        universe: Sequence[str] | Universe,
        given: Extras,
    ) -> Problem:
        symbols = _checked(universe)

        def maybe(values: Any, name: str) -> Floats | None:
            return None if values is None else align.vector(values, symbols, name)

        current = align.vector(current_weights, symbols, "current_weights")
        beta = maybe(given.beta_exposures, "beta_exposures")
        group, group_names = _groups(given.sector_exposures, universe, symbols)
        ask = Ask(
            symbols=symbols,
            z=align.vector(z_scores, symbols, "z_scores"),
            scored=constant(len(symbols), 1, np.bool_),
            cost_bps=_at_least(0.0, align.vector(costs, symbols, "costs"), symbols, "costs"),
            current=current,
            structure=Structure(group, group_names, beta),
            correlation=seal_correlation(align.square(correlation_matrix, symbols), len(symbols)),
            volatility=_positive(maybe(given.volatility, "volatility"), symbols),
            pnl_bps=maybe(given.pnl_since_entry_bps, "pnl_since_entry_bps"),
            atr_pct=maybe(given.atr_pct, "atr_pct"),
            holding_min=maybe(given.holding_min, "holding_min"),
            permits=_frozen(given.tradable, current, symbols),
            hedge=_hedge(given, universe),
            allow_short=self._shorts_allowed(),
            exits=self.apply_cuts,
            impact_bps=_impact(maybe(given.impact_bps, "impact_bps"), symbols),
            lot=_lots(maybe(given.lot_weights, "lot_weights"), symbols),
            borrow_bps=_borrow(maybe(given.borrow_bps, "borrow_bps"), symbols),
            cash_yield_bps=_yield(given.cash_yield_bps),
            rows=own_rows(
                given.linear_limits, given.factor_exposures, given.factor_tolerance, symbols
            ),
        )
        return assemble(ask, self.config)

    def _shorts_allowed(self) -> bool:
        return self.config.shorts_allowed


def _groups(
    labels: Any, universe: Sequence[str] | Universe, symbols: Sequence[str]
) -> tuple[Ints, tuple[str, ...]]:
    """Sectors as given, else those of the universe."""
    if labels is None and isinstance(universe, Universe):
        return universe.group, universe.group_names
    return align.groups(labels, symbols)


def _checked(universe: Sequence[str] | Universe) -> tuple[str, ...]:
    """The symbols, each named once."""
    if isinstance(universe, Universe):
        return universe.symbols
    symbols = tuple(universe)
    if len(set(symbols)) != len(symbols):
        twice = sorted(symbol for symbol, times in Counter(symbols).items() if times > 1)
        raise DataError(f"universe lists {', '.join(twice[:5])} more than once. Name each once.")
    return symbols


def _at_least(least: float, values: Floats, symbols: Sequence[str], name: str) -> Floats:
    if lowest(values) < least:
        i = int(values.argmin())
        raise DataError(
            f"{name} of {symbols[i]} is {values[i]:g}, expected at least {least:g}. Correct it."
        )
    return values


def _impact(values: Floats | None, symbols: Sequence[str]) -> Floats | None:
    return None if values is None else _at_least(0.0, values, symbols, "impact_bps")


def _borrow(values: Floats | None, symbols: Sequence[str]) -> Floats | None:
    return None if values is None else _at_least(0.0, values, symbols, "borrow_bps")


def _yield(bps: float) -> float:
    if not np.isfinite(bps):
        raise DataError(f"cash_yield_bps is {bps:g}, expected a finite number. Correct it.")
    return float(bps)


def _lots(weights: Floats | None, symbols: Sequence[str]) -> Floats | None:
    if weights is not None and len(weights) and lowest(weights) <= 0:
        i = int(weights.argmin())
        raise DataError(
            f"lot_weights of {symbols[i]} is {weights[i]:g}, expected above 0: the price of one "
            "lot over NAV. Correct it."
        )
    return weights


def _positive(volatility: Floats | None, symbols: Sequence[str]) -> Floats | None:
    if volatility is not None and len(volatility) and lowest(volatility) <= 0:
        i = int(volatility.argmin())
        raise DataError(
            f"volatility of {symbols[i]} is {volatility[i]:g}, expected above 0. "
            "Estimate it from more history, or leave the name out."
        )
    return volatility


def _frozen(tradable: Any, current: Floats, symbols: Sequence[str]) -> Permits | None:
    if tradable is None:
        return None
    free: Bools = align.mask(tradable, symbols, "tradable")
    low = sealed(np.where(free, -np.inf, current))
    high = sealed(np.where(free, np.inf, current))
    none = constant(len(symbols), 0, np.int16)
    return Permits(low, high, low, high, none, 1.0, (), (), Watch())


def _hedge(given: Extras, universe: Sequence[str] | Universe) -> int:
    if not given.hedge_symbol:
        return -1
    if isinstance(universe, Universe):
        place = universe.index.get(given.hedge_symbol, -1)
    else:
        place = list(universe).index(given.hedge_symbol) if given.hedge_symbol in universe else -1
    if place < 0:
        raise MissingError(
            f"hedge_symbol={given.hedge_symbol} is not among the {len(universe)} names of the "
            "universe. Add it with its beta, or clear hedge_symbol."
        )
    return place
