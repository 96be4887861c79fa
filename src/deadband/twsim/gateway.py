"""The gateway: a world, its accidents on the timeline, and the door through which clients come.

Nothing here waits or reads a clock: bytes are handed in, bytes are handed out, and the timeline is
moved by whoever holds it. The same bytes at the same instants give the same bytes back.
"""

from __future__ import annotations

from collections.abc import Callable

from ..core.errors import ConfigError
from .fault_names import FaultName
from .faults import Fault
from .mishaps import MISHAPS
from .session import Session
from .world import GatewaySettings, World


class Gateway(World):
    """A gateway without a socket; `server` gives it one."""

    def __init__(self, settings: GatewaySettings) -> None:
        super().__init__(settings)
        self._refuse_unknown_symbols()
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

    def _refuse_unknown_symbols(self) -> None:
        """A fault of a name that is not traded here would never strike."""
        findings = [
            f"fault {place}, {fault.name}: symbol {fault.symbol!r} is not traded by this gateway. "
            "Name one that is."
            for place, fault in enumerate(self.settings.faults, 1)
            if (fault.symbol or fault.name in (FaultName.HALT, FaultName.MANUAL_ORDER))
            and self.listing.find({"symbol": fault.symbol}) is None
        ]
        if findings:
            raise ConfigError(tuple(findings))

    def _mishap(self, fault: Fault) -> Callable[[], None]:
        def happen() -> None:
            if self.faults.is_over:
                return
            self.faults.note(fault, self.timeline.now)
            MISHAPS[fault.name](self, fault)

        return happen
