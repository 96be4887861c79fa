"""Market impact in the exact engine: against cvxpy, against a grid, and in the engines' answers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kit import inputs
from tests.kit.programs import Regime, program
from tests.reference.program_by_cvxpy import optimum_by_cvxpy

from deadband import (
    CvxpyRebalanceEngine,
    GreedyRotationEngine,
    OptimizationConfig,
    QPOptimizationEngine,
)
from deadband.core.config import Settings
from deadband.core.costs import one_way_bps
from deadband.core.errors import DataError
from deadband.core.problem import Problem
from deadband.core.types import Permits, RiskModel, Signal, Watch
from deadband.optimize.build import build
from deadband.optimize.exact.duality import dual_bound, limit_bounds, risk_gradient, value
from deadband.optimize.exact.impact import GOOD_ENOUGH, PROVEN
from deadband.optimize.exact.program import Program
from deadband.optimize.solvers.cvx import CvxpyPrograms, cvxpy_optimum
from deadband.optimize.solvers.qp import optimum

REGIMES = {
    "dense": Regime(),
    "factor": Regime(risk="factor"),
    "singular, averse": Regime(risk="singular", lam=100.0, capped=False),
    "no risk": Regime(risk="none"),
    "cold": Regime(cold=True),
    "invested": Regime(invested=True),
    "no costs": Regime(costs=0.0, capped=False),
    "ties": Regime(ties=True),
    "every limit": Regime(lam=0.1, capped=False, sector_gross=True, borrow=True),
}
SEARCH = settings(max_examples=100, deadline=None, derandomize=True)


def with_impact(asked: Program, strength: float, seed: int = 0) -> Program:
    """κ from half of `strength` to twice as much; at 1, a trade of 1 % of NAV costs 20 bps or so.

    Every fifth name has none.
    """
    impact = strength * np.random.default_rng(seed).uniform(0.5, 2.0, asked.size)
    impact[::5] = 0.0
    return replace(asked, impact=impact)


@pytest.mark.parametrize("strength", [0.1, 2.0, 50.0])
@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_the_optimum_is_cvxpys_and_proven(regime: Regime, strength: float) -> None:
    for seed, n in enumerate((25, 40)):
        asked = with_impact(program(seed, n, regime), strength)
        found, stated = optimum(asked), optimum_by_cvxpy(asked)
        assert found is not None
        assert stated is not None
        assert found.proof.gap <= PROVEN
        assert found.proof.violation <= 1e-12
        assert found.proof.value == pytest.approx(stated[1], rel=1e-6, abs=1e-7)
        assert found.tried[-1] == found.answer.method == "impact"


@SEARCH
@given(
    st.integers(0, 2**20),
    st.integers(2, 60),
    st.sampled_from(list(REGIMES.values())),
    st.booleans(),
    st.floats(1e-3, 1e3),
)
def test_impact_is_proven_wherever_there_is_an_optimum_without_it(
    seed: int, n: int, regime: Regime, breach: bool, strength: float
) -> None:
    asked = program(seed, n, replace(regime, breach=breach))
    found = optimum(with_impact(asked, strength))
    assert (found is None) == (optimum(asked) is None)
    assert found is None or found.proof.gap <= GOOD_ENOUGH


@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_no_impact_gives_the_answer_without_it(regime: Regime) -> None:
    asked = program(3, 40, regime)
    one, other = optimum(asked), optimum(replace(asked, impact=np.zeros(asked.size)))
    assert one is not None
    assert other is not None
    assert one.answer.weights.tobytes() == other.answer.weights.tobytes()
    assert one.proof.bound == other.proof.bound


@pytest.mark.parametrize("regime", REGIMES.values(), ids=REGIMES)
def test_the_dearer_the_impact_the_less_of_it_is_made(regime: Regime) -> None:
    """Σκ|Δ|^{3/2} at a strength of one; the sum of |Δ| may rise, as one large trade becomes two."""
    asked = program(5, 40, regime)
    unit, least = with_impact(asked, 1.0).impact, np.inf
    assert unit is not None
    for strength in (0.1, 0.5, 2.0, 10.0, 50.0):
        found = optimum(with_impact(asked, strength))
        assert found is not None
        made = float(unit @ np.abs(found.answer.weights - asked.home) ** 1.5)
        # Two answers within PROVEN of their optima can be that much out of order, over Δstrength.
        slack = 4 * PROVEN * (1.0 + abs(found.proof.value)) / (0.8 * strength)
        assert made <= least + slack
        least = made


def test_the_sum_of_all_trades_shrinks_as_impact_grows_from_nothing_to_prohibitive() -> None:
    asked = program(1, 40, Regime(capped=False))
    traded = []
    for strength in (0.0, 1.0, 10.0, 100.0, 1e4):
        found = optimum(with_impact(asked, strength))
        assert found is not None
        moved = np.abs(found.answer.weights - asked.home)
        # Names of no impact go on trading.
        traded.append(float(np.delete(moved, np.s_[::5]).sum()))
    assert traded == sorted(traded, reverse=True)
    assert traded[-1] < 0.01 * traded[0]


@pytest.mark.parametrize("seed", range(6))
def test_the_dual_bound_is_the_lagrangians_least_value_over_a_grid(seed: int) -> None:
    asked = with_impact(program(seed, 9, Regime(borrow=True, sector_gross=True)), 3.0, seed)
    rng = np.random.default_rng(seed)
    weights = rng.uniform(asked.low, asked.high)
    lower, upper = limit_bounds(asked)
    prices = rng.uniform(0.0, 0.3, len(upper)) * np.isfinite(upper)
    found = dual_bound(asked, weights, prices)
    # The limits written out, priced, name by name along a fine line through each box.
    risk = risk_gradient(asked, weights)
    rows, sector, (turnover, gross), sector_gross = np.split(
        prices, np.cumsum([len(asked.floor), len(asked.sector), 2])
    )
    expected = -prices @ np.where(np.isfinite(upper), upper, 0.0) - 0.5 * weights @ risk
    for i in range(asked.size):
        w = np.append(np.linspace(asked.low[i], asked.high[i], 200_001), [asked.home[i], 0.0])
        w = np.clip(w, asked.low[i], asked.high[i])
        k, moved = asked.group[i], np.abs(w - asked.home[i])
        part = (asked.linear[i] + risk[i] + rows @ asked.rows[:, i] + sector[k]) * w
        part += turnover * moved + (gross + sector_gross[k]) * np.abs(w)
        part += np.abs(w - asked.hinge_at[:, i, None]).T @ asked.hinge_weight[:, i]
        expected += (part + asked.impact[i] * moved**1.5).min()
    assert found == pytest.approx(expected, abs=1e-8)
    assert found <= expected + 1e-14


@pytest.mark.parametrize("regime", [REGIMES["dense"], REGIMES["every limit"], REGIMES["invested"]])
def test_the_cvxpy_engines_program_states_the_same_impact(regime: Regime) -> None:
    programs = CvxpyPrograms()
    for strength in (0.5, 5.0):
        asked = with_impact(program(2, 40, regime), strength)
        exact, stated = optimum(asked), cvxpy_optimum(asked, programs)
        assert exact is not None
        assert stated is not None
        assert stated.answer.method == "clarabel"
        assert stated.proof.value == pytest.approx(exact.proof.value, rel=1e-6)
    assert len(programs.compiled) == 1


# --- the facade ---------------------------------------------------------------------------------

ALONE = {
    "z_scores": [1.0],
    "correlation_matrix": None,
    "costs": [2.0],
    "current_weights": [0.0],
    "universe": ["ACME"],
}


@pytest.mark.parametrize("engine", [QPOptimizationEngine, CvxpyRebalanceEngine])
def test_one_name_is_bought_until_impact_takes_the_edge(engine: type) -> None:
    """max w·(z − γc) − γb·w·√(w / 1 %): w = 1 % · ((z − γc) / (3/2·γb))²."""
    asked = engine(OptimizationConfig(gamma_cost=0.05))
    weights, info = asked.optimize(**ALONE, impact_bps=[10.0])
    edge, paid = 1.0 - 0.05 * 2.0, 0.05 * 10.0
    expected = 0.01 * (edge / (1.5 * paid)) ** 2
    assert weights[0] == pytest.approx(expected, rel=1e-2)
    best = expected * (edge - paid * np.sqrt(expected / 0.01))
    assert info["objective_value"] == pytest.approx(best, abs=1e-7)
    assert info["status"] == "optimal"
    assert info["certificate"].proof.bound >= best - 1e-12


def test_greedy_is_judged_by_the_same_utility() -> None:
    engine = GreedyRotationEngine(OptimizationConfig(gamma_cost=0.05))
    plain, without = engine.optimize(**ALONE)
    weights, info = engine.optimize(**ALONE, impact_bps=[10.0])
    moved = plain[0]
    assert moved > 0.0
    assert weights[0] == moved
    impact = 0.05 * 10.0 * moved * np.sqrt(moved / 0.01)
    assert info["objective_value"] == pytest.approx(without["objective_value"] - impact, rel=1e-12)


def test_negative_impact_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="impact_bps of ACME is -1"):
        QPOptimizationEngine().optimize(**ALONE, impact_bps=[-1.0])


# --- the cycle ----------------------------------------------------------------------------------


def cycle_problem(given: Settings) -> Problem:
    names = inputs.universe(6)
    adv = np.array([1e4, 1e5, 1e6, 1e6, 1e7, 1e8])
    n, none = len(names), np.zeros(len(names), np.int16)
    free = np.full(n, np.inf)
    risk = RiskModel(30.0, np.linspace(0.002, 0.006, n), None, None, None, none, "")
    return build(
        names,
        Signal(np.linspace(-1.0, 2.0, n), np.full(n, 60.0), none, "z", 30.0),
        risk,
        Permits(-free, free, -free, free, none, 1.0, (), (), Watch()),
        inputs.market(names, adv=adv),
        inputs.portfolio(names),
        0.0,
        given,
    )


def test_with_impact_cost_a_ticket_costs_what_it_does_without() -> None:
    """Impact is one formula: at the ticket for which the flat cost was made, both agree."""
    flat = cycle_problem(inputs.settings(engine="qp"))
    curved = cycle_problem(inputs.settings(engine="qp", impact_cost=True))
    assert flat.impact is None
    assert curved.impact is not None
    ticket = 0.3 / 20  # max_net_exposure / K
    curve = curved.cost * ticket + curved.impact * ticket**1.5
    assert curve == pytest.approx(flat.cost * ticket, rel=1e-12)
    assert (curved.cost < flat.cost).all()


def test_without_impact_the_cost_is_spread_and_commission() -> None:
    given = inputs.settings(engine="qp", impact_cost=True, impact=0.0)
    names = inputs.universe(6)
    market, nav = inputs.market(names), inputs.portfolio(names).nav
    bps = one_way_bps(
        market.last, market.spread_bps, market.adv, np.zeros(6), nav * 0.3 / 20, given.costs
    )
    problem = cycle_problem(given)
    assert problem.cost == pytest.approx(given.optimize.gamma_cost * bps)
    assert problem.impact is not None
    assert not problem.impact.any()


def test_value_counts_impact_on_the_distance_from_home_alone() -> None:
    asked = with_impact(program(4, 12), 3.0)
    assert asked.impact is not None
    plain = replace(asked, impact=None)
    assert value(asked, asked.home) == value(plain, asked.home)
    off = asked.home + 0.04
    assert value(asked, off) - value(plain, off) == pytest.approx(asked.impact.sum() * 0.008)
