"""How much models say the same: measured at votes, averaged, kept while models come and go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests import kit

from deadband.core.seen import Scores
from deadband.core.skill import Likeness, Skill, Vote
from deadband.signals.alike import compare

N = 30
NAMES = kit.universe(N)
RNG = np.random.default_rng(1)
A, B, C = RNG.normal(size=(3, N))


def scores(rows: dict[str, Any], horizon_min: float = 30.0) -> Scores:
    value = np.array(list(rows.values()))
    return Scores(
        universe=NAMES,
        models=tuple(rows),
        unit=("z",) * len(rows),
        horizon_min=(horizon_min,) * len(rows),
        value=value,
        age_s=np.zeros(value.shape),
        defect=np.zeros(value.shape, dtype=np.int16),
    )


def compared(
    known: tuple[Likeness, ...],
    said: Scores,
    minute: float,
    usable: Any = None,
    *,
    votes: bool = True,
) -> tuple[Likeness, ...]:
    now = kit.clock("10:00") + timedelta(minutes=minute)
    cast = Vote(said.models[0], now, np.zeros(N, np.int32), np.ones(N), np.ones(N), 1.0)
    skill = Skill(votes=(cast,) if votes else (), alike=known)
    heard = np.ones(said.value.shape, dtype=np.bool_) if usable is None else usable
    return compare(skill, said, heard, now, 20.0)


def test_likeness_is_spearmans() -> None:
    (one,) = compared((), scores({"a": A, "b": A + B, "c": -A}), 0.0)
    assert one.rho[0, 1] == pytest.approx(stats.spearmanr(A, A + B).statistic)
    assert one.rho[0, 2] == pytest.approx(-1.0)
    assert one.rho.tolist() == one.rho.T.tolist()


def test_it_is_averaged_and_forgets_with_time() -> None:
    first = compared((), scores({"a": A, "b": A}), 0.0)
    (soon,) = compared(first, scores({"a": A, "b": -A}), 30.0)
    assert soon.rho[0, 1] == pytest.approx(0.0, abs=0.01)
    later = first
    for day in range(60):
        now = kit.clock("10:00", "2026-03-04") + timedelta(days=day % 2)
        said = scores({"a": A, "b": -A})
        vote = Vote("a", now, np.zeros(N, np.int32), np.ones(N), np.ones(N), 1.0)
        later = compare(
            Skill(votes=(vote,), alike=later), said, np.ones((2, N), np.bool_), now, 20.0
        )
    assert later[0].rho[0, 1] < -0.9


def test_it_is_measured_when_a_model_of_the_horizon_votes_and_not_in_between() -> None:
    first = compared((), scores({"a": A, "b": B}), 0.0)
    assert compared(first, scores({"a": A, "b": A}), 5.0, votes=False)[0] is first[0]


def test_models_that_come_and_go_keep_what_is_known_of_the_others() -> None:
    first = compared((), scores({"a": A, "b": A, "gone": B}), 0.0)
    (one,) = compared(first, scores({"new": C, "b": A, "a": A}), 5.0, votes=False)
    assert one.models == ("new", "b", "a")
    assert one.rho == pytest.approx(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]))
    assert one.times.tolist() == [[0.0, 0.0, 0.0], [0.0, 1.0, 1.0], [0.0, 1.0, 1.0]]


def test_a_model_without_an_opinion_is_like_nobody() -> None:
    (one,) = compared((), scores({"a": A, "flat": np.ones(N)}), 0.0)
    assert one.rho.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    silent = np.array([np.ones(N), np.arange(N) < 5], dtype=np.bool_)
    (one,) = compared((), scores({"a": A, "b": A}), 0.0, silent)
    assert one.times.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_model_alone_is_compared_with_nobody() -> None:
    assert compared((), scores({"a": A}), 0.0) == ()
