"""Keeps score of the models: every fresh vote is noted, and judged when its horizon has passed.

1. A vote whose horizon has passed is judged by the rank correlation (Spearman) of its scores with
   the returns since, over names with fresh prices at both ends; nothing is known of it before.
2. It is also looked at after a quarter of its horizon, a half, and twice the horizon: the ICs of
   the returns in between tell how fast what it knew came true.
3. Outcomes that overlap count by the share that is new. A horizon inside the day is not judged
   over a night, nor one that was missed by more than half its length.
4. Scores made since a model's last vote are its next one, a quarter of its horizon later at the
   earliest. Their time begins when they are heard, so that a model that is always late is
   judged by what can be done with it. They are compared with those before: a model that changes its
   mind costs more to follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from ..core.arrays import Bools, Floats, median
from ..core.config import SignalSettings
from ..core.seen import Market, Scores
from ..core.session import SESSION_MIN, exchange_day, open_minutes
from ..core.skill import JUDGED, LAGS, Skill, Track, Vote
from ..core.units import BPS
from .decay import lag_minutes
from .ranks import correlation, mean_ranks, places, ranks_of_places

FEWEST = 10
"""Names under which a rank correlation says nothing."""
MISSED = 1.5
"""Times its length after which an outcome is no longer the one that was voted on."""
NORMAL_MAD = 1.4826
"""Standard deviations of a normal distribution to its median absolute deviation."""


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Ranks of returns (k,), their robust standard deviation, and half the median spread."""

    ranks: Floats
    typical: float
    half_spread: float


@dataclass(frozen=True, slots=True, eq=False)
class _Now:
    """The market as it is at this cycle, with what judging asks of it again and again."""

    market: Market
    settings: SignalSettings
    fresh: Bools
    _moves: dict[tuple[int, bytes], _Moves] = field(default_factory=dict)

    def moves_since(self, price: Floats, names: Bools) -> _Moves:
        """How the names have moved since `price`; models vote together, so they share it."""
        key = id(price), names.tobytes()
        if key not in self._moves:
            returns = self.market.last[names] / price[names] - 1.0
            self._moves[key] = _Moves(
                ranks=mean_ranks(returns),
                typical=NORMAL_MAD * median(np.abs(returns - median(returns))),
                half_spread=0.5 * BPS * median(self.market.spread_bps[names]),
            )
        return self._moves[key]

    @classmethod
    def of(cls, market: Market, settings: SignalSettings) -> _Now:
        fresh = (market.quote_age_s <= market.bar_min * 60.0) & (market.last > 0.0)
        return cls(market, settings, fresh)


def learn(
    skill: Skill, scores: Scores, usable: Bools, market: Market, settings: SignalSettings
) -> Skill:
    """The record after this cycle; `usable` (m, n) says which scores may vote."""
    now = _Now.of(market, settings)
    present = dict(zip(scores.models, scores.horizon_min, strict=True))
    known = {t.model: t for t in skill.tracks if present.get(t.model) == t.horizon_min}
    tracks = {model: known.get(model, Track(model, h)) for model, h in present.items()}
    votes = [vote for vote in skill.votes if vote.model in known]
    lasted = {at: open_minutes(at, market.asof) for at in {vote.at for vote in votes}}
    for place, vote in enumerate(votes):
        ends = lag_minutes(present[vote.model], market.bar_min)
        while vote.passed < len(LAGS) and lasted[vote.at] >= ends[vote.passed] - 1e-6:
            tracks[vote.model] = _looked_at(tracks[vote.model], vote, lasted[vote.at], now)
            vote = replace(vote, since=market.last, passed=vote.passed + 1)
            votes[place] = vote
    latest = {vote.model: vote for vote in votes}
    silent_s = [_silent_s(latest.get(model), market) for model in scores.models]
    new = usable & now.fresh & (scores.age_s < np.array(silent_s)[:, None])
    for m in np.flatnonzero(new.sum(axis=1) >= FEWEST).tolist():
        model = scores.models[m]
        before = latest.get(model)
        apart = _apart(before, present[model], market)
        if apart >= LAGS[0] - 1e-9:
            rank = np.full(len(now.fresh), -1, dtype=np.int32)
            rank[new[m]] = places(scores.value[m, new[m]])
            # The market's own array, which the journal holds already.
            cast = Vote(model, market.asof, rank, market.last, market.last, min(1.0, apart))
            if before is not None:
                tracks[model] = _compared(tracks[model], cast, before, settings)
            votes.append(cast)
    kept = _still_needed(votes)
    record = tuple(tracks.values())
    if _same(record, skill.tracks) and _same(kept, skill.votes):
        return skill
    return replace(skill, tracks=record, votes=kept)


