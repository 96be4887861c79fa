"""A tape of dense session bars: what each session looks like, and what was known before it.

Every figure that a session starts with (history, average volume, norms of the time of day) is
computed from the sessions before it, never from itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from hashlib import blake2b

import numpy as np

from ..core.arrays import Bools, Floats
from ..core.bars import Bar, SessionBars, bar_returns
from ..core.config import RiskSettings
from ..core.corporate_action import split_ratio
from ..core.costs import CostSettings, half_spread, spread_curve
from ..core.errors import DataError
from ..core.ports import Finding
from ..core.seen import NEVER_S, History, Universe
from ..core.session import Session, session_on
from ..core.units import tick_size

MOST_WICK = 0.05
"""How far high and low of a bar may lie beyond its open and close in ranges, a fraction."""


@dataclass(frozen=True, slots=True, eq=False)
class DayBars:
    """One session's bars (b, n), NaN where a name did not trade.

    quoted: half the quoted spread USD, NaN where there is no quote.
    """

    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    quoted: Floats


@dataclass(slots=True, eq=False)
class BarTape:
    """Sessions of bars in memory, served one at a time; fulfils ports.Tape."""

    universe: Universe
    bar_min: float
    days: Mapping[date, DayBars]
    market: str
    risk: RiskSettings
    costs: CostSettings
    shortable: Bools
    findings: tuple[Finding, ...] = ()
    _order: tuple[date, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._order = tuple(sorted(self.days))

    def sessions(self) -> tuple[Session, ...]:
        """Every session with at least `min_days` sessions of bars before it."""
        first = int(np.ceil(self.risk.min_days))
        return tuple(_session(day) for day in self._order[first:])

    def day(self, session: Session) -> SessionBars:
        """The bars of one session with what the sessions before it say."""
        if session.day not in self.days:
            last = f"{self._order[0]} to {self._order[-1]}" if self._order else "none at all"
            raise DataError(f"there are no bars for {session.day}; the tape has {last}.")
        place = self._order.index(session.day)
        before = self._order[max(0, place - self.risk.history_days) : place]
        if not before:
            raise DataError(
                f"{session.day} is the first session of the bars: nothing is known before it. "
                f"Start {int(np.ceil(self.risk.min_days))} sessions later."
            )
        past = [self.days[day] for day in before]
        today = self.days[session.day]
        prior_close, prior_age_s = self._prior(session, self._order[:place])
        adv = _mean_daily_volume(past)
        half = self._half_spreads(session, today, adv, prior_close)
        bars = len(today.close)
        return SessionBars(
            universe=self.universe,
            session=session,
            bar_min=self.bar_min,
            open=today.open,
            high=today.high,
            low=today.low,
            close=today.close,
            volume=today.volume,
            half_spread=half,
            prior_close=prior_close,
            prior_age_s=prior_age_s,
            adv=adv,
            sigma_day=_daily_sigma(past),
            norm_move=_norm_move(past, bars),
            norm_spread=self._norm_spread(session, past, adv, prior_close, bars),
            shortable=self.shortable,
            history=self._history(before, past),
        )

    def bars_before(self, session: Session, most: int) -> Iterator[tuple[Session, Bar]]:
        """All bars of up to `most` sessions before one, oldest first.

        Spreads are there where they were quoted; average volume and σ of those days are not told.
        """
        earlier = [day for day in self._order if day < session.day]
        unknown = np.full(len(self.universe), np.nan)
        for day in earlier[-most:]:
            then, bars = _session(day), self.days[day]
            for row in range(len(bars.close)):
                yield (
                    then,
                    Bar(
                        start=then.open + timedelta(minutes=self.bar_min * row),
                        open=bars.open[row],
                        high=bars.high[row],
                        low=bars.low[row],
                        close=bars.close[row],
                        volume=bars.volume[row],
                        half_spread=bars.quoted[row],
                        adv=unknown,
                        sigma_day=unknown,
                    ),
                )

    def _history(self, before: Sequence[date], past: Sequence[DayBars]) -> History:
        returns = np.vstack([bar_returns(day.open, day.close) for day in past])
        observed = np.isfinite(returns)
        filled = np.where(observed, returns, 0.0)
        row_of_day = np.concatenate([np.arange(len(day.close)) for day in past])
        gaps, units = _nights(past)
        high, low, close = _range_bars(past, units, self.bar_min, self.risk.atr_bar_min)
        market = filled[:, self.universe.index[self.market]] if self.market else None
        digest = blake2b(digest_size=8)
        for array in (filled, observed, high, low, close, row_of_day, gaps):
            digest.update(np.ascontiguousarray(array).tobytes())
        version = f"{before[0]}..{before[-1]}:{digest.hexdigest()}:{self.market}"
        return History(
            universe=self.universe,
            bar_min=self.bar_min,
            returns=filled,
            observed=observed,
            market=market,
            range_min=self.risk.atr_bar_min,
            range_high=high,
            range_low=low,
            range_close=close,
            version=version,
            row_of_day=row_of_day,
            gaps=gaps,
        )

    def _prior(self, session: Session, before: Sequence[date]) -> tuple[Floats, Floats]:
        """The last price of each name before the session, and its age in seconds at the open.

        From every day before, not from the history alone: a name that is held and has stopped
        trading keeps its last mark for as long as it is held.
        """
        n = len(self.universe)
        price, age = np.zeros(n), np.full(n, NEVER_S)
        for day in before:
            close = self.days[day].close
            seen = np.isfinite(close)
            traded = seen.any(axis=0)
            row = len(close) - 1 - seen[::-1].argmax(axis=0)
            price = np.where(traded, close[row, np.arange(n)], price)
            ended = _session(day).open.timestamp() + (row + 1) * self.bar_min * 60.0
            age = np.where(traded, session.open.timestamp() - ended, age)
        return price, age

    def _half_spreads(self, session: Session, today: DayBars, adv: Floats, prior: Floats) -> Floats:
        """Half a spread (b, n) USD at each bar's end: as quoted, else as modeled."""
        rows = []
        price = prior
        for row, close in enumerate(today.close):
            price = np.where(np.isfinite(close), close, price)
            rows.append(self._modeled(session, row + 1, price, adv))
        modeled = np.array(rows)
        return np.where(np.isfinite(today.quoted), today.quoted, modeled)

    def _modeled(self, session: Session, k: int, price: Floats, adv: Floats) -> Floats:
        curve = spread_curve(k * self.bar_min, session.minutes)
        scale = self.costs.scale * self.costs.spread_scale
        return half_spread(price, adv * price, tick_size(price), curve, scale)

    def _norm_spread(
        self, session: Session, past: Sequence[DayBars], adv: Floats, prior: Floats, bars: int
    ) -> Floats:
        """Usual mean relative spread (b,) of each bar of the day."""
        # A name that traded on none of these days has no usual spread.
        priced = (prior > 0) & (adv > 0)
        if not priced.any():
            return np.zeros(bars)
        modeled = np.array(
            [
                2 * self._modeled(session, row + 1, prior, adv)[priced] / prior[priced]
                for row in range(bars)
            ]
        ).mean(axis=1)
        quoted = [_relative_quotes(day, bars) for day in past]
        seen = np.array(quoted)
        known = np.isfinite(seen).any(axis=0)
        medians = np.full(bars, np.nan)
        if known.any():
            medians[known] = np.nanmedian(seen[:, known], axis=0)
        return np.where(known, medians, modeled)


