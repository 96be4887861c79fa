"""The greedy rules of SEMANTICS §4, one example each, small enough to check by hand.

Unless a test says otherwise: two places of 10 %, budget 20 %, ranks to 2 are bought and to 3
kept, one-way cost 2 bps at γ = 0.05, so 0.1 a unit of weight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from deadband.core.config import OptimizationConfig
from deadband.core.limits import BY_NUMBER as LIMITS
from deadband.core.limits import Limit, Structure
from deadband.core.problem import Proposal
from deadband.core.reasons import BY_NUMBER, Code
from deadband.core.types import Permits, Watch
from deadband.optimize.build import Ask, assemble
from deadband.optimize.rotation.side import fill_to
from deadband.optimize.solve import answer

PLAIN: dict[str, object] = {
    "K": 2,
    "K_buy": 2,
    "K_sell": 3,
    "max_net_exposure": 0.2,
    "per_name_cap": 0.1,
    "max_turnover": 1.0,
    "max_turnover_per_name": 1.0,
    "budget_buffer": 0.0,
    "weighting": "equal",
}


@dataclass
class Name:
    """A name as a test sees it: score, current weight, and what the rule at hand needs."""

    z: float
    w: float = 0.0
    bps: float = 2.0
    pnl: float = 0.0
    atr: float = 1.0
    minutes: float = 0.0
    sector: str = ""
    beta: float = 0.0
    sigma: float = 1.0
    frozen: bool = False
    scored: bool = True
    may_grow: bool = True


@dataclass
class Said:
    """What became of a name."""

    weight: float
    code: Code
    limit: Limit | None
    counterpart: str
    gap: float
    gain: float


def decide(
    names: dict[str, Name], *, beta: bool = False, hedge: str = "", **changed: object
) -> dict[str, Said]:
    proposal = propose(names, beta=beta, hedge=hedge, **changed)
    symbols = list(names)
    return {
        symbol: Said(
            weight=float(proposal.weights[i]),
            code=BY_NUMBER[int(proposal.code[i])],
            limit=LIMITS.get(int(proposal.limit[i])),
            counterpart=symbols[proposal.counterpart[i]] if proposal.counterpart[i] >= 0 else "",
            gap=float(proposal.gap[i]),
            gain=float(proposal.gain[i]),
        )
        for i, symbol in enumerate(symbols)
    }


def propose(
    names: dict[str, Name], *, beta: bool = False, hedge: str = "", **changed: object
) -> Proposal:
    config = OptimizationConfig(**(PLAIN | changed))
    rows = list(names.values())

    def column(field: str) -> np.ndarray:
        return np.array([getattr(row, field) for row in rows])

    labels = sorted({row.sector for row in rows} - {""})
    group = [labels.index(row.sector) if row.sector else -1 for row in rows]
    current, frozen, grow = column("w"), column("frozen"), column("may_grow")
    hard_low, hard_high = np.where(frozen, current, -np.inf), np.where(frozen, current, np.inf)
    low = np.where(grow, hard_low, np.minimum(current, 0.0))
    high = np.where(grow, hard_high, np.maximum(current, 0.0))
    none = np.zeros(len(rows), np.int16)
    ask = Ask(
        symbols=list(names),
        z=column("z"),
        scored=column("scored"),
        cost_bps=column("bps"),
        current=current,
        structure=Structure(
            np.array(group), tuple(labels), column("beta") if beta or hedge else None
        ),
        volatility=column("sigma"),
        pnl_bps=column("pnl"),
        atr_pct=column("atr"),
        holding_min=column("minutes"),
        permits=Permits(low, high, hard_low, hard_high, none, 1.0, (), (), Watch()),
        hedge=list(names).index(hedge) if hedge else -1,
        allow_short=config.shorts_allowed,
    )
    return answer(assemble(ask, config), config, "greedy")


# --- 1. cuts


def test_cut_score_needs_both_a_rank_beyond_k_sell_and_a_low_score() -> None:
    names = {"A": Name(0.19), "B": Name(0.18), "C": Name(0.17), "D": Name(0.1, w=0.1)}
    assert decide(names)["D"].code is Code.CUT_SCORE
    assert decide(names)["D"].weight == 0.0
    assert decide(names, K_sell=4)["D"].code is Code.HOLD_RANK
    assert decide(names, z_cut=0.05)["D"].code is Code.HOLD_RANK


def test_a_score_at_z_cut_to_the_last_bits_is_not_below_it() -> None:
    names = {"A": Name(1.0), "B": Name(1.0), "C": Name(1.0), "D": Name(0.2 - 1e-13, w=0.1)}
    assert decide(names, K_sell=2, delta_z_min=5.0)["D"].code is Code.HOLD_NO_GAP
    names["D"].z = 0.2 - 1e-11
    assert decide(names, K_sell=2, delta_z_min=5.0)["D"].code is Code.CUT_SCORE


def test_cut_loser_is_a_loss_beyond_k_atr_average_true_ranges() -> None:
    """1.2 · 1 % of price · 100 = 120 bps."""
    assert decide({"A": Name(2.0, w=0.1, pnl=-120.0)})["A"].code is Code.HOLD_KEEP
    assert decide({"A": Name(2.0, w=0.1, pnl=-121.0)})["A"].code is Code.CUT_LOSER
    assert decide({"A": Name(2.0, w=0.1, pnl=-121.0, atr=1.1)})["A"].code is Code.HOLD_KEEP
    # 1.2 · 0.12 · 100 is 14.4 but for its last bits: a loss at the stop is not beyond it.
    assert decide({"A": Name(2.0, w=0.1, pnl=-14.4, atr=0.12)})["A"].code is Code.HOLD_KEEP


def test_cut_dead_money_is_held_long_with_a_score_near_zero() -> None:
    assert decide({"A": Name(0.1, w=0.1, minutes=121.0)})["A"].code is Code.CUT_DEAD_MONEY
    assert decide({"A": Name(0.1, w=0.1, minutes=120.0)})["A"].code is Code.HOLD_RANK
    assert decide({"A": Name(-0.3, w=0.1, minutes=121.0)})["A"].code is Code.HOLD_RANK


def test_the_first_cut_rule_that_fires_gives_the_code() -> None:
    dead_loser = Name(0.1, w=0.1, pnl=-500.0, minutes=999.0)
    names = {"A": Name(1.0), "D": dead_loser}
    assert decide(names, K_sell=2)["D"].code is Code.CUT_LOSER
    assert decide(names, K=1, K_buy=1, K_sell=1)["D"].code is Code.CUT_SCORE


def test_a_short_is_cut_by_its_own_score() -> None:
    """Ranked on −z: the short in the name that rose to the top of the list goes."""
    names = {"A": Name(1.5, w=-0.05), "B": Name(0.0), "C": Name(-1.0), "D": Name(-1.1)}
    said = decide(names, K_short=2)
    assert (said["A"].code, said["A"].weight) == (Code.CUT_SCORE, 0.0)
    assert said["D"].weight < 0.0


def test_a_name_that_was_cut_is_not_bought_in_the_same_cycle() -> None:
    said = decide({"A": Name(2.0, w=0.05, pnl=-500.0), "B": Name(1.0)})
    assert said["A"].weight == 0.0
    assert said["B"].code is Code.BUY_TOP_K


def test_a_cut_passes_turnover_caps_and_uses_them_up() -> None:
    names = {"A": Name(1.5, w=0.1, pnl=-500.0), "B": Name(1.4)}
    proposal = propose(names, max_turnover=0.1, max_turnover_per_name=0.02)
    assert proposal.weights.tolist() == [0.0, 0.0]
    assert proposal.status == "optimal_relaxed"
    assert proposal.relaxed["TURNOVER_NAME"] == pytest.approx(0.08)
    assert LIMITS[int(proposal.limit[1])] is Limit.TURNOVER


# --- 2. trims


def test_cap_name_takes_a_name_back_to_its_cap() -> None:
    said = decide({"A": Name(2.0, w=0.13)})
    assert (said["A"].code, said["A"].weight) == (Code.CAP_NAME, pytest.approx(0.1))


def test_a_passive_breach_within_the_tolerance_is_left_alone() -> None:
    said = decide({"A": Name(2.0, w=0.1004)})
    assert (said["A"].code, said["A"].weight) == (Code.HOLD_KEEP, 0.1004)


def test_cap_sector_takes_the_name_that_loses_least_first() -> None:
    names = {
        "A": Name(2.0, w=0.1, sector="Tech"),
        "B": Name(1.0, w=0.1, sector="Tech"),
        "C": Name(0.9, w=0.1, sector="Banks"),
    }
    said = decide(names, sector_cap=0.15, max_net_exposure=0.3, K=3)
    assert [said[s].weight for s in "ABC"] == pytest.approx([0.1, 0.05, 0.1])
    assert said["B"].code is Code.CAP_SECTOR


def test_sector_gross_counts_longs_and_shorts() -> None:
    names = {
        "A": Name(2.0, w=0.1, sector="Tech"),
        "B": Name(-1.0, w=-0.1, sector="Tech"),
    }
    said = decide(names, sector_gross_cap=0.12, K_short=2, max_gross_exposure=0.4)
    assert [said[s].weight for s in "AB"] == pytest.approx([0.1, -0.02])
    assert said["B"].code is Code.CAP_SECTOR


def test_cap_beta_counts_the_loss_per_unit_of_beta() -> None:
    """Beta 0.15 against 0.05: A loses (2 + 0.1) / 2 a unit, B (1.5 + 0.1) / 1."""
    names = {"A": Name(2.0, w=0.05, beta=2.0), "B": Name(1.5, w=0.05, beta=1.0)}
    said = decide(names, beta=True)
    assert said["A"].code is Code.CAP_BETA
    assert [said[s].weight for s in "AB"] == pytest.approx([0.0, 0.05])


def test_cap_net_and_cap_gross() -> None:
    names = {"A": Name(2.0, w=0.1), "B": Name(1.0, w=0.1), "C": Name(0.9, w=0.1)}
    said = decide(names, max_net_exposure=0.25, K=3)
    assert (said["C"].code, said["C"].weight) == (Code.CAP_NET, pytest.approx(0.05))
    said = decide(names, max_net_exposure=0.3, max_gross_exposure=0.25, K=3)
    assert (said["C"].code, said["C"].weight) == (Code.CAP_GROSS, pytest.approx(0.05))


def test_what_ordered_relief_cannot_reach_a_common_factor_does() -> None:
    """Net is at its cap, so the only name that relieves Tech may not shrink alone."""
    names = {
        "A": Name(-1.0, w=-0.1, sector="Tech"),
        "B": Name(1.0, w=0.1),
        "C": Name(1.0, w=0.1),
    }
    said = decide(names, sector_cap=0.05, max_net_exposure=0.1, K_short=1)
    assert [said[s].weight for s in "ABC"] == pytest.approx([-0.05, 0.05, 0.05])
    assert {said[s].code for s in "ABC"} == {Code.CAP_GROSS}


def test_a_trim_never_crosses_a_frozen_name() -> None:
    names = {"A": Name(0.9, w=0.1, frozen=True), "B": Name(2.0, w=0.1), "C": Name(1.0, w=0.05)}
    said = decide(names, max_net_exposure=0.2, K=3)
    assert [said[s].weight for s in "ABC"] == pytest.approx([0.1, 0.1, 0.0])


def test_cap_frozen_speaks_for_a_name_over_its_cap_that_may_not_trade() -> None:
    said = decide({"A": Name(2.0, w=0.13, frozen=True), "B": Name(1.5, w=0.1, frozen=True)})
    assert (said["A"].code, said["A"].weight) == (Code.CAP_FROZEN, 0.13)
    assert said["B"].code is Code.HOLD_KEEP


def test_cap_frozen_outranks_a_cut_that_cannot_go_and_gross_counts_all_frozen() -> None:
    names = {"A": Name(0.1, w=0.13, pnl=-900.0, frozen=True), "B": Name(1.5, w=0.1, frozen=True)}
    assert decide(names)["A"].code is Code.CAP_FROZEN
    said = decide(names, max_gross_exposure=0.2)
    assert (said["A"].code, said["B"].code) == (Code.CAP_FROZEN, Code.CAP_FROZEN)


def test_a_cut_that_may_not_trade_says_the_permit_held_it() -> None:
    said = decide({"A": Name(0.1, w=0.1, pnl=-900.0, frozen=True)})["A"]
    assert (said.code, said.limit, said.weight) == (Code.HOLD_LIMIT, Limit.PERMIT, 0.1)


# --- 3. buys from free budget


def test_buy_top_k_fills_the_best_names_to_target() -> None:
    said = decide({"A": Name(2.0), "B": Name(1.0), "C": Name(0.9)})
    assert [said[s].weight for s in "ABC"] == pytest.approx([0.1, 0.1, 0.0])
    assert said["A"].code is Code.BUY_TOP_K
    assert said["A"].gain == pytest.approx(0.1 * (2.0 - 0.1))
    assert said["C"].code is Code.HOLD_FLAT


def test_a_buy_needs_a_score_above_z_keep_not_at_it() -> None:
    assert decide({"A": Name(0.8)})["A"].code is Code.HOLD_FLAT
    assert decide({"A": Name(0.81)})["A"].code is Code.BUY_TOP_K


def test_equal_scores_are_ranked_by_symbol() -> None:
    said = decide({"C": Name(1.0), "B": Name(1.0), "A": Name(1.0)})
    assert [said[s].weight for s in "ABC"] == pytest.approx([0.1, 0.1, 0.0])


def test_the_budget_is_the_limit_less_its_buffer() -> None:
    said = decide({"A": Name(2.0), "B": Name(1.0)}, budget_buffer=0.03)
    assert [said[s].weight for s in "AB"] == pytest.approx([0.097, 0.097])


def test_hold_no_edge_when_costs_eat_the_score() -> None:
    """Cost 0.05 · 20 bps = 1 a unit, the whole edge; τ_U bounds the trade, not the unit."""
    assert decide({"A": Name(1.0, bps=20.0)})["A"].code is Code.HOLD_NO_EDGE
    assert decide({"A": Name(1.0)}, tau_utility=0.09)["A"].code is Code.HOLD_NO_EDGE
    assert decide({"A": Name(1.0)}, tau_utility=0.0899)["A"].code is Code.BUY_TOP_K


@pytest.mark.parametrize(
    ("names", "changed", "limit"),
    [
        ({"A": Name(1.0)}, {"max_turnover": 0.0}, Limit.TURNOVER),
        ({"A": Name(1.0)}, {"max_turnover_per_name": 0.0}, Limit.TURNOVER_NAME),
        ({"A": Name(1.0, frozen=True)}, {}, Limit.PERMIT),
        ({"A": Name(1.0, may_grow=False)}, {}, Limit.PERMIT),
        ({"A": Name(1.0, sector="X")}, {"sector_cap": 0.0}, Limit.SECTOR),
        ({"A": Name(1.0, sector="X")}, {"sector_gross_cap": 0.0}, Limit.SECTOR_GROSS),
        ({"A": Name(1.0, beta=1.0)}, {"beta_tolerance": 0.0, "beta": True}, Limit.BETA),
        ({"A": Name(1.0)}, {"max_net_exposure": 0.0, "K_short": 1}, Limit.NET),
    ],
)
def test_hold_limit_names_the_limit(
    names: dict[str, Name], changed: dict[str, object], limit: Limit
) -> None:
    said = decide(names, **changed)["A"]
    assert (said.code, said.limit, said.weight) == (Code.HOLD_LIMIT, limit, 0.0)


def test_turnover_ramps_a_cold_start() -> None:
    said = decide({"A": Name(2.0), "B": Name(1.0)}, max_turnover=0.08, max_turnover_per_name=0.05)
    assert [said[s].weight for s in "AB"] == pytest.approx([0.05, 0.03])


def test_hold_no_donor_when_places_are_taken_by_names_worth_keeping() -> None:
    names = {"A": Name(2.0), "B": Name(1.0, w=0.05), "C": Name(0.9, w=0.05)}
    said = decide(names)
    assert (said["A"].code, said["A"].weight) == (Code.HOLD_NO_DONOR, 0.0)
    assert said["C"].code is Code.HOLD_KEEP


def test_hold_no_donor_when_a_better_buyer_emptied_the_donors() -> None:
    names = {"A": Name(2.0), "B": Name(1.9), "C": Name(0.9, w=0.1), "D": Name(0.5, w=0.1)}
    said = decide(names, K_sell=4)
    assert (said["A"].code, said["A"].counterpart) == (Code.BUY_BETTER, "D")
    assert said["B"].code is Code.HOLD_NO_DONOR


def test_two_sides_are_bought_in_the_order_of_their_scores_while_net_allows() -> None:
    """Net 0.05 stops A half way; the short D opens room, and A goes on."""
    names = {"A": Name(2.0), "B": Name(0.0), "C": Name(0.0), "D": Name(-1.0)}
    changed = {"K_short": 2, "max_gross_exposure": 0.4, "max_net_exposure": 0.05}
    said = decide(names, **changed)
    assert [said[s].weight for s in "ABCD"] == pytest.approx([0.1, 0.0, 0.0, -0.1])
    names["D"] = Name(-0.5)
    assert decide(names, **changed)["A"].weight == pytest.approx(0.05)


def test_a_head_that_was_blocked_is_asked_again_when_the_other_side_moved_in_part() -> None:
    """D shorts only 0.04 before its sector is full, and that is room for A under NET."""
    names = {"A": Name(2.0), "B": Name(0.0), "C": Name(0.0), "D": Name(-1.0, sector="X")}
    said = decide(names, K_short=2, max_gross_exposure=0.4, max_net_exposure=0.03, sector_cap=0.04)
    assert [said[s].weight for s in "ABCD"] == pytest.approx([0.07, 0.0, 0.0, -0.04])


def test_a_name_wanted_by_both_sides_is_not_turned_round_by_a_rotation() -> None:
    """With z_keep below zero A stands in both queues; bought long, it takes no short's weight."""
    names = {"A": Name(0.5), "D": Name(1.2, w=-0.1)}
    said = decide(names, z_keep=-1.0, K_short=1, max_gross_exposure=0.4)
    assert [said[s].weight for s in "AD"] == pytest.approx([0.1, -0.1])


