"""What every broker behind the order port has to keep: one class of cases, inherited by each.

A subclass gives a Stage: how to make a broker, let time pass, and find orders that fill, rest or
are refused. Ids (TC-...) are for citing.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from deadband.core.broker import CancelAll, CancelScope, Failed, Ok, Replacement
from deadband.core.errors import BrokerError, JournalError
from deadband.core.events import Heard, Intent, SessionState
from deadband.core.lifecycle import FINAL, leaves
from deadband.core.orders import (
    TRADES,
    Action,
    ExecType,
    ExecutionReport,
    Order,
    OrdStatus,
    OrdType,
    Terms,
    Tif,
    TradeFee,
)
from deadband.core.reasons import Code
from deadband.journal.codec import Decoder, Encoder

Act = Callable[["Stage"], Coroutine[Any, Any, None]]


class Stage(ABC):
    """A broker with what the cases need of the world around it."""

    broker: Any
    symbols: tuple[str, str]

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.events: list[Heard] = []
        self.is_disk_full = False

    def write_ahead(self, intents: tuple[Intent, ...]) -> None:
        if self.is_disk_full:
            raise JournalError("no space is left. Free some.")
        self.intents += intents

    @abstractmethod
    def play(self, act: Act) -> None:
        """Run a case from connect to close."""

    @abstractmethod
    async def pass_time(self) -> None:
        """As long as a broker needs to answer, and a marketable order to fill."""

    @abstractmethod
    def marketable(self, ref: str, qty: int = 100, place: int = 0) -> Order: ...

    @abstractmethod
    def resting(self, ref: str, qty: int = 100, place: int = 0) -> Order: ...

    @abstractmethod
    def doomed(self, ref: str) -> Order:
        """An order that the broker itself refuses."""

    @abstractmethod
    def held(self) -> dict[str, int]:
        """Shares by symbol by an independent witness."""

    # --- what was heard

    def heard(self) -> list[Heard]:
        self.events += self.broker.taken()
        return self.events

    def reports(self, ref: str = "") -> list[ExecutionReport]:
        events = [one.event for one in self.heard()]
        return [e for e in events if isinstance(e, ExecutionReport) and ref in ("", e.cl_ord_id)]

    def kinds(self, ref: str) -> list[ExecType]:
        return [report.exec_type for report in self.reports(ref)]

    def status(self, ref: str) -> OrdStatus | None:
        reports = self.reports(ref)
        return reports[-1].ord_status if reports else None


def check_stream(stage: Stage) -> None:
    """The invariants of every stream: numbers, quantities, statuses, and what may follow an end."""
    heard = stage.heard()
    assert [one.seq for one in heard] == list(range(1, len(heard) + 1))
    cum: Counter[str] = Counter()
    last: dict[str, OrdStatus] = {}
    seen: set[str] = set()
    for report in stage.reports():
        ref = report.cl_ord_id
        assert report.exec_id not in seen, report
        seen.add(report.exec_id)
        if report.exec_type in TRADES:
            cum[ref] += report.last_qty - report.prior_qty
        assert report.ord_status is not None
        assert report.cum_qty == cum[ref], report
        assert report.leaves_qty == leaves(report.ord_status, cum[ref], report.order_qty), report
        assert (report.ord_status is OrdStatus.FILLED) == (cum[ref] == report.order_qty), report
        if last.get(ref) in FINAL:
            assert report.exec_type in TRADES | {ExecType.RESTATED}, report
        last[ref] = report.ord_status
    for fee in (one.event for one in heard if isinstance(one.event, TradeFee)):
        assert fee.exec_id in seen


def check_journal(stage: Stage) -> None:
    """Everything said can be journaled and comes back the same, and so can every intent."""
    stored: dict[bytes, bytes] = {}
    encoder, decoder = Encoder(stored.__setitem__), Decoder(stored.__getitem__)
    for value in (*stage.heard(), *stage.intents):
        assert decoder.decode(encoder.encode(value)) == value


class PortContract:
    """Inherit, and give the fixture `stage`."""

    def play(self, stage: Stage, act: Act) -> None:
        stage.play(act)
        check_stream(stage)
        check_journal(stage)

    # TC-S: sessions

    def test_s1_a_session_begins_ready_flat_and_known(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            assert stage.broker.state is SessionState.READY
            shot = await stage.broker.snapshot()
            assert shot.is_complete
            assert isinstance(shot.orders, Ok)
            assert shot.orders.value == ()
            assert isinstance(shot.positions, Ok)
            assert shot.positions.value == ()

        self.play(stage, act)

    def test_s2_connecting_twice_is_refused(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            with pytest.raises(BrokerError, match="Disconnect before connecting"):
                await stage.broker.connect()

        self.play(stage, act)

    def test_s3_without_a_session_nothing_is_sent_and_nothing_is_empty(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            await stage.broker.disconnect()
            [receipt] = stage.broker.submit([stage.resting("early")])
            assert receipt.code is Code.SESSION_NOT_READY
            assert not receipt.is_accepted
            assert stage.intents == []
            shot = await stage.broker.snapshot()
            assert not shot.is_complete
            sections = (shot.orders, shot.foreign, shot.positions, shot.account)
            assert all(isinstance(section, Failed) for section in sections)
            assert isinstance(await stage.broker.order_status("early"), Failed)

        self.play(stage, act)

    def test_s4_orders_live_on_over_a_lost_session(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.broker.submit([stage.resting("stays")])
            await stage.pass_time()
            await stage.broker.disconnect()
            assert stage.broker.state is SessionState.DISCONNECTED
            await stage.broker.connect()
            assert stage.status("stays") is OrdStatus.NEW
            assert stage.broker.cancel("stays").is_accepted
            await stage.pass_time()
            assert stage.status("stays") is OrdStatus.CANCELED

        self.play(stage, act)

    def test_s5_the_stream_ends_when_the_broker_is_closed(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.heard()
            stage.broker.submit([stage.marketable("one")])
            await stage.pass_time()

            async def listen() -> list[Heard]:
                return [one async for one in stage.broker.events()]

            listening = asyncio.ensure_future(listen())
            await asyncio.sleep(0)
            await stage.broker.close()
            stage.events += await listening

        self.play(stage, act)
        assert stage.status("one") is OrdStatus.FILLED

    # TC-O: orders

    def test_o1_an_order_is_acknowledged_once_and_then_rests(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            receipts = stage.broker.submit([stage.resting("a"), stage.resting("b", place=1)])
            assert [receipt.cl_ord_id for receipt in receipts] == ["a", "b"]
            assert all(receipt.is_accepted for receipt in receipts)
            await stage.pass_time()
            assert stage.kinds("a") == stage.kinds("b") == [ExecType.NEW]
            answer = await stage.broker.order_status("a")
            assert isinstance(answer, Ok)
            assert (answer.value.status, answer.value.leaves_qty) == (OrdStatus.NEW, 100)

        self.play(stage, act)

    def test_o2_a_marketable_order_fills_and_the_books_agree(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.broker.submit([stage.marketable("a", 100), stage.marketable("b", 50, place=1)])
            await stage.pass_time()
            assert stage.status("a") is stage.status("b") is OrdStatus.FILLED
            shot = await stage.broker.snapshot()
            assert isinstance(shot.positions, Ok)
            positions = {one.symbol: one.qty for one in shot.positions.value}
            assert positions == stage.held() == dict(zip(stage.symbols, (100, 50), strict=True))

        self.play(stage, act)
        first = stage.reports("a")[0]
        assert first.exec_type is ExecType.NEW
        paid = sum(r.fee_micro for r in stage.reports("a")) + sum(
            one.event.fee_micro
            for one in stage.heard()
            if isinstance(one.event, TradeFee) and one.event.cl_ord_id == "a"
        )
        assert paid > 0

    def test_o3_a_canceled_order_ends_and_cannot_be_canceled_again(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.broker.submit([stage.resting("a")])
            await stage.pass_time()
            assert stage.broker.cancel("a").is_accepted
            await stage.pass_time()
            assert stage.status("a") is OrdStatus.CANCELED
            assert stage.reports("a")[-1].leaves_qty == 0
            assert stage.broker.cancel("a").code is Code.ORDER_NOT_WORKING
            assert stage.broker.cancel("stranger").code is Code.ORDER_NOT_WORKING

        self.play(stage, act)

    @pytest.mark.parametrize("ref", ["", "x" * 31, "with space", "ü"])
    def test_o4_an_id_that_would_not_come_back_is_denied(self, stage: Stage, ref: str) -> None:
        async def act(stage: Stage) -> None:
            [receipt] = stage.broker.submit([stage.resting(ref)])
            assert receipt.code is Code.ORDER_BAD_ID
            assert stage.intents == []

        self.play(stage, act)

    def test_o5_an_id_is_used_once(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            receipts = stage.broker.submit([stage.resting("a"), stage.resting("a")])
            assert [receipt.code for receipt in receipts] == [None, Code.ORDER_BAD_ID]
            await stage.pass_time()
            [receipt] = stage.broker.submit([stage.resting("a")])
            assert receipt.code is Code.ORDER_BAD_ID
            assert [intent.order.cl_ord_id for intent in stage.intents] == ["a"]

        self.play(stage, act)

    @pytest.mark.parametrize(
        ("changes", "terms"),
        [
            ({"order_qty": 0}, {}),
            ({"price": 0.0}, {}),
            ({"ord_type": OrdType.STOP}, {}),
            ({}, {"tif": Tif.GTD}),
            ({}, {"tif": Tif.CLS}),
            ({}, {"strategy": "Magic"}),
        ],
    )
    def test_o6_what_the_broker_cannot_do_is_denied_here(
        self, stage: Stage, changes: dict[str, Any], terms: dict[str, Any]
    ) -> None:
        async def act(stage: Stage) -> None:
            order = replace(stage.resting("a"), terms=Terms(**terms), **changes)
            [receipt] = stage.broker.submit([order])
            assert receipt.code is Code.ORDER_UNSUPPORTED
            assert receipt.text
            assert stage.intents == []

        self.play(stage, act)

    def test_o7_nothing_is_sent_whose_intent_is_not_durable(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.broker.submit([stage.resting("before")])
            await stage.pass_time()
            stage.is_disk_full = True
            receipts = stage.broker.submit([stage.resting("a"), stage.resting("b")])
            assert [r.code for r in receipts] == [Code.ORDER_NOT_JOURNALED] * 2
            await stage.pass_time()
            shot = await stage.broker.snapshot()
            assert isinstance(shot.orders, Ok)
            assert [order.cl_ord_id for order in shot.orders.value] == ["before"]
            # A cancel needs no disk.
            assert stage.broker.cancel("before").is_accepted
            await stage.pass_time()
            assert stage.status("before") is OrdStatus.CANCELED

        self.play(stage, act)
        assert stage.reports("a") == stage.reports("b") == []

    def test_o8_intents_are_durable_first_with_addresses_that_grow(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.heard()
            before = len(stage.events)
            stage.broker.submit([stage.marketable("a"), stage.resting("b")])
            assert [intent.action for intent in stage.intents] == [Action.NEW, Action.NEW]
            assert len(stage.intents) == 2
            await stage.pass_time()
            stage.broker.submit([stage.resting("c")])
            addresses = [intent.high_water for intent in stage.intents]
            assert addresses == sorted(set(addresses))
            assert len(stage.heard()) > before
            await stage.pass_time()

        self.play(stage, act)

    def test_o9_an_order_the_broker_refuses_says_why_and_is_over(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            [receipt] = stage.broker.submit([stage.doomed("bad")])
            assert receipt.is_accepted
            await stage.pass_time()
            assert stage.status("bad") is OrdStatus.REJECTED
            assert stage.reports("bad")[-1].text
            assert stage.held() == {}

        self.play(stage, act)

    def test_o10_a_change_is_made_or_denied(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            order = stage.resting("a", 100)
            stage.broker.submit([order])
            await stage.pass_time()
            receipt = stage.broker.replace(Replacement("a", 60, order.price))
            if not stage.broker.capabilities.replaces:
                assert receipt.code is Code.ORDER_UNSUPPORTED
                return
            assert receipt.is_accepted
            again = stage.broker.replace(Replacement("a", 50, order.price))
            # One that has answered already takes the next change too.
            assert again.code in (None, Code.ORDER_IN_FLIGHT)
            size = 50 if again.is_accepted else 60
            await stage.pass_time()
            last = stage.reports("a")[-1]
            assert (last.exec_type, last.order_qty) == (ExecType.REPLACED, size)
            assert (last.ord_status, last.leaves_qty) == (OrdStatus.NEW, size)

        self.play(stage, act)

    # TC-C: cancel all

    def test_c1_all_of_ours_go(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            refs = [f"r{k}" for k in range(6)]
            stage.broker.submit([stage.resting(ref, place=k % 2) for k, ref in enumerate(refs)])
            await stage.pass_time()
            assert stage.broker.cancel_all(CancelAll()).is_accepted
            await stage.pass_time()
            assert {stage.status(ref) for ref in refs} == {OrdStatus.CANCELED}

        self.play(stage, act)

    def test_c2_those_of_one_name_go_and_the_others_stay(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.broker.submit([stage.resting("a"), stage.resting("b", place=1)])
            await stage.pass_time()
            wanted = CancelAll(CancelScope.SYMBOL, stage.symbols[0])
            assert stage.broker.cancel_all(wanted).is_accepted
            await stage.pass_time()
            assert stage.status("a") is OrdStatus.CANCELED
            assert stage.status("b") is OrdStatus.NEW

        self.play(stage, act)

    def test_c3_the_whole_account_goes_only_when_confirmed(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.broker.submit([stage.resting("a")])
            await stage.pass_time()
            unsure = CancelAll(CancelScope.ACCOUNT)
            assert stage.broker.cancel_all(unsure).code is Code.BROKER_NOT_CONFIRMED
            await stage.pass_time()
            assert stage.status("a") is OrdStatus.NEW
            sure = CancelAll(CancelScope.ACCOUNT, confirm_foreign=True)
            assert stage.broker.cancel_all(sure).is_accepted
            await stage.pass_time()
            assert stage.status("a") is OrdStatus.CANCELED

        self.play(stage, act)

    def test_c4_orders_of_other_runs_are_none_of_this_ones(self, stage: Stage) -> None:
        async def act(stage: Stage) -> None:
            stage.broker.submit([stage.resting("db.20260302.100000.000")])
            await stage.pass_time()
            unsaid = CancelAll(CancelScope.OTHER_RUNS)
            assert stage.broker.cancel_all(unsaid).code is Code.BROKER_NOT_CONFIRMED
            said = CancelAll(CancelScope.OTHER_RUNS, prefix="db")
            assert stage.broker.cancel_all(said).is_accepted
            await stage.pass_time()
            assert stage.status("db.20260302.100000.000") is OrdStatus.NEW

        self.play(stage, act)
