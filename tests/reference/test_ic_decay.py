"""The decay of IC, worked out again from raw prices and scores by plain loops and SciPy.

A model scores 40 names every half hour with a horizon of one hour; of what it knows half has come
true after `life` minutes. Prices are five-minute bars over eight sessions.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from math import exp, sqrt
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats
from tests import kit

from deadband.core.arrays import Floats
from deadband.core.config import SignalSettings
from deadband.core.seen import Scores
from deadband.core.session import sessions_between
from deadband.core.skill import Skill, Track
from deadband.signals.decay import half_life
from deadband.signals.skill import learn

N, HORIZON, BAR, EVERY = 40, 60.0, 5, 6
"""`EVERY`: bars between scores."""
SETTINGS = SignalSettings()
LAG_BARS = (0, 3, 6, 12, 24)
"""A quarter of the horizon, a half, all of it and twice, in bars."""


class Day(NamedTuple):
    """prices (79, n) at the open and after each bar; scores by the bar after which they came."""

    open: datetime
    price: Floats
    score: dict[int, Floats]


@cache
def market(life: float) -> tuple[Day, ...]:
    rng = np.random.default_rng(5)
    days, price = [], np.full(N, 100.0)
    for session in sessions_between(date(2026, 3, 2), date(2026, 3, 11)):
        bars = round(session.minutes / BAR)
        scores = {k: rng.normal(size=N) for k in range(EVERY, bars, EVERY)}
        rows = [price]
        for k in range(bars):
            alpha = sum(
                score * 2.0 ** (-(k - made) * BAR / life)
                for made, score in scores.items()
                if made <= k
            )
            price = price * (1.0 + 1e-3 * rng.normal(size=N) + 3e-4 * alpha)
            rows.append(price)
        days.append(Day(session.open, np.array(rows), scores))
    return tuple(days)


def learned(days: tuple[Day, ...]) -> Track:
    """As a run learns: cycle by cycle, from what is known by then."""
    skill, names = Skill(), kit.universe(N)
    for day in days:
        for k in range(1, len(day.price)):
            made = max((m for m in day.score if m <= k), default=None)
            age = 1e6 if made is None else (k - made) * BAR * 60.0
            scores = Scores(
                universe=names,
                models=("m",),
                unit=("z",),
                horizon_min=(HORIZON,),
                value=np.zeros((1, N)) if made is None else day.score[made][None],
                age_s=np.full((1, N), age),
                defect=np.zeros((1, N), dtype=np.int16),
            )
            seen = kit.market(names, price=day.price[k], asof=day.open + timedelta(minutes=BAR * k))
            usable = np.full((1, N), made is not None)
            skill = learn(skill, scores, usable, seen, SETTINGS)
    (track,) = skill.tracks
    return track


def by_hand(days: tuple[Day, ...]) -> tuple[list[float], list[float]]:
    """Σ share·IC and Σ share by lag, decayed, from all prices at once."""
    sums, shares = [0.0] * 4, [0.0] * 4
    events = []
    for d, day in enumerate(days):
        for made in day.score:
            for lag in range(4):
                if made + LAG_BARS[lag + 1] < len(day.price):
                    events.append((d, made + LAG_BARS[lag + 1], made, lag))
    for d, end, made, lag in sorted(events):
        day = days[d]
        start = made + LAG_BARS[lag]
        ic = stats.spearmanr(day.score[made], day.price[end] / day.price[start]).statistic
        long = (end - start) * BAR
        apart = 30.0 if made > EVERY else HORIZON
        share = min(1.0, apart / long)
        kept = 0.5 ** (share * long / (SETTINGS.skill_half_life_days * 390.0))
        sums[lag] = kept * sums[lag] + share * ic
        shares[lag] = kept * shares[lag] + share
    return sums, shares


def posterior_mean(track: Track) -> float:
    """The half-life by loops over lags and half-lives, one at a time."""
    total = weight = 0.0
    fits = []
    for k in range(17):
        octave = -2.0 + 0.25 * k
        life = HORIZON * 2.0**octave
        told = size = 0.0
        for lag in range(4):
            a, b = LAG_BARS[lag] * BAR, LAG_BARS[lag + 1] * BAR
            shape = (2.0 ** (-a / life) - 2.0 ** (-b / life)) / sqrt(b - a)
            told += shape * track.lag_ic[lag] * (N - 1)
            size += shape**2 * track.lag_shares[lag] * (N - 1)
        fits.append((octave, 0.5 * max(told, 0.0) ** 2 / size - 0.5 * octave**2))
    best = max(fit for _, fit in fits)
    for octave, fit in fits:
        total += octave * exp(fit - best)
        weight += exp(fit - best)
    return float(HORIZON * 2.0 ** (total / weight))


@pytest.mark.parametrize("life", [20.0, 200.0])
def test_the_record_of_lags_is_what_the_raw_bars_say(life: float) -> None:
    track = learned(market(life))
    sums, shares = by_hand(market(life))
    assert track.lag_ic == pytest.approx(sums, abs=1e-9)
    assert track.lag_shares == pytest.approx(shares, abs=1e-9)
    assert half_life([track], HORIZON, BAR) == pytest.approx(posterior_mean(track), rel=1e-9)


def test_the_half_life_is_found_from_a_few_sessions() -> None:
    """What decays fast is found soon; what outlasts all lags is longer, who knows how."""
    short, long = (half_life([learned(market(life))], HORIZON, BAR) for life in (20.0, 200.0))
    print(f"\nhalf-lives of 20 and 200 minutes are found as {short:.0f} and {long:.0f}")
    assert 15.0 < short < 30.0
    assert 75.0 < long < 240.0
