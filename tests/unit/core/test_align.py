"""Containers of every kind become vectors in the order of the universe, or an error with a name."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from deadband.core import align
from deadband.core.errors import DataError, MissingError, ShapeError

SYMBOLS = ("AAPL", "MSFT", "XOM")
BY_LABEL = {"XOM": 3.0, "AAPL": 1.0, "MSFT": 2.0, "ZZZ": 9.0}


@pytest.mark.parametrize(
    "given",
    [[1, 2, 3], (1.0, 2.0, 3.0), np.array([1.0, 2.0, 3.0]), BY_LABEL, pd.Series(BY_LABEL)],
    ids=lambda given: type(given).__name__,
)
def test_labels_are_aligned_and_lists_are_taken_in_order(given: Any) -> None:
    assert align.vector(given, SYMBOLS, "costs").tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("given", [{"AAPL": 1.0}, pd.Series({"AAPL": 1.0})])
def test_a_missing_label_is_named(given: Any) -> None:
    with pytest.raises(MissingError, match="costs has no value for MSFT, XOM. Add it"):
        align.vector(given, SYMBOLS, "costs")


def test_of_many_missing_labels_five_are_named() -> None:
    symbols = [f"S{i}" for i in range(8)]
    with pytest.raises(MissingError, match="S0, S1, S2, S3, S4 and 3 more"):
        align.vector({}, symbols, "costs")


def test_a_label_given_twice_is_refused() -> None:
    twice = pd.Series([1.0, 2.0, 3.0, 4.0], index=["AAPL", "MSFT", "XOM", "AAPL"])
    with pytest.raises(DataError, match="costs has more than one value for AAPL"):
        align.vector(twice, SYMBOLS, "costs")


def test_a_series_without_symbols_is_not_guessed_at() -> None:
    with pytest.raises(MissingError, match="AAPL"):
        align.vector(pd.Series([1.0, 2.0, 3.0]), SYMBOLS, "costs")


@pytest.mark.parametrize("given", [[1.0, 2.0], [[1.0, 2.0, 3.0]], 5.0])
def test_another_length_is_refused(given: Any) -> None:
    with pytest.raises(ShapeError, match="costs has shape .* the universe has 3 names"):
        align.vector(given, SYMBOLS, "costs")


def test_what_is_not_finite_is_named_by_symbol() -> None:
    with pytest.raises(DataError, match="z_scores is not finite for MSFT, XOM"):
        align.vector([1.0, np.nan, np.inf], SYMBOLS, "z_scores")


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(DataError, match="costs holds something that is not a number"):
        align.vector(["one", "two", "three"], SYMBOLS, "costs")


def test_masks_align_like_vectors() -> None:
    tradable = pd.Series({"XOM": False, "AAPL": True, "MSFT": True})
    assert align.mask(tradable, SYMBOLS, "tradable").tolist() == [True, True, False]
    with pytest.raises(ShapeError, match="tradable has shape"):
        align.mask([True], SYMBOLS, "tradable")


def test_a_labelled_matrix_is_reordered_on_both_sides() -> None:
    order = ["XOM", "AAPL", "MSFT"]
    frame = pd.DataFrame(np.arange(9.0).reshape(3, 3), index=order, columns=order)
    assert align.square(frame, SYMBOLS).tolist() == [[4, 5, 3], [7, 8, 6], [1, 2, 0]]
    with pytest.raises(MissingError, match="correlation_matrix has no value for TSLA"):
        align.square(frame, (*SYMBOLS, "TSLA"))


def test_an_unlabelled_matrix_passes_as_it_came() -> None:
    matrix = np.eye(3)
    assert align.square(matrix, SYMBOLS) is matrix
    assert align.square(None, SYMBOLS) is None


def test_no_sectors_are_no_groups() -> None:
    group, names = align.groups(None, SYMBOLS)
    assert group.tolist() == [-1, -1, -1]
    assert names == ()


@pytest.mark.parametrize(
    "given",
    [
        ["tech", "tech", "energy"],
        {"XOM": "energy", "MSFT": "tech", "AAPL": "tech"},
        pd.Series({"XOM": "energy", "MSFT": "tech", "AAPL": "tech"}),
    ],
    ids=lambda given: type(given).__name__,
)
def test_sector_labels_become_numbers_in_alphabetical_order(given: Any) -> None:
    group, names = align.groups(given, SYMBOLS)
    assert names == ("energy", "tech")
    assert group.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    "given",
    [["tech", None, ""], pd.Series(["tech", None, ""], index=SYMBOLS), ["tech", np.nan, ""]],
    ids=["list", "Series", "nan"],
)
def test_a_missing_label_is_no_sector(given: Any) -> None:
    group, names = align.groups(given, SYMBOLS)
    assert names == ("tech",)
    assert group.tolist() == [0, -1, -1]


def test_a_membership_matrix_is_read_as_sectors() -> None:
    group, names = align.groups(np.array([[1, 0], [0, 0], [0, 1]]), SYMBOLS)
    assert names == ("S0", "S1")
    assert group.tolist() == [0, -1, 1]


def test_a_membership_frame_is_aligned_by_label_and_names_its_sectors() -> None:
    frame = pd.DataFrame({"tech": [0, 1, 1], "energy": [1, 0, 0]}, index=["XOM", "MSFT", "AAPL"])
    group, names = align.groups(frame, SYMBOLS)
    assert names == ("tech", "energy")
    assert group.tolist() == [0, 0, 1]
    with pytest.raises(MissingError, match="sector_exposures has no value for TSLA"):
        align.groups(frame, (*SYMBOLS, "TSLA"))


@pytest.mark.parametrize("row", [[1, 1], [0.5, 0]])
def test_a_name_has_one_sector_and_all_of_it(row: list[float]) -> None:
    with pytest.raises(DataError, match="Give each name one sector"):
        align.groups(np.array([row, [0, 0], [0, 1]]), SYMBOLS)


@pytest.mark.parametrize("given", [["tech"], np.ones((2, 1))])
def test_sectors_of_another_length_are_refused(given: Any) -> None:
    with pytest.raises(ShapeError, match="sector_exposures has .* the universe 3 names"):
        align.groups(given, SYMBOLS)


@pytest.mark.parametrize(
    "given",
    [[0.0] * 3, (0.0,) * 3, np.zeros(3), dict.fromkeys(SYMBOLS, 0.0), pd.Series(0.0, SYMBOLS)],
    ids=lambda given: type(given).__name__,
)
def test_the_answer_comes_in_the_container_of_the_question(given: Any) -> None:
    answer = align.like(np.array([0.1, 0.2, 0.3]), given, SYMBOLS)
    assert type(answer) is type(given)
    assert align.vector(answer, SYMBOLS, "weights").tolist() == [0.1, 0.2, 0.3]
