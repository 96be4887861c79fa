"""Many models in one answer: each on its own, with its name, version, unit, horizon and age."""

from dataclasses import replace
from datetime import datetime, timedelta
from queue import Empty
from threading import Event
from typing import Any

import numpy as np
import pytest

from deadband.core.errors import ShapeError
from deadband.core.reasons import BY_NUMBER
from deadband.core.seen import NEVER_S, Scores, Universe
from deadband.feeds.score_table import ScoreTable
from deadband.models.desk import AtOnce, Beside
from deadband.models.voice import Voice
from deadband.models.zoo import Zoo
from tests import kit
from tests.kit.models import Scripted, features, voice

NAMES = Universe.of(("AAA", "BBB"))
PATIENT_MS = 30_000.0
"""A budget that is not used up unless the test fails."""


def zoo(*models: Voice) -> Zoo:
    return Zoo(NAMES, tuple(map(AtOnce, models)))


def at(made: Zoo, minutes: float = 0.0, **rows: Any) -> Scores:
    now = kit.NOW + timedelta(minutes=minutes)
    return made.at(now, features(NAMES, now, **rows) if rows else None)


def codes(said: Scores, model: int = 0) -> list[str]:
    return [str(BY_NUMBER[n]) if n else "" for n in said.defect[model].tolist()]


def test_every_model_states_what_it_is() -> None:
    made = zoo(
        voice([1.0, 2.0], name="a", version="7", needs=("x", "y")),
        voice([3.0, 4.0], name="b", unit="bps", horizon_min=390.0, needs=("y",)),
        voice([5.0, 6.0], name="c", unit="rank"),
    )
    said = at(made, x=1.0, y=1.0)
    assert made.needs == ("x", "y")
    assert said.models == ("a", "b", "c") and said.version == ("7", "1", "1")
    assert said.unit == ("z", "return", "rank") and said.horizon_min == (30.0, 390.0, 30.0)
    np.testing.assert_allclose(said.value, [[1, 2], [3e-4, 4e-4], [5, 6]])
    assert (said.age_s == 0.0).all() and (said.defect == 0).all() and said.troubles == ()


def test_a_model_that_reads_no_feature_is_asked_without_any() -> None:
    made = zoo(voice(lambda f: [len(f.names), f.asof.minute]))
    assert made.needs == ()
    assert at(made, 7.0).value.tolist() == [[0.0, 7.0]]


def test_what_one_model_does_leaves_the_others_votes() -> None:
    said = at(
        zoo(
            voice([1.0, 2.0], name="sound"),
            voice(Scripted([ValueError("broken")]), name="broken"),
            voice([1.0], name="short"),
            voice([np.nan, 8.0], name="half"),
        )
    )
    assert [codes(said, m) for m in range(4)] == [
        ["", ""],
        ["MODEL_RAISED"] * 2,
        ["MODEL_BAD_SHAPE"] * 2,
        ["DATA_MISSING_SCORE", ""],
    ]
    assert said.value[0].tolist() == [1.0, 2.0]
    assert said.age_s[1].tolist() == [NEVER_S, NEVER_S]
    assert [trouble.model for trouble in said.troubles] == ["broken", "short"]
    assert str(said.troubles[0].text) == "ValueError: broken"


def test_a_model_that_failed_once_speaks_again() -> None:
    made = zoo(voice(Scripted([[1.0, 1.0], ValueError("once"), [2.0, 2.0]])))
    assert [codes(at(made, k))[0] for k in (0, 5, 10)] == ["", "MODEL_RAISED", ""]


def stated(now: datetime) -> ScoreTable:
    return ScoreTable(
        NAMES,
        "file",
        "return",
        390.0,
        np.array([int(now.timestamp()) * 10**9], dtype=np.int64),
        np.array([[1e-4, np.nan]]),
        np.array([[True, False]]),
        version="abc",
    )


def test_tables_of_scores_speak_beside_models() -> None:
    made = Zoo(NAMES, (AtOnce(voice([1.0, 2.0])),), (stated(kit.NOW),))
    said = at(made, 5.0)
    assert (said.models, said.version) == (("model", "file"), ("1", "abc"))
    assert (said.unit, said.horizon_min) == (("z", "return"), (30.0, 390.0))
    assert codes(said, 1) == ["", "DATA_MISSING_SCORE"]
    assert said.age_s[1, 0] == 300.0
    alone = Zoo(NAMES, (), (stated(kit.NOW),))
    assert at(alone, 5.0).models == ("file",) and alone.needs == ()


# --- live: models that are late ----------------------------------------------------------------


class Gate:
    """A model that waits for its gate to be opened before each answer."""

    def __init__(self, *answers: Any) -> None:
        self.opened = [Event() for _ in answers]
        self.entered = [Event() for _ in answers]
        self.answers, self.calls = answers, 0

    def __call__(self, _: Any) -> Any:
        call, self.calls = self.calls, self.calls + 1
        self.entered[call].set()
        assert self.opened[call].wait(60.0), "the test never opened the gate"
        said = self.answers[call]
        if isinstance(said, BaseException):
            raise said
        return said

    def open(self, call: int) -> None:
        self.opened[call].set()


def answered(desk: Beside) -> None:
    """Wait until the answer that is due lies ready, uncollected."""
    desk._answers.put(desk._answers.get(timeout=60.0))


