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
    out = [_out(chart, d, liquid) for d in range(len(chart.days))]
    return [
        *_outages(chart, out),
        *_halts(chart, out, steadiness),
        *_gone(chart),
        *_missing_sessions(chart, liquid),
        *_illiquid(chart, chart.coverage),
    ]


def _out(chart: Chart, d: int, liquid: Bools) -> Bools:
    """Bars (b,) of a day in which the feed was out."""
    alive = liquid & (chart.first <= d) & (d <= chart.last)
    names = int(alive.sum())
    if names < OUT_NAMES:
        return np.zeros(int(chart.length[d]), dtype=np.bool_)
    present = np.isfinite(chart.tables[d].close[:, alive]).sum(axis=1)
    out: Bools = present <= OUT_SHARE * names
    return out


def _outages(chart: Chart, out: list[Bools]) -> list[Finding]:
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
    return [Finding(Ailment.DATA_VENDOR_OUTAGE, count, text)]


def _halts(chart: Chart, out: list[Bools], steadiness: Floats) -> list[Finding]:
    steady = np.flatnonzero(steadiness >= HALT_LIQUID)
    least = _least_halt(chart, steadiness)
    found = []
    for d, table in enumerate(chart.tables):
        full = chart.length[d] - int(out[d].sum())
        # A halt leaves a name with at least so many bars fewer than the others.
        short = steady[
            (chart.bars[d, steady] <= full - least[steady]) & (chart.bars[d, steady] > 0)
        ]
        for name in short.tolist():
            silent = ~np.isfinite(table.close[:, name])
            for begin, end in _runs(silent):
                length = end - begin - int(out[d][begin:end].sum())
                inner = begin > 0 and end < len(silent)
                if inner and length >= least[name]:
                    minutes = (end - begin) * chart.bar_min
                    found.append(
                        f"{chart.symbols[name]} {_clock(chart, d, begin)} for {minutes:g} min"
                    )
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
