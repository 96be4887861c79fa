"""The journal file: append-only SQLite in WAL mode, durable before it returns, one writer.

Rules
  * Records are numbered and chained: each carries the hash of the one before it and of itself, so
    that a changed, missing or reordered record is found when the journal is read.
  * A record and everything it refers to are committed together, with synchronous=FULL, before the
    call returns: nothing is sent on the strength of a record that a power cut could take back.
  * Nothing is ever updated or deleted; triggers refuse it.
  * One writer at a time, by a lock file beside the journal.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from filelock import FileLock, Timeout

from ..core.errors import CorruptRecord, JournalError, JournalLocked
from .codec import Decoder, Encoder, content_hash, pack, read_tree, unpack

SCHEMA_VERSION = 2
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE blob (hash BLOB PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE record (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, cycle_id TEXT NOT NULL, at TEXT NOT NULL,
    body BLOB NOT NULL, chain BLOB NOT NULL
) STRICT;
CREATE TABLE lap (cycle_id TEXT NOT NULL, room TEXT NOT NULL, ms REAL NOT NULL) STRICT;
CREATE INDEX record_by_cycle ON record (cycle_id);
CREATE TRIGGER record_append_only_u BEFORE UPDATE ON record
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER record_append_only_d BEFORE DELETE ON record
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as it lies in the file; `tree` is its msgpack tree, not yet a value."""

    seq: int
    kind: str
    cycle_id: str
    at: str
    tree: Any


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """SQLite's faults in our words."""
    try:
        yield
    # A damaged schema may even spoil the text of SQLite's own message.
    except (sqlite3.Error, UnicodeDecodeError) as fault:
        # It quotes the schema it could not read, over several lines.
        said = " ".join(str(fault).split())
        raise CorruptRecord(
            f"journal {path} cannot be read: {said}. Restore it from a copy, or start a new one; "
            "what the account holds is the broker's to say."
        ) from fault


def _chain(before: bytes, kind: str, cycle_id: str, at: str, body: bytes) -> bytes:
    head = "\0".join((kind, cycle_id, at)).encode()
    return content_hash(before + content_hash(head) + content_hash(body))


def _is_written(row: tuple[Any, ...], expected: int, before: bytes) -> bool:
    """Whether a record is the one of this number; a damaged file may hold any type anywhere."""
    types = (int, str, str, str, bytes, bytes)
    if len(row) != len(types) or not all(map(isinstance, row, types)):
        return False
    seq, kind, cycle_id, at, body, chain = row
    return bool(seq == expected and chain == _chain(before, kind, cycle_id, at, body))