def test_an_unscored_name_is_neither_ranked_nor_bought_nor_kept_for_its_score() -> None:
    names = {"A": Name(3.0, scored=False), "B": Name(1.0), "C": Name(2.0, w=0.02, scored=False)}
    said = decide(names, K_buy=1)
    assert [said[s].code for s in "ABC"] == [Code.HOLD_FLAT, Code.BUY_TOP_K, Code.HOLD_RANK]


# --- weightings


def test_fill_to_spreads_what_the_cap_cuts_off() -> None:
    assert fill_to(np.array([3.0, 1.0, 1.0]), 0.2, 0.1) == pytest.approx([0.1, 0.05, 0.05])
    assert fill_to(np.array([1.0, 1.0]), 0.5, 0.1) == pytest.approx([0.1, 0.1])
    assert fill_to(np.array([0.0, 1.0]), 0.05, 0.1) == pytest.approx([0.0, 0.05])
    assert fill_to(np.array([6.0, 3.0, 1.0]), 0.25, 0.1) == pytest.approx([0.1, 0.1, 0.05])
    assert fill_to(np.zeros(2), 0.2, 0.1).tolist() == [0.0, 0.0]


def test_weighting_by_score_and_by_inverse_volatility() -> None:
    names = {"A": Name(3.0, sigma=1.0), "B": Name(1.0, sigma=3.0)}
    equal = decide(names, weighting="equal", per_name_cap=0.5)
    score = decide(names, weighting="score", per_name_cap=0.5)
    inverse = decide(names, weighting="inverse_vol", per_name_cap=0.5)
    assert [equal[s].weight for s in "AB"] == pytest.approx([0.1, 0.1])
    assert [score[s].weight for s in "AB"] == pytest.approx([0.15, 0.05])
    assert [inverse[s].weight for s in "AB"] == pytest.approx([0.15, 0.05])


