"""The program in cvxpy, open to the user's own terms; only this file imports cvxpy.

1. A program is compiled once a shape (`_shape`): what changes from cycle to cycle is a cvxpy
   Parameter. Absolute values are epigraph variables, since by cvxpy's DPP rules no parameter may
   multiply what holds another one.
2. The risk is a quadratic form of a constant C in x = √λ·s∘w: new volatilities change n numbers,
   and no root of C is ever taken.
3. OSQP solves it, warm from its last answer; where it does not get there, again with more
   iterations, then Clarabel (attempts.py). A compiled program starts with what answered last.
4. Such an answer is right to about ACCURACY. It is polished to the last bit where the program is
   all there is; beside impact or terms of the user's it is moved no further than limits ask for.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...core.arrays import Floats, Ints
from ...core.correlation import Correlation, DenseCorrelation, FactorCorrelation
from ...core.errors import ConfigError, SolveError
from ...core.limits import TOLERANCE
from ..exact.duality import Optimum, prove
from ..exact.program import Answer, Program
from ..exact.segments import bends_of
from .attempts import CLARABEL, Attempt, attempts_at
from .inside import drawn_in
from .polish import polished

PROVEN = 1e-6
"""Relative gap at which an answer of this engine counts as the optimum (SEMANTICS §5)."""
TURN = 1e-6
"""A level that is this and zero by turns, so that cvxpy always hands OSQP both ends of its rows.

Given upper ends alone, OSQP 1.1 holds them against its own lower ends, which went through its
scaling and back; where rounding has put an equality's past each other, it drops all the new numbers
without an error, and solves the last cycle's program again.
"""
IMPACT_UNIT = 1e-3
"""Weight that the cones of impact are stated in: near the size of trades, they are well scaled."""
MOST_PROGRAMS = 2
"""Compiled programs an engine keeps: with and without Σw = 1."""

Constraints = Callable[[Any], Sequence[Any]]
"""Given cvxpy's weights (n,), constraints to add to the program."""
Objective = Callable[[Any], Any]
"""Given cvxpy's weights (n,), a concave scalar to add to U."""


@dataclass(slots=True, eq=False)
class CvxpyPrograms:
    """What one engine has compiled, newest first, with the user's own terms in it."""

    constraints: Constraints | None = None
    objective: Objective | None = None
    compiled: list[_Compiled] = field(default_factory=list)

    @property
    def extended(self) -> bool:
        """Whether the user added terms, which no other engine knows."""
        return self.constraints is not None or self.objective is not None

    def fitting(self, program: Program) -> _Compiled:
        """The compiled program of this shape and correlation; compiled now if there is none."""
        shape = _shape(program)
        for place, found in enumerate(self.compiled):
            if found.shape == shape and _same(found.correlation, program.correlation):
                self.compiled.insert(0, self.compiled.pop(place))
                return found
        made = _compile(program, shape, self)
        self.compiled = [made, *self.compiled][:MOST_PROGRAMS]
        return made

    def extra_value(self, weights: Floats) -> float:
        """The user's own objective at `weights` (n,), after a solve; 0 where there is none."""
        if not self.compiled or self.compiled[0].extra is None:
            return 0.0
        newest = self.compiled[0]
        newest.weights.value = weights
        return float(newest.extra.value)


def cvxpy_optimum(program: Program, programs: CvxpyPrograms) -> Optimum | None:
    """The answer with what it proves, which beside terms of the user's is that it keeps limits.

    Raises SolveError where cvxpy is not installed and ConfigError where a term is not convex.
    """
    answer = cvxpy_answer(program, programs)
    if answer is None:
        return None
    proof = prove(program, answer)
    if proof.violation > TOLERANCE or (proof.gap > PROVEN and not programs.extended):
        return None
    return Optimum(answer, proof, (answer.method,))


