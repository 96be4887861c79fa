"""Reads a Parquet or CSV table into columns, with a clear word for what is missing."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from ..core.arrays import Floats, Ints
from ..core.errors import DataError, MissingError

OTHER_NAMES = {
    "ts": ("timestamp", "time", "datetime", "date"),
    "asof": ("as_of", "ts", "timestamp", "time", "datetime", "date"),
    "symbol": ("ticker", "sym"),
}
"""What other feeds call a column, for the hint of a column that is missing."""


def read_table(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> pa.Table:
    """The needed and, where present, the optional columns of a .parquet or .csv file.

    Raises MissingError for a file or column that is not there, and DataError for a file that
    cannot be read, holds no rows, or has a column twice.
    """
    if not path.exists():
        raise MissingError(f"there is no file {path}. Check the path in --bars, --scores or data.")
    try:
        table = _read(path)
    except (pa.ArrowException, OSError) as fault:
        cure = "Is it whole, and Parquet or CSV?"
        raise DataError(f"{path} cannot be read: {fault}. {cure}") from fault
    present = table.column_names
    missing = [name for name in needed if name not in present]
    if missing:
        hints = "".join(f" Did you mean {near}?" for near in _nearest(missing, needed, present))
        raise MissingError(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(present)}.{hints}"
        )
    wanted = [*needed, *(name for name in optional if name in present)]
    twice = [name for name in wanted if present.count(name) > 1]
    if twice:
        raise DataError(f"{path} has more than one column {', '.join(twice)}. Keep one of each.")
    if not len(table):
        raise DataError(f"{path} holds no rows, only column names. Write it again.")
    return table.select(wanted)


def _nearest(missing: Sequence[str], needed: Sequence[str], present: Sequence[str]) -> list[str]:
    """For each missing column the spare one it is most likely called, if there is one."""
    spare = {name.lower(): name for name in present if name not in needed}
    found = []
    for name in missing:
        near = [other for other in (name, *OTHER_NAMES.get(name, ())) if other in spare]
        near += difflib.get_close_matches(name, spare, n=1)
        found += [f"{spare[near[0]]} for {name}"] if near else []
    return found


def _read(path: Path) -> pa.Table:
    if path.suffix == ".csv":
        # Read as text, a file of the one name TRUE, or NA, keeps its symbols.
        return pcsv.read_csv(
            path, convert_options=pcsv.ConvertOptions(column_types={"symbol": pa.string()})
        )
    if path.suffix in (".parquet", ".pq"):
        return pq.read_table(path)
    raise DataError(f"{path} is {path.suffix or 'without a suffix'}, expected .parquet or .csv.")


def utc_nanoseconds(table: pa.Table, column: str, path: Path) -> Ints:
    """A time column as epoch nanoseconds; times without a zone are refused."""
    values = table[column]
    if not pa.types.is_timestamp(values.type):
        raise DataError(
            f"{path} column {column} is {values.type}, expected times in UTC. "
            "Write each as 2026-03-02T14:30:00Z; a cell that is no time makes the column text."
        )
    if values.type.tz is None:
        raise DataError(
            f"{path} column {column} has no time zone. Store it in UTC "
            "(2026-03-02T14:30:00Z), so that daylight saving cannot shift it."
        )
    if values.null_count:
        raise DataError(f"{path} column {column} has {values.null_count} empty rows. Drop them.")
    try:
        in_ns = pc.cast(values, pa.timestamp("ns", tz="UTC"))
    except pa.ArrowException as fault:
        raise DataError(f"{path} column {column} holds times no clock shows: {fault}.") from fault
    numbers: Ints = pc.cast(in_ns, pa.int64()).to_numpy()
    return numbers


def floats(table: pa.Table, column: str, path: Path) -> Floats:
    """A numeric column as float64, empty cells as NaN."""
    try:
        values = pc.cast(table[column], pa.float64())
    except pa.ArrowException as fault:
        raise DataError(f"{path} column {column} is not numeric: {fault}.") from fault
    array: Floats = values.to_numpy(zero_copy_only=False)
    return array


def labels(table: pa.Table, column: str, path: Path) -> tuple[np.ndarray[Any, Any], Ints]:
    """A text column as (sorted distinct texts, number of each row); empty texts are refused."""
    try:
        values = pc.cast(table[column], pa.string()).combine_chunks()
    except pa.ArrowException as fault:
        raise DataError(f"{path} column {column} is not text: {fault}.") from fault
    encoded = values.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = np.array(encoded.dictionary.to_pylist(), dtype=object)
    empty = values.null_count or int((texts[encoded.indices.to_numpy()] == "").sum())
    if empty:
        raise DataError(f"{path} column {column} has {empty} empty rows. Drop them.")
    order = np.argsort(texts.astype(str), kind="stable")
    place = np.empty(len(texts), dtype=np.int64)
    place[order] = np.arange(len(texts))
    return texts[order], place[encoded.indices.to_numpy()]