def test_inverse_volatility_is_the_default_where_volatilities_are_given() -> None:
    names = {"A": Name(3.0, sigma=3.0), "B": Name(1.0, sigma=1.0)}
    said = decide(names, weighting="", per_name_cap=0.5)
    assert [said[s].weight for s in "AB"] == pytest.approx([0.05, 0.15])


# --- 4. rotation


def test_rotation_moves_weight_from_the_worst_donor_to_the_best_buyer() -> None:
    names = {
        "A": Name(2.0),
        "B": Name(0.9, w=0.1),
        "C": Name(0.5, w=0.1),
        "D": Name(0.4),
    }
    said = decide(names, K_sell=4)
    assert [said[s].weight for s in "ABCD"] == pytest.approx([0.1, 0.1, 0.0, 0.0])
    assert (said["A"].code, said["A"].counterpart) == (Code.BUY_BETTER, "C")
    assert (said["C"].code, said["C"].counterpart) == (Code.ROTATE_OUT, "A")
    assert said["A"].gap == pytest.approx(1.5)
    assert said["A"].gain == pytest.approx(0.1 * (1.5 - 0.2))


def test_drop_green_is_a_donor_in_profit() -> None:
    names = {"A": Name(2.0), "B": Name(0.9, w=0.1), "C": Name(0.5, w=0.1, pnl=1.0)}
    assert decide(names)["C"].code is Code.DROP_GREEN


