"""Vectors keyed by symbol, in whatever container they come: arrays, lists, dicts, Series, frames.

Labelled containers are aligned by label; unlabelled ones are taken in the universe's order.
pandas and its kin are recognised by shape of interface and never imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .arrays import Bools, Floats, Ints, constant, is_finite, sealed
from .errors import DataError, MissingError, ShapeError


def vector(given: Any, symbols: Sequence[str], name: str) -> Floats:
    """`given` as float64 (n,) in the order of `symbols`; NaN and infinity are refused by name."""
    values = _ordered(given, symbols, name)
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as fault:
        raise DataError(f"{name} holds something that is not a number: {fault}.") from fault
    if array.shape != (len(symbols),):
        raise ShapeError(
            f"{name} has shape {array.shape}, the universe has {len(symbols)} names. "
            "Give one value a name."
        )
    if not is_finite(array):
        bad = [symbols[i] for i in np.flatnonzero(~np.isfinite(array))[:5].tolist()]
        raise DataError(
            f"{name} is not finite for {', '.join(bad)}. "
            "Leave the name out, or mark it with tradable=False and a number."
        )
    return array


def mask(given: Any, symbols: Sequence[str], name: str) -> Bools:
    """`given` as bool (n,) in the order of `symbols`."""
    array = np.asarray(_ordered(given, symbols, name))
    if array.shape != (len(symbols),):
        raise ShapeError(f"{name} has shape {array.shape}, the universe has {len(symbols)} names.")
    if array.dtype.kind not in "bui" and not all(value in (0, 1) for value in array.tolist()):
        raise DataError(
            f"{name} holds {', '.join(sorted({repr(v) for v in array.tolist()}))}, expected true "
            "or false for each name."
        )
    return array.astype(np.bool_)


def square(given: Any, symbols: Sequence[str]) -> Any:
    """A labelled matrix reordered to `symbols`; anything else as it came."""
    if not (hasattr(given, "loc") and hasattr(given, "columns")):
        return given
    missing = [s for s in symbols if s not in given.index or s not in given.columns]
    if missing:
        raise MissingError(_missing("correlation_matrix", missing))
    return given.loc[list(symbols), list(symbols)].to_numpy(dtype=np.float64)


def groups(given: Any, symbols: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    """Sector number (n,) and names from labels per symbol, or from an n×k matrix of zeros and ones.

    An empty, None or NaN label is no sector. A name may belong to one sector only.
    """
    n = len(symbols)
    if given is None:
        return constant(n, -1, np.int64), ()
    if hasattr(given, "loc") and hasattr(given, "columns"):
        missing = [s for s in symbols if s not in given.index]
        if missing:
            raise MissingError(_missing("sector_exposures", missing))
        return _from_matrix(given.loc[list(symbols)].to_numpy(), symbols, given.columns)
    # An array of texts costs more than all else here, so a list of labels is not tried as a matrix.
    labelled = isinstance(given, list | tuple) and len(given) > 0 and isinstance(given[0], str)
    matrix = None if labelled or isinstance(given, Mapping) else np.asarray(given)
    if matrix is not None and matrix.ndim == 2:
        return _from_matrix(matrix, symbols, None)
    labels = _ordered(given, symbols, "sector_exposures")
    if len(labels) != n:
        raise ShapeError(f"sector_exposures has {len(labels)} labels, the universe {n} names.")
    return _from_labels(tuple(labels))


@lru_cache(maxsize=8)
def _from_labels(labels: tuple[Any, ...]) -> tuple[Ints, tuple[str, ...]]:
    """By content, so that the same labels cycle after cycle are read once."""
    texts = ["" if label is None or label != label else str(label) for label in labels]
    names = tuple(sorted(set(texts) - {""}))
    number = {name: k for k, name in enumerate(names)} | {"": -1}
    return sealed(np.array([number[text] for text in texts], dtype=np.int64)), names


def _from_matrix(
    matrix: np.ndarray[Any, Any], symbols: Sequence[str], columns: Any
) -> tuple[Ints, tuple[str, ...]]:
    n, k = matrix.shape
    if n != len(symbols):
        raise ShapeError(f"sector_exposures has {n} rows, the universe {len(symbols)} names.")
    member = matrix != 0
    many = np.flatnonzero(member.sum(axis=1) > 1)
    if len(many) or not np.isin(matrix, (0, 1)).all():
        who = symbols[int(many[0])] if len(many) else "a name"
        raise DataError(
            f"sector_exposures gives {who} more than one sector or a weight other than 0 and 1. "
            "Give each name one sector."
        )
    labels = [str(c) for c in columns] if columns is not None else [f"S{j}" for j in range(k)]
    group = np.where(member.any(axis=1), member.argmax(axis=1), -1)
    return group.astype(np.int64), tuple(labels)


def like(answer: Floats, given: Any, symbols: Sequence[str]) -> Any:
    """The answer (n,) in the container type of `given`."""
    if isinstance(given, np.ndarray):
        return answer
    if isinstance(given, Mapping):
        return dict(zip(symbols, answer.tolist(), strict=True))
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        return type(given)(answer, index=list(symbols))
    if isinstance(given, list | tuple):
        return type(given)(answer.tolist())
    return answer


def _ordered(given: Any, symbols: Sequence[str], name: str) -> Any:
    if isinstance(given, np.ndarray):
        return given
    if isinstance(given, Mapping):
        missing = [s for s in symbols if s not in given]
        if missing:
            raise MissingError(_missing(name, missing))
        return [given[s] for s in symbols]
    if hasattr(given, "index") and hasattr(given, "to_numpy"):
        by_label = dict(zip(given.index, given.to_numpy(), strict=True))
        if len(by_label) < len(given.index):
            twice = sorted({str(s) for s in given.index[given.index.duplicated()]})
            raise DataError(f"{name} has more than one value for {', '.join(twice[:5])}.")
        return _ordered(by_label, symbols, name)
    return given


def _missing(name: str, missing: Sequence[str]) -> str:
    more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
    return (
        f"{name} has no value for {', '.join(missing[:5])}{more}. "
        "Add it, or take the name out of the universe."
    )
