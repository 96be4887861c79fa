"""Solvers and cvxpy, each asked for exactly the program of instances.py through its own interface.

What does not change from cycle to cycle (matrices, compiled problems, workspaces) is made before
the clock starts; a call then takes scores and book and returns weights. Solvers keep their default
accuracy unless their name says otherwise, and are updated in place where their interface can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from time import perf_counter
from typing import Any

import numpy as np
from epigraph import Epigraph, OneSided, Vectors, epigraph
from instances import Cycle, Setting

from deadband.core.arrays import Floats

MOST_SECONDS = 150.0
"""Solvers that know a time limit stop here."""
DENSE_COLUMNS = 2_500
"""PIQP's dense interface is not tried with more columns: its work grows with their cube."""


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """Weights (n,), None where there is no answer, and a bound of the optimal U from its duals."""

    weights: Floats | None
    bound: float | None = None
    said: str = ""


Solve = Callable[[Cycle], Reply]


@dataclass(frozen=True, slots=True)
class Rival:
    """How to make a solver for a setting; `lacks` says what it cannot state of that setting."""

    name: str
    package: str
    make: Callable[[Setting, Cycle], Solve]
    lacks: Callable[[Setting], str] = lambda setting: ""
    most_names: dict[str, int] | None = None
    """Largest n by form; None: any."""
    license: str = "permissive"

    @property
    def installed(self) -> bool:
        return find_spec(self.package) is not None

    def takes(self, setting: Setting) -> bool:
        form = "dense" if setting.factors is None else "factor"
        return self.most_names is None or setting.size <= self.most_names.get(form, 0)


def piqp_solver(setting: Setting, first: Cycle) -> Solve:
    """Sparse or dense, whichever takes less time for the first cycle."""
    form = epigraph(setting)
    solvers = [PiqpSolver(form, dense=False)]
    if setting.factors is None and form.columns <= DENSE_COLUMNS:
        solvers.append(PiqpSolver(form, dense=True))
    if len(solvers) == 1:
        return solvers[0]
    spans = []
    for solver in solvers:
        solver(first)
        started = perf_counter()
        solver(first)
        spans.append(perf_counter() - started)
    return solvers[int(np.argmin(spans))]


class PiqpSolver:
    """PIQP; `accuracy` None leaves its defaults (1e-8)."""

    def __init__(self, form: Epigraph, *, dense: bool, accuracy: float | None = None) -> None:
        import piqp

        self.form, self.dense, self.solved = form, dense, piqp.PIQP_SOLVED
        self.solver = piqp.DenseSolver() if dense else piqp.SparseSolver()
        if accuracy is not None:
            settings = self.solver.settings
            settings.eps_abs = settings.eps_rel = accuracy
            settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = accuracy
        self.ready = False

    def __call__(self, cycle: Cycle) -> Reply:
        vectors = self.form.vectors(cycle)
        if self.ready:
            self.solver.update(
                c=vectors.linear,
                h_l=vectors.below,
                h_u=vectors.above,
                x_l=vectors.low,
                x_u=vectors.high,
            )
        else:
            self._set_up(vectors)
        status = self.solver.solve()
        result = self.solver.result
        if status != self.solved:
            return Reply(None, said=str(status).rpartition(".")[2])
        bound = -(float(result.info.dual_obj) + vectors.constant)
        return Reply(np.array(result.x[: self.form.setting.size]), bound)

    def _set_up(self, vectors: Vectors) -> None:
        form = self.form
        matrices = (form.quadratic, form.equal, form.limits)
        if self.dense:
            matrices = tuple(np.asfortranarray(each.toarray()) for each in matrices)
        quadratic, equal, limits = matrices
        self.solver.setup(
            quadratic,
            vectors.linear,
            equal,
            form.equals,
            limits,
            vectors.below,
            vectors.above,
            vectors.low,
            vectors.high,
        )
        self.ready = True


