"""Bars made of quotes are those of the trades that were seen, and of no others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deadband.core.events import Quality, Quote
from deadband.core.session import session_on
from deadband.live.forming import Forming, empty_day

SESSION = session_on(date(2026, 11, 27))
assert SESSION is not None and SESSION.is_half_day
BAR_MIN = 15.0


@dataclass(frozen=True)
class Seen:
    """A look: seconds after the open, the last trade's cents, shares since the look before."""

    at: float
    cents: int
    shares: int
    is_live: bool


looks = st.lists(
    st.builds(
        Seen,
        at=st.integers(-9_000, 2_100 * 60 + 9_000).map(lambda tenths: tenths / 10),
        cents=st.integers(9_950, 10_050),
        shares=st.sampled_from([0, 0, 100, 700]),
        is_live=st.sampled_from([True, True, True, False]),
    ),
    max_size=60,
).map(lambda found: sorted(found, key=lambda one: one.at))


def quote(seen: Seen, volume: int) -> Quote:
    last = seen.cents / 100
    quality = Quality.LIVE if seen.is_live else Quality.DELAYED
    return Quote("AAPL", last - 0.01, last + 0.03, last, 100, 100, volume, 1, quality)


def formed(given_looks: list[Seen]) -> Forming:
    assert SESSION is not None
    forming = Forming(SESSION, BAR_MIN, empty_day(SESSION, BAR_MIN, 2))
    volume = 0
    for one in given_looks:
        volume += one.shares
        forming.look(1, quote(one, volume), SESSION.open + timedelta(seconds=one.at))
    return forming


@given(looks)
def test_bars_are_those_of_the_trades_that_were_seen(given_looks: list[Seen]) -> None:
    bars = formed(given_looks).bars
    # By the book: live looks alone, and of them those that show a trade since the one before.
    trades: dict[int, list[tuple[int, int]]] = {}
    volume, before = 0, None
    for one in given_looks:
        volume += one.shares
        if not one.is_live:
            continue
        if before is not None and (volume > before[1] or one.cents != before[0]):
            row = int(one.at // (BAR_MIN * 60))
            if 0 <= one.at < 210 * 60:
                trades.setdefault(row, []).append((one.cents, volume - before[1]))
        before = one.cents, volume
    assert len(bars.close) == 14
    assert np.isnan(bars.close[:, 0]).all()
    for row in range(14):
        seen = trades.get(row)
        if seen is None:
            assert np.isnan([bars.open[row, 1], bars.close[row, 1], bars.volume[row, 1]]).all()
            continue
        prices = [cents / 100 for cents, _ in seen]
        assert bars.open[row, 1] == prices[0]
        assert bars.high[row, 1] == max(prices)
        assert bars.low[row, 1] == min(prices)
        assert bars.close[row, 1] == prices[-1]
        assert bars.volume[row, 1] == sum(shares for _, shares in seen)


@given(looks, st.floats(0, 210 * 60 - 1))
def test_history_fills_what_was_not_seen_and_changes_nothing_that_was(
    given_looks: list[Seen], at: float
) -> None:
    assert SESSION is not None
    forming = formed(given_looks)
    before = forming.bars.close.copy()
    told = empty_day(SESSION, BAR_MIN, 2)
    for table in (told.open, told.high, told.low, told.close, told.volume):
        table[:, 1] = 77.0
    told.close[3] = np.nan
    count = forming.fill(told, SESSION.open + timedelta(seconds=at))
    after, under_way = forming.bars.close, int(at // (BAR_MIN * 60))
    seen = ~np.isnan(before)
    assert (after[seen] == before[seen]).all()
    # Later than now nothing is known, whatever an answer says.
    np.testing.assert_array_equal(after[under_way + 1 :], before[under_way + 1 :])
    wanted = [row for row in range(under_way + 1) if row != 3 and np.isnan(before[row, 1])]
    assert count == len(wanted)
    assert all(after[row, 1] == 77.0 for row in wanted)
    assert np.isnan(after[:, 0]).all()


@given(looks)
def test_a_half_spread_is_the_last_one_seen_in_the_bar(given_looks: list[Seen]) -> None:
    quoted = formed(given_looks).bars.quoted[:, 1]
    rows = {int(s.at // 900) for s in given_looks if s.is_live and 0 <= s.at < 210 * 60}
    assert {row for row in range(14) if np.isfinite(quoted[row])} == rows
    np.testing.assert_allclose(quoted[sorted(rows)], 0.02)
