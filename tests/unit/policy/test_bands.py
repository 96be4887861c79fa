"""No-trade bands by example: what is held, what goes through, and what is traded after all."""

from collections.abc import Mapping

import numpy as np
import pytest

from deadband.core.config import OptimizationConfig
from deadband.core.reasons import BY_NUMBER, GLOBAL, NOT_DISCRETIONARY, Code
from deadband.policy.bands import Banded, hold_inside_bands
from tests import kit

NAMES = kit.universe(4, S0000="Energy", S0001="Energy")
A, B, C, D = NAMES.symbols
TAU_L1, TAU_NAME = 0.01, 0.005


def band(
    current: Mapping[str, float],
    target: Mapping[str, float],
    portfolio_band: float = TAU_L1,
    name_band: float = TAU_NAME,
    closed: Code | None = None,
    config: OptimizationConfig | None = None,
    beta: Mapping[str, float] | None = None,
    **code: Code,
) -> Banded:
    problem = kit.problem(NAMES, current=current, config=config, beta=beta, allow_short=True)
    wanted = kit.column(NAMES, dict(current) | dict(target))
    codes = kit.codes(NAMES, Code.BUY_BETTER, **code)
    return hold_inside_bands(
        problem,
        wanted,
        codes,
        portfolio_band=portfolio_band,
        name_band=name_band,
        closed=closed,
    )


def weights(banded: Banded) -> dict[str, float]:
    return {NAMES.symbols[i]: float(banded.weights[i]) for i in np.flatnonzero(banded.weights)}


def codes(banded: Banded) -> dict[str, Code]:
    return dict(zip(NAMES.symbols, (BY_NUMBER[int(c)] for c in banded.code), strict=True))


def test_drift_inside_the_portfolio_band_is_held() -> None:
    banded = band({A: 0.05}, {A: 0.0452, B: 0.0049})
    assert weights(banded) == {A: 0.05}
    assert codes(banded) == {
        A: Code.BAND_SKIP,
        B: Code.BAND_SKIP,
        C: Code.BUY_BETTER,
        D: Code.BUY_BETTER,
    }
    (spoken,) = banded.spoken
    assert (spoken.code, spoken.symbol) == (Code.BAND_SKIP, GLOBAL)
    assert spoken.facts == pytest.approx({"drift": 0.0097, "band": TAU_L1})


def test_drift_of_exactly_the_band_trades() -> None:
    banded = band({A: 0.05}, {A: 0.045, B: 0.005})
    assert weights(banded) == {A: 0.045, B: 0.005}
    assert banded.spoken[0].code is Code.DRIFT_PORTFOLIO


def test_a_name_inside_its_own_band_is_held_while_others_trade() -> None:
    banded = band({A: 0.05}, {A: 0.0451, B: 0.03})
    assert weights(banded) == {A: 0.05, B: 0.03}
    assert codes(banded)[A] is Code.BAND_NAME
    assert codes(banded)[B] is Code.BUY_BETTER


def test_an_exit_to_zero_passes_the_name_band_but_not_the_portfolio_band() -> None:
    banded = band({A: 0.002}, {A: 0.0, B: 0.03}, S0000=Code.ROTATE_OUT)
    assert weights(banded) == {B: 0.03}
    assert codes(banded)[A] is Code.ROTATE_OUT
    banded = band({A: 0.002}, {A: 0.0}, S0000=Code.ROTATE_OUT)
    assert weights(banded) == {A: 0.002}


@pytest.mark.parametrize("code", sorted(NOT_DISCRETIONARY))
def test_cuts_repairs_and_commands_go_through_and_open_nothing_else(code: Code) -> None:
    banded = band({A: 0.05, B: 0.05}, {A: 0.0, B: 0.0599}, S0000=code)
    assert weights(banded) == {B: 0.05}
    assert codes(banded)[A] is code
    assert codes(banded)[B] is Code.BAND_SKIP
    assert [(r.code, r.symbol) for r in banded.spoken] == [
        (Code.BAND_SKIP, GLOBAL),
        (Code.CUT_FIRED, GLOBAL),
    ]
    assert banded.spoken[1].facts == {"names": 1.0}


