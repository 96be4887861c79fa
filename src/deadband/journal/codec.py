"""Frozen values to bytes and back, bit for bit; arrays and large shared values by content hash.

A value becomes a msgpack tree. Dataclasses are maps with their type under "$"; tuples are lists;
enums, arrays and shared values are extension types. Arrays, and the values listed in SHARED, are
stored once under the hash of their bytes, however many cycles refer to them, and come back as one
object, so that what was shared by identity is shared again.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np

from ..core import (
    broker_settings,
    config,
    correlation,
    costs,
    events,
    gate_settings,
    limits,
    model_settings,
    orders,
    parents,
    problem,
    reasons,
    seen,
    skill,
    tactics,
    types,
)
from ..core.arrays import is_sealed
from ..core.errors import CorruptRecord, JournalError

ARRAY, ENUM, SHARED_VALUE = 1, 2, 3
SHARED = (
    *(seen.Universe, seen.History, types.RiskModel, correlation.DenseCorrelation),
    # Most cycles leave what is known of the models as it was, and every cycle most votes.
    *(skill.Skill, skill.Vote),
    # An order that is worked is written with every step of it.
    parents.Parent,
)
MODULES = (
    broker_settings,
    config,
    correlation,
    costs,
    events,
    gate_settings,
    limits,
    model_settings,
    orders,
    parents,
    problem,
    reasons,
    seen,
    skill,
    tactics,
    types,
)
"""Where every type is defined that a record may hold; no name is used twice."""
CACHE_SIZE = 512
LEAST, MOST = -(2**63), 2**64 - 1
"""The whole numbers that msgpack holds."""
ARRAY_KINDS = "biufcUSmM"
"""Kinds of dtype whose bytes are their values; objects and structures are not."""

Store = Callable[[bytes, bytes], None]
Load = Callable[[bytes], bytes]


@cache
def _registry() -> dict[str, Any]:
    """Every dataclass and enum that may be journaled, by name."""
    found: dict[str, Any] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, type) and (is_dataclass(value) or issubclass(value, StrEnum)):
                found[name] = value
    return found


@cache
def _stored_fields(cls: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls) if field.init)


def content_hash(data: bytes) -> bytes:
    return blake2b(data, digest_size=16).digest()


def pack(data: bytes) -> bytes:
    """Stored form of an array or shared value: lightly compressed, weights are mostly zeros."""
    return zlib.compress(data, 1)


def unpack(stored: bytes) -> bytes:
    try:
        return zlib.decompress(stored)
    except zlib.error as fault:
        raise CorruptRecord(f"a journaled array is not readable: {fault}.") from fault


class Encoder:
    """Turns values into bytes; `store(hash, data)` is called for each array and shared value."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # Sealed objects by identity, kept alive so that an identity is never reused meanwhile.
        self._known: OrderedDict[int, tuple[Any, bytes]] = OrderedDict()

    def encode(self, value: Any) -> bytes:
        return msgspec.msgpack.encode(self.tree(value))

    def tree(self, value: Any) -> Any:
        """The msgpack tree of a value, its arrays replaced by references."""
        if value is None or (isinstance(value, bool | int) and LEAST <= value <= MOST):
            return value
        if isinstance(value, float):
            return float(value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value
        if isinstance(value, StrEnum) and _is_known(value):
            return msgspec.msgpack.Ext(ENUM, f"{type(value).__name__}.{value.name}".encode())
        if isinstance(value, str) and not isinstance(value, StrEnum):
            return str(value)
        if isinstance(value, np.ndarray) and value.dtype.kind in ARRAY_KINDS:
            return msgspec.msgpack.Ext(ARRAY, self._reference(value, _array_bytes))
        if isinstance(value, tuple):
            return [self.tree(item) for item in value]
        if isinstance(value, Mapping):
            return {str(key): self.tree(item) for key, item in value.items()}
        if isinstance(value, SHARED):
            return msgspec.msgpack.Ext(SHARED_VALUE, self._reference(value, self._value_bytes))
        if _is_known(value):
            return self._fields(value)
        raise JournalError(
            f"cannot journal a {type(value).__name__}: {value!r:.80}. Records hold numbers, texts, "
            "aware times, arrays of numbers or texts, tuples and the frozen types of core."
        )

    def _fields(self, value: Any) -> dict[str, Any]:
        names = _stored_fields(value.__class__)
        return {"$": type(value).__name__} | {
            name: self.tree(getattr(value, name)) for name in names
        }

    def _value_bytes(self, value: Any) -> bytes:
        return msgspec.msgpack.encode(self._fields(value))

    def _reference(self, value: Any, to_bytes: Callable[[Any], bytes]) -> bytes:
        sealed = not isinstance(value, np.ndarray) or is_sealed(value)
        known = self._known.get(id(value)) if sealed else None
        if known is not None:
            return known[1]
        data = to_bytes(value)
        reference = content_hash(data)
        self._store(reference, data)
        if sealed:
            self._known[id(value)] = value, reference
            if len(self._known) > CACHE_SIZE:
                self._known.popitem(last=False)
        return reference


def _array_bytes(array: np.ndarray[Any, Any]) -> bytes:
    return msgspec.msgpack.encode(
        [array.dtype.str, list(array.shape), np.ascontiguousarray(array).tobytes()]
    )


class Decoder:
    """Turns bytes back into values; `load(hash)` gives what `store` was given."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._known: OrderedDict[bytes, Any] = OrderedDict()

    def decode(self, data: bytes) -> Any:
        return self.value(read_tree(data))

    def value(self, tree: Any) -> Any:
        """The value of a tree, or of a part of one."""
        if isinstance(tree, list):
            return tuple(self.value(item) for item in tree)
        if isinstance(tree, msgspec.msgpack.Ext):
            return self._extension(tree)
        if not isinstance(tree, dict):
            return tree
        if "$" not in tree:
            return {key: self.value(item) for key, item in tree.items()}
        cls = _known(tree["$"])
        return cls(**{key: self.value(item) for key, item in tree.items() if key != "$"})

    def _extension(self, ext: msgspec.msgpack.Ext) -> Any:
        if ext.code == ENUM:
            kind, _, name = bytes(ext.data).decode().partition(".")
            return _known(kind)[name]
        reference = bytes(ext.data)
        if reference in self._known:
            self._known.move_to_end(reference)
            return self._known[reference]
        data = self._load(reference)
        value = _array(data) if ext.code == ARRAY else self.value(read_tree(data))
        self._known[reference] = value
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return value


def _is_known(value: Any) -> bool:
    """Whether it is of a type that comes back: one of the registry's, not a namesake."""
    return _registry().get(type(value).__name__) is type(value)


def _known(kind: str) -> Any:
    if kind not in _registry():
        raise JournalError(
            f"the journal holds a {kind}, which this deadband does not know. "
            "Read it with the version named in the journal's first record."
        )
    return _registry()[kind]


def read_tree(data: bytes) -> Any:
    try:
        return msgspec.msgpack.decode(data)
    except msgspec.DecodeError as fault:
        raise CorruptRecord(f"a journaled record is not readable: {fault}.") from fault


def _array(data: bytes) -> np.ndarray[Any, Any]:
    dtype, shape, raw = msgspec.msgpack.decode(data)
    return np.frombuffer(raw, dtype=np.dtype(dtype)).reshape(shape)
