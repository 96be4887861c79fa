"""What becomes of orders that another run of ours left at work: nothing, or their cancel.

Orders of other programs, and those typed by hand, are never touched.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum

from ..core.broker import BrokerSnapshot, CancelAll, CancelScope, Ok
from ..core.events import OrderState
from .line import Line
from .reconcile import agreed


class Adopt(StrEnum):
    """The policy at the start of a run."""

    LEAVE = "leave"
    """They work on; their shares are reserved, which freezes their names until they are over."""
    CANCEL = "cancel"
    """They are canceled before the first cycle, as far as this client may."""


async def adopt(line: Line, policy: Adopt, prefix: str, symbol: str = "") -> tuple[OrderState, ...]:
    """Carry out the policy once the books were compared; those of other runs that still work.

    `prefix`: how the ids of our orders begin, `execution.strategy`. Raises BrokerError where the
    books cannot be compared again.
    """
    shot = await agreed(line.broker, line.hear, line.patience.settle_s)
    left = of_other_runs(shot, prefix, symbol)
    if not left or policy is Adopt.LEAVE:
        return left
    receipt = line.broker.cancel_all(CancelAll(CancelScope.OTHER_RUNS, symbol, prefix=prefix))
    if not receipt.is_accepted:
        line.standing.note(f"orders of another run are left: {receipt.text}")
    until = asyncio.get_running_loop().time() + line.patience.answer_s
    while left and asyncio.get_running_loop().time() < until:
        await asyncio.sleep(line.patience.settle_s)
        left = of_other_runs(await line.broker.snapshot(), prefix, symbol)
        if not receipt.is_accepted:
            break
    await line.compare()
    return left


def of_other_runs(shot: BrokerSnapshot, prefix: str, symbol: str = "") -> tuple[OrderState, ...]:
    """Orders that are not this run's and whose reference begins as ours do; none if not known."""
    if not isinstance(shot.foreign, Ok):
        return ()
    return tuple(
        order
        for order in shot.foreign.value
        if symbol in ("", order.symbol) and order.text.split(" ")[-1].startswith(f"{prefix}.")
    )
