"""Between two cycles: when the operator's switch goes to HALTED, what works is canceled at once.

A cycle that sees HALTED cancels what its state knows of. Cycles may be minutes apart, or not take
place at all; this looks every second, and needs no cycle, no market and no compared books.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..core.broker import CancelAll
from ..core.reasons import Code
from ..core.seen import Switch
from ..switch.cancel import cancel_everything
from .line import Line

EVERY_S = 1.0
"""Seconds between two looks at the switch."""
AGAIN_S = 10.0
"""Seconds until what could not be canceled is tried again."""


@dataclass(slots=True, eq=False)
class Halt:
    """Asks the broker once for each HALTED, and again while something still works.

    `scopes`: what is canceled; own orders alone unless the operator has chosen the account's.
    """

    line: Line
    switch: Callable[[datetime], Switch]
    wall: Callable[[], datetime]
    scopes: Sequence[CancelAll] = (CancelAll(),)
    _is_done: bool = False
    _tried_at: float = -1e9

    async def watch(self) -> None:
        """Look every second, until the task is canceled."""
        while True:
            self.look()
            await asyncio.sleep(EVERY_S)

    def look(self) -> None:
        """Cancel if the switch says HALTED and that is not done."""
        if self.switch(self.wall()).mode != "HALTED":
            self._is_done, self._tried_at = False, -1e9
            return
        now = asyncio.get_running_loop().time()
        if now - self._tried_at < AGAIN_S or (self._is_done and not self._works()):
            return
        is_first, self._tried_at = self._tried_at < 0, now
        # Before anything is written: a cancel must go when the disk is full.
        faults = cancel_everything(self.line.broker, *self.scopes)
        self._is_done = not faults
        if is_first:
            self.line.standing.note(f"{Code.LIVE_HALTED}: everything is canceled")
        for fault in faults:
            self.line.standing.note(f"{Code.LIVE_HALTED}: not canceled yet: {fault}")
        self.line.hear()

    def _works(self) -> bool:
        """Whether an order of ours works, and no cancel of it is under way."""
        self.line.hear()
        return self.line.standing.lives
