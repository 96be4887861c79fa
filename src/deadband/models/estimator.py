"""A scikit-learn estimator from a skops file: never unpickled, unknown types refused by name."""

from __future__ import annotations

import warnings
from typing import Any

from threadpoolctl import ThreadpoolController

from ..core.arrays import Floats
from ..core.model_settings import ModelSettings
from ..core.units import horizon_minutes
from .file import read_model_file, refusal
from .shell import Fault, contained
from .voice import Voice, by_row

EXTRA = "Install deadband[sklearn] to read skops files."
UNNAMED = "X does not have valid feature names"
"""How scikit-learn's warning begins."""


def open_estimator(model: ModelSettings) -> Voice:
    """Read a regressor; it predicts one number from the features of each name."""
    data, version = read_model_file(model, ".skops")
    estimator = _loaded(model, data)
    needs = _needs(model, estimator)
    threads = ThreadpoolController()

    def predict(rows: Floats) -> Any:
        # Trees are spread over OpenMP's threads, which costs more than it gives for so few rows.
        with threads.limit(limits=1, user_api="openmp"):
            return estimator.predict(rows)

    return Voice(
        name=model.name,
        version=version,
        unit=model.unit,
        horizon_min=horizon_minutes(model.horizon),
        needs=needs,
        score=by_row(predict, needs),
        budget_ms=model.budget_ms,
    )


def _loaded(model: ModelSettings, data: bytes) -> Any:
    try:
        from sklearn.base import is_regressor
        from skops import io
    except ImportError as fault:
        raise refusal(model, f"{fault}. {EXTRA}") from fault
    # The types that a file holds are told from its schema, before anything of it is made.
    found = contained(lambda: io.get_untrusted_types(data=data))
    if isinstance(found, Fault):
        raise refusal(model, f"{model.source} is no skops file ({found.text}).")
    unknown = sorted(set(found) - set(model.trusted))
    if unknown:
        listed = ", ".join(f'"{name}"' for name in [*model.trusted, *unknown])
        raise refusal(
            model,
            f"{model.source} holds types that are not known to be safe: {', '.join(unknown)}. "
            f"If you know them, and who made the file, write trusted = [{listed}].",
        )
    estimator = contained(lambda: io.loads(data, trusted=list(model.trusted)))
    if isinstance(estimator, Fault):
        raise refusal(model, f"{model.source} cannot be loaded ({estimator.text}).")
    if not is_regressor(estimator):
        raise refusal(
            model,
            f"{type(estimator).__name__} is no regressor: its prediction is no score. "
            "Wrap it in a python model that says what a class is worth.",
        )
    return estimator


def _needs(model: ModelSettings, estimator: Any) -> tuple[str, ...]:
    """The features in the order in which it was trained on them."""
    trained = tuple(str(name) for name in getattr(estimator, "feature_names_in_", ()))
    needs = model.features or trained
    if not needs:
        raise refusal(model, "does not know the names of its features. List them in features.")
    if trained and needs != trained:
        raise refusal(
            model,
            f"was trained on {', '.join(trained)}, in this order, and features lists "
            f"{', '.join(needs)}. Drop features: the file knows them.",
        )
    if trained:
        # Rows come without names, in the order that was just checked: that is no news.
        warnings.filterwarnings("ignore", UNNAMED, UserWarning)
    count = getattr(estimator, "n_features_in_", len(needs))
    if count != len(needs):
        raise refusal(model, f"was trained on {count} features, and {len(needs)} are listed.")
    return needs