def test_a_donor_may_be_a_good_score_of_too_low_a_rank() -> None:
    names = {"A": Name(2.0), "B": Name(1.5, w=0.1), "C": Name(1.0), "D": Name(0.9, w=0.1)}
    assert decide(names, K_sell=3)["D"].code is Code.ROTATE_OUT
    assert decide(names, K_sell=4)["D"].code is Code.HOLD_KEEP


def test_hold_no_gap_is_said_of_the_buyer_and_of_every_donor_too_close_to_it() -> None:
    names = {"A": Name(0.9), "B": Name(0.75, w=0.1), "C": Name(0.7, w=0.1)}
    said = decide(names)
    assert {said[s].code for s in "ABC"} == {Code.HOLD_NO_GAP}
    assert (said["B"].counterpart, said["B"].gap) == ("A", pytest.approx(0.15))
    assert said["C"].gap == pytest.approx(0.2)


def test_a_gap_at_delta_z_min_is_enough() -> None:
    names = {"A": Name(1.0), "B": Name(0.9, w=0.1), "C": Name(0.75, w=0.1)}
    assert decide(names)["C"].code is Code.ROTATE_OUT


def test_hold_no_edge_when_a_swap_costs_more_than_the_gap_is_worth() -> None:
    names = {"A": Name(1.0, bps=10), "B": Name(0.9, w=0.1), "C": Name(0.7, w=0.1, bps=10)}
    said = decide(names)
    assert (said["A"].code, said["C"].code) == (Code.HOLD_NO_EDGE, Code.HOLD_NO_EDGE)
    assert said["C"].gain == pytest.approx(0.1 * (0.3 - 1.0))