class JournalWriter:
    """Appends records to a journal; a context manager that holds its lock.

    With `goes_on` an existing journal is continued after its last record: whoever asks for that
    reads it whole, and so checks it, while holding the lock.
    """

    def __init__(self, path: Path, *, goes_on: bool = False) -> None:
        self.path = path
        self._lock = FileLock(f"{path}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
        except Timeout as fault:
            raise JournalLocked(
                f"journal {path} is being written by another run. "
                "Wait for it, or name another file with --journal."
            ) from fault
        except OSError as fault:
            raise JournalError(
                f"journal {path} cannot be made: {fault}. Name another file with --journal."
            ) from fault
        is_begun = path.exists() and path.stat().st_size > 0
        if is_begun and not goes_on:
            self._lock.release()
            raise JournalError(
                f"journal {path} already holds a run. Name another file with --journal, "
                "or move this one away."
            )
        self._pending: dict[bytes, bytes] = {}
        self._encoder = Encoder(self._keep)
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._seq, self._last = self._begin()
        except BaseException:
            self.close()
            raise

    def _begin(self) -> tuple[int, bytes]:
        """Make the tables where there are none; the number and the chain of the last record."""
        with _explained(self.path):
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
            tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            if not tables:
                # All or nothing: a process that dies here leaves a file that can be begun again.
                version = f"INSERT INTO meta VALUES ('schema', '{SCHEMA_VERSION}');"
                self._db.executescript(f"BEGIN; {SCHEMA} {version} COMMIT;")
            row = self._db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
            if row is None or row[0] != str(SCHEMA_VERSION):
                raise JournalError(
                    f"journal {self.path} has schema {row and row[0]}, and {SCHEMA_VERSION} is "
                    "written. Begin a new journal."
                )
            last = self._db.execute("SELECT seq, chain FROM record ORDER BY seq DESC LIMIT 1")
            return last.fetchone() or (0, b"")

    def close(self) -> None:
        self._db.close()
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(
        self,
        kind: str,
        cycle_id: str,
        at: str,
        value: object,
        laps: Mapping[str, float] | None = None,
    ) -> None:
        """Write one record durably; when this returns, it will survive a power cut.

        `laps` are milliseconds by room, kept beside the record and not part of it.
        """
        body = self._encoder.encode(value)
        chain = _chain(self._last, kind, cycle_id, at, body)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR IGNORE INTO blob VALUES (?, ?)", self._pending.items())
            self._db.execute(
                "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?)",
                (self._seq + 1, kind, cycle_id, at, body, chain),
            )
            rows = [(cycle_id, room, ms) for room, ms in (laps or {}).items()]
            self._db.executemany("INSERT INTO lap VALUES (?, ?, ?)", rows)
            self._db.execute("COMMIT")
        except sqlite3.Error as fault:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise JournalError(
                f"journal {self.path} cannot be written: {fault}. Nothing is traded without it: "
                "free disk space or name another file with --journal."
            ) from fault
        self._pending.clear()
        self._seq, self._last = self._seq + 1, chain

    def _keep(self, reference: bytes, data: bytes) -> None:
        self._pending[reference] = pack(data)


class NoJournal:
    """For callers who keep no record: everything is forgotten."""

    def append(
        self,
        kind: str,
        cycle_id: str,
        at: str,
        value: object,
        laps: Mapping[str, float] | None = None,
    ) -> None:
        """Forget it."""

    def close(self) -> None:
        """Nothing to close."""


class JournalReader:
    """Reads a journal, checking the chain as it goes."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise JournalError(f"there is no journal {path}. `deadband run --journal` writes one.")
        self.path = path
        with _explained(path):
            self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            row = self._db.execute("SELECT value FROM meta WHERE key = 'schema'").fetchone()
        found = "none" if row is None else str(row[0])
        if not found.isdecimal() or int(found) > SCHEMA_VERSION:
            raise JournalError(
                f"journal {path} has schema {found}, this deadband reads up to {SCHEMA_VERSION}. "
                "Read it with the version that wrote it."
            )
        self.decoder = Decoder(self.blob)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def entries(self) -> Iterator[Entry]:
        """Every record in order; raises CorruptRecord at the first that is not what was written."""
        last = b""
        with _explained(self.path):
            rows = self._db.execute("SELECT * FROM record ORDER BY seq")
            for expected, row in enumerate(rows, start=1):
                if not _is_written(row, expected, last):
                    raise CorruptRecord(
                        f"journal {self.path}: record {expected} is not what was written. "
                        "Restore the journal from a copy."
                    )
                seq, kind, cycle_id, at, body, last = row
                yield Entry(seq, kind, cycle_id, at, read_tree(body))

    def length(self) -> int:
        """How many records it has by now; a run that writes makes them more."""
        with _explained(self.path):
            return int(self._db.execute("SELECT count(*) FROM record").fetchone()[0])

    def blob(self, reference: bytes) -> bytes:
        """An array or shared value by its hash, checked against it."""
        with _explained(self.path):
            row = self._db.execute("SELECT data FROM blob WHERE hash = ?", (reference,)).fetchone()
        data = unpack(row[0]) if row is not None and isinstance(row[0], bytes) else b""
        if content_hash(data) != reference:
            raise CorruptRecord(
                f"journal {self.path}: value {reference.hex()} is missing or changed. "
                "Restore the journal from a copy."
            )
        return data

    def value(self, tree: Any) -> Any:
        return self.decoder.value(tree)

    def laps(self) -> list[tuple[str, float]]:
        """(room, milliseconds) of every lap taken."""
        with _explained(self.path):
            laps = list(self._db.execute("SELECT room, ms FROM lap"))
        if not all(isinstance(room, str) and isinstance(ms, float) for room, ms in laps):
            raise CorruptRecord(
                f"journal {self.path}: its timings are not what was written. "
                "Restore the journal from a copy."
            )
        return laps
