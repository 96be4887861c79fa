"""What a zoo loses to its best model in hindsight, on synthetic models of known skill.

Many seeds, and what each part of the balancer is worth, are in benchmarks/study_zoo.py.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from tests.kit.zoo import FLIP_EVERY, Outcome, run

from deadband.signals import zoo_balancer

SEEDS, A_DAY = 2, 14


@cache
def runs(kind: str, ic: float, sessions: int = 60) -> list[Outcome]:
    return [run(seed, kind, ic, sessions=sessions) for seed in range(SEEDS)]


@pytest.mark.parametrize("ic, bound", [(0.08, 0.004), (0.04, 0.008)])
def test_the_zoo_loses_little_to_its_best_model_and_beats_equal_weights(
    ic: float, bound: float
) -> None:
    """`bound`: IC that it may lose to its best model in hindsight, on average from day one."""
    made = runs("one good", ic)
    regret = np.array([one.regret for one in made])
    gained = np.array([one.zoo - one.equal for one in made])
    print(f"\nIC {ic}: regret {regret.mean():+.4f}, worst {regret.max():+.4f}; gain {gained}")
    assert regret.mean() <= bound
    assert (gained > 0.25 * ic).all()


def test_a_model_that_flips_loses_its_vote_within_its_first_wrong_fortnight() -> None:
    flipped = slice(FLIP_EVERY * A_DAY, 2 * FLIP_EVERY * A_DAY)
    for one in runs("one good", 0.08):
        before, after = one.weights[flipped.start - 1, 5], one.weights[flipped, 5]
        assert before > 0.2
        assert after[5 * A_DAY] < 0.5 * before
        assert after[-1] < 0.1


def test_copies_of_one_opinion_do_not_outvote_another(monkeypatch: pytest.MonkeyPatch) -> None:
    aware = np.mean([one.zoo for one in runs("useless copies", 0.04, 30)])
    monkeypatch.setattr(zoo_balancer, "APART", 1.0)
    unaware = np.mean([run(seed, "useless copies", 0.04, sessions=30).zoo for seed in range(SEEDS)])
    assert aware > unaware + 0.002


def test_models_that_are_all_good_stay_near_equal_weights() -> None:
    for one in runs("all good", 0.04, 20):
        assert one.zoo > 0.97 * one.equal


def test_weights_move_slowly() -> None:
    """Between two half hours a weight goes less than 1 − 2^(−1/2) of the way across."""
    for one in runs("one good", 0.08):
        assert one.jump < 0.15


def test_the_same_zoo_comes_to_the_same_weights() -> None:
    first, again = (run(3, "one good", 0.08, sessions=4) for _ in range(2))
    assert first.weights.tobytes() == again.weights.tobytes()