def test_a_donor_that_fails_for_one_buyer_serves_the_next() -> None:
    """Selling C for A would fill X past its cap; for B it would not."""
    names = {
        "A": Name(2.0, sector="X"),
        "B": Name(1.9),
        "C": Name(0.5, w=0.1),
        "D": Name(1.0, w=0.1, sector="X"),
    }
    said = decide(names, sector_cap=0.1, K_sell=4)
    assert (said["A"].code, said["A"].limit) == (Code.HOLD_LIMIT, Limit.SECTOR)
    assert (said["B"].code, said["B"].counterpart) == (Code.BUY_BETTER, "C")


def test_hold_rank_is_a_donor_nobody_asked() -> None:
    said = decide({"A": Name(0.7), "B": Name(0.5, w=0.1), "C": Name(0.9, w=0.1)})
    assert said["B"].code is Code.HOLD_RANK


def test_a_draining_donor_shares_its_buyers_place() -> None:
    """Both places are taken; C gives 0.04 a cycle and A opens beside it: three names in two."""
    names = {"A": Name(2.0), "B": Name(0.9, w=0.1), "C": Name(0.5, w=0.1)}
    said = decide(names, max_turnover_per_name=0.04)
    assert [said[s].weight for s in "ABC"] == pytest.approx([0.04, 0.1, 0.06])


