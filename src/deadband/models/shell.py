"""The one shell around code that is not ours: whatever it raises becomes a fault in its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..core.reasons import Code

T = TypeVar("T")
LONGEST = 200
"""Letters of a fault's text that are kept."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no answer; the text is one short line that any journal and screen can hold."""

    code: Code
    text: str

    def __post_init__(self) -> None:
        # A lone surrogate, as undecoded bytes leave it, is no text that can be written down.
        writable = self.text.encode("utf-8", "replace").decode("utf-8")
        object.__setattr__(self, "text", " ".join(writable.split())[:LONGEST])


def contained(call: Callable[[], T]) -> T | Fault:
    """What the call returns, or a fault; it may even try to leave the program.

    How NumPy treats errors is as before, whatever the call has made of it.
    """
    try:
        with np.errstate():
            return call()
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # noqa: BLE001 - a cancelled task is no Exception, for one
        return Fault(Code.MODEL_RAISED, words_of(raised))


def words_of(raised: BaseException) -> str:
    """The kind and text of an error."""
    try:
        text = str(raised)
    except Exception:  # noqa: BLE001 - even its text may raise
        text = "an error that cannot be printed"
    return f"{type(raised).__name__}: {text}"
