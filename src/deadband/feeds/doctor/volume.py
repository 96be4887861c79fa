"""Tells volumes that change their meaning overnight, and bars that no trade made."""

from __future__ import annotations

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Floats
from ...core.ports import Finding
from .chart import Chart
from .placing import Placed
from .rows import Rows, listed

FALL = 0.25
"""Overnight volume ratio under which it is not the market that got quieter."""
AROUND = 5
"""Days before and after a night whose median confirms it."""
MOST_NAMES = 0.8
LEAST_NAMES = 3
"""One or two names can change overnight, whatever the feed."""
NIGHT_DAYS = 5
"""Days between two sessions that still make a night."""
BEGUN = 0.5
"""Share of a session's bars under which a day says nothing of a usual bar: its open is loud."""
UNITS = (100.0, 1000.0)
UNIT_TOLERANCE = 1.6
UNIT_SPREAD = 0.6


def drop_filled(rows: Rows, placed: Placed) -> Placed:
    """Leave out flat bars without volume, and name what else has none."""
    volume = rows.values["volume"]
    none = volume == 0
    if not none.any():
        return placed
    with_any = np.bincount(rows.name, weights=volume, minlength=len(rows.symbols)) > 0
    has_rows = np.bincount(rows.name, minlength=len(rows.symbols)) > 0
    silent = [rows.symbols[i] for i in np.flatnonzero(has_rows & ~with_any)]
    if silent:
        rows.findings.append(Finding(Ailment.DATA_NO_VOLUME, len(silent), listed(silent)))
    flat = rows.flat
    filled = none & flat & with_any[rows.name]
    rows.note(Ailment.DATA_FILLED, filled)
    rows.note(Ailment.DATA_RANGE_NO_VOLUME, none & ~flat & with_any[rows.name])
    rows.keep(~filled)
    return Placed(placed.session[~filled], placed.bar[~filled])


def find_volume_breaks(chart: Chart) -> list[Finding]:
    """Nights after which most names trade a small share, or a large multiple, of before."""
    # By the bar: a half-day, or a last day that is still going on, is no other feed.
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(chart.volume > 0, np.log(chart.volume / chart.bars), np.nan)
    begun = np.median(chart.bars, axis=1) < BEGUN * chart.length
    venue: list[str] = []
    units: list[str] = []
    for night in range(1, len(logs)):
        apart = (chart.days[night] - chart.days[night - 1]).days > NIGHT_DAYS
        if apart or begun[night] or begun[night - 1]:
            continue
        moved = _moved(logs, night)
        if moved is None:
            continue
        ratio = float(np.exp(np.median(moved)))
        spread = float(np.median(np.abs(moved - np.median(moved))))
        text = f"{chart.days[night]}: volume {ratio:.3g} times that of before"
        text += f" for {len(moved)} names"
        (units if _is_unit(ratio, spread) else venue).append(text)
    pairs = ((Ailment.DATA_ONE_VENUE, venue), (Ailment.DATA_VOLUME_UNITS, units))
    return [Finding(ailment, len(said), "; ".join(said[:2])) for ailment, said in pairs if said]


def _moved(logs: Floats, night: int) -> Floats | None:
    """Log volume ratios of the names over a night that breaks volume, or None."""
    overnight = logs[night] - logs[night - 1]
    both = np.isfinite(overnight)
    if both.sum() < LEAST_NAMES or abs(np.median(overnight[both])) < -np.log(FALL):
        return None
    before = np.nanmedian(logs[max(0, night - AROUND) : night][:, both], axis=0)
    after = np.nanmedian(logs[night : night + AROUND][:, both], axis=0)
    lasting = after - before
    side = np.sign(np.median(overnight[both]))
    far = (side * overnight[both] > -np.log(FALL)) & (side * lasting > -np.log(FALL))
    return lasting if far.mean() >= MOST_NAMES else None


def _is_unit(ratio: float, spread: float) -> bool:
    off = [abs(abs(np.log(ratio)) - np.log(unit)) for unit in UNITS]
    return min(off) < np.log(UNIT_TOLERANCE) and spread < UNIT_SPREAD
