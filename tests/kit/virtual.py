"""An event loop whose time jumps to what is due next, and lines to a gateway that are not sockets.

Nothing waits for real: a test of five minutes takes as long as its work. The gateway's timeline is
moved by the loop, so both live in one time.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from deadband.twsim.gateway import Gateway

from .death import Boundary, Killed, Life

MOST_TURNS = 200_000
"""Turns of the loop in one instant beyond which it runs in place."""


class Stuck(Exception):
    """Whoever waits will wait for ever."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time stands while there is anything to do, and then jumps."""

    def __init__(self) -> None:
        self._virtual = 0.0
        super().__init__()
        self.host: Gateway | None = None
        """Its timeline goes on from where it is."""
        self.life: Life | None = None
        """The process that opens lines, where it may die."""
        self.witness: Callable[[bytes], None] = lambda _: None
        """Sees every frame that leaves."""
        self.lines: list[MemoryLine] = []
        self.faults: list[dict[str, Any]] = []
        """What went wrong where nobody waits: in callbacks, and in tasks that were let go."""
        self._pumped: asyncio.TimerHandle | None = None
        self._pumped_for: datetime | None = None
        self._turns = 0
        self.set_exception_handler(lambda _, context: self._fault(context))

    def time(self) -> float:
        return self._virtual

    def _run_once(self) -> None:
        self._turns += 1
        if not self._ready:
            self._jump()
        elif self._turns > MOST_TURNS:
            raise Stuck(f"the loop runs in place at {self._virtual} s")
        super()._run_once()

    def _jump(self) -> None:
        """Move time to what is due next."""
        due = self._scheduled
        while due and due[0].cancelled():
            self._timer_cancelled_count -= 1
            heapq.heappop(due)._scheduled = False
        if due:
            # A hair past what is due, as real clocks are: who compares with > would wait for ever.
            self._virtual = max(self._virtual, due[0].when() + 1e-6)
            self._turns = 0
        elif not self._stopping:
            raise Stuck("nothing is due any more, and somebody waits")

    def _fault(self, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), Killed):
            self.faults.append(context)
            self.default_exception_handler(context)

    def serve(self, host: Gateway) -> None:
        """Let every connection, whatever its port, end at this gateway."""
        self.host, self._base = host, host.timeline.now - timedelta(seconds=self._virtual)
        self.pump()

    def pump(self) -> None:
        """Move the gateway to the loop's time, and come back for what is due next."""
        assert self.host is not None
        timeline, start = self.host.timeline, self._base
        timeline.run_until(start + timedelta(seconds=self._virtual))
        due = timeline.next_due
        if due == self._pumped_for:
            return
        if self._pumped is not None:
            self._pumped.cancel()
        self._pumped_for = due
        if due is not None:
            at = (due - start).total_seconds()
            # A microsecond later: dates are rounded, and the loop must not run in place.
            self._pumped = self.call_at(max(at, self._virtual) + 1e-6, self._pump_anew)

    def _pump_anew(self) -> None:
        self._pumped_for = None
        self.pump()

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
        self._loop, self._protocol, self._life = loop, protocol, loop.life
        self._is_closed = False
        self._arriving: list[bytes] = []
        loop.lines.append(self)
        self.written: list[tuple[float, bytes]] = []

    def open(self) -> bool:
        host = self._loop.host
        assert host is not None, "the loop serves a gateway"
        self._loop.pump()
        session = host.connect(self._arrive, self._hung_up)
        self._session = session
        return session is not None

    def write(self, data: bytes) -> None:  # type: ignore[override]
        if self._life is None:
            self._send(bytes(data))
        else:
            self._life.cross(Boundary.SEND, lambda: self._send(bytes(data)))

    def _send(self, data: bytes) -> None:
        self._loop.witness(data)
        self.written.append((self._loop.time(), data))
        self._loop.call_soon(self._deliver, data)

    def write_eof(self) -> None: ...

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            # After what was sent before: a socket that is closed still sends what it holds.
            self._loop.call_soon(self._lose)
            self._loop.call_soon(self._protocol.connection_lost, None)

    def is_closing(self) -> bool:
        return self._is_closed

    def cut(self) -> None:
        """The process is gone, and its end of the line with it."""
        self._is_closed = True
        self._lose()

    def _lose(self) -> None:
        if self._session is not None and not self._session.is_closed:
            self._session.lost()

    def _deliver(self, data: bytes) -> None:
        if self._life is not None and self._life.is_over and self._life.death.loses_sent:
            return
        if self._session is not None and not self._session.is_closed:
            self._loop.pump()
            self._session.receive(data)
            self._loop.pump()

    def _arrive(self, data: bytes) -> None:
        if not self._arriving:
            self._loop.call_soon(self._read_all)
        self._arriving.append(data)

    def _read_all(self) -> None:
        """Read what came in one turn, frame by frame."""
        arrived, self._arriving = self._arriving, []
        for data in arrived:
            self._read(data)

    def _read(self, data: bytes) -> None:
        if self._is_closed or (self._life is not None and self._life.is_over):
            return
        if self._life is None:
            self._protocol.data_received(data)
        else:
            self._life.cross(Boundary.RECEIVE, lambda: self._protocol.data_received(data))

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