def test_a_small_repair_passes_the_name_band() -> None:
    banded = band({A: 0.102}, {A: 0.1}, S0000=Code.CAP_NAME)
    assert weights(banded) == {A: 0.1}


def test_nothing_to_do_is_a_skip() -> None:
    banded = band({A: 0.05}, {})
    assert weights(banded) == {A: 0.05}
    assert [r.code for r in banded.spoken] == [Code.BAND_SKIP]


def test_a_band_of_zero_still_leaves_the_name_band() -> None:
    banded = band({}, {A: 0.0049, B: 0.005}, portfolio_band=0.0)
    assert weights(banded) == {B: 0.005}
    assert banded.spoken[0].code is Code.DRIFT_PORTFOLIO


def test_closed_holds_every_discretionary_trade_however_large() -> None:
    banded = band(
        {A: 0.05, B: 0.05},
        {A: 0.0, B: 0.1, C: 0.1},
        closed=Code.WINDOW_CLOSED,
        S0000=Code.CUT_LOSER,
    )
    assert weights(banded) == {B: 0.05}
    assert codes(banded)[B] is codes(banded)[C] is Code.WINDOW_CLOSED
    assert [r.code for r in banded.spoken] == [Code.WINDOW_CLOSED, Code.CUT_FIRED]


def test_a_hold_that_breaks_a_limit_is_traded_after_all_the_most_relieving_first() -> None:
    """The short side is cut, and the longs that it carried must come in with it."""
    config = OptimizationConfig(max_net_exposure=0.1, sector_cap=1.0)
    current = {A: 0.08, B: 0.07, C: 0.02, D: -0.07}
    target = {A: 0.045, B: 0.025, C: 0.017, D: 0.0}
    banded = band(current, target, portfolio_band=1.0, config=config, S0003=Code.CUT_LOSER)
    assert weights(banded) == {A: 0.045, B: 0.025, C: 0.02}
    assert codes(banded) == {
        A: Code.BAND_BYPASSED,
        B: Code.BAND_BYPASSED,
        C: Code.BAND_SKIP,
        D: Code.CUT_LOSER,
    }


def test_one_name_is_enough_when_it_relieves_enough() -> None:
    config = OptimizationConfig(max_net_exposure=0.1)
    current = {A: 0.06, C: 0.06, D: -0.02}
    target = {A: 0.056, C: 0.04, D: 0.0}
    banded = band(current, target, portfolio_band=1.0, config=config, S0003=Code.CUT_LOSER)
    assert weights(banded) == {A: 0.06, C: 0.04}


def test_equal_relief_is_decided_by_symbol() -> None:
    config = OptimizationConfig(max_net_exposure=0.1)
    current = {B: 0.06, C: 0.06, D: -0.02}
    target = {B: 0.04, C: 0.04, D: 0.0}
    banded = band(current, target, portfolio_band=1.0, config=config, S0003=Code.CUT_LOSER)
    assert weights(banded) == {B: 0.04, C: 0.06}


def test_beta_and_sector_count_among_the_limits() -> None:
    config = OptimizationConfig(beta_tolerance=0.05, sector_cap=0.08)
    flat_beta = dict.fromkeys(NAMES.symbols, 0.0)
    banded = band(
        {C: 0.05, D: -0.05},
        {C: 0.046, D: 0.0},
        beta=flat_beta | {C: 1.05, D: 1.0},
        portfolio_band=0.0,
        config=config,
    )
    assert weights(banded) == {C: 0.046}
    banded = band(
        {A: 0.06, B: 0.018},
        {A: 0.0575, B: 0.0225},
        portfolio_band=0.0,
        name_band=0.003,
        config=config,
    )
    assert weights(banded) == {A: 0.0575, B: 0.0225}
    assert codes(banded)[A] is Code.BAND_BYPASSED


def test_the_arguments_are_left_as_they_were() -> None:
    problem = kit.problem(NAMES, current={A: 0.05})
    target, given = kit.column(NAMES, {A: 0.049}), kit.codes(NAMES)
    before = target.tobytes(), given.tobytes()
    hold_inside_bands(problem, target, given, portfolio_band=TAU_L1, name_band=TAU_NAME)
    assert (target.tobytes(), given.tobytes()) == before
