from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from tests import kit

from deadband import cycle
from deadband.core.bars import Bar
from deadband.core.errors import DataError, MissingError
from deadband.core.session import Session, session_on, sessions_between
from deadband.signals.features.curve import Curve
from deadband.signals.features.state import FeatureState
from deadband.signals.features.window import Window

SESSIONS = sessions_between(date(2026, 3, 2), date(2026, 4, 30))
BAR_MIN = 30.0


def bar(session: Session, k: int, price: Any, **other: Any) -> Bar:
    """The k-th bar, all of it at one price, NaN where a name did not trade."""
    paid = np.asarray(price, dtype=np.float64)
    columns = dict.fromkeys(("open", "high", "low", "close"), paid)
    columns |= {"volume": np.where(np.isnan(paid), np.nan, 100.0)}
    columns |= dict.fromkeys(("half_spread", "adv", "sigma_day"), np.full(len(paid), 0.05))
    start = session.open + timedelta(minutes=BAR_MIN * (k - 1))
    return Bar(start=start, **columns | other)


def quiet(prices: list[float], sessions: int, upto: int = 13) -> FeatureState:
    """Sessions of bars at those prices, the last one up to a bar."""
    state = cycle.first_features(kit.universe(len(prices)), BAR_MIN)
    for s, session in enumerate(SESSIONS[:sessions]):
        for k in range(1, (upto if s == sessions - 1 else 13) + 1):
            state = cycle.observe(state, bar(session, k, prices), session)
    return state


def told(state: FeatureState, name: str) -> list[float]:
    return cycle.read(state, (name,)).value[0].tolist()


def test_a_split_at_night_is_nobody_s_return() -> None:
    """The second name's price halves, its shares double; the third falls a fifth on news."""
    state = quiet([100.0, 100.0, 100.0, 100.0], 4)
    day = SESSIONS[4]
    halved = bar(day, 1, [101.0, 50.0, 80.0, 100.0], volume=np.array([100.0, 200.0, 100.0, 100.0]))
    state = cycle.observe(state, halved, day)
    assert told(state, "overnight_gap") == pytest.approx([0.01, np.nan, -0.2, 0.0], nan_ok=True)
    assert told(state, "return_1d") == pytest.approx([0.01, np.nan, -0.2, 0.0], nan_ok=True)
    assert np.isnan(told(state, "opening_return_30m")[1])
    assert told(state, "volume_ratio") == pytest.approx([1.0] * 4)
    assert told(state, "dollar_volume_ratio") == pytest.approx([1.01, 1.0, 0.8, 1.0])
    assert told(state, "realized_vol_1d") == pytest.approx([0.0] * 4)
    # The half hour's true range is that from yesterday's close, in new shares.
    assert told(state, "atr_30m")[1] == pytest.approx(0.0)
    assert told(state, "atr_30m")[2] > 0.01


def test_a_split_of_a_name_that_opens_late_is_judged_by_those_that_opened() -> None:
    """What was usual before it traded is in new shares too."""
    state = quiet([100.0, 100.0, 100.0], 4)
    day = SESSIONS[4]
    assert state.bars_in(30.0) == 1
    for k, second in ((1, np.nan), (2, 50.0)):
        state = cycle.observe(state, bar(day, k, [100.0, second, 100.0]), day)
    assert np.isnan(told(state, "overnight_gap")[1])
    assert told(state, "volume_ratio")[1] == pytest.approx(0.5), "100 new shares are 50 old ones"


def test_expected_volume_of_the_bars_before_a_late_open_is_in_new_shares() -> None:
    """On 15-minute bars the half hour spans the silent bar and the one it opened in."""
    names = kit.universe(3)
    state = cycle.first_features(names, 15.0)
    for session in SESSIONS[:4]:
        for k in range(1, 27):
            start = session.open + timedelta(minutes=15 * (k - 1))
            state = cycle.observe(
                state, replace(bar(session, 1, [100.0] * 3), start=start), session
            )
    day = SESSIONS[4]
    for k, second in ((1, np.nan), (2, 50.0)):
        start = day.open + timedelta(minutes=15 * (k - 1))
        made = replace(bar(day, 1, [100.0, second, 100.0]), start=start)
        state = cycle.observe(state, made, day)
    assert told(state, "volume_ratio")[1] == pytest.approx(100 / 400)


