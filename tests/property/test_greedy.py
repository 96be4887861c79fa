"""What is true of every answer of the greedy engine, whatever the book and the mandate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.core.problem import Proposal
from deadband.core.reasons import BY_NUMBER, CUTS, REPAIRS, Code
from deadband.optimize.build import assemble
from deadband.optimize.rotation.draft import Draft
from deadband.optimize.rotation.greedy import rotate_top_k
from deadband.optimize.solve import answer
from tests.reference.greedy_by_hand import Day, Names, Rules, bounds, name_box, uses
from tests.reference.greedy_cases import ask_of, config_of, random_case

TIGHT = 1e-12
GIVEN = {Code.ROTATE_OUT, Code.DROP_GREEN}
TRADES = {Code.BUY_TOP_K, Code.BUY_BETTER} | GIVEN
cases = st.integers(0, 2**32 - 1).map(random_case)
every = settings(max_examples=60, deadline=None, derandomize=True)
some = settings(max_examples=25, deadline=None, derandomize=True)


def solved(rules: Rules, names: Names) -> Proposal:
    config = config_of(rules)
    return answer(assemble(ask_of(rules, names), config), config, "greedy")


def drafted(rules: Rules, names: Names) -> Draft:
    config = config_of(rules)
    return rotate_top_k(assemble(ask_of(rules, names), config), config)


def codes(proposal: Proposal) -> list[Code]:
    return [BY_NUMBER[k] for k in proposal.code.tolist()]


@every
@given(cases)
def test_every_answer_is_inside_every_limit(case: tuple[Rules, Names]) -> None:
    rules, names = case
    proposal = solved(rules, names)
    w = proposal.weights.tolist()
    day = Day(rules, names, w)
    limit_of = bounds(day)
    for limit, value in uses(day, w).items():
        assert abs(value) <= limit_of[limit] + TIGHT * (1 + limit_of[limit]), limit
    for i, x in enumerate(w):
        low, high = name_box(day, i)
        assert low - TIGHT * (1 - low) <= x <= high + TIGHT * (1 + high)
    assert proposal.certificate.accepted
    assert proposal.engine == "greedy"


@every
@given(cases)
def test_turnover_caps_bind_all_but_cuts_repairs_and_the_hedge(
    case: tuple[Rules, Names],
) -> None:
    rules, names = case
    draft = drafted(rules, names)
    free = 0.0
    for i, parts in draft.parts.items():
        chosen = sum(part.amount for code, part in parts.items() if code in TRADES)
        free += chosen
        assert chosen <= rules.turnover_name + TIGHT or i == names.hedge
    assert free <= rules.turnover + TIGHT


@every
@given(cases, st.integers(0, 2**32 - 1))
def test_no_accepted_trade_lowers_edge_minus_cost(case: tuple[Rules, Names], seed: int) -> None:
    """New scores on a book that needs no repair, and no exits: all that trades is by choice."""
    rules, names = case
    names = replace(names, hedge=-1)
    current = solved(rules, names).weights
    z = np.random.default_rng(seed).normal(0.5, 1.2, len(current))
    ask = replace(ask_of(rules, names), current=current, z=z, exits=False)
    config = config_of(rules)
    draft = rotate_top_k(assemble(ask, config), config)
    assert {code for parts in draft.parts.values() for code in parts} <= TRADES
    edge, cost = draft.problem.edge, draft.problem.cost
    gain = edge @ (draft.weights - current) - cost @ np.abs(draft.weights - current)
    assert gain >= -TIGHT


@every
@given(cases, st.randoms(use_true_random=False))
def test_the_order_of_names_does_not_matter(case: tuple[Rules, Names], random: object) -> None:
    rules, names = case
    order = list(range(len(names.symbols)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = {
        key: [values[i] for i in order]
        for key, values in vars(names).items()
        if isinstance(values, list)
    }
    hedge = order.index(names.hedge) if names.hedge >= 0 else -1
    there, here = solved(rules, Names(**shuffled, hedge=hedge)), solved(rules, names)
    np.testing.assert_allclose(there.weights, here.weights[order], rtol=0, atol=TIGHT)
    assert codes(there) == [codes(here)[i] for i in order]


@every
@given(cases, st.floats(1.0, 5.0))
def test_dearer_trading_never_trades_more_from_flat(
    case: tuple[Rules, Names], factor: float
) -> None:
    """With equal targets and no sectors or betas: elsewhere a refused name can make way for two."""
    rules, names = case
    rules = replace(rules, weighting="equal", tau_U=0.0, K_short=0)
    names = Names(names.symbols, names.z, names.bps, [0.0] * len(names.z))
    dearer = replace(names, bps=[c * factor for c in names.bps])
    cheap, dear = (np.abs(solved(rules, x).weights).sum() for x in (names, dearer))
    assert dear <= cheap + TIGHT


@every
@given(cases)
def test_every_name_has_one_code_and_it_fits_what_happened(case: tuple[Rules, Names]) -> None:
    rules, names = case
    proposal = solved(rules, names)
    moved = proposal.weights != proposal.problem.current
    for code, traded in zip(codes(proposal), moved.tolist(), strict=True):
        resting = code.startswith("HOLD_") or code is Code.CAP_FROZEN
        assert traded is not resting


@every
@given(cases)
def test_no_side_opens_more_names_than_it_has_places(case: tuple[Rules, Names]) -> None:
    rules, names = case
    draft = drafted(rules, names)
    draining = {i for i, parts in draft.parts.items() if parts.keys() & GIVEN}
    for side in (1, -1):
        opened = {
            i
            for i, x in enumerate(draft.weights.tolist())
            if side * x > 0 and side * names.current[i] <= 0 and i != names.hedge
        }
        held = {i for i, x in enumerate(draft.weights.tolist()) if side * x > 0}
        if opened:
            assert len(held - draining - {names.hedge}) <= rules.k(side)


@every
@given(cases)
def test_no_name_crosses_zero_but_the_hedge(case: tuple[Rules, Names]) -> None:
    rules, names = case
    crossed = solved(rules, names).weights * np.array(names.current) < 0
    assert set(np.flatnonzero(crossed).tolist()) <= {names.hedge}


@some
@given(cases)
def test_repeating_the_decision_comes_to_rest(case: tuple[Rules, Names]) -> None:
    """Without exits by time or loss the book ramps up under the caps, then nothing more trades.

    A hedge is left out: one that is out of room lets buys in that beta then takes back.
    """
    rules, names = case
    names = replace(names, pnl_bps=None, holding_min=None, hedge=-1)
    for _ in range(400):
        w = solved(rules, names).weights
        if np.abs(w - names.current).max() <= TIGHT:
            break
        names = replace(names, current=w.tolist())
    assert np.abs(w - names.current).max() <= TIGHT


@every
@given(cases)
def test_cuts_go_whatever_turnover_says(case: tuple[Rules, Names]) -> None:
    rules, names = case
    still = replace(rules, turnover=0.0, turnover_name=0.0)
    here, there = solved(rules, names), solved(still, names)
    for i, code in enumerate(codes(there)):
        if here.problem.cut[i] and not (names.frozen and names.frozen[i]):
            assert there.weights[i] == 0.0
            assert code in CUTS
        elif there.weights[i] != names.current[i] and i != names.hedge:
            assert code in REPAIRS


@every
@given(cases)
def test_frozen_names_never_move_and_say_so_when_over_their_cap(
    case: tuple[Rules, Names],
) -> None:
    rules, names = case
    frozen = np.array(names.frozen or [True] * len(names.z))
    proposal = solved(rules, replace(names, frozen=frozen.tolist()))
    current = np.array(names.current)
    assert (proposal.weights[frozen] == current[frozen]).all()
    cap = np.full(len(frozen), rules.cap)
    if names.hedge >= 0:
        cap[names.hedge] = rules.hedge_cap
    over = frozen & (np.abs(current) > cap + rules.repair_tolerance)
    assert {codes(proposal)[i] for i in np.flatnonzero(over)} <= {Code.CAP_FROZEN}
