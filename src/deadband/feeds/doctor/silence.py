"""Tells a feed that is out from a halted name, one that is gone, and one that seldom trades."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Bools, Floats, Ints
from ...core.ports import Finding
from ...core.session import session_on
from .chart import Chart
from .rows import listed

LIQUID = 0.9
"""Share of its days' bars from which a name's silence says something; its worst day aside."""
OUT_SHARE = 0.1
OUT_NAMES = 3
PART_SHARE = 0.05
PART_NAMES = 5
PART_MIN = 5
PART_SIGMAS = 6.0
"""How far the names missing from a bar are beyond what they usually are."""
NORM_DAYS = 5
"""Days from which what a bar of the day usually lacks can be told."""
HALT_LIQUID = 0.98
HALT_BARS = 2
HALT_MIN = 10
HALT_CHANCE = 1e-4
"""Most halts a name may be expected to show by its usual gaps alone."""
GONE_DAYS = 2
CALENDAR_NAMES = 0.5
ILLIQUID = 0.5


def find_silence(chart: Chart) -> list[Finding]:
    """Every silence under the name of its likeliest cause."""
    steadiness = chart.steadiness
    liquid = steadiness >= LIQUID
    out = _out(chart, liquid)
    part = _part(chart, steadiness, out)
    blind = [np.logical_or(*bars) for bars in zip(out, part, strict=True)]
    return [
        *_outages(chart, Ailment.DATA_VENDOR_OUTAGE, out),
        *_outages(chart, Ailment.DATA_PARTIAL_OUTAGE, part),
        *_halts(chart, blind, steadiness),
        *_gone(chart),
        *_missing_sessions(chart, liquid),
        *_illiquid(chart, chart.coverage),
    ]


def _out(chart: Chart, liquid: Bools) -> list[Bools]:
    """Bars (b,) of each day in which the feed was out for all."""
    counts = [_missing(chart, d, liquid) for d in range(len(chart.days))]
    return [(lost >= (1 - OUT_SHARE) * names) & (names >= OUT_NAMES) for names, lost in counts]


def _part(chart: Chart, steadiness: Floats, out: list[Bools]) -> list[Bools]:
    """Bars (b,) of each day in which the feed lost many names, but not all."""
    steady = steadiness >= HALT_LIQUID
    usual = float((1 - steadiness[steady]).sum())
    fewest = max(PART_NAMES, usual + PART_SIGMAS * usual**0.5)
    counts = [_missing(chart, d, steady) for d in range(len(chart.days))]
    # Some names open a minute late every day: what a bar always lacks, it has not lost.
    norm = {length: _usual_missing(counts, length) for length in set(chart.length.tolist())}
    least = int(np.ceil(PART_MIN / chart.bar_min))
    return [
        _lasting((lost - norm[len(lost)] >= max(fewest, PART_SHARE * names)) & ~bars, least)
        for (names, lost), bars in zip(counts, out, strict=True)
    ]


def _lasting(flags: Bools, least: int) -> Bools:
    """The flags that stand in stretches of at least that many."""
    lasting = np.zeros_like(flags)
    for begin, end in _runs(flags):
        lasting[begin:end] = end - begin >= least
    return lasting


def _missing(chart: Chart, d: int, which: Bools) -> tuple[int, Ints]:
    """How many of these names are alive on a day, and how many of them each bar (b,) lacks."""
    alive = which & chart.traded[d]
    missing: Ints = (~np.isfinite(chart.tables[d].close[:, alive])).sum(axis=1)
    return int(alive.sum()), missing


def _usual_missing(counts: list[tuple[int, Ints]], length: int) -> Floats:
    """Median over the days of that length of what each bar (b,) lacks; 0 where days are few."""
    days = [missing for _, missing in counts if len(missing) == length]
    if len(days) < NORM_DAYS:
        return np.zeros(length)
    norm: Floats = np.median(days, axis=0)
    return norm


def _outages(chart: Chart, ailment: Ailment, out: list[Bools]) -> list[Finding]:
    stretches = [
        f"{_clock(chart, d, begin)} to {_clock(chart, d, end)}"
        for d, bars in enumerate(out)
        for begin, end in _runs(bars)
    ]
    if not stretches:
        return []
    days = sum(1 for bars in out if bars.any())
    count = sum(int(bars.sum()) for bars in out)
    text = f"{len(stretches)} stretches on {days} days: {listed(stretches)}"
    return [Finding(ailment, count, text)]


def _halts(chart: Chart, blind: list[Bools], steadiness: Floats) -> list[Finding]:
    """Silences of one name; bars in which the feed lost many are not counted as silent."""
    steady = np.flatnonzero(steadiness >= HALT_LIQUID)
    least = _least_halt(chart, steadiness)
    found = []
    for d, table in enumerate(chart.tables):
        # A halt leaves a name with at least so many bars fewer than the others.
        most = chart.length[d] - least[steady]
        short = steady[(chart.bars[d, steady] <= most) & (chart.bars[d, steady] > 0)]
        for name in short.tolist():
            silent = ~np.isfinite(table.close[:, name])
            for begin, end in _runs(silent):
                length = end - begin - int(blind[d][begin:end].sum())
                inner = begin > 0 and end < len(silent)
                if inner and length >= least[name]:
                    minutes = (end - begin) * chart.bar_min
                    at = _clock(chart, d, begin)
                    found.append(f"{chart.symbols[name]} {at} for {minutes:g} min")
    return [Finding(Ailment.DATA_HALT, len(found), listed(found))] if found else []


def _least_halt(chart: Chart, steadiness: Floats) -> Ints:
    """Bars (n,) in a row that a name has to miss before it is no gap like its others."""
    shortest = max(HALT_BARS, int(np.ceil(HALT_MIN / chart.bar_min)))
    bars = chart.length.sum()
    missing = np.clip(1 - steadiness, 1 / bars, 0.5)
    # Gaps of the length L come by chance missing^L times a bar.
    rare = np.ceil(np.log(HALT_CHANCE / bars) / np.log(missing))
    least: Ints = np.maximum(shortest, rare).astype(np.int64)
    return least


def _gone(chart: Chart) -> list[Finding]:
    """Names whose last silence reaches the end and is longer than any before it."""
    ended = len(chart.days) - 1 - chart.last
    names = np.flatnonzero((ended >= GONE_DAYS) & chart.traded.any(axis=0))
    gone = [i for i in names.tolist() if ended[i] > _longest_gap(chart.traded[:, i])]
    if not gone:
        return []
    text = listed([f"{chart.symbols[i]} after {chart.days[chart.last[i]]}" for i in gone])
    return [Finding(Ailment.DATA_DELISTED, len(gone), text)]


def _longest_gap(traded: Bools) -> int:
    days = np.flatnonzero(traded)
    return int(np.diff(days).max() - 1) if len(days) > 1 else 0


def _missing_sessions(chart: Chart, liquid: Bools) -> list[Finding]:
    d = np.arange(len(chart.days))[:, np.newaxis]
    missing = ~chart.traded & (chart.first <= d) & (d <= chart.last) & liquid
    most = CALENDAR_NAMES * max(1, int(liquid.sum()))
    missing[missing.sum(axis=1) > most] = False
    days, names = np.nonzero(missing)
    if not len(days):
        return []
    text = listed([f"{chart.symbols[n]} {chart.days[k]}" for k, n in zip(days, names, strict=True)])
    return [Finding(Ailment.DATA_MISSING_SESSIONS, len(days), text)]


def _illiquid(chart: Chart, coverage: Floats) -> list[Finding]:
    few = np.flatnonzero((coverage < ILLIQUID) & chart.traded.any(axis=0))
    if not len(few):
        return []
    text = listed([f"{chart.symbols[i]} in {coverage[i]:.0%}" for i in few.tolist()])
    return [Finding(Ailment.DATA_ILLIQUID, len(few), text)]


def _runs(flags: Bools) -> list[tuple[int, int]]:
    """Stretches [begin, end) of true flags."""
    edges: Ints = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _clock(chart: Chart, d: int, bar: int) -> str:
    session = session_on(chart.days[d])
    assert session is not None, "charts are drawn of sessions"
    at = session.open + timedelta(minutes=bar * chart.bar_min)
    return f"{at:%Y-%m-%d %H:%M} UTC"
