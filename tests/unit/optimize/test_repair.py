"""A breached limit is repaired by names whose permit says rest, as far as nobody else can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests import kit

from deadband.core.config import OptimizationConfig
from deadband.core.correlation import DenseCorrelation
from deadband.core.problem import Proposal
from deadband.core.reasons import BY_NUMBER, Code
from deadband.optimize.solve import answer

N = 6
CONFIG = OptimizationConfig(max_net_exposure=0.3, max_turnover=1.0, max_turnover_per_name=1.0)


def solved(current: list[float], resting: list[int], **other: Any) -> Proposal:
    weights = np.array(current)
    low, high = np.full(N, -np.inf), np.full(N, np.inf)
    low[resting] = high[resting] = weights[resting]
    names = kit.universe(N)
    asked = kit.problem(
        names, current=weights, config=CONFIG, allow_short=True, low=low, high=high, **other
    )
    return answer(asked, CONFIG, "qp")


def test_names_at_rest_shrink_when_only_they_can_mend_net() -> None:
    proposal = solved([0.1, 0.1, 0.1, 0.1, 0.0, 0.0], resting=[0, 1, 2, 3, 4, 5])
    assert proposal.status == "optimal"
    assert proposal.weights.sum() == pytest.approx(0.3)
    codes = {BY_NUMBER[code] for code in proposal.code[proposal.weights < 0.1 - 1e-9].tolist()}
    assert Code.CAP_NET in codes


def test_they_stay_where_another_name_can_mend_it() -> None:
    proposal = solved([0.1, 0.1, 0.1, 0.1, 0.0, 0.0], resting=[0, 1, 2])
    assert proposal.weights[:3].tolist() == [0.1, 0.1, 0.1]
    assert proposal.weights.sum() <= 0.3 + 1e-9


def test_they_never_grow_or_turn_for_a_repair() -> None:
    proposal = solved([-0.1, -0.1, -0.1, -0.1, 0.05, 0.0], resting=[0, 1, 2, 3, 4, 5])
    weights = proposal.weights
    assert (np.abs(weights) <= np.abs([-0.1, -0.1, -0.1, -0.1, 0.05, 0.0]) + 1e-12).all()
    assert weights[5] == 0.0
    assert abs(weights.sum()) <= 0.3 + 1e-9


def test_what_may_not_trade_at_all_stays_and_the_limit_was_widened_for_it() -> None:
    weights = np.array([0.1, 0.1, 0.1, 0.1, 0.0, 0.0])
    proposal = solved(weights.tolist(), [0, 1, 2, 3], hard_low=weights, hard_high=weights)
    assert proposal.weights.tolist() == weights.tolist()


@pytest.mark.parametrize("lambda_risk", [0.1, 10.0, 100.0])
def test_risk_alone_does_not_move_a_name_at_rest(lambda_risk: float) -> None:
    """0.4 long must come to 0.3: exactly that much is sold, however much risk more would save."""
    proposal = solved(
        [0.1, 0.1, 0.1, 0.1, 0.0, 0.0],
        resting=[0, 1, 2, 3, 4, 5],
        correlation=DenseCorrelation(np.eye(N)),
        lambda_risk=lambda_risk,
    )
    assert proposal.certificate.proof is not None
    assert proposal.weights.sum() == pytest.approx(0.3, abs=1e-9)