def _same(ours: Sequence[object], theirs: Sequence[object]) -> bool:
    return len(ours) == len(theirs) and all(a is b for a, b in zip(ours, theirs, strict=True))


def _silent_s(before: Vote | None, market: Market) -> float:
    """Seconds since the model's last vote, of any time: a score's age is told in such."""
    return np.inf if before is None else (market.asof - before.at).total_seconds()


def _apart(before: Vote | None, horizon_min: float, market: Market) -> float:
    """Horizons since the model's last vote; 1 for a first one, and after a night inside the day."""
    if before is None or _over_night(before.at, horizon_min, market):
        return 1.0
    return open_minutes(before.at, market.asof) / horizon_min


def _still_needed(votes: Sequence[Vote]) -> tuple[Vote, ...]:
    """Votes to be looked at again, and each model's latest."""
    latest = {vote.model: vote for vote in votes}
    return tuple(v for v in votes if v.passed < len(LAGS) or latest[v.model] is v)


def _looked_at(track: Track, vote: Vote, lasted: float, now: _Now) -> Track:
    """The record with what a vote's next lag has shown, where it has shown anything."""
    market = now.market
    ends = lag_minutes(track.horizon_min, market.bar_min)
    start, end = (0.0, *ends)[vote.passed], ends[vote.passed]
    names = (vote.rank >= 0) & now.fresh
    missed = _over_night(vote.at, track.horizon_min, market) or lasted > MISSED * end
    if missed or np.count_nonzero(names) < FEWEST:
        return track
    if vote.passed == JUDGED:
        track = _judged(track, vote, names, now)
    names &= vote.since > 0.0
    if end <= start or np.count_nonzero(names) < FEWEST:
        return track
    ic = correlation(ranks_of_places(vote.rank[names]), now.moves_since(vote.since, names).ranks)
    if np.isnan(ic):
        return track
    share = min(1.0, vote.apart * track.horizon_min / (end - start))
    kept = _kept(share * (end - start), now.settings.skill_half_life_days)
    return replace(
        track,
        lag_ic=_added(track.lag_ic, vote.passed, kept, share * ic),
        lag_shares=_added(track.lag_shares, vote.passed, kept, share),
    )


def _added(sums: tuple[float, ...], place: int, kept: float, term: float) -> tuple[float, ...]:
    return (*sums[:place], kept * sums[place] + term, *sums[place + 1 :])


def _judged(track: Track, vote: Vote, names: Bools, now: _Now) -> Track:
    """The record with the outcome over a vote's horizon."""
    moves = now.moves_since(vote.price, names)
    ic = correlation(ranks_of_places(vote.rank[names]), moves.ranks)
    if np.isnan(ic) or moves.typical == 0.0:
        return track
    share, chance = vote.apart, 1.0 / (len(moves.ranks) - 1)
    minutes = share * track.horizon_min
    kept = _kept(minutes, now.settings.skill_half_life_days)
    recently = _kept(minutes, now.settings.recent_half_life_days)
    return replace(
        track,
        shares=kept * track.shares + share,
        ic=kept * track.ic + share * ic,
        ic_square=kept * track.ic_square + share * ic**2,
        chance=kept * track.chance + share * chance,
        cost=kept * track.cost + share * moves.half_spread / moves.typical,
        recent_shares=recently * track.recent_shares + share,
        recent_ic=recently * track.recent_ic + share * ic,
        recent_chance=recently * track.recent_chance + share * chance,
    )


def _over_night(at: datetime, horizon_min: float, market: Market) -> bool:
    """Whether a horizon inside the day has seen a night."""
    return horizon_min < SESSION_MIN and exchange_day(at) != exchange_day(market.asof)


def _kept(minutes: float, half_life_days: float) -> float:
    """What is left of a record when outcomes of another `minutes` are added."""
    return float(0.5 ** (minutes / (half_life_days * SESSION_MIN)))


def _compared(track: Track, cast: Vote, before: Vote, settings: SignalSettings) -> Track:
    """The record with how far the model kept to what it said before."""
    apart = open_minutes(before.at, cast.at) / track.horizon_min
    both = (before.rank >= 0) & (cast.rank >= 0)
    if apart <= 0.0 or np.count_nonzero(both) < FEWEST:
        return track
    rho = correlation(ranks_of_places(before.rank[both]), ranks_of_places(cast.rank[both]))
    if np.isnan(rho):
        return track
    # Of an autoregression: what is left after one horizon, from what is left after `apart` of it.
    steady = max(0.0, rho) ** (1.0 / apart)
    share = min(1.0, apart)
    kept = _kept(share * track.horizon_min, settings.skill_half_life_days)
    return replace(
        track,
        steady=kept * track.steady + share * steady,
        steady_shares=kept * track.steady_shares + share,
    )
