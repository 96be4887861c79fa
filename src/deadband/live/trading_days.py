"""Sessions as they come: waits for each, learns what was before it, and makes its feed.

Rules
  * Before each session the bars of the sessions before it are known: from a file where one is
    given, and from the broker where it holds none. What today has traded so far is asked too.
  * A session is begun while the broker can be asked; until then it is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta

import numpy as np

from ..backtest.measure import Measure
from ..core.errors import DataError
from ..core.events import SessionState
from ..core.session import EXCHANGE_ZONE, Session, exchange_day, next_session, session_on
from ..feeds.tape import BarTape, DayBars
from .forming import Forming, empty_day
from .lookout import Lookout
from .past import AskBars, Past, ask_sessions, ask_today, sessions_before
from .quote_bars import QuoteFeed, Sighted
from .run import LiveRun

LEAD = timedelta(minutes=15)
"""How long before the open a session is prepared."""
MEND_S = 15.0
"""Between looks at whether a bar was missed."""
ASK_S = 1.0
"""Between looks at whether the broker can be asked."""


def session_ahead(now: datetime) -> Session:
    """The session that is on, or the next one; at its close a session is over."""
    today = session_on(exchange_day(now))
    if today is not None and now < today.close:
        return today
    return next_session(exchange_day(now))


@dataclass(slots=True, eq=False)
class TradingDays:
    """The feeds of a run; `given` are the days of a bars file, if any.

    `tape` holds the universe, the length of bars and what risk wants; its days are `given`. `say`
    is told what is waited for and what was not told.
    """

    tape: BarTape
    ask: AskBars
    lookout: Lookout
    measure: Measure
    wall: Callable[[], datetime]
    say: Callable[[str], None] = field(default=lambda _: None)
    _formed: dict[date, DayBars] = field(default_factory=dict)
    _mended: int = 0
    """Bars of the session that is on, up to which missing ones were asked for."""

    async def feeds(self, run: LiveRun, most: int) -> AsyncGenerator[QuoteFeed, None]:
        """Up to `most` sessions, each when it is about to begin; none once the run is stopped."""
        for _ in range(most):
            session = session_ahead(self.wall())
            if self.wall() < session.open:
                self.say(f"waiting for {_named(session)}")
            await run.until(session.open - LEAD)
            await self._until_it_can_be_asked(run)
            making = asyncio.ensure_future(self._feed(session))
            while not run.is_stopped and not making.done():
                await asyncio.wait((making,), timeout=ASK_S)
            if run.is_stopped:
                making.cancel()
                return
            self.lookout.feed = await making
            yield self.lookout.feed
            self.lookout.feed = None

    async def _until_it_can_be_asked(self, run: LiveRun) -> None:
        broker = self.lookout.line.broker
        while not run.is_stopped and broker.state is not SessionState.READY:
            await asyncio.sleep(ASK_S)

    async def mend(self) -> None:
        """Ask for bars that nobody saw, as after a line was lost; never ends by itself.

        What was decided without them stays as it was, and features have passed them over.
        """
        while True:
            await asyncio.sleep(MEND_S)
            feed = self.lookout.feed
            if feed is None or self.lookout.line.broker.state is not SessionState.READY:
                continue
            row = feed.forming.row(self.wall())
            unseen = np.isnan(feed.day.close[self._mended : max(row, 0)]).all(axis=1)
            self._mended = max(row, self._mended)
            if unseen.any():
                await self._ask_today(feed.forming, feed.day.session)

    async def _ask_today(self, forming: Forming, session: Session) -> None:
        symbols = self.tape.universe.symbols
        told = await ask_today(self.ask, symbols, self.tape.bar_min, session)
        self._say_silent(told, "today")
        filled = sum(forming.fill(bars, self.wall()) for bars in told.days.values())
        self.say(f"{filled} bars of today that were not seen here were told by the broker")

    async def _feed(self, session: Session) -> QuoteFeed:
        days = await self._days_before(session)
        universe, bar_min = self.tape.universe, self.tape.bar_min
        today = empty_day(session, bar_min, len(universe))
        forming = Forming(session, bar_min, today)
        now = self.wall()
        if session.day in self.tape.days:
            forming.fill(self.tape.days[session.day], now)
        if now > session.open:
            await self._ask_today(forming, session)
        self._mended = max(forming.row(self.wall()), 0)
        tape = replace(self.tape, days=days | {session.day: today})
        self.measure.tape = tape
        self._formed[session.day] = today
        day = tape.day(session)
        return QuoteFeed(day, self.measure, Sighted(self.lookout.quotes), forming)

    async def _days_before(self, session: Session) -> dict[date, DayBars]:
        """Bars of sessions before one: of the file, else of the broker, else made of quotes."""
        wanted = sessions_before(session.day, self.tape.risk.history_days)
        given: Mapping[date, DayBars] = {
            day: bars for day, bars in self.tape.days.items() if day < session.day
        }
        missing = [place for place, each in enumerate(wanted) if each.day not in given]
        told = Past({}, {})
        if missing:
            first = wanted[missing[0] :]
            self.say(f"asking for bars of {len(first)} sessions up to {first[-1].day}")
            told = await ask_sessions(
                self.ask, self.tape.universe.symbols, self.tape.bar_min, first
            )
            self._say_silent(told, "the past")
        days = {**_completed(told.days, self._formed), **given}
        if not days:
            why = next(iter(told.silent.values()), "no reason was given")
            raise DataError(
                f"no bar of the {len(wanted)} sessions before {session.day} is known ({why}), and "
                "without them there is no risk model. Subscribe to market data at IBKR, or give a "
                "file of bars with --bars."
            )
        return days

    def _say_silent(self, told: Past, of: str) -> None:
        names = list(told.silent)
        if names:
            listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
            self.say(f"no bars of {of} for {len(names)} names ({listed}): {told.silent[names[0]]}")


def _completed(told: Mapping[date, DayBars], formed: Mapping[date, DayBars]) -> dict[date, DayBars]:
    """What the broker told; of what it did not tell, what quotes have shown."""
    days = {**formed, **told}
    for day in told.keys() & formed.keys():
        missing = np.isnan(told[day].close)
        days[day] = DayBars(
            *(
                np.where(missing, getattr(formed[day], each.name), getattr(told[day], each.name))
                for each in fields(DayBars)
            )
        )
    return days


def _named(session: Session) -> str:
    opens, closes = (at.astimezone(EXCHANGE_ZONE) for at in (session.open, session.close))
    return f"{session.day}, {opens:%H:%M} to {closes:%H:%M} in New York"
