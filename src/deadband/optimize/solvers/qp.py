"""The exact engine: which solver is asked, in what order, until an answer proves itself.

1. The active-set kernel from where the book is (active_set.py): few names move.
2. Where many do, the interior point (interior.py), and the active set from there: no rounding left.
3. Without the kernel: sifting over PIQP (sift.py), or HiGHS for a program without risk (linear.py).
4. Whatever was not proven goes to PIQP with all names at once.

Market impact is taken apart before any of them is asked (impact.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ...core.arrays import Floats
from .. import compiled
from ..exact.duality import Optimum, prove, value, violation
from ..exact.program import Answer, Program
from .active_set import OPTIMAL, PASSED, from_answer, from_book

SNAP = 1e-6
"""An interior answer this close to a kink rests there when the active set goes on from it."""


def optimum(
    program: Program, start: Floats | None = None, *, feasible: bool = False
) -> Optimum | None:
    """The optimum with its proof, or None where no method finds weights that keep every limit.

    `start` (n,), an earlier target, is where the kernel starts if it is better than home.
    `feasible`: weights that keep every limit are known to exist, so no solver's word to the
    contrary is taken.
    """
    if program.impact is not None and program.impact.any():
        from ..exact.impact import optimum_with_impact

        return optimum_with_impact(program, start, optimum)
    tried: list[str] = []
    for answer in _answers(program, start, feasible=feasible):
        tried.append(answer.method)
        proof = prove(program, answer)
        if proof.accepted:
            return Optimum(answer, proof, tuple(tried))
    return None


def _answers(program: Program, start: Floats | None, *, feasible: bool) -> Iterator[Answer]:
    """Answers in the order in which they are worth asking for."""
    if compiled.kernel is None:
        yield from _without_kernel(program)
        return
    run = from_book(program, _better_start(program, start))
    if run.ended == OPTIMAL:
        yield run.answer
    if run.ended in (OPTIMAL, PASSED):
        if violation(program, run.answer.weights) <= SNAP:
            yield _polished(program, run.answer)
        elif run.ended == PASSED and not feasible:
            return
    yield from _from_inside(program)
    yield from _general(program)


def _from_inside(program: Program) -> Iterator[Answer]:
    from .interior import interior

    near = interior(program)
    if near is not None:
        finished = from_answer(program, near, SNAP).answer
        yield replace(finished, method=near.method)
        yield _polished(program, near)


def _polished(program: Program, near: Answer) -> Answer:
    """Rounding taken out of an answer by one linear system, where singular matrices left it."""
    from ..exact.segments import bends_of
    from .polish import polished

    return polished(program, bends_of(program), near)


def _without_kernel(program: Program) -> Iterator[Answer]:
    from .linear import linear_optimum
    from .sift import sift

    answer = linear_optimum(program) if program.correlation is None else sift(program)
    if answer is not None:
        yield answer
        yield from _general(program)


def _general(program: Program) -> Iterator[Answer]:
    # Solvers that are seldom asked are loaded when they are.
    from .sift import general

    answer = general(program)
    if answer is not None:
        yield answer


def _better_start(program: Program, start: Floats | None) -> Floats:
    home: Floats = np.minimum(np.maximum(program.home, program.low), program.high)
    if start is None or not np.isfinite(start).all():
        return home
    there = np.clip(start, program.low, program.high)
    return there if value(program, there) < value(program, home) else home
