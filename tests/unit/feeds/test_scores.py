"""Score files: what a column means has to be said, and nothing is passed over in silence."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.kit import clock
from tests.kit.files import brief

from deadband.core.config import DataSettings
from deadband.core.errors import ConfigError, DataError, MissingError
from deadband.core.seen import Universe
from deadband.core.units import horizon_minutes
from deadband.feeds.score_table import ScoreTable
from deadband.feeds.scores import read_scores

UNIVERSE = Universe.of(("AAA", "BBB", "MKT"), {}, frozenset({"MKT"}))
Z = DataSettings(score_column="z", score_unit="z")
TEN, HALF_PAST_TEN = clock("10:00"), clock("10:30")


def read(folder: Path, rows: list[tuple[object, str, float]], data: DataSettings = Z) -> ScoreTable:
    path = folder / "model.parquet"
    pd.DataFrame(rows, columns=["asof", "symbol", "z"]).to_parquet(path, index=False)
    return read_scores(path, UNIVERSE, data)


def said(of: ScoreTable) -> list[str]:
    return [brief(finding) for finding in of.findings]


def test_scores_are_laid_out_by_time_and_name(tmp_path: Path) -> None:
    rows = [(HALF_PAST_TEN, "BBB", 3.0), (TEN, "AAA", 1.0), (TEN, "BBB", 2.0)]
    table = read(tmp_path, rows)
    assert table.asof.tolist() == [int(t.timestamp()) * 10**9 for t in (TEN, HALF_PAST_TEN)]
    np.testing.assert_array_equal(table.value, [[1, 2, np.nan], [np.nan, 3, np.nan]])
    assert table.stated.tolist() == [[True, True, False], [False, True, False]]
    assert (table.model, table.unit, table.horizon_min) == ("model", "z", 30.0)
    assert said(table) == []


def test_basis_points_become_fractions_over_their_horizon(tmp_path: Path) -> None:
    bps = DataSettings(score_column="z", score_unit="bps", score_horizon="1d", score_scale=2.0)
    table = read(tmp_path, [(TEN, "AAA", 10.0), (TEN, "BBB", -5.0)], bps)
    assert (table.unit, table.horizon_min) == ("return", 390.0)
    np.testing.assert_allclose(table.value[0, :2], [20e-4, -10e-4])


@pytest.mark.parametrize(
    ("text", "minutes"), [("30min", 30), ("45 m", 45), ("2h", 120), ("1.5h", 90), ("1d", 390)]
)
def test_horizons(text: str, minutes: float) -> None:
    assert horizon_minutes(text) == minutes


@pytest.mark.parametrize("text", ["", "30", "half an hour", "-5min", "0min", "1w"])
def test_horizons_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="expected a length such as 30min, 2h or 1d"):
        horizon_minutes(text)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (DataSettings(), ["which column", "unit is not said", "over which time"]),
        (DataSettings(score_unit="pct"), ["which column", "unit is pct", "over which time"]),
        (DataSettings(score_column="z"), ["unit is not said", "over which time"]),
        (DataSettings(score_column="z", score_unit="bps"), ["over which time"]),
        (
            DataSettings(score_unit="bps", score_horizon="soon"),
            ["which column", "score_horizon is 'soon'"],
        ),
        (DataSettings(score_column="z", score_unit="z", score_horizon="x"), ["score_horizon is"]),
    ],
)
def test_a_meaning_that_is_not_said_is_asked_for_all_at_once(
    tmp_path: Path, data: DataSettings, said: list[str]
) -> None:
    with pytest.raises(ConfigError) as fault:
        read(tmp_path, [(TEN, "AAA", 1.0)], data)
    assert len(fault.value.findings) == len(said)
    for finding, part in zip(fault.value.findings, said, strict=True):
        assert part in finding


def test_a_column_of_another_name_is_asked_for(tmp_path: Path) -> None:
    data = DataSettings(score_column="zz", score_unit="z")
    with pytest.raises(MissingError, match="no column zz; it has asof, symbol, z. Did you mean z "):
        read(tmp_path, [(TEN, "AAA", 1.0)], data)


def test_symbols_without_bars_are_named(tmp_path: Path) -> None:
    table = read(tmp_path, [(TEN, "AAA", 1.0), (TEN, "BBB", 1.0), (TEN, "XXX", 9.0)])
    assert said(table) == ["DATA_SCORE_WITHOUT_BARS: 1 (XXX)"]
    assert np.isnan(table.value[0, 2])


def test_bars_without_scores_are_named_but_not_the_market(tmp_path: Path) -> None:
    table = read(tmp_path, [(TEN, "AAA", 1.0)])
    assert said(table) == ["DATA_BARS_WITHOUT_SCORE: 1 (BBB)"]


def test_scores_for_nobody_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"scores 2 symbols, none of which has bars \(aaa, bbb\)"):
        read(tmp_path, [(TEN, "aaa", 1.0), (TEN, "bbb", 1.0)])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_named(tmp_path: Path, value: float) -> None:
    rows = [(TEN, "AAA", 1.0), (TEN, "BBB", 1.0), (HALF_PAST_TEN, "BBB", value)]
    table = read(tmp_path, rows)
    assert said(table) == ["DATA_SCORE_NOT_FINITE: 1 (BBB 2026-03-03 15:30 UTC)"]
    assert table.stated[1].tolist() == [False, True, False]


def test_a_score_stated_twice_is_refused_even_when_equal(tmp_path: Path) -> None:
    rows = [(TEN, "AAA", 1.0), (HALF_PAST_TEN, "BBB", 1.0), (HALF_PAST_TEN, "BBB", 1.0)]
    first = r"states 1 scores twice .*\(first: BBB 2026-03-03 15:30 UTC\). Keep one of each"
    with pytest.raises(DataError, match=first):
        read(tmp_path, rows)


def test_times_without_a_zone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column asof has no time zone. Store it in UTC"):
        read(tmp_path, [(TEN.replace(tzinfo=None), "AAA", 1.0)])
