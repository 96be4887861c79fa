import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband.core.corporate_action import BROKEN, WHOLE, split_ratio

RATIOS = [*WHOLE, *BROKEN, *(1 / r for r in (*WHOLE, *BROKEN))]


def night(moves: list[float]) -> list[float]:
    """Ratios found where prices of 100 opened so many times higher."""
    return split_ratio(np.full(len(moves), 100.0), 100.0 * np.array(moves)).tolist()


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_simple_ratio_is_found_on_a_quiet_night(ratio: float) -> None:
    assert night([1.0, 1.01, 0.99, 1 / ratio, 0.985 / ratio]) == [1.0, 1.0, 1.0, ratio, ratio]


def test_the_market_s_own_move_is_taken_out() -> None:
    assert night([0.93, 0.93, 0.93, 0.93 / 2, 0.93 * 10]) == [1.0, 1.0, 1.0, 2.0, 0.1]
    assert night([0.55, 0.5]) == [1.0, 2.0], "nobody moved ordinarily, so nothing is taken out"


@pytest.mark.parametrize("move", [0.80, 0.75, 0.55, 0.46, 0.62, 1.25, 1.33, 1.7, 1.9, 2.2])
def test_a_large_move_that_is_no_simple_ratio_is_a_move(move: float) -> None:
    assert night([1.0, 1.0, move]) == [1.0, 1.0, 1.0]


def test_what_is_not_known_is_no_split() -> None:
    prior = np.array([np.nan, 10.0, 0.0, 10.0])
    assert split_ratio(prior, np.array([5.0, np.nan, 5.0, 0.0])).tolist() == [1.0] * 4
    assert split_ratio(np.empty(0), np.empty(0)).tolist() == []


@given(st.lists(st.floats(0.005, 200.0), min_size=1, max_size=12), st.integers(-12, 12))
def test_prices_in_another_currency_split_alike(moves: list[float], power: int) -> None:
    """Powers of two, which change no bit of a quotient."""
    prior = np.full(len(moves), 100.0)
    found = split_ratio(prior, prior * moves)
    assert set(found) <= {1.0, *RATIOS}
    scaled = split_ratio(prior * 2.0**power, prior * moves * 2.0**power)
    np.testing.assert_array_equal(scaled, found)
