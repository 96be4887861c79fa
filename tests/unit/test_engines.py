"""The façade: containers in and out, labels aligned, faults named, nothing remembered."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deadband import (
    CvxpyRebalanceEngine,
    GreedyRotationEngine,
    OptimizationConfig,
    OptimizationEngine,
    QPOptimizationEngine,
    RotationEngine,
)
from deadband.core.correlation import DenseCorrelation
from deadband.core.errors import DataError, MissingError, ShapeError
from deadband.core.reasons import GLOBAL, Code
from deadband.engines.info import ReasonCodes

SYMBOLS = ["AAA", "BBB", "CCC", "DDD", "EEE", "FFF"]
N = len(SYMBOLS)
CONFIG = OptimizationConfig(K=3, K_buy=2, K_sell=4)
SCORES = np.array([2.0, 1.5, 1.0, 0.3, -0.4, -1.0])
COSTS = np.array([2.0, 1.0, 3.0, 1.0, 2.0, 1.0])
CURRENT = np.array([0.0, 0.04, 0.0, 0.05, 0.0, 0.04])
LOADING = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
BETAS = np.array([1.2, 0.8, 1.0, 1.1, 0.9, 1.0])
ENGINES = (GreedyRotationEngine, RotationEngine, QPOptimizationEngine)


def correlation() -> Any:
    matrix = np.outer(LOADING, LOADING)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def solved(
    engine: OptimizationEngine | None = None, universe: list[str] = SYMBOLS, **given: Any
) -> tuple[Any, dict[str, Any]]:
    """Optimize the six names; keywords replace single inputs."""
    inputs = {
        "z_scores": SCORES,
        "correlation_matrix": correlation(),
        "costs": COSTS,
        "current_weights": CURRENT,
    } | given
    return (engine or GreedyRotationEngine(CONFIG)).optimize(universe=universe, **inputs)


def as_dict(values: Any) -> dict[str, float]:
    return dict(zip(SYMBOLS, np.asarray(values).tolist(), strict=True))


def shuffled_dict(values: Any) -> dict[str, float]:
    return dict(reversed(as_dict(values).items()))


def as_series(values: Any) -> Any:
    return pd.Series(values, index=SYMBOLS)


def shuffled_series(values: Any) -> Any:
    return as_series(values).iloc[[3, 1, 5, 0, 2, 4]]


CONTAINERS: list[Callable[[Any], Any]] = [
    np.asarray,
    lambda values: np.asarray(values).tolist(),
    lambda values: tuple(np.asarray(values).tolist()),
    as_dict,
    shuffled_dict,
    as_series,
    shuffled_series,
]
WORDS = ["array", "list", "tuple", "dict", "shuffled dict", "series", "shuffled series"]


# Containers


@pytest.mark.parametrize("contain", CONTAINERS, ids=WORDS)
def test_the_answer_has_the_container_and_order_it_was_asked_in(
    contain: Callable[[Any], Any],
) -> None:
    expected, _ = solved()
    given = contain(CURRENT)
    weights, _ = solved(current_weights=given)
    assert type(weights) is type(given)
    if isinstance(weights, dict):
        assert list(weights) == SYMBOLS
        weights = list(weights.values())
    elif isinstance(weights, pd.Series):
        assert weights.index.tolist() == SYMBOLS
    assert np.asarray(weights).tolist() == expected.tolist()


@pytest.mark.parametrize("contain", CONTAINERS, ids=WORDS)
def test_every_vector_may_come_in_every_container(contain: Callable[[Any], Any]) -> None:
    extras = {
        "volatility": np.linspace(0.01, 0.02, N),
        "beta_exposures": BETAS,
        "pnl_since_entry_bps": np.array([0.0, 30.0, 0.0, -400.0, 0.0, 5.0]),
        "atr_pct": np.full(N, 1.5),
        "holding_min": np.array([0.0, 20.0, 0.0, 200.0, 0.0, 10.0]),
        "tradable": np.array([True, True, True, True, True, False]),
        "sector_exposures": np.array(["tech", "tech", "oil", "oil", "", "tech"]),
    }
    plain, info = solved(**extras)
    contained, told = solved(
        z_scores=contain(SCORES),
        costs=contain(COSTS),
        **{name: contain(values) for name, values in extras.items()},
    )
    assert contained.tolist() == plain.tolist()
    assert dict(told["reason_codes"]) == dict(info["reason_codes"])
    assert told["objective_value"] == info["objective_value"]


def test_a_labeled_matrix_is_aligned_by_its_labels() -> None:
    frame = pd.DataFrame(correlation(), index=SYMBOLS, columns=SYMBOLS)
    order = [4, 0, 5, 2, 1, 3]
    _, plain = solved(QPOptimizationEngine(CONFIG))
    for given in (frame, frame.iloc[order, order], frame.iloc[order]):
        _, info = solved(QPOptimizationEngine(CONFIG), correlation_matrix=given)
        assert info["objective_value"] == plain["objective_value"]


def test_labeled_sectors_are_aligned_by_their_labels() -> None:
    member = np.eye(3)[[0, 0, 0, 1, 2, 2]]
    config = OptimizationConfig(K=3, K_buy=3, K_sell=4, sector_cap=0.05)
    frame = pd.DataFrame(member, index=SYMBOLS, columns=["tech", "oil", "food"])
    plain, _ = solved(GreedyRotationEngine(config), sector_exposures=member)
    labeled, info = solved(GreedyRotationEngine(config), sector_exposures=frame.iloc[::-1])
    assert labeled.tolist() == plain.tolist()
    assert "SECTOR:tech" in info["certificate"].used
    assert labeled[:3].sum() <= 0.05 + 1e-12


@pytest.mark.parametrize(
    "given",
    [None, DenseCorrelation(np.eye(N)), (np.zeros((N, 1)), np.ones(N)), np.eye(N).tolist()],
    ids=["none", "sealed", "factors", "nested lists"],
)
@pytest.mark.parametrize("engine", ENGINES)
def test_a_correlation_may_come_in_any_form(engine: type[OptimizationEngine], given: Any) -> None:
    plain, _ = solved(engine(CONFIG), correlation_matrix=np.eye(N))
    weights, info = solved(engine(CONFIG), correlation_matrix=given)
    assert info["status"].startswith("optimal")
    if given is not None:
        np.testing.assert_allclose(weights, plain, atol=1e-7)


# Labels at fault


@pytest.mark.parametrize("name", ["z_scores", "costs", "current_weights", "beta_exposures"])
@pytest.mark.parametrize("contain", [as_dict, as_series], ids=["dict", "series"])
def test_a_missing_label_is_named(name: str, contain: Callable[[Any], Any]) -> None:
    short = contain(SCORES)
    del short["CCC"]
    with pytest.raises(MissingError, match=f"{name} has no value for CCC"):
        solved(**{name: short})


def test_a_missing_label_of_the_matrix_is_named() -> None:
    frame = pd.DataFrame(correlation(), index=SYMBOLS, columns=SYMBOLS)
    for short in (frame.drop("DDD"), frame.drop(columns="DDD")):
        with pytest.raises(MissingError, match="correlation_matrix has no value for DDD"):
            solved(correlation_matrix=short)


def test_a_label_given_twice_is_named() -> None:
    twice = pd.concat([as_series(SCORES), pd.Series([9.0], index=["BBB"])])
    with pytest.raises(DataError, match="z_scores has more than one value for BBB"):
        solved(z_scores=twice)


def test_labels_beyond_the_universe_are_passed_over() -> None:
    more = as_dict(SCORES) | {"ZZZ": 99.0}
    assert solved(z_scores=more)[0].tolist() == solved()[0].tolist()


@pytest.mark.parametrize(
    "name",
    [
        *("z_scores", "costs", "current_weights", "volatility", "beta_exposures"),
        *("pnl_since_entry_bps", "atr_pct", "holding_min"),
    ],
)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_name(name: str, bad: float) -> None:
    values = np.full(N, 0.01)
    values[4] = bad
    with pytest.raises(DataError, match=f"{name} is not finite for EEE"):
        solved(**{name: values})


def test_a_matrix_that_is_not_finite_is_refused() -> None:
    matrix = correlation()
    matrix[1, 2] = np.nan
    with pytest.raises(DataError, match=r"correlation_matrix\[1, 2\] is nan"):
        solved(correlation_matrix=matrix)


@pytest.mark.parametrize("name", ["z_scores", "costs", "current_weights", "tradable"])
def test_a_vector_of_another_length_is_refused(name: str) -> None:
    with pytest.raises(ShapeError, match=rf"{name} has shape \(5,\), the universe has 6"):
        solved(**{name: np.zeros(5)})


def test_a_matrix_for_other_names_is_refused() -> None:
    for given in (np.eye(5), DenseCorrelation(np.eye(5))):
        with pytest.raises(ShapeError, match="6"):
            solved(correlation_matrix=given)


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(DataError, match="z_scores holds something that is not a number"):
        solved(z_scores=["high", *SCORES[1:].tolist()])


# What must not matter


@pytest.mark.parametrize("engine", ENGINES)
def test_the_order_of_the_names_changes_nothing(engine: type[OptimizationEngine]) -> None:
    weights, info = solved(engine(CONFIG), beta_exposures=BETAS)
    order = [3, 5, 0, 4, 2, 1]
    names = [SYMBOLS[i] for i in order]
    moved, told = solved(
        engine(CONFIG),
        universe=names,
        z_scores=SCORES[order],
        correlation_matrix=correlation()[np.ix_(order, order)],
        costs=COSTS[order],
        current_weights=CURRENT[order],
        beta_exposures=BETAS[order],
    )
    np.testing.assert_allclose(moved, weights[order], rtol=0, atol=1e-8)
    assert {s: told["reason_codes"][s] for s in SYMBOLS} == {
        s: info["reason_codes"][s] for s in SYMBOLS
    }
    if engine is not QPOptimizationEngine:
        assert moved.tolist() == weights[order].tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_inputs_are_left_as_they_were(engine: type[OptimizationEngine]) -> None:
    inputs = [SCORES.copy(), correlation(), COSTS.copy(), CURRENT.copy()]
    before = [array.copy() for array in inputs]
    weights, _ = engine(CONFIG).optimize(*inputs, SYMBOLS)
    for array, was in zip(inputs, before, strict=True):
        assert array.flags.writeable
        assert array.tolist() == was.tolist()
    assert not any(np.shares_memory(weights, array) for array in inputs)


@pytest.mark.parametrize("engine", ENGINES)
def test_nothing_is_remembered_of_an_array_that_changes(
    engine: type[OptimizationEngine],
) -> None:
    config = OptimizationConfig(K=3, K_buy=2, K_sell=4, lambda_risk=5.0)
    one, z, matrix = engine(config), SCORES.copy(), np.eye(N)
    first, before = one.optimize(z, matrix, COSTS, CURRENT, SYMBOLS)
    matrix[0, 1] = matrix[1, 0] = 0.9
    same, after = one.optimize(z, matrix, COSTS, CURRENT, SYMBOLS)
    _, fresh = engine(config).optimize(z, matrix, COSTS, CURRENT, SYMBOLS)
    assert after["objective_value"] == fresh["objective_value"] != before["objective_value"]
    z[:] = z[::-1]
    turned, _ = one.optimize(z, matrix, COSTS, CURRENT, SYMBOLS)
    assert turned.tolist() != same.tolist()
    z[:], matrix[:] = SCORES, np.eye(N)
    assert one.optimize(z, matrix, COSTS, CURRENT, SYMBOLS)[0].tolist() == first.tolist()


# What the options do


@pytest.mark.parametrize("engine", ENGINES)
def test_a_name_that_is_not_tradable_keeps_its_weight(engine: type[OptimizationEngine]) -> None:
    free, _ = solved(engine(CONFIG))
    assert free[0] > 0
    assert free[5] < CURRENT[5]
    tradable = {symbol: symbol not in ("AAA", "FFF") for symbol in SYMBOLS}
    weights, info = solved(engine(CONFIG), tradable=tradable)
    assert (weights[0], weights[5]) == (0.0, CURRENT[5])
    assert {"AAA", "FFF"}.isdisjoint(change["symbol"] for change in info["changes"])


def test_a_hedge_takes_over_the_beta() -> None:
    betas = as_dict(BETAS) | {"SPY": 1.0}
    names = [*SYMBOLS, "SPY"]
    inputs = (
        {**as_dict(SCORES), "SPY": 5.0},
        None,
        {**as_dict(COSTS), "SPY": 0.1},
        {**as_dict(CURRENT), "SPY": 0.0},
    )
    config = OptimizationConfig(K=3, K_buy=2, K_sell=4, allow_short=True, max_turnover=0.5)
    bought, _ = GreedyRotationEngine(config).optimize(*inputs, names, beta_exposures=betas)
    assert bought["SPY"] > 0, "without being the hedge it is a name like any other"
    weights, info = GreedyRotationEngine(config).optimize(
        *inputs, names, beta_exposures=betas, hedge_symbol="SPY"
    )
    assert weights["SPY"] < 0
    assert info["reason_codes"]["SPY"] is Code.HEDGE_BETA
    assert abs(sum(weights[s] * betas[s] for s in names)) <= config.beta_tolerance + 1e-12


@pytest.mark.parametrize("score", [0.0, 5.0, -5.0])
def test_the_optimum_hedges_under_a_code_of_its_own_and_bets_on_no_hedge(score: float) -> None:
    names = ["AAA", "BBB", "SPY"]
    config = OptimizationConfig(
        lambda_risk=2.0, hedge_cap=0.2, max_turnover=1.0, max_turnover_per_name=0.1
    )
    weights, info = QPOptimizationEngine(config).optimize(
        [2.0, 1.5, score],
        np.eye(3),
        [2.0, 2.0, 0.5],
        np.zeros(3),
        names,
        beta_exposures=[1.2, 1.0, 1.0],
        hedge_symbol="SPY",
    )
    assert info["reason_codes"]["SPY"] == Code.HEDGE_BETA
    assert info["reason_codes"]["AAA"] == Code.TARGET_MOVED
    # Outside TURNOVER_NAME, within its cap, and as large as beta asks for: no more, no less.
    assert weights[2] == pytest.approx(0.05 - (1.2 * weights[0] + weights[1]))
    assert -0.2 <= weights[2] < -0.1


def test_a_hedge_that_is_not_in_the_universe_is_named() -> None:
    with pytest.raises(MissingError, match="hedge_symbol=SPY is not among the 6 names"):
        solved(beta_exposures=BETAS, hedge_symbol="SPY")


def test_rotation_engine_trades_twelve_bps_where_the_others_wait_for_fifty() -> None:
    # AAA drifts by 30 bps and DDD, a fresh buy, carries the portfolio past its band.
    config = {"K": 2, "K_buy": 2, "K_sell": 3, "per_name_cap": 0.05}
    z = {"AAA": 2.0, "BBB": 1.9}
    held = {"AAA": 0.047, "BBB": 0.0}
    inputs = (z, None, {"AAA": 0.1, "BBB": 0.1}, held, ["AAA", "BBB"])
    greedy, info = GreedyRotationEngine(OptimizationConfig(**config)).optimize(*inputs)
    assert greedy["AAA"] == held["AAA"]
    assert info["reason_codes"]["AAA"] is Code.BAND_NAME
    made = OptimizationConfig(**config, name_drift_threshold=12e-4)
    assert GreedyRotationEngine(made).optimize(*inputs)[0]["AAA"] == pytest.approx(0.05)
    assert RotationEngine().config.name_drift_threshold == pytest.approx(12e-4)
    assert RotationEngine().config.tau_name_bps == pytest.approx(12.0)
    assert RotationEngine(OptimizationConfig()).config.name_drift_threshold == 0.005


def test_rotation_targets_are_weights_and_codes() -> None:
    engine = RotationEngine(CONFIG)
    weights, info = solved(engine, beta_exposures=BETAS)
    targets, codes = engine.rotation_targets(
        SCORES, correlation(), COSTS, CURRENT, SYMBOLS, beta_exposures=BETAS
    )
    assert targets.tolist() == weights.tolist()
    assert isinstance(codes, ReasonCodes)
    assert dict(codes) == dict(info["reason_codes"])


# What is said


@pytest.mark.parametrize("engine", ENGINES)
def test_info_holds_what_is_promised(engine: type[OptimizationEngine]) -> None:
    weights, info = solved(engine(CONFIG))
    assert info.keys() >= {
        *("changes", "reason_codes", "status", "objective_value"),
        *("engine", "relaxed", "certificate", "solve_ms"),
    }
    moved = {c["symbol"]: c for c in info["changes"]}
    assert set(moved) == {s for s, w, c in zip(SYMBOLS, weights, CURRENT, strict=True) if w != c}
    for symbol, change in moved.items():
        assert change["from"] == as_dict(CURRENT)[symbol]
        assert change["to"] == as_dict(weights)[symbol]
        assert change["delta"] == change["to"] - change["from"]
        assert change["reason"] is info["reason_codes"][symbol]
    assert info["solve_ms"] > 0
    assert info["certificate"].accepted


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("volatility", [None, np.array([10, 20, 40, 80, 20, 20]) * 1e-4])
def test_the_objective_is_that_of_the_weights_returned(
    engine: type[OptimizationEngine], volatility: Any
) -> None:
    # U(w) = aᵀw − λ wᵀΣw − γ Σ c|w − w_cur|, written out.
    weights, info = solved(engine(CONFIG), volatility=volatility)
    s = np.ones(N) if volatility is None else volatility / np.median(volatility)
    risk = weights @ (np.outer(s, s) * correlation()) @ weights
    cost = np.sum(COSTS * np.abs(weights - CURRENT))
    expected = (s * SCORES) @ weights - CONFIG.lambda_risk * risk - CONFIG.gamma_cost * cost
    assert info["objective_value"] == pytest.approx(expected, abs=1e-12)


def test_the_convex_engine_is_never_worse_than_the_greedy_one() -> None:
    free = OptimizationConfig(K=3, K_buy=2, K_sell=4, allow_short=False)
    greedy, best = (solved(e(free))[1] for e in (GreedyRotationEngine, QPOptimizationEngine))
    assert best["objective_value"] >= greedy["objective_value"] - 1e-9


def test_reason_codes_are_a_mapping_rendered_when_read() -> None:
    numbers = np.array([Code.HOLD_KEEP.number, Code.CUT_SCORE.number], dtype=np.int16)
    codes = ReasonCodes(["AAA", "BBB"], numbers, Code.BAND_SKIP)
    assert list(codes) == ["AAA", "BBB", GLOBAL]
    assert len(codes) == 3
    assert codes["BBB"] is Code.CUT_SCORE
    assert codes[GLOBAL] is Code.BAND_SKIP
    assert "AAA" in codes
    assert "CCC" not in codes
    assert codes == {"AAA": "HOLD_KEEP", "BBB": "CUT_SCORE", "GLOBAL": "BAND_SKIP"}
    assert repr(codes) == "{'AAA': 'HOLD_KEEP', 'BBB': 'CUT_SCORE', 'GLOBAL': 'BAND_SKIP'}"
    with pytest.raises(KeyError, match="CCC"):
        codes["CCC"]


def test_a_number_without_a_code_is_met_only_when_it_is_read() -> None:
    codes = ReasonCodes(["AAA", "BBB"], np.array([32000, 20], dtype=np.int16), Code.BAND_SKIP)
    assert codes["BBB"] is Code.HOLD_KEEP
    assert len(codes) == 3
    with pytest.raises(KeyError):
        codes["AAA"]


@pytest.mark.parametrize("engine", [*ENGINES, CvxpyRebalanceEngine])
def test_an_engine_without_a_config_has_the_defaults(engine: type[OptimizationEngine]) -> None:
    assert engine().config.K == 20
    assert isinstance(engine(), OptimizationEngine)


def test_the_base_class_answers_nothing_itself() -> None:
    with pytest.raises(TypeError, match="abstract"):
        OptimizationEngine()  # type: ignore[abstract]
