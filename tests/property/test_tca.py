"""The parts of a shortfall add up to what two portfolios say, for any order and any fills."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband.backtest.tca.calibrate import calibrate
from deadband.backtest.tca.groups import LARGEST, PARTS, groups
from deadband.backtest.tca.intervals import DRAWS, estimate, ratios
from deadband.backtest.tca.shortfall import (
    Trade,
    later_mids,
    mark_out_bps,
    paper_less_real,
    shortfall,
)
from deadband.core.costs import CostSettings
from deadband.core.settings import parse_settings
from tests.kit.parents import SECOND, START

PRICE = st.floats(1.0, 1000.0)
FILL = st.tuples(st.integers(1, 500), PRICE, PRICE)


def trade(
    fills: list[tuple[int, float, float]], order_qty: int | None = None, **other: Any
) -> Trade:
    """A buy of all that is filled, decided and arrived at 100 dollars, two cents wide."""
    qty = np.array([fill[0] for fill in fills], dtype=np.int64)
    given: dict[str, Any] = {
        "order_id": "t",
        "symbol": "S0000",
        "sign": 1,
        "at": START,
        "reason": "BUY_TOP_K",
        "algorithm": "passive",
        "decision": 100.0,
        "arrival": 100.0,
        "end": 100.0,
        "fees": 0.0,
        "half": 0.01,
        "sigma_day": 0.02,
        "share": 1e-3,
    }
    return Trade(
        order_qty=int(qty.sum()) if order_qty is None else order_qty,
        qty=qty,
        price=np.array([fill[1] for fill in fills]),
        mid=np.array([fill[2] for fill in fills]),
        ts=START + SECOND * np.arange(len(fills)),
        **(given | other),
    )


@settings(max_examples=300, deadline=None)
@given(
    st.lists(FILL, max_size=5),
    st.integers(0, 1000),
    st.sampled_from([1, -1]),
    PRICE,
    PRICE,
    PRICE,
    st.floats(0.0, 50.0),
)
def test_the_parts_add_up_to_the_whole(
    fills: list[tuple[int, float, float]],
    unfilled: int,
    sign: int,
    decision: float,
    arrival: float,
    end: float,
    fees: float,
) -> None:
    made = trade(
        fills,
        sum(fill[0] for fill in fills) + unfilled,
        sign=sign,
        decision=decision,
        arrival=arrival,
        end=end,
        fees=fees,
    )
    total, whole = shortfall(made).total, paper_less_real(made)
    assert total == pytest.approx(whole, abs=1e-9 * (1.0 + made.order_qty * 1000.0))


def test_an_example_by_hand() -> None:
    made = trade(
        [(60, 100.04, 100.03), (20, 100.06, 100.05)],
        100,
        arrival=100.01,
        end=100.10,
        fees=1.0,
    )
    cost = shortfall(made)
    assert cost.delay == pytest.approx(0.01 * 100)
    assert cost.spread == pytest.approx(0.01 * 80)
    assert cost.impact == pytest.approx(0.02 * 60 + 0.04 * 20)
    assert cost.opportunity == pytest.approx(0.09 * 20)
    assert cost.total == pytest.approx(1.0 + 0.8 + 2.0 + 1.8 + 1.0)


def test_a_mark_out_is_what_a_fill_gained() -> None:
    ts = START + SECOND * np.arange(0, 100, 10)
    mids = 100.0 + 0.01 * np.arange(10)
    made = trade([(10, 100.0, 100.0)])
    ten = later_mids(ts, mids, made.ts, 10, 10.0)
    assert mark_out_bps(made, ten)[0] == pytest.approx(1.0)
    assert np.isnan(later_mids(ts, mids, made.ts, 1, 10.0)).all(), "finer than the quotes"
    assert np.isnan(later_mids(ts, mids, made.ts, 300, 10.0)).all(), "past the end"


# Groups and intervals


def test_every_order_is_in_one_group_of_each_kind() -> None:
    made = [
        trade([(10, 100.01, 100.0)], reason="BUY_TOP_K", share=5e-5),
        trade([(10, 99.99, 100.0)], reason="CUT_LOSER", sign=-1, share=0.5),
        trade([], 10, algorithm="marketable", at=START + 7200 * SECOND),
    ]
    found = list(groups(made))
    for by in ("all", "algorithm", "reason", "hour", "size"):
        assert sum(group.orders for group in found if group.by == by) == 3
    names = {(group.by, group.name) for group in found}
    assert {
        ("reason", "CUT_LOSER"),
        ("hour", "10:00"),
        ("hour", "12:00"),
        ("size", LARGEST),
    } <= names
    whole = next(group for group in found if group.by == "all")
    assert whole.fill_rate == pytest.approx(2 / 3)
    assert whole.parts["spread"].value == pytest.approx(2 / 3)
    assert set(whole.parts) == set(PARTS)
    assert not whole.parts["total"].is_known, "three orders of one morning say nothing"


def test_an_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        blocks = np.repeat(np.arange(40), 5)
        shared = rng.normal(0.0, 1.0, 40)[blocks]
        cost = 2.0 + shared + rng.normal(0.0, 1.0, 200)
        rows = np.column_stack([cost, np.ones(200)])
        (found,) = estimate(rows, blocks, ratios, draws=400)
        covered += found.low <= 2.0 <= found.high
    assert 0.87 <= covered / 200 <= 0.99


def test_the_same_trades_give_the_same_interval() -> None:
    rows = np.column_stack([np.arange(50.0), np.ones(50)])
    one, two = (estimate(rows, np.arange(50), ratios, DRAWS) for _ in range(2))
    assert one == two


# Calibration


def fitted(spread_paid: float, impact: float, noise: float, days: int = 30) -> list[Trade]:
    rng = np.random.default_rng(11)
    made = []
    for k in range(days * 20):
        qty, half = int(rng.integers(50, 20_000)), float(rng.uniform(0.005, 0.05))
        root = 0.02 * np.sqrt(qty / 1e6)
        drawn = rng.normal(0.0, noise)
        paid = spread_paid * half / 100.0 + impact * root + drawn
        made.append(
            trade(
                [(qty, 100.0 * (1.0 + paid), 100.0)],
                half=half,
                share=qty / 1e6,
                at=START + (k // 20) * 86_400 * SECOND,
            )
        )
    return made


def test_calibration_finds_what_the_costs_were_made_with() -> None:
    found = calibrate(fitted(0.4, 1.1, noise=2e-4), CostSettings())
    assert found.spread_paid.low <= 0.4 <= found.spread_paid.high
    assert found.impact.low <= 1.1 <= found.impact.high
    assert found.impact.high - found.impact.low < 0.3
    text = found.toml()
    assert "was 1" in text and "was 0.7" in text


def test_calibration_leaves_alone_what_it_cannot_tell_apart() -> None:
    known = calibrate(fitted(1.0, 0.7, noise=2e-4), CostSettings()).toml()
    assert known.count("no reason to change it") == 2
    few = calibrate(fitted(0.4, 1.1, noise=2e-4, days=3), CostSettings()).toml()
    assert few.count("too few days") == 2
    none = calibrate([], CostSettings())
    assert none.toml().count("too few days") == 2


def test_the_toml_is_settings_that_can_be_read() -> None:
    text = calibrate(fitted(0.4, 1.1, noise=2e-4), CostSettings()).toml()
    costs = parse_settings(text, {}).costs
    assert costs.spread_paid == pytest.approx(0.4, abs=0.2)
    assert costs.impact == pytest.approx(1.1, abs=0.15)
