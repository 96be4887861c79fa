"""Whatever a model says or does, each name has a vote or a code, and nothing is raised."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deadband.core.reasons import BY_NUMBER, Code
from deadband.core.seen import Universe
from deadband.models.answer import Answer, answer_of
from tests import kit
from tests.kit.models import features, voice

NAMES = Universe.of(("AAA", "BBB", "CCC"))
KNOWN = features(NAMES, return_30m=1e-3)


def asked(said: Any, **given: Any) -> Answer:
    return answer_of(voice(said, **given), KNOWN)


def codes(answer: Answer) -> list[str]:
    return [str(BY_NUMBER[number]) if number else "" for number in answer.defect.tolist()]


def words(answer: Answer) -> list[tuple[str, str]]:
    return [(str(fault.code), fault.text) for fault in answer.faults]


def test_a_sound_answer_is_a_vote_for_every_name() -> None:
    answer = asked(np.array([1.0, -2.0, 0.5]))
    assert (answer.at, answer.unit, answer.faults) == (kit.NOW, "z", ())
    assert answer.value.tolist() == [1.0, -2.0, 0.5]
    assert codes(answer) == ["", "", ""] and answer.speaks


def test_basis_points_become_fractions_and_ranks_stay() -> None:
    bps = asked([10.0, -5.0, 0.0], unit="bps")
    assert bps.unit == "return"
    assert bps.value.tolist() == pytest.approx([10e-4, -5e-4, 0.0])
    ranks = asked([1e6, 3.0, -4e9], unit="rank")
    assert (ranks.unit, ranks.value.tolist()) == ("rank", [1e6, 3.0, -4e9])


def test_what_was_said_does_not_change_with_the_models_array() -> None:
    kept = np.array([1.0, 2.0, 3.0])
    answer = asked(kept)
    kept[:] = 9.0
    assert answer.value.tolist() == [1.0, 2.0, 3.0]


def raising(error: BaseException) -> Any:
    def score(_: Any) -> Any:
        raise error

    return score


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("no\nweights"), "ValueError: no weights"),
        (KeyError("GONE"), "KeyError: 'GONE'"),
        (ZeroDivisionError(), "ZeroDivisionError:"),
        (MemoryError(), "MemoryError:"),
        (SystemExit(3), "SystemExit: 3"),
        (ValueError("bytes \udcff"), "ValueError: bytes ?"),
        (Unprintable(), "Unprintable: an error that cannot be printed"),
    ],
)
def test_a_model_that_raises_loses_its_vote_and_is_quoted(error: BaseException, text: str) -> None:
    answer = asked(raising(error))
    assert codes(answer) == ["MODEL_RAISED"] * 3
    assert words(answer) == [("MODEL_RAISED", text)]
    assert answer.value.tolist() == [0.0, 0.0, 0.0] and not answer.speaks


def test_a_long_complaint_is_cut() -> None:
    ((_, text),) = words(asked(raising(ValueError("x" * 10_000))))
    assert len(text) == 200


def test_endless_recursion_is_contained() -> None:
    def score(x: Any) -> Any:
        return score(x)

    assert codes(asked(score)) == ["MODEL_RAISED"] * 3


def test_an_interrupt_from_the_keyboard_is_not_the_models() -> None:
    with pytest.raises(KeyboardInterrupt):
        asked(raising(KeyboardInterrupt()))


def test_a_model_that_writes_into_its_features_is_stopped() -> None:
    def score(given: Any) -> Any:
        given.value[0, 0] = 1.0

    assert words(asked(score))[0][1].startswith("ValueError: assignment destination is read-only")


def test_nan_is_no_opinion_and_infinity_no_number() -> None:
    answer = asked([np.nan, np.inf, 2.0])
    assert codes(answer) == ["DATA_MISSING_SCORE", "DATA_NOT_FINITE", ""]
    assert answer.value.tolist() == [0.0, 0.0, 2.0]
    assert codes(asked([np.nan] * 3)) == ["DATA_MISSING_SCORE"] * 3
    assert codes(asked([-np.inf] * 3, unit="bps")) == ["DATA_NOT_FINITE"] * 3


@pytest.mark.parametrize(
    "said",
    [
        [1.0, 2.0],
        [1.0, 2.0, 3.0, 4.0],
        [[1.0, 2.0, 3.0]],
        [[1.0], [2.0], [3.0]],
        1.0,
        None,
        "strong buy",
        ["a", "b", "c"],
        ["1.0", "2.0", "3.0"],
        np.array([1.0, 2.0, 3.0j]),
        np.array(["2026-03-03"] * 3, dtype="datetime64[D]"),
        [10**400, 1, 2],
        [1.0, [2.0], 3.0],
        object(),
        pd.Series([1.0, 2.0], index=["AAA", "AAA"]),
        {"AAA": "high"},
    ],
    ids=range(16),
)
def test_an_answer_that_is_not_one_number_a_name_is_no_vote(said: Any) -> None:
    answer = asked(said)
    assert codes(answer) == ["MODEL_BAD_SHAPE"] * 3
    assert [code for code, _ in words(answer)] == ["MODEL_BAD_SHAPE"]


def test_what_is_masked_is_no_opinion() -> None:
    """NumPy would hand on the number under the mask."""
    answer = asked(np.ma.masked_array([1.0, 7.0, 3.0], mask=[False, True, False]))
    assert codes(answer) == ["", "DATA_MISSING_SCORE", ""]
    assert answer.value.tolist() == [1.0, 0.0, 3.0]


@pytest.mark.parametrize("kind", [dict, pd.Series])
def test_numbers_by_symbol_are_aligned_and_strangers_are_named(kind: Any) -> None:
    answer = asked(kind({"CCC": 3.0, "ZZZ": 9.0, "AAA": 1.0}))
    assert answer.value.tolist() == [1.0, 0.0, 3.0]
    assert codes(answer) == ["", "DATA_MISSING_SCORE", ""]
    assert words(answer) == [("MODEL_UNKNOWN_SYMBOL", "1 symbols that the universe lacks: ZZZ")]


def test_names_of_which_a_feature_is_not_known_lose_the_vote() -> None:
    given = features(NAMES, return_30m=1e-3, volume_ratio={"BBB": np.nan}, gap={"CCC": np.inf})
    answer = answer_of(voice([1.0, 2.0, 3.0], needs=("return_30m", "volume_ratio", "gap")), given)
    assert codes(answer) == ["", "MODEL_FEATURES_MISSING", "MODEL_FEATURES_MISSING"]
    assert answer.value.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("needs", "text"),
    [
        (("return_30m", "beta"), "beta: not measured"),
        (("empty",), "empty: known for no name"),
    ],
)
def test_a_model_that_nobody_can_feed_is_not_asked(needs: tuple[str, ...], text: str) -> None:
    """As for a feature of the market where there is no market symbol, or before any history."""
    given = features(NAMES, return_30m=1e-3, empty=np.nan)
    answer = answer_of(voice(raising(AssertionError("asked")), needs=needs), given)
    assert codes(answer) == ["MODEL_FEATURES_MISSING"] * 3
    assert words(answer) == [("MODEL_FEATURES_MISSING", text)]


@pytest.mark.parametrize(
    ("unit", "said", "part"),
    [
        ("z", [150.0, 80.0, 12.0], "no z is above 10"),
        ("bps", [-300.0, 400.0, 2.0], "above 277.4: prices, or rank?"),
        ("bps", [1e-3, -5e-4, 2e-3], "fractions? Multiply by 10,000"),
    ],
)
def test_numbers_that_cannot_be_in_their_unit_are_no_votes(
    unit: str, said: list[float], part: str
) -> None:
    answer = asked(said, unit=unit)
    assert codes(answer) == ["MODEL_WRONG_UNIT"] * 3
    ((code, text),) = words(answer)
    assert code == "MODEL_WRONG_UNIT" and part in text


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("z", [9.0, -9.0, 1000.0]),
        ("bps", [0.02, 0.0, 0.0]),
        ("bps", [0.0, 0.0, 0.0]),
        ("bps", [1e5, 3.0, -2.0]),
        ("rank", [1e12, 1e-12, 0.0]),
    ],
)
def test_numbers_that_may_be_in_their_unit_are_votes(unit: str, said: list[float]) -> None:
    """One wild name is for `max_abs_z`; a model without an opinion may say zero to all."""
    assert codes(asked(said, unit=unit)) == ["", "", ""]


def test_the_bound_of_basis_points_grows_with_the_horizon() -> None:
    day = [400.0, -500.0, 600.0]
    assert asked(day, unit="bps", horizon_min=390.0).speaks
    assert codes(asked(day, unit="bps", horizon_min=30.0)) == [str(Code.MODEL_WRONG_UNIT)] * 3