def test_a_split_while_a_name_did_not_trade_is_found_when_it_trades_again() -> None:
    state = quiet([100.0, 100.0, 100.0], 2)
    for session in SESSIONS[2:4]:
        for k in range(1, 14):
            second = np.nan if session is SESSIONS[2] else 10.0
            state = cycle.observe(state, bar(session, k, [100.0, second, 100.0]), session)
    assert np.isnan(told(state, "return_1d")[1]) and np.isnan(told(state, "overnight_gap")[1])
    for session in SESSIONS[4:8]:
        state = cycle.observe(state, bar(session, 13, [100.0, 10.0, 100.0]), session)
        assert told(state, "return_1d")[1] == 0.0
    assert np.isnan(told(state, "return_5d")[1]), "the split lies five nights back"


def test_the_curve_is_of_earlier_sessions_only() -> None:
    """Today's own volume does not enter what is usual, nor does a half-day's."""
    state = quiet([100.0, 100.0], 4)
    day = SESSIONS[4]
    busy = bar(day, 1, [100.0, 100.0], volume=np.array([1000.0, 100.0]))
    assert told(cycle.observe(state, busy, day), "volume_ratio") == pytest.approx([10.0, 1.0])
    half_day = session_on(date(2025, 11, 28))
    assert half_day is not None
    taught = cycle.first_features(kit.universe(2), BAR_MIN)
    loud = bar(half_day, 1, [100.0, 100.0], volume=np.array([1e6, 1e6]))
    taught = cycle.observe(taught, loud, half_day)
    assert [row[-1].max() for row in taught.volumes.usual.rows] == [0.0] * 13


def test_volume_is_not_expected_before_three_sessions() -> None:
    assert np.isnan(told(quiet([100.0], 3), "volume_ratio")).all()
    assert told(quiet([100.0], 4), "volume_ratio") == [1.0]
    assert np.isnan(told(quiet([100.0], 3, upto=5), "slot_return_30m")).all()
    assert told(quiet([100.0], 4, upto=5), "slot_return_30m") == [0.0]


def test_after_missed_sessions_nothing_before_them_is_yesterday() -> None:
    state = quiet([100.0, 50.0], 2)
    day = SESSIONS[3]
    state = cycle.observe(state, bar(day, 1, [120.0, 50.0]), day)
    for name in ("overnight_gap", "return_1d", "opening_return_30m"):
        assert np.isnan(told(state, name)).all(), name


def test_bars_that_never_came_count_as_bars_without_a_trade() -> None:
    """As if they had been delivered empty: within a session, and at its end."""
    some, all_ = (cycle.first_features(kit.universe(2), BAR_MIN) for _ in range(2))
    for session in SESSIONS[:2]:
        for k in range(1, 14):
            silent = k in (3, 4, 12, 13)
            made = bar(session, k, [np.nan if silent else 100.0 + k, np.nan if silent else 50.0])
            all_ = cycle.observe(all_, made, session)
            some = some if silent else cycle.observe(some, made, session)
    day = SESSIONS[2]
    last = bar(day, 2, [101.0, 51.0])
    some = cycle.observe(some, last, day)
    all_ = cycle.observe(cycle.observe(all_, bar(day, 1, [np.nan] * 2), day), last, day)
    assert cycle.read(some).value.tobytes() == cycle.read(all_).value.tobytes()


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_a_name_with_a_number_that_cannot_be_true_has_not_traded(column: str, value: float) -> None:
    day = SESSIONS[4]
    state = quiet([100.0, 50.0], 4)
    sound = bar(day, 1, [100.0, np.nan])
    spoilt = bar(day, 1, [100.0, 51.0])
    columns = {column: np.array([getattr(spoilt, column)[0], value])}
    made = cycle.observe(state, replace(spoilt, **columns), day)
    expected = cycle.read(cycle.observe(state, sound, day)).value
    np.testing.assert_array_equal(cycle.read(made).value, expected)


