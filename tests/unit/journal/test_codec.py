"""Values to bytes and back: what is stored once, what comes back shared, what is refused."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deadband.core.correlation import DenseCorrelation
from deadband.core.errors import CorruptRecord, JournalError
from deadband.core.limits import Limit
from deadband.core.orders import Side
from deadband.core.reasons import Code
from deadband.journal.codec import Decoder, Encoder, content_hash, pack, unpack
from tests.kit import market, scores, seen, universe


class Shelf:
    """An encoder and a decoder around one dictionary, which counts what is stored and loaded."""

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}
        self.stored: list[bytes] = []
        self.loaded: list[bytes] = []
        self.encoder = Encoder(self._store)
        self.decoder = Decoder(self._load)

    def _store(self, reference: bytes, data: bytes) -> None:
        self.stored.append(reference)
        self.held[reference] = data

    def _load(self, reference: bytes) -> bytes:
        self.loaded.append(reference)
        return self.held[reference]

    def there_and_back(self, value: Any) -> Any:
        return self.decoder.decode(self.encoder.encode(value))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.mark.parametrize(
    "array",
    [
        np.array([0.1, -0.0, 5e-324, 1.7976931348623157e308]),
        np.array([np.nan, np.inf, -np.inf]),
        np.zeros((0,)),
        np.zeros((0, 4)),
        np.array(3.5),
        np.arange(24, dtype=np.int64).reshape(2, 3, 4),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10.0)[::3],
        np.array([True, False]),
        np.array([-1, 32767], dtype=np.int16),
        np.array([1.5], dtype=np.float32),
        np.array(["AAA", "B"]),
        np.array(["2026-03-03T15:00"], dtype="datetime64[ns]"),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_an_array_comes_back_to_the_last_bit(shelf: Shelf, array: Any) -> None:
    back = shelf.there_and_back(array)
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()
    assert not back.flags.writeable


def test_equal_arrays_are_stored_under_one_reference(shelf: Shelf) -> None:
    shelf.encoder.encode((np.arange(5.0), np.arange(5.0), np.arange(5.0).reshape(5, 1)))
    assert len(shelf.held) == 2, "the same bytes in another shape are another value"


def test_the_same_bytes_of_another_type_are_another_value(shelf: Shelf) -> None:
    one, other = shelf.there_and_back((np.zeros(2), np.zeros(2, dtype=np.int64)))
    assert (one.dtype, other.dtype) == (np.float64, np.int64)


def test_a_sealed_value_is_read_once_however_often_it_is_written(shelf: Shelf) -> None:
    names = universe(5)
    for _ in range(3):
        shelf.encoder.encode((names, names))
    assert len(shelf.stored) == len(set(shelf.stored))


def test_what_was_shared_is_shared_again(shelf: Shelf) -> None:
    before = seen(universe(5))
    after = shelf.there_and_back(before)
    assert after.market.universe is after.scores.universe
    twice = shelf.there_and_back((before, before))
    assert twice[0].market.universe is twice[1].market.universe is after.market.universe


def test_a_writable_array_is_read_anew_each_time(shelf: Shelf) -> None:
    array = np.zeros(3)
    first = shelf.there_and_back(array)
    array[1] = 7.0
    assert shelf.there_and_back(array).tolist() == [0.0, 7.0, 0.0]
    assert first.tolist() == [0.0, 0.0, 0.0]


def test_a_read_only_view_of_a_writable_array_is_read_anew_each_time(shelf: Shelf) -> None:
    array = np.zeros(3)
    view = array[:]
    view.flags.writeable = False
    shelf.encoder.encode(view)
    array[1] = 7.0
    assert shelf.there_and_back(view).tolist() == [0.0, 7.0, 0.0]


def test_many_more_values_than_are_remembered_still_come_back(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deadband.journal.codec.CACHE_SIZE", 3)
    names = [universe(n) for n in range(1, 9)]
    for _ in range(2):
        assert [len(shelf.there_and_back(one)) for one in names] == list(range(1, 9))


@pytest.mark.parametrize("value", [None, True, 0, -(2**63), 2**63, 1.5, "", "Ω", Side.BUY])
def test_plain_values_come_back_with_their_type(shelf: Shelf, value: Any) -> None:
    back = shelf.there_and_back(value)
    assert back == value
    assert type(back) is type(value)


def test_a_numpy_float_comes_back_as_the_float_it_is(shelf: Shelf) -> None:
    back = shelf.there_and_back((np.float64(0.1),))
    assert back == (0.1,)
    assert type(back[0]) is float


def test_enums_come_back_as_themselves(shelf: Shelf) -> None:
    for member in (*Code, *Limit, *Side):
        assert shelf.there_and_back(member) is member


def test_an_instant_comes_back_as_the_same_instant_in_utc(shelf: Shelf) -> None:
    eastern = datetime(2026, 3, 3, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))
    assert shelf.there_and_back(eastern) == eastern
    assert shelf.there_and_back(eastern).tzinfo == UTC


class Stranger(StrEnum):
    HERE = "HERE"


@dataclass(frozen=True)
class Foreign:
    x: float = 1.0


@pytest.mark.parametrize(
    "value",
    [
        object(),
        [1, 2],
        {1, 2},
        b"bytes",
        1 + 2j,
        Path("x"),
        np.int64(3),
        np.array([object()]),
        np.zeros(2, dtype=[("a", "f8"), ("b", "i8")]),
        datetime(2026, 3, 3, 10, 0),  # noqa: DTZ001
        lambda: None,
        2**64,
        Foreign(),
        Stranger.HERE,
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_what_would_not_come_back_is_refused(shelf: Shelf, value: Any) -> None:
    wrap: list[Callable[[Any], Any]] = [
        lambda inner: inner,
        lambda inner: (1, inner),
        lambda inner: {"deep": (inner,)},
    ]
    for wrapped in wrap:
        with pytest.raises(JournalError, match="cannot journal"):
            shelf.encoder.encode(wrapped(value))


def test_a_type_of_another_version_is_named(shelf: Shelf) -> None:
    data = shelf.encoder.encode({"$": "Wormhole", "x": 1})
    with pytest.raises(JournalError, match="holds a Wormhole.*version"):
        shelf.decoder.decode(data)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x01", b"\x81"])
def test_bytes_that_are_no_record_are_corrupt(shelf: Shelf, data: bytes) -> None:
    with pytest.raises(CorruptRecord, match="not readable"):
        shelf.decoder.decode(data)


def test_stored_form_is_the_data_compressed() -> None:
    data = bytes(10_000)
    assert unpack(pack(data)) == data
    assert len(pack(data)) < 100
    with pytest.raises(CorruptRecord, match="not readable"):
        unpack(pack(data)[:-5])


def test_a_matrix_of_a_day_is_stored_once(shelf: Shelf) -> None:
    correlation = DenseCorrelation(np.eye(20))
    shelf.encoder.encode((correlation, {"again": correlation}))
    count = len(shelf.stored)
    shelf.encoder.encode((correlation,))
    assert len(shelf.stored) == count == 2, "its matrix, and itself"


def test_references_depend_on_content_alone() -> None:
    names = universe(3)
    one, other = Shelf(), Shelf()
    assert one.encoder.encode(scores(names)) == other.encoder.encode(scores(universe(3)))
    assert one.held == other.held
    assert all(content_hash(data) == reference for reference, data in one.held.items())
    assert market(names).universe is names
