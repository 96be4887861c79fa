"""OptimizationEngine: what every engine is asked, and how it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from ..core import align
from ..core.arrays import Bools, Floats
from ..core.config import OptimizationConfig, Settings
from ..core.correlation import seal_correlation
from ..core.errors import DataError, MissingError
from ..core.limits import Structure
from ..core.lint import lint, refuse_errors
from ..core.seen import Universe
from ..core.types import Permits, Problem, Watch
from ..optimize.build import Ask, assemble


@dataclass(frozen=True, slots=True, eq=False)
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
    ) -> tuple[Any, dict[str, Any]]:
        """Target weights (fractions of NAV) in the container type of `current_weights`, and `info`.

        Vectors (n,) are arrays or lists in the order of `universe`, or dicts and Series by symbol;
        `universe` is a list of symbols, or a Universe that was checked once.
        z_scores: score / σ, + is better to be long. correlation_matrix: (n, n), a sealed
        correlation, a pair (loadings, specific), or None. costs: one-way, bps of traded notional.
        volatility: fraction per √horizon; beta_exposures; sector_exposures: labels or n×k of 0/1;
        pnl_since_entry_bps side-adjusted; atr_pct percent of price; holding_min minutes of open
        market; tradable: False freezes a name at its weight.

        `info` holds changes, reason_codes, status, objective_value, engine, relaxed, certificate,
        solve_ms, why (what was wrong with the engine asked for, where another answered) and
        correlation_repair (largest entry changed to make the matrix positive semidefinite).

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
        )
        problem = self._problem(
            z_scores, correlation_matrix, costs, current_weights, universe, given
        )
        weights, info = self._answer(problem)
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
        group, group_names = align.groups(given.sector_exposures, symbols)
        ask = Ask(
            symbols=symbols,
            z=align.vector(z_scores, symbols, "z_scores"),
            scored=np.ones(len(symbols), dtype=np.bool_),
            cost_bps=_at_least(0.0, align.vector(costs, symbols, "costs"), symbols, "costs"),
            current=current,
            structure=Structure(group, group_names, beta),
            correlation=seal_correlation(align.square(correlation_matrix, symbols), len(symbols)),
            volatility=_positive(maybe(given.volatility, "volatility"), symbols),
            pnl_bps=maybe(given.pnl_since_entry_bps, "pnl_since_entry_bps"),
            atr_pct=maybe(given.atr_pct, "atr_pct"),
            holding_min=maybe(given.holding_min, "holding_min"),
            permits=_frozen(given.tradable, current, symbols),
            hedge=_hedge(given, symbols),
            allow_short=self._shorts_allowed(),
            exits=self.apply_cuts,
        )
        return assemble(ask, self.config)

    def _shorts_allowed(self) -> bool:
        return self.config.shorts_allowed


def _checked(universe: Sequence[str] | Universe) -> Sequence[str]:
    """The symbols, each named once."""
    if isinstance(universe, Universe):
        return universe.symbols
    symbols = universe
    if len(set(symbols)) != len(symbols):
        twice = sorted({s for s in symbols if list(symbols).count(s) > 1})
        raise DataError(f"universe lists {', '.join(twice[:5])} more than once. Name each once.")
    return symbols


def _at_least(least: float, values: Floats, symbols: Sequence[str], name: str) -> Floats:
    if (values < least).any():
        i = int(values.argmin())
        raise DataError(
            f"{name} of {symbols[i]} is {values[i]:g}, expected at least {least:g}. Correct it."
        )
    return values


def _positive(volatility: Floats | None, symbols: Sequence[str]) -> Floats | None:
    if volatility is not None and not (volatility > 0).all():
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
    low, high = np.where(free, -np.inf, current), np.where(free, np.inf, current)
    none = np.zeros(len(symbols), dtype=np.int16)
    return Permits(low, high, low, high, none, 1.0, (), (), Watch())


def _hedge(given: Extras, symbols: Sequence[str]) -> int:
    if not given.hedge_symbol:
        return -1
    if given.hedge_symbol not in symbols:
        raise MissingError(
            f"hedge_symbol={given.hedge_symbol} is not among the {len(symbols)} names of the "
            "universe. Add it with its beta, or clear hedge_symbol."
        )
    return list(symbols).index(given.hedge_symbol)
