"""Bars of the past, asked no faster than IBKR allows, and never twice for the same.

Rules (IBKR's documentation of historical data)
  * The same question waits 15 seconds; of one name and kind at most six questions in 2 seconds.
  * Bars of 30 seconds and less: at most 60 questions in 10 minutes. BID_ASK counts twice.
  * A complete answer whose end lies in the past is kept on disk and not asked again.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from ...core.broker import Answer, Clock, Failed, Ok
from .contracts import Contracts
from .questions import Questions
from .said import BarSaid
from .wire import Wire, utc_stamp

SAME_S, NAME_S, NAME_MOST, SMALL_S, SMALL_MOST = 15.0, 2.0, 6, 600.0, 60
SMALL_BARS = frozenset({"1 secs", "5 secs", "10 secs", "15 secs", "30 secs"})
TWICE = "BID_ASK"
KEPT_DAYS, DAY_NS = 60, 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class HistoryAsked:
    """What is asked, in IBKR's words for duration, bar size and what to show.

    `end` epoch nanoseconds UTC, 0 now.
    """

    symbol: str
    end: int
    duration: str
    size: str
    show: str = "TRADES"

    @property
    def weight(self) -> int:
        return 2 if self.show == TWICE else 1


@dataclass(frozen=True, slots=True)
class HistoryBar:
    """One bar; `start` epoch seconds UTC or, for days, 20260302 as IBKR writes them."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(slots=True)
class Pacing:
    """When a question may be asked, by what was asked before; seconds of one clock."""

    _same: dict[HistoryAsked, float] = field(default_factory=dict)
    _names: dict[tuple[str, str], deque[float]] = field(default_factory=dict)
    _small: deque[float] = field(default_factory=deque)

    def wait_s(self, asked: HistoryAsked, now: float) -> float:
        """Seconds until it may be asked; 0 now."""
        last = self._same.get(asked)
        waits = [0.0 if last is None else last + SAME_S - now]
        waits.append(self._room(self._of_name(asked), NAME_MOST, NAME_S, asked, now))
        if asked.size in SMALL_BARS:
            waits.append(self._room(self._small, SMALL_MOST, SMALL_S, asked, now))
        return max(0.0, *waits)

    def note(self, asked: HistoryAsked, now: float) -> None:
        """It is asked now."""
        self._same = {one: at for one, at in self._same.items() if now - at < SAME_S}
        self._same[asked] = now
        for _ in range(asked.weight):
            self._of_name(asked).append(now)
            if asked.size in SMALL_BARS:
                self._small.append(now)

    def _of_name(self, asked: HistoryAsked) -> deque[float]:
        return self._names.setdefault((asked.symbol, asked.show), deque())

    @staticmethod
    def _room(
        times: deque[float], most: int, span: float, asked: HistoryAsked, now: float
    ) -> float:
        while times and now - times[0] >= span:
            times.popleft()
        over = len(times) + asked.weight - most
        return times[over - 1] + span - now if over > 0 else 0.0


class History:
    """Asks for bars; `folder` None keeps nothing."""

    def __init__(
        self,
        questions: Questions,
        wire: Wire,
        contracts: Contracts,
        next_req_id: Callable[[], int],
        clock: Clock,
        folder: Path | None = None,
    ) -> None:
        self._questions, self._wire, self._contracts = questions, wire, contracts
        self._next_req_id, self._clock, self._folder = next_req_id, clock, folder
        self._pacing = Pacing()

    async def bars(self, asked: HistoryAsked) -> Answer[tuple[HistoryBar, ...]]:
        """Bars from the disk, or from the broker as soon as its pacing rules allow."""
        kept = self._kept(asked)
        if kept is not None:
            return Ok(kept, 0)
        instrument = self._contracts.instrument(asked.symbol)
        if instrument is None:
            return Failed(f"{asked.symbol} is not resolved. Resolve it before asking for bars.")
        while (wait := self._pacing.wait_s(asked, self._clock.now())) > 0:
            await self._sleep(wait)
        self._pacing.note(asked, self._clock.now())
        req_id = self._next_req_id()
        end = utc_stamp(asked.end) if asked.end else ""
        words = (end, asked.duration, asked.size, asked.show)
        answer = await self._questions.ask(
            f"{req_id}", lambda: self._wire.ask_history(req_id, instrument.broker_id, words)
        )
        if not isinstance(answer, Ok):
            return answer
        bars = tuple(_bar(said) for said in answer.value)
        if asked.end and asked.end < self._clock.wall_ns():
            self._keep(asked, bars)
        return Ok(bars, answer.asof)

    async def _sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._clock.later(seconds, woken.set)
        await woken.wait()

    def _path(self, asked: HistoryAsked) -> Path | None:
        if self._folder is None or not asked.end:
            return None
        words = json.dumps([asked.symbol, asked.end, asked.duration, asked.size, asked.show])
        return self._folder / f"{blake2b(words.encode(), digest_size=16).hexdigest()}.json"

    def _kept(self, asked: HistoryAsked) -> tuple[HistoryBar, ...] | None:
        path = self._path(asked)
        try:
            rows = json.loads(path.read_text(encoding="utf-8")) if path is not None else None
            return tuple(HistoryBar(*row) for row in rows) if rows is not None else None
        except (FileNotFoundError, ValueError, TypeError):
            # A damaged copy is no copy: it is asked for again and written anew.
            return None

    def _keep(self, asked: HistoryAsked, bars: tuple[HistoryBar, ...]) -> None:
        path = self._path(asked)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [[b.start, b.open, b.high, b.low, b.close, b.volume] for b in bars]
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(rows), encoding="utf-8")
        draft.replace(path)


def sweep(folder: Path, wall_ns: int) -> int:
    """Remove answers that were kept `KEPT_DAYS` ago or longer; how many."""
    oldest = wall_ns - KEPT_DAYS * DAY_NS
    old = [path for path in folder.glob("*.json") if path.stat().st_mtime_ns < oldest]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)


def _bar(said: BarSaid) -> HistoryBar:
    return HistoryBar(int(said.when), said.open, said.high, said.low, said.close, said.volume)
