"""The types that carry arithmetic or refuse nonsense: universe, market, portfolio, permits."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from deadband.core.errors import ConfigError, DataError, ReplayDiffers, ShapeError
from deadband.core.reasons import Code, Reason
from deadband.core.seen import Market, Portfolio, Universe
from deadband.core.types import Gate, Permits, Watch

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
