"""The tree of things that can go wrong, each saying what, where, the numbers, and the cure.

DeadbandError
├── ConfigError          settings that cannot work; carries every finding at once
├── DataError            what was handed in cannot be used
│   ├── ShapeError       an array has another length than its universe
│   └── MissingError     a label or a value that is needed is not there
├── SolveError           no checked weights could be produced
├── BrokerError          the broker refused, or said something its protocol does not allow
└── JournalError         the record of what happened cannot be trusted or written
    ├── CorruptRecord    a byte of it changed, or it was cut
    ├── JournalLocked    another run is writing it
    └── ReplayDiffers    the same inputs gave another output
"""

from __future__ import annotations


class DeadbandError(Exception):
    """Anything deadband raises on purpose; its text ends with the cure."""


class ConfigError(DeadbandError):
    """Settings that cannot work; `findings` holds one sentence for each fault."""

    def __init__(self, findings: tuple[str, ...]) -> None:
        self.findings = findings
        super().__init__("\n".join(findings))


class DataError(DeadbandError):
    """What was handed in cannot be used."""


class ShapeError(DataError):
    """An array has another shape than the universe asks for."""


class MissingError(DataError):
    """A symbol, column or value that is needed is absent."""


class SolveError(DeadbandError):
    """No weights that pass their check could be produced."""


class BrokerError(DeadbandError):
    """The broker refused, or broke its protocol."""


class JournalError(DeadbandError):
    """The journal cannot be trusted or written."""


class CorruptRecord(JournalError):
    """A journaled byte is not what was written."""


class JournalLocked(JournalError):
    """Another run holds the journal."""


class ReplayDiffers(JournalError):
    """The same inputs gave another output; `field` is the first that differs."""

    def __init__(self, cycle_id: str, field: str, recorded: object, replayed: object) -> None:
        self.cycle_id = cycle_id
        self.field = field
        super().__init__(
            f"cycle {cycle_id}: {field} was recorded as {recorded!r} and is replayed as "
            f"{replayed!r}. Replay with the versions named in the journal's first record."
        )
