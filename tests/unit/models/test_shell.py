"""The shell around code that is not ours: nothing it raises or changes gets out."""

import asyncio

import numpy as np
import pytest

from deadband.core.reasons import Code
from deadband.models.shell import Fault, contained


@pytest.mark.parametrize(
    "raised", [ValueError("no"), SystemExit(1), asyncio.CancelledError("no"), GeneratorExit("no")]
)
def test_whatever_is_raised_becomes_a_fault_in_its_words(raised: BaseException) -> None:
    """A model that waits for a server may be cancelled, which is no Exception to Python."""

    def model() -> None:
        raise raised

    said = contained(model)
    assert isinstance(said, Fault)
    assert said.code is Code.MODEL_RAISED
    assert said.text == f"{type(raised).__name__}: {raised}"


def test_the_operator_can_still_interrupt() -> None:
    def model() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        contained(model)


def test_how_numpy_treats_errors_is_as_it_was() -> None:
    """A model that makes NumPy raise would make the optimizer raise after it."""
    before = np.geterr()

    def model() -> float:
        np.seterr(all="raise")
        return 1.0

    assert contained(model) == 1.0
    assert np.geterr() == before
