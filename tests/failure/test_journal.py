"""A journal cut, flipped, locked, foreign or killed: the truth, a true prefix, or a plain error."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.backtest.run import CYCLE, REPORTS, RUN, first_state, versions
from deadband.core.errors import CorruptRecord, JournalError, JournalLocked
from deadband.core.types import State
from deadband.journal.codec import Encoder
from deadband.journal.store import SCHEMA_VERSION, JournalReader, JournalWriter
from tests.kit import market, scores, seen, settings, universe, walk

NAMES = universe(6)
CYCLES = 6


def write_cycles(writer: JournalWriter) -> None:
    """An opening and a few cycles, each with its own scores."""
    made = settings(K=3, K_buy=2, K_sell=4)
    state: State = first_state(NAMES, made)
    opening = {"settings": made, "state": state, "versions": versions(), "findings": ("a gap: 1",)}
    writer.append(RUN, "", "2026-03-03T14:30:00+00:00", opening)
    rng = np.random.default_rng(3)
    for _ in range(CYCLES):
        now = seen(NAMES, market=market(NAMES), scores=scores(NAMES, rng.normal(size=6)))
        _, record = walk(now, state, made)
        at = record.seen.now.isoformat()
        writer.append(CYCLE, record.cycle_id, at, record, {"risk": 0.25, "optimize": 1.5})


@dataclass(frozen=True)
class Read:
    """What a journal says, as bytes that can be compared."""

    entries: tuple[tuple[int, str, str, str, bytes], ...]
    laps: tuple[tuple[str, float], ...]


def read(path: Path) -> Read:
    """Everything there is to read, values and all."""
    shelf: dict[bytes, bytes] = {}
    encoder = Encoder(shelf.__setitem__)
    with JournalReader(path) as journal:
        entries = []
        for entry in journal.entries():
            value = encoder.encode(journal.value(entry.tree))
            entries.append((entry.seq, entry.kind, entry.cycle_id, entry.at, value))
        return Read(tuple(entries), tuple(journal.laps()))


def is_truth(path: Path, truth: Read) -> bool:
    """True: read as written, or a prefix. False: refused with a cure. Anything else fails."""
    try:
        found = read(path)
    except JournalError as fault:
        text = str(fault)
        assert path.name in text or "a journaled" in text, f"the error does not name it: {text}"
        assert "\n" not in text
        return False
    assert found.entries == truth.entries[: len(found.entries)], "a changed value was believed"
    return True


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "journal.db"
    with JournalWriter(path) as writer:
        write_cycles(writer)
    return path


@pytest.fixture(scope="module")
def truth(journal: Path) -> Read:
    whole = read(journal)
    assert len(whole.entries) == 1 + CYCLES
    return whole


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


# Cut and flipped


def places(size: int, count: int) -> list[int]:
    """Byte positions spread over a file, and the first hundred, where SQLite keeps its header."""
    spread = np.random.default_rng(5).choice(size, count, replace=False)
    return sorted({*range(0, 100, 3), *spread.tolist(), size - 1})


def test_a_journal_cut_anywhere_is_a_prefix_or_refused(
    journal: Path, truth: Read, copy: Path
) -> None:
    data = journal.read_bytes()
    refused = 0
    for place in places(len(data), 60):
        copy.write_bytes(data[:place])
        refused += not is_truth(copy, truth)
    assert refused > 80, "a cut journal was read as if it were whole"


def test_a_damaged_schema_is_refused_in_one_line(journal: Path, truth: Read, copy: Path) -> None:
    """SQLite quotes the whole statement that it could not read, and ours has several lines."""
    data = journal.read_bytes()
    assert b", at TEXT" in data
    copy.write_bytes(data.replace(b", at TEXT", b',"at TEXT', 1))
    assert not is_truth(copy, truth)
    with pytest.raises(JournalError, match="malformed database schema"):
        read(copy)


def test_a_journal_with_one_byte_changed_is_the_truth_or_refused(
    journal: Path, truth: Read, copy: Path
) -> None:
    data = journal.read_bytes()
    refused = 0
    for place in places(len(data), 100):
        changed = bytearray(data)
        changed[place] ^= 0xFF
        copy.write_bytes(changed)
        refused += not is_truth(copy, truth)
    assert refused > 40


def test_a_journal_with_one_bit_changed_is_the_truth_or_refused(
    journal: Path, truth: Read, copy: Path
) -> None:
    data = journal.read_bytes()
    for place in places(len(data), 50):
        changed = bytearray(data)
        changed[place] ^= 1 << (place % 8)
        copy.write_bytes(changed)
        is_truth(copy, truth)


@pytest.fixture
def live(tmp_path: Path) -> Iterator[tuple[bytes, bytes]]:
    """The file and the write-ahead log of a journal that is still open."""
    path = tmp_path / "live.db"
    with JournalWriter(path) as writer:
        write_cycles(writer)
        log = Path(f"{path}-wal").read_bytes()
        assert len(log) > 50_000, "the test needs records that are in the log alone"
        yield path.read_bytes(), log


def test_a_write_ahead_log_cut_anywhere_leaves_a_prefix(
    live: tuple[bytes, bytes], truth: Read, tmp_path: Path
) -> None:
    data, log = live
    lengths = set()
    for k, place in enumerate([*places(len(log), 60), len(log)]):
        path = tmp_path / f"cut{k}.db"
        path.write_bytes(data)
        Path(f"{path}-wal").write_bytes(log[:place])
        if is_truth(path, truth):
            lengths.add(len(read(path).entries))
    assert 1 + CYCLES in lengths, "the whole log was not read"
    assert len(lengths) > 3, "no cut left a prefix"


def test_a_write_ahead_log_with_one_byte_changed_is_believed_up_to_it_at_most(
    live: tuple[bytes, bytes], truth: Read, tmp_path: Path
) -> None:
    data, log = live
    for k, place in enumerate(places(len(log), 60)):
        path = tmp_path / f"flip{k}.db"
        path.write_bytes(data)
        changed = bytearray(log)
        changed[place] ^= 0x40
        Path(f"{path}-wal").write_bytes(changed)
        is_truth(path, truth)


# Changed by hand


def tampered(journal: Path, copy: Path, *statements: str) -> Path:
    copy.write_bytes(journal.read_bytes())
    with sqlite3.connect(copy) as db:
        db.execute("DROP TRIGGER record_append_only_u")
        db.execute("DROP TRIGGER record_append_only_d")
        for statement in statements:
            db.execute(statement)
    db.close()
    return copy


@pytest.mark.parametrize(
    ("statement", "record"),
    [
        ("UPDATE record SET at = '2026-03-03T15:01:00+00:00' WHERE seq = 4", 4),
        ("UPDATE record SET kind = 'REPORTS' WHERE seq = 3", 3),
        ("UPDATE record SET body = (SELECT body FROM record WHERE seq = 5) WHERE seq = 2", 2),
        ("UPDATE record SET chain = zeroblob(16) WHERE seq = 6", 6),
        ("DELETE FROM record WHERE seq = 3", 3),
        ("DELETE FROM record WHERE seq = 1", 1),
        ("UPDATE record SET seq = seq + 100 WHERE seq = 7", 7),
    ],
)
def test_a_changed_missing_or_moved_record_is_named(
    journal: Path, copy: Path, statement: str, record: int
) -> None:
    with pytest.raises(CorruptRecord, match=rf"copy\.db: record {record} .*Restore"):
        read(tampered(journal, copy, statement))


def test_records_in_another_order_are_found(journal: Path, copy: Path) -> None:
    moves = ((3, 99), (4, 3), (99, 4))
    swap = [f"UPDATE record SET seq = {to} WHERE seq = {of}" for of, to in moves]
    with pytest.raises(CorruptRecord, match="record 3"):
        read(tampered(journal, copy, *swap))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM blob WHERE rowid = 3",
        "UPDATE blob SET data = (SELECT data FROM blob WHERE rowid = 2) WHERE rowid = 3",
        "UPDATE blob SET data = x'00' WHERE rowid = 3",
    ],
)
def test_a_missing_or_changed_array_is_found(journal: Path, copy: Path, statement: str) -> None:
    with pytest.raises(CorruptRecord):
        read(tampered(journal, copy, statement))


def test_the_file_itself_refuses_to_be_changed(journal: Path, copy: Path) -> None:
    copy.write_bytes(journal.read_bytes())
    db = sqlite3.connect(copy)
    for statement in ("UPDATE record SET kind = 'X'", "DELETE FROM record WHERE seq = 7"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)
    db.close()


# Another file, another version


def test_a_newer_schema_is_refused(journal: Path, copy: Path) -> None:
    newer = SCHEMA_VERSION + 1
    path = tampered(journal, copy, f"UPDATE meta SET value = '{newer}' WHERE key = 'schema'")
    with pytest.raises(JournalError, match=f"schema {newer}, .*up to {SCHEMA_VERSION}"):
        read(path)


@pytest.mark.parametrize(
    "statement", ["DELETE FROM meta", "UPDATE meta SET value = 'one'", "UPDATE meta SET value = ''"]
)
def test_a_schema_that_is_no_number_is_refused(journal: Path, copy: Path, statement: str) -> None:
    with pytest.raises(JournalError, match="schema"):
        read(tampered(journal, copy, statement))


@pytest.mark.parametrize("content", [b"", b"symbol,price\nA,1\n" * 100, bytes(8192)])
def test_a_file_that_is_no_journal_is_refused(copy: Path, content: bytes) -> None:
    copy.write_bytes(content)
    with pytest.raises(CorruptRecord, match=r"copy\.db cannot be read"):
        JournalReader(copy)


def test_a_journal_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"there is no journal .*nowhere\.db"):
        JournalReader(tmp_path / "nowhere.db")


def test_a_database_of_something_else_is_refused(copy: Path) -> None:
    with sqlite3.connect(copy) as db:
        db.execute("CREATE TABLE people (name TEXT)")
    db.close()
    with pytest.raises(CorruptRecord, match="no such table"):
        JournalReader(copy)


# Writing


def test_an_existing_journal_is_not_written_over(journal: Path) -> None:
    before = journal.read_bytes()
    for _ in range(2):
        with pytest.raises(JournalError, match="already holds a run"):
            JournalWriter(journal)
    assert journal.read_bytes() == before


def test_a_second_writer_in_this_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path):
        with pytest.raises(JournalLocked, match="being written by another run"):
            JournalWriter(path)


def test_a_second_writer_in_another_process_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    other = (
        "import sys\n"
        "from pathlib import Path\n"
        "from deadband.journal.store import JournalWriter\n"
        "from deadband.core.errors import JournalLocked\n"
        "try:\n"
        "    JournalWriter(Path(sys.argv[1]))\n"
        "except JournalLocked as fault:\n"
        "    print(fault)\n"
    )
    with JournalWriter(path) as writer:
        command = [sys.executable, "-c", other, str(path)]
        said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        assert "being written by another run" in said.stdout
        write_cycles(writer)
    assert len(read(path).entries) == 1 + CYCLES


def test_a_reader_beside_the_writer_sees_every_record_that_was_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        for k in range(5):
            writer.append(REPORTS, "", "", (k,))
            assert [entry[0] for entry in read(path).entries] == list(range(1, k + 2))


@pytest.mark.parametrize("name", ["file/journal.db", "file/deeper/journal.db", "folder"])
def test_a_place_that_cannot_hold_a_journal_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    with pytest.raises(JournalError, match="--journal"):
        JournalWriter(tmp_path / name)


def test_a_write_that_fails_is_refused_and_leaves_the_records_before_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        writer.append(REPORTS, "", "", ("kept",))
        writer._db.execute("PRAGMA max_page_count = 12")
        with pytest.raises(JournalError, match="cannot be written.*free disk space"):
            writer.append(REPORTS, "", "", (np.random.default_rng(1).normal(size=50_000),))
        writer._db.execute("PRAGMA max_page_count = 100000")
        writer.append(REPORTS, "", "", ("after",))
    assert [entry[0] for entry in read(path).entries] == [1, 2]


def test_a_record_that_is_refused_by_the_file_leaves_no_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with JournalWriter(path) as writer:
        for lap in (1.0, float("nan"), 1.0):
            if lap == lap:
                writer.append(REPORTS, "", "", (np.arange(9.0),), {"risk": lap})
                continue
            with pytest.raises(JournalError, match="NOT NULL.*free disk space"):
                writer.append(REPORTS, "", "", (np.arange(8.0),), {"risk": lap})
    assert [entry[0] for entry in read(path).entries] == [1, 2]


# Killed


def test_a_run_that_is_killed_leaves_a_journal_that_replays(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    command = [sys.executable, "-m", "deadband", "run", "--journal", str(path)]
    run = subprocess.Popen(
        [*command, "--report", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 40
        while records(path) < 25 and run.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        assert run.poll() is None, "the run was over before it could be killed"
        os.kill(run.pid, signal.SIGKILL)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == -signal.SIGKILL
    replayed = replay(path)
    assert replayed.cycles >= 8
    assert replayed.differences == ()
    ledger = read_ledger(path)
    assert not ledger.complete
    assert ledger.summary()["nav_off_by_a_cent"] == 0
    with pytest.raises(JournalError, match="already holds a run"):
        JournalWriter(path)


def records(path: Path) -> int:
    """Records of a journal that is being written; none before it has its tables."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            count: int = db.execute("SELECT count(*) FROM record").fetchone()[0]
            return count
    except sqlite3.OperationalError:
        return 0
    finally:
        if "db" in locals():
            db.close()


def test_a_journal_goes_on_after_its_last_record(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for number in range(3):
        with JournalWriter(path, goes_on=True) as writer:
            writer.append("NOTE", "", "", {"number": number})
    with JournalReader(path) as journal:
        entries = list(journal.entries())
        assert [journal.value(entry.tree)["number"] for entry in entries] == [0, 1, 2]
    with pytest.raises(JournalError, match="already holds a run"):
        JournalWriter(path)


def test_a_journal_that_was_begun_and_has_no_tables_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA journal_mode=WAL")
    db.close()
    assert path.stat().st_size > 0
    with JournalWriter(path, goes_on=True) as writer:
        writer.append("NOTE", "", "", {})


def test_a_file_that_is_no_journal_is_not_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(b"something else altogether" * 40)
    for _ in range(2):
        # The lock is given back: the second attempt finds the same fault, not a lock.
        with pytest.raises(CorruptRecord, match="cannot be read"):
            JournalWriter(path, goes_on=True)
    path.unlink()
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    db.execute("INSERT INTO meta VALUES ('schema', '99')")
    db.commit()
    db.close()
    with pytest.raises(JournalError, match="has schema 99"):
        JournalWriter(path, goes_on=True)
