"""The optimum under market impact κ|Δ|^{3/2}, from programs in which impact is a chain of chords.

The cost is that of Boyd et al., Multi-Period Trading via Convex Optimization (2017), §2.3: impact
on the price grows with the square root of the trade.

1. Every name has a grid of weights: its bounds, home, and a few on either side of a center, home
   at first. The chords of its impact between them are a slope and hinges, so any solver will do.
2. The answer is proven against the true impact: its weights and prices are a pair like any other.
3. Where the gap is too wide, the grids are drawn around the answer, wider where a name went to the
   end of its grid, else closer. A chord is off by the square of its length, so the gap falls fast.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ...core.arrays import Floats
from .duality import Optimum, prove
from .program import Answer, Program

Solve = Callable[[Program, Floats | None], Optimum | None]
"""The proven optimum of a program without impact, given where it may start; None without one."""

PROVEN = 1e-8
"""Relative gap at which an answer is the optimum."""
GOOD_ENOUGH = 1e-6
"""Relative gap up to which the best answer is given where rounds run out."""
ROUNDS = 12
AROUND = np.array([[1.0], [3.0], [9.0]])
"""Distances of a grid from its center, in units of its spacing."""
FIRST = 1.0 / 81.0
"""First spacing, as a share of how far a name may move."""
WIDER, CLOSER, CLOSEST = 3.0, 1.0 / 3.0, 1.0 / 6.0
"""Factors of the spacing of names at the end of their grid, inside it, and at its center."""
STEP = 0.7
"""A move of this share of a distance went as far as that."""


def optimum_with_impact(program: Program, start: Floats | None, solve: Solve) -> Optimum | None:
    """The optimum of a program with impact, proven to PROVEN, or to GOOD_ENOUGH where that is all.

    None where no weights keep the limits or no answer proves itself. `start` (n,) changes the work
    only. `tried` names what `solve` tried, then "impact"; work is that of all rounds.
    """
    assert program.impact is not None, "asked for only where there is impact"
    center = np.clip(program.home, program.low, program.high)
    spacing = FIRST * np.maximum(program.high - program.home, program.home - program.low)
    tried: dict[str, None] = {}
    best: Optimum | None = None
    work = 0
    for _ in range(ROUNDS):
        grid = _grid(program, center, spacing)
        found = solve(_straightened(program, program.impact, grid), start)
        if found is None and best is None:
            return None
        if found is None:
            # Some weights keep the limits: another grid will do.
            spacing = CLOSER * spacing
            continue
        tried |= dict.fromkeys(found.tried)
        work += found.answer.work
        weights = found.answer.weights
        answer = Answer(weights, found.answer.prices, "impact", work)
        proof = prove(program, answer)
        if best is None or proof.gap < best.proof.gap:
            best = Optimum(answer, proof, (*tried, "impact"))
        if best.proof.gap <= PROVEN:
            break
        spacing = spacing * _rescaling(np.abs(weights - center), spacing)
        center = start = weights
    return best if best is not None and best.proof.gap <= GOOD_ENOUGH else None


def _grid(program: Program, center: Floats, spacing: Floats) -> Floats:
    """Weights (m, n) within the bounds, in order: the bounds, home, and those around `center`."""
    around = AROUND * spacing
    grid = np.vstack([program.home, center, center - around, center + around])
    inside = np.clip(grid, program.low, program.high)
    return np.vstack([program.low, np.sort(inside, axis=0), program.high])


def _straightened(program: Program, impact: Floats, grid: Floats) -> Program:
    """The program with the chords over `grid` (m, n) in place of impact: m − 2 layers of hinges."""
    slope = impact * _chords(grid - program.home)
    # Half of each change of slope lies on either side of a hinge; the mean slope is what is left.
    bend = np.maximum(0.5 * (slope[1:] - slope[:-1]), 0.0)
    return replace(
        program,
        linear=program.linear + 0.5 * (slope[0] + slope[-1]),
        hinge_at=np.vstack([program.hinge_at, grid[1:-1]]),
        hinge_weight=np.vstack([program.hinge_weight, bend]),
        impact=None,
    )


def _chords(moved: Floats) -> Floats:
    """Slopes (m − 1, n) of |Δ|^{3/2} between neighbors of `moved` (m, n), on one side of home both.

    (a^{3/2} − b^{3/2}) / (a − b) without its cancelation: (a + √(ab) + b) / (√a + √b).
    """
    root = np.sqrt(np.abs(moved))
    near, far = root[:-1], root[1:]
    both = near + far
    rise = near * near + near * far + far * far
    size = np.divide(rise, both, out=np.zeros_like(both), where=both > 0.0)
    slopes: Floats = np.sign(moved[:-1] + moved[1:]) * size
    return slopes


def _rescaling(moved: Floats, spacing: Floats) -> Floats:
    """The factor (n,) of each name's spacing, given how far it went from its center."""
    inside = np.where(moved > STEP * spacing, CLOSER, CLOSEST)
    factor: Floats = np.where(moved > STEP * AROUND[-1] * spacing, WIDER, inside)
    return factor
