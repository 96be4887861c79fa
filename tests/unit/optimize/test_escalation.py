"""Greedy hands a cycle to the exact engine when its rules leave too much."""

from __future__ import annotations

import numpy as np
import pytest
from tests import kit

from deadband.core.config import OptimizationConfig, Settings
from deadband.core.errors import ConfigError
from deadband.core.lint import lint, refuse_errors
from deadband.core.reasons import Code
from deadband.optimize.solve import answer

SCORES = np.linspace(2.0, -1.0, 8)


def asked(**settings: float) -> tuple[str, dict[str, float]]:
    names = kit.universe(8)
    config = OptimizationConfig(K=4, K_buy=3, K_sell=5, **settings)  # type: ignore[arg-type]
    proposal = answer(kit.problem(names, z=SCORES, config=config), config, "greedy")
    return proposal.engine, dict(proposal.optimality_gap)


def test_without_the_setting_greedy_answers_and_nothing_is_measured() -> None:
    assert asked() == ("greedy", {})


def test_a_gap_above_the_setting_lets_the_exact_engine_answer() -> None:
    engine, gap = asked(escalate_gap=0.0)
    assert engine == "qp"
    assert gap["heuristic"] > 0.0


def test_a_gap_below_the_setting_leaves_greedy_and_says_how_much() -> None:
    engine, gap = asked(escalate_gap=10.0)
    assert engine == "greedy"
    assert gap["heuristic"] > 0.0


def test_the_cycle_says_that_it_escalated() -> None:
    names = kit.universe(8)
    scores = dict(zip(names.symbols, SCORES.tolist(), strict=True))
    seen = kit.seen(names, scores=kit.scores(names, scores))
    settings = kit.settings(K=4, K_buy=3, K_sell=5, escalate_gap=0.0)
    _, record = kit.walk(seen, kit.state(names, portfolio=seen.portfolio), settings)
    spoken = [reason.code for reason in record.decision.spoken]
    assert Code.SOLVE_ESCALATED in spoken
    assert record.proposal.engine == "qp"


def test_an_unknown_class_of_limits_is_refused() -> None:
    settings = Settings(optimize=OptimizationConfig(relax_order=("turnover", "gross")))
    with pytest.raises(ConfigError, match="'gross'"):
        refuse_errors(lint(settings))
