"""The seeded market: sound bars, scores that know something, and the same again for a seed."""

import numpy as np
import pytest
from tests import kit

from deadband.core.bars import bar_returns
from deadband.core.session import next_session
from deadband.feeds.simulated import BAR_MIN, HISTORY_DAYS, SCORE_EVERY, simulated_market

SETTINGS = kit.settings()
MARKET = simulated_market(SETTINGS, seed=7, names=40)


def test_the_first_session_that_runs_has_its_history_before_it() -> None:
    assert len(MARKET.tape.days) == HISTORY_DAYS + 1
    assert MARKET.sessions == MARKET.tape.sessions()[-1:]
    assert MARKET.tape.findings == () and MARKET.tape.bar_min == BAR_MIN


def test_every_bar_is_sound() -> None:
    for day in MARKET.tape.days.values():
        prices = np.array([day.open, day.high, day.low, day.close])
        assert np.isfinite(prices).all() and (prices > 0).all()
        assert (day.high >= prices.max(axis=0)).all()
        assert (day.low <= prices.min(axis=0)).all()
        assert (day.volume >= 0).all()


@pytest.mark.parametrize("what", ["open", "close", "volume"])
def test_a_seed_is_a_market(what: str) -> None:
    again = simulated_market(SETTINGS, seed=7, names=40)
    other = simulated_market(SETTINGS, seed=8, names=40)
    last = MARKET.sessions[0].day
    mine = getattr(MARKET.tape.days[last], what)
    np.testing.assert_array_equal(getattr(again.tape.days[last], what), mine)
    assert (getattr(other.tape.days[last], what) != mine).any()
    np.testing.assert_array_equal(again.scores.value, MARKET.scores.value)


def test_more_days_go_on_from_the_same_market() -> None:
    longer = simulated_market(SETTINGS, seed=7, names=40, days=3)
    assert len(longer.sessions) == 3
    assert longer.sessions[0] == MARKET.sessions[0]
    assert longer.sessions[1] == next_session(longer.sessions[0].day)
    day = MARKET.sessions[0].day
    np.testing.assert_array_equal(longer.tape.days[day].close, MARKET.tape.days[day].close)


def test_given_symbols_are_the_names() -> None:
    market = simulated_market(SETTINGS, seed=7, symbols=("AAPL", "MSFT", "XOM"))
    assert market.tape.universe.symbols == ("AAPL", "MSFT", "XOM")
    assert len(set(market.tape.universe.group.tolist())) == 3


def test_scores_are_stated_after_the_bar_they_rest_on() -> None:
    (session,) = MARKET.sessions
    opens = int(session.open.timestamp())
    today = MARKET.scores.asof[MARKET.scores.asof >= opens * 10**9] // 10**9 - opens
    assert today.tolist()[:2] == [SCORE_EVERY * 300, 2 * SCORE_EVERY * 300]
    assert (today < session.minutes * 60).all()


def test_scores_know_a_little_of_what_comes_and_not_too_much() -> None:
    """Rank correlation of a score with the half hour after it, over three days."""
    found = []
    for session in MARKET.tape.sessions():
        bars = MARKET.tape.days[session.day]
        returns = bar_returns(bars.open, bars.close)
        for k in range(SCORE_EVERY, len(returns) - 6, SCORE_EVERY):
            at = np.searchsorted(
                MARKET.scores.asof, (int(session.open.timestamp()) + k * 300) * 10**9
            )
            after = returns[k : k + 6].sum(axis=0)
            found.append(np.corrcoef(MARKET.scores.value[at], after)[0, 1])
    assert 0.02 < np.mean(found) < 0.5
