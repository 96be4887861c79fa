"""Which limits give way, against cvxpy on small random books and by hand on plain ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest
from tests.kit.programs import Regime, program
from tests.reference.ladder_by_cvxpy import CLASS_OF_ROW, CLASSES, Box, Ladder
from tests.reference.ladder_cases import Case, book, bounded, case, invested, with_row

from deadband.optimize.exact.duality import limit_bounds, violation
from deadband.optimize.exact.ladder import Conflict, Relaxation, conflict, relax
from deadband.optimize.exact.program import Program

CASES = 120


def by_class(relaxed: Mapping[str, float]) -> dict[str, float]:
    total = dict.fromkeys(CLASSES, 0.0)
    for name, amount in relaxed.items():
        kind = CLASS_OF_ROW.get(name, "rows")
        for limit in ("SECTOR", "TURNOVER_NAME", "TURNOVER"):
            if name.startswith(limit):
                kind = limit.lower()
                break
        total[kind] += amount
    return total


@pytest.fixture(scope="module")
def ladder() -> Ladder:
    return Ladder()


@pytest.fixture(scope="module")
def solved() -> list[tuple[Case, Relaxation | None]]:
    cases = [case(seed) for seed in range(CASES)]
    return [(given, relax(given.program, given.hard, given.order)) for given in cases]


@pytest.fixture(scope="module")
def relaxations(solved: list[tuple[Case, Relaxation | None]]) -> list[tuple[Case, Relaxation]]:
    return [(given, found) for given, found in solved if found is not None]


def test_each_class_gives_up_the_lexicographic_least(
    ladder: Ladder, solved: list[tuple[Case, Relaxation | None]]
) -> None:
    for given, found in solved:
        ladder.load(given.program, given.reach, given.hard)
        least = ladder.least(given.order)
        assert (least is None) == (found is None)
        if found is not None:
            assert by_class(found.relaxed) == pytest.approx(least, abs=1e-7)


def test_random_cases_give_up_every_class_and_sometimes_none_or_nothing_helps(
    relaxations: list[tuple[Case, Relaxation]],
) -> None:
    given_up = [by_class(found.relaxed) for _, found in relaxations]
    assert len(given_up) < CASES
    assert sum(not found.relaxed for _, found in relaxations) > CASES / 10
    assert all(sum(each[name] > 0.0 for each in given_up) >= 3 for name in CLASSES)


def test_some_weights_keep_the_relaxed_program(
    ladder: Ladder, relaxations: list[tuple[Case, Relaxation]]
) -> None:
    for _, found in relaxations[::2]:
        relaxed = found.program
        ladder.load(relaxed, np.full(relaxed.size, np.inf), (relaxed.low, relaxed.high))
        weights = ladder.point()
        assert weights is not None
        assert violation(relaxed, weights[: relaxed.size]) <= 1e-9


def test_a_relaxed_program_has_nothing_more_to_give_up(
    relaxations: list[tuple[Case, Relaxation]],
) -> None:
    for given, found in relaxations:
        again = relax(found.program, given.hard, given.order)
        assert again is not None and again.relaxed == {}


def without_limits(program: Program, hard: Box) -> Program:
    none, groups = np.full(len(program.floor), np.inf), np.full(len(program.sector), np.inf)
    return replace(
        program,
        low=hard[0],
        high=hard[1],
        floor=-none,
        ceiling=none,
        sector=groups,
        turnover=np.inf,
        gross=np.inf,
        sector_gross=groups,
    )


def mixed(program: Program, other: Program, classes: Sequence[str]) -> Program:
    """`program` with the limits of `classes` as they are in `other`."""
    signed = [CLASS_OF_ROW.get(name, "rows") for name in program.names[: len(program.floor)]]
    there = np.array([kind in classes for kind in signed], dtype=np.bool_)
    sector = other if "sector" in classes else program
    box = other if "turnover_name" in classes else program
    return replace(
        program,
        floor=np.where(there, other.floor, program.floor),
        ceiling=np.where(there, other.ceiling, program.ceiling),
        sector=sector.sector,
        sector_gross=sector.sector_gross,
        turnover=(other if "turnover" in classes else program).turnover,
        low=box.low,
        high=box.high,
    )


def holds(program: Program) -> bool:
    """Whether some weights keep all limits."""
    return relax(program, (program.low, program.high), ()) is not None


def test_no_class_gives_way_where_those_given_up_earlier_could_pay(
    relaxations: list[tuple[Case, Relaxation]],
) -> None:
    for given, found in relaxations:
        nothing = without_limits(given.program, given.hard)
        for kind, amount in by_class(found.relaxed).items():
            if amount > 1e-6:
                earlier = given.order[: given.order.index(kind)]
                all_earlier_free = mixed(found.program, nothing, earlier)
                assert not holds(mixed(all_earlier_free, given.program, [kind]))


# --- by hand ----------------------------------------------------------------------------------


def relaxed(given: tuple[Program, Box], order: Sequence[str] = CLASSES) -> tuple[Program, dict]:
    found = relax(*given, order)
    assert found is not None
    return found.program, dict(found.relaxed)


def test_a_program_that_can_be_kept_stays_as_it_is() -> None:
    given, hard = book([0.1, 0.1, 0.05])
    same, given_up = relaxed((given, hard))
    assert given_up == {}
    for field in ("low", "high", "floor", "ceiling", "sector", "sector_gross"):
        assert (getattr(same, field) == getattr(given, field)).all()
    assert (same.turnover, same.gross) == (given.turnover, given.gross)


def test_net_is_repaired_above_the_turnover_cap() -> None:
    wide, given_up = relaxed(book([0.1, 0.1, 0.1, 0.1], turnover=0.02))
    assert given_up == pytest.approx({"TURNOVER": 0.08}, abs=1e-11)
    assert wide.turnover == pytest.approx(0.10, abs=1e-11)
    assert wide.ceiling[0] == 0.3


def test_a_cold_start_ramps_up_under_the_turnover_cap() -> None:
    wide, given_up = relaxed(invested([0.0] * 20, turnover=0.2))
    assert given_up == pytest.approx({"FULLY_INVESTED": 0.8}, abs=1e-11)
    assert wide.floor[0] == pytest.approx(0.2, abs=1e-11)
    assert wide.ceiling[0] == 1.0
    assert wide.turnover == 0.2


def test_a_sector_of_frozen_names_gives_way_alone() -> None:
    frozen = np.full(4, 0.1)
    given = book([0.1] * 4 + [0.0], group=[0, 0, 0, 0, 1], net=0.5)
    hard = np.append(frozen, -0.1), np.append(frozen, 0.1)
    wide, given_up = relaxed((bounded(given[0], hard, np.full(5, 0.05)), hard))
    assert given_up == pytest.approx({"SECTOR:0": 0.1}, abs=1e-11)
    assert wide.sector == pytest.approx([0.4, 0.3], abs=1e-11)
    assert wide.sector[1] == 0.3


def test_beta_is_repaired_above_the_turnover_of_one_name() -> None:
    given = book([0.1, 0.0], beta=[2.0, 0.1], reach=0.02)
    wide, given_up = relaxed(given)
    # The other name can take 0.1·0.02 of the beta that is 0.15 too much, the first 2·0.02.
    assert given_up == pytest.approx({"TURNOVER_NAME": 0.054}, abs=1e-11)
    assert wide.low == pytest.approx([0.1 - 0.074, -0.02], abs=1e-11)
    assert wide.low[1] == given[0].low[1]
    assert (wide.high == given[0].high).all()


def test_a_cut_gives_up_nothing() -> None:
    given, hard = book([0.1, 0.1], turnover=0.0, reach=0.0)
    gone = np.array([0.0, -0.1]), np.array([0.0, 0.1])
    reach, counted = np.array([np.inf, 0.0]), np.array([False, True])
    given = bounded(given, gone, reach, counted=counted)
    assert relaxed((given, gone))[1] == {}


def test_a_name_far_above_its_cap_comes_back_at_once() -> None:
    given, hard = book([0.25, 0.0], turnover=1.0)
    assert given.low[0] > given.high[0]
    wide, given_up = relaxed((given, hard))
    assert given_up == pytest.approx({"TURNOVER_NAME": 0.1}, abs=1e-11)
    assert wide.low[0] == pytest.approx(0.1, abs=1e-11) and wide.high[0] == 0.1


def test_a_row_of_ones_own_gives_way_after_turnover_name_and_before_beta() -> None:
    given, hard = book([0.0, 0.0], beta=[1.0, 1.0], turnover=0.01, reach=0.01)
    given = with_row(given, "VALUE", np.array([1.0, 1.0]), 0.15, np.inf)
    wide, given_up = relaxed((given, hard))
    assert given_up == pytest.approx(
        {"VALUE": 0.1, "TURNOVER": 0.04, "TURNOVER_NAME": 0.03}, abs=1e-11
    )
    assert wide.floor == pytest.approx([-0.3, -0.05, 0.05], abs=1e-11)
    assert np.isposinf(wide.ceiling[2])


def test_the_order_says_who_pays() -> None:
    given = book([0.1] * 4, turnover=0.02)
    assert relaxed(given, ("net", "turnover"))[1] == pytest.approx({"NET": 0.08}, abs=1e-11)
    assert relaxed(given, ("turnover", "net"))[1] == pytest.approx({"TURNOVER": 0.08}, abs=1e-11)


def test_a_class_that_the_order_does_not_name_is_kept() -> None:
    assert relax(*book([0.1] * 4, turnover=0.02), ("fully_invested", "beta")) is None


def test_gross_and_hard_boxes_never_give_way() -> None:
    given, hard = book([0.1] * 4)
    frozen = np.full(4, 0.1), np.full(4, 0.1)
    given = bounded(given, frozen, np.full(4, 0.05), gross=0.3, ceiling=np.array([1.0]))
    assert relax(given, frozen) is None


def test_of_names_that_can_pay_alike_the_worst_go_further() -> None:
    given, hard = book(
        [0.1] * 4, net=0.2, reach=0.01, turnover=1.0, hard=(np.zeros(4), np.full(4, 0.1))
    )
    wide, given_up = relaxed((replace(given, linear=np.array([0.0, 3.0, 1.0, 2.0])), hard))
    assert given_up == pytest.approx({"TURNOVER_NAME": 0.16}, abs=1e-11)
    assert wide.low == pytest.approx([0.09, 0.0, 0.09, 0.02], abs=1e-11)


def test_a_book_of_three_hundred_names_is_repaired() -> None:
    for seed in range(3):
        given = program(seed, 300, Regime(breach=True))
        given = replace(given, turnover=0.05)
        hard = np.full(300, -0.1), np.full(300, 0.1)
        wide, given_up = relaxed((given, hard))
        assert set(given_up) == {"TURNOVER"}
        less = replace(wide, turnover=wide.turnover - 1e-9)
        assert holds(wide) and not holds(less)


# --- what conflicts ---------------------------------------------------------------------------


def kept_only(given: Case, names: Sequence[str], more: dict[str, float] | None = None) -> Program:
    """The program with the limits `names` alone, each wider by what `more` says."""
    more = {} if more is None else more
    wide = np.array([more.get(name, 0.0) for name in given.program.names])
    lower, upper = limit_bounds(given.program)
    out = np.array([name not in names for name in given.program.names])
    lower, upper = np.where(out, -np.inf, lower - wide), np.where(out, np.inf, upper + wide)
    home, none = given.program.home, np.full(given.program.size, np.inf)
    low, high = -none, none
    caps = [np.median(given.hard[0]), np.median(given.hard[1])]
    of_cap = [given.hard[0] == caps[0], given.hard[1] == caps[1]]
    for name, chosen in (("PER_NAME_CAP", of_cap), ("PERMIT", [~of_cap[0], ~of_cap[1]])):
        if name in names:
            by = more.get(name, 0.0)
            low = np.maximum(low, np.where(chosen[0], given.hard[0] - by, -np.inf))
            high = np.minimum(high, np.where(chosen[1], given.hard[1] + by, np.inf))
    if "TURNOVER_NAME" in names:
        reach = given.reach + more.get("TURNOVER_NAME", 0.0)
        low, high = np.maximum(low, home - reach), np.minimum(high, home + reach)
    signed, groups = len(given.program.floor), len(given.program.sector)
    return replace(
        given.program,
        low=low,
        high=high,
        floor=lower[:signed],
        ceiling=upper[:signed],
        sector=upper[signed : signed + groups],
        turnover=float(upper[signed + groups]),
        gross=float(upper[signed + groups + 1]),
        sector_gross=upper[signed + groups + 2 :],
    )


BOXES = ("TURNOVER_NAME", "PER_NAME_CAP", "PERMIT")


@pytest.fixture(scope="module")
def conflicts() -> list[tuple[Case, Conflict]]:
    cases = [case(seed) for seed in range(40)]
    found = [(each, conflict(each.program, each.name_turnover, each.hard)) for each in cases]
    assert [why is None for _, why in found] == [holds(each.program) for each in cases]
    return [(given, why) for given, why in found if why is not None]


def feasible(ladder: Ladder, program: Program) -> bool:
    if (program.low > program.high).any():
        return False
    ladder.load(program, np.full(program.size, np.inf), (program.low, program.high))
    return ladder.point() is not None


def test_conflicting_limits_cannot_hold_together_and_none_is_superfluous(
    ladder: Ladder, conflicts: list[tuple[Case, Conflict]]
) -> None:
    assert len(conflicts) > 20
    for given, why in conflicts:
        names = list(why.bounds)
        assert not feasible(ladder, kept_only(given, names))
        for name in names:
            assert feasible(ladder, kept_only(given, [other for other in names if other != name]))


def test_loosening_one_limit_by_what_is_said_is_enough_and_less_is_not(
    ladder: Ladder, conflicts: list[tuple[Case, Conflict]]
) -> None:
    tried = 0
    for given, why in conflicts:
        every = (*given.program.names, *BOXES)
        for name, amount in why.loosen.items():
            if amount == np.inf:
                assert not feasible(ladder, kept_only(given, every, {name: 10.0}))
                continue
            assert feasible(ladder, kept_only(given, every, {name: amount + 1e-9}))
            assert not feasible(ladder, kept_only(given, every, {name: amount - 1e-7}))
            tried += 1
    assert tried > 10


def said(given: tuple[Program, Box], name_turnover: float = 0.05) -> str:
    found = conflict(given[0], name_turnover, given[1])
    assert found is not None
    return found.text()


def test_a_conflict_of_two_mandates_says_both_cures() -> None:
    given, hard = invested([0.0] * 20, turnover=np.inf, reach=np.inf)
    given = with_row(given, "NET", np.ones(20), -0.3, 0.3)
    assert said((given, hard), np.inf) == (
        "FULLY_INVESTED 1 and NET at most 0.3 cannot both hold: "
        "give up 0.7 of FULLY_INVESTED or raise NET by 0.7."
    )


def test_a_conflict_with_turnover_speaks_of_the_current_weights() -> None:
    assert said(book([0.1] * 4, turnover=0.02)) == (
        "NET at most 0.3 and TURNOVER at most 0.02 cannot both hold from the current weights: "
        "raise NET by 0.08 or raise TURNOVER by 0.08."
    )


def test_a_cure_is_rounded_up() -> None:
    given, hard = book([0.1] * 4, net=1 / 3, turnover=0.0)
    assert "raise NET by 0.06667 " in said((given, hard))


def test_frozen_names_conflict_as_their_permit() -> None:
    given, _ = book([0.1] * 4 + [0.0] * 5, net=0.3, reach=np.inf, turnover=np.inf)
    low, high = np.full(9, -0.01), np.full(9, 0.01)
    low[:4], high[:4] = 0.1, 0.1
    text = said((bounded(given, (low, high), np.full(9, np.inf)), (low, high)), np.inf)
    assert text == (
        "NET at most 0.3, PERMIT of single names and PER_NAME_CAP at most 0.01 cannot all hold: "
        "raise NET by 0.05, widen PERMIT by 0.0125 or raise PER_NAME_CAP by 0.01."
    )


def test_where_no_single_limit_is_enough_the_text_says_so() -> None:
    given, hard = book([0.1] * 4, net=0.3, turnover=0.0, beta=[1.0, 1.0, 1.0, 1.0])
    given = with_row(given, "VALUE", np.array([1.0, -1.0, 0.0, 0.0]), 0.1, np.inf)
    assert said((given, hard)).endswith(
        "loosen more than one limit, other limits are in conflict as well."
    )
