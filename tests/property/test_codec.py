"""Whatever core's frozen types hold comes back from the journal's bytes to the last bit."""

import struct
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deadband.core.correlation import DenseCorrelation, FactorCorrelation
from deadband.core.orders import Book
from deadband.core.seen import (
    SWITCH_MODES,
    History,
    Market,
    Portfolio,
    Scores,
    Switch,
    Trouble,
    Universe,
)
from deadband.core.skill import Skill
from deadband.core.types import Signal, VolatilityLevel
from deadband.journal.codec import MODULES, Decoder, Encoder
from tests.kit import market, scores, universe

N = 3
NAMES = universe(N, S0001="Energy")
JOURNALED = tuple(
    {
        value.__name__: value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and is_dataclass(value)
    }.values()
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**64 - 1),
    float: st.floats(),
    bool: st.booleans(),
    str: st.text(max_size=8),
    datetime: st.datetimes(timezones=st.just(UTC)),
}


def column(dtype: type, n: int = N, *, finite: bool = False) -> st.SearchStrategy[Any]:
    """Any array (n,) of a dtype."""
    if dtype is np.float64:
        elements: st.SearchStrategy[Any] = FINITE if finite else st.floats()
    elif dtype is np.bool_:
        elements = st.booleans()
    else:
        info = np.iinfo(dtype)
        elements = st.integers(int(info.min), int(info.max))
    return st.lists(elements, min_size=n, max_size=n).map(lambda v: np.array(v, dtype=dtype))


def sealed(cls: type, **columns: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A type that checks its own shapes: the columns given, any values for the rest."""
    hints = typing.get_type_hints(cls)
    rest = {f.name: of(hints[f.name]) for f in fields(cls) if f.init and f.name not in columns}
    return st.builds(cls, **(rest | columns))


F, B = column(np.float64, finite=True), column(np.bool_)
I16, I64 = column(np.int16), column(np.int64)
SQUARE = column(np.float64, N * N, finite=True).map(lambda v: v.reshape(N, N))


@cache
def special() -> dict[type, st.SearchStrategy[Any]]:
    """Types whose arrays must agree with each other."""
    row = F.map(lambda v: v[None])
    return {
        Universe: st.just(NAMES),
        Market: sealed(
            Market,
            universe=st.just(NAMES),
            **dict.fromkeys(("bid", "ask", "last", "volume", "adv", "bar_return"), F),
            quote_age_s=F,
            halted=B,
            shortable=B,
        ),
        Scores: sealed(
            Scores,
            universe=st.just(NAMES),
            models=st.just(("m",)),
            unit=st.sampled_from([("z",), ("return",), ("rank",)]),
            horizon_min=st.tuples(st.floats()),
            version=st.tuples(st.text(max_size=8)),
            troubles=st.deferred(lambda: of(tuple[Trouble, ...])),
            value=row,
            age_s=row,
            defect=I16.map(lambda v: v[None]),
        ),
        Signal: sealed(
            Signal,
            score=F,
            age_s=F,
            defect=I16,
            parts=row,
            skill=st.deferred(lambda: of(Skill)),
        ),
        History: sealed(
            History,
            universe=st.just(NAMES),
            returns=SQUARE,
            observed=SQUARE.map(lambda v: v > 0),
            market=st.none() | F,
            range_high=SQUARE,
            range_low=SQUARE,
            range_close=SQUARE,
            row_of_day=st.none() | I64,
            gaps=st.none() | SQUARE,
        ),
        VolatilityLevel: sealed(VolatilityLevel, base=F, sound=B, fast=F, slow=F),
        Portfolio: sealed(
            Portfolio,
            shares=column(np.int16).map(lambda v: v.astype(np.int64)),
            working=column(np.int16).map(lambda v: v.astype(np.int64)),
            unknown=I64,
            price=st.just(np.array([10.0, 0.1, 250.0])),
            nav=st.floats(1.0, 1e9),
            entry_price=F,
            holding_min=F,
        ),
        Switch: sealed(Switch, mode=st.sampled_from(SWITCH_MODES)),
        Book: sealed(Book, shares=I64, entry_price=F, entry_at=I64),
        DenseCorrelation: sealed(DenseCorrelation, matrix=SQUARE),
        FactorCorrelation: sealed(FactorCorrelation, loadings=SQUARE, specific=F.map(np.abs)),
    }


def of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of an annotation."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if hint is type(None):
        return st.none()
    if origin in (typing.Union, types.UnionType):
        return st.one_of([of(arg) for arg in args])
    if origin is np.ndarray:
        return column(typing.get_args(args[1])[0])
    if origin is tuple and args[-1] is Ellipsis:
        return st.lists(of(args[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*[of(arg) for arg in args])
    if origin is Mapping:
        return st.dictionaries(st.text(min_size=1, max_size=5).filter(not_a_tag), of(args[1]))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    if hint in special():
        return special()[hint]
    assert is_dataclass(hint), f"nobody said how to make a {hint}"
    return st.deferred(lambda: sealed(hint))


def not_a_tag(key: str) -> bool:
    return key != "$"


def same(one: Any, other: Any) -> bool:
    """Of one type, and equal to the last bit."""
    if isinstance(one, np.ndarray):
        alike = one.dtype == other.dtype and one.shape == other.shape
        return alike and one.tobytes() == other.tobytes()
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    return bool(one == other)


@pytest.mark.parametrize("cls", JOURNALED, ids=lambda cls: cls.__name__)
def test_any_core_type_comes_back_to_the_last_bit(cls: type) -> None:
    @settings(
        max_examples=6,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(of(cls))
    def comes_back(value: Any) -> None:
        shelf: dict[bytes, bytes] = {}
        data = Encoder(shelf.__setitem__).encode(value)
        back = Decoder(shelf.__getitem__).decode(data)
        assert same(value, back)
        again: dict[bytes, bytes] = {}
        assert Encoder(again.__setitem__).encode(back) == data
        assert again == shelf

    comes_back()


def test_the_types_that_agree_with_each_other_are_journaled_types() -> None:
    assert set(special()) <= set(JOURNALED)
    assert len(JOURNALED) > 35


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(["universe", "market", "scores"]), min_size=2, max_size=8))
def test_identity_survives_as_it_was(pattern: list[str]) -> None:
    # Two values that were one object are one object again, two that were equal become one too.
    made = {"universe": NAMES, "market": market(NAMES), "scores": scores(NAMES)}
    shelf: dict[bytes, bytes] = {}
    value = tuple(made[kind] for kind in pattern)
    back = Decoder(shelf.__getitem__).decode(Encoder(shelf.__setitem__).encode(value))
    universes = {id(one if isinstance(one, Universe) else one.universe) for one in back}
    assert len(universes) == 1


def test_no_two_types_that_may_be_journaled_share_a_name() -> None:
    """Types are journaled by name: the later of two would be read in place of the earlier."""
    defined = [
        name
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    ]
    assert sorted(defined) == sorted(set(defined))
