"""Keeps score of the models: every fresh vote is noted, and judged when its horizon has passed.

1. A vote whose horizon has passed is judged by the rank correlation (Spearman) of its scores with
   the returns since, over names with fresh prices at both ends; nothing is known of it before.
2. Outcomes that overlap count by the share that is new. A horizon inside the day is not judged
   over a night, nor one that was missed by more than half its length.
3. A model's fresh scores are noted as its next vote, and compared with those before: a model that
   changes its mind costs more to follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.config import SignalSettings
from ..core.seen import Market, Scores
from ..core.session import EXCHANGE_ZONE, SESSION_MIN, open_minutes
from ..core.skill import Skill, Track, Vote

FEWEST = 10
"""Names under which a rank correlation says nothing."""
MISSED = 1.5
"""Times its horizon after which an outcome is no longer the one that was voted on."""
NORMAL_MAD = 1.4826
"""Standard deviations of a normal distribution to its median absolute deviation."""


def learn(
    skill: Skill, scores: Scores, usable: Bools, market: Market, settings: SignalSettings
) -> Skill:
    """The record after this cycle; `usable` (m, n) says which scores may vote."""
    present = dict(zip(scores.models, scores.horizon_min, strict=True))
    known = {t.model: t for t in skill.tracks if present.get(t.model) == t.horizon_min}
    tracks = {model: known.get(model, Track(model, h)) for model, h in present.items()}
    fresh = market.quote_age_s <= market.bar_min * 60.0
    votes = []
    for vote in skill.votes:
        if vote.model not in known:
            continue
        due = _due(vote, market)
        if due:
            tracks[vote.model] = _judged(tracks[vote.model], vote, fresh, market, settings)
        votes.append(replace(vote, judged=True) if due else vote)
    for m, model in enumerate(scores.models):
        new = usable[m] & fresh & (scores.age_s[m] < market.bar_min * 60.0)
        if np.count_nonzero(new) >= FEWEST:
            cast = Vote(model, present[model], market.asof, scores.value[m], new, market.last)
            tracks[model] = _compared(tracks[model], cast, votes, settings)
            votes.append(cast)
    return Skill(tuple(tracks.values()), _still_needed(votes))


def _due(vote: Vote, market: Market) -> bool:
    return not vote.judged and _minutes(vote, market) >= vote.horizon_min - 1e-6


def _minutes(vote: Vote, market: Market) -> float:
    return open_minutes(vote.at, market.asof)


def _still_needed(votes: Sequence[Vote]) -> tuple[Vote, ...]:
    """Votes to be judged, and each model's latest."""
    latest = {vote.model: vote for vote in votes}
    return tuple(vote for vote in votes if not vote.judged or latest[vote.model] is vote)


def _judged(
    track: Track, vote: Vote, fresh: Bools, market: Market, settings: SignalSettings
) -> Track:
    """The record with the outcome of one vote, where it has one."""
    lasted = _minutes(vote, market)
    over_night = _day(vote.at) != _day(market.asof) and vote.horizon_min < SESSION_MIN
    names = vote.usable & fresh & (vote.price > 0.0) & (market.last > 0.0)
    count = int(np.count_nonzero(names))
    if over_night or lasted > MISSED * vote.horizon_min or count < FEWEST:
        return track
    returns = market.last[names] / vote.price[names] - 1.0
    ic = rank_correlation(vote.score[names], returns)
    typical = NORMAL_MAD * float(np.median(np.abs(returns - np.median(returns))))
    if np.isnan(ic) or typical == 0.0:
        return track
    share = _share(track, vote)
    kept = _kept(share, vote.horizon_min, settings)
    half_spread = 0.5e-4 * float(np.median(market.spread_bps[names]))
    return replace(
        track,
        shares=kept * track.shares + share,
        ic=kept * track.ic + share * ic,
        ic_square=kept * track.ic_square + share * ic**2,
        chance=kept * track.chance + share / (count - 1),
        cost=kept * track.cost + share * half_spread / typical,
        judged_at=vote.at,
    )


def _day(at: datetime) -> date:
    return at.astimezone(EXCHANGE_ZONE).date()


def _share(track: Track, vote: Vote) -> float:
    """How much of a vote's horizon no earlier outcome has covered."""
    if track.judged_at is None:
        return 1.0
    return min(1.0, open_minutes(track.judged_at, vote.at) / vote.horizon_min)


def _kept(share: float, horizon_min: float, settings: SignalSettings) -> float:
    """What is left of the record when another `share` of a horizon has passed."""
    half_life = settings.skill_half_life_days * SESSION_MIN / horizon_min
    return float(0.5 ** (share / half_life))


def _compared(track: Track, cast: Vote, votes: Sequence[Vote], settings: SignalSettings) -> Track:
    """The record with how far the model kept to what it said before."""
    before = [vote for vote in votes if vote.model == cast.model]
    if not before:
        return track
    apart = open_minutes(before[-1].at, cast.at) / cast.horizon_min
    both = before[-1].usable & cast.usable
    if apart <= 0.0 or np.count_nonzero(both) < FEWEST:
        return track
    rho = rank_correlation(before[-1].score[both], cast.score[both])
    if np.isnan(rho):
        return track
    # Of an autoregression: what is left after one horizon, from what is left after `apart` of it.
    steady = max(0.0, rho) ** (1.0 / apart)
    share = min(1.0, apart)
    kept = _kept(share, cast.horizon_min, settings)
    return replace(
        track,
        steady=kept * track.steady + share * steady,
        steady_shares=kept * track.steady_shares + share,
    )


def rank_correlation(x: Floats, y: Floats) -> float:
    """Spearman's ρ of two columns (k,), equal values sharing their mean rank; NaN of a constant."""
    a, b = mean_ranks(x), mean_ranks(y)
    a -= a.mean()
    b -= b.mean()
    size = float(np.sqrt(a.dot(a) * b.dot(b)))
    return float(a.dot(b)) / size if size > 0.0 else np.nan


def mean_ranks(values: Floats) -> Floats:
    """Rank (k,) of each value, 1 the lowest, equal ones sharing their mean."""
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    above = np.cumsum(count)
    ranks: Floats = (above - 0.5 * (count - 1))[group]
    return ranks
