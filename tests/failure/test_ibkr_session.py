"""Sessions that go wrong, orders that vanish or double, and what the adapter makes of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from deadband.brokers.ibkr.pacer import Lane
from deadband.brokers.ibkr.said import TradeSaid
from deadband.brokers.ibkr.settings import IbkrSettings, Mode
from deadband.core.broker import CancelAll, Failed, Ok, Replacement, TimedOut
from deadband.core.errors import BrokerError
from deadband.core.events import SessionEvent, SessionState, Severity
from deadband.core.orders import ExecType, OrdStatus, OrdType, Side, Source, Terms, Tif
from deadband.core.reasons import Code
from deadband.twsim.gateway import Gateway
from deadband.twsim.replies import Message

from ..kit import virtual
from ..kit.ibkr import CLIENT, Desk, buy, trade
from ..kit.tws import MONDAY, RawClient, ask_of, at, fault, gateway, place_order

A, B = "db.1.000", "db.1.001"


def market(ref: str, qty: int = 10, **other: Any) -> Any:
    return buy(ref, qty, 0.0, ord_type=OrdType.MARKET, **other)


def states(desk: Desk) -> list[SessionState]:
    return [h.event.state for h in desk.hear() if isinstance(h.event, SessionEvent)]


def refs(host: Gateway) -> Counter[str]:
    return Counter(order.ticket.text("orderRef") for order in host.desk.orders)


# --- lines


def test_silence_on_an_open_line_ends_the_session() -> None:
    async def work(desk: Desk) -> None:
        await asyncio.sleep(15)
        assert desk.broker.state is SessionState.DISCONNECTED
        assert any("not a byte for" in said.text for said in events(desk))

    trade(gateway(fault("half_open", at="10:00:02", seconds=60.0)), work)


def events(desk: Desk) -> list[SessionEvent]:
    return [h.event for h in desk.hear() if isinstance(h.event, SessionEvent)]


def test_a_quiet_line_that_lives_is_kept() -> None:
    async def work(desk: Desk) -> None:
        await asyncio.sleep(300)
        assert desk.broker.state is SessionState.READY

    desk = trade(gateway(), work)
    assert states(desk)[:3] == [
        SessionState.CONNECTING,
        SessionState.SYNCING,
        SessionState.READY,
    ]


def test_what_was_not_sent_when_the_line_went_is_taken_back_and_never_sent() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(f"o{k}", 1, 150.0) for k in range(15)])
        desk.broker.submit([buy(f"s{k}", 1, 150.0, "SPY") for k in range(15)])
        await desk.broker.disconnect()
        gone = [r for r in desk.reports() if r.source is Source.LOCAL]
        assert {r.ord_status for r in gone} == {OrdStatus.CANCELED}
        await asyncio.sleep(1)
        assert len(gone) + len(host.desk.orders) == 30
        await desk.broker.connect()
        await asyncio.sleep(5)
        assert not refs(host).keys() & {r.cl_ord_id for r in gone}

    trade(host, work)


def test_a_gateway_that_is_down_is_named_with_the_cure() -> None:
    host = gateway()
    host.is_refusing = True

    async def session() -> None:
        desk = Desk(host)
        with pytest.raises(BrokerError, match=r"127.0.0.1:4002 does not answer.*Start TWS"):
            await desk.broker.connect()
        assert desk.broker.state is SessionState.DISCONNECTED

    virtual.run(host, session)


def test_a_gateway_that_never_answers_is_given_up() -> None:
    host = gateway(fault("no_answer", message="startApi"))

    async def session() -> None:
        with pytest.raises(BrokerError, match="did not answer within 10 s"):
            await Desk(host).broker.connect()

    virtual.run(host, session)


def test_a_client_number_in_use_is_named_with_the_cure() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        with pytest.raises(BrokerError, match=r"\(326\)\. Close the other program, or set another"):
            await Desk(host).broker.connect()
        assert desk.broker.state is SessionState.READY

    trade(host, work)


def test_another_account_is_refused_before_anything_is_asked() -> None:
    host = gateway(accounts=("DU7654321",))

    async def session() -> None:
        with pytest.raises(BrokerError, match="manages DU7654321, and DU1234567 alone"):
            await Desk(host).broker.connect()

    virtual.run(host, session)


def test_books_that_cannot_be_asked_are_no_session() -> None:
    host = gateway(fault("no_answer", message="reqPositions", times=0))

    async def session() -> None:
        with pytest.raises(BrokerError, match="the books cannot be brought in step.*positions"):
            await Desk(host).broker.connect()

    virtual.run(host, session)


def test_a_question_without_an_answer_is_timed_out_and_not_empty() -> None:
    async def work(desk: Desk) -> None:
        shot = await desk.broker.snapshot()
        assert shot.positions == TimedOut(10.0)
        assert isinstance(shot.orders, Ok)
        assert not shot.is_complete

    trade(gateway(fault("no_answer", message="reqPositions", nth=3)), work)


def test_a_damaged_message_is_said_and_asked_about() -> None:
    async def work(desk: Desk) -> None:
        desk.host.clients[0]._write(  # type: ignore[attr-defined]
            Message("execDetails", ("11", "-1", "rubbish"))
        )
        await asyncio.sleep(2)
        [notice] = [n for n in desk.notices() if n.severity is Severity.ERROR]
        assert "could not be read" in notice.text
        assert desk.broker.state is SessionState.READY

    trade(gateway(), work)


def test_a_clock_that_is_off_is_said_once() -> None:
    host = gateway()

    async def session() -> None:
        desk = Desk(host)
        desk.broker._clock.wall_ns = lambda: 1_000_000_000  # type: ignore[attr-defined]
        await desk.connect()
        await asyncio.sleep(20)
        notices = [n for n in desk.notices() if "off the broker's" in n.text]
        assert len(notices) == 1
        await desk.broker.close()

    virtual.run(host, session)


# --- 1100 and the restart


def test_while_the_servers_are_lost_nothing_new_is_sent_and_all_is_heard() -> None:
    host = gateway(fault("connectivity_lost", at="10:00:05", seconds=10.0))

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(A)])
        await asyncio.sleep(7)
        assert desk.broker.state is SessionState.DEGRADED
        [receipt] = desk.broker.submit([buy(B)])
        assert receipt.code is Code.SESSION_NOT_READY
        assert desk.broker.replace(Replacement(A, 5, 150.0)).code is Code.SESSION_NOT_READY
        host.exchange.fill_anyhow(host.desk.orders[0])
        await desk.until(A, OrdStatus.FILLED, seconds=1)
        assert desk.broker.state is SessionState.DEGRADED
        await asyncio.sleep(10)
        assert desk.broker.state is SessionState.READY

    trade(host, work)


def test_servers_lost_while_the_books_are_asked_are_no_readiness() -> None:
    async def work(desk: Desk) -> None:
        assert desk.broker.state is SessionState.DEGRADED
        assert SessionState.READY not in states(desk)
        await asyncio.sleep(20)
        assert desk.broker.state is SessionState.READY

    lost = fault("connectivity_lost", at="10:00:01", seconds=10.0)
    trade(gateway(lost), work, settle_s=2.0)


def test_numbers_that_roll_back_in_a_restart_are_not_used_again() -> None:
    host = gateway(fault("restart", at="10:00:10", seconds=20.0))

    async def work(desk: Desk) -> None:
        desk.broker.submit([market(A), market(B, symbol="SPY")])
        await asyncio.sleep(15)
        assert desk.broker.state is SessionState.DISCONNECTED
        await asyncio.sleep(20)
        await desk.broker.connect()
        desk.broker.submit([market("db.2.000", 30)])
        await desk.until("db.2.000")
        assert [intent.high_water for intent in desk.intents] == [1, 2, 3]
        assert [order.order_id for order in host.desk.orders] == [1, 2, 3]
        assert [desk.filled(ref) for ref in (A, B, "db.2.000")] == [10, 10, 30]

    trade(host, work)


def test_without_a_memory_the_gateways_own_count_is_believed() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        desk.broker.submit([market(A)])
        await desk.until(A)

    trade(host, work)

    async def later(desk: Desk) -> None:
        desk.broker.submit([market(B)])
        await desk.until(B, OrdStatus.FILLED)

    trade(host, later)


def test_around_the_restart_nothing_new_is_sent() -> None:
    async def work(desk: Desk) -> None:
        [receipt] = desk.broker.submit([buy(A)])
        assert receipt.code is Code.SESSION_QUIET

    trade(gateway(clock="10:00"), work, restart_at="10:04")


def test_a_read_only_interface_takes_no_further_order() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(A)])
        await desk.until(A, OrdStatus.REJECTED)
        [receipt] = desk.broker.submit([buy(B)])
        assert receipt.code is Code.SESSION_READ_ONLY

    trade(gateway(fault("read_only", times=0)), work)


def test_a_liquidation_halts_until_a_new_session() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        said = TradeSaid(-1, 0, 0, 77, "", "x.1.01.01", "DU1234567", "SPY", "SLD", 5, 1.0, 0, 1)
        desk.broker._link.hear(said)
        assert desk.broker.state is SessionState.HALTED
        [receipt] = desk.broker.submit([buy(A)])
        assert receipt.code is Code.SESSION_HALTED
        assert Severity.FATAL in {notice.severity for notice in desk.notices()}

    trade(host, work)


# --- orders that vanish or double


def test_a_vanished_order_is_unknown_freezes_its_name_and_is_never_sent_again() -> None:
    host = gateway(fault("order_lost"))

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(A)])
        await desk.until(A, OrdStatus.UNKNOWN)
        assert desk.reports(A)[-1].source is Source.INFERRED
        assert desk.reports(A)[-1].leaves_qty == 10
        frozen, free = desk.broker.submit([buy(B), buy("db.1.002", symbol="SPY")])
        assert frozen.code is Code.ORDER_SYMBOL_FROZEN
        assert free.is_accepted
        await asyncio.sleep(400)
        assert desk.status(A) is OrdStatus.UNKNOWN

    trade(host, work)
    assert refs(host) == Counter({"db.1.002": 1})


def test_an_order_behind_a_dialog_is_unknown_until_it_shows() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.submit([market(A)])
        await desk.until(A, OrdStatus.UNKNOWN)
        await desk.until(A, OrdStatus.FILLED, seconds=60)
        assert desk.kinds(A) == [ExecType.UNKNOWN, ExecType.NEW, ExecType.TRADE]

    trade(gateway(fault("order_held_by_dialog", seconds=30.0)), work)


def test_a_change_that_makes_two_orders_freezes_the_name_and_calls_for_a_human() -> None:
    host = gateway(fault("modify_splits"))

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(A)])
        await desk.until(A, OrdStatus.NEW)
        desk.broker.replace(Replacement(A, 10, 151.0))
        await asyncio.sleep(3)
        fatal = [n for n in desk.notices() if n.severity is Severity.FATAL]
        assert "lives twice, as 1900000001, 190000000" in fatal[0].text
        [receipt] = desk.broker.submit([buy(B)])
        assert receipt.code is Code.ORDER_SYMBOL_FROZEN
        answer = await desk.broker.order_status(A)
        assert isinstance(answer, Ok)
        assert len(answer.value.order_ids) == 2
        # Both fill: every share is booked, though only ten were wanted.
        for order in list(host.desk.working()):
            host.exchange.fill_anyhow(order)
        await asyncio.sleep(1)
        assert desk.filled(A) == 20

    trade(host, work)


def test_an_order_typed_by_hand_is_seen_with_its_risk_and_left_alone() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        RawClient(host, 9).send(*place_order(1, orderRef="x", lmtPrice=150, totalQuantity=70))
        await asyncio.sleep(1)
        shot = await desk.broker.snapshot()
        assert isinstance(shot.foreign, Ok)
        [other] = shot.foreign.value
        assert (other.symbol, other.side, other.leaves_qty) == ("AAPL", Side.BUY, 70)
        assert desk.broker.cancel_all(CancelAll()).is_accepted
        await asyncio.sleep(1)
        assert len(host.desk.working()) == 1
        host.exchange.fill_anyhow(host.desk.working()[0])
        shot = await desk.broker.snapshot()
        assert isinstance(shot.foreign, Ok)
        assert shot.foreign.value == ()

    trade(host, work)


def test_a_trade_typed_by_hand_is_asked_about_once_and_not_for_ever() -> None:
    async def work(desk: Desk) -> None:
        await asyncio.sleep(10)
        sent = desk.broker.meter.sent[Lane.REDUCE]
        shot = await desk.broker.snapshot()
        assert isinstance(shot.positions, Ok)
        assert [(one.symbol, one.qty) for one in shot.positions.value] == [("SPY", 10)]
        await asyncio.sleep(60)
        assert desk.broker.meter.sent[Lane.REDUCE] - sent <= 10

    by_hand = fault("manual_order", at="10:00:03", symbol="SPY", shares=10)
    trade(gateway(by_hand), work)


def test_a_fill_after_the_cancel_is_reported_and_full() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(A)])
        await desk.until(A, OrdStatus.NEW)
        desk.broker.cancel(A)
        await desk.until(A, OrdStatus.CANCELED)
        await asyncio.sleep(5)
        assert desk.kinds(A)[-2:] == [ExecType.CANCELED, ExecType.TRADE]
        assert desk.status(A) is OrdStatus.FILLED

    trade(gateway(fault("fill_after_cancel", seconds=2.0)), work)


def test_a_bust_takes_the_fill_back_and_ends_the_order() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.submit([market(A)])
        await desk.until(A, OrdStatus.FILLED)
        await asyncio.sleep(5)
        busted = desk.reports(A)[-1]
        assert busted.exec_type is ExecType.TRADE_CANCEL
        assert (busted.last_qty, busted.prior_qty, busted.cum_qty) == (0, 10, 0)
        assert busted.ord_status is OrdStatus.CANCELED
        assert busted.exec_ref_id.endswith(".01")

    trade(gateway(fault("exec_busted", seconds=2.0)), work)


def test_a_short_sale_without_a_locate_is_suspended_until_it_works() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(A, 10, 250.0, side=Side.SELL_SHORT)])
        await desk.until(A, OrdStatus.SUSPENDED)
        # A market step after the shares were found.
        await desk.until(A, OrdStatus.NEW, seconds=30)

    trade(gateway(fault("short_held", seconds=5.0)), work)


# --- what is denied here


def test_names_prices_and_counts_are_checked_before_anything_is_written() -> None:
    async def work(desk: Desk) -> None:
        half = replace(buy(B), price=150.005)
        stop = replace(buy(B), ord_type=OrdType.STOP, terms=Terms(stop_px=150.005))
        receipts = desk.broker.submit([buy(A, symbol="MSFT"), half, stop])
        assert [receipt.code for receipt in receipts] == [
            Code.ORDER_NO_INSTRUMENT,
            Code.ORDER_OFF_TICK,
            Code.ORDER_OFF_TICK,
        ]
        many = [buy(f"m{k}", 1) for k in range(22)]
        receipts = desk.broker.submit(many)
        assert [receipt.code for receipt in receipts] == [None] * 20 + [Code.ORDER_TOO_MANY] * 2
        assert len(desk.intents) == 20
        assert desk.broker.replace(Replacement("m0", 1, 150.005)).code is Code.ORDER_OFF_TICK

    trade(gateway(), work)


def test_a_change_waits_its_turn_and_cannot_undo_what_is_filled() -> None:
    async def work(desk: Desk) -> None:
        assert desk.broker.replace(Replacement("x", 1, 1.0)).code is Code.ORDER_NOT_WORKING
        twap = replace(buy(A), terms=Terms(strategy="Twap"))
        await asyncio.sleep(1)
        desk.broker.submit([twap, buy(B)])
        assert desk.broker.replace(Replacement(B, 5, 150.0)).code is Code.ORDER_IN_FLIGHT
        await asyncio.sleep(1)
        assert desk.broker.replace(Replacement(A, 5, 150.0)).code is Code.ORDER_UNSUPPORTED
        assert desk.broker.replace(Replacement(B, 0, 150.0)).code is Code.ORDER_UNSUPPORTED
        desk.broker.cancel(B)
        assert desk.broker.replace(Replacement(B, 5, 150.0)).code is Code.ORDER_IN_FLIGHT

    trade(gateway(), work)


def test_previews_are_shown_and_kept_apart_by_a_minute() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        answer = await desk.broker.preview(buy(A, 100, round(ask_of(host) + 1, 2)))
        assert isinstance(answer, Ok)
        assert answer.value.init_margin_change > 0
        assert answer.value.commission_least == 1.0
        again = await desk.broker.preview(buy(A))
        assert isinstance(again, Failed)
        assert "the next preview is possible in 60 s" in again.text
        await asyncio.sleep(60)
        assert isinstance(await desk.broker.preview(buy(A)), Ok)
        assert desk.intents == []

    trade(host, work)
    assert host.desk.orders == []


# --- the outbox


def test_a_kill_takes_back_the_unsent_and_cancels_the_rest_at_once() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        symbols = ("AAPL", "SPY")
        orders = [buy(f"o{k}", 1, 150.0, symbols[k % 2]) for k in range(40)]
        assert all(receipt.is_accepted for receipt in desk.broker.submit(orders))
        await asyncio.sleep(0.3)
        sent = desk.broker.meter.orders
        assert 10 < sent < 40
        assert desk.broker.cancel_all(CancelAll()).is_accepted
        await asyncio.sleep(5)
        assert desk.broker.meter.orders == sent
        assert {desk.status(order.cl_ord_id) for order in orders} == {OrdStatus.CANCELED}
        assert len(host.desk.orders) == sent

    trade(host, work)


def test_an_order_that_waits_is_changed_or_taken_back_without_a_message() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(f"o{k}", 1) for k in range(12)])
        assert desk.broker.replace(Replacement("o10", 3, 151.0)).is_accepted
        assert desk.broker.cancel("o11").is_accepted
        assert desk.kinds("o11") == [ExecType.CANCELED]
        await asyncio.sleep(2)
        assert desk.reports("o10")[-1].order_qty == 3

    trade(host, work)
    assert refs(host)["o11"] == 0
    [changed] = [o for o in host.desk.orders if o.ticket.text("orderRef") == "o10"]
    assert (changed.ticket.shares, changed.ticket.limit) == (3, 151.0)


def test_a_cancel_takes_the_place_of_a_change_that_waits() -> None:
    async def work(desk: Desk) -> None:
        desk.broker.submit([buy(A)])
        await desk.until(A, OrdStatus.NEW)
        desk.broker.submit([buy(f"o{k}", 1, 150.0, "SPY") for k in range(15)])
        desk.broker.replace(Replacement(A, 5, 151.0))
        desk.broker.cancel(A)
        await desk.until(A, OrdStatus.CANCELED)
        assert desk.kinds(A) == [
            ExecType.NEW,
            ExecType.PENDING_REPLACE,
            ExecType.CANCEL_REJECTED,
            ExecType.PENDING_CANCEL,
            ExecType.CANCELED,
        ]

    trade(gateway(), work)


def test_orders_that_reduce_leave_before_those_that_do_not() -> None:
    host = gateway()

    async def work(desk: Desk) -> None:
        desk.broker.submit([market(A, 50)])
        await desk.until(A, OrdStatus.FILLED)
        await desk.broker.snapshot()
        desk.broker.submit([buy(f"o{k}", 1, 150.0, "SPY") for k in range(18)])
        desk.broker.submit([market("out", 50, side=Side.SELL)])
        await asyncio.sleep(2)

    trade(host, work)
    sent = [order.ticket.text("orderRef") for order in host.desk.orders]
    assert sent.index("out") < sent.index("o12")
    assert len(sent) == 20


# --- terms on the wire


def test_terms_reach_the_gateway_as_they_were_meant() -> None:
    host = gateway()
    until = int(at("15:00").timestamp()) * 1_000_000_000
    terms = Terms(
        tif=Tif.GTD,
        expire_time=until,
        display_qty=5,
        min_qty=2,
        outside_rth=True,
        oca_group="g",
        strategy="Adaptive",
        strategy_params=(("adaptivePriority", "Patient"),),
    )

    async def work(desk: Desk) -> None:
        desk.broker.submit([replace(buy(A), terms=terms)])
        await desk.until(A, OrdStatus.NEW)

    trade(host, work)
    [order] = host.desk.orders
    text = order.ticket.text
    assert (text("tif"), text("goodTillDate")) == ("GTD", f"{MONDAY:%Y%m%d}-20:00:00")
    assert (text("displaySize"), text("minQty"), text("outsideRth")) == ("5", "2", "1")
    assert (text("ocaGroup"), text("ocaType")) == ("g", "1")
    assert (order.ticket.algo, dict(order.ticket.algo_params)) == (
        "Adaptive",
        {"adaptivePriority": "Patient"},
    )
    assert (order.client, order.account) == (CLIENT, "DU1234567")


def test_a_live_account_on_a_paper_gateway_is_refused() -> None:
    host = gateway()

    async def session() -> None:
        desk = Desk(host)
        live = IbkrSettings("U7654321", port=4001, mode=Mode.LIVE, live_confirmation="U7654321")
        desk.broker._link.line.settings = live
        with pytest.raises(BrokerError, match="manages DU1234567, and U7654321 alone"):
            await desk.broker.connect()

    virtual.run(host, session)
