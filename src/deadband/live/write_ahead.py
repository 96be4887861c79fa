"""The pen of a live run: what it writes is durable before anything is done on its strength."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ..core.events import Intent
from ..core.ports import Journal

INTENTS, HEARD, REFUSED = "INTENTS", "HEARD", "REFUSED"
RESUMED, RECONCILED, SKIPPED = "RESUMED", "RECONCILED", "SKIPPED"
WORKED = "WORKED"
"""Kinds of journal records, beside those of a backtest."""


@dataclass(slots=True, eq=False)
class Pen:
    """Writes each record under the cycle that it follows; `wall` is the time it is."""

    journal: Journal
    wall: Callable[[], datetime]
    cycle_id: str = ""

    def write(self, kind: str, value: object, laps: Mapping[str, float] | None = None) -> None:
        self.journal.append(kind, self.cycle_id, self.wall().isoformat(), value, laps)

    def intend(self, intents: tuple[Intent, ...]) -> None:
        """A broker's WriteAhead: a batch with one write, all or none."""
        self.write(INTENTS, intents)
