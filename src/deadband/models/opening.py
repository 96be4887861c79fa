"""Opens the models that a configuration lists: every fault of every model at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence

from ..core.errors import ConfigError
from ..core.model_settings import ModelSettings
from ..core.ports import ScoreSource
from ..core.seen import Universe
from .desk import AtOnce, Beside
from .estimator import open_estimator
from .file import refusal, refuse_other_version
from .onnx import open_onnx
from .python import open_python
from .reference import REFERENCE_MODELS
from .voice import Voice
from .zoo import Zoo


def open_reference(model: ModelSettings) -> Voice:
    """A model of the reference zoo, which states all of itself."""
    if model.source not in REFERENCE_MODELS:
        near = difflib.get_close_matches(model.source, REFERENCE_MODELS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(REFERENCE_MODELS)}."
        raise refusal(model, f"there is no reference model {model.source}. {hint}")
    made = REFERENCE_MODELS[model.source]
    refuse_other_version(model, made.version)
    stated = made.unit, made.horizon_min, made.needs
    return Voice(model.name, made.version, *stated, made.score, model.budget_ms)


OPENERS: Mapping[str, Callable[[ModelSettings], Voice]] = {
    "reference": open_reference,
    "python": open_python,
    "sklearn": open_estimator,
    "onnx": open_onnx,
}
"""Kinds that are asked; scores are read by the feeds."""


def open_models(models: Sequence[ModelSettings], known: Sequence[str]) -> tuple[Voice, ...]:
    """The models that compute, in order; `known` are the features that can be measured."""
    voices: list[Voice] = []
    faults: list[str] = []
    for model in models:
        try:
            if model.kind in OPENERS:
                voices.append(OPENERS[model.kind](model))
        except ConfigError as fault:
            faults += fault.findings
    faults += [text for voice in voices for text in _unmeasured(voice, known)]
    if faults:
        raise ConfigError(tuple(faults))
    return tuple(voices)


def open_zoo(
    models: Sequence[ModelSettings],
    universe: Universe,
    known: Sequence[str],
    tables: tuple[ScoreSource, ...] = (),
    *,
    live: bool = False,
) -> Zoo:
    """The models at their desks, beside tables of scores.

    `live`: answers are waited for no longer than their budget, in threads of their own. Without it
    every answer is waited for, and the same run comes out the same each time.
    """
    voices = open_models(models, known)
    return Zoo(universe, tuple(Beside(v) if live else AtOnce(v) for v in voices), tables)


def _unmeasured(voice: Voice, known: Sequence[str]) -> list[str]:
    """One sentence for each feature that nobody measures."""
    faults = []
    for need in voice.needs:
        if need not in known:
            near = difflib.get_close_matches(need, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known: {', '.join(known)}."
            faults.append(f"model {voice.name}: {need} is no feature of these bars. {hint}")
    return faults
