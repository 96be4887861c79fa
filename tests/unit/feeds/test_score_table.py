"""Scores as they were known at an instant: the last stated one, its age, and what is wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.kit import clock

from deadband.core.errors import DataError
from deadband.core.reasons import Code
from deadband.core.seen import NEVER_S, Scores, Universe
from deadband.feeds.score_table import ScoreTable

TEN = clock("10:00")
MISSING, BROKEN = Code.DATA_MISSING_SCORE.number, Code.DATA_NOT_FINITE.number


def table(*stated: tuple[datetime, tuple[float | None, ...]]) -> ScoreTable:
    """Rows of scores; None is a name the row does not speak of."""
    values = np.array(
        [[np.nan if v is None else v for v in row] for _, row in stated], dtype=np.float64
    )
    return ScoreTable(
        Universe.of(("AAA", "BBB", "CCC")),
        "model",
        "z",
        30.0,
        np.array([int(at.timestamp()) * 10**9 for at, _ in stated], dtype=np.int64),
        values,
        np.array([[v is not None for v in row] for _, row in stated], dtype=np.bool_),
    )


def at(scores: ScoreTable, minutes: float) -> Scores:
    return scores.at(TEN + timedelta(minutes=minutes))


SCORES = table(
    (TEN, (1.0, 2.0, None)),
    (TEN + timedelta(minutes=30), (1.5, None, None)),
    (TEN + timedelta(minutes=60), (np.nan, np.inf, -3.0)),
)


@pytest.mark.parametrize(
    ("minutes", "value", "defect"),
    [
        (-1 / 60, [0, 0, 0], [MISSING, MISSING, MISSING]),
        (0, [1, 2, 0], [0, 0, MISSING]),
        (29.9, [1, 2, 0], [0, 0, MISSING]),
        (30, [1.5, 2, 0], [0, 0, MISSING]),
        (60, [0, 0, -3], [BROKEN, BROKEN, 0]),
        (600, [0, 0, -3], [BROKEN, BROKEN, 0]),
    ],
)
def test_each_name_has_the_last_score_stated_by_then(
    minutes: float, value: list[float], defect: list[int]
) -> None:
    said = at(SCORES, minutes)
    assert said.value[0].tolist() == value
    assert said.defect[0].tolist() == defect


def test_a_broken_score_hides_the_sound_one_before_it() -> None:
    """The model spoke again and said nothing usable: yesterday's word is not its word."""
    assert at(SCORES, 59).defect[0, 0] == 0
    assert at(SCORES, 60).defect[0, 0] == BROKEN


def test_age_counts_from_when_it_was_stated() -> None:
    assert at(SCORES, 45).age_s[0].tolist() == [900.0, 2700.0, NEVER_S]


def test_the_answer_says_what_kind_of_score_it_is() -> None:
    said = at(SCORES, 0)
    assert (said.models, said.unit, said.horizon_min) == (("model",), ("z",), (30.0,))
    assert said.universe is SCORES.universe


def frame_of_scores() -> pd.DataFrame:
    times = pd.to_datetime(["2026-03-03 10:00", "2026-03-03 10:30"]).tz_localize("America/New_York")
    columns = {"B": [2.0, np.nan], "A": [-1.0, 4.0], "GONE": [9.0, 9.0]}
    return pd.DataFrame(columns, index=times)


def test_a_frame_is_read_by_label_in_its_own_time_zone() -> None:
    names = Universe.of(("A", "B", "C"))
    table = ScoreTable.from_frame(frame_of_scores(), names, "bps", 30.0)
    early = table.at(datetime(2026, 3, 3, 14, 59, tzinfo=UTC))
    assert set(early.defect[0].tolist()) == {Code.DATA_MISSING_SCORE.number}
    later = table.at(datetime(2026, 3, 3, 15, 40, tzinfo=UTC))
    assert later.unit == ("return",)
    assert later.value[0].tolist() == pytest.approx([4e-4, 2e-4, 0.0])
    assert later.age_s[0].tolist()[:2] == [600.0, 2400.0]
    assert later.defect[0].tolist() == [0, 0, Code.DATA_MISSING_SCORE.number]
    assert "GONE" in str(table.findings[0])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda frame: frame.tz_localize(None), "has no time zone"),
        (lambda frame: frame.iloc[::-1], "not in order of time"),
    ],
)
def test_a_frame_that_cannot_be_dated_is_refused(spoil: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        ScoreTable.from_frame(spoil(frame_of_scores()), Universe.of(("A", "B")), "z", 30.0)
