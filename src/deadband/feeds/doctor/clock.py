"""Tells days whose labels lie hours off, and bars labeled by their end.

1. A day's bars fill the session's grid only when moved by whole hours.
2. They fill it as they are (bars before the open and after the close do), but volume jumps up at
   another full hour than the open, or down at another than the close.
3. Whether all days are off, those on one side of a change of clocks, or single ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Bools, Floats, Ints
from ...core.ports import Finding
from ...core.session import EXCHANGE_ZONE
from .rows import HOUR_NS, MINUTE_NS, Grid, Rows

HALF_HOUR_NS = 30 * MINUTE_NS
SHIFTED_COVERAGE = 0.95
TRUE_COVERAGE = 0.9
MOST_HOURS = 8
LEAST_DAYS = 3
"""Days that have to agree before volume alone, or the labels' side, says something."""
QUIET_SHARE = 0.25
"""Most volume of a half hour outside the true session, as a share of the open's or close's."""
QUIET_MEAN = 0.2
"""Most volume of the hours outside the true session, as a share of the mean inside it."""
BUSY_EDGE = 0.5
"""Least volume of the half hour at the jump, as a share of the mean inside the true session."""
OPEN_SPIKE = 1.3
"""Least volume of the first true half hour, as a multiple of the second."""
MOST_DAYS = 0.5
END_LABEL_DAYS = 0.9
END_LABEL_NAMES = 0.5
U_DAYS = 5
U_SHARE = 0.5
FULL_DAY = 13
"""Half hours of a session that is no half-day."""
CLOCKS = (EXCHANGE_ZONE, ZoneInfo("Europe/London"))


def find_hours_off(rows: Rows, grid: Grid, volume: list[Floats]) -> Ints:
    """Sessions that are hours off, each said under its name; `volume` by half hours."""
    times = np.unique(rows.ts)
    hours = {p: _by_grid(times, grid, p) for p in range(len(grid.sessions))}
    for p, off in _by_volume(volume).items():
        hours[p] = hours[p] or off
    present = {p: off for p, off in hours.items() if off or volume[p].sum() > 0}
    off_days = {p: off for p, off in present.items() if off}
    if off_days:
        days = {p: grid.sessions[p].day for p in present}
        ailment = _diagnosis(present, days)
        for off in sorted(set(off_days.values())):
            _say(rows, ailment, off, [days[p] for p in sorted(off_days) if off_days[p] == off])
    return np.array(sorted(off_days), dtype=np.int64)


def note_end_labels(rows: Rows, grid: Grid, place: Ints) -> None:
    """Name files in which the last bar of each day stands at the close, and none at the open."""
    used = np.unique(place[place >= 0])
    if len(used) < LEAST_DAYS:
        return
    begins = np.isin(grid.opens[used], rows.ts) | ~np.isin(grid.opens[used] + grid.step, rows.ts)
    at_close = (place >= 0) & (rows.ts == grid.closes[np.maximum(place, 0)])
    names = np.bincount(place[at_close], minlength=len(grid.sessions))[used]
    by_end = ~begins & (names >= END_LABEL_NAMES * len(rows.symbols))
    if by_end.mean() >= END_LABEL_DAYS:
        first = grid.sessions[int(used[by_end][0])].day
        minutes = grid.step / MINUTE_NS
        example = f"{first}, first bar {minutes:g} min after the open, last at the close"
        rows.findings.append(Finding(Ailment.DATA_END_LABELS, int(by_end.sum()), example))


def note_flat_profile(rows: Rows, grid: Grid, volume: list[Floats]) -> None:
    """Name a file whose volume is least where it should be most."""
    used = [p for p, day in enumerate(volume) if len(day) == FULL_DAY and day.sum() > 0]
    if len(used) < U_DAYS:
        return
    full = [volume[p] / volume[p].mean() for p in used]
    profile = np.median(full, axis=0)
    middle = float(profile[2:-2].mean())
    if max(profile[0], profile[-1]) < U_SHARE * middle:
        example = (
            f"{grid.sessions[used[0]].day} to {grid.sessions[used[-1]].day}, "
            f"open {profile[0] / middle:.0%} and close {profile[-1] / middle:.0%} of the middle"
        )
        rows.findings.append(Finding(Ailment.DATA_NO_U_SHAPE, len(full), example))


