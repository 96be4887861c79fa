"""A day decided once is decided again to the last bit, and a difference is named."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deadband.backtest.replay import Replayed, replay
from deadband.backtest.run import CYCLE, RUN, Run
from deadband.backtest.run import versions as versions_now
from deadband.brokers.sim import SimBroker
from deadband.core.config import Settings
from deadband.core.problem import Problem
from deadband.feeds.simulated import simulated_market
from deadband.journal.store import JournalReader, JournalWriter
from deadband.optimize import build, solve
from tests.kit import settings

Change = Callable[[str, Any], Any]
CYCLES = 24


def short_day(path: Path, seed: int = 3, made: Settings | None = None) -> Path:
    """Two hours of a simulated day of 24 names, journaled."""
    made = made or settings(K=6, K_buy=5, K_sell=8, per_name_cap=0.05)
    market = simulated_market(made, seed, names=24)
    broker = SimBroker(market.tape.universe, made.execution, made.costs, market.tape.shortable)
    with JournalWriter(path) as writer:
        run = Run(made, market.tape, market.scores, broker, writer)
        day = market.tape.day(market.sessions[0])
        run.open(day.session.open)
        for k in range(1, CYCLES + 1):
            run.bar(day, k)
        run.close(day)
        run.end(day.session.close)
    return path


def rewritten(path: Path, to: Path, change: Change) -> Path:
    """The journal with changed values and a chain that fits them: forged, not damaged."""
    with JournalReader(path) as journal, JournalWriter(to) as writer:
        for entry in journal.entries():
            value = change(entry.kind, journal.value(entry.tree))
            writer.append(entry.kind, entry.cycle_id, entry.at, value)
    return to


def chain(path: Path) -> list[bytes]:
    with JournalReader(path) as journal:
        list(journal.entries())
        return [row[0] for row in journal._db.execute("SELECT chain FROM record ORDER BY seq")]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return short_day(tmp_path_factory.mktemp("golden") / "journal.db")


def test_the_simulated_day_replays_without_a_difference(simulated_day: Path) -> None:
    assert replay(simulated_day) == Replayed(78, (), same_versions=True)


def test_the_same_seed_gives_the_same_records_and_another_gives_others(
    day: Path, tmp_path: Path
) -> None:
    again, other = short_day(tmp_path / "again.db"), short_day(tmp_path / "other.db", seed=4)
    assert chain(again) == chain(day)
    assert not set(chain(other)[1:]) & set(chain(day)[1:]), "beside the opening, which is equal"


def test_a_copy_written_anew_has_the_same_chain(day: Path, tmp_path: Path) -> None:
    # What is read from a journal and written again is the same bytes: nothing is lost in between.
    assert chain(rewritten(day, tmp_path / "copy.db", lambda _, value: value)) == chain(day)


def test_one_day_or_one_cycle_may_be_replayed_alone(day: Path) -> None:
    assert replay(day, day="2026-03-09").cycles == CYCLES
    assert replay(day, day="2026-03-10").cycles == 0
    assert replay(day, cycle_id="20260309.000012") == Replayed(1, (), same_versions=True)


def test_a_changed_setting_is_found(day: Path, tmp_path: Path) -> None:
    def stricter(kind: str, value: Any) -> Any:
        if kind != RUN:
            return value
        made = value["settings"]
        return value | {"settings": replace(made, optimize=replace(made.optimize, z_keep=1.1))}

    forged = rewritten(day, tmp_path / "forged.db", stricter)
    replayed = replay(forged)
    assert replayed.cycles == CYCLES
    assert len(replayed.differences) > 5
    assert replayed.differences[0].field.startswith("proposal.")
    with JournalReader(forged) as journal:
        opening = journal.value(next(journal.entries()).tree)
        assert opening["settings"].optimize.z_keep == 1.1


def test_a_tampered_cost_is_found_and_named_by_its_first_place(
    day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = build.build

    def generous(*args: Any) -> Problem:
        problem = honest(*args)
        return replace(problem, cost=problem.cost * (1 + 1e-15))

    monkeypatch.setattr(solve, "build", generous)
    replayed = replay(day)
    assert len(replayed.differences) == CYCLES
    first = replayed.differences[0]
    assert (first.cycle_id, first.field[:21]) == ("20260309.000000", "proposal.problem.cost")
    assert "was recorded as" in str(first)
    assert "20260309.000000" in str(first)


def test_a_tampered_risk_estimate_is_named_inside_the_shared_value(
    day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from deadband import cycle

    honest = cycle.estimate

    def louder(*args: Any) -> Any:
        risk = honest(*args)
        return replace(risk, sigma=risk.sigma * np.where(np.arange(24) == 5, 1.01, 1.0))

    monkeypatch.setattr(cycle, "estimate", louder)
    replayed = replay(day)
    assert len(replayed.differences) == CYCLES
    assert {difference.field for difference in replayed.differences} == {"risk.sigma[5]"}


@pytest.mark.parametrize(
    ("field", "change"),
    [
        (
            "decision.target[0]",
            lambda d: replace(d, target=np.where(d.target == 0, -0.0, d.target)),
        ),
        ("decision.code[0]", lambda d: replace(d, code=d.code + np.int16(1))),
        ("decision.code dtype", lambda d: replace(d, code=d.code.astype(np.int64))),
        ("decision.code shape", lambda d: replace(d, code=d.code[:-1])),
        ("decision.spoken length", lambda d: replace(d, spoken=d.spoken + d.spoken[-1:])),
    ],
    ids=["a zero's sign", "a code", "a type", "a length", "one word more"],
)
def test_a_forged_decision_is_found_to_the_last_bit(
    day: Path, tmp_path: Path, field: str, change: Callable[[Any], Any]
) -> None:
    def forge(kind: str, value: Any) -> Any:
        if kind != CYCLE or value.cycle_id != "20260309.000007":
            return value
        return replace(value, decision=change(value.decision))

    replayed = replay(rewritten(day, tmp_path / "forged.db", forge))
    assert [(d.cycle_id, d.field) for d in replayed.differences] == [("20260309.000007", field)]


def test_a_state_that_is_not_the_fold_of_what_came_before_is_found(
    day: Path, tmp_path: Path
) -> None:
    def forge(kind: str, value: Any) -> Any:
        if kind != CYCLE or value.cycle_id != "20260309.000015":
            return value
        return replace(value, state=replace(value.state, peak_nav=value.state.peak_nav + 1.0))

    (difference,) = replay(rewritten(day, tmp_path / "forged.db", forge)).differences
    assert (difference.cycle_id, difference.field) == ("20260309.000015", "state.peak_nav")


def test_a_report_that_was_left_out_is_found(day: Path, tmp_path: Path) -> None:
    left_out = []

    def forge(kind: str, value: Any) -> Any:
        if kind == "REPORTS" and not left_out and any(r.last_qty for r in value):
            left_out.append(value)
            return tuple(report for report in value if not report.last_qty)
        return value

    replayed = replay(rewritten(day, tmp_path / "forged.db", forge))
    assert left_out
    assert replayed.differences[0].field.startswith("state.book.")


def test_other_versions_are_said(day: Path, tmp_path: Path) -> None:
    def older(kind: str, value: Any) -> Any:
        if kind != RUN:
            return value
        return value | {"versions": versions_now() | {"numpy": "1.0.0"}}

    replayed = replay(rewritten(day, tmp_path / "older.db", older))
    assert (replayed.differences, replayed.same_versions) == ((), False)
