"""Sealing arrays, and the total order that breaks ties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, ShapeError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def seal(values: Any, shape: tuple[int, ...], name: str, dtype: Any = np.float64) -> Any:
    """Return `values` as a read-only, C-contiguous array of `shape`, copied unless it is one.

    Raises ShapeError for another shape and DataError for NaN or infinity, naming the first place.
    """
    array = np.asarray(values, dtype=dtype)
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}.")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = tuple(int(k[0]) for k in np.nonzero(~np.isfinite(array)))
        raise DataError(
            f"{name}{list(where)} is {array[where]}, expected a finite number. "
            "Remove the name or mark it as missing."
        )
    if not (is_sealed(array) and array.flags.c_contiguous):
        array = np.array(array, dtype=dtype, order="C")
        array.flags.writeable = False
    return array


def is_sealed(array: Any) -> bool:
    """Whether nobody can write to the memory behind `array`, not even through another view."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None or isinstance(array, bytes)


def freeze(owner: object, *names: str) -> None:
    """Make array fields of a frozen dataclass read-only; one that could still change is copied."""
    for name in names:
        array = getattr(owner, name)
        if array.flags.writeable or not is_sealed(array):
            array = np.array(array)
            array.flags.writeable = False
            object.__setattr__(owner, name, array)


EQUALITY = 1e-12
"""Everywhere, x ≥ τ means x > τ − EQUALITY (SEMANTICS)."""


def exact_sum(values: Floats) -> float:
    """Sum without rounding between terms, so that a limit holds or not whatever the order."""
    return math.fsum(values.tolist())


def best_first(keys: Floats, symbols: Sequence[str], among: Ints) -> Ints:
    """The indices `among`, highest key first, equal keys in alphabetical order of symbol."""
    chosen = keys[among]
    order = np.argsort(-chosen, kind="stable")
    ranked = chosen[order]
    if (ranked[1:] == ranked[:-1]).any():
        in_order = sorted(among.tolist(), key=lambda i: (-keys[i], symbols[i]))
        return np.array(in_order, dtype=np.int64)
    return among[order]


def top(keys: Floats, symbols: Sequence[str], k: int) -> Ints:
    """The `k` best indices, best first; those of key −inf never count. O(n + k log k)."""
    k = min(k, int((keys > -np.inf).sum()))
    if k <= 0:
        return np.zeros(0, dtype=np.int64)
    worst = np.partition(keys, len(keys) - k)[len(keys) - k]
    sure = np.flatnonzero(keys > worst)
    tied = np.flatnonzero(keys == worst)
    if len(sure) + len(tied) > k:
        tied = best_first(keys, symbols, tied)[: k - len(sure)]
    return best_first(keys, symbols, np.concatenate([sure, tied]))
