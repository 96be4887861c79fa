"""The compiled greedy pass and the Python one give the same bits, whatever the book and mandate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deadband.core.config import OptimizationConfig
from deadband.core.limits import Structure
from deadband.core.problem import Problem
from deadband.core.reasons import FORCED
from deadband.core.types import Permits, Watch
from deadband.optimize import compiled
from deadband.optimize.build import Ask, assemble
from deadband.optimize.rotation.codes import decide_codes
from deadband.optimize.rotation.greedy import rotate_top_k
from tests.reference.greedy_by_hand import Names, Rules
from tests.reference.greedy_cases import ask_of, config_of, grid_cases, random_case

pytestmark = pytest.mark.skipif(
    compiled.kernel is None, reason="the compiled kernel is not installed"
)
COLUMNS = ("code", "limit", "counterpart", "gap", "gain", "cost")
FORCES = [code.number for code in FORCED]
seeds = st.integers(0, 2**32 - 1)
many = settings(max_examples=600, deadline=None, derandomize=True)
some = settings(max_examples=200, deadline=None, derandomize=True)


def assert_same(problem: Problem, config: OptimizationConfig) -> None:
    draft = rotate_top_k(problem, config)
    columns = decide_codes(draft, config)
    weights, *answered = compiled.kernel.rotate(problem, config)
    assert weights.tobytes() == draft.weights.tobytes()
    for name, column in zip(COLUMNS, answered, strict=True):
        expected = getattr(columns, name)
        assert column.dtype == expected.dtype
        assert column.tobytes() == expected.tobytes(), name


def asked(rules: Rules, names: Names) -> tuple[Problem, OptimizationConfig]:
    config = config_of(rules)
    return assemble(ask_of(rules, names), config), config


def permits_of(rng: np.random.Generator, current: np.ndarray) -> Permits:
    """Names that may only shrink, may not trade at all, must go, or sit in a box of any kind."""
    n = len(current)
    low, high = np.full(n, -np.inf), np.full(n, np.inf)
    hard_low, hard_high = low.copy(), high.copy()
    for box_low, box_high, share in ((low, high, 0.4), (hard_low, hard_high, 0.25)):
        kind = np.where(rng.random(n) < share, rng.integers(0, 4, n), -1)
        shrink, stay, near, anywhere = (kind == k for k in range(4))
        reach = rng.uniform(0.0, 0.05, (2, n))
        box_low[shrink] = np.minimum(current, 0.0)[shrink]
        box_high[shrink] = np.maximum(current, 0.0)[shrink]
        box_low[stay] = box_high[stay] = current[stay]
        box_low[near], box_high[near] = (current - reach[0])[near], (current + reach[1])[near]
        box_low[anywhere] = rng.uniform(-0.1, 0.03, n)[anywhere]
        box_high[anywhere] = (box_low + reach[0])[anywhere]
    force = np.where(rng.random(n) < 0.1, rng.choice(FORCES, n), 0).astype(np.int16)
    scale = float(rng.choice([1.0, 1.0, 0.5]))
    return Permits(low, high, hard_low, hard_high, force, scale, (), (), Watch())


def hard_case(seed: int) -> tuple[Problem, OptimizationConfig]:
    """A random case with permits, reserves, forces, and numbers at the edge of what is allowed."""
    rng = np.random.default_rng(seed)
    rules, names = random_case(int(rng.integers(2**32)))
    plain = ask_of(rules, names)
    if rng.random() < 0.3:
        # Books far over every limit: the repairs have to do it all.
        plain = replace(plain, current=plain.current * float(rng.choice([2.0, 5.0, 20.0])))
    config = replace(
        config_of(rules),
        z_keep=float(rng.choice([-0.7, -0.1, 0.0, 0.4, 0.8])),
        delta_z_min=float(rng.choice([0.0, 0.1, 0.25])),
        fully_invested=bool(rng.random() < 0.2),
        weighting=str(rng.choice(["", "equal", "score", "inverse_vol"])),
        hedge_cap=float(rng.choice([0.0, 0.05, 0.3])),
        allow_short=bool(rng.random() < 0.8) or None,
    )
    n = len(plain.z)
    reserved = np.where(rng.random(n) < 0.2, rng.uniform(0.0, 0.05, n), 0.0)
    ask = replace(
        plain,
        permits=permits_of(rng, plain.current) if rng.random() < 0.7 else plain.permits,
        reserved=reserved if rng.random() < 0.3 else None,
        turnover_left=float(rng.choice([np.inf, 0.0, 1e-13, 3e-12, 0.01])),
        exits=bool(rng.random() < 0.8),
    )
    return assemble(ask, config), config


def wide_case(seed: int) -> tuple[Problem, OptimizationConfig]:
    """Many names, so that the ranking runs over several blocks, with ties in about half of them."""
    rng = np.random.default_rng(seed)
    n = int(rng.choice([31, 32, 33, 64, 65, 200, 701]))
    z = rng.normal(0.0, 1.2, n)
    if rng.random() < 0.5:
        z = np.round(z, int(rng.integers(0, 2)))
    z = np.sort(z)[:: int(rng.choice([1, -1]))] if rng.random() < 0.3 else z
    k = int(rng.integers(1, 40))
    config = OptimizationConfig(
        K=k,
        K_buy=max(1, k - int(rng.integers(0, 3))),
        K_sell=k + int(rng.integers(0, 30)),
        K_short=int(rng.choice([0, 3, 20])),
        z_keep=float(rng.choice([-0.5, 0.8])),
        max_turnover=float(rng.choice([0.1, 2.0])),
    )
    held = rng.random(n) < rng.choice([0.0, 0.05, 1.0])
    size = rng.uniform(-0.05 if config.K_short else 0.001, 0.1, n)
    ask = Ask(
        symbols=[f"S{i}" for i in rng.permutation(n)],
        z=z,
        scored=rng.random(n) < rng.choice([0.5, 1.0]),
        cost_bps=rng.uniform(0.0, 6.0, n),
        current=np.where(held, size, 0.0),
        structure=Structure(rng.integers(-1, 6, n), tuple("ABCDEF"), rng.uniform(0.2, 1.8, n)),
        volatility=rng.uniform(0.005, 0.02, n) if rng.random() < 0.5 else None,
        hedge=int(rng.integers(-1, n)),
        allow_short=config.K_short > 0,
    )
    return assemble(ask, config), config


@many
@given(seeds.map(random_case))
def test_random_books_and_mandates(case: tuple[Rules, Names]) -> None:
    assert_same(*asked(*case))


@some
@given(grid_cases())
def test_scores_that_tie_and_thresholds_met_exactly(case: tuple[Rules, Names]) -> None:
    assert_same(*asked(*case))


@many
@given(seeds)
def test_permits_forces_reserves_and_numbers_at_the_edge(seed: int) -> None:
    assert_same(*hard_case(seed))


@some
@given(seeds)
def test_rankings_of_many_names(seed: int) -> None:
    assert_same(*wide_case(seed))


@some
@given(seeds)
def test_a_book_walked_on_from_its_own_answers(seed: int) -> None:
    """Weights as repeated trading leaves them: parts of targets, remainders, exact caps."""
    rules, names = random_case(seed)
    for _ in range(4):
        problem, config = asked(rules, names)
        assert_same(problem, config)
        names = replace(names, current=compiled.kernel.rotate(problem, config)[0].tolist())


@given(st.integers(0, 3))
@example(0)
@settings(max_examples=4, deadline=None, derandomize=True)
def test_a_universe_of_no_or_few_names(n: int) -> None:
    config = OptimizationConfig()
    ask = Ask(
        symbols=[f"S{i}" for i in range(n)],
        z=np.full(n, 1.5),
        scored=np.ones(n, dtype=bool),
        cost_bps=np.zeros(n),
        current=np.zeros(n),
        structure=Structure(np.full(n, -1), (), None),
    )
    assert_same(assemble(ask, config), config)
