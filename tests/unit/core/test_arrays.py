"""Sealing arrays, exact sums, and the total order that breaks ties."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.arrays import best_first, exact_sum, is_one_of, seal, top
from deadband.core.errors import DataError, ShapeError


def test_a_sealed_array_is_a_copy_that_cannot_be_written() -> None:
    given_ = np.array([1.0, 2.0])
    sealed = seal(given_, (2,), "x")
    given_[0] = 9.0
    assert sealed.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        sealed[0] = 3.0


@given(st.lists(st.integers(0, 400)), st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_membership_is_that_of_numpy(numbers: list[int], few: list[int]) -> None:
    column = np.array(numbers, dtype=np.int16)
    assert is_one_of(column, tuple(few)).tolist() == np.isin(column, few).tolist()


def test_a_sealed_array_is_not_copied_again() -> None:
    sealed = seal([1.0, 2.0], (2,), "x")
    assert seal(sealed, (2,), "x") is sealed
    assert seal(sealed, (2,), "x", np.float64).base is sealed.base


def test_bytes_are_sealed_already() -> None:
    read = np.frombuffer(np.array([1.0, 2.0]).tobytes())
    assert seal(read, (2,), "x") is read


def test_a_read_only_view_of_memory_that_others_can_write_is_copied() -> None:
    series = pd.Series([1.0, 2.0])
    sealed = seal(series.to_numpy(), (2,), "x")
    series.iloc[0] = 9.0
    assert sealed.tolist() == [1.0, 2.0]


def test_a_transposed_matrix_is_sealed_in_c_order() -> None:
    matrix = seal(np.arange(6.0).reshape(2, 3), (2, 3), "m").T
    assert seal(matrix, (3, 2), "m").flags.c_contiguous


def test_another_shape_is_refused_by_name() -> None:
    with pytest.raises(ShapeError, match=r"Risk\.sigma has shape \(1,\), expected \(2,\)"):
        seal([1.0], (2,), "Risk.sigma")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_number_that_is_not_finite_is_named(bad: float) -> None:
    with pytest.raises(DataError, match=r"m\[0, 1\] is"):
        seal([[1.0, bad], [bad, 1.0]], (2, 2), "m")


def test_whole_numbers_and_flags_seal_too() -> None:
    assert seal([1, 2], (2,), "n", np.int64).dtype == np.int64
    assert seal([True, False], (2,), "b", np.bool_).dtype == np.bool_


def test_a_sum_does_not_depend_on_the_order() -> None:
    values = np.array([0.1] * 10 + [-1.0, 1e16, -1e16])
    assert exact_sum(values) == exact_sum(values[::-1])
    assert exact_sum(np.array([0.1] * 10)) == 1.0


def test_equal_keys_stand_in_the_order_of_their_symbols() -> None:
    keys = np.array([1.0, 2.0, 1.0, 2.0])
    symbols = ["d", "c", "b", "a"]
    assert best_first(keys, symbols, np.arange(4)).tolist() == [3, 1, 2, 0]
    assert best_first(keys, symbols, np.array([0, 2])).tolist() == [2, 0]


def test_a_name_without_a_key_is_never_among_the_best() -> None:
    keys = np.array([-np.inf, 1.0, -np.inf])
    assert top(keys, "abc", 3).tolist() == [1]
    assert top(keys, "abc", 0).tolist() == []
    assert top(np.full(2, -np.inf), "ab", 1).tolist() == []


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=12), st.data()
)
def test_the_best_are_the_head_of_the_full_order(keys: list[float], data: st.DataObject) -> None:
    n = len(keys)
    symbols = data.draw(st.permutations([f"S{i:02d}" for i in range(n)]))
    k = data.draw(st.integers(0, n + 1))
    in_order = sorted(range(n), key=lambda i: (-keys[i], symbols[i]))
    expected = [i for i in in_order if keys[i] > -np.inf][:k]
    assert top(np.array(keys), symbols, k).tolist() == expected