def cvxpy_answer(program: Program, programs: CvxpyPrograms) -> Answer | None:
    """Optimal weights and prices, or None where neither OSQP nor Clarabel finds them.

    With terms of the user's the prices are still those of the program's own limits, but they prove
    nothing: the user's constraints have prices too. `method` is osqp or clarabel.
    """
    compiled = programs.fitting(program)
    compiled.parameters.fill(_values(program))
    compiled.turn.value = TURN - compiled.turn.value
    found = _solve(compiled)
    if found is None:
        return None
    prices = np.zeros(len(program.names))
    for row in compiled.rows:
        prices[row.limits] += row.side * np.asarray(row.rule.dual_value).ravel()
    weights = np.clip(np.asarray(compiled.weights.value), program.low, program.high)
    if programs.extended or program.impact is not None:
        return Answer(drawn_in(program, weights), prices, *found)
    return polished(program, bends_of(program), Answer(weights, prices, *found))


@dataclass(slots=True, eq=False)
class _Parameters:
    """A program's cvxpy parameters by name; of some vectors only the entries `parts` name."""

    values: Mapping[str, Any]
    held: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, Ints] = field(default_factory=dict)

    def add(self, name: str, part: Ints | None = None, *, nonneg: bool = False) -> Any:
        value = np.asarray(self.values[name])
        if part is not None:
            self.parts[name], value = part, value[part]
        self.held[name] = _cvxpy().Parameter(value.shape, name=name, nonneg=nonneg)
        return self.held[name]

    def fill(self, values: Mapping[str, Any]) -> None:
        for name, parameter in self.held.items():
            part = self.parts.get(name)
            parameter.value = values[name] if part is None else values[name][part]


@dataclass(frozen=True, slots=True, eq=False)
class _Row:
    """A constraint in cvxpy, the limits it states (places in Program.names), and which side."""

    rule: Any
    limits: Ints
    side: float


@dataclass(slots=True, eq=False)
class _Compiled:
    """One program as cvxpy holds it; a problem keeps the compilation of one solver only."""

    shape: Hashable
    correlation: Correlation | None
    weights: Any
    parameters: _Parameters
    rows: list[_Row]
    extra: Any
    problems: dict[str, Any]
    turn: Any
    attempts: tuple[Attempt, ...]
    first: int = 0


def _solve(compiled: _Compiled) -> tuple[str, int] | None:
    """Method and iterations of the first attempt that finds the optimum, None if none does."""
    cp, problems, attempts = _cvxpy(), compiled.problems, compiled.attempts
    places, doubted = range(len(attempts)), ""
    for place in (*places[compiled.first :], *places[: compiled.first]):
        solver = attempts[place].solver
        if solver == doubted:
            continue
        if solver not in problems:
            known = next(iter(problems.values()))
            problems[solver] = cp.Problem(known.objective, known.constraints)
        problem = problems[solver]
        try:
            with warnings.catch_warnings():
                # An inaccurate answer is not taken, so there is nothing to warn of.
                warnings.filterwarnings("ignore", message="Solution may be inaccurate")
                problem.solve(solver=solver, warm_start=True, **attempts[place].options)
        except cp.SolverError:
            continue
        if problem.status == cp.OPTIMAL:
            compiled.first = place
            return solver.lower(), int(problem.solver_stats.num_iters or 0)
        if problem.status == cp.INFEASIBLE:
            # More iterations of a solver that finds no book find none; Clarabel's word is the last.
            if solver == CLARABEL:
                return None
            doubted = solver
    return None


def _cvxpy() -> Any:
    try:
        import cvxpy
    except ImportError as fault:
        raise SolveError(
            "CvxpyRebalanceEngine needs cvxpy. Install it with: pip install 'deadband[cvxpy]'."
        ) from fault
    return cvxpy


