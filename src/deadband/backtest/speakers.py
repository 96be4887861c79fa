"""Who speaks in a run: the models and score files of its settings, behind one ScoreSource."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from .. import cycle
from ..core.config import DataSettings, Settings
from ..core.model_settings import ModelSettings
from ..core.ports import Finding, ScoreSource, Tape
from ..core.seen import Universe
from ..feeds.growing_scores import GrowingScores
from ..feeds.score_table import ScoreTable
from ..models.file import refuse_other_version
from ..models.opening import open_zoo


@dataclass(frozen=True, slots=True, eq=False)
class Speakers:
    """What the cycles ask for scores, and what was left out of the files among it."""

    source: ScoreSource
    findings: tuple[Finding, ...] = ()


class Table(ScoreSource, Protocol):
    """Scores of a file."""

    @property
    def findings(self) -> tuple[Finding, ...]: ...


def speakers(
    settings: Settings, tape: Tape, given: Table | None, *, live: bool = False
) -> Speakers:
    """The models that the settings list, beside `given`, the run's own table of scores if any.

    `live`: models have their budget of time and no more, and files are read again when they grow.
    """
    if given is not None and not settings.models:
        return Speakers(given, given.findings)
    files = [model for model in settings.models if model.kind == "scores"]
    tables: tuple[Table, ...] = tuple(_table(model, tape.universe, live=live) for model in files)
    tables = tables if given is None else (given, *tables)
    known = cycle.measurable(tape.bar_min)
    return Speakers(
        open_zoo(settings.models, tape.universe, known, tables, live=live),
        tuple(finding for table in tables for finding in table.findings),
    )


def given_scores(data: DataSettings, universe: Universe, *, live: bool = False) -> Table | None:
    """The run's own file of scores, None where the settings name none."""
    if not data.scores:
        return None
    from ..feeds.scores import read_scores

    path = Path(data.scores)
    return _read(path, lambda: read_scores(path, universe, data), live=live)


def _read(path: Path, read: Callable[[], ScoreTable], *, live: bool) -> Table:
    if not live or not path.exists():
        return read()
    return GrowingScores(path, read)


def _table(model: ModelSettings, universe: Universe, *, live: bool) -> Table:
    path = Path(model.source)
    first = _named(model, path, universe)
    refuse_other_version(model, first.version)
    return _read(path, lambda: _named(model, path, universe), live=True) if live else first


def _named(model: ModelSettings, path: Path, universe: Universe) -> ScoreTable:
    # Where no file is read, nothing that reads files is loaded.
    from ..feeds.scores import read_scores

    meaning = DataSettings(
        score_column=model.column,
        score_unit=model.unit,
        score_horizon=model.horizon,
        score_scale=model.scale,
    )
    table = read_scores(path, universe, meaning)
    findings = (replace(one, example=f"{model.name}: {one.example}") for one in table.findings)
    return replace(table, model=model.name, findings=tuple(findings))