def _session(day: date) -> Session:
    session = session_on(day)
    if session is None:
        raise DataError(f"{day} has no session; the next after it is not assumed. Drop its bars.")
    return session


def _mean_daily_volume(past: Sequence[DayBars]) -> Floats:
    totals = np.array([np.nansum(day.volume, axis=0) for day in past])
    traded = np.array([np.isfinite(day.close).any(axis=0) for day in past])
    days = traded.sum(axis=0)
    mean: Floats = np.divide(totals.sum(axis=0), days, out=np.zeros(len(days)), where=days > 0)
    return mean


def _daily_sigma(past: Sequence[DayBars]) -> Floats:
    """σ of a session (n,) from its bars, for impact; 2 % where nothing is known."""
    returns = np.vstack([bar_returns(day.open, day.close) for day in past])
    seen = np.isfinite(returns)
    count = seen.sum(axis=0)
    total = np.where(seen, returns, 0.0) ** 2
    # Half-days have fewer bars; σ is that of a full one.
    a_day = max(len(day.close) for day in past)
    variance = np.divide(total.sum(axis=0), count, out=np.zeros(len(count)), where=count > 0)
    return np.where(count > 0, np.sqrt(variance * a_day), 0.02)


def _norm_move(past: Sequence[DayBars], bars: int) -> Floats:
    """Median over days of the mean |bar return| (b,) at each bar of the day; 0 where unknown."""
    moves = np.full((len(past), bars), np.nan)
    for d, day in enumerate(past):
        returns = np.abs(bar_returns(day.open, day.close))
        seen = np.isfinite(returns)
        count = seen.sum(axis=1)
        total = np.where(seen, returns, 0.0).sum(axis=1)
        mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        k = min(bars, len(mean))
        moves[d, :k] = mean[:k]
    norm = np.zeros(bars)
    known = np.isfinite(moves).any(axis=0)
    norm[known] = np.nanmedian(moves[:, known], axis=0)
    return norm


