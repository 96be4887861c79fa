"""Reads a scores file into a table of what was stated when."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..core.ailments import Ailment
from ..core.arrays import Ints
from ..core.config import DataSettings
from ..core.errors import ConfigError, DataError
from ..core.model_settings import MODEL_UNITS, content_version
from ..core.ports import Finding
from ..core.seen import Universe
from ..core.units import BPS, horizon_minutes
from .score_table import ScoreTable
from .table import floats, labels, read_table, utc_nanoseconds


def read_scores(path: Path, universe: Universe, data: DataSettings) -> ScoreTable:
    """Read a scores file: asof (UTC), symbol, and the column the settings name.

    Raises ConfigError where the column's unit or horizon is not said.
    """
    column, unit, horizon_min = _meaning(path, data)
    table = read_table(path, ("asof", "symbol", column))
    asof = utc_nanoseconds(table, "asof", path)
    symbols, name = labels(table, "symbol", path)
    value = floats(table, column, path) * data.score_scale
    value = value * BPS if unit == "return" else value
    findings = []
    unknown = [symbol for symbol in symbols if symbol not in universe.index]
    if unknown:
        text = ", ".join(unknown[:5])
        findings.append(Finding(Ailment.DATA_SCORE_WITHOUT_BARS, len(unknown), text))
    place = np.array([universe.index.get(symbol, -1) for symbol in symbols], dtype=np.int64)[name]
    known = place >= 0
    if not known.any():
        raise DataError(
            f"{path} scores {len(symbols)} symbols, none of which has bars "
            f"({', '.join(symbols[:5])}). Are symbols spelled as in the bars?"
        )
    times, row = np.unique(asof[known], return_inverse=True)
    _refuse_doubles(path, times, row, place[known], universe)
    dense = np.full((len(times), len(universe)), np.nan)
    stated = np.zeros(dense.shape, dtype=np.bool_)
    dense[row, place[known]] = value[known]
    stated[row, place[known]] = True
    silent = universe.traded & ~stated.any(axis=0)
    if silent.any():
        names = [universe.symbols[i] for i in np.flatnonzero(silent)]
        findings.append(Finding(Ailment.DATA_BARS_WITHOUT_SCORE, len(names), ", ".join(names[:5])))
    broken = stated & ~np.isfinite(dense)
    if broken.any():
        row_, column_ = (int(k[0]) for k in np.nonzero(broken))
        first = f"{universe.symbols[column_]} {_text(times[row_])}"
        findings.append(Finding(Ailment.DATA_SCORE_NOT_FINITE, int(broken.sum()), first))
    return ScoreTable(
        universe=universe,
        model=path.stem,
        unit=unit,
        horizon_min=horizon_min,
        asof=times,
        value=dense,
        stated=stated,
        findings=tuple(findings),
        version=content_version(path.read_bytes()),
    )


def _meaning(path: Path, data: DataSettings) -> tuple[str, str, float]:
    """Which column, in which unit ("z", "return" or "rank"), over how many minutes."""
    faults = []
    if not data.score_column:
        faults.append(f"{path}: which column holds the score? Give --score-column or score_column.")
    if data.score_unit not in MODEL_UNITS:
        faults.append(
            f"{path}: the score's unit is {data.score_unit or 'not said'}. Give --score-unit z "
            "(already score / σ), bps (expected return) or rank (higher is better)."
        )
    if data.score_unit not in ("z", "rank") and not data.score_horizon:
        faults.append(f"{path}: bps over which time? Give --score-horizon, such as 30min.")
    try:
        horizon_min = horizon_minutes(data.score_horizon or "30min")
    except ConfigError as fault:
        faults += fault.findings
    if faults:
        raise ConfigError(tuple(faults))
    unit = "return" if data.score_unit == "bps" else data.score_unit
    return data.score_column, unit, horizon_min


def _refuse_doubles(path: Path, times: Ints, row: Ints, place: Ints, universe: Universe) -> None:
    key = row * len(universe) + place
    unique, counts = np.unique(key, return_counts=True)
    if len(unique) != len(key):
        at, name = divmod(int(unique[counts > 1][0]), len(universe))
        raise DataError(
            f"{path} states {len(key) - len(unique)} scores twice for one symbol and time "
            f"(first: {universe.symbols[name]} {_text(times[at])}). Keep one of each."
        )


def _text(ns: np.int64) -> str:
    minute = str(np.datetime64(int(ns), "ns").astype("datetime64[m]"))
    return f"{minute.replace('T', ' ')} UTC"
