"""The exact engine's answer to a problem: an optimum with its proof, or why no weights will do.

1. Pose the convex program and solve it (qp.py).
2. Where no weights keep every limit, let names that should rest shrink to mend one (repair.py).
3. Where that is not enough, let limits give way in their order, by as little as will do
   (ladder.py), and solve that.
4. Where even what never gives way cannot hold, say which limits conflict and what would help.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ...core.problem import Problem
from .box import hard_box
from .duality import Optimum
from .program import Program, program_of
from .repair import eased


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """`found` None: no proven weights, and `why` says what stood in the way.

    `relaxed`: what each limit gave up, fraction of NAV; `program` is the one that was solved.
    """

    program: Program
    found: Optimum | None
    relaxed: Mapping[str, float]
    why: str = ""


class Solver(Protocol):
    def __call__(self, program: Program, *, feasible: bool) -> Optimum | None:
        """A proven optimum, or None where no weights keep every limit, or none were found.

        `feasible`: such weights are known to exist.
        """


def solve_exactly(
    problem: Problem, solver: Solver, relax_order: Sequence[str], *, relaxes: bool = True
) -> Exact:
    """The optimum of a problem by `solver`, of the least relaxed problem where limits conflict.

    `relaxes` False lets no limit give way: the solver knows rules that the ladder does not.
    """
    program = program_of(problem)
    found = solver(program, feasible=False)
    if found is not None or not relaxes:
        return Exact(program, found, {})
    # Repairs come before permits, and permits before any limit that gives way.
    freer = eased(problem)
    if freer is not None:
        problem, program = freer, program_of(freer)
        found = solver(program, feasible=False)
        if found is not None:
            return Exact(program, found, {})
    # Needed only where limits conflict: a linear program a class of limits.
    from .ladder import conflict, relax

    hard = hard_box(problem)
    relaxation = relax(program, hard, relax_order)
    if relaxation is None:
        clash = conflict(program, problem.bounds.turnover_name, hard)
        return Exact(program, None, {}, "" if clash is None else clash.text())
    found = solver(relaxation.program, feasible=True)
    return Exact(relaxation.program, found, relaxation.relaxed)
