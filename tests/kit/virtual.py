"""An event loop whose time jumps to what is due next, and lines to a gateway that are not sockets.

Nothing waits for real: a test of five minutes takes as long as its work. The gateway's timeline is
moved by the loop, so both live in one time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from deadband.twsim.gateway import Gateway


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time stands while there is anything to do, and then jumps."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__()
        self.host: Gateway | None = None
        """Its timeline goes on from where it is."""
        self._pumped: asyncio.TimerHandle | None = None

    def time(self) -> float:
        return self._virtual

    def _run_once(self) -> None:
        due = [handle.when() for handle in self._scheduled if not handle.cancelled()]
        if not self._ready and due:
            # A hair past what is due, as real clocks are: who compares with > would wait for ever.
            self._virtual = max(self._virtual, min(due) + 1e-6)
        super()._run_once()

    def serve(self, host: Gateway) -> None:
        """Let every connection, whatever its port, end at this gateway."""
        self.host, self._base = host, host.timeline.now - timedelta(seconds=self._virtual)
        self.pump()

    def pump(self) -> None:
        """Move the gateway to the loop's time, and come back for what is due next."""
        assert self.host is not None
        timeline, start = self.host.timeline, self._base
        timeline.run_until(start + timedelta(seconds=self._virtual))
        if self._pumped is not None:
            self._pumped.cancel()
        if timeline.next_due is not None:
            at = (timeline.next_due - start).total_seconds()
            # A microsecond later: dates are rounded, and the loop must not run in place.
            self._pumped = self.call_at(max(at, self._virtual) + 1e-6, self.pump)

    async def create_connection(
        self, factory: Callable[[], asyncio.Protocol], host: str, port: int
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        protocol = factory()
        line = MemoryLine(self, protocol)
        if not line.open():
            raise ConnectionRefusedError("the gateway is down")
        protocol.connection_made(line)
        return line, protocol


class MemoryLine(asyncio.Transport):
    """The client's end of a line; bytes arrive one turn of the loop later, in order."""

    def __init__(self, loop: VirtualLoop, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop, self._protocol = loop, protocol
        self._is_closed = False
        self.written: list[tuple[float, bytes]] = []

    def open(self) -> bool:
        host = self._loop.host
        assert host is not None, "the loop serves a gateway"
        self._loop.pump()
        session = host.connect(self._arrive, self._hung_up)
        self._session = session
        return session is not None

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written.append((self._loop.time(), bytes(data)))
        self._loop.call_soon(self._deliver, bytes(data))

    def write_eof(self) -> None: ...

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            if self._session is not None and not self._session.is_closed:
                self._session.lost()
            self._loop.call_soon(self._protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return self._is_closed

    def _deliver(self, data: bytes) -> None:
        if self._session is not None and not self._session.is_closed:
            self._loop.pump()
            self._session.receive(data)
            self._loop.pump()

    def _arrive(self, data: bytes) -> None:
        self._loop.call_soon(self._read, data)

    def _read(self, data: bytes) -> None:
        if not self._is_closed:
            self._protocol.data_received(data)

    def _hung_up(self) -> None:
        """The gateway closed: what it had said before still arrives."""
        self._loop.call_soon(self.close)


def run(host: Gateway, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine in virtual time against a gateway."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)

        async def served() -> None:
            loop.serve(host)
            await work()

        runner.run(served())
