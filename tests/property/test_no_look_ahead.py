"""Poison the future: what is decided up to an instant must not change with anything after it.

A run over files, with scores and a model of features, is repeated with every bar that ends after T
and every score stated after T replaced by garbage. Every journaled record up to T, cycles,
fills and statements alike, must keep its bytes.
"""

import sqlite3
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from deadband.backtest.run import CYCLE, RUN
from deadband.backtest.start import Prepared, drive, prepare_files
from deadband.core.ailments import Ailment
from deadband.core.bars import SessionBars
from deadband.core.model_settings import ModelSettings
from deadband.core.seen import Market
from deadband.core.session import Session
from deadband.feeds.score_table import ScoreTable
from deadband.feeds.tape import BarTape
from deadband.models.zoo import Zoo
from tests.kit.files import DAYS, at, bars, scores, written

BAR_MIN = 30
FIRST, LAST = DAYS[3], DAYS[5]
INSTANTS = [
    (DAYS[3], "10:00"),
    (DAYS[3], "12:30"),
    (DAYS[3], "16:00"),
    (DAYS[4], "10:00"),
    (DAYS[4], "15:30"),
    (DAYS[5], "11:30"),
]
ERRORS = tuple(str(each) for each in Ailment if each.severity == "error")
Bodies = list[tuple[str, str, bytes]]


def prepared(folder: Path, prices: pd.DataFrame, z: pd.DataFrame) -> Prepared:
    """Betas to a market symbol and a model too, so that they are also part of what is compared.

    Poison is found for what it is, and accepted: the file is refused as a whole otherwise.
    """
    models = (ModelSettings("follow", "python", "tests.kit.models:Follow"),)
    settings = written(
        folder, prices, z, market="HHH", beta_tolerance=1.0, models=models, accept=ERRORS
    )
    run = prepare_files(settings, FIRST, LAST)
    assert isinstance(run.scores, Zoo)
    (table,) = run.scores.tables
    assert isinstance(table, ScoreTable)
    # The version is that of the whole file: another future is another file.
    table.version = "any future"
    return run


def journaled(run: Prepared, journal: Path) -> Bodies:
    """(at, kind, body) of every record but the first, which describes the whole file."""
    drive(run, journal, lambda _: None)
    with sqlite3.connect(journal) as db:
        rows = db.execute("SELECT at, kind, body FROM record WHERE kind != ? ORDER BY seq", (RUN,))
        return rows.fetchall()


def until(bodies: Bodies, instant: pd.Timestamp) -> Bodies:
    return [record for record in bodies if pd.Timestamp(record[0]) <= instant]


def first_difference(clean: Bodies, poisoned: Bodies) -> str:
    """When the two first differ, or nothing."""
    pairs = zip(clean, poisoned, strict=False)
    different = [f"{one[0]} {one[1]}" for one, other in pairs if one != other]
    return different[0] if different else "" if len(clean) == len(poisoned) else "number of records"


def poisoned_bars(prices: pd.DataFrame, instant: pd.Timestamp) -> pd.DataFrame:
    """Bars that end after the instant: a third gone, the rest at ten times the price and noise."""
    rng = np.random.default_rng(9)
    table = prices.copy()
    future = table.ts + pd.Timedelta(minutes=BAR_MIN) > instant
    factor = rng.uniform(5, 15, len(table))
    for column in ("open", "high", "low", "close"):
        table[column] = table[column].where(~future, table[column] * factor)
    table["volume"] = table.volume.where(~future, rng.integers(1, 10**7, len(table)))
    return table[~(future & (rng.random(len(table)) < 1 / 3))]


def poisoned_scores(z: pd.DataFrame, instant: pd.Timestamp) -> pd.DataFrame:
    """Scores stated after the instant: some gone, some NaN, the rest noise."""
    rng = np.random.default_rng(8)
    table = z.copy()
    future = table["asof"] > instant
    noise = np.where(rng.random(len(table)) < 0.1, np.nan, rng.normal(0, 5, len(table)))
    table["z"] = table.z.where(~future, noise)
    return table[~(future & (rng.random(len(table)) < 0.2))]


