"""Every accident of the gateway's script, played to the adapter: the books agree afterwards.

The gateway's own executions are the witness. After each accident, and a look by hand where it asks
for one, what was reported is what was traded, no order is duplicated, and none is in limbo.
"""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from deadband.core.broker import Ok
from deadband.core.errors import BrokerError
from deadband.core.events import SessionState
from deadband.core.lifecycle import FINAL
from deadband.core.orders import ExecutionReport, OrdStatus, TradeFee
from deadband.twsim.fault_names import KINDS, FaultName, Strikes
from deadband.twsim.faults import Fault

from ..contract.port import Stage, check_journal, check_stream
from ..kit.stages import GatewayStage, traded
from ..kit.tws import gateway

CHANGES: dict[FaultName, dict[str, object]] = {
    FaultName.NOTICE: {"code": 399, "text": "a warning"},
    FaultName.MANUAL_ORDER: {"symbol": "SPY", "shares": 10},
    FaultName.HALT: {"symbol": "AAPL", "seconds": 2.0},
    FaultName.NO_ANSWER: {"message": "reqAllOpenOrders", "at": "10:00:09"},
    FaultName.EMPTY_ANSWER: {"message": "reqAllOpenOrders", "at": "10:00:09"},
    FaultName.CONNECTIVITY_LOST: {"seconds": 2.0, "lossy": True, "data_lost": True},
}
MESSAGES = ("orderStatus", "execDetails", "openOrder", "commission")
BY_MESSAGE = {
    FaultName.DROP_MESSAGE,
    FaultName.DUPLICATE_MESSAGE,
    FaultName.DELAY_MESSAGE,
    FaultName.SWAP_MESSAGES,
    FaultName.DROP_SOCKET_MID_FRAME,
}
ALL = [(name, "") for name in FaultName if name not in BY_MESSAGE] + [
    (name, message) for name in sorted(BY_MESSAGE) for message in MESSAGES
]


def scripted(name: FaultName, message: str) -> Fault:
    changes: dict[str, object] = {"seconds": 3.0, **CHANGES.get(name, {})}
    if message:
        changes["message"] = message
    if KINDS[name].strikes is Strikes.TIME:
        changes["at"] = "10:00:03"
    return Fault(name, **changes)  # type: ignore[arg-type]


async def a_minute_of_trading(stage: Stage) -> None:
    """Buy, rest, cancel and change around the accident, with sessions begun anew as they end."""
    for step in range(6):
        await revived(stage)
        if step == 4:
            await stage.broker.snapshot()
        stage.broker.submit(
            [stage.marketable(f"m{step}", 20, step % 2), stage.resting(f"r{step}", 10, step % 2)]
        )
        await stage.pass_time()
        stage.broker.cancel(f"r{step - 1}")
        stage.broker.cancel(f"r{step - 2}")
        await stage.pass_time()
    for _ in range(12):
        await revived(stage)
        await asyncio.sleep(5)


async def revived(stage: Stage) -> None:
    """Connect again where the session has ended, as a driver does."""
    for _ in range(30):
        if stage.broker.state is not SessionState.DISCONNECTED:
            return
        try:
            await stage.broker.connect()
        except BrokerError:
            await asyncio.sleep(2)
    raise AssertionError("no session within a minute")


@pytest.mark.parametrize(("name", "message"), ALL, ids=lambda one: str(one) or "-")
def test_after_the_accident_the_books_agree(name: FaultName, message: str) -> None:
    stage = GatewayStage(gateway(scripted(name, message)))

    async def act(_: Stage) -> None:
        await a_minute_of_trading(stage)
        shot = await stage.broker.snapshot()
        if shot.is_complete:
            assert isinstance(shot.positions, Ok)
            assert {one.symbol: one.qty for one in shot.positions.value} == stage.held()
            assert fees(stage) == gateway_fees(stage)

    stage.play(act)
    assert stage.host.faults.struck or name in NEVER_STRUCK
    check_stream(stage)
    check_journal(stage)
    hand = {"SPY": 10} if name is FaultName.MANUAL_ORDER else {}
    assert Counter(traded(stage)) + Counter(hand) == Counter(stage.held())
    assert_no_order_is_twice(stage)
    assert_none_in_limbo(stage, name)


def fees(stage: GatewayStage) -> int:
    told = [one.event for one in stage.heard()]
    return sum(e.fee_micro for e in told if isinstance(e, ExecutionReport | TradeFee))


def gateway_fees(stage: GatewayStage) -> int:
    """Micro-dollars on orders of ours."""
    ours = [order for order in stage.host.desk.orders if order.ticket.text("orderRef")]
    return sum(order.fee_micros for order in ours)


NEVER_STRUCK = {FaultName.WHAT_IF_REJECTED, FaultName.MODIFY_REJECTED, FaultName.MODIFY_SPLITS} | {
    # No history and no market data is asked for here.
    FaultName.HISTORY_PACING,
    FaultName.NO_LIVE_DATA,
}


def assert_no_order_is_twice(stage: GatewayStage) -> None:
    refs = Counter(order.ticket.text("orderRef") for order in stage.host.desk.orders)
    del refs[""]
    assert {ref: times for ref, times in refs.items() if times > 1} == {}


def assert_none_in_limbo(stage: GatewayStage, name: FaultName) -> None:
    """Every order is over, at work at the gateway, or said to be unknown."""
    working = {order.ticket.text("orderRef") for order in stage.host.desk.working()}
    for ref in {intent.order.cl_ord_id for intent in stage.intents}:
        status = stage.status(ref)
        assert status is not None, ref
        if status is OrdStatus.UNKNOWN:
            assert name in LOSES_ORDERS, ref
        else:
            assert (status in FINAL) != (ref in working), (ref, status)


LOSES_ORDERS = {FaultName.ORDER_LOST, FaultName.EMPTY_ANSWER}
