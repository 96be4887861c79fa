"""Features of a run: earlier sessions first, then each bar as it ends, and none where none asks."""

from pathlib import Path

import numpy as np
import pytest

from deadband import IBKROptimizationIntegration, cycle
from deadband.backtest.ledger import read_ledger
from deadband.backtest.measure import Measure
from deadband.core.bars import SessionBars
from deadband.core.features import Features
from deadband.core.model_settings import ModelSettings
from deadband.feeds.simulated import BAR_MIN, SimulatedMarket, simulated_market
from tests import kit

NEEDS = ("return_30m", "return_1d", "volume_ratio", "realized_vol_1d")


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    return simulated_market(kit.settings(), seed=5, names=12, days=2)


def first_day(market: SimulatedMarket) -> SessionBars:
    return market.tape.day(market.sessions[0])


def same(one: Features | None, other: Features | None) -> bool:
    assert one is not None and other is not None
    return one.asof == other.asof and one.value.tobytes() == other.value.tobytes()


def test_the_first_bar_already_knows_the_sessions_before(market: SimulatedMarket) -> None:
    measured = Measure(market.tape, NEEDS).at(first_day(market), 1)
    assert measured is not None and measured.names == NEEDS
    for name in ("return_1d", "volume_ratio", "realized_vol_1d"):
        assert np.isfinite(measured.rows((name,))).all(), name


def test_it_is_the_fold_of_every_bar_that_has_ended(market: SimulatedMarket) -> None:
    day = first_day(market)
    state = cycle.first_features(market.tape.universe, BAR_MIN)
    for session, bar in market.tape.bars_before(day.session, 1000):
        state = cycle.observe(state, bar, session)
    for k in range(1, 8):
        state = cycle.observe(state, day.bar(k), day.session)
    assert same(Measure(market.tape, NEEDS).at(day, 7), cycle.read(state, NEEDS))


def test_bars_that_were_passed_over_are_folded_too(market: SimulatedMarket) -> None:
    day, next_day = (market.tape.day(session) for session in market.sessions)
    hasty, patient = Measure(market.tape, NEEDS), Measure(market.tape, NEEDS)
    for k in range(1, len(day) + 1):
        last = patient.at(day, k)
    assert same(hasty.at(day, len(day)), last)
    assert same(hasty.at(next_day, 3), [patient.at(next_day, k) for k in (1, 2, 3)][-1])


def test_the_bars_before_a_session_are_those_of_the_sessions_before(
    market: SimulatedMarket,
) -> None:
    second = market.sessions[1]
    before = list(market.tape.bars_before(second, 2))
    assert {session.day for session, _ in before} == {
        market.sessions[0].day,
        max(day for day in market.tape.days if day < market.sessions[0].day),
    }
    assert [bar.start for _, bar in before] == sorted(bar.start for _, bar in before)
    last_session, last = before[-1]
    day = first_day(market)
    assert last_session.day == market.sessions[0].day
    np.testing.assert_array_equal(last.close, day.close[-1])
    assert last.start == day.bar(len(day)).start


def test_where_no_model_asks_nothing_is_measured(market: SimulatedMarket) -> None:
    assert Measure(market.tape, ()).at(first_day(market), 1) is None


def test_what_cannot_be_measured_is_left_out(market: SimulatedMarket) -> None:
    measured = Measure(market.tape, ("return_30m", "moon")).at(first_day(market), 1)
    assert measured is not None and measured.names == ("return_30m",)


def test_the_integration_asks_the_models_that_its_settings_list(tmp_path: Path) -> None:
    settings = kit.settings(models=(ModelSettings("back", "reference", "reversal"),))
    names = [f"N{i}" for i in range(8)]
    path = tmp_path / "journal.db"
    integration = IBKROptimizationIntegration(settings=settings, journal=path)
    success, summary = integration.run_optimization_cycle(names)
    integration.close()
    assert success, summary
    assert set(read_ledger(path).models) == {"back"}
