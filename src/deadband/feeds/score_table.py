"""Scores in memory, served as they were known at an instant."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np

from ..core.ailments import Ailment
from ..core.arrays import Bools, Floats, Ints
from ..core.errors import DataError
from ..core.features import Features
from ..core.model_settings import MODEL_UNITS, content_version
from ..core.ports import Finding
from ..core.reasons import Code
from ..core.seen import NEVER_S, Scores, Universe
from ..core.units import BPS, epoch_ns


@dataclass(slots=True, eq=False)
class ScoreTable:
    """One model's scores (t, n) in memory; fulfils ports.ScoreSource.

    asof (t,) epoch nanoseconds, ascending; stated (t, n) says where a row was given, finite or not.
    `version` is the content's own where none is given.
    """

    universe: Universe
    model: str
    unit: str
    horizon_min: float
    asof: Ints
    value: Floats
    stated: Bools
    findings: tuple[Finding, ...] = ()
    version: str = ""
    _latest: Ints = field(init=False)

    def __post_init__(self) -> None:
        rows = np.arange(len(self.asof))[:, None]
        self._latest = np.maximum.accumulate(np.where(self.stated, rows, -1), axis=0)
        self.version = self.version or content_version(self.asof.tobytes() + self.value.tobytes())

    @property
    def needs(self) -> tuple[str, ...]:
        """Nothing has to be measured for scores that were stated."""
        return ()

    @classmethod
    def from_frame(
        cls, frame: Any, universe: Universe, unit: str, horizon_min: float, model: str = "frame"
    ) -> ScoreTable:
        """From a frame of scores: a row per instant (aware index), a column per symbol.

        `unit` is "z", "bps" of expected return over `horizon_min`, or "rank". NaN is a score that
        was not stated; columns the universe lacks are named in `findings`. pandas, or what looks
        like it.
        """
        zone = getattr(frame.index, "tz", None)
        if zone is None:
            raise DataError(
                "the index of the scores has no time zone. Localize it, to UTC for example: it "
                "says when each score may first be used."
            )
        if unit not in MODEL_UNITS:
            raise DataError(f"scores in {unit!r}, expected {', '.join(MODEL_UNITS)}.")
        if not (frame.index.is_monotonic_increasing and frame.index.is_unique):
            raise DataError("the scores are not in order of time, each time once. Sort them.")
        known = [str(symbol) for symbol in frame.columns if symbol in universe.index]
        unknown = [str(symbol) for symbol in frame.columns if symbol not in universe.index]
        value = np.full((len(frame), len(universe)), np.nan)
        place = [universe.index[symbol] for symbol in known]
        value[:, place] = frame[known].to_numpy(dtype=np.float64)
        asof = frame.index.tz_convert("UTC").as_unit("ns").asi8
        return cls(
            universe=universe,
            model=model,
            unit="return" if unit == "bps" else unit,
            horizon_min=horizon_min,
            asof=asof,
            value=value * BPS if unit == "bps" else value,
            stated=~np.isnan(value),
            findings=(Finding(Ailment.DATA_SCORE_WITHOUT_BARS, len(unknown), ", ".join(unknown)),)
            if unknown
            else (),
        )

    def at(self, now: datetime, features: Features | None = None) -> Scores:
        """The last score of each name stated at or before `now`, with its age."""
        now_ns = epoch_ns(now)
        row = int(np.searchsorted(self.asof, now_ns, side="right")) - 1
        n = len(self.universe)
        latest = self._latest[row] if row >= 0 else np.full(n, -1)
        known = latest >= 0
        place = np.maximum(latest, 0)
        value = np.where(known, self.value[place, np.arange(n)], 0.0) if row >= 0 else np.zeros(n)
        age = np.where(known, (now_ns - self.asof[place]) / 1e9, NEVER_S)
        finite = np.isfinite(value)
        defect = np.where(known, 0, Code.DATA_MISSING_SCORE.number)
        defect = np.where(known & ~finite, Code.DATA_NOT_FINITE.number, defect)
        return Scores(
            universe=self.universe,
            models=(self.model,),
            unit=(self.unit,),
            horizon_min=(self.horizon_min,),
            value=np.where(finite, value, 0.0)[None, :],
            age_s=age[None, :],
            defect=defect[None, :].astype(np.int16),
            version=(self.version,),
        )
