"""What an audit of the rules against the code found, each kept as a regression."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deadband import GreedyRotationEngine, OptimizationConfig, QPOptimizationEngine
from deadband.core.limits import Structure, reserve, widen
from deadband.core.lint import lint
from deadband.core.reasons import Code
from deadband.core.seen import Switch
from deadband.core.types import Permits, Watch
from deadband.optimize.build import Ask, assemble
from deadband.optimize.rotation.draft import hedge_box
from deadband.risk.volatility import average_true_range
from tests import kit

HEDGE = "S0009"


def test_a_flattened_hedge_stays_flat() -> None:
    """It used to be rebuilt in the same cycle, because the book it hedged was still there."""
    names = kit.universe(10)
    weights = {f"S{i:04d}": 0.05 for i in range(5)} | {HEDGE: -0.2}
    z = {f"S{i:04d}": 2.0 for i in range(5)}
    seen = kit.seen(
        names,
        scores=kit.scores(names, z),
        portfolio=kit.portfolio(names, weights=weights),
        switch=Switch(flatten=(HEDGE,)),
    )
    settings = kit.settings(hedge_symbol=HEDGE)
    given = kit.state(names, portfolio=seen.portfolio)
    _, record = kit.walk(seen, given, settings)
    [order] = [order for order in record.plan.orders if order.symbol == HEDGE]
    assert order.reason == Code.KILL_FLATTEN
    assert record.decision.target[9] == 0.0


def test_a_hedge_without_betas_is_still_no_ordinary_name() -> None:
    symbols = ["A", "B", "H"]
    weights, info = GreedyRotationEngine().optimize(
        [2.0, 0.1, -3.0], None, [1.0, 1.0, 1.0], [0.0, 0.0, 0.1], symbols, hedge_symbol="H"
    )
    assert weights[2] == 0.1
    assert info["reason_codes"]["H"] not in (Code.CUT_SCORE, Code.ROTATE_OUT)


def test_buys_stop_where_the_hedge_could_not_follow() -> None:
    """Beta 1 each, tolerance 0.05, a hedge that may take 0.04: 0.09 may be bought, not 0.29."""
    n = 20
    symbols = [f"N{i:02d}" for i in range(n)] + ["H"]
    config = OptimizationConfig(hedge_cap=0.04, allow_short=True, name_drift_threshold=0.0)
    weights, info = GreedyRotationEngine(config).optimize(
        [2.0] * n + [0.0],
        None,
        [1.0] * (n + 1),
        [0.0] * (n + 1),
        symbols,
        beta_exposures=[1.0] * (n + 1),
        hedge_symbol="H",
    )
    assert sum(weights[:n]) == pytest.approx(0.09)
    assert weights[n] == pytest.approx(-0.04)
    assert {change["reason"] for change in info["changes"]} == {Code.BUY_TOP_K, Code.HEDGE_BETA}


def test_orders_of_unknown_fate_tighten_every_limit_but_force_no_sale() -> None:
    config = OptimizationConfig()
    structure = Structure(np.array([0, 0, 1]), ("X", "Y"), np.array([1.0, 1.0, 2.0]))
    current = np.array([0.1, 0.1, 0.05])
    nobody = np.zeros(3, dtype=np.bool_)
    bounds = widen(config.limits(allow_short=True), structure, current, nobody, 0.0)
    tight = reserve(bounds, structure, current, np.array([0.0, 0.0, 0.04]))
    assert tight.gross == pytest.approx(1.5 - 0.04)
    assert tight.net == pytest.approx(0.3 - 0.04)
    assert tight.sector.tolist() == pytest.approx([0.3, 0.26])
    assert reserve(bounds, structure, current, np.full(3, 9.0)).net == pytest.approx(0.25)


def test_a_name_that_came_late_has_a_stop_of_its_own() -> None:
    rng = np.random.default_rng(1)
    close = 100 * np.cumprod(1 + 0.01 * rng.normal(size=(60, 2)), axis=0)
    high, low = close * 1.01, close * 0.99
    late = close.copy()
    late[:20, 1], high[:20, 1], low[:20, 1] = 0.0, 0.0, 0.0
    together = average_true_range(high, low, late, 14)
    alone = average_true_range(high[20:], low[20:], late[20:], 14)
    assert together[1] == pytest.approx(alone[1])
    assert (together > 0).all()


def test_a_nights_gap_is_part_of_the_days_loss() -> None:
    names = kit.universe(5)
    seen = kit.seen(names, portfolio=kit.portfolio(names, nav=0.97 * kit.NAV))
    yesterday = kit.state(names, day="2026-03-02", last_nav=kit.NAV)
    state, record = kit.walk(seen, yesterday)
    assert state.start_nav == kit.NAV
    assert Code.RISK_DAILY_LOSS in {reason.code for reason in record.permits.spoken}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"max_turnover": 20.0}, "max_turnover=20 is 2000%: is it a percentage?"),
        ({"tau_utility": float("nan")}, "optimize.tau_utility is nan. Write a number."),
        ({"override_scale": 5.0}, "policy.override_scale=5 would widen limits"),
        ({"overnight_gross": -1.0}, "policy.overnight_gross=-1 is below zero"),
    ],
)
def test_settings_in_the_wrong_unit_are_refused(changed: dict[str, float], said: str) -> None:
    errors = [f.text for f in lint(kit.settings(**changed)) if f.severity == "error"]
    assert any(said in error for error in errors), errors


def test_a_spent_days_turnover_is_reported_when_a_cut_passes_it() -> None:
    names = kit.universe(5)
    seen = kit.seen(
        names,
        scores=kit.scores(names, {"S0000": -2.0}),
        portfolio=kit.portfolio(names, weights={"S0000": 0.05}),
    )
    state = kit.state(names, portfolio=seen.portfolio, turnover_today=0.2)
    _, record = kit.walk(seen, state, kit.settings(max_turnover_day=0.2, K_sell=2, K=1, K_buy=1))
    assert record.decision.code[0] == Code.CUT_SCORE.number
    assert record.proposal.status == "optimal_relaxed"
    assert record.proposal.relaxed["TURNOVER_DAY"] == pytest.approx(0.05)


def test_a_fall_back_says_why() -> None:
    """With no limit allowed to give way, a breach and the turnover that repairs it conflict."""
    strict = QPOptimizationEngine(OptimizationConfig(relax_order=()))
    _, info = strict.optimize(
        [1.0] * 20, None, [1.0] * 20, [0.09] * 20, [f"N{i}" for i in range(20)]
    )
    assert info["status"] == "fell_back"
    assert "NET" in info["why"]
    assert "TURNOVER" in info["why"]


def test_a_repaired_matrix_is_reported() -> None:
    crossed = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    _, info = GreedyRotationEngine().optimize(
        [1.0, 1.0, 1.0], crossed, [1.0] * 3, [0.0] * 3, ["A", "B", "C"]
    )
    assert info["correlation_repair"] > 0.1


def test_the_switch_refuses_a_word_it_does_not_know() -> None:
    with pytest.raises(Exception, match="the kill switch says 'halted', expected one of ACTIVE"):
        Switch(mode="halted")


def test_frozen_types_are_frozen_to_the_last_array() -> None:
    _, record = kit.walk(kit.seen(kit.universe(5)))
    arrays = [
        record.permits.low,
        record.proposal.weights,
        record.proposal.code,
        record.proposal.problem.edge,
        record.proposal.problem.bounds.high,
        record.decision.target,
        record.decision.code,
    ]
    assert not any(array.flags.writeable for array in arrays)
    assert replace(record.state, cycle=9).cut_at.flags.writeable is False


@pytest.mark.parametrize(
    ("permit", "hard", "box"),
    [
        ((-np.inf, np.inf), (-np.inf, np.inf), (-0.3, 0.3)),
        ((-0.35, 0.0), (-np.inf, np.inf), (-0.3, 0.0)),
        ((-0.35, -0.35), (-np.inf, np.inf), (-0.3, -0.3)),
        ((-0.35, -0.35), (-0.35, -0.35), (-0.35, -0.35)),
    ],
    ids=["free", "shrink only", "held over its cap", "frozen over its cap"],
)
def test_the_hedge_moves_within_its_permit_its_cap_and_its_hard_box(
    permit: tuple[float, float], hard: tuple[float, float], box: tuple[float, float]
) -> None:
    """A hedge of −0.35 over a cap of 0.3: a repair overrules a permit, nothing overrules a halt."""
    none = np.zeros(2, dtype=np.int16)
    permits = Permits(
        low=np.array([-np.inf, permit[0]]),
        high=np.array([np.inf, permit[1]]),
        hard_low=np.array([-np.inf, hard[0]]),
        hard_high=np.array([np.inf, hard[1]]),
        force=none,
        gross_scale=1.0,
        gates=(),
        spoken=(),
        watch=Watch(),
    )
    ask = Ask(
        symbols=("A", "H"),
        z=np.zeros(2),
        scored=np.ones(2, dtype=np.bool_),
        cost_bps=np.ones(2),
        current=np.array([0.0, -0.35]),
        structure=Structure(np.array([-1, -1]), (), np.ones(2)),
        permits=permits,
        hedge=1,
    )
    assert hedge_box(assemble(ask, OptimizationConfig(hedge_cap=0.3))) == box
