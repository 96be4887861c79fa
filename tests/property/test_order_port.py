"""Any sequence of orders, cancels, changes, waits and lost lines keeps the stream's invariants."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from deadband.core.broker import CancelAll, Replacement
from deadband.core.lifecycle import FINAL
from deadband.core.orders import OrdStatus
from deadband.twsim.fault_names import FaultName
from deadband.twsim.faults import Fault
from tests.contract.port import Stage, check_stream
from tests.kit.stages import GatewayStage, PaperStage, traded
from tests.kit.tws import gateway


@dataclass(frozen=True)
class Step:
    """One thing a driver does; `number` picks the order or the name."""

    act: str
    number: int
    qty: int


STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["buy", "rest", "cancel", "change", "wait", "kill", "drop"]),
        st.integers(0, 9),
        st.integers(1, 50),
    ),
    max_size=25,
)
ACCIDENTS = st.lists(
    st.builds(
        Fault,
        st.sampled_from(
            [
                FaultName.ORDER_REJECTED,
                FaultName.DUPLICATE_ID,
                FaultName.TIF_PRESET,
                FaultName.MODIFY_REJECTED,
                FaultName.CANCEL_NOT_FOUND,
                FaultName.CANCEL_TOO_LATE,
                FaultName.CANCEL_UNANSWERED,
                FaultName.FILL_AFTER_CANCEL,
                FaultName.EXEC_CORRECTED,
                FaultName.COMMISSION_FIRST,
                FaultName.STATUS_FIRST,
                FaultName.STATUS_TWICE,
                FaultName.STATUS_REGRESS,
                FaultName.STATUS_NEVER,
                FaultName.DROP_MESSAGE,
                FaultName.DUPLICATE_MESSAGE,
                FaultName.SWAP_MESSAGES,
            ]
        ),
        chance=st.sampled_from([0.2, 0.5]),
        seconds=st.just(1.0),
        message=st.sampled_from(["orderStatus", "execDetails", "commission"]),
    ),
    max_size=3,
)


async def walk(stage: Stage, steps: list[Step]) -> None:
    sent: list[str] = []
    for step in steps:
        ref = sent[step.number % len(sent)] if sent else "none"
        place = step.number % 2
        if step.act in ("buy", "rest"):
            make = stage.marketable if step.act == "buy" else stage.resting
            order = make(f"o{len(sent)}", step.qty, place)
            [receipt] = stage.broker.submit([order])
            if receipt.is_accepted:
                sent.append(order.cl_ord_id)
        elif step.act == "cancel":
            stage.broker.cancel(ref)
        elif step.act == "change":
            price = stage.resting("any", step.qty, place).price
            stage.broker.replace(Replacement(ref, step.qty, price))
        elif step.act == "kill":
            stage.broker.cancel_all(CancelAll())
        elif step.act == "drop":
            await stage.broker.disconnect()
            await stage.broker.connect()
        else:
            await stage.pass_time()
    await settled(stage)


async def settled(stage: Stage) -> None:
    """Until nothing waits for an answer."""
    for _ in range(8):
        await stage.pass_time()
    await stage.broker.snapshot()


def check_ends(stage: Stage) -> None:
    """Every order that was taken is over, works, or is said to be unknown."""
    for ref in {intent.order.cl_ord_id for intent in stage.intents}:
        status = stage.status(ref)
        assert status in FINAL | {
            OrdStatus.NEW,
            OrdStatus.PARTIALLY_FILLED,
            OrdStatus.PENDING_CANCEL,
            OrdStatus.SUSPENDED,
            OrdStatus.UNKNOWN,
        }


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_the_simulated_broker(steps: list[Step]) -> None:
    stage = PaperStage()
    stage.play(lambda stage: walk(stage, steps))
    check_stream(stage)
    check_ends(stage)
    assert traded(stage) == stage.held()


@settings(max_examples=120, deadline=None)
@example([Step("rest", 0, 1), Step("wait", 0, 1), Step("change", 1, 2), Step("drop", 0, 1)], [], 0)
@given(STEPS, ACCIDENTS, st.integers(0, 2**16))
def test_ibkr_on_a_gateway_with_accidents(
    steps: list[Step], accidents: list[Fault], seed: int
) -> None:
    stage = GatewayStage(gateway(*accidents, seed=seed), ack_s=2.0)
    stage.play(lambda stage: walk(stage, steps))
    check_stream(stage)
    check_ends(stage)
    assert traded(stage) == stage.held()
