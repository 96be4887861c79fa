"""Bars of sessions past, and of today so far, asked from the broker.

Rules
  * What a name's answer does not hold is missing. A bar without volume is one without a trade.
  * A question is for a week: weeks that are over are the same every day, and kept on disk.
  * A name whose bars are not told is told of, with what the broker said; the others go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import numpy as np

from ..brokers.ibkr.history import HistoryAsked, HistoryBar
from ..core.broker import Answer, Failed, TimedOut
from ..core.session import (
    EXCHANGE_ZONE,
    Session,
    previous_session,
    session_on,
    sessions_between,
)
from ..core.units import epoch_ns
from ..feeds.tape import DayBars
from .forming import empty_day

AskBars = Callable[[HistoryAsked], Awaitable[Answer[tuple[HistoryBar, ...]]]]
AT_ONCE = 16
"""Questions under way: a hundred at once would wait for each other longer than for an answer."""
ATTEMPTS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Bars by session, and why a symbol has none."""

    days: Mapping[date, DayBars]
    silent: Mapping[str, str]


def sessions_before(day: date, count: int) -> tuple[Session, ...]:
    """The last sessions before a day, oldest first."""
    found: list[Session] = []
    while len(found) < count:
        found.append(previous_session(found[-1].day if found else day))
    return tuple(reversed(found))


async def ask_sessions(
    ask: AskBars, symbols: Sequence[str], bar_min: float, sessions: Sequence[Session]
) -> Past:
    """All bars of sessions that follow on one another."""
    days: dict[date, DayBars] = {}
    silent: dict[str, str] = {}
    for _, weeks in groupby(sessions, lambda session: session.day.isocalendar()[:2]):
        part = tuple(weeks)
        # From its first session on, also where fewer are wanted: then it is the same question.
        first = part[0].day - timedelta(days=part[0].day.weekday())
        count = len(sessions_between(first, part[-1].day))
        words = (epoch_ns(part[-1].close), f"{count} D", bar_size(bar_min))
        past = await _ask_each(ask, symbols, bar_min, part, words)
        days |= past.days
        silent |= past.silent
    # A name that some week tells of is not silent: it was listed later, or did not trade.
    spoke = {
        symbols[place]
        for bars in days.values()
        for place in np.flatnonzero(np.isfinite(bars.close).any(axis=0)).tolist()
    }
    return Past(days, {name: why for name, why in silent.items() if name not in spoke})


async def ask_today(ask: AskBars, symbols: Sequence[str], bar_min: float, session: Session) -> Past:
    """The bars of a session so far, the one under way among them."""
    return await _ask_each(ask, symbols, bar_min, (session,), (0, "1 D", bar_size(bar_min)))


def bar_size(bar_min: float) -> str:
    """IBKR's word for a bar's length."""
    return "1 min" if bar_min == 1 else f"{bar_min:g} mins"


async def _ask_each(
    ask: AskBars,
    symbols: Sequence[str],
    bar_min: float,
    sessions: Sequence[Session],
    words: tuple[int, str, str],
) -> Past:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(symbol: str) -> Answer[tuple[HistoryBar, ...]]:
        async with gate:
            asked = HistoryAsked(symbol, *words)
            answer = await ask(asked)
            for _ in range(ATTEMPTS - 1):
                if not _is_worth_asking_again(answer):
                    break
                answer = await ask(asked)
            return answer

    answers = await asyncio.gather(*(one(symbol) for symbol in symbols))
    days = {session.day: empty_day(session, bar_min, len(symbols)) for session in sessions}
    silent = {}
    for name, (symbol, answer) in enumerate(zip(symbols, answers, strict=True)):
        if isinstance(answer, TimedOut | Failed):
            silent[symbol] = str(answer)
        elif not sum(_place(bar, name, bar_min, days) for bar in answer.value):
            silent[symbol] = f"no bar of {len(answer.value)} lies in the sessions asked for"
    told = {day: bars for day, bars in days.items() if not np.isnan(bars.close).all()}
    return Past(told, silent)


def _is_worth_asking_again(answer: Answer[tuple[HistoryBar, ...]]) -> bool:
    """Silence, and a refusal for asking too fast, which the adapter's pacing spaces out."""
    is_pacing = isinstance(answer, Failed) and "pacing" in answer.text.lower()
    return isinstance(answer, TimedOut) or is_pacing


def _place(bar: HistoryBar, name: int, bar_min: float, days: Mapping[date, DayBars]) -> bool:
    """Put one bar where it belongs; whether it was a trade's, and in one of the sessions."""
    start = datetime.fromtimestamp(bar.start, UTC)
    session = session_on(start.astimezone(EXCHANGE_ZONE).date())
    prices = (bar.open, bar.high, bar.low, bar.close)
    if session is None or session.day not in days or start not in session:
        return False
    place = (start - session.open) / timedelta(minutes=bar_min)
    is_true = bar.volume > 0 and 0 < bar.low <= min(prices) and max(prices) <= bar.high < np.inf
    if not is_true or place != round(place):
        return False
    row, day = round(place), days[session.day]
    for table, value in zip((day.open, day.high, day.low, day.close), prices, strict=True):
        table[row, name] = value
    day.volume[row, name] = bar.volume
    return True
