"""A correlation is checked once: refused, repaired or sealed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.arrays import Floats
from deadband.core.correlation import (
    DenseCorrelation,
    FactorCorrelation,
    clip_eigenvalues,
    seal_correlation,
)
from deadband.core.errors import DataError, ShapeError

SOUND = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.1], [0.2, 0.1, 1.0]])
# A moves with B and with C, yet B moves against C: no three series do that.
IMPOSSIBLE = np.array([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]])


def test_a_sound_matrix_is_sealed_as_it_is() -> None:
    sealed = seal_correlation(SOUND, 3)
    assert isinstance(sealed, DenseCorrelation)
    assert (sealed.matrix == SOUND).all()
    assert sealed.repair == 0.0
    with pytest.raises(ValueError, match="read-only"):
        sealed.matrix[0, 1] = 0.0


def test_a_sealed_correlation_passes_through_and_none_stays_none() -> None:
    sealed = seal_correlation(SOUND, 3)
    assert seal_correlation(sealed, 3) is sealed
    assert seal_correlation(None, 3) is None
    with pytest.raises(ShapeError, match="for 3 names, the universe has 4"):
        seal_correlation(sealed, 4)


def test_a_singular_matrix_is_not_repaired() -> None:
    sealed = seal_correlation(np.ones((3, 3)), 3)
    assert sealed is not None
    assert sealed.repair == 0.0


def test_an_impossible_matrix_is_repaired_and_says_by_how_much() -> None:
    sealed = seal_correlation(IMPOSSIBLE, 3)
    assert isinstance(sealed, DenseCorrelation)
    assert np.linalg.eigvalsh(sealed.matrix).min() > -1e-12
    assert (sealed.matrix.diagonal() == 1.0).all()
    assert (sealed.matrix == sealed.matrix.T).all()
    # Eigenvalues 1.9, 1.9, -0.8: without the last, the off-diagonal of 0.9 falls to 0.5.
    assert sealed.matrix[0, 1] == pytest.approx(0.5)
    assert sealed.repair == pytest.approx(0.4)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_any_symmetric_matrix_can_be_repaired(n: int, seed: int) -> None:
    draw = np.random.default_rng(seed).uniform(-1, 1, (n, n))
    matrix = (draw + draw.T) / 2
    np.fill_diagonal(matrix, 1.0)
    repaired = clip_eigenvalues(matrix)
    assert np.linalg.eigvalsh(repaired).min() > -1e-10
    assert np.allclose(clip_eigenvalues(repaired), repaired, atol=1e-10)
    assert np.abs(repaired).max() <= 1.0 + 1e-12


def test_an_asymmetric_matrix_is_refused_at_its_worst_place() -> None:
    matrix = SOUND.copy()
    matrix[0, 2] = 0.3
    with pytest.raises(DataError, match=r"\[0,2\] is 0.3, \[2,0\] is 0.2. Pass \(C \+ C.T\) / 2"):
        seal_correlation(matrix, 3)


def test_a_covariance_is_not_taken_for_a_correlation() -> None:
    with pytest.raises(DataError, match=r"\[0,0\] is 0.04, expected 1. A covariance"):
        seal_correlation(SOUND * 0.04, 3)


def test_other_shapes_and_holes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"correlation_matrix has shape \(3, 3\), expected \(4, 4"):
        seal_correlation(SOUND, 4)
    holed = SOUND.copy()
    holed[1, 2] = np.nan
    with pytest.raises(DataError, match=r"correlation_matrix\[1, 2\] is nan"):
        seal_correlation(holed, 3)


def factors() -> tuple[Floats, Floats]:
    loadings = np.array([[0.8, 0.1], [0.6, -0.3], [0.2, 0.5]])
    return loadings, 1.0 - (loadings**2).sum(axis=1)


def test_a_pair_is_read_as_factor_form_and_agrees_with_its_matrix() -> None:
    loadings, specific = factors()
    factor = seal_correlation((loadings, specific), 3)
    assert isinstance(factor, FactorCorrelation)
    dense = seal_correlation(loadings @ loadings.T + np.diag(specific), 3)
    assert dense is not None
    x, support = np.array([0.3, -0.7]), np.array([2, 0])
    assert factor.quadratic(x, support) == pytest.approx(dense.quadratic(x, support), rel=1e-14)


def test_a_quadratic_reads_its_support_only() -> None:
    dense = seal_correlation(SOUND, 3)
    assert dense is not None
    expected = 0.3**2 + 0.7**2 + 2 * 0.2 * 0.3 * -0.7
    assert dense.quadratic(np.array([0.3, -0.7]), np.array([2, 0])) == pytest.approx(expected)


def test_a_factor_form_of_the_wrong_shape_or_sign_is_refused() -> None:
    loadings, specific = factors()
    with pytest.raises(ShapeError, match="for 3 names, the universe has 5"):
        seal_correlation((loadings, specific), 5)
    with pytest.raises(ShapeError, match=r"factor loadings have shape \(2,\)"):
        seal_correlation((loadings[0], specific), 3)
    with pytest.raises(ShapeError, match="specific variance"):
        seal_correlation((loadings, specific[:2]), 3)
    with pytest.raises(DataError, match=r"specific variance \[1\] is -0.5, expected at least 0"):
        seal_correlation((loadings, np.array([0.1, -0.5, 0.1])), 3)
