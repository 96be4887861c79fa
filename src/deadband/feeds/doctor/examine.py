"""The examination of laid-out bars: every look in turn, the worst finding first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from ...core.ailments import SEVERITIES
from ...core.ports import Finding
from ..tape import DayBars
from .adjustment import find_adjustment, find_survivors
from .chart import draw_chart
from .copies import find_repeated_days, find_repeated_symbols, find_symbol_faults
from .prints import find_frozen, find_spikes
from .silence import find_silence
from .volume import find_volume_breaks


def examine(
    symbols: tuple[str, ...], bar_min: float, days: Mapping[date, DayBars]
) -> tuple[Finding, ...]:
    """Everything that laid-out bars (symbols in the columns of `days`) show to be wrong."""
    chart = draw_chart(symbols, bar_min, days)
    return (
        *find_symbol_faults(symbols),
        *find_repeated_days(chart),
        *find_repeated_symbols(chart),
        *find_volume_breaks(chart),
        *find_silence(chart),
        *find_frozen(chart),
        *find_spikes(chart),
        *find_adjustment(chart),
        *find_survivors(len(chart.days), chart.traded),
    )


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Errors, then warnings, then notes; otherwise in the order they were found."""
    return tuple(sorted(findings, key=lambda found: SEVERITIES.index(found.ailment.severity)))
