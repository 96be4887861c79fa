"""What a live run says while it goes on: a line a cycle, and one for everything out of the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..brokers.ibkr.quotes import SESSION_ENDED
from ..core.events import (
    DataQuality,
    Difference,
    Heard,
    Notice,
    Refused,
    SessionEvent,
    SessionState,
    Severity,
    Skipped,
    TradingStatus,
)
from ..core.orders import TRADES, ExecutionReport
from ..core.ports import Journal
from ..core.reasons import BY_NUMBER, Code
from ..core.session import EXCHANGE_ZONE
from ..core.types import CycleRecord
from ..live.lookout import Sight
from ..live.quote_bars import QuoteFeed

Say = Callable[[str, str], None]
"""Takes a severity (error, warning, note) or nothing, and a line."""
PAST = {Severity.WARNING: "warning", Severity.ERROR: "error", Severity.FATAL: "error"}
QUIET = frozenset({str(Code.HOLD_FLAT), str(Code.HOLD_RANK), str(Code.HOLD_KEEP)})
"""Codes of names that nobody wanted to trade: they explain nothing."""
NO_DATA = (
    "no name has a live quote{why}. Nothing new is bought without one. Subscribe to quotes of US "
    "stocks at IBKR (Client Portal, Market Data Subscriptions), share them with the paper account, "
    "and log in nowhere else with the same user."
)


@dataclass(slots=True, eq=False)
class Told:
    """A journal that says aloud what it is given, once that is durable."""

    inner: Journal
    say: Say
    fills: int = 0
    """Trades told since the last cycle."""
    why_no_quote: str = ""
    """What the broker last said of a name without a live quote."""
    _said: set[str] = field(default_factory=set)
    _since_ready: set[str] = field(default_factory=set)

    def append(
        self,
        kind: str,
        cycle_id: str,
        at: str,
        value: object,
        laps: Mapping[str, float] | None = None,
    ) -> None:
        self.inner.append(kind, cycle_id, at, value, laps)
        for one in value if isinstance(value, tuple) else (value,):
            self._tell(one.event if isinstance(one, Heard) else one)

    def close(self) -> None:
        self.inner.close()

    def _tell(self, one: object) -> None:
        match one:
            case ExecutionReport() if one.exec_type in TRADES:
                self.fills += 1
            case SessionEvent():
                self._again("note", f"session {one.state}: {one.text}")
                if one.state is SessionState.READY:
                    self._since_ready.clear()
            case Notice() if one.severity in PAST:
                self._again(PAST[one.severity], f"{one.text}{f' ({one.code})' * bool(one.code)}")
            case DataQuality() if one.text not in ("", SESSION_ENDED):
                self.why_no_quote = one.text
                # A name for each thing that is said of many.
                self._once("warning", one.text, f"{one.symbol} has no live quote: {one.text}")
            case TradingStatus() if one.halt.value != "NONE":
                self.say("note", f"{one.symbol} is halted ({one.halt.lower()})")
            case Skipped():
                self.say("warning", f"no decision: {one.code}, {one.text}")
            case Difference():
                # A comparison a minute finds the same again.
                self._once("error", str(one), f"{one}: frozen until the books agree")
            case Refused():
                self.say("error", f"{one.report.symbol}: {one.text}")
            case _:
                pass

    def _again(self, severity: str, text: str) -> None:
        """Say it once in a session, and once while one attempt after another finds none."""
        if text not in self._since_ready:
            self._since_ready.add(text)
            self.say(severity, text)

    def _once(self, severity: str, what: str, text: str) -> None:
        if what not in self._said:
            self._said.add(what)
            self.say(severity, text)


def cycle_line(record: CycleRecord, fills: int, sight: Sight) -> str:
    """One cycle in a line: when, the book, what was decided and why, what holds names back."""
    book = record.seen.portfolio
    held = book.shares * book.price / book.nav
    spoken = " ".join(dict.fromkeys(str(one.code) for one in record.decision.spoken))
    plan = record.plan
    counts = f"{len(plan.orders)} orders, {len(plan.cancels)} cancels, {fills} fills"
    denied = f", {len(plan.denied)} denied" if plan.denied else ""
    parts = [
        f"{clock(record.seen.now)} NAV {book.nav:,.2f} gross {abs(held).sum():.1%}",
        spoken or "nothing asked for a trade",
        counts + denied,
        f"{sight.live}/{sight.names} live",
    ]
    held_back = _held_back(record)
    return " · ".join([*parts, f"held back: {held_back}"] if held_back else parts)


def _held_back(record: CycleRecord, most: int = 3) -> str:
    """The commonest codes under which names were left alone."""
    alone = record.decision.code[record.decision.target == record.seen.portfolio.weights]
    counts = Counter(str(BY_NUMBER[number]) for number in alone.tolist() if number)
    told = [(code, count) for code, count in counts.most_common() if code not in QUIET]
    return ", ".join(f"{code} {count}" for code, count in told[:most])


def beat_line(now: datetime, feed: QuoteFeed, sight: Sight) -> str:
    """What is waited for just now."""
    k = min(max(feed.forming.row(now), 0) + 1, len(feed))
    return f"{clock(now)} · next decision {clock(feed.due(k))} · {sight.live}/{sight.names} live"


def clock(moment: datetime) -> str:
    """An instant on New York clocks."""
    return f"{moment.astimezone(EXCHANGE_ZONE):%m-%d %H:%M}"
