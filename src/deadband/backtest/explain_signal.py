"""Where a name's score came from: models' votes, horizons' parts, and what each weighed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..core.reasons import BY_NUMBER, Code
from ..core.skill import HorizonWeight, ModelWeight
from ..core.types import CycleRecord
from ..core.units import BPS

Fact = tuple[str, str]


def signal_facts(record: CycleRecord, name: int) -> list[Fact]:
    """(what, value) of the score, of the risk it is scaled by, and of all votes behind it."""
    return [*_scale(record, name), *_votes(record, name), *_horizons(record, name)]


def _scale(record: CycleRecord, name: int) -> Iterator[Fact]:
    signal, risk = record.signal, record.risk
    if signal.defect[name]:
        said = BY_NUMBER[int(signal.defect[name])].value
    else:
        said = f"{_in(signal.unit, signal.score[name])} over {signal.horizon_min:g} min"
    yield "score", said
    if risk.sigma is not None:
        yield f"σ over {risk.horizon_min:g} min, bps", f"{float(risk.sigma[name]) / BPS:.1f}"
    if risk.beta is not None:
        yield "β", f"{float(risk.beta[name]):.2f}"


def _votes(record: CycleRecord, name: int) -> Iterator[Fact]:
    """What each model said of the name, how old that is, what it weighed, and why."""
    scores, oldest = record.seen.scores, float(record.signal.age_s[name])
    by_model = {one.model: one for one in record.signal.skill.weights}
    for m, model in enumerate(scores.models):
        age, defect = float(scores.age_s[m, name]), int(scores.defect[m, name])
        if defect:
            said = BY_NUMBER[defect].value
        elif age > oldest or record.signal.defect[name]:
            # The oldest vote that counted is younger, so age took this one's away.
            said = f"{Code.DATA_STALE_SCORE}, {age / 60.0:.0f} min old"
        else:
            said = f"{_in(scores.unit[m], scores.value[m, name])}, {age / 60.0:.0f} min old"
        troubles = [trouble.text for trouble in scores.troubles if trouble.model == model]
        said += f" [{'; '.join(troubles)}]" if troubles else ""
        version = scores.version[m] or "unknown"
        yield f"vote of {model}", f"{said} × {_model(by_model[model])}, version {version}"


def _model(one: ModelWeight) -> str:
    words: list[str] = [one.why]
    if not np.isnan(one.ic):
        words.append(f"IC {one.ic:+.3f} ± {one.error:.3f} of {one.outcomes:.0f} outcomes")
    if not np.isnan(one.recent):
        words.append(f"{one.recent:+.3f} of late")
    words.append(f"credited {one.skill:+.3f}")
    if one.alike >= 0.005:
        words.append(f"{one.alike:.0%} given up to models alike")
    if abs(one.aim - one.weight) >= 0.005:
        words.append(f"on its way to {one.aim:.2f}")
    return f"{one.weight:.2f} ({', '.join(words)})"


def _horizons(record: CycleRecord, name: int) -> Iterator[Fact]:
    """What each horizon adds to the score, what it weighs and why, and whether they disagree."""
    signal = record.signal
    added = signal.by_horizon[:, name]
    for one, part in zip(signal.skill.horizons, added, strict=True):
        yield f"horizon {one.horizon_min:g} min", f"{_in(signal.unit, part)} {_horizon(one)}"
    if (added > 0.0).any() and (added < 0.0).any():
        said = ", ".join(
            f"{one.horizon_min:g} min {_in(signal.unit, part)}"
            for one, part in zip(signal.skill.horizons, added, strict=True)
        )
        net = _in(signal.unit, signal.score[name])
        yield "conflict", f"{Code.HORIZON_CONFLICT}: {said}; net {net}"


def _horizon(one: HorizonWeight) -> str:
    words: list[str] = [
        one.why,
        f"half-life {one.half_life_min:.0f} min",
        f"held {one.holding_min:.0f} min",
    ]
    if not np.isnan(one.earned_bps):
        words.append(f"earns {one.earned_bps:.1f} bps against {one.paid_bps:.1f} bps to trade")
    return f"× {one.weight:.2f} ({', '.join(words)})"


def _in(unit: str, value: float) -> str:
    """A score in the words of its unit."""
    if unit == "return":
        return f"{float(value) / BPS:+.4g} bps"
    return f"{float(value):+.4g} {'σ' if unit == 'z' else 'by rank'}"