def _relative_quotes(day: DayBars, bars: int) -> Floats:
    """Mean relative quoted spread (b,) of one day, NaN where nothing was quoted."""
    relative = 2 * day.quoted / np.where(day.close > 0, day.close, np.nan)
    mean = np.full(bars, np.nan)
    for row in range(min(bars, len(relative))):
        known: Floats = relative[row][np.isfinite(relative[row])]
        mean[row] = known.mean() if len(known) else np.nan
    return mean


def _nights(past: Sequence[DayBars]) -> tuple[Floats, Floats]:
    """Gap of each night before a session (s, n), and what its prices count in the last one's units.

    A price ratio of a split is neither a gap nor a range: prices before it are divided by it.
    """
    n = past[0].close.shape[1]
    last = np.zeros(n)
    gaps, ratios = np.zeros((len(past), n)), np.ones((len(past), n))
    names = np.arange(n)
    for s, day in enumerate(past):
        seen = np.isfinite(day.close)
        traded = seen.any(axis=0)
        open_ = np.where(traded, day.open[seen.argmax(axis=0), names], 0.0)
        ratios[s] = split_ratio(last, open_)
        known = (last > 0) & (open_ > 0)
        ratio = np.divide(open_ * ratios[s], last, out=np.ones(n), where=known)
        gaps[s] = ratio - 1.0
        last = np.where(traded, day.close[len(seen) - 1 - seen[::-1].argmax(axis=0), names], last)
    after = np.vstack([ratios[1:], np.ones((1, n))])
    units: Floats = 1.0 / np.cumprod(after[::-1], axis=0)[::-1]
    return gaps, units


def _range_bars(
    past: Sequence[DayBars], units: Floats, bar_min: float, range_min: float
) -> tuple[Floats, Floats, Floats]:
    """High, low and close (u, n) of longer bars, gaps carried over, 0 before the first price.

    In units of the last session: `units` (s, n) multiply the prices of each. A wick counts as
    MOST_WICK at most: one print out of sequence would hold every stop-loss off for days.
    """
    each = max(1, round(range_min / bar_min))
    highs, lows, closes = [], [], []
    last = np.zeros(past[0].close.shape[1])
    carried = np.vstack([np.ones((1, len(last))), units[1:] / units[:-1]])
    for unit, change, day in zip(units, carried, past, strict=True):
        last = last * change
        for start in range(0, len(day.close), each):
            part = slice(start, start + each)
            seen = np.isfinite(day.close[part])
            any_ = seen.any(axis=0)
            rows = len(seen) - 1 - seen[::-1].argmax(axis=0)
            close = np.where(any_, day.close[part][rows, np.arange(len(last))] * unit, last)
            body = np.stack((day.open[part], day.close[part]))
            top = np.minimum(day.high[part], body.max(axis=0) * (1.0 + MOST_WICK))
            bottom = np.maximum(day.low[part], body.min(axis=0) * (1.0 - MOST_WICK))
            high = np.where(seen, top * unit, -np.inf).max(axis=0)
            low = np.where(seen, bottom * unit, np.inf).min(axis=0)
            highs.append(np.where(any_, high, close))
            lows.append(np.where(any_, low, close))
            closes.append(close)
            last = close
    return np.array(highs), np.array(lows), np.array(closes)
