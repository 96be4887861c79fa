"""A model in Python: a class or a function by entry point, by module:name or by path.py:name."""

from __future__ import annotations

import difflib
import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from math import inf
from pathlib import Path
from types import ModuleType
from typing import Any

from ..core.errors import ConfigError
from ..core.model_settings import MODEL_UNITS, ModelSettings, content_version
from ..core.units import horizon_minutes
from .file import read_source, refusal, refuse_other_version
from .shell import Fault, contained
from .voice import Voice

GROUP = "deadband.models"
"""Entry points of this group are models by their name alone."""
CURE = "Name it as path/to/file.py:name or installed.module:name, and run it in Python alone first."


def open_python(model: ModelSettings) -> Voice:
    """Import a model and ask it what it states of itself; the configuration fills what it does not.

    A class is made without arguments and has `score(features)`; a function is that itself.
    """
    found = _found(model)
    made = _ran(model, found) if isinstance(found, type) else found
    score = getattr(made, "score", made)
    if not callable(score):
        raise refusal(
            model,
            f"{model.source} is a {type(made).__name__} and cannot be called. Name a "
            "function of features, or a class with a method score(features).",
        )
    stated = _stated(model, made)
    version = _version(model, made, found)
    refuse_other_version(model, version)
    return Voice(model.name, version, *stated, score, model.budget_ms)


def _found(model: ModelSettings) -> Any:
    place, _, name = model.source.rpartition(":")
    if not place:
        return _entry_point(model)
    module = _module_of_file(model, Path(place)) if place.endswith(".py") else _module(model, place)
    if not hasattr(module, name):
        near = difflib.get_close_matches(name, vars(module), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise refusal(model, f"{place} has no {name}.{hint}")
    return getattr(module, name)


def _entry_point(model: ModelSettings) -> Any:
    points = {point.name: point for point in entry_points(group=GROUP)}
    if model.source not in points:
        known = f"known: {', '.join(sorted(points))}" if points else "none is installed"
        raise refusal(
            model,
            f"there is no entry point {model.source} of {GROUP}; {known}. Install the package, or "
            "give path.py:name or module:name.",
        )
    return _ran(model, points[model.source].load)


def _module_of_file(model: ModelSettings, path: Path) -> ModuleType:
    source = read_source(model, path)
    name = f"deadband_model_{path.stem}_{content_version(source)}"
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    assert spec is not None, "a path that ends with .py is Python"
    module = module_from_spec(spec)
    code = _ran(model, lambda: compile(source, str(path), "exec"))
    # Known by name while it runs: dataclasses look their module up.
    sys.modules[name] = module
    try:
        _ran(model, lambda: exec(code, module.__dict__))
    except ConfigError:
        del sys.modules[name]
        raise
    return module


def _module(model: ModelSettings, name: str) -> ModuleType:
    module: ModuleType = _ran(model, lambda: import_module(name))
    return module


def _ran(model: ModelSettings, call: Callable[[], Any]) -> Any:
    """The outcome of the user's code, which may fail in any way while it is opened."""
    outcome = contained(call)
    if isinstance(outcome, Fault):
        raise refusal(model, f"{model.source} cannot be opened ({outcome.text}). {CURE}")
    return outcome


def _stated(model: ModelSettings, made: Any) -> tuple[str, float, tuple[str, ...]]:
    """Unit, horizon in minutes and features, from the model and the configuration together."""
    names = ("unit", "horizon_min", "needs")
    own = _ran(model, lambda: [getattr(made, name, None) for name in names])
    told_min = horizon_minutes(model.horizon, "horizon") if model.horizon else None
    unit = _agreed(model, "unit", model.unit or None, own[0])
    minutes = _agreed(model, "horizon", told_min, own[1])
    if unit not in MODEL_UNITS:
        raise refusal(model, f"states the unit {unit!r}, expected {', '.join(MODEL_UNITS)}.")
    if not (isinstance(minutes, int | float) and 0 < minutes < inf):
        raise refusal(model, f"states horizon_min {minutes!r}, expected minutes above 0.")
    if own[2] is not None and not _are_names(own[2]):
        raise refusal(model, f"states needs {own[2]!r}, expected names of features.")
    listed = None if own[2] is None else tuple(own[2])
    return unit, float(minutes), _agreed(model, "features", model.features or None, listed)


def _are_names(needs: Any) -> bool:
    return isinstance(needs, list | tuple) and all(isinstance(need, str) for need in needs)


def _agreed(model: ModelSettings, what: str, told: Any, stated: Any) -> Any:
    """What the configuration says or the model states; raises where both or neither speak."""
    if told is None and stated is None:
        raise refusal(model, f"does not state its {what}. Give {what} in its [[models]] table.")
    if told is not None and stated is not None and told != stated:
        raise refusal(
            model, f"states {what} {stated}, and the configuration says {told}. Drop {what} there."
        )
    return stated if told is None else told


def _version(model: ModelSettings, made: Any, found: Any) -> str:
    """What the model calls itself, and the beginning of the hash of the file it is written in."""
    path = Path(model.source.rpartition(":")[0])
    if path.suffix != ".py":
        written = contained(lambda: inspect.getsourcefile(found))
        path = Path(written) if isinstance(written, str) else Path()
    content = content_version(path.read_bytes()) if path.is_file() else ""
    return "+".join(part for part in (str(getattr(made, "version", "")), content) if part)
