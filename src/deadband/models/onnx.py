"""An ONNX file run by onnxruntime: on one thread, on the processor, the same each time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.arrays import Floats
from ..core.model_settings import ModelSettings
from ..core.units import horizon_minutes
from .file import read_model_file, refusal
from .shell import Fault, contained
from .voice import Voice, by_row

EXTRA = "Install deadband[onnx] to run ONNX files."
DTYPES: dict[str, Any] = {"tensor(float)": np.float32, "tensor(double)": np.float64}
FATAL = 4
"""onnxruntime's level of logging at which it says nothing of its own."""


def open_onnx(model: ModelSettings) -> Voice:
    """Read a graph with one input of rows (n, k) and as its first output a number for each row."""
    data, version = read_model_file(model, ".onnx")
    session = _session(model, data)
    name, dtype = _input(model, session)
    output = session.get_outputs()[0].name

    def predict(rows: Floats) -> Any:
        return session.run([output], {name: rows.astype(dtype)})[0]

    return Voice(
        name=model.name,
        version=version,
        unit=model.unit,
        horizon_min=horizon_minutes(model.horizon),
        needs=model.features,
        score=by_row(predict, model.features),
        budget_ms=model.budget_ms,
    )


def _session(model: ModelSettings, data: bytes) -> Any:
    try:
        import onnxruntime as ort
    except ImportError as fault:
        raise refusal(model, f"{fault}. {EXTRA}") from fault
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = FATAL
    providers = ["CPUExecutionProvider"]
    session = contained(lambda: ort.InferenceSession(data, options, providers=providers))
    if isinstance(session, Fault):
        raise refusal(model, f"{model.source} is no model that onnxruntime runs ({session.text}).")
    return session


def _input(model: ModelSettings, session: Any) -> tuple[str, Any]:
    """The name of the one input and its dtype; raises where it does not take the features."""
    inputs, output = session.get_inputs(), session.get_outputs()[0]
    if len(inputs) != 1:
        raise refusal(model, f"has {len(inputs)} inputs, expected one of rows of features.")
    (rows,) = inputs
    if rows.type not in DTYPES or output.type not in DTYPES:
        raise refusal(
            model,
            f"maps {rows.type} to {output.type}, expected float or double both. "
            "Export a regressor, not a classifier.",
        )
    if len(rows.shape) != 2 or rows.shape[1] not in (len(model.features), None):
        raise refusal(
            model,
            f"takes rows of shape {rows.shape}, and {len(model.features)} features are listed.",
        )
    return rows.name, DTYPES[rows.type]
