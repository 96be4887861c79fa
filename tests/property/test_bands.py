"""No-trade bands for all books: limits are kept, cuts are never held, and a band is idempotent."""

from dataclasses import dataclass, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.arrays import Floats, exact_sum
from deadband.core.config import OptimizationConfig
from deadband.core.limits import excesses
from deadband.core.problem import Problem
from deadband.core.reasons import BY_NUMBER, NOT_DISCRETIONARY, Code
from deadband.core.seen import Codes
from deadband.policy.bands import Banded, hold_inside_bands
from tests import kit

N = 6
NAMES = kit.universe(N, S0000="Energy", S0001="Energy", S0002="Banks", S0003="Banks")
CONFIG = OptimizationConfig(
    max_gross_exposure=0.4, max_net_exposure=0.15, sector_cap=0.1, beta_tolerance=0.04
)
FREE = sorted(NOT_DISCRETIONARY)
DISCRETIONARY = (Code.BUY_TOP_K, Code.BUY_BETTER, Code.ROTATE_OUT, Code.DROP_GREEN)

tenths_of_percent = st.lists(st.integers(-100, 100), min_size=N, max_size=N).map(
    lambda steps: np.array(steps) / 1000
)


@dataclass(frozen=True)
class Case:
    problem: Problem
    target: Floats
    code: Codes
    portfolio_band: float
    name_band: float
    closed: Code | None

    def band(self) -> Banded:
        return hold_inside_bands(
            self.problem,
            self.target,
            self.code,
            portfolio_band=self.portfolio_band,
            name_band=self.name_band,
            closed=self.closed,
        )

    @property
    def moved(self) -> np.ndarray:
        return self.target != self.problem.current

    @property
    def discretionary(self) -> np.ndarray:
        free = [BY_NUMBER[int(c)] in NOT_DISCRETIONARY for c in self.code]
        return self.moved & ~np.array(free)

    def breaks(self, weights: Floats) -> bool:
        return bool(excesses(self.problem.bounds, self.problem.structure, weights))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Any current book, breached or not, and a target that keeps the limits of the cycle."""
    current, target = draw(tenths_of_percent), draw(tenths_of_percent)
    still = np.array(draw(st.lists(st.booleans(), min_size=N, max_size=N)))
    target = np.where(still, current, target)
    beta = {"S0000": 1.5, "S0003": 0.5, "S0005": 0.0}
    problem = kit.problem(NAMES, current=current, beta=beta, config=CONFIG, allow_short=True)
    while excesses(problem.bounds, problem.structure, target):
        target = np.where(np.abs(target) < 1e-6, 0.0, target * 0.7)
    code = draw(st.lists(st.sampled_from(FREE + list(DISCRETIONARY)), min_size=N, max_size=N))
    return Case(
        problem,
        target,
        np.array([c.number for c in code], dtype=np.int16),
        draw(st.sampled_from([0.0, 0.01, 0.05, 0.2, 10.0])),
        draw(st.sampled_from([0.0, 0.005, 0.03])),
        draw(st.sampled_from([None, None, Code.WINDOW_CLOSED])),
    )


many = settings(max_examples=60, deadline=None, derandomize=True)


@many
@given(cases())
def test_a_target_that_keeps_the_limits_keeps_them_after_the_bands(case: Case) -> None:
    assert not case.breaks(case.band().weights)


@many
@given(cases())
def test_cuts_repairs_and_commands_are_never_held(case: Case) -> None:
    banded = case.band()
    free = ~case.discretionary
    assert (banded.weights[free] == case.target[free]).all()
    assert (banded.code[free] == case.code[free]).all()


@many
@given(cases())
def test_a_name_is_traded_whole_or_not_at_all_and_says_which(case: Case) -> None:
    banded = case.band()
    held = case.moved & (banded.weights == case.problem.current)
    traded = case.moved & ~held
    assert (banded.weights[traded] == case.target[traded]).all()
    why = {BY_NUMBER[int(c)] for c in banded.code[held]}
    assert why <= {Code.BAND_SKIP, Code.BAND_NAME, Code.WINDOW_CLOSED}
    after_all = traded & (banded.code != case.code)
    assert {BY_NUMBER[int(c)] for c in banded.code[after_all]} <= {Code.BAND_BYPASSED}


@many
@given(cases())
def test_nothing_discretionary_is_traded_inside_the_portfolio_band(case: Case) -> None:
    banded = case.band()
    drift = exact_sum(np.abs(case.target - case.problem.current)[case.discretionary])
    inside = drift <= case.portfolio_band - 1e-12 or not case.discretionary.any()
    verdict = case.closed or (Code.BAND_SKIP if inside else Code.DRIFT_PORTFOLIO)
    assert banded.spoken[0].code is verdict
    if verdict is not Code.DRIFT_PORTFOLIO:
        traded = case.discretionary & (banded.weights != case.problem.current)
        assert (banded.code[traded] == Code.BAND_BYPASSED.number).all()


@many
@given(cases())
def test_a_name_outside_its_band_or_on_its_way_out_is_not_held_by_it(case: Case) -> None:
    banded = case.band()
    named = banded.code == Code.BAND_NAME.number
    moves = np.abs(case.target - case.problem.current)[named]
    assert (moves <= case.name_band - 1e-12).all()
    assert not (case.target[named] == 0.0).any()


@many
@given(cases())
def test_nothing_is_unheld_while_holding_keeps_every_limit(case: Case) -> None:
    banded = case.band()
    if (banded.code == Code.BAND_BYPASSED.number).any():
        first = replace(case, problem=_without_limits(case.problem)).band()
        assert case.breaks(first.weights)


@many
@given(cases())
def test_once_traded_the_same_target_asks_for_nothing_more(case: Case) -> None:
    weights = case.band().weights
    again = replace(case, problem=replace(case.problem, current=weights)).band()
    assert (again.weights == weights).all()


@many
@given(cases())
def test_a_band_of_what_a_band_let_through_is_the_same(case: Case) -> None:
    """With a portfolio band between, name bands may leave less drift than it asks for."""
    case = replace(case, portfolio_band=0.0 if case.portfolio_band < 1.0 else 10.0)
    once = case.band()
    again = replace(case, target=once.weights, code=once.code).band()
    assert (again.weights == once.weights).all()
    assert (again.code == once.code).all()


def _without_limits(problem: Problem) -> Problem:
    wide = problem.bounds
    return replace(
        problem,
        bounds=replace(
            wide,
            low=wide.low - 9.0,
            high=wide.high + 9.0,
            gross=99.0,
            net=99.0,
            sector=wide.sector + 9.0,
            beta=99.0,
        ),
    )
