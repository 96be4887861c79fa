"""Whole lots chosen together, against every combination of them tried in turn."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deadband.core.limits import Bounds, Structure, excesses
from deadband.execute.together import Choice, together

NAMES, ORDERS = 5, 3
CASH_ROUNDING = 1e-6


@dataclass
class Case:
    choice: Choice
    bounds: Bounds
    structure: Structure

    def keeps(self, shares: np.ndarray, slack: float = 0.0) -> bool:
        book = self.choice.held.copy()
        book[self.choice.names] += shares
        over = excesses(self.bounds, self.structure, book * self.choice.per_share)
        paid = float(self.choice.usd @ shares)
        return (
            all(excess <= slack for excess in over.values())
            and paid <= self.choice.cash + CASH_ROUNDING
        )

    def off(self, shares: np.ndarray) -> float:
        weight = self.choice.per_share[self.choice.names]
        return float(weight @ np.abs(shares - self.choice.wanted))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    side = rng.choice([-1, 1], NAMES)
    held = side * rng.integers(0, 12, NAMES)
    held[:ORDERS] = side[:ORDERS] * rng.integers(3, 12, ORDERS)
    per_share = rng.uniform(0.002, 0.01, NAMES)
    # Orders grow or shrink what is held, and never change its side.
    way = rng.choice([-1, 1], ORDERS) * side[:ORDERS]
    most = np.where(way == side[:ORDERS], 4, 2)
    reach = way * most
    wanted = way * rng.uniform(0.2, most - 0.2)
    after = (held + np.append(np.rint(wanted), np.zeros(NAMES - ORDERS))) * per_share
    beta = rng.uniform(0.5, 1.5, NAMES)
    group = rng.integers(-1, 2, NAMES)
    structure = Structure(group, ("one", "two"), beta)
    used = structure.exposure(after)
    # A sector that no order touches is within its limit.
    touched = np.isin([0, 1], group[:ORDERS])

    def near(value: float) -> float:
        return max(0.0, abs(value) + rng.uniform(-0.01, 0.01))

    bounds = Bounds(
        low=np.full(NAMES, -0.12),
        high=np.full(NAMES, 0.12),
        gross=near(used.gross),
        net=near(used.net),
        sector=np.where(touched, [near(s) for s in used.sector], 1.0),
        sector_gross=np.full(2, np.inf),
        beta=near(used.beta),
        turnover=1.0,
        turnover_name=1.0,
    )
    choice = Choice(
        names=np.arange(ORDERS),
        wanted=wanted,
        least=np.minimum(0, reach),
        most=np.maximum(0, reach),
        lot=np.ones(ORDERS, dtype=np.int64),
        held=held,
        per_share=per_share,
        usd=np.where(way > 0, per_share[:ORDERS] * 1e4, 0.0),
        cash=float(rng.uniform(0.0, 400.0)),
    )
    return Case(choice, bounds, structure)


@settings(deadline=None)
@given(cases())
def test_the_lots_chosen_are_the_nearest_that_keep_every_limit(case: Case) -> None:
    choice = case.choice
    ranges = [
        range(a, b + 1) for a, b in zip(choice.least.tolist(), choice.most.tolist(), strict=True)
    ]
    every = [np.array(shares) for shares in product(*ranges)]
    kept = [shares for shares in every if case.keeps(shares)]
    # What keeps a limit by less than the program stays inside it is nobody's to find.
    assume(len(kept) == sum(case.keeps(shares, slack=1e-9) for shares in every))
    found = together(choice, case.bounds, case.structure)
    if not kept:
        assert found is None
        return
    best = min(case.off(shares) for shares in kept)
    assert found is not None
    assert case.keeps(found)
    assert case.off(found) <= best + 1e-8


def test_where_highs_fails_in_its_presolve_it_is_asked_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    solve = scipy.optimize.milp

    def failing(*given: Any, options: dict[str, Any], **named: Any) -> Any:
        asked.append(options.get("presolve", True))
        found = solve(*given, options=options, **named)
        if len(asked) == 1:
            found.status, found.x = 4, None
        return found

    monkeypatch.setattr(scipy.optimize, "milp", failing)
    choice = Choice(
        names=np.array([0]),
        wanted=np.array([2.4]),
        least=np.array([0]),
        most=np.array([4]),
        lot=np.array([1]),
        held=np.array([3, -5]),
        per_share=np.array([0.01, 0.01]),
        usd=np.array([100.0]),
        cash=1_000.0,
    )
    bounds = Bounds(
        low=np.full(2, -0.1),
        high=np.full(2, 0.1),
        gross=1.0,
        net=0.005,
        sector=np.zeros(0),
        sector_gross=np.zeros(0),
        beta=np.inf,
        turnover=1.0,
        turnover_name=1.0,
    )
    found = together(choice, bounds, Structure(np.full(2, -1), (), None))
    assert found is not None and found.tolist() == [2]
    assert asked == [True, False]
