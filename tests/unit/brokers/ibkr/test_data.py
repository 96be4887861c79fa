"""Names, quotes, history, money: what is asked, what may be used, and what is kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadband.brokers.ibkr.account import Account
from deadband.brokers.ibkr.contracts import disagreements, read_hours
from deadband.brokers.ibkr.history import History, HistoryAsked, HistoryBar, Pacing, sweep
from deadband.brokers.ibkr.said import PositionSaid, ValueSaid
from deadband.core.broker import Failed, Hours, Instrument, Ok, PriceBand
from deadband.core.events import DataQuality, Halt, Quality, TradingStatus
from deadband.core.session import session_on
from deadband.core.units import epoch_ns

from ....kit.ibkr import Desk, trade
from ....kit.tws import MONDAY, at, fault, gateway, quote_of

LIVE, DELAYED, NONE = Quality.LIVE, Quality.DELAYED, Quality.NONE


# --- names


def test_a_name_is_resolved_once_with_its_steps_and_hours() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        answers = await desk.broker.contracts.resolve(["AAPL", "NOWHERE"])
        known = answers["AAPL"]
        assert isinstance(known, Ok)
        assert (known.value.broker_id, known.value.primary_exchange) == (265598, "NASDAQ")
        assert [known.value.increment(price) for price in (0.5, 1.0, 200.0)] == [0.0001, 0.01, 0.01]
        assert known.value.liquid_hours[0] == Hours(at("09:30"), at("16:00"))
        assert disagreements(known.value) == ()
        unknown = answers["NOWHERE"]
        assert isinstance(unknown, Failed)
        assert unknown.code == 200

    trade(host, work)


def test_hours_are_read_on_the_brokers_clock_and_compared_with_ours() -> None:
    hours = read_hours("20261126:CLOSED;20261127:0930-20261127:1600", "US/Eastern")
    assert hours is not None
    [friday] = hours
    assert friday.open == datetime(2026, 11, 27, 14, 30, tzinfo=UTC)
    assert read_hours("20261127:0930-", "US/Eastern") is None
    assert read_hours("", "Mars/Olympus") is None


def test_a_half_day_that_the_broker_does_not_know_is_named() -> None:
    hours = read_hours("20261127:0930-20261127:1600;20261226:0930-20261226:1600", "EST5EDT")
    assert hours is not None
    name = Instrument("AAPL", 1, "NASDAQ", "USD", (PriceBand(0.0, 0.01),), hours)
    first, second = disagreements(name)
    assert "2026-11-27: the broker trades 14:30 to 21:00 UTC" in first
    assert "2026-12-26: the broker opens, our calendar is closed" in second
    assert session_on(MONDAY) is not None


# --- quotes


def qualities(desk: Desk) -> list[Quality]:
    return [h.event.quality for h in desk.hear() if isinstance(h.event, DataQuality)]


def watching(
    check: Callable[[Desk], Any], *faults: Any, seconds: float = 3.0, **changes: Any
) -> Desk:
    async def work(desk: Desk) -> None:
        desk.broker.quotes.subscribe(["AAPL", "UNRESOLVED"])
        await asyncio.sleep(seconds)
        check(desk)

    return trade(gateway(*faults, **changes), work)


def test_a_live_quote_is_the_gateways() -> None:
    def check(desk: Desk) -> None:
        quote = desk.broker.quotes.quote("AAPL")
        assert quote is not None
        assert (quote.bid, quote.ask) == quote_of(desk.host, "AAPL")
        assert quote.bid_size > 0
        assert quote.ts > 0
        assert (quote.quality, quote.halt, quote.shortable_shares) == (LIVE, Halt.NONE, 5_000_000)
        assert desk.broker.quotes.quote("UNRESOLVED") is None
        assert desk.broker.quotes.quality("UNRESOLVED") is NONE

    desk = watching(check)
    assert qualities(desk) == [LIVE, NONE], "none when the session ends"


def test_delayed_data_is_never_live() -> None:
    def check(desk: Desk) -> None:
        assert desk.broker.quotes.quality("AAPL") is not LIVE

    watching(check, fault("no_live_data"))


def test_a_farm_that_breaks_takes_quality_until_a_tick_comes() -> None:
    def check(desk: Desk) -> None:
        assert qualities(desk) == [LIVE, NONE, LIVE]

    watching(check, fault("market_farm_down", at="10:00:05", seconds=2.0), seconds=20.0)


def test_a_farm_that_comes_back_silent_is_subscribed_again() -> None:
    first: list[int] = []

    async def work(desk: Desk) -> None:
        desk.broker.quotes.subscribe(["AAPL"])
        await asyncio.sleep(2)
        first.append(desk.broker.quotes._lines["AAPL"].req_id)
        await asyncio.sleep(18)
        assert desk.broker.quotes._lines["AAPL"].req_id > first[0]
        assert desk.broker.quotes.quality("AAPL") is LIVE
        assert qualities(desk) == [LIVE, NONE, LIVE]

    down = fault("market_farm_down", at="10:00:05", seconds=2.0, lossy=True)
    trade(gateway(down), work)


def test_a_competing_session_takes_every_quote_until_ticks_return() -> None:
    def check(desk: Desk) -> None:
        assert qualities(desk) == [LIVE, NONE, LIVE]

    watching(check, fault("competing_session", at="10:00:05", seconds=5.0), seconds=20.0)


def test_a_halt_is_told_at_its_beginning_and_its_end() -> None:
    def check(desk: Desk) -> None:
        halts = [h.event.halt for h in desk.hear() if isinstance(h.event, TradingStatus)]
        told = [halt for halt, last in zip(halts, [None, *halts], strict=False) if halt != last]
        assert told == [Halt.NONE, Halt.VOLATILITY, Halt.NONE]

    halted = fault("halt", at="10:00:05", symbol="AAPL", seconds=5.0)
    watching(check, halted, seconds=20.0)


def test_what_is_not_watched_any_more_has_no_quote() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.quotes.subscribe(["AAPL", "SPY"])
        await asyncio.sleep(2)
        desk.broker.quotes.unsubscribe(["AAPL", "MSFT"])
        await asyncio.sleep(1)
        assert desk.broker.quotes.quote("AAPL") is None
        assert desk.broker.quotes.quality("SPY") is LIVE
        assert len(desk.host.exchange.watchers) == 1

    trade(gateway(), work)


def test_after_a_lost_session_names_are_watched_again() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.quotes.subscribe(["AAPL"])
        await asyncio.sleep(2)
        await desk.broker.disconnect()
        assert desk.broker.quotes.quality("AAPL") is NONE
        await desk.broker.connect()
        await asyncio.sleep(2)
        assert desk.broker.quotes.quality("AAPL") is LIVE

    trade(gateway(), work)


# --- history


def asked(**changes: Any) -> HistoryAsked:
    values = {"symbol": "AAPL", "end": epoch_ns(at("09:50")), "duration": "1 D", "size": "5 mins"}
    return HistoryAsked(**(values | changes))


def test_bars_come_from_the_broker_once_and_then_from_the_disk(tmp_path: Path) -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        link = desk.broker._link.line
        history = History(
            link.questions, link.wire, link.contracts, link.next_req_id, link.clock, tmp_path
        )
        first = await history.bars(asked())
        assert isinstance(first, Ok)
        assert [bar.start for bar in first.value] == [
            int(at(clock).timestamp()) for clock in ("09:30", "09:35", "09:40", "09:45")
        ]
        assert all(bar.low <= bar.open <= bar.high for bar in first.value)
        sent = desk.broker.meter.sent.copy()
        again = await history.bars(asked())
        assert isinstance(again, Ok)
        assert again.value == first.value
        assert desk.broker.meter.sent == sent
        next(tmp_path.glob("*.json")).write_text("{", encoding="utf-8")
        mended = await history.bars(asked())
        assert isinstance(mended, Ok)
        assert mended.value == first.value
        assert isinstance(await history.bars(asked(symbol="MSFT")), Failed)
        assert isinstance(mended.value[0], HistoryBar)

    trade(host, work)


def test_the_brokers_own_pacing_answer_is_a_failure() -> None:
    async def work(desk: Desk) -> None:
        answer = await desk.broker.history.bars(asked())
        assert isinstance(answer, Failed)
        assert answer.code == 162

    trade(gateway(fault("history_pacing")), work)


def test_the_same_question_waits_its_fifteen_seconds() -> None:
    async def work(desk: Desk) -> None:
        await desk.broker.history.bars(asked())
        began = desk.broker._clock.now()
        await desk.broker.history.bars(asked())
        assert desk.broker._clock.now() - began >= 14.9

    trade(gateway(), work)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.sampled_from(["5 secs", "5 mins"]),
            st.sampled_from(["TRADES", "BID_ASK"]),
        ),
        max_size=90,
    )
)
def test_questions_keep_to_all_three_rules(many: list[tuple[int, str, str]]) -> None:
    pacing, now = Pacing(), 0.0
    done: list[tuple[float, HistoryAsked]] = []
    for day, size, show in many:
        question = asked(end=day + 1, size=size, show=show)
        now += pacing.wait_s(question, now)
        assert pacing.wait_s(question, now) == pytest.approx(0.0, abs=1e-6)
        pacing.note(question, now)
        done.append((now, question))
    for when, question in done:
        near = [(at_, q) for at_, q in done if when <= at_ < when + 1.999]
        weight = sum(q.weight for _, q in near if q.show == question.show)
        assert weight <= 6
        assert sum(q == question for at_, q in done if when <= at_ < when + 14.999) == 1
        small = [q for at_, q in done if when <= at_ < when + 599.99 and q.size == "5 secs"]
        assert sum(q.weight for q in small) <= 60


# --- money


def test_positions_count_when_their_list_is_complete_and_once() -> None:
    account = Account("DU1")
    account.position(PositionSaid("DU1", "AAPL", 5, 1.0))
    assert account.held() == ()
    rows = (
        PositionSaid("DU1", "SPY", 3, 1.0),
        PositionSaid("DU1", "AAPL", -7, 2.0),
        PositionSaid("DU1", "SPY", 3, 1.0),
        PositionSaid("DU2", "MSFT", 9, 1.0),
        PositionSaid("DU1", "KO", 0, 0.0),
    )
    held = account.listed(rows)
    assert [(one.symbol, one.qty) for one in held] == [("AAPL", -7), ("SPY", 3)]
    account.position(PositionSaid("DU1", "AAPL", -5, 2.0))
    assert (account.qty("AAPL"), account.qty("MSFT")) == (-5, 0)


def test_money_means_nothing_until_the_account_is_ready() -> None:
    account = Account("DU1")
    assert not account.report().is_ready
    for key, value in (
        ("NetLiquidation", "100.5"),
        ("TotalCashValue", "rubbish"),
        ("DayTradesRemaining", "3"),
        ("AccountReady", "true"),
    ):
        account.value(ValueSaid("DU1", key, value, "USD"))
    account.value(ValueSaid("DU2", "NetLiquidation", "7", "USD"))
    report = account.report()
    assert (report.net_liq, report.cash, report.day_trades_left) == (100.5, 0.0, 3)
    assert report.is_ready
    account.value(ValueSaid("DU1", "AccountReady", "false", ""))
    assert not account.report().is_ready


def test_answers_that_were_kept_long_ago_are_swept(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    other = tmp_path / "notes.txt"
    for path in (old, new, other):
        path.write_text("[]")
        os.utime(path, ns=(0, 0))
    day = 86_400 * 10**9
    os.utime(new, ns=(2 * day, 2 * day))
    assert sweep(tmp_path, 61 * day) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.json", "notes.txt"]
    assert sweep(tmp_path / "none", 61 * day) == 0


@pytest.mark.parametrize(
    ("said", "left"),
    [("3", 3), ("0", 0), ("-1", -1), ("", -1), ("2147483647", -1), ("Infinity", -1), ("x", 0)],
)
def test_day_trades_that_nobody_counts_are_no_limit(said: str, left: int) -> None:
    account = Account("DU1")
    account.value(ValueSaid("DU1", "DayTradesRemaining", said, ""))
    assert account.report().day_trades_left == left


def test_what_is_available_over_the_close_is_none_until_it_was_told() -> None:
    account = Account("DU1")
    assert account.report().available_overnight is None
    account.value(ValueSaid("DU1", "LookAheadAvailableFunds", "1234.5", "USD"))
    assert account.report().available_overnight == 1234.5
