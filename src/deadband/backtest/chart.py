"""Small line charts as inline SVG, so that a report is one file that opens anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 860, 230
LEFT, RIGHT, TOP, BOTTOM = 74, 14, 12, 26
LABEL = 40
"""Width of a label on the time axis."""
COLORS = ("#1f5fa8", "#c2571a", "#3b8f4a", "#8a4fb0")
MOST_POINTS = 1200


@dataclass(frozen=True, slots=True)
class Line:
    """A named series; `bound` draws a dashed line, and one at its negative when `mirrored`."""

    name: str
    values: Sequence[float]
    bound: float | None = None
    mirrored: bool = False


def line_chart(labels: Sequence[str], lines: Sequence[Line], unit: str) -> str:
    """An SVG of one or more lines over equally spaced labels; `unit` is "usd" or "percent"."""
    levels = [v for line in lines for v in line.values]
    levels += [line.bound for line in lines if line.bound is not None]
    levels += [-line.bound for line in lines if line.bound is not None and line.mirrored]
    low, high = _padded(min(levels), max(levels))
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(", ".join(line.name for line in lines))}">'
    ]
    parts += [_grid(value, low, high, unit) for value in _ticks(low, high)]
    parts += _days(labels)
    for color, line in zip(COLORS, lines, strict=False):
        bounds = [] if line.bound is None else [line.bound]
        bounds += [-b for b in bounds if line.mirrored]
        for bound in bounds:
            y = _y(bound, low, high)
            parts.append(
                f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="{color}" stroke-dasharray="5 4" opacity="0.7"/>'
            )
        parts.append(_path(line.values, low, high, color))
    parts.append("</svg>")
    return "".join(parts) + _legend(lines)


def _padded(low: float, high: float) -> tuple[float, float]:
    margin = (high - low) * 0.06 or max(abs(high) * 0.01, 1e-6)
    return low - margin, high + margin


def _y(value: float, low: float, high: float) -> float:
    return TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _x(place: float, count: int) -> float:
    return LEFT + place / max(count - 1, 1) * (WIDTH - LEFT - RIGHT)


def _ticks(low: float, high: float) -> list[float]:
    """About five round values between low and high."""
    raw = (high - low) / 5
    size = 10.0 ** np.floor(np.log10(raw))
    step = size * next(m for m in (1, 2, 5, 10) if m * size >= raw)
    first = np.ceil(low / step) * step
    # Whole multiples, and adding zero, keep −0 and its like off the axis.
    return [round(float(v) / step) * step + 0.0 for v in np.arange(first, high, step)]


def _grid(value: float, low: float, high: float, unit: str) -> str:
    y = _y(value, low, high)
    text = f"{value:,.0f}" if unit == "usd" else f"{value * 100:.3g} %"
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>'
    )


def _days(labels: Sequence[str]) -> list[str]:
    """A mark where each label begins, and its text where it does not touch the one before."""
    starts = [i for i, label in enumerate(labels) if i == 0 or label != labels[i - 1]]
    every = max(1, -(-len(starts) // 9))
    parts = []
    free = 0.0
    for i in starts[::every]:
        x = _x(i, len(labels))
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        )
        # The last one may begin at the edge, and its text would end beyond it.
        left, anchor = (x, "start") if x <= WIDTH - LABEL else (x - LABEL, "end")
        if left >= free:
            parts.append(
                f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">'
                f"{escape(labels[i])}</text>"
            )
            free = left + LABEL
    return parts


def _path(values: Sequence[float], low: float, high: float, color: str) -> str:
    count = len(values)
    every = max(1, count // MOST_POINTS)
    points = " ".join(
        f"{_x(i, count):.1f},{_y(values[i], low, high):.1f}" for i in range(0, count, every)
    )
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="1.6"/>'


def _legend(lines: Sequence[Line]) -> str:
    items = "".join(
        f'<span><i style="background:{color}"></i>{escape(line.name)}'
        + ("" if line.bound is None else " (dashed: limit)")
        + "</span>"
        for color, line in zip(COLORS, lines, strict=False)
    )
    return f'<p class="legend">{items}</p>'
