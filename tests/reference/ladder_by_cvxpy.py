"""Which limits give way, written down again from SEMANTICS §3 in cvxpy: no segments, no shortcuts.

One problem for every instance: names, rows and groups are padded to a fixed number, so that cvxpy
compiles once. Every class is minimized, from the last of the order to the first.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import cvxpy as cp
import numpy as np

from deadband.optimize.exact.program import Program

NAMES, GROUPS = 12, 4
FAR = 50.0
"""Stands for a bound that is not there."""
HELD = 3e-12
TIGHT = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), 3e-11)
EXACT = dict.fromkeys(("primal_feasibility_tolerance", "dual_feasibility_tolerance"), 1e-10)
CLASSES = ("fully_invested", "turnover", "turnover_name", "rows", "beta", "sector", "net")
ROWS = ("fully_invested", "net", "beta", "rows", "rows")
CLASS_OF_ROW = {"FULLY_INVESTED": "fully_invested", "NET": "net", "BETA": "beta"}
Box = tuple[np.ndarray, np.ndarray]


class Ladder:
    def __init__(self) -> None:
        self.w = cp.Variable(NAMES)
        shapes = {
            **dict.fromkeys(("low", "high", "home", "reach", "counted"), NAMES),
            **dict.fromkeys(("floor", "ceiling"), len(ROWS)),
            **dict.fromkeys(("sector", "sector_gross"), GROUPS),
            **dict.fromkeys(("turnover", "gross"), ()),
            "rows": (len(ROWS), NAMES),
            "member": (GROUPS, NAMES),
        }
        self.given = {name: cp.Parameter(shape) for name, shape in shapes.items()}
        self.budget, self.price = cp.Parameter(len(CLASSES)), cp.Parameter(len(CLASSES))
        totals, rules = self._rules()
        rules.append(totals <= self.budget)
        self.problem = cp.Problem(cp.Minimize(self.price @ totals), rules)
        assert self.problem.is_dpp()

    def _rules(self) -> tuple[Any, list[Any]]:
        w, given = self.w, self.given
        size, move = cp.Variable(NAMES), cp.Variable(NAMES)
        by_row, by_name = cp.Variable(len(ROWS)), cp.Variable(NAMES)
        signed, sized, moved = cp.Variable(GROUPS), cp.Variable(GROUPS), cp.Variable()
        own = {"turnover": moved, "turnover_name": cp.sum(by_name)}
        own["sector"] = cp.sum(signed) + cp.sum(sized)
        for name in ROWS:
            own[name] = sum(by_row[k] for k, other in enumerate(ROWS) if other == name)
        return cp.hstack([own[name] for name in CLASSES]), [
            *(slack >= 0 for slack in (by_row, by_name, signed, sized, moved)),
            *(w - size <= 0, -w - size <= 0),
            *(w - move <= given["home"], -w - move <= -given["home"]),
            *(given["low"] <= w, w <= given["high"], cp.sum(size) <= given["gross"]),
            given["rows"] @ w <= given["ceiling"] + by_row,
            given["rows"] @ w >= given["floor"] - by_row,
            given["member"] @ w <= given["sector"] + signed,
            -given["member"] @ w <= given["sector"] + signed,
            given["member"] @ size <= given["sector_gross"] + sized,
            given["counted"] @ move <= given["turnover"] + moved,
            move <= given["reach"] + by_name,
        ]

    def load(self, program: Program, reach: np.ndarray, hard: Box) -> None:
        """`reach` (n,): how far TURNOVER_NAME lets each name move, infinite for names outside."""
        n = program.size
        rows = np.zeros((len(ROWS), NAMES))
        floor, ceiling = np.full(len(ROWS), -FAR), np.full(len(ROWS), FAR)
        free = [k for k, name in enumerate(ROWS) if name == "rows"]
        for k, name in enumerate(program.names[: len(program.floor)]):
            kind = CLASS_OF_ROW.get(name, "rows")
            place = free.pop() if kind == "rows" else ROWS.index(kind)
            rows[place, :n] = program.rows[k]
            floor[place] = max(program.floor[k], -FAR)
            ceiling[place] = min(program.ceiling[k], FAR)
        member = np.zeros((GROUPS, NAMES))
        for k in range(len(program.sector)):
            member[k, :n] = program.group == k
        values = {
            "low": padded(hard[0], NAMES, 0.0),
            "high": padded(hard[1], NAMES, 0.0),
            "home": padded(program.home, NAMES, 0.0),
            "reach": padded(reach, NAMES, FAR),
            "counted": padded(program.counted.astype(float), NAMES, 0.0),
            "rows": rows,
            "floor": floor,
            "ceiling": ceiling,
            "member": member,
            "sector": padded(program.sector, GROUPS, FAR),
            "sector_gross": padded(program.sector_gross, GROUPS, FAR),
            "turnover": min(program.turnover, FAR),
            "gross": min(program.gross, FAR),
        }
        for name, value in values.items():
            self.given[name].value = value

    def least(self, order: Sequence[str]) -> dict[str, float] | None:
        """Total violation of each class in `order`; None where what is never given up conflicts."""
        self.budget.value = np.array([FAR if name in order else 0.0 for name in CLASSES])
        found = {}
        for name in reversed(order):
            place = CLASSES.index(name)
            self.price.value = np.eye(len(CLASSES))[place]
            if not self.solve(clarabel=True):
                return None
            found[name] = max(0.0, float(self.problem.value))
            budget = self.budget.value.copy()
            budget[place] = found[name] + HELD
            self.budget.value = budget
        return found

    def point(self) -> np.ndarray | None:
        """Weights (12,) that keep all that was loaded, a vertex; None where there are none."""
        self.budget.value = self.price.value = np.zeros(len(CLASSES))
        return np.array(self.w.value) if self.solve(clarabel=False) else None

    def solve(self, clarabel: bool) -> bool:
        """Whether there is a solution; by HiGHS also where Clarabel is not sure of its own."""
        if clarabel:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Solution may be inaccurate")
                self.problem.solve(solver=cp.CLARABEL, **TIGHT)
        if not clarabel or self.problem.status not in (cp.OPTIMAL, cp.INFEASIBLE):
            self.problem.solve(solver=cp.SCIPY, scipy_options={"method": "highs", **EXACT})
        assert self.problem.status in (cp.OPTIMAL, cp.INFEASIBLE), self.problem.status
        return bool(self.problem.status == cp.OPTIMAL)


def padded(values: np.ndarray, size: int, rest: float) -> np.ndarray:
    """`values` made `size` long, infinities brought in to FAR."""
    whole = np.full(size, rest)
    whole[: len(values)] = np.clip(values, -FAR, FAR)
    return whole