def _shape(program: Program) -> Hashable:
    """What a compiled program is made for, the correlation apart; equal ones share it."""
    ends = [program.low, program.high, program.floor, program.ceiling, program.sector]
    ends += [np.array([program.turnover, program.gross]), program.sector_gross]
    return (
        program.size,
        program.rows.shape,
        program.group.tobytes(),
        (program.floor == program.ceiling).tobytes(),
        tuple(np.isfinite(end).tobytes() for end in ends),
        tuple(_centers(program)),
        program.impact is None,
    )


def _centers(program: Program) -> list[str]:
    """Per hinge layer the name of its kinks: home or zero where it is there, so as to share."""
    names = []
    for layer, at in enumerate(program.hinge_at):
        if np.array_equal(at, program.home):
            names.append("home")
        else:
            names.append(f"at {layer}" if at.any() else "zero")
    return names


def _same(one: Correlation | None, other: Correlation | None) -> bool:
    """Whether two sealed correlations are one, or hold the same numbers."""
    if one is other:
        return True
    if isinstance(one, DenseCorrelation) and isinstance(other, DenseCorrelation):
        return np.array_equal(one.matrix, other.matrix)
    if isinstance(one, FactorCorrelation) and isinstance(other, FactorCorrelation):
        return np.array_equal(one.loadings, other.loadings) and np.array_equal(
            one.specific, other.specific
        )
    return False


def _values(program: Program) -> dict[str, Any]:
    """Every number of a program that a parameter may hold, by name."""
    values: dict[str, Any] = {
        "linear": program.linear,
        "scale": np.sqrt(program.risk_weight) * program.scale,
        "low": program.low,
        "high": program.high,
        "home": program.home,
        "rows": program.rows,
        "floor": program.floor,
        "ceiling": program.ceiling,
        "level": program.ceiling,
        "sector": program.sector,
        "counted": program.counted.astype(np.float64),
        "turnover": program.turnover,
        "gross": program.gross,
        "sector gross": program.sector_gross,
    }
    if program.impact is not None:
        values["impact"] = program.impact * IMPACT_UNIT**1.5
    for layer, at in enumerate(program.hinge_at):
        values[f"at {layer}"] = at
        values[f"hinge {layer}"] = program.hinge_weight[layer]
    return values


def _compile(program: Program, shape: Hashable, programs: CvxpyPrograms) -> _Compiled:
    cp, parameters = _cvxpy(), _Parameters(_values(program))
    weights = cp.Variable(program.size, name="weights")
    distances = _distances(program, parameters, weights)
    rows = _limits(program, parameters, weights, distances)
    rules = [rule for far, around in distances.values() for rule in around]
    loss = parameters.add("linear") @ weights
    for layer, center in enumerate(_centers(program)):
        loss += parameters.add(f"hinge {layer}", nonneg=True) @ distances[center][0]
    if program.impact is not None:
        far = distances["home"][0] / IMPACT_UNIT
        loss += parameters.add("impact", nonneg=True) @ cp.power(far, 1.5)
    if program.correlation is not None:
        scaled = cp.Variable(program.size)
        rules.append(scaled == cp.multiply(parameters.add("scale"), weights))
        loss += _risk(program.correlation, scaled)
    for name, end, side in (("low", program.low, -1.0), ("high", program.high, 1.0)):
        there = np.flatnonzero(np.isfinite(end))
        rules.append(side * weights[there] <= side * parameters.add(name, there))
    extra = _own_term(programs.objective, weights)
    turn = cp.Parameter(value=0.0)
    rules.append(cp.Variable() == turn)
    rules += [*(row.rule for row in rows), *_own_rules(programs.constraints, weights)]
    problem = cp.Problem(cp.Minimize(loss if extra is None else loss - extra), rules)
    attempts = attempts_at(program)
    problems, known = {attempts[0].solver: problem}, program.correlation
    return _Compiled(shape, known, weights, parameters, rows, extra, problems, turn, attempts)


