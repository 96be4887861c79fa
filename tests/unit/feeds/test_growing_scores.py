"""A scores file that is written to during the day: read again, and never a half of it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deadband.core.config import DataSettings
from deadband.core.errors import DataError
from deadband.core.reasons import Code
from deadband.core.seen import Universe
from deadband.feeds.growing_scores import GrowingScores
from deadband.feeds.scores import read_scores

NOW = datetime(2026, 3, 9, 15, 0, tzinfo=UTC)
DATA = DataSettings(score_column="z", score_unit="z")
UNIVERSE = Universe.of(("AAPL", "XOM"))
HEAD = "asof,symbol,z\n"
FIRST = HEAD + "2026-03-09T14:30:00Z,AAPL,1.5\n2026-03-09T14:30:00Z,XOM,-0.5\n"


def growing(path: Path) -> GrowingScores:
    path.write_text(FIRST)
    return GrowingScores(path, lambda: read_scores(path, UNIVERSE, DATA))


def write(path: Path, text: str, turn: int) -> None:
    """As written later: two writes within one tick of the disk's clock are told apart by size."""
    path.write_text(text)
    os.utime(path, ns=(turn * 10**9, turn * 10**9))


def test_rows_that_are_appended_speak_from_the_next_cycle_on(tmp_path: Path) -> None:
    source = growing(tmp_path / "s.csv")
    before = source.at(NOW)
    write(source.path, FIRST + "2026-03-09T14:45:00Z,AAPL,2.5\n", 1)
    after = source.at(NOW)
    assert before.value.tolist() == [[1.5, -0.5]]
    assert after.value.tolist() == [[2.5, -0.5]]
    assert after.age_s.tolist() == [[900.0, 1800.0]]
    assert before.version != after.version


def test_what_is_stated_for_later_is_not_known_yet(tmp_path: Path) -> None:
    source = growing(tmp_path / "s.csv")
    write(source.path, FIRST + "2026-03-09T15:00:01Z,AAPL,9\n", 1)
    assert source.at(NOW).value.tolist() == [[1.5, -0.5]]


@pytest.mark.parametrize("text", ["", "asof,sym", FIRST + "2026-03-09T14:4", FIRST + FIRST[14:]])
def test_a_file_that_is_half_written_leaves_what_it_said_before(tmp_path: Path, text: str) -> None:
    source = growing(tmp_path / "s.csv")
    write(source.path, text, 1)
    scores = source.at(NOW)
    assert scores.value.tolist() == [[1.5, -0.5]]
    [trouble] = scores.troubles
    assert (trouble.model, trouble.code) == ("s", Code.LIVE_SCORES_UNREADABLE)
    assert "s.csv" in trouble.text
    write(source.path, FIRST + "2026-03-09T14:45:00Z,XOM,3\n", 2)
    mended = source.at(NOW)
    assert mended.value.tolist() == [[1.5, 3.0]]
    assert mended.troubles == ()


def test_a_file_that_vanished_leaves_what_it_said_and_comes_back(tmp_path: Path) -> None:
    source = growing(tmp_path / "s.csv")
    source.path.unlink()
    assert source.at(NOW).troubles[0].code is Code.LIVE_SCORES_UNREADABLE
    write(source.path, FIRST, 5)
    assert source.at(NOW).troubles == ()


def test_the_first_reading_has_to_succeed(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(HEAD)
    with pytest.raises(DataError, match="no rows"):
        GrowingScores(path, lambda: read_scores(path, UNIVERSE, DATA))


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    source = growing(tmp_path / "s.csv")
    table, reads = source.read(), []

    def read() -> object:
        reads.append(1)
        return replace(table, model="again")

    source.read = read  # type: ignore[assignment]
    source.at(NOW)
    source.at(NOW)
    assert reads == []
