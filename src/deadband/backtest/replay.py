"""Replays a journal: every cycle again from its recorded inputs, and the fold between them.

For each cycle the recorded state and inputs go through `step` once more; what comes out has to
encode to the recorded bytes. Between cycles, the recorded state has to equal the fold of what came
before it. A difference is an error that names the first field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from .. import cycle
from ..core.config import Settings
from ..core.errors import ReplayDiffers
from ..core.types import State
from ..journal.codec import ARRAY, SHARED_VALUE, Encoder
from ..journal.store import Entry, JournalReader
from .run import CYCLE, OPERATOR, REPORTS, RUN, SETTINGS, versions


@dataclass(frozen=True, slots=True)
class Replayed:
    """Cycles replayed, the differences found, and whether these are the versions that wrote it."""

    cycles: int
    differences: tuple[ReplayDiffers, ...]
    same_versions: bool


def replay(
    path: Path,
    day: str | None = None,
    cycle_id: str | None = None,
    progress: Callable[[Entry], None] = lambda _: None,
) -> Replayed:
    """Replay all cycles of a journal, of one day (2026-03-02) or of one cycle id."""
    with JournalReader(path) as journal, threadpool_limits(limits=1, user_api="blas"):
        return _Replay(journal).over(day, cycle_id, progress)


class _Replay:
    def __init__(self, journal: JournalReader) -> None:
        self.journal = journal
        self.fresh: dict[bytes, bytes] = {}
        self.encoder = Encoder(self.fresh.__setitem__)
        self.settings = Settings()
        self.folded: State | None = None
        self.same_versions = True

    def over(
        self, day: str | None, cycle_id: str | None, progress: Callable[[Entry], None]
    ) -> Replayed:
        cycles, differences = 0, []
        for entry in self.journal.entries():
            if entry.kind == RUN:
                self._open(entry)
            elif entry.kind == SETTINGS:
                self.settings = self.journal.value(entry.tree)
            elif entry.kind in (REPORTS, OPERATOR) and self.folded is not None:
                for report in self.journal.value(entry.tree):
                    self.folded = cycle.apply(self.folded, report)
            elif entry.kind == CYCLE:
                if not _asked(entry, day, cycle_id):
                    self.folded = None
                    continue
                cycles += 1
                differences += self._cycle(entry)
                progress(entry)
        return Replayed(cycles, tuple(differences), self.same_versions)

    def _open(self, entry: Entry) -> None:
        opening = self.journal.value(entry.tree)
        self.settings = opening["settings"]
        self.folded = opening["state"]
        self.same_versions = opening["versions"] == versions()

    def _cycle(self, entry: Entry) -> list[ReplayDiffers]:
        state: State = self.journal.value(entry.tree["state"])
        seen = self.journal.value(entry.tree["seen"])
        # The recorded state is the one the cycle began with, after the day's roll.
        begun = self.folded if self.folded is not None else state
        after, record = cycle.step(self.settings, begun, seen)
        tree = msgspec.msgpack.decode(self.encoder.encode(record))
        found = self._first_difference(entry.tree, tree, "")
        if found is None:
            self.folded = after
            self.fresh.clear()
            return []
        # The broker's reports answer the recorded orders: go on from the next recorded state.
        self.folded = None
        field, recorded, replayed = found
        return [ReplayDiffers(entry.cycle_id, field, recorded, replayed)]

    def _first_difference(self, old: Any, new: Any, path: str) -> tuple[str, Any, Any] | None:
        """The first place where two trees differ, looking into arrays and shared values."""
        if _same(old, new):
            return None
        if isinstance(old, dict) and isinstance(new, dict):
            for key in old.keys() | new.keys():
                if key not in old or key not in new:
                    return f"{path}.{key}".lstrip("."), old.get(key), new.get(key)
            for key in old:
                found = self._first_difference(old[key], new[key], f"{path}.{key}".lstrip("."))
                if found:
                    return found
        if isinstance(old, list) and isinstance(new, list):
            for i, (one, other) in enumerate(zip(old, new, strict=False)):
                found = self._first_difference(one, other, f"{path}[{i}]")
                if found:
                    return found
            if len(old) != len(new):
                return f"{path} length", len(old), len(new)
        if isinstance(old, msgspec.msgpack.Ext) and isinstance(new, msgspec.msgpack.Ext):
            return self._inside(old, new, path)
        return path, old, new

    def _inside(
        self, old: msgspec.msgpack.Ext, new: msgspec.msgpack.Ext, path: str
    ) -> tuple[str, Any, Any]:
        if old.code != new.code or old.code not in (ARRAY, SHARED_VALUE):
            return path, bytes(old.data), bytes(new.data)
        trees = [msgspec.msgpack.decode(self._load(bytes(one.data))) for one in (old, new)]
        if old.code == SHARED_VALUE:
            found = self._first_difference(trees[0], trees[1], path)
            return found or (path, bytes(old.data).hex(), bytes(new.data).hex())
        for name, what in enumerate(("dtype", "shape")):
            if trees[0][name] != trees[1][name]:
                return f"{path} {what}", trees[0][name], trees[1][name]
        before, after = (np.frombuffer(raw, dtype=np.dtype(dtype)) for dtype, _, raw in trees)
        for i, (a, b) in enumerate(zip(before.tolist(), after.tolist(), strict=True)):
            if not _same(a, b):
                return f"{path}[{i}]", a, b
        return path, bytes(old.data).hex(), bytes(new.data).hex()

    def _load(self, reference: bytes) -> bytes:
        return self.fresh.get(reference) or self.journal.blob(reference)


def _same(one: Any, other: Any) -> bool:
    """To the last bit: NaN is NaN, and 0.0 is neither -0.0 nor 0."""
    return msgspec.msgpack.encode(one) == msgspec.msgpack.encode(other)


def _asked(entry: Entry, day: str | None, cycle_id: str | None) -> bool:
    if cycle_id is not None:
        return entry.cycle_id == cycle_id
    return day is None or entry.cycle_id.startswith(day.replace("-", ""))