def clarabel_solver(setting: Setting, first: Cycle) -> Solve:
    import clarabel
    import scipy.sparse as sp

    form = epigraph(setting)
    vectors = form.vectors(first)
    sides = OneSided(form, vectors)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.time_limit = MOST_SECONDS
    # Presolve drops rows, after which vectors cannot be updated; there are none to drop.
    settings.presolve_enable = False
    rows = sp.vstack([form.equal, sides.matrix], format="csc")
    cones = [clarabel.NonnegativeConeT(sides.matrix.shape[0])]
    if len(form.equals):
        cones.insert(0, clarabel.ZeroConeT(len(form.equals)))
    right = np.concatenate([form.equals, sides.bounds(vectors)])
    upper = sp.triu(form.quadratic, format="csc")
    solver = clarabel.DefaultSolver(upper, vectors.linear, rows, right, cones, settings)

    def solve(cycle: Cycle) -> Reply:
        vectors = form.vectors(cycle)
        right = np.concatenate([form.equals, sides.bounds(vectors)])
        solver.update(q=vectors.linear, b=right)
        solution = solver.solve()
        said = str(solution.status)
        if said not in ("Solved", "AlmostSolved"):
            return Reply(None, said=said)
        bound = -(float(solution.obj_val_dual) + vectors.constant) if said == "Solved" else None
        return Reply(np.array(solution.x[: setting.size]), bound)

    return solve


def osqp_solver(accuracy: float | None) -> Callable[[Setting, Cycle], Solve]:
    """OSQP, warm from its last answer; `accuracy` None leaves its defaults (1e-3)."""

    def make(setting: Setting, first: Cycle) -> Solve:
        import osqp
        import scipy.sparse as sp

        form = epigraph(setting)
        vectors = form.vectors(first)
        unit = sp.identity(form.columns, format="csc")
        options: dict[str, Any] = {"verbose": False, "time_limit": MOST_SECONDS}
        if accuracy is not None:
            options |= {"eps_abs": accuracy, "eps_rel": accuracy, "max_iter": 100_000}

        def sides(vectors: Vectors) -> tuple[Floats, Floats]:
            lower = np.concatenate([form.equals, vectors.below, vectors.low])
            return lower, np.concatenate([form.equals, vectors.above, vectors.high])

        lower, upper = sides(vectors)
        rows = sp.vstack([form.equal, form.limits, unit], format="csc")
        solver = osqp.OSQP()
        triangle = sp.triu(form.quadratic, format="csc")
        solver.setup(triangle, vectors.linear, rows, lower, upper, **options)

        def solve(cycle: Cycle) -> Reply:
            vectors = form.vectors(cycle)
            lower, upper = sides(vectors)
            solver.update(q=vectors.linear, l=lower, u=upper)
            result = solver.solve(raise_error=False)
            said = str(result.info.status)
            if not said.startswith("solved"):
                return Reply(None, said=said)
            return Reply(np.array(result.x[: setting.size]))

        return solve

    return make


def qoco_solver(setting: Setting, first: Cycle) -> Solve:
    import qoco

    form = epigraph(setting)
    vectors = form.vectors(first)
    sides = OneSided(form, vectors)
    solver, equal = qoco.QOCO(), len(form.equals)
    solver.setup(
        form.columns,
        sides.matrix.shape[0],
        equal,
        form.quadratic,
        vectors.linear,
        form.equal if equal else None,
        form.equals if equal else None,
        sides.matrix,
        sides.bounds(vectors),
        sides.matrix.shape[0],
        0,
        np.zeros(0, dtype=np.int32),
        verbose=0,
    )

    def solve(cycle: Cycle) -> Reply:
        vectors = form.vectors(cycle)
        solver.update_vector_data(c=vectors.linear, h=sides.bounds(vectors))
        result = solver.solve()
        if not str(result.status).startswith("QOCO_SOLVED"):
            return Reply(None, said=str(result.status))
        return Reply(np.array(result.x[: setting.size]))

    return solve


