"""The gateway: a world, its accidents on the timeline, and the door through which clients come.

Nothing here waits or reads a clock: bytes are handed in, bytes are handed out, and the timeline is
moved by whoever holds it. The same bytes at the same instants give the same bytes back.
"""

from __future__ import annotations

from collections.abc import Callable

from .faults import Fault
from .mishaps import MISHAPS
from .session import Session
from .world import GatewaySettings, World


class Gateway(World):
    """A gateway without a socket; `server` gives it one."""

    def __init__(self, settings: GatewaySettings) -> None:
        super().__init__(settings)
        self._lines = 0
        for moment, fault in self.faults.timed():
            self.timeline.at(moment, self._mishap(fault))

    def connect(
        self, transmit: Callable[[bytes], None], hang_up: Callable[[], None]
    ) -> Session | None:
        """A client has opened a line; None while the gateway restarts."""
        if self.is_refusing:
            return None
        self._lines += 1
        session = Session(self, transmit, hang_up, self._lines)
        self.clients.append(session)
        return session

    def _mishap(self, fault: Fault) -> Callable[[], None]:
        def happen() -> None:
            self.faults.note(fault, self.timeline.now)
            MISHAPS[fault.name](self, fault)

        return happen
