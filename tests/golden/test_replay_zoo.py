"""A day of several models, units and horizons: replayed to the last bit, explained, kept small."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from msgspec.msgpack import Ext
from typer.testing import CliRunner

from deadband.backtest.explain import explain
from deadband.backtest.replay import Replayed, replay
from deadband.backtest.run import CYCLE, Run
from deadband.brokers.sim import SimBroker
from deadband.cli import app
from deadband.core.features import Features
from deadband.core.reasons import Code
from deadband.core.seen import Scores
from deadband.core.types import CycleRecord
from deadband.feeds.simulated import SimulatedMarket, simulated_market
from deadband.journal.store import JournalReader, JournalWriter
from tests import kit

NAMES, CYCLES = 24, 36
MODELS = ("steady", "ranked", "priced", "slow", "late")
UNITS = ("z", "rank", "return", "z", "z")
HORIZONS = (30.0, 30.0, 60.0, 120.0, 30.0)


@dataclass
class MixedZoo:
    """The simulated scores through noise of each model's own; `late` stops, `slow` disagrees."""

    market: SimulatedMarket
    needs: tuple[str, ...] = ()

    def at(self, now: datetime, features: Features | None) -> Scores:
        told = self.market.scores.at(now)
        rng = np.random.default_rng(int(now.timestamp()) - int(told.age_s.min()))
        value = told.value + rng.normal(size=(len(MODELS), NAMES))
        value[2] *= 2e-4
        value[3] = -told.value
        defect = np.tile(told.defect, (len(MODELS), 1))
        age = np.tile(told.age_s, (len(MODELS), 1))
        minutes = now.hour * 60 + now.minute - (13 * 60 + 30)
        age[4] += 60.0 * max(0, minutes - 60)
        defect[1, 3] = Code.DATA_NOT_FINITE.number
        return Scores(
            universe=told.universe,
            models=MODELS,
            unit=UNITS,
            horizon_min=HORIZONS,
            value=np.where(defect == 0, value, 0.0),
            age_s=age,
            defect=defect,
        )


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hours of a simulated day; scores that are returns ask for a lower z_keep."""
    path = tmp_path_factory.mktemp("zoo") / "journal.db"
    small = {"z_keep": 0.01, "z_cut": 0.0, "delta_z_min": 0.01, "gamma_cost": 0.001}
    made = kit.settings(K=6, K_buy=5, K_sell=8, per_name_cap=0.05, **small)
    market = simulated_market(made, 3, names=NAMES)
    broker = SimBroker(market.tape.universe, made.execution, made.costs, market.tape.shortable)
    with JournalWriter(path) as writer:
        run = Run(made, market.tape, MixedZoo(market), broker, writer)
        day = market.tape.day(market.sessions[0])
        run.open(day.session.open)
        for k in range(1, CYCLES + 1):
            run.bar(day, k)
        run.close(day)
        run.end(day.session.close)
    return path


def records(journal: Path) -> list[CycleRecord]:
    with JournalReader(journal) as reader:
        return [reader.value(e.tree) for e in reader.entries() if e.kind == CYCLE]


def test_it_replays_without_a_difference(journal: Path) -> None:
    assert replay(journal) == Replayed(CYCLES, (), same_versions=True)


def test_models_were_judged_and_something_was_traded(journal: Path) -> None:
    last = records(journal)[-1]
    assert {track.model: track.shares > 2.0 for track in last.signal.skill.tracks} == {
        "steady": True,
        "ranked": True,
        "priced": True,
        "slow": False,
        "late": True,
    }
    assert last.seen.portfolio.shares.any()
    assert last.signal.unit == "return"


def test_what_is_known_of_the_models_is_journaled_once(journal: Path) -> None:
    """A cycle refers to it, and to every vote, whether it is what came in or what goes out."""
    with JournalReader(journal) as reader:
        cycles = [reader.value(e.tree) for e in reader.entries() if e.kind == CYCLE]
        for before, after in zip(cycles, cycles[1:], strict=False):
            assert after.state.skill is before.signal.skill
        kept = [e.tree for e in reader.entries() if e.kind == CYCLE]
    for tree in kept:
        assert isinstance(tree["state"]["skill"], Ext) and isinstance(tree["signal"]["skill"], Ext)
    # Looked at last after two horizons, cast a quarter of one apart.
    assert max(len(record.signal.skill.votes) for record in cycles) <= len(MODELS) * 9
    quiet = [r for r in cycles if r.signal.skill is r.state.skill]
    assert quiet, "in some cycles nothing was voted on, nor looked at"


def facts_of(journal: Path, symbol: str, at: str) -> dict[str, str]:
    return dict(explain(journal, symbol, at).facts)


def test_explain_shows_votes_horizons_and_the_risk_beside_the_score(journal: Path) -> None:
    facts = facts_of(journal, "SIM001", "11:30")
    assert list(facts)[3:6] == ["score z", "rank", "score"]
    assert facts["score"].endswith("bps over 30 min")
    assert "σ over 30 min, bps" in facts
    assert "IC " in facts["vote of steady"] and "credited" in facts["vote of steady"]
    assert facts["vote of priced"].split(",")[0].endswith(" bps")
    assert facts["vote of ranked"].split(",")[0].endswith("by rank")
    assert "WEIGHT_ALONE" in facts["vote of slow"]
    assert facts["vote of late"].startswith("DATA_STALE_SCORE, ")
    for horizon in ("30", "60", "120"):
        assert "half-life" in facts[f"horizon {horizon} min"]
        assert "to trade" in facts[f"horizon {horizon} min"]


def test_explain_names_a_models_failure_and_a_conflict(journal: Path) -> None:
    facts = facts_of(journal, "SIM004", "11:30")
    assert facts["vote of ranked"].startswith("DATA_NOT_FINITE × ")
    conflicts = [facts_of(journal, f"SIM{k:03d}", "11:30").get("conflict", "") for k in range(1, 9)]
    said = next(one for one in conflicts if one)
    assert said.startswith("HORIZON_CONFLICT: 30 min ") and "; net " in said


def test_explain_says_when_there_are_only_yesterdays_scores(journal: Path) -> None:
    facts = facts_of(journal, "SIM001", "09:35")
    assert facts["score"] == "DATA_STALE_SCORE"
    assert facts["vote of steady"].startswith("DATA_STALE_SCORE, ")


def test_the_command_line_says_the_same(journal: Path) -> None:
    said = CliRunner().invoke(app, ["explain", str(journal), "SIM001", "--at", "11:30", "--json"])
    assert dict(json.loads(said.output)["facts"]) == facts_of(journal, "SIM001", "11:30")


def test_the_term_structure_is_journaled_and_grows_from_the_score(journal: Path) -> None:
    last = records(journal)[-1].signal
    term = last.term_structure((15.0, last.horizon_min, 120.0, 390.0))
    assert term.shape == (4, NAMES)
    assert term[1] == pytest.approx(last.score, abs=1e-15)
    assert last.parts.sum(axis=0).tolist() == last.score.tolist()
    alone = last.by_horizon[2] != 0.0
    assert alone.any()
    # What the longest horizon says goes on to come true when the shortest is spent.
    grown = term[3] / np.where(term[1] == 0.0, 1.0, term[1])
    assert np.median(grown[term[1] != 0.0]) > 1.0