def _say(rows: Rows, ailment: Ailment, hours: int, days: list[date]) -> None:
    side = "late" if hours > 0 else "early"
    span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
    rows.findings.append(Finding(ailment, len(days), f"{span}, {abs(hours)} h {side}"))


def _diagnosis(hours: Mapping[int, int], days: Mapping[int, date]) -> Ailment:
    """What days off by `hours` mean together; sessions by their number."""
    order = sorted(hours)
    turns = [
        _clocks_change(days[a], days[b])
        for a, b in zip(order, order[1:], strict=False)
        if hours[a] != hours[b]
    ]
    seen = set(hours.values())
    if 0 in seen and seen <= {0, 1} | {0, -1} and len(seen) == 2 and turns and all(turns):
        return Ailment.DATA_DST_MISMATCH
    off = sum(1 for each in hours.values() if each)
    if off > MOST_DAYS * len(hours):
        return Ailment.DATA_WRONG_ZONE
    return Ailment.DATA_HOURS_OFF


def _clocks_change(before: date, after: date) -> bool:
    noon = time(12)
    return any(
        datetime.combine(before, noon, zone).utcoffset()
        != datetime.combine(after, noon, zone).utcoffset()
        for zone in CLOCKS
    )


def _by_grid(times: Ints, grid: Grid, place: int) -> int:
    """By how many hours a day's times have to be moved back to fill the grid; 0: they need not."""
    starts = grid.starts(place)
    reach = MOST_HOURS * HOUR_NS
    near = times[slice(*np.searchsorted(times, [starts[0] - reach, starts[-1] + reach]).tolist())]
    true = np.isin(starts, near).mean()
    if true >= TRUE_COVERAGE or true == 0.0:
        return 0
    choices = [h for h in range(-MOST_HOURS, MOST_HOURS + 1) if h]
    moved = {h: float(np.isin(starts + h * HOUR_NS, near).mean()) for h in choices}
    best = max(moved, key=lambda h: (moved[h], -abs(h)))
    # Bars before the open and after the close fill moved grids too, and leave much beside them.
    fits = moved[best] >= SHIFTED_COVERAGE and (
        np.isin(near, starts + best * HOUR_NS).mean() >= SHIFTED_COVERAGE
    )
    return best if fits else 0


def half_hours(rows: Rows, grid: Grid, place: Ints, inside: Bools) -> list[Floats]:
    """Volume of all names in each half hour of each session."""
    slots = np.ceil((grid.closes - grid.opens) / HALF_HOUR_NS).astype(np.int64)
    begins = np.concatenate([[0], np.cumsum(slots)])
    mine = place[inside]
    slot = (rows.ts[inside] - grid.opens[mine]) // HALF_HOUR_NS
    volume = rows.values["volume"][inside]
    total = np.bincount(begins[mine] + slot, weights=volume, minlength=int(begins[-1]))
    return np.split(total, begins[1:-1])


def _by_volume(volume: list[Floats]) -> dict[int, int]:
    """Hours off by session where volume says so on enough days."""
    said = {p: _jump(day) for p, day in enumerate(volume)}
    counts = np.bincount([hours + MOST_HOURS for hours in said.values()])
    return {
        p: hours for p, hours in said.items() if hours and counts[hours + MOST_HOURS] >= LEAST_DAYS
    }


def _jump(slots: Floats) -> int:
    """Hours by which the session's volume starts late (+) or ends early (−); 0 where neither."""
    if slots.sum() <= 0:
        return 0
    for hours in range(1, len(slots) // 2):
        k = 2 * hours
        if len(slots) < k + 2:
            break
        if _is_quiet(slots[:k], slots[k:], slots[k]) and slots[k] >= OPEN_SPIKE * slots[k + 1]:
            return hours
        if _is_quiet(slots[-k:], slots[:-k], slots[-k - 1]):
            return -hours
    return 0


def _is_quiet(outside: Floats, inside: Floats, edge: float) -> bool:
    busy = edge > BUSY_EDGE * inside.mean()
    quiet = outside.max() < QUIET_SHARE * edge and outside.mean() < QUIET_MEAN * inside.mean()
    return bool(busy and quiet)