def _distances(
    program: Program, parameters: _Parameters, weights: Any
) -> dict[str, tuple[Any, list[Any]]]:
    """Variables of at least |w − center| (n,) by center, each with the rules that make it so."""
    cp, wanted = _cvxpy(), dict.fromkeys(_centers(program))
    if program.turnover < np.inf or program.impact is not None:
        wanted["home"] = None
    if program.gross < np.inf or np.isfinite(program.sector_gross).any():
        wanted["zero"] = None
    made = {}
    for center in wanted:
        off = weights if center == "zero" else weights - parameters.add(center)
        far = cp.Variable(program.size)
        made[center] = far, [far >= off, far >= -off]
    return made


def _risk(correlation: Correlation, scaled: Any) -> Any:
    """xᵀCx of cvxpy's x (n,); that C is positive semidefinite was seen to when it was sealed."""
    cp = _cvxpy()
    if isinstance(correlation, DenseCorrelation):
        return cp.quad_form(scaled, cp.psd_wrap(correlation.matrix))
    own = cp.sum_squares(cp.multiply(np.sqrt(correlation.specific), scaled))
    return own + cp.sum_squares(correlation.loadings.T @ scaled)


def _limits(
    program: Program,
    parameters: _Parameters,
    weights: Any,
    distances: Mapping[str, tuple[Any, list[Any]]],
) -> list[_Row]:
    """Every limit that is there, in the order of Program.names."""
    cp, signed, groups = _cvxpy(), len(program.floor), len(program.sector)
    member = (program.group == np.arange(groups)[:, None]).astype(np.float64)
    level = program.floor == program.ceiling
    rows, sums = [], parameters.add("rows") @ weights
    for name, end, side in (("floor", program.floor, -1.0), ("ceiling", program.ceiling, 1.0)):
        there = np.flatnonzero(np.isfinite(end) & ~level)
        if len(there):
            rule = side * sums[there] <= side * parameters.add(name, there)
            rows.append(_Row(rule, there, side))
    if level.any():
        there = np.flatnonzero(level)
        rows.append(_Row(sums[there] == parameters.add("level", there), there, 1.0))
    there = np.flatnonzero(np.isfinite(program.sector))
    if len(there):
        bound = parameters.add("sector", there)
        for side in (-1.0, 1.0):
            rows.append(_Row((side * member[there]) @ weights <= bound, signed + there, side))
    place = signed + groups
    if program.turnover < np.inf:
        moved = parameters.add("counted", nonneg=True) @ distances["home"][0]
        rows.append(_Row(moved <= parameters.add("turnover"), np.array([place]), 1.0))
    if program.gross < np.inf:
        size = cp.sum(distances["zero"][0])
        rows.append(_Row(size <= parameters.add("gross"), np.array([place + 1]), 1.0))
    there = np.flatnonzero(np.isfinite(program.sector_gross))
    if len(there):
        rule = member[there] @ distances["zero"][0] <= parameters.add("sector gross", there)
        rows.append(_Row(rule, place + 2 + there, 1.0))
    return rows


def _own_rules(constraints: Constraints | None, weights: Any) -> list[Any]:
    rules = [] if constraints is None else list(constraints(weights))
    for rule in rules:
        if not rule.is_dcp():
            raise ConfigError(
                (
                    f"the extra constraint {rule} is not convex by cvxpy's rules. "
                    "Write it as convex ≤ concave, or affine == affine.",
                )
            )
    return rules


def _own_term(objective: Objective | None, weights: Any) -> Any:
    if objective is None:
        return None
    term = _cvxpy().Constant(0.0) + objective(weights)
    if term.size != 1 or not term.is_concave():
        raise ConfigError(
            (
                f"extra_objective gave a term of shape {term.shape}, {term.curvature.lower()} by "
                "cvxpy's rules, expected a concave scalar: U is maximized. Write a penalty with a "
                "minus, such as lambda w: -cvxpy.sum_squares(w - target).",
            )
        )
    return _cvxpy().sum(term)
