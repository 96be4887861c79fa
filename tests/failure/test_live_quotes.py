"""Sessions seen through the broker's quotes alone: few lines, restarts, halts, no permissions."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from deadband.backtest.ledger import read_ledger
from deadband.backtest.replay import replay
from deadband.brokers.ibkr.broker import IbkrBroker
from deadband.brokers.ibkr.pacer import Lane
from deadband.core.errors import DataError
from deadband.core.events import DataQuality, Heard, Quality
from deadband.core.orders import OrdStatus
from deadband.core.reasons import Code
from deadband.core.seen import NEVER_S, Switch
from deadband.journal.store import JournalReader
from deadband.twsim.fault_names import FaultName
from deadband.twsim.faults import Fault

from ..kit import settings
from ..kit.live import EAGER
from ..kit.live_quotes import QuoteWorld
from ..kit.tws import fault

NO_PAST = pytest.RaisesExc(DataError, match="no bar of the 15 sessions")
TWELVE = settings(**EAGER | {"K": 6, "K_buy": 6, "K_sell": 8, "per_name_cap": 0.1})


def of_twelve(folder: Path, *faults: Fault, names: int = 12, **other: object) -> QuoteWorld:
    given: dict[str, object] = {"step_s": 5.0, "settings": TWELVE, "most": 12} | other
    return QuoteWorld(folder / "journal.db", names, faults=faults, **given)  # type: ignore[arg-type]


def heard(of: QuoteWorld) -> list[object]:
    with JournalReader(of.path) as journal:
        batches = [journal.value(e.tree) for e in journal.entries() if e.kind == "HEARD"]
    return [one.event for batch in batches for one in batch if isinstance(one, Heard)]


def test_an_hour_with_a_line_for_every_second_name(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, lines=6)
    of.live(of.trade_quotes)
    of.check()
    assert of.most_lines == 6
    assert of.line is not None and isinstance(of.line.broker, IbkrBroker)
    # Two messages a line that changes hands, beside heartbeats: orders have most of the rate.
    requests = of.line.broker.meter.sent[Lane.REQUEST]
    assert 1000 < requests < 10 * 3600
    [feed] = of.fed
    # Everybody is seen in every bar, though half of the lines belong to names that are held.
    assert not np.isnan(feed.day.close[:12]).any()
    assert np.isnan(feed.day.close[13:]).all()
    ages = np.array([record.seen.market.quote_age_s for record in of.records])
    assert (ages < 60).all()
    assert sum(len(record.plan.orders) for record in of.records) > 5
    assert of.state.book.shares.any()
    assert replay(of.path).differences == ()
    assert read_ledger(of.path).cycles_off_by_a_cent == 0
    # What a line says again each time its turn comes is not written again each time.
    said = [event for event in heard(of) if isinstance(event, DataQuality)]
    assert sum(event.quality is Quality.LIVE for event in said) <= 12


def test_bars_are_those_of_the_market(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, names=4, most=6, step_s=1.0)
    of.live(of.trade_quotes)
    [feed] = of.fed
    truth = of.market.tape.day(of.market.sessions[0])
    rows = slice(1, 6)
    # Trades print at the bid or the ask, so that they are off by the spread, and no more.
    spread = 2 * truth.half_spread[rows] + 0.03
    for made, true in ((feed.day.close, truth.close), (feed.day.open, truth.open)):
        assert (abs(made[rows] - true[rows]) <= spread + 5e-4 * true[rows]).all()
    assert (feed.day.high[rows] <= truth.high[rows] + spread).all()
    assert (feed.day.low[rows] >= truth.low[rows] - spread).all()
    np.testing.assert_allclose(feed.day.volume[rows], truth.volume[rows], rtol=0.03)


def test_the_past_is_asked_from_the_broker_or_taken_from_a_file(tmp_path: Path) -> None:
    histories = {}
    for is_given in (True, False):
        folder = tmp_path / str(is_given)
        folder.mkdir()
        of = of_twelve(folder, names=4, most=2, knows_the_past=is_given)
        of.settings = settings(**EAGER, history_days=5)
        of.market.tape.risk = of.settings.risk
        of.live(of.trade_quotes)
        histories[is_given] = of.records[0].seen.history
        assert bool([text for text in of.said if "asking for bars of 5" in text]) is not is_given
    given, asked = histories[True], histories[False]
    assert given is not None and asked is not None
    assert given.returns.shape == asked.returns.shape == (5 * 78, 4)
    assert asked.observed.all()
    close = np.corrcoef(given.returns.ravel(), asked.returns.ravel())[0, 1]
    assert close > 0.95


def test_a_restart_at_noon_knows_the_morning(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, most=6)
    of.live(of.trade_quotes)
    first, of.records, of.fed = of.fed[0], [], []
    # Half an hour and a bit passes without anybody looking.
    of.host.timeline.run_for(31 * 60 + 100)
    of.live(of.trade_quotes)
    of.check()
    [feed] = of.fed
    done = int((of.records[0].seen.now - feed.day.session.open) / timedelta(minutes=5))
    assert done == 13
    assert not np.isnan(feed.day.close[:done]).any()
    # The bar in which it began holds what had traded before, too.
    assert (feed.day.volume[done - 1] > 0.5 * feed.day.volume[done]).all()
    np.testing.assert_allclose(feed.day.close[1:5], first.day.close[1:5], rtol=2e-3)
    assert replay(of.path).differences == ()
    assert len({record.cycle_id for record in of.records}) == len(of.records)


def test_bars_of_a_time_without_a_line_are_asked_for_when_it_is_back(tmp_path: Path) -> None:
    away = fault("restart", at="09:42:10", seconds=700.0)
    of = of_twelve(tmp_path, away, names=4, most=6, step_s=10.0)
    of.live(of.trade_quotes)
    of.check()
    [feed] = of.fed
    # Two cycles were due while nobody listened, and one bar was seen by nobody.
    assert of.run is not None and of.run.skipped == 2
    assert any("4 bars of today that were not seen here" in text for text in of.said)
    assert not np.isnan(feed.day.close[1:6]).any()
    assert replay(of.path).differences == ()


def test_a_kill_between_cycles_cancels_what_works_at_once(tmp_path: Path) -> None:
    far = settings(**EAGER, collar_bps=-60.0)
    of = of_twelve(tmp_path, names=4, most=6, settings=far)

    def halted_soon_after_orders(now: datetime) -> Switch:
        sent = [record for record in of.records if record.plan.orders]
        is_soon = not sent or now < sent[0].seen.now + timedelta(seconds=30)
        return Switch() if is_soon else Switch("HALTED")

    of.switch = halted_soon_after_orders
    of.live(of.trade_quotes)
    of.check()
    [sent, *after] = of.records[2:]
    assert sent.plan.orders
    # The next cycle found them gone: nobody waited for it.
    assert after and all(record.state.working == () for record in after)
    assert all(record.plan.orders == () == record.plan.cancels for record in after)
    assert of.host.desk.working() == []
    assert replay(of.path).differences == ()


def test_without_market_data_nothing_is_traded_and_the_reason_is_written(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, fault(FaultName.NO_LIVE_DATA, times=0), names=4, most=4)
    of.live(of.trade_quotes)
    assert len(of.records) == 4
    assert all(record.plan.orders == () for record in of.records)
    assert (of.records[-1].seen.market.quote_age_s == NEVER_S).all()
    gates = of.records[-1].permits.first_gate()
    assert (gates == Code.DATA_STALE_QUOTE.number).all()
    said = {event.text for event in heard(of) if isinstance(event, DataQuality)}
    assert "Requested market data is not subscribed." in said


def test_a_halted_name_is_frozen_and_the_others_trade(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, fault("halt", at="09:33", seconds=1500.0, symbol="NVDA"), most=6)
    of.live(of.trade_quotes)
    of.check()
    place = of.state.universe.index["NVDA"]
    codes = {record.permits.first_gate()[place] for record in of.records[:5]}
    assert Code.LIQ_HALTED.number in codes
    assert codes <= {Code.LIQ_HALTED.number, Code.DATA_STALE_QUOTE.number}
    assert all(o.symbol != "NVDA" for record in of.records[:5] for o in record.plan.orders)
    assert any(record.plan.orders for record in of.records)
    [feed] = of.fed
    # Nothing traded in it meanwhile, and no bar is made up.
    assert np.isnan(feed.day.close[1:4, place]).all()


@pytest.mark.parametrize("name", ["competing_session", "market_farm_down"])
def test_while_no_quote_can_be_trusted_nothing_new_is_bought(tmp_path: Path, name: str) -> None:
    of = of_twelve(tmp_path, fault(name, at="09:43", seconds=780.0), lines=6, most=7)
    of.live(of.trade_quotes)
    of.check()
    at = {record.seen.now.minute: record for record in of.records}
    for minute in (45, 50, 55):
        assert not at[minute].plan.orders
        assert (at[minute].seen.market.quote_age_s == NEVER_S).all()
    assert (at[5].seen.market.quote_age_s < 60).all()
    assert at[0].plan.orders or at[5].plan.orders


def test_a_broker_that_tells_no_past_is_no_beginning(tmp_path: Path) -> None:
    of = of_twelve(
        tmp_path, fault(FaultName.HISTORY_FARM_DOWN, at="09:29:00", seconds=1e5), names=2
    )

    async def work(journal: object) -> None:
        with pytest.RaisesGroup(NO_PAST, flatten_subgroups=True):
            await of.trade_quotes(journal)  # type: ignore[arg-type]

    of.live(work)
    assert of.records == []
    assert any("no bars of the past for 2 names" in text for text in of.said)


def test_two_sessions_in_a_row_over_a_night_with_a_restart(tmp_path: Path) -> None:
    night = fault("restart", at="23:45", seconds=120.0)
    # It begins half an hour before the close.
    of = of_twelve(tmp_path, night, names=3, begins_min=360.5, most=6 + 3, days=2, sessions=2)
    of.live(of.trade_quotes)
    of.check()
    assert len(of.fed) == 2 and len(of.records) == 9
    assert any("waiting for 2026-03-10" in text for text in of.said)
    assert not np.isnan(of.fed[1].day.close[:3]).any()
    assert of.kinds()["END"] == 1
    assert replay(of.path).differences == ()


def test_a_run_that_waits_for_the_morning_is_stopped_there(tmp_path: Path) -> None:
    of = of_twelve(tmp_path, names=3, begins_min=-600.0)

    async def work(journal: object) -> None:
        trading = asyncio.ensure_future(of.trade_quotes(journal))  # type: ignore[arg-type]
        await asyncio.sleep(3600)
        assert of.run is not None
        of.run.stop()
        await trading

    of.live(work)
    assert of.records == []
    assert of.kinds()["END"] == 1
    assert all(order.status is OrdStatus.NEW for order in of.state.working)
