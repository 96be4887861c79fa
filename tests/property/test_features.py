"""Folded bar by bar, features are what a batch computation over all bars says; and no bar ahead."""

from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deadband import cycle
from deadband.core.bars import Bar
from deadband.core.session import sessions_between
from deadband.signals.features.state import FeatureState
from tests import kit
from tests.reference.features_by_hand import ByHand, Day, bars_of

SESSIONS = sessions_between(date(2025, 11, 18), date(2026, 1, 9))
"""Two half-days, Thanksgiving, Christmas and New Year are among them."""
SPLITS = (2.0, 3.0, 1.5, 0.5, 0.1, 7.0)


@dataclass(frozen=True)
class World:
    """What is drawn: where it starts, how long it is, and how bad its data are."""

    seed: int
    first: int
    sessions: int
    names: int
    bar_min: float
    silent: float
    split: float
    late: bool
    skips_a_session: bool

    def days(self) -> list[Day]:
        rng = np.random.default_rng(self.seed)
        n = self.names
        chosen = list(SESSIONS[self.first : self.first + self.sessions])
        if self.skips_a_session and len(chosen) > 2:
            del chosen[len(chosen) // 2]
        price = rng.uniform(20.0, 400.0, n)
        begins = rng.integers(0, 3 * 13, n) if self.late else np.zeros(n, dtype=np.int64)
        days, bars_seen = [], 0
        for session in chosen:
            price = price * np.exp(rng.normal(0.0, 0.01, n))
            splits = rng.random(n) < self.split
            price = np.where(splits, price / rng.choice(SPLITS, n), price)
            bars = bars_of(session, self.bar_min)
            tables = np.full((6, bars, n), np.nan)
            for row in range(bars):
                outage = rng.random() < self.silent / 3
                trades = (rng.random(n) >= self.silent) & (begins <= bars_seen) & (not outage)
                open_ = price * np.exp(rng.normal(0.0, 1e-3, n))
                close = open_ * np.exp(rng.normal(0.0, 5e-3, n))
                reach = np.abs(rng.normal(0.0, 2e-3, (2, n)))
                high = np.maximum(open_, close) * (1 + reach[0])
                low = np.minimum(open_, close) * (1 - reach[1])
                prices = np.maximum(np.round([open_, high, low, close], 2), 0.01)
                volume = np.floor(np.exp(rng.normal(8.0, 2.0, n))) * (rng.random(n) > 0.2)
                tables[:4, row], tables[4, row] = prices, volume
                tables[5, row] = 0.01
                tables[:5, row, ~trades] = np.nan
                price = np.where(trades, prices[3], price)
                bars_seen += 1
            days.append(Day(session, *tables))
        return days


worlds = st.builds(
    World,
    seed=st.integers(0, 2**32),
    first=st.integers(0, len(SESSIONS) - 8),
    sessions=st.integers(1, 8),
    names=st.integers(1, 4),
    bar_min=st.sampled_from([30.0, 15.0, 26.0, 60.0]),
    silent=st.sampled_from([0.0, 0.1, 0.5]),
    split=st.sampled_from([0.0, 0.2]),
    late=st.booleans(),
    skips_a_session=st.booleans(),
)


def bar_of(day: Day, k: int, bar_min: float) -> Bar:
    row = k - 1
    nothing = np.zeros(day.close.shape[1])
    return Bar(
        start=day.session.open + timedelta(minutes=row * bar_min),
        open=day.open[row],
        high=day.high[row],
        low=day.low[row],
        close=day.close[row],
        volume=day.volume[row],
        half_spread=day.half_spread[row],
        adv=nothing,
        sigma_day=nothing,
    )


def folded(
    days: list[Day], bar_min: float, upto: tuple[int, int], names: tuple[str, ...] | None = None
) -> FeatureState:
    """Every bar but the silent ones, up to the k-th of day d."""
    state = cycle.first_features(kit.universe(days[0].close.shape[1]), bar_min, names)
    for d, day in enumerate(days[: upto[0] + 1]):
        for k in range(1, len(day) + 1):
            last = (d, k) == upto
            if last or np.isfinite(day.close[k - 1]).any():
                state = cycle.observe(state, bar_of(day, k, bar_min), day.session)
            if last:
                break
    return state


def instants(world: World, days: list[Day], most: int) -> list[tuple[int, int]]:
    """Some instants: the first and last of the last session, and some others."""
    rng = np.random.default_rng(world.seed + 1)
    d = len(days) - 1
    picked = {(d, 1), (d, len(days[d]))}
    while len(picked) < most:
        d = int(rng.integers(0, len(days)))
        picked.add((d, int(rng.integers(1, len(days[d]) + 1))))
    return sorted(picked)


def assert_told_as_by_hand(world: World) -> None:
    days = world.days()
    by_hand = ByHand(days, world.bar_min)
    for d, k in instants(world, days, 4):
        told = cycle.read(folded(days, world.bar_min, (d, k)))
        session = days[d].session
        since_open = told.asof - session.open
        assert since_open.total_seconds() == k * world.bar_min * 60
        for i in range(world.names):
            expected = by_hand.features(d, k, i)
            assert set(told.names) == set(expected)
            for name, row in zip(told.names, told.value, strict=True):
                np.testing.assert_allclose(
                    row[i], expected[name], rtol=1e-12, atol=1e-12, err_msg=f"{name} {d} {k} {i}"
                )


@settings(max_examples=60, deadline=None)
@given(worlds)
def test_folded_features_are_the_batch_ones(world: World) -> None:
    assert_told_as_by_hand(world)


@settings(max_examples=20, deadline=None)
@given(worlds)
def test_a_feature_folded_alone_is_the_same(world: World) -> None:
    """Nothing that is left out for want of a reader was needed."""
    days = world.days()
    upto = (len(days) - 1, len(days[-1]))
    told = cycle.read(folded(days, world.bar_min, upto))
    for name, row in zip(told.names, told.value, strict=True):
        alone = cycle.read(folded(days, world.bar_min, upto, (name,)), (name,))
        assert alone.value[0].tobytes() == row.tobytes(), name


@pytest.mark.parametrize("seed", range(3))
def test_folded_features_are_the_batch_ones_on_five_minute_bars(seed: int) -> None:
    """Six sessions over a half-day, one split, one name that comes late."""
    world = World(seed, 4, 6, 2, 5.0, silent=0.1, split=0.1, late=True, skips_a_session=False)
    assert_told_as_by_hand(world)


def part_bytes(value: Any) -> list[bytes]:
    """Every array inside a frozen value, as bytes."""
    if isinstance(value, np.ndarray):
        return [value.tobytes()]
    if isinstance(value, tuple):
        return [part for item in value for part in part_bytes(item)]
    names = [f.name for f in fields(value)] if is_dataclass(value) else []
    return [part for name in names for part in part_bytes(getattr(value, name))]


@settings(max_examples=30, deadline=None)
@given(worlds, st.floats(0.01, 100.0))
def test_later_bars_change_nothing_now(world: World, poison: float) -> None:
    """Neither what is told of a moment, nor the state that was kept of it."""
    days = world.days()
    d, k = instants(world, days, 3)[0]
    state = folded(days, world.bar_min, (d, k))
    told, kept = cycle.read(state), part_bytes(state)
    poisoned = [
        day if e < d else with_rows_from(day, k if e == d else 0, poison)
        for e, day in enumerate(days)
    ]
    again = folded(poisoned, world.bar_min, (d, k))
    assert cycle.read(again).value.tobytes() == told.value.tobytes()
    later = state
    for e, day in enumerate(poisoned[d:], start=d):
        for bar in range(k + 1 if e == d else 1, len(day) + 1):
            later = cycle.observe(later, bar_of(day, bar, world.bar_min), day.session)
    assert part_bytes(state) == kept
    assert cycle.read(state).value.tobytes() == told.value.tobytes()


def with_rows_from(day: Day, row: int, factor: float) -> Day:
    columns = {
        name: np.vstack([column[:row], column[row:] * factor])
        for name in ("open", "high", "low", "close", "volume")
        for column in (getattr(day, name),)
    }
    return replace(day, **columns)
