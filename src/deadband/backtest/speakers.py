"""Who speaks in a run: the models and score files of its settings, behind one ScoreSource."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from .. import cycle
from ..core.config import DataSettings, Settings
from ..core.model_settings import ModelSettings
from ..core.ports import Finding, ScoreSource, Tape
from ..core.seen import Universe
from ..feeds.score_table import ScoreTable
from ..models.file import refuse_other_version
from ..models.opening import open_zoo


@dataclass(frozen=True, slots=True, eq=False)
class Speakers:
    """What the cycles ask for scores, and what was left out of the files among it."""

    source: ScoreSource
    findings: tuple[Finding, ...] = ()


def speakers(settings: Settings, tape: Tape, given: ScoreTable | None) -> Speakers:
    """The models that the settings list, beside `given`, the run's own table of scores if any."""
    if given is not None and not settings.models:
        return Speakers(given, given.findings)
    files = [model for model in settings.models if model.kind == "scores"]
    tables = tuple(_table(model, tape.universe) for model in files)
    tables = tables if given is None else (given, *tables)
    known = cycle.measurable(tape.bar_min)
    return Speakers(
        open_zoo(settings.models, tape.universe, known, tables),
        tuple(finding for table in tables for finding in table.findings),
    )


def _table(model: ModelSettings, universe: Universe) -> ScoreTable:
    # Where no file is read, nothing that reads files is loaded.
    from ..feeds.scores import read_scores

    meaning = DataSettings(
        score_column=model.column,
        score_unit=model.unit,
        score_horizon=model.horizon,
        score_scale=model.scale,
    )
    table = read_scores(Path(model.source), universe, meaning)
    refuse_other_version(model, table.version)
    findings = (replace(one, example=f"{model.name}: {one.example}") for one in table.findings)
    return replace(table, model=model.name, findings=tuple(findings))