PRICES, Z = bars(bar_min=BAR_MIN), scores()


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Bodies:
    folder = tmp_path_factory.mktemp("clean")
    return journaled(prepared(folder, PRICES, Z), folder / "journal.db")


def test_the_run_that_is_compared_trades_throughout(clean: Bodies) -> None:
    reports = [at for at, kind, _ in clean if kind == "REPORTS"]
    assert len(reports) > 40
    assert {at[:10] for at in reports} == {day.isoformat() for day in DAYS[3:]}


@pytest.mark.parametrize(("day", "hhmm"), INSTANTS)
def test_nothing_up_to_an_instant_depends_on_what_comes_after(
    tmp_path: Path, clean: Bodies, day: Any, hhmm: str
) -> None:
    instant = at(day, hhmm)
    run = prepared(tmp_path, poisoned_bars(PRICES, instant), poisoned_scores(Z, instant))
    poisoned = journaled(run, tmp_path / "journal.db")
    assert sum(kind == CYCLE for _, kind, _ in until(clean, instant)) > 0
    assert first_difference(until(clean, instant), until(poisoned, instant)) == ""
    assert first_difference(clean, poisoned) != "", "the poison was not tasted at all"


@pytest.mark.parametrize("what", ["bars", "scores"])
def test_the_very_next_bar_and_score_are_noticed(tmp_path: Path, clean: Bodies, what: str) -> None:
    """The comparison is sharp: what changes first is the first cycle that may know of it."""
    instant = at(DAYS[4], "11:00")
    spoiled_bars = poisoned_bars(PRICES, instant) if what == "bars" else PRICES
    spoiled_scores = poisoned_scores(Z, instant) if what == "scores" else Z
    poisoned = journaled(prepared(tmp_path, spoiled_bars, spoiled_scores), tmp_path / "j.db")
    found = pd.Timestamp(first_difference(clean, poisoned).split()[0])
    assert found == at(DAYS[4], "11:30")


class LeakingBars(SessionBars):
    """Knows the bar that comes next."""

    def market_after(self, k: int) -> Market:
        leaked = super().market_after(min(k + 1, len(self)))
        return replace(leaked, asof=self.ended(k))


class LeakingTape(BarTape):
    def day(self, session: Session) -> SessionBars:
        honest = super().day(session)
        return LeakingBars(**{f.name: getattr(honest, f.name) for f in fields(honest)})


def leaking(run: Prepared) -> Prepared:
    tape = run.tape
    given = {f.name: getattr(tape, f.name) for f in fields(BarTape) if f.init}
    return replace(run, tape=LeakingTape(**given))


def test_a_tape_that_looks_one_bar_ahead_is_caught(tmp_path: Path) -> None:
    instant = at(DAYS[4], "11:00")
    spoiled = prepared(tmp_path / "poisoned", poisoned_bars(PRICES, instant), Z)
    clean = journaled(leaking(prepared(tmp_path / "clean", PRICES, Z)), tmp_path / "1.db")
    poisoned = journaled(leaking(spoiled), tmp_path / "2.db")
    found = first_difference(until(clean, instant), until(poisoned, instant))
    assert found == f"{instant.isoformat()} {CYCLE}"


class EarlyScores:
    """Serves what will be stated half an hour later."""

    needs = ()

    def __init__(self, run: Prepared) -> None:
        self.honest = run.scores

    def at(self, now: Any, features: Any) -> Any:
        return self.honest.at(now + pd.Timedelta(minutes=30).to_pytimedelta(), features)


def test_scores_from_the_future_are_caught(tmp_path: Path) -> None:
    instant = at(DAYS[4], "11:00")
    runs = [
        prepared(tmp_path / "clean", PRICES, Z),
        prepared(tmp_path / "poisoned", PRICES, poisoned_scores(Z, instant)),
    ]
    clean, poisoned = (
        journaled(replace(run, scores=EarlyScores(run)), tmp_path / f"{k}.db")
        for k, run in enumerate(runs)
    )
    assert first_difference(until(clean, instant), until(poisoned, instant)).endswith(CYCLE)
