"""What a live run says: a line a cycle, and one for everything out of the way, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from deadband.cli.live import Report, Stop, _elsewhere, ibkr_settings
from deadband.cli.live_words import Told, cycle_line
from deadband.core.broker_settings import BrokerSettings
from deadband.core.errors import ConfigError
from deadband.core.events import (
    DataQuality,
    Difference,
    Halt,
    Heard,
    Notice,
    Quality,
    SessionEvent,
    SessionState,
    Severity,
    Skipped,
    TradingStatus,
)
from deadband.core.reasons import Code
from deadband.journal.store import NoJournal
from deadband.live.lookout import Sight
from deadband.live.trading_days import session_ahead

from ..kit.live import World

LIVE = Sight(lines=4, live=3, names=4)


@dataclass
class Ear:
    """Hears what is said."""

    said: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, severity: str, text: str) -> None:
        self.said.append((severity, text))


def heard(*events: object) -> tuple[Heard, ...]:
    return tuple(Heard(n, 0, event) for n, event in enumerate(events, start=1))  # type: ignore[arg-type]


def told(*values: object) -> list[tuple[str, str]]:
    ear = Ear()
    journal = Told(NoJournal(), ear)
    for value in values:
        journal.append("HEARD", "", "", value)
    return ear.said


def test_a_cycle_is_a_line_with_the_book_and_why(tmp_path: Path) -> None:
    world = World(tmp_path / "journal.db")
    world.live(lambda journal: world.trade(journal, 4))
    lines = [cycle_line(record, 2, LIVE) for record in world.records]
    assert lines[0].startswith("03-09 09:35 NAV 1,000,000.00 gross 0.0% · ")
    traded = next(line for line, r in zip(lines, world.records, strict=True) if r.plan.orders)
    assert "orders, 0 cancels, 2 fills · 3/4 live" in traded
    first = world.records[0]
    assert str(first.decision.spoken[0].code) in lines[0]
    assert "held back: DATA_STALE_SCORE 4" in lines[0]


def test_what_is_out_of_the_way_is_said_and_what_is_not_is_not() -> None:
    said = told(
        heard(
            SessionEvent(SessionState.DEGRADED, "no servers", 1100),
            Notice(Severity.INFO, "a farm is connected", 2104),
            Notice(Severity.ERROR, "our clock is +9.0 s off the broker's"),
            DataQuality("AAPL", Quality.LIVE),
            DataQuality("AAPL", Quality.DELAYED, "not subscribed"),
            DataQuality("XOM", Quality.NONE, "not subscribed"),
            TradingStatus("AAPL", Halt.VOLATILITY),
            TradingStatus("AAPL", Halt.NONE),
        ),
        Skipped(Code.LIVE_NOT_READY, 0, "DEGRADED, books compared"),
    )
    assert said == [
        ("note", "session DEGRADED: no servers"),
        ("error", "our clock is +9.0 s off the broker's"),
        ("warning", "AAPL has no live quote: not subscribed"),
        ("note", "AAPL is halted (volatility)"),
        ("warning", "no decision: LIVE_NOT_READY, DEGRADED, books compared"),
    ]


def test_attempts_to_connect_are_said_once_until_one_succeeds() -> None:
    connecting = SessionEvent(SessionState.CONNECTING, "to 127.0.0.1:4002")
    gone = SessionEvent(SessionState.DISCONNECTED, "nobody answers")
    ready = SessionEvent(SessionState.READY, "the books agree")
    fault = Notice(Severity.ERROR, "nobody answers. Start the Gateway.")
    ended = DataQuality("AAPL", Quality.NONE, "the session ended")
    said = told(*(heard(ended, gone, connecting, fault) for _ in range(5)), heard(ready, gone))
    assert [text for _, text in said] == [
        "session DISCONNECTED: nobody answers",
        "session CONNECTING: to 127.0.0.1:4002",
        "nobody answers. Start the Gateway.",
        "session READY: the books agree",
        "session DISCONNECTED: nobody answers",
    ]


def test_a_difference_is_said_once_and_not_every_minute() -> None:
    one = Difference("XOM", Code.RECON_POSITION_DIFFERS, 0, 70, 70)
    other = Difference("XOM", Code.RECON_POSITION_DIFFERS, 0, 80, 80)
    said = told((one,), (one,), (one, other))
    assert [severity for severity, _ in said] == ["error", "error"]
    assert "XOM: journal 0, broker 70" in said[0][1] and "broker 80" in said[1][1]


@dataclass
class Blind:
    """A lookout in a session that has begun."""

    sight: Sight
    is_halted: bool = False
    is_open: bool = True
    state: SessionState = SessionState.READY

    @property
    def feed(self) -> Blind:
        return self

    @property
    def line(self) -> SimpleNamespace:
        return SimpleNamespace(broker=SimpleNamespace(state=self.state))

    @property
    def forming(self) -> Blind:
        return self

    def row(self, _: datetime) -> int:
        return 17 if self.is_open else -1

    def __len__(self) -> int:
        return 18

    def wall(self) -> datetime:
        return datetime(2026, 3, 9, 15, tzinfo=UTC)

    def due(self, k: int) -> datetime:
        return datetime(2026, 3, 9, 13 if self.is_open else 16, tzinfo=UTC)


def test_a_market_that_is_not_seen_is_said_once_with_the_cure() -> None:
    ear, beats = Ear(), []  # type: ignore[var-annotated]
    journal = Told(NoJournal(), ear)
    journal.append("HEARD", "", "", heard(DataQuality("A", Quality.NONE, "not subscribed.")))
    lookout = Blind(Sight(4, 0, 4), is_open=False)
    report = Report(ear, journal, lookout, beats.append)  # type: ignore[arg-type]
    report._look()
    assert ear.said == [("warning", "A has no live quote: not subscribed.")]
    ear.said.clear()
    assert beats == ["03-09 11:00 · next decision 03-09 12:00 · 0/4 live"]
    lookout.is_open = True
    # While there is no session, permissions are not what is missing.
    lookout.state = SessionState.CONNECTING
    report._look()
    assert ear.said == []
    lookout.state = SessionState.READY
    report._look()
    report._look()
    [(severity, text)] = ear.said
    assert severity == "error"
    assert "no name has a live quote (not subscribed.)" in text
    assert "Market Data Subscriptions" in text
    lookout.sight = LIVE
    report._look()
    lookout.is_halted = True
    report._look()
    assert ear.said[1][0] == "error" and "HALTED" in ear.said[1][1]


def test_the_first_signal_stops_and_the_second_one_ends_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, done = [100.0], []  # type: ignore[var-annotated]
    monkeypatch.setattr("deadband.cli.live.time.monotonic", lambda: now[0])
    run = SimpleNamespace(stop=lambda: done.append("stop"))
    work = SimpleNamespace(cancel=lambda: done.append("cancel"))
    stop = Stop(Ear(), work)  # type: ignore[arg-type]
    stop.run = run  # type: ignore[assignment]
    stop.ask()
    # The same signal, told to the process and to its group.
    now[0] += 0.01
    stop.ask()
    assert done == ["stop"]
    now[0] += 2.0
    stop.ask()
    assert done == ["stop", "cancel"]
    early = Stop(Ear(), work)  # type: ignore[arg-type]
    early.ask()
    assert done == ["stop", "cancel", "cancel"]


def test_sessions_ahead_follow_the_exchange() -> None:
    def ahead(*instant: int) -> date:
        return session_ahead(datetime(*instant, tzinfo=UTC)).day  # type: ignore[misc]

    assert ahead(2026, 11, 25, 20, 59) == date(2026, 11, 25)
    # Thanksgiving is closed, and the half-day after it is over at one o'clock in New York.
    assert ahead(2026, 11, 25, 21, 0) == date(2026, 11, 27)
    assert ahead(2026, 11, 27, 17, 59) == date(2026, 11, 27)
    assert ahead(2026, 11, 27, 18, 0) == date(2026, 11, 30)
    assert ahead(2026, 11, 29, 4, 0) == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("broker", "text"),
    [
        (BrokerSettings(account="DU1", port=4001), "port 4001 is the other kind's"),
        (BrokerSettings(account="U1"), "account U1 is live, the mode is paper"),
        (BrokerSettings(account="U1", mode="live", port=4001), "is not confirmed"),
        (
            BrokerSettings(account="U1", mode="live", port=4001, live_confirmation="U2"),
            "is not confirmed",
        ),
        (BrokerSettings(account="DU1", mode="live", port=4001), "account DU1 is paper"),
        (BrokerSettings(account="me"), "neither DU..., paper, nor U..., live"),
    ],
)
def test_paper_and_live_are_not_mixed_up(broker: BrokerSettings, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        ibkr_settings(broker)


def test_a_live_account_is_traded_where_it_was_typed_twice() -> None:
    broker = BrokerSettings(account="U1", mode="live", port=4001, live_confirmation="U1")
    assert ibkr_settings(broker).port == 4001


def test_where_else_something_listens_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deadband.cli.live._listens", lambda _host, port: port in (7496, 7497))
    settings = ibkr_settings(BrokerSettings(account="DU1"))
    hint = _elsewhere(settings, "127.0.0.1:4002 does not answer: refused.")
    assert "7497 (TWS, paper), 7496 (TWS, live)" in hint and "Give --port 7497" in hint
    assert _elsewhere(settings, "the gateway manages DU2") == ""
    monkeypatch.setattr("deadband.cli.live._listens", lambda *_: False)
    assert "Nothing listens" in _elsewhere(settings, "it does not answer")
