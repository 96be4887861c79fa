"""What a configuration says of each model, and what cannot be meant by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite

from .errors import ConfigError
from .units import horizon_minutes

KINDS = ("reference", "python", "sklearn", "onnx", "scores")
MODEL_UNITS = ("z", "bps", "rank")
FILES = ("sklearn", "onnx", "scores")
"""Kinds whose source is a file that says nothing of itself: unit and horizon have to be stated."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """One model of the zoo, a `[[models]]` table each; they vote together."""

    name: str = ""
    """What the model is called in the journal; each name once."""
    kind: str = ""
    """reference, python, sklearn (a skops file), onnx, or scores (a file of scores)."""
    source: str = ""
    """A file; for python path.py:name, module:name or an entry point; for reference its name."""
    unit: str = ""
    """z, bps of expected return over horizon, or rank; python models may state it themselves."""
    horizon: str = ""
    """What the scores look ahead to, such as 30min or 1d; likewise."""
    features: tuple[str, ...] = ()
    """Features that the model reads, in its order; likewise."""
    version: str = ""
    """The version that is expected, or its beginning; another one is refused. Empty: any."""
    budget_ms: float = 1000.0
    """Time for an answer in a live cycle; in a backtest every answer is waited for."""
    trusted: tuple[str, ...] = ()
    """Types that a skops file may hold beside those that skops trusts."""
    column: str = ""
    """Column of a scores file to use."""
    scale: float = 1.0
    """The scores of a file are multiplied by this; for studies."""


def content_version(data: bytes) -> str:
    """The version of a file: the beginning of its SHA-256, as `sha256sum` prints it."""
    return sha256(data).hexdigest()[:16]


def model_faults(models: Sequence[ModelSettings]) -> Iterator[str]:
    """One sentence for each thing that cannot be meant, with its cure."""
    names = Counter(model.name for model in models)
    twice = sorted(name for name, count in names.items() if name and count > 1)
    if twice:
        yield f"more than one model is called {', '.join(twice)}. Give each its own name."
    for number, model in enumerate(models, start=1):
        yield from _faults(model, f"models[{model.name or number}]")


def _faults(model: ModelSettings, where: str) -> Iterator[str]:
    if not model.name:
        yield f"{where} has no name. Give it one: the journal calls it so."
    if model.kind not in KINDS:
        yield f"{where}.kind is {model.kind!r}, expected one of: {', '.join(KINDS)}."
    if not model.source:
        yield f"{where}.source is not given. {_what_source(model.kind)}"
    if model.unit and model.unit not in MODEL_UNITS:
        yield f"{where}.unit is {model.unit!r}, expected one of: {', '.join(MODEL_UNITS)}."
    if model.kind in FILES:
        yield from _unsaid(model, where)
    if model.kind == "reference" and (model.unit or model.horizon or model.features):
        yield f"{where}: a reference model states its unit, horizon and features. Drop them here."
    if model.horizon:
        try:
            horizon_minutes(model.horizon, f"{where}.horizon")
        except ConfigError as fault:
            yield from fault.findings
    if not model.budget_ms > 0:
        yield f"{where}.budget_ms={model.budget_ms:g} has to be above zero."
    if not isfinite(model.scale):
        yield f"{where}.scale is {model.scale}. Write a number."
    if model.trusted and model.kind != "sklearn":
        yield f"{where}.trusted is for skops files alone. Drop it."
    if model.column and model.kind != "scores":
        yield f"{where}.column is for files of scores alone. Drop it."


def _unsaid(model: ModelSettings, where: str) -> Iterator[str]:
    """A file of numbers does not say what they mean."""
    if not model.unit:
        yield f"{where}.unit is not said. Is it z, bps of expected return, or rank?"
    if not model.horizon:
        yield f"{where}.horizon is not said: over which time? Such as 30min."
    if model.kind == "scores" and not model.column:
        yield f"{where}.column is not given. Which column of the file holds the score?"
    if model.kind == "onnx" and not model.features:
        yield f"{where}.features is empty. List the model's inputs, in its order."


def _what_source(kind: str) -> str:
    return {
        "reference": "Name a model of the reference zoo.",
        "python": "Give path.py:name, module:name or an entry point of deadband.models.",
        "sklearn": "Give the .skops file.",
        "onnx": "Give the .onnx file.",
        "scores": "Give the scores file.",
    }.get(kind, "Say where the model is.")