def test_a_place_is_shared_only_once() -> None:
    """Next cycle A, B and C stand open in two places: D finds none until C is gone."""
    names = {"A": Name(2.0, w=0.1), "D": Name(1.9), "B": Name(0.9, w=0.04), "C": Name(0.5, w=0.06)}
    said = decide(names, max_turnover_per_name=0.04, K_sell=4, delta_z_min=0.25)
    assert (said["D"].code, said["D"].limit) == (Code.HOLD_LIMIT, Limit.SLOTS)


REMAINDER = {"A": Name(2.0, w=0.003), "B": Name(0.9, w=0.097), "C": Name(0.5, w=0.1)}
"""With K_buy = 1 A needs 0.097 of C's 0.1; the 0.003 left are less than the name band of 0.005."""


def test_a_small_remainder_goes_with_its_donor() -> None:
    said = decide(REMAINDER, K_buy=1)
    assert [said[s].weight for s in "ABC"] == pytest.approx([0.1, 0.097, 0.0])
    kept = decide(REMAINDER, K_buy=1, name_drift_threshold=0.002)
    assert kept["C"].weight == pytest.approx(0.003)


def test_a_remainder_stays_when_turnover_or_the_trade_as_a_whole_forbids_it() -> None:
    gain, loss = 0.097 * (1.5 - 0.2), 0.003 * (0.5 + 0.1)
    for changed in (
        {"max_turnover": 0.194},
        {"max_turnover_per_name": 0.097},
        {"tau_utility": gain - loss / 2},
    ):
        assert decide(REMAINDER, K_buy=1, **changed)["C"].weight == pytest.approx(0.003)
    assert decide(REMAINDER, K_buy=1, tau_utility=gain - 2 * loss)["C"].weight == 0.0