def cvxpy_rebuilt(setting: Setting, first: Cycle) -> Solve:
    """The seeds' way: the problem written down anew each cycle, solved by OSQP as cvxpy sets it."""
    import cvxpy as cp

    def solve(cycle: Cycle) -> Reply:
        w = cp.Variable(setting.size)
        problem = cp.Problem(
            cp.Maximize(written(setting, w, cycle.scores, cycle.home)),
            limits_written(setting, w, cycle.home),
        )
        return _solved(problem, w, solver=cp.OSQP)

    return solve


def cvxpy_compiled(setting: Setting, first: Cycle) -> Solve:
    """The problem compiled once, with parameters for scores and book; OSQP warm."""
    import cvxpy as cp

    w, scores, home = (cp.Variable(setting.size), *(cp.Parameter(setting.size) for _ in range(2)))
    problem = cp.Problem(
        cp.Maximize(written(setting, w, scores, home)), limits_written(setting, w, home)
    )

    def solve(cycle: Cycle) -> Reply:
        scores.value, home.value = cycle.scores, cycle.home
        return _solved(problem, w, solver=cp.OSQP, warm_start=True)

    return solve


def _solved(problem: Any, w: Any, **options: Any) -> Reply:
    import cvxpy as cp

    try:
        problem.solve(**options)
    except cp.SolverError as fault:
        return Reply(None, said=str(fault)[:60])
    if w.value is None:
        return Reply(None, said=str(problem.status))
    return Reply(np.asarray(w.value), said="" if problem.status == "optimal" else problem.status)


def written(setting: Setting, w: Any, scores: Any, home: Any) -> Any:
    """U in cvxpy's words."""
    import cvxpy as cp

    edge = cp.multiply(setting.scale, scores) @ w
    cost = cp.sum(cp.multiply(setting.prices, cp.abs(w - home)))
    return edge - setting.config.lambda_risk * risk_written(setting, w) - cost


def risk_written(setting: Setting, w: Any) -> Any:
    """wᵀΣw in cvxpy's words, in the form that Σ was given in."""
    import cvxpy as cp

    if setting.factors is None:
        # Saves cvxpy an eigenvalue decomposition, which most users pay.
        return cp.quad_form(w, cp.psd_wrap(setting.sigma))
    loadings, specific = setting.scaled_factors
    own = cp.sum_squares(cp.multiply(np.sqrt(specific), w))
    return cp.sum_squares(loadings.T @ w) + own


def limits_written(setting: Setting, w: Any, home: Any) -> list[Any]:
    import cvxpy as cp

    config = setting.config
    rules = [w >= (-config.per_name_cap if setting.shorts else 0.0), w <= config.per_name_cap]
    rules += [cp.abs(setting.sector_rows @ w) <= config.sector_cap]
    if setting.invested:
        rules.append(cp.sum(w) == 1)
    else:
        rules.append(cp.abs(cp.sum(w)) <= config.max_net_exposure)
        rules.append(cp.norm1(w) <= config.max_gross_exposure)
    if setting.beta is not None:
        rules.append(cp.abs(setting.beta @ w) <= config.beta_tolerance)
    return rules + turnover_written(setting, w, home)


def turnover_written(setting: Setting, w: Any, home: Any) -> list[Any]:
    import cvxpy as cp

    if not setting.capped:
        return []
    name, book = setting.config.max_turnover_per_name, setting.config.max_turnover
    return [cp.abs(w - home) <= name, cp.norm1(w - home) <= book]


SOLVERS = (
    Rival("PIQP", "piqp", piqp_solver),
    Rival("Clarabel", "clarabel", clarabel_solver),
    Rival("OSQP", "osqp", osqp_solver(None)),
    Rival("OSQP to 1e-6", "osqp", osqp_solver(1e-6)),
    Rival("QOCO", "qoco", qoco_solver, most_names={"dense": 1000, "factor": 10_000}),
    Rival("cvxpy rebuilt, OSQP", "cvxpy", cvxpy_rebuilt),
    Rival("cvxpy compiled, OSQP", "cvxpy", cvxpy_compiled),
)
