"""The types that carry arithmetic or refuse nonsense: universe, market, portfolio, permits."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from deadband.core.errors import ConfigError, DataError, MissingError, ReplayDiffers, ShapeError
from deadband.core.reasons import Code, Reason
from deadband.core.seen import Market, Portfolio, Universe
from deadband.core.skill import HorizonWeight, Skill
from deadband.core.types import Gate, Permits, Signal, Watch

SYMBOLS = ("AAPL", "MSFT", "SPY")


def portfolio(**changed: Any) -> Portfolio:
    given: dict[str, Any] = {
        "account": "SIM",
        "currency": "USD",
        "shares": [10, -20, 0],
        "working": [5, 0, 0],
        "unknown": [0, 0, 0],
        "price": [100.0, 50.0, 400.0],
        "cash": 90_000.0,
        "nav": 100_000.0,
        "entry_price": [80.0, 40.0, 0.0],
        "holding_min": [30.0, 30.0, 0.0],
    }
    return Portfolio(**(given | changed))


def test_a_universe_numbers_its_sectors_and_finds_its_names() -> None:
    universe = Universe.of(SYMBOLS, {"AAPL": "tech", "MSFT": "tech"}, frozenset({"SPY"}))
    assert len(universe) == 3
    assert universe.group.tolist() == [0, 0, -1]
    assert universe.group_names == ("tech",)
    assert universe.traded.tolist() == [True, True, False]
    assert universe.index["SPY"] == 2
    assert universe.mask(("SPY", "GONE")).tolist() == [False, False, True]
    assert universe.mask(()).tolist() == [False, False, False]


def test_a_name_listed_twice_is_refused() -> None:
    with pytest.raises(DataError, match="universe lists AAPL more than once"):
        Universe.of(("AAPL", "MSFT", "AAPL"))


def test_weights_count_working_orders_and_have_signs() -> None:
    held = portfolio()
    assert held.weights.tolist() == [0.015, -0.01, 0.0]
    with pytest.raises(ValueError, match="read-only"):
        held.weights[0] = 1.0


def test_gain_since_entry_is_side_adjusted_and_zero_where_flat() -> None:
    assert portfolio().pnl_since_entry_bps == pytest.approx([2500.0, -2500.0, 0.0])
    unpriced = portfolio(price=[0.0, 50.0, 400.0])
    assert unpriced.pnl_since_entry_bps[0] == 0.0


@pytest.mark.parametrize("nav", [0.0, -5.0, float("nan")])
def test_an_account_without_capital_is_refused(nav: float) -> None:
    with pytest.raises(DataError, match=r"account SIM: NAV is .* USD, expected above 0. Fund"):
        portfolio(nav=nav)


def test_columns_of_another_length_are_refused_by_name() -> None:
    with pytest.raises(ShapeError, match=r"Portfolio.working has shape \(2,\), expected \(3,\)"):
        portfolio(working=[0, 0])


def test_a_name_without_a_quote_has_no_spread() -> None:
    universe = Universe.of(("AAPL", "DARK"))
    zero, no = np.zeros(2), np.zeros(2, dtype=np.bool_)
    market = Market(
        universe=universe,
        asof=datetime(2026, 1, 5, 15, tzinfo=UTC),
        bar_min=5.0,
        bid=np.array([99.99, 0.0]),
        ask=np.array([100.01, 0.0]),
        last=zero,
        volume=zero,
        adv=zero,
        bar_return=zero,
        quote_age_s=zero,
        halted=no,
        shortable=no,
        norm_move=0.0,
        norm_spread=0.0,
    )
    assert market.mid == pytest.approx([100.0, 0.0])
    assert market.spread_bps == pytest.approx([2.0, 0.0])


def test_the_first_gate_speaks_for_a_name_and_equal_hard_bounds_freeze_it() -> None:
    zero = np.zeros(3)
    gates = (
        Gate(Code.LIQ_HALTED, np.array([True, False, False]), zero, 0.0),
        Gate(Code.LIQ_SPREAD, np.array([True, True, False]), zero, 40.0),
    )
    permits = Permits(
        low=zero,
        high=zero + 1,
        hard_low=np.array([0.02, 0.0, 0.0]),
        hard_high=np.array([0.02, 1.0, 1.0]),
        force=np.zeros(3, dtype=np.int16),
        gross_scale=1.0,
        gates=gates,
        spoken=(),
        watch=Watch(),
    )
    expected = [Code.LIQ_HALTED.number, Code.LIQ_SPREAD.number, 0]
    assert permits.first_gate().tolist() == expected
    assert permits.frozen.tolist() == [True, False, False]


def lasting(horizon_min: float, half_life_min: float) -> HorizonWeight:
    why = Code.HORIZON_RECORD
    return HorizonWeight(horizon_min, 0.5, 0.5, why, 0.02, half_life_min, 60.0, 1.0, 1.0)


def signal(score: list[float], parts: list[list[float]], *lives: HorizonWeight) -> Signal:
    n = len(score)
    return Signal(
        score=np.array(score),
        age_s=np.zeros(n),
        defect=np.zeros(n, dtype=np.int16),
        unit="return",
        horizon_min=30.0,
        parts=np.array(parts).reshape(len(parts), n),
        skill=Skill(horizons=lives),
    )


def test_what_a_horizon_adds_comes_true_with_its_half_life() -> None:
    """By hand: 3 of a half-life of 30 minutes, 1 of one of 120."""
    two = signal([4.0, 1.0], [[3.0, 0.0], [1.0, 1.0]], lasting(30.0, 30.0), lasting(120.0, 120.0))
    term = two.term_structure((30.0, 60.0, 1e9))
    slow = (1.0 - 2**-0.5) / (1.0 - 2**-0.25)
    assert term[0].tolist() == pytest.approx([4.0, 1.0])
    assert term[1].tolist() == pytest.approx([3.0 * 1.5 + slow, slow])
    assert term[2].tolist() == pytest.approx([6.0 + 1 / (1 - 2**-0.25), 1 / (1 - 2**-0.25)])


def test_one_horizon_is_its_own_part_and_not_kept_twice() -> None:
    one = signal([4.0, -1.0], [], lasting(30.0, 30.0))
    assert one.parts.shape == (0, 2)
    assert one.by_horizon.tolist() == [[4.0, -1.0]]
    assert one.term_structure((60.0,)).tolist() == [[6.0, -1.5]]


def test_a_signal_that_was_not_merged_has_no_term_structure() -> None:
    with pytest.raises(MissingError, match="half-lives are not known"):
        signal([1.0], []).term_structure((30.0,))


def test_a_reason_reads_as_one_line() -> None:
    reason = Reason(Code.ROTATE_OUT, "AAPL", {"gap": 0.5, "cost": 0.0001234567}, "MSFT", "NET")
    assert str(reason) == "ROTATE_OUT AAPL counterpart=MSFT limit=NET gap=0.5 cost=0.000123457"
    assert str(Reason(Code.BAND_SKIP, "GLOBAL")) == "BAND_SKIP GLOBAL"


def test_a_code_is_the_text_of_its_name() -> None:
    assert f"{Code.CUT_LOSER}" == Code.CUT_LOSER == "CUT_LOSER"


def test_errors_keep_their_facts() -> None:
    assert str(ConfigError(("one.", "two."))) == "one.\ntwo."
    differs = ReplayDiffers("20260105.000001", "decision.target", 0.1, 0.2)
    assert (differs.cycle_id, differs.field) == ("20260105.000001", "decision.target")
    assert "decision.target was recorded as 0.1 and is replayed as 0.2" in str(differs)