def test_a_remainder_is_measured_after_its_swap_and_never_breaks_a_limit() -> None:
    """Beta starts at 0.003·0.4 + 0.1·(−0.2) and the swap takes it to 0.04 − 0.003·0.2 = 0.0394.

    Selling the remainder would take it to 0.04, past the tolerance; before the swap there was room.
    """
    names = {
        "A": Name(2.0, w=0.003, beta=0.4),
        "B": Name(0.9, w=0.097),
        "C": Name(0.5, w=0.1, beta=-0.2),
    }
    said = decide(names, beta=True, beta_tolerance=0.0394, K_buy=1)
    assert [said[s].weight for s in "ABC"] == pytest.approx([0.1, 0.097, 0.003])
    assert said["A"].code is Code.BUY_BETTER
    assert decide(names, beta=True, beta_tolerance=0.04, K_buy=1)["C"].weight == 0.0


@pytest.mark.parametrize(
    ("donor", "code"),
    [(0.06, Code.BUY_BETTER), (0.04, Code.BUY_TOP_K), (0.02, Code.BUY_TOP_K)],
)
def test_a_name_bought_both_ways_takes_the_code_of_the_larger_part(
    donor: float, code: Code
) -> None:
    """A needs 0.08: free budget first, the rest from C; a tie: the earlier step."""
    names = {"A": Name(2.0, w=0.02), "B": Name(0.9, w=0.1), "C": Name(0.5, w=donor)}
    said = decide(names)
    assert (said["A"].weight, said["A"].code) == (pytest.approx(0.1), code)
    assert said["C"].weight == 0.0


def test_shorts_rotate_like_longs() -> None:
    names = {
        "A": Name(0.0),
        "B": Name(-0.4, w=-0.1),
        "C": Name(-0.9, w=-0.1),
        "D": Name(-2.0),
    }
    said = decide(names, K_short=2, max_gross_exposure=0.4, max_net_exposure=0.3)
    assert [said[s].weight for s in "ABCD"] == pytest.approx([0.0, 0.0, -0.1, -0.1])
    assert (said["B"].code, said["D"].code) == (Code.ROTATE_OUT, Code.BUY_BETTER)


