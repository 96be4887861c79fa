"""Tells rows, days and symbols that are there twice."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ...core.ailments import Ailment
from ...core.arrays import Bools
from ...core.ports import Finding
from .chart import Chart
from .placing import Placed
from .rows import Rows, listed

REPEATED_NAMES = 0.5
REPEATED_BARS = 20
CLASS_SIGNS = str.maketrans("", "", " .-/_")
"""What stands before a class of shares, in one feed or another."""


def drop_doubles(rows: Rows, placed: Placed) -> Placed:
    """Count equal rows once, and leave contradicting ones out."""
    n = len(rows.symbols)
    key = (placed.session * 100_000 + placed.bar) * n + rows.name
    order = np.argsort(key, kind="stable")
    sorted_key = key[order]
    again = sorted_key[1:] == sorted_key[:-1]
    if not again.any():
        return placed
    same = np.zeros(len(key), dtype=np.bool_)
    same[order[1:]] = again
    doubled = np.isin(key, key[same])
    equal = np.ones(len(key), dtype=np.bool_)
    for column in rows.values.values():
        ordered = column[order]
        differs = (ordered[1:] != ordered[:-1]) & ~(np.isnan(ordered[1:]) & np.isnan(ordered[:-1]))
        equal[order[1:]] &= ~(differs & again)
    contradicting = np.isin(key, key[~equal])
    rows.note(Ailment.DATA_DOUBLED, same & ~contradicting)
    rows.note(Ailment.DATA_CONTRADICTING, contradicting)
    kept: Bools = ~(doubled & (same | contradicting))
    rows.keep(kept)
    return Placed(placed.session[kept], placed.bar[kept])


def find_repeated_days(chart: Chart) -> list[Finding]:
    """Days on which most names have an earlier day's bars."""
    order = np.argsort(chart.fingerprint, axis=0, kind="stable")
    ordered = np.take_along_axis(chart.fingerprint, order, axis=0)
    again = ordered[1:] == ordered[:-1]
    if not again.any():
        return []
    size = len(chart.days)
    pairs = np.bincount((order[1:] * size + order[:-1])[again], minlength=size * size)
    shared = pairs.reshape(size, size) / np.maximum(chart.traded.sum(axis=1), 1)[:, np.newaxis]
    twin = shared.argmax(axis=1)
    found = [
        f"{chart.days[d]} repeats {chart.days[twin[d]]} in {shared[d, twin[d]]:.0%} of the names"
        for d in np.flatnonzero(shared.max(axis=1) >= REPEATED_NAMES)
    ]
    return [Finding(Ailment.DATA_DAY_REPEATED, len(found), found[0])] if found else []


def find_repeated_symbols(chart: Chart) -> list[Finding]:
    """Symbols whose bars are, all over, those of a symbol before them."""
    bars = chart.bars.sum(axis=0)
    twins = defaultdict(list)
    for i, symbol in enumerate(chart.symbols):
        if bars[i] >= REPEATED_BARS:
            twins[chart.fingerprint[:, i].tobytes()].append(symbol)
    groups = [" = ".join(group) for group in twins.values() if len(group) > 1]
    count = sum(len(group) - 1 for group in twins.values())
    return [Finding(Ailment.DATA_SYMBOL_REPEATED, count, listed(groups))] if groups else []


def find_symbol_faults(symbols: tuple[str, ...]) -> list[Finding]:
    """Symbols that are badly written, or written in two ways."""
    odd = [symbol for symbol in symbols if symbol != symbol.strip().upper() or " " in symbol]
    plain = defaultdict(list)
    for symbol in symbols:
        plain[symbol.upper().translate(CLASS_SIGNS)].append(symbol)
    twice = [group for group in plain.values() if len(group) > 1]
    found = []
    if twice:
        pairs = [" = ".join(map(repr, group)) for group in twice]
        found.append(Finding(Ailment.DATA_SYMBOL_TWICE, len(twice), listed(pairs)))
    if odd:
        found.append(Finding(Ailment.DATA_SYMBOL_GLITCH, len(odd), listed([repr(s) for s in odd])))
    return found
