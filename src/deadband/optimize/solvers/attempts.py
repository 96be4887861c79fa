"""How the cvxpy engine asks its solvers: OSQP, OSQP for longer, Clarabel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..exact.program import Program

ACCURACY, WITH_CONES = 1e-9, 1e-8
"""What linear and quadratic programs are solved to, and what cones can be solved to."""
CLARABEL = "CLARABEL"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A solver by cvxpy's name for it, with its options."""

    solver: str
    options: Mapping[str, float | bool]


def _osqp(most: int) -> Attempt:
    """OSQP to ACCURACY; at its own tolerance a certificate of infeasibility proves nothing."""
    options = {"eps_abs": ACCURACY, "eps_rel": ACCURACY, "eps_prim_inf": 1e-7, "max_iter": most}
    return Attempt("OSQP", options | {"polishing": False})


def _clarabel(accuracy: float) -> Attempt:
    tolerances = ("tol_gap_abs", "tol_gap_rel", "tol_feas")
    return Attempt(CLARABEL, dict.fromkeys(tolerances, accuracy))


def attempts_at(program: Program) -> tuple[Attempt, ...]:
    """In the order in which they are worth making; market impact takes cones, OSQP has none."""
    if program.impact is not None:
        return (_clarabel(WITH_CONES),)
    return _osqp(10_000), _osqp(30_000), _clarabel(ACCURACY)
