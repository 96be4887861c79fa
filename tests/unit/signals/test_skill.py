"""What models are judged on: outcomes once they are known, fresh prices, no night, no overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests import kit

from deadband.core.config import SignalSettings
from deadband.core.errors import DataError
from deadband.core.seen import Scores
from deadband.core.skill import Skill, Track
from deadband.signals.ranks import rank_correlation
from deadband.signals.skill import learn

N = 40
NAMES = kit.universe(N)
SETTINGS = SignalSettings()
RNG = np.random.default_rng(3)
SCORE = RNG.normal(size=N)


def scores(
    value: Any, *, model: str = "m", age_s: float = 0.0, horizon_min: float = 30.0
) -> Scores:
    return Scores(
        universe=NAMES,
        models=(model,),
        unit=("z",),
        horizon_min=(horizon_min,),
        value=np.asarray(value, dtype=np.float64)[None],
        age_s=np.full((1, N), age_s),
        defect=np.zeros((1, N), dtype=np.int16),
    )


def after(skill: Skill, said: Scores, at: datetime, price: Any = 100.0, **market: Any) -> Skill:
    usable = np.ones((len(said.models), N), dtype=np.bool_)
    return learn(skill, said, usable, kit.market(NAMES, price=price, asof=at, **market), SETTINGS)


def track(skill: Skill) -> Track:
    (only,) = skill.tracks
    return only


def at(hhmm: str, day: str = "2026-03-03") -> datetime:
    return kit.clock(hhmm, day)


def test_an_outcome_counts_when_the_horizon_has_passed_and_not_before() -> None:
    prices = 100.0 * (1.0 + 0.001 * SCORE)
    skill = after(Skill(), scores(SCORE), at("10:00"))
    early = after(skill, scores(SCORE, age_s=1500.0), at("10:25"), prices)
    assert track(early).shares == 0.0
    due = after(early, scores(SCORE, age_s=1800.0), at("10:30"), prices)
    assert track(due).shares == 1.0
    assert track(due).ic == pytest.approx(1.0)
    assert track(due).chance == pytest.approx(1.0 / (N - 1))


def test_what_comes_after_the_horizon_changes_nothing() -> None:
    """The future is poisoned: the record up to now is the same, to the bit."""
    skill = after(Skill(), scores(SCORE), at("10:00"))
    once = after(skill, scores(SCORE, age_s=1800.0), at("10:30"), 100.0 * (1 + 0.001 * SCORE))
    later = after(
        once, scores(SCORE, age_s=2100.0), at("10:35"), 100.0 * np.exp(RNG.normal(size=N))
    )
    assert track(later) == track(once)


def test_overlapping_outcomes_count_by_what_is_new() -> None:
    skill = Skill()
    for minute in range(0, 65, 5):
        prices = 100.0 * (1.0 + 0.001 * minute * SCORE)
        skill = after(skill, scores(SCORE), at("10:00") + timedelta(minutes=minute), prices)
    # Votes of 10:00 to 10:30 are judged: the first counts one, six more a sixth each.
    assert track(skill).shares == pytest.approx(2.0, abs=0.02)
    assert track(skill).ic / track(skill).shares == pytest.approx(1.0)


def test_a_horizon_within_the_day_is_not_judged_over_night() -> None:
    skill = after(Skill(), scores(SCORE), at("15:50"))
    next_day = after(skill, scores(SCORE, age_s=64_800.0), at("09:50", "2026-03-04"), 100.0 + SCORE)
    assert track(next_day).shares == 0.0
    assert [vote.passed for vote in next_day.votes] == [3]


def test_an_outcome_missed_by_half_its_length_is_dropped() -> None:
    skill = after(Skill(), scores(SCORE), at("10:00"))
    assert (
        track(after(skill, scores(SCORE, age_s=2760.0), at("10:46"), 100.0 + SCORE)).shares == 0.0
    )


def test_names_without_a_fresh_price_at_both_ends_do_not_count() -> None:
    stale = np.where(np.arange(N) < 20, 4000.0, 1.0)
    skill = after(Skill(), scores(SCORE), at("10:00"), quote_age_s=stale)
    prices = np.where(np.arange(N) < 20, 100.0 - SCORE, 100.0 + SCORE)
    judged = after(skill, scores(SCORE, age_s=1800.0), at("10:30"), prices)
    assert track(judged).ic == pytest.approx(1.0)
    assert track(judged).chance == pytest.approx(1.0 / 19.0)


@pytest.mark.parametrize(
    "score, prices", [(np.zeros(N), 100.0 + SCORE), (SCORE, np.full(N, 101.0))]
)
def test_constant_scores_and_markets_that_stand_still_are_no_outcome(
    score: Any, prices: Any
) -> None:
    skill = after(Skill(), scores(score), at("10:00"))
    assert track(after(skill, scores(score, age_s=1800.0), at("10:30"), prices)).shares == 0.0


def test_an_old_record_fades_with_its_half_life() -> None:
    start = Track("m", 30.0, shares=100.0, ic=5.0, ic_square=1.0, chance=2.0)
    skill = after(Skill((start,)), scores(SCORE), at("10:00"))
    judged = track(after(skill, scores(SCORE, age_s=1800.0), at("10:30"), 100.0 + SCORE))
    kept = 0.5 ** (1.0 / (SETTINGS.skill_half_life_days * 13.0))
    assert judged.shares == pytest.approx(100.0 * kept + 1.0)
    assert judged.ic == pytest.approx(5.0 * kept + 1.0)


def test_a_model_that_keeps_to_its_word_is_steady_over_a_horizon() -> None:
    skill = after(Skill(), scores(SCORE), at("10:00"))
    same = after(skill, scores(SCORE), at("10:10"))
    assert track(same).steady / track(same).steady_shares == pytest.approx(1.0)
    other = after(skill, scores(np.random.default_rng(9).permutation(SCORE)), at("10:10"))
    assert track(other).steady / track(other).steady_shares < 0.1


def test_models_come_and_go_with_their_records() -> None:
    skill = after(Skill(), scores(SCORE), at("10:00"))
    gone = after(skill, scores(SCORE, model="other"), at("10:05"))
    assert [t.model for t in gone.tracks] == ["other"]
    assert [v.model for v in gone.votes] == ["other"]
    changed = after(skill, scores(SCORE, horizon_min=60.0), at("10:05"))
    assert track(changed).horizon_min == 60.0
    assert [v.at for v in changed.votes] == [at("10:05")]


def test_two_models_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match="more than one model is called m"):
        Scores(
            NAMES,
            ("m", "m"),
            ("z",) * 2,
            (30.0,) * 2,
            np.zeros((2, N)),
            np.zeros((2, N)),
            np.zeros((2, N), np.int16),
        )


def test_votes_do_not_pile_up() -> None:
    skill = Skill()
    for minute in range(0, 300, 5):
        skill = after(skill, scores(SCORE + 0.1 * minute), at("09:35") + timedelta(minutes=minute))
    assert len(skill.votes) <= 7


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=3, max_size=30))
def test_rank_correlation_is_spearmans(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=np.float64).T
    ours = rank_correlation(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_instants_are_in_utc() -> None:
    assert at("10:00").tzinfo is UTC or at("10:00").utcoffset() == timedelta(0)


@pytest.mark.parametrize("late_min", [5, 10, 25])
def test_a_model_that_is_always_late_is_judged_by_what_is_heard_of_it(late_min: int) -> None:
    """Its votes count, so its record has to: it may not vote for ever on credit."""
    skill, price = Skill(), np.full(N, 100.0)
    for k in range(60):
        now = at("09:35") + timedelta(minutes=5 * k)
        said = scores(RNG.normal(size=N), age_s=60.0 * late_min)
        skill = after(skill, said, now, price)
        price = price * np.exp(0.001 * RNG.normal(size=N))
    # The votes of four and a half hours have had their half hour.
    assert track(skill).shares == pytest.approx(9.0, abs=1.0)


def test_a_score_of_the_open_is_a_vote_at_the_first_bar_and_only_once() -> None:
    """Stated at 09:30, it is a bar old when it is first heard."""
    skill = Skill()
    for k in range(1, 13):
        age_s = 300.0 * k
        now = at("09:30") + timedelta(seconds=age_s)
        skill = after(skill, scores(SCORE, age_s=age_s, horizon_min=60.0), now)
    (vote,) = skill.votes
    assert vote.at == at("09:35")
