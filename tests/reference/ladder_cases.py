"""Books whose limits conflict: random small ones, and plain ones for arithmetic by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from tests.kit.programs import Regime, program
from tests.reference.ladder_by_cvxpy import CLASSES, Box

from deadband.optimize.exact.program import Program


@dataclass(frozen=True)
class Case:
    program: Program
    hard: Box
    name_turnover: float
    reach: np.ndarray
    """How far TURNOVER_NAME lets each name move; infinite for cuts and the hedge."""
    order: tuple[str, ...] = CLASSES


def bounded(program: Program, hard: Box, reach: np.ndarray, **bounds: object) -> Program:
    low = np.maximum(hard[0], program.home - reach)
    high = np.minimum(hard[1], program.home + reach)
    return replace(program, low=low, high=high, **bounds)


def case(seed: int) -> Case:
    """A book that breaks some limits, from cash, or fully invested; frozen names, cuts, a hedge."""
    rng = np.random.default_rng([seed, 7])
    n, kind = (
        int(rng.integers(4, 13)),
        rng.choice(["breach", "cold", "invested"], p=[0.6, 0.15, 0.25]),
    )
    regime = Regime(
        breach=kind == "breach",
        cold=kind == "cold",
        invested=kind == "invested",
        sector_gross=rng.random() < 0.3,
    )
    given = program(seed, n, regime)
    cap, home = rng.choice([0.08, 0.2, 0.5]), given.home * rng.choice([1.0, 3.0])
    if kind == "invested":
        home = given.home
    low, high = np.full(n, 0.0 if kind == "invested" else -cap), np.full(n, cap)
    name_turnover = float(rng.choice([0.01, 0.05, 0.2, np.inf]))
    reach, counted = np.full(n, name_turnover), np.ones(n, dtype=np.bool_)
    *frozen, gone, hedge = rng.permutation(n)[: 2 + n // 4]
    if rng.random() < 0.4:
        low[frozen] = high[frozen] = home[frozen]
    if n > 6 and rng.random() < 0.3:
        low[gone], high[gone], reach[gone], counted[gone] = 0.0, 0.0, np.inf, False
    if rng.random() < 0.3:
        reach[hedge] = np.inf
    given = bounded(
        replace(given, home=home, hinge_at=home[None, :]),
        (low, high),
        reach,
        counted=counted,
        turnover=float(rng.choice([0.0, 0.05, 0.2, np.inf])),
        gross=float(rng.choice([0.05, 0.4, 1.5, np.inf])),
        sector=np.full(len(given.sector), rng.choice([0.02, 0.1, 0.3])),
    )
    if kind != "invested":
        net = rng.choice([0.01, 0.3])
        given = replace(given, floor=np.array([-net, -0.05]), ceiling=np.array([net, 0.05]))
    if rng.random() < 0.5:
        floor, ceiling = np.sort(rng.normal(0.0, 0.1, 2))
        floor = -np.inf if rng.random() < 0.3 else floor
        given = with_row(given, "OWN", rng.normal(size=n), floor, ceiling)
    # A box that TURNOVER_NAME would not cut says nothing about who is outside it.
    reach = np.where(
        np.maximum(home - given.low, given.high - home) > name_turnover, reach, name_turnover
    )
    order = CLASSES if seed % 3 else tuple(rng.permutation(CLASSES).tolist())
    return Case(given, (low, high), name_turnover, reach, order)


def with_row(program: Program, name: str, row: np.ndarray, floor: float, ceiling: float) -> Program:
    signed = len(program.floor)
    return replace(
        program,
        rows=np.vstack([program.rows, row]),
        floor=np.append(program.floor, floor),
        ceiling=np.append(program.ceiling, ceiling),
        names=(*program.names[:signed], name, *program.names[signed:]),
    )


def book(
    home: Sequence[float],
    *,
    net: float = 0.3,
    turnover: float = 0.2,
    reach: float = 0.05,
    group: Sequence[int] | None = None,
    beta: Sequence[float] | None = None,
    hard: Box | None = None,
) -> tuple[Program, Box]:
    """Names of no cost and no risk; wide limits but for those given."""
    n = len(home)
    hard = (np.full(n, -0.1), np.full(n, 0.1)) if hard is None else hard
    groups = np.full(n, -1) if group is None else np.array(group)
    count = int(groups.max()) + 1
    given = replace(
        program(0, n, Regime(risk="none")),
        linear=np.zeros(n),
        home=np.array(home),
        hinge_at=np.array([home]),
        hinge_weight=np.zeros((1, n)),
        rows=np.ones((1, n)),
        floor=np.array([-net]),
        ceiling=np.array([net]),
        group=groups.astype(np.int64),
        sector=np.full(count, 0.3),
        sector_gross=np.full(count, np.inf),
        turnover=turnover,
        names=(
            "NET",
            *(f"SECTOR:{k}" for k in range(count)),
            "TURNOVER",
            "GROSS",
            *(f"SECTOR_GROSS:{k}" for k in range(count)),
        ),
    )
    if beta is not None:
        given = with_row(given, "BETA", np.array(beta), -0.05, 0.05)
    return bounded(given, hard, np.full(n, reach)), hard


def invested(home: Sequence[float], **limits: float) -> tuple[Program, Box]:
    given, hard = book(home, **limits)
    names = ("FULLY_INVESTED", *given.names[1:])
    one = np.array([1.0])
    return replace(given, floor=one, ceiling=one, names=names), hard