def live(gate: Any, budget_ms: float = 1.0) -> tuple[Zoo, Beside]:
    desk = Beside(voice(gate, name="slow", budget_ms=budget_ms))
    return Zoo(NAMES, (AtOnce(voice([9.0, 9.0], name="sound")), desk)), desk


def test_an_answer_within_the_budget_is_a_vote_like_any_other() -> None:
    gate = Gate([1.0, 2.0])
    gate.open(0)
    made, _ = live(gate, PATIENT_MS)
    said = at(made)
    assert said.value[1].tolist() == [1.0, 2.0] and said.troubles == ()
    assert (said.age_s == 0.0).all()


def test_a_model_that_hangs_stops_nothing_and_is_not_asked_again() -> None:
    gate = Gate([1.0, 2.0])
    made, _ = live(gate)
    for minutes in (0.0, 5.0, 10.0):
        said = at(made, minutes)
        assert said.value[0].tolist() == [9.0, 9.0]
        assert codes(said, 1) == ["MODEL_LATE"] * 2
        (trouble,) = said.troubles
        assert (trouble.model, str(trouble.code)) == ("slow", "MODEL_LATE")
        assert trouble.text == "no answer within 1 ms"
    assert gate.calls == 1
    gate.open(0)


class Nothing:
    """A queue in which nothing ever comes, on a clock that shows how long that was waited for."""

    def __init__(self) -> None:
        self.clock_s = 0.0

    def get(self, timeout: float) -> Any:
        self.clock_s += timeout
        raise Empty

    def get_nowait(self) -> Any:
        raise Empty

    def put(self, answer: Any) -> None:
        """Too late for anyone."""


def test_a_model_that_hangs_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a budget's time in every decision from then on."""
    gate, nothing = Gate([1.0, 2.0]), Nothing()
    made, desk = live(gate, budget_ms=1000.0)
    desk._answers = nothing  # type: ignore[assignment]
    monkeypatch.setattr("deadband.models.desk.monotonic", lambda: nothing.clock_s)
    for minutes in (0.0, 5.0, 10.0):
        assert codes(at(made, minutes), 1) == ["MODEL_LATE"] * 2
    assert nothing.clock_s == 1.0
    gate.open(0)


def test_a_late_answer_is_taken_up_with_its_age_and_then_ages() -> None:
    gate = Gate([1.0, 2.0], [3.0, 4.0], [5.0, 6.0])
    made, desk = live(gate)
    assert codes(at(made), 1) == ["MODEL_LATE"] * 2
    gate.open(0)
    answered(desk)
    for minutes in (5.0, 10.0):
        said = at(made, minutes)
        assert said.value[1].tolist() == [1.0, 2.0]
        assert said.age_s[1].tolist() == [minutes * 60.0] * 2
        assert codes(said, 1) == ["", ""]
        assert [str(trouble.code) for trouble in said.troubles] == ["MODEL_LATE"]
    gate.open(1)
    answered(desk)
    assert at(made, 15.0).age_s[1].tolist() == [600.0] * 2, "asked at 5 minutes, heard at 15"
    gate.open(2)


def test_a_late_model_keeps_its_last_word_but_not_its_last_failure() -> None:
    gate = Gate([1.0, 2.0], ValueError("late and broken"), [0.0, 0.0])
    made, desk = live(gate)
    at(made)
    gate.open(0)
    answered(desk)
    assert at(made, 5.0).age_s[1].tolist() == [300.0] * 2
    gate.open(1)
    answered(desk)
    said = at(made, 10.0)
    assert codes(said, 1) == ["MODEL_LATE"] * 2
    assert [(str(t.code), t.text) for t in said.troubles] == [
        ("MODEL_RAISED", "ValueError: late and broken"),
        ("MODEL_LATE", "no answer within 1 ms"),
    ]
    assert [str(t.code) for t in at(made, 15.0).troubles] == ["MODEL_LATE"]
    gate.open(2)


def test_models_beside_each_other_are_asked_together() -> None:
    """Each waits for the other to have been asked; one after the other neither would answer."""
    first, second = Event(), Event()

    def meeting(mine: Event, other: Event) -> Any:
        def score(_: Any) -> list[float]:
            mine.set()
            return [float(other.wait(60.0))] * 2

        return score

    models = [
        voice(meeting(first, second), name="a", budget_ms=PATIENT_MS),
        voice(meeting(second, first), name="b", budget_ms=PATIENT_MS),
    ]
    assert (at(Zoo(NAMES, tuple(map(Beside, models)))).value == 1.0).all()


def test_a_model_that_tries_to_leave_the_program_is_contained_in_its_thread() -> None:
    made, _ = live(Scripted([SystemExit(1), [1.0, 1.0]]), PATIENT_MS)
    assert codes(at(made), 1) == ["MODEL_RAISED"] * 2
    assert codes(at(made, 5.0), 1) == ["", ""]


@pytest.mark.parametrize(
    "changed", [{"unit": ()}, {"horizon_min": (1.0, 2.0)}, {"version": ("a", "b")}]
)
def test_scores_state_one_of_each_for_every_model(changed: dict[str, Any]) -> None:

    with pytest.raises(ShapeError, match="Give one of each for every model"):
        replace(kit.scores(NAMES), **changed)
