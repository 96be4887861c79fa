"""Sealing arrays, what is asked of them all the time, and the total order that breaks ties."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import DataError, ShapeError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FEW = 8_192
"""Values up to which BLAS answers with one thread."""


def seal(values: Any, shape: tuple[int, ...], name: str, dtype: Any = np.float64) -> Any:
    """Return `values` as a read-only, C-contiguous array of `shape`, copied unless it is one.

    Raises ShapeError for another shape and DataError for NaN or infinity, naming the first place.
    """
    array = np.asarray(values, dtype=dtype)
    if array.shape != shape:
        raise ShapeError(f"{name} has shape {array.shape}, expected {shape}.")
    if array.dtype.kind == "f" and not is_finite(array.ravel(order="K")):
        where = tuple(int(k[0]) for k in np.nonzero(~np.isfinite(array)))
        raise DataError(
            f"{name}{list(where)} is {array[where]}, expected a finite number. "
            "Remove the name or mark it as missing."
        )
    if not (is_sealed(array) and array.flags.c_contiguous):
        array = sealed(np.array(array, dtype=dtype, order="C"))
    return array


def sealed(fresh: Any) -> Any:
    """A freshly made array that nobody else holds, made read-only in place."""
    fresh.setflags(write=False)
    return fresh


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
        # Most are arrays of their own, sealed where they were made: seen at a glance.
        if (array.base is not None or array.flags.writeable) and not is_sealed(array):
            object.__setattr__(owner, name, sealed(np.array(array)))


def take_over(owner: object, *names: str) -> None:
    """As `freeze`, for arrays made for their owner: what has memory of its own is not copied."""
    for name in names:
        array = getattr(owner, name)
        if array.base is None:
            array.setflags(write=False)
        else:
            freeze(owner, name)


@lru_cache(maxsize=16)
def constant(n: int, value: float, dtype: Any = np.float64) -> Any:
    """A sealed array (n,) of one value. Every problem asks for the same few, so they are kept."""
    return sealed(np.full(n, value, dtype=dtype))


def is_finite(values: Floats) -> bool:
    """Whether no number of `values` is NaN or infinite.

    Of few values a finite sum of squares proves it in one call; only where it overflows does a
    second one look. `vdot` overflows without a warning, but wakes BLAS's threads for many values,
    which takes longer than looking at each.
    """
    if len(values) <= FEW and math.isfinite(np.vdot(values, values)):
        return True
    return bool(np.isfinite(values).all())


def support(values: Floats) -> Ints:
    """Indices (m,) of what is not zero; NumPy finds flags forty times faster than numbers."""
    names: Ints = (values != 0.0).nonzero()[0]
    return names


def lowest(values: Floats) -> float:
    """The smallest of `values`, 0 of none; by its place, for half of what `min` costs if few."""
    return values.item(values.argmin()) if len(values) else 0.0


def highest(values: Floats) -> float:
    """The largest of `values`, 0 of none."""
    return values.item(values.argmax()) if len(values) else 0.0


def is_one_of(numbers: Any, few: tuple[int, ...]) -> Bools:
    """Which of the whole numbers (n,) ≥ 0 are among a few; `np.isin` takes ten times as long."""
    found: Bools = _members(few).take(numbers, mode="clip")
    return found


@lru_cache(maxsize=16)
def _members(few: tuple[int, ...]) -> Bools:
    """Whether each number is among them, up to one that is above them all, and so is not."""
    table = np.zeros(max(few) + 2, dtype=np.bool_)
    table[list(few)] = True
    return table


def median(values: Floats) -> float:
    """The middle of `values` (n,) as `np.median` has it, NaN of none.

    Asking a partition for both middle places costs six times as much as for one and a maximum.
    """
    if not len(values):
        return np.nan
    half = len(values) // 2
    parted = values.copy()
    parted.partition(half)
    upper = parted.item(half)
    return upper if len(values) % 2 else (highest(parted[:half]) + upper) / 2.0


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
    k = min(k, int(np.count_nonzero(keys > -np.inf)))
    if k <= 0:
        return np.zeros(0, dtype=np.int64)
    worst = np.partition(keys, len(keys) - k)[len(keys) - k]
    sure = np.flatnonzero(keys > worst)
    tied = np.flatnonzero(keys == worst)
    if len(sure) + len(tied) > k:
        tied = best_first(keys, symbols, tied)[: k - len(sure)]
    return best_first(keys, symbols, np.concatenate([sure, tied]))
