"""Whole lots and the least trade as a user asks for them: in, out, reported, and in the cycle."""

from typing import Any

import numpy as np
import pytest

from deadband import (
    CvxpyRebalanceEngine,
    GreedyRotationEngine,
    OptimizationConfig,
    QPOptimizationEngine,
)
from deadband.core.errors import DataError
from deadband.core.limits import TOLERANCE
from deadband.core.reasons import Code
from deadband.core.types import CycleRecord
from tests import kit

N = 40
SYMBOLS = [f"S{i:03d}" for i in range(N)]
RANDOM = np.random.default_rng(7)
LOADING = RANDOM.uniform(0.3, 0.8, N)
MATRIX = np.outer(LOADING, LOADING) + np.diag(1.0 - LOADING**2)
SCORES, COSTS = RANDOM.normal(0.0, 1.0, N), RANDOM.uniform(1.0, 5.0, N)
CURRENT = np.where(np.arange(N) % 4 == 0, RANDOM.uniform(-0.02, 0.02, N), 0.0)
BETAS = RANDOM.uniform(0.6, 1.4, N)
LOTS = np.exp(RANDOM.uniform(np.log(2e-4), np.log(6e-3), N))
AVERSE = {"lambda_risk": 10.0, "max_turnover": 0.5}


def solved(config: OptimizationConfig, **given: Any) -> tuple[Any, dict[str, Any]]:
    engine = given.pop("engine", QPOptimizationEngine)(config)
    return engine.optimize(SCORES, MATRIX, COSTS, CURRENT, SYMBOLS, beta_exposures=BETAS, **given)


def test_trades_are_whole_lots_and_keep_every_limit() -> None:
    weights, info = solved(OptimizationConfig(**AVERSE), lot_weights=LOTS)
    count = (weights - CURRENT) / LOTS
    assert (np.abs(count - np.rint(count))[weights != 0.0] < 1e-6).all()
    assert (weights != CURRENT).sum() > 10
    assert info["status"] == "optimal"
    assert info["certificate"].accepted
    for value, bound in info["certificate"].used.values():
        assert value <= bound + TOLERANCE * (1 + bound)


def test_the_gap_is_what_whole_lots_take_from_the_proven_optimum() -> None:
    config = OptimizationConfig(**AVERSE)
    _, free = solved(config)
    _, info = solved(config, lot_weights=LOTS)
    assert free["rounding_gap"] == 0.0
    assert 0.0 < info["rounding_gap"] < 0.02 * free["objective_value"]
    lost = free["objective_value"] - info["objective_value"]
    assert info["rounding_gap"] == pytest.approx(lost, abs=1e-9)
    assert info["certificate"].proof.bound == pytest.approx(free["objective_value"], abs=1e-8)


def test_no_trade_but_an_exit_is_below_the_least() -> None:
    least = 0.008
    plain, _ = solved(OptimizationConfig(**AVERSE))
    weights, info = solved(OptimizationConfig(**AVERSE, min_trade=least))
    small = [
        (np.abs(given - CURRENT) < least - 1e-12) & (given != CURRENT) & (given != 0.0)
        for given in (plain, weights)
    ]
    assert small[0].any()
    assert not small[1].any()
    assert info["rounding_gap"] > 0.0


def test_a_trade_that_is_dropped_says_so() -> None:
    plain, _ = solved(OptimizationConfig(**AVERSE))
    weights, info = solved(OptimizationConfig(**AVERSE, min_trade=0.008))
    dropped = np.flatnonzero((plain != CURRENT) & (weights == CURRENT))
    assert len(dropped) > 0
    assert {info["reason_codes"][SYMBOLS[name]] for name in dropped} == {Code.HOLD_SMALL}
    moved = [SYMBOLS[name] for name in np.flatnonzero(weights != CURRENT)]
    assert Code.HOLD_SMALL not in {info["reason_codes"][symbol] for symbol in moved}


def test_lots_may_come_by_symbol() -> None:
    config = OptimizationConfig(**AVERSE)
    by_symbol = dict(reversed(list(zip(SYMBOLS, LOTS.tolist(), strict=True))))
    assert (solved(config, lot_weights=by_symbol)[0] == solved(config, lot_weights=LOTS)[0]).all()


