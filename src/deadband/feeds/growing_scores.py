"""A scores file that is written to while a run goes on: read again whenever it has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ..core.errors import DeadbandError
from ..core.features import Features
from ..core.ports import Finding
from ..core.reasons import Code
from ..core.seen import Scores, Trouble
from .score_table import ScoreTable

Stamp = tuple[int, int]


@dataclass(slots=True, eq=False)
class GrowingScores:
    """A file's ScoreSource; `read` gives its table as it is now.

    While the file cannot be read, as in the midst of being written, what it last said stands and
    ages. The first reading has to succeed: whoever makes this sees its fault.
    """

    path: Path
    read: Callable[[], ScoreTable]
    _table: ScoreTable = field(init=False)
    _stamp: Stamp = field(init=False)
    _fault: str = ""

    def __post_init__(self) -> None:
        self._stamp = self._now()
        self._table = self.read()

    @property
    def needs(self) -> tuple[str, ...]:
        return ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was left out at the first reading."""
        return self._table.findings

    def at(self, now: datetime, features: Features | None = None) -> Scores:
        """The last score of each name stated at or before `now`, with its age."""
        self._refresh()
        scores = self._table.at(now, features)
        if not self._fault:
            return scores
        trouble = Trouble(scores.models[0], Code.LIVE_SCORES_UNREADABLE, self._fault)
        return replace(scores, troubles=(*scores.troubles, trouble))

    def _refresh(self) -> None:
        try:
            stamp = self._now()
            if stamp == self._stamp and not self._fault:
                return
            self._table, self._stamp, self._fault = self.read(), stamp, ""
        except (DeadbandError, OSError) as fault:
            self._fault = str(fault)

    def _now(self) -> Stamp:
        known = self.path.stat()
        return known.st_mtime_ns, known.st_size
