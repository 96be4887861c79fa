"""Problems and decisions made by hand, for tests of a single function."""

from typing import Any

import numpy as np

from deadband.core.config import OptimizationConfig
from deadband.core.limits import Structure, widen
from deadband.core.problem import Problem
from deadband.core.reasons import Code
from deadband.core.seen import Codes, Universe
from deadband.core.types import Decision
from deadband.core.units import BPS

from .inputs import Column, column, universe


def structure(names: Universe, beta: Column | None = None) -> Structure:
    """The sectors of a universe, with betas where given."""
    slopes = None if beta is None else column(names, beta, 1.0).astype(np.float64)
    return Structure(names.group, names.group_names, slopes)


def problem(
    names: Universe | None = None,
    *,
    current: Column = 0.0,
    z: Column = 0.0,
    cost_bps: Column = 0.0,
    beta: Column | None = None,
    config: OptimizationConfig | None = None,
    allow_short: bool | None = None,
    **other: Any,
) -> Problem:
    """What an engine is asked, without cuts, gates or risk unless `other` gives them."""
    names = universe() if names is None else names
    config = OptimizationConfig() if config is None else config
    n = len(names)
    weights = column(names, current).astype(np.float64)
    short = config.shorts_allowed if allow_short is None else allow_short
    limits = config.limits(allow_short=short)
    made = structure(names, beta)
    hard_low = other.get("hard_low", np.full(n, -np.inf))
    hard_high = other.get("hard_high", np.full(n, np.inf))
    frozen = hard_low == hard_high
    score = column(names, z).astype(np.float64)
    fields: dict[str, Any] = {
        "scored": np.ones(n, np.bool_),
        "edge": score,
        "cost": config.gamma_cost * column(names, cost_bps).astype(np.float64),
        "scale": None,
        "lambda_risk": config.lambda_risk,
        "correlation": None,
        "limits": limits,
        "bounds": widen(limits, made, weights, frozen, config.repair_tolerance_bps * BPS),
        "low": hard_low,
        "high": hard_high,
        "hard_low": hard_low,
        "hard_high": hard_high,
        "cut": np.zeros(n, np.int16),
        "in_profit": np.zeros(n, np.bool_),
        "hedge": -1,
        "turnover_left": limits.turnover,
    }
    unknown = other.keys() - fields.keys()
    assert not unknown, f"a Problem has no {sorted(unknown)}"
    return Problem(
        symbols=names.symbols, z=score, current=weights, structure=made, **(fields | other)
    )


def codes(names: Universe, default: Code = Code.HOLD_FLAT, **given: Code) -> Codes:
    """A column of code numbers; keywords name single symbols."""
    numbers = {symbol: code.number for symbol, code in given.items()}
    made: Codes = column(names, numbers, default.number).astype(np.int16)
    return made


def decision(names: Universe, target: Column, code: Code = Code.BUY_TOP_K) -> Decision:
    """Weights to reach, all for one reason."""
    return Decision(column(names, target).astype(np.float64), codes(names, code), ())