def test_bars_come_once_each_oldest_first() -> None:
    state = quiet([100.0], 2, upto=3)
    today, before = SESSIONS[1], SESSIONS[0]
    for session, k in ((today, 3), (today, 2), (before, 13)):
        with pytest.raises(DataError, match="came after bar 3 of 2026-03-03. Bars"):
            cycle.observe(state, bar(session, k, [100.0]), session)


def test_a_bar_between_two_bars_or_outside_the_session_is_refused() -> None:
    state, day = quiet([100.0], 1, upto=1), SESSIONS[0]
    made = bar(day, 2, [100.0])
    for start in (made.start + timedelta(minutes=5), day.close, day.open - timedelta(minutes=30)):
        with pytest.raises(DataError, match="is not one of 30 minutes in the session"):
            cycle.observe(state, replace(made, start=start), day)


def test_features_that_such_bars_cannot_tell_are_said_to_be_so() -> None:
    state = quiet([100.0], 1)
    with pytest.raises(MissingError, match="return_5m needs shorter bars; bars of 30 minutes tell"):
        cycle.read(state, ("return_30m", "return_5m"))
    with pytest.raises(MissingError, match="return_7m is not a feature"):
        cycle.read(state, ("return_7m",))
    with pytest.raises(DataError, match="no bar has been observed"):
        cycle.read(cycle.first_features(kit.universe(1), BAR_MIN))
    for bar_min in (0.0, -5.0, 391.0, np.nan):
        with pytest.raises(DataError, match="minutes have no features"):
            cycle.first_features(kit.universe(1), bar_min)


def test_only_what_is_asked_for_is_read_in_the_order_asked() -> None:
    read = cycle.read(quiet([100.0, 50.0], 1, upto=4), ("to_close_min", "since_open_min"))
    assert read.names == ("to_close_min", "since_open_min")
    assert read.value.tolist() == [[270.0, 270.0], [120.0, 120.0]]
    assert read.asof == SESSIONS[0].open + timedelta(minutes=120)


def test_what_was_not_asked_for_at_first_is_not_there_later() -> None:
    """Better an error than a volatility of no bars."""
    session = SESSIONS[0]
    state = cycle.first_features(kit.universe(1), BAR_MIN, ("return_30m", "vwap_distance"))
    state = cycle.observe(state, bar(session, 1, [100.0]), session)
    assert {"volume_ratio", "spread"} < set(cycle.read(state).names)
    assert not {"atr_30m", "range_vol_1d", "realized_vol_1d"} & set(cycle.read(state).names)
    with pytest.raises(MissingError, match="nothing was folded for atr_30m, range_vol_1d. Name"):
        cycle.read(state, ("return_30m", "atr_30m", "range_vol_1d"))


def test_a_window_forgets_a_spike_to_the_last_bit() -> None:
    """A running sum that subtracts would keep some 1e-4 of it here."""
    window = Window.empty(3, (1, 1))
    for value in (1.0, 1e12, *[1 / 3] * 3):
        window = window.push(np.array([[value]]))
    assert window.sum.item() == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("bars", [1, 2, 7])
def test_a_window_is_the_sum_of_its_last_rows(bars: int) -> None:
    values = np.random.default_rng(0).random((30, 2, 3))
    window = Window.empty(bars, (2, 3))
    for k, row in enumerate(values, start=1):
        window = window.push(row)
        np.testing.assert_allclose(window.sum, values[max(0, k - bars) : k].sum(axis=0), rtol=1e-14)


def test_a_curve_is_a_mean_of_20_sessions_and_then_leans_on_new_ones() -> None:
    curve, known = Curve.empty(1, 1, 1), np.array([[True]])
    for session in range(21):
        curve = curve.learn(np.array([[[float(session)]]]), known)
        mean, enough = curve.means(0)
        if session < 20:
            assert mean.item() == pytest.approx(session / 2)
        assert enough.item() == (session >= 2)
    assert mean.item() == pytest.approx(9.5 + (20 - 9.5) / 20)
