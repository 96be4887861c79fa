"""A zoo of models behind one ScoreSource: whatever one of them does, the votes of the others stand.

At each cycle every model is asked, then every answer is collected. A model that raised, or whose
answer cannot be read, has no vote in this cycle. One that is late keeps its last word, which ages
until `max_score_age_min` takes its vote. Every loss has a code per name, and a text in `troubles`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from ..core.features import Features
from ..core.ports import ScoreSource
from ..core.reasons import Code
from ..core.seen import NEVER_S, Scores, Trouble, Universe
from .answer import Answer, no_answer
from .desk import Desk
from .shell import Fault


@dataclass(slots=True, eq=False)
class Zoo:
    """Models at their desks and tables of scores, in this order; fulfils ports.ScoreSource."""

    universe: Universe
    desks: tuple[Desk, ...]
    tables: tuple[ScoreSource, ...] = ()
    _last: dict[str, Answer] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Every feature that some model reads, once."""
        return tuple(dict.fromkeys(need for desk in self.desks for need in desk.model.needs))

    def at(self, now: datetime, features: Features | None) -> Scores:
        """What every model says at `now`, each on its own."""
        measured = features or Features(self.universe, now, (), np.zeros((0, len(self.universe))))
        for desk in self.desks:
            desk.ask(measured)
        computed = self._computed([self._word(desk, measured) for desk in self.desks], now)
        return _joined([computed, *(table.at(now, None) for table in self.tables)])

    def _word(self, desk: Desk, features: Features) -> Answer:
        """The newest answer of a model; its last one, beside that it is late, where none came."""
        name, answer = desk.model.name, desk.collect()
        if answer is not None:
            self._last[name] = answer
            if answer.at == features.asof:
                return answer
        new = () if answer is None else answer.faults
        late = Fault(Code.MODEL_LATE, f"no answer within {desk.model.budget_ms:g} ms")
        last = self._last.get(name)
        if last is None or not last.speaks:
            return no_answer(desk.model, features, *new, late)
        return Answer(last.at, last.unit, last.value, last.defect, (*new, late))

    def _computed(self, answers: Sequence[Answer], now: datetime) -> Scores:
        models, n = [desk.model for desk in self.desks], len(self.universe)
        age = [
            np.where(answer.defect == 0, (now - answer.at).total_seconds(), NEVER_S)
            for answer in answers
        ]
        return Scores(
            universe=self.universe,
            models=tuple(model.name for model in models),
            unit=tuple(answer.unit for answer in answers),
            horizon_min=tuple(model.horizon_min for model in models),
            value=np.array([answer.value for answer in answers]).reshape(-1, n),
            age_s=np.array(age).reshape(-1, n),
            defect=np.array([answer.defect for answer in answers], dtype=np.int16).reshape(-1, n),
            version=tuple(model.version for model in models),
            troubles=tuple(
                Trouble(model.name, fault.code, fault.text)
                for model, answer in zip(models, answers, strict=True)
                for fault in answer.faults
            ),
        )


def _joined(parts: Sequence[Scores]) -> Scores:
    """The models of all parts in one."""
    if len(parts) == 1:
        return parts[0]
    return Scores(
        universe=parts[0].universe,
        models=tuple(model for part in parts for model in part.models),
        unit=tuple(unit for part in parts for unit in part.unit),
        horizon_min=tuple(horizon for part in parts for horizon in part.horizon_min),
        value=np.vstack([part.value for part in parts]),
        age_s=np.vstack([part.age_s for part in parts]),
        defect=np.vstack([part.defect for part in parts]),
        version=tuple(version for part in parts for version in part.version),
        troubles=tuple(trouble for part in parts for trouble in part.troubles),
    )