# --- 5. hedge


HEDGED: dict[str, object] = {"max_gross_exposure": 1.0, "max_net_exposure": 0.2}


def test_hedge_beta_takes_the_residual_beta() -> None:
    names = {"A": Name(2.0, beta=1.5), "B": Name(1.0, beta=0.5), "SPY": Name(9.0, beta=1.0)}
    said = decide(names, hedge="SPY", **HEDGED)
    assert (said["SPY"].code, said["SPY"].weight) == (Code.HEDGE_BETA, pytest.approx(-0.2))
    assert said["A"].weight == pytest.approx(0.1)


def test_the_hedge_is_outside_turnover_by_name_and_takes_nobodys_rank() -> None:
    names = {"A": Name(2.0, beta=1.0), "B": Name(0.1, w=0.1, beta=1.0), "SPY": Name(9.0, beta=1.0)}
    proposal = propose(names, hedge="SPY", max_turnover_per_name=0.1, K_sell=2, **HEDGED)
    assert proposal.weights.tolist() == pytest.approx([0.1, 0.1, -0.2])
    assert proposal.status == "optimal"


def test_the_hedge_stops_at_its_own_cap_and_the_rest_of_beta_is_trimmed() -> None:
    names = {"A": Name(2.0, beta=1.5), "SPY": Name(0.0, beta=1.0)}
    said = decide(names, hedge="SPY", hedge_cap=0.04, **HEDGED)
    assert said["SPY"].weight == pytest.approx(-0.04)
    assert said["A"].weight == pytest.approx(0.09 / 1.5)


def test_the_hedge_is_inside_gross_and_crosses_zero_in_two_legs() -> None:
    """From +0.05: closing frees gross, A holds 0.1 of 0.15, so the short may be 0.05."""
    names = {"A": Name(2.0, w=0.1, beta=0.8), "SPY": Name(0.0, w=0.05, beta=1.0)}
    said = decide(names, hedge="SPY", max_gross_exposure=0.15, K_buy=1)
    assert said["SPY"].weight == pytest.approx(-0.05)


def test_a_hedge_cap_below_the_name_cap_binds_a_hedge_that_stands_over_it() -> None:
    names = {"A": Name(2.0, beta=0.0), "SPY": Name(0.0, w=0.08, beta=0.0)}
    said = decide(names, hedge="SPY", hedge_cap=0.05, **HEDGED)
    assert (said["SPY"].weight, said["SPY"].code) == (pytest.approx(0.05), Code.CAP_NAME)


def test_a_frozen_hedge_stays_even_over_its_cap() -> None:
    names = {"A": Name(2.0, beta=1.0), "SPY": Name(0.0, w=-0.35, beta=1.0, frozen=True)}
    said = decide(names, hedge="SPY", max_gross_exposure=1.0, max_net_exposure=0.4)
    assert (said["SPY"].weight, said["SPY"].code) == (-0.35, Code.CAP_FROZEN)


def test_a_hedge_without_beta_of_its_own_does_nothing() -> None:
    names = {"A": Name(0.5, w=0.04, beta=1.0), "SPY": Name(0.0)}
    assert decide(names, hedge="SPY", **HEDGED)["SPY"].code is Code.HOLD_FLAT


# --- boxes


def test_a_name_that_may_not_shrink_is_no_donor_and_a_cut_overrides_a_soft_box() -> None:
    names = {"A": Name(2.0), "B": Name(0.9, w=0.1), "C": Name(0.5, w=0.1, frozen=True)}
    said = decide(names)
    assert (said["C"].code, said["C"].limit) == (Code.HOLD_LIMIT, Limit.PERMIT)
    assert (said["A"].code, said["A"].weight) == (Code.HOLD_LIMIT, 0.0)


def test_a_held_short_is_closed_where_shorts_are_not_allowed() -> None:
    said = decide({"A": Name(-2.0, w=-0.05), "B": Name(0.0)})
    assert (said["A"].code, said["A"].weight) == (Code.CAP_NAME, 0.0)
