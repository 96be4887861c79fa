"""What a model said, read as one number a name, and what keeps each number from being a vote."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.features import Features
from ..core.ports import Model
from ..core.reasons import Code
from ..core.seen import Codes, Universe
from ..core.session import SESSION_MIN
from ..core.units import BPS
from .shell import Fault, contained

MOST_Z = 10.0
"""Where half of all names are beyond this, the number is no z."""
MOST_BPS = 1000.0
"""Half of all names expected to move so far in a session; over a horizon, by its square root."""
LEAST_BPS = 0.01
"""Where no name is expected to move so far, fractions must have been written for bps."""


NUMBERS = "biufO"
"""Kinds of arrays that may hold numbers; NumPy would convert text, dates and complex ones too."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A model's word at `at` (aware UTC): value (n,), 0 where `defect` (n,) says why there is none.

    `unit` as Scores has it. `faults` say what went wrong with the model as a whole.
    """

    at: datetime
    unit: str
    value: Floats
    defect: Codes
    faults: tuple[Fault, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether any name got a vote."""
        return bool((self.defect == 0).any())


def answer_of(model: Model, features: Features) -> Answer:
    """Ask a model now; never raises, whatever the model does.

    It is not asked where what it needs is known for no name.
    """
    absent = [need for need in model.needs if need not in features.names]
    if absent:
        return no_answer(model, features, _missing(f"{', '.join(absent)}: not measured"))
    known = np.asarray(np.isfinite(features.rows(model.needs)).all(axis=0))
    if not known.any():
        return no_answer(model, features, _missing(f"{', '.join(model.needs)}: known for no name"))
    said = contained(lambda: _aligned(model.score(features), features.universe))
    if isinstance(said, Fault):
        return no_answer(model, features, said)
    return _judged(*said, known, model, features.asof)


def no_answer(model: Model, features: Features, *faults: Fault) -> Answer:
    """The vote of no name, for the last of the faults."""
    n = len(features.universe)
    defect = np.full(n, faults[-1].code.number, dtype=np.int16)
    return Answer(features.asof, unit_of(model), np.zeros(n), defect, faults)


def _missing(text: str) -> Fault:
    return Fault(Code.MODEL_FEATURES_MISSING, text)


def unit_of(model: Model) -> str:
    """The unit of the scores handed on: basis points become fractions."""
    return "return" if model.unit == "bps" else model.unit


def _aligned(said: Any, universe: Universe) -> tuple[Floats, tuple[Fault, ...]] | Fault:
    """Numbers (n,) from an array in the universe's order, or from a mapping or Series by symbol."""
    faults: tuple[Fault, ...] = ()
    if callable(getattr(said, "items", None)):
        pairs = [(str(symbol), value) for symbol, value in said.items()]
        twice = [s for s, count in Counter(symbol for symbol, _ in pairs).items() if count > 1]
        if twice:
            return Fault(Code.MODEL_BAD_SHAPE, f"scores {twice[0]} more than once")
        unknown = [symbol for symbol, _ in pairs if symbol not in universe.index]
        if unknown:
            text = f"{len(unknown)} symbols that the universe lacks: {', '.join(unknown[:5])}"
            faults = (Fault(Code.MODEL_UNKNOWN_SYMBOL, text),)
        by_symbol = dict(pairs)
        said = [by_symbol.get(symbol) for symbol in universe.symbols]
    try:
        told = np.asarray(said)
        if told.dtype.kind not in NUMBERS:
            return Fault(Code.MODEL_BAD_SHAPE, f"no numbers: {told.dtype}")
        # A copy: what the model keeps of it may change, what it said does not.
        row = told.astype(np.float64)
        if isinstance(said, np.ma.MaskedArray):
            # What is masked is no opinion; the number under the mask may be anything.
            row[np.ma.getmaskarray(said)] = np.nan
    except (TypeError, ValueError, OverflowError) as fault:
        return Fault(Code.MODEL_BAD_SHAPE, f"no numbers: {fault}")
    if row.shape != (len(universe),):
        return Fault(Code.MODEL_BAD_SHAPE, f"shape {row.shape}, expected ({len(universe)},)")
    return row, faults


def _judged(
    value: Floats, faults: tuple[Fault, ...], known: Bools, model: Model, at: datetime
) -> Answer:
    defect = np.zeros(len(known), dtype=np.int16)
    defect[np.isnan(value)] = Code.DATA_MISSING_SCORE.number
    defect[np.isinf(value)] = Code.DATA_NOT_FINITE.number
    defect[~known] = Code.MODEL_FEATURES_MISSING.number
    implausible = _implausible(value[defect == 0], model)
    if implausible:
        faults = (*faults, Fault(Code.MODEL_WRONG_UNIT, implausible))
        defect[defect == 0] = Code.MODEL_WRONG_UNIT.number
    value = np.where(defect == 0, value, 0.0)
    return Answer(at, unit_of(model), value * BPS if model.unit == "bps" else value, defect, faults)


def _implausible(value: Floats, model: Model) -> str:
    """Why these numbers cannot be in the unit that the model states; empty where they can."""
    size = np.abs(value)
    if not len(size) or model.unit == "rank":
        return ""
    middle, largest = float(np.median(size)), float(size.max())
    if model.unit == "z" and middle > MOST_Z:
        return f"median |score| is {middle:.4g}, no z is above {MOST_Z:g}: rank, or bps?"
    most = MOST_BPS * float(np.sqrt(model.horizon_min / SESSION_MIN))
    if model.unit == "bps" and middle > most:
        return (
            f"median |score| is {middle:.4g} bps in {model.horizon_min:g} min, above {most:.4g}: "
            "prices, or rank?"
        )
    if model.unit == "bps" and 0.0 < largest < LEAST_BPS:
        return f"largest |score| is {largest:.2g} bps: fractions? Multiply by 10,000."
    return ""
