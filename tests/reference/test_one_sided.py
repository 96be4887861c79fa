"""Shadow prices against what U does when a limit really is loosened or tightened a little."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.kit.programs import Regime, program

from deadband.optimize.exact.one_sided import price_ranges
from deadband.optimize.exact.program import Program
from deadband.optimize.solvers.qp import optimum

STEP = 1e-6


def value_with(asked: Program, name: str, change: float) -> float:
    """The optimum with one limit's bound moved outward by `change`."""
    place = asked.names.index(name)
    signed, groups = len(asked.floor), len(asked.sector)
    if place < signed:
        wider = np.where(np.arange(signed) == place, change, 0.0)
        moved = replace(asked, floor=asked.floor - wider, ceiling=asked.ceiling + wider)
    elif place < signed + groups:
        wider = np.where(np.arange(groups) == place - signed, change, 0.0)
        moved = replace(asked, sector=asked.sector + wider)
    elif name == "TURNOVER":
        moved = replace(asked, turnover=asked.turnover + change)
    elif name == "GROSS":
        moved = replace(asked, gross=asked.gross + change)
    else:
        wider = np.where(np.arange(groups) == place - signed - groups - 2, change, 0.0)
        moved = replace(asked, sector_gross=asked.sector_gross + wider)
    found = optimum(moved)
    assert found is not None
    return found.proof.value


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(
    "regime",
    [Regime(), Regime(ties=True), Regime(capped=False, sector_gross=True), Regime(risk="factor")],
    ids=["capped", "ties", "uncapped", "factor"],
)
def test_a_price_is_what_a_little_more_or_less_of_the_limit_is_worth(
    seed: int, regime: Regime
) -> None:
    asked = program(seed, 25, regime)
    found = optimum(asked)
    assert found is not None
    for name, (gain, loss) in price_ranges(asked, found.answer.weights).items():
        assert gain <= loss + 1e-6
        best = found.proof.value
        assert (best - value_with(asked, name, STEP)) / STEP == pytest.approx(gain, abs=2e-3)
        assert (value_with(asked, name, -STEP) - best) / STEP == pytest.approx(loss, abs=2e-3)


def test_two_limits_that_say_the_same_have_one_sided_prices() -> None:
    """With BETA a copy of NET, loosening either alone gains nothing, tightening either costs."""
    asked = program(3, 25, Regime(lam=1.0, capped=False, cold=True))
    ones = np.ones((2, 25))
    bound = np.full(2, 0.05)
    twice = replace(asked, rows=ones, floor=-bound, ceiling=bound, linear=-np.abs(asked.linear))
    found = optimum(twice)
    assert found is not None
    ranges = price_ranges(twice, found.answer.weights)
    assert ranges["NET"][0] == pytest.approx(0.0, abs=1e-6)
    assert ranges["NET"][1] > 1e-3
    assert ranges["NET"] == pytest.approx(ranges["BETA"], abs=1e-6)