def test_the_other_exact_engine_rounds_as_well() -> None:
    pytest.importorskip("cvxpy")
    config = OptimizationConfig(**AVERSE)
    weights, _ = solved(config, lot_weights=LOTS, engine=CvxpyRebalanceEngine)
    count = (weights - CURRENT) / LOTS
    assert (np.abs(count - np.rint(count))[weights != 0.0] < 1e-6).all()


def test_a_user_s_own_rules_are_not_broken_by_rounding() -> None:
    pytest.importorskip("cvxpy")
    engine = CvxpyRebalanceEngine(
        OptimizationConfig(**AVERSE), extra_constraints=lambda w: [w[1] == 0.0123]
    )
    weights, info = engine.optimize(SCORES, MATRIX, COSTS, CURRENT, SYMBOLS, lot_weights=LOTS)
    assert weights[1] == pytest.approx(0.0123, abs=1e-7)
    assert "not rounded" in info["why"]


def test_lots_too_large_for_any_book_leave_the_optimum_and_say_so() -> None:
    held = np.where(np.arange(N) == 3, 0.2, 0.0)
    engine = QPOptimizationEngine(OptimizationConfig(**AVERSE, max_turnover_per_name=0.15))
    weights, info = engine.optimize(
        SCORES, MATRIX, COSTS, held, SYMBOLS, lot_weights=np.full(N, 0.3)
    )
    assert 0.0 < weights[3] <= 0.1 + 1e-12
    assert "not rounded" in info["why"]
    assert info["rounding_gap"] == 0.0


def test_a_lot_of_no_weight_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="lot_weights of S002 is 0"):
        solved(OptimizationConfig(), lot_weights=np.where(np.arange(N) == 2, 0.0, LOTS))


def test_greedy_takes_lots_and_leaves_them_to_the_orders() -> None:
    plain, _ = solved(OptimizationConfig(), engine=GreedyRotationEngine)
    weights, info = solved(OptimizationConfig(), engine=GreedyRotationEngine, lot_weights=LOTS)
    assert (weights == plain).all()
    assert info["rounding_gap"] == 0.0


# The cycle


PRICES = np.linspace(13.7, 941.3, 12)


def stepped(**given: Any) -> CycleRecord:
    names = kit.universe(12)
    priced = dict(zip(names.symbols, PRICES.tolist(), strict=True))
    z = {symbol: 2.0 - 0.4 * i for i, symbol in enumerate(names.symbols)}
    seen = kit.seen(
        names,
        market=kit.market(names, price=priced),
        scores=kit.scores(names, z),
        portfolio=kit.portfolio(names, price=priced, weights={"S0003": 0.02}),
    )
    settings = kit.settings(engine="qp", lambda_risk=10.0, min_ticket_usd=0.0, **given)
    return kit.walk(seen, kit.state(names), settings)[1]


def shares(record: CycleRecord) -> Any:
    return record.proposal.weights * record.seen.portfolio.nav / PRICES


def test_the_cycle_proposes_whole_shares_where_asked() -> None:
    record = stepped(whole_lots=True)
    wanted = shares(record)
    assert np.count_nonzero(wanted) > 3
    assert wanted == pytest.approx(np.rint(wanted), abs=1e-6)
    proof = record.proposal.certificate.proof
    assert proof is not None
    assert proof.rounding > 0.0


def test_the_cycle_leaves_shares_to_the_plan_by_default() -> None:
    record = stepped()
    assert record.proposal.problem.lot is None
    assert np.abs(shares(record) - np.rint(shares(record))).max() > 1e-3


def test_orders_are_the_whole_shares_proposed() -> None:
    record = stepped(whole_lots=True)
    wanted = np.rint(shares(record)).astype(int) - record.seen.portfolio.shares
    decided = record.decision.target == record.proposal.weights
    ordered = {order.symbol: order.side.sign * order.order_qty for order in record.plan.orders}
    symbols = kit.universe(12).symbols
    expected = {s: int(q) for s, q, on in zip(symbols, wanted, decided, strict=True) if on and q}
    assert ordered == expected
    assert len(expected) > 3
