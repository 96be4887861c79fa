"""A socket for the gateway, on this machine alone, and the wall clock for its timeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from ipaddress import ip_address
from types import TracebackType

from ..core.errors import ConfigError
from .gateway import Gateway
from .session import Session
from .wire import NEWEST_VERSION
from .world import GatewaySettings

MOST_UNREAD = 16 << 20
"""Bytes waiting for a client that does not read; beyond them it is let go."""


class Server:
    """Serves a gateway while entered; `speed` is gateway seconds a wall-clock second.

    At speed 0 nobody but the holder of the gateway moves its clock.
    """

    def __init__(self, gateway: Gateway, host: str, port: int, speed: float = 1.0) -> None:
        refuse_other_hosts(host)
        # The name may stand for two addresses, and two free ports would be chosen.
        host = "127.0.0.1" if host == "localhost" else host
        self.gateway, self.host, self._port, self._speed = gateway, host, port, speed
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0

    @property
    def port(self) -> int:
        assert self._server is not None, "the server has been entered"
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def banner(self) -> str:
        """The one line that says where the gateway listens and as whom."""
        accounts = ",".join(self.gateway.accounts)
        return (
            f"gateway listening on {self.host}:{self.port} account {accounts} "
            f"server version {NEWEST_VERSION}"
        )

    async def __aenter__(self) -> Server:
        loop = asyncio.get_running_loop()
        self._began = loop.time()
        try:
            self._server = await loop.create_server(lambda: _Line(self), self.host, self._port)
        except OSError as fault:
            raise ConfigError(
                (
                    f"{self.host}:{self._port} cannot be listened on: {fault.strerror}. "
                    "Choose another --port.",
                )
            ) from fault
        self.pump()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for session in list(self.gateway.clients):
            session.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def pump(self) -> None:
        """Do what is due by the wall clock, and come back for what is due next."""
        if not self._speed:
            return
        timeline = self.gateway.timeline
        timeline.run_until(self._now())
        if self._timer is not None:
            self._timer.cancel()
        if timeline.next_due is not None:
            wait = (timeline.next_due - timeline.now).total_seconds() / self._speed
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(wait, 0.0), self.pump)

    def _now(self) -> datetime:
        passed = asyncio.get_running_loop().time() - self._began
        return self.gateway.settings.start + timedelta(seconds=passed * self._speed)


class _Line(asyncio.Protocol):
    """One socket; all it does is carry bytes, those of one turn of the loop together."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._session: Session | None = None
        self._transport: asyncio.Transport | None = None
        self._unsent = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport), "TCP transports write"
        self._transport = transport
        self._server.pump()
        self._session = self._server.gateway.connect(self._write, self._hang_up)
        if self._session is None:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._session is not None:
            self._server.pump()
            self._session.receive(data)
            self._server.pump()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._session is not None and not self._session.is_closed:
            self._session.lost()

    def _write(self, data: bytes) -> None:
        """Lists are hundreds of messages: a call to the system for each is most of the work."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent += data

    def _hang_up(self) -> None:
        """What was said before still goes out."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        transport, data = self._transport, bytes(self._unsent)
        self._unsent.clear()
        if transport is None or transport.is_closing() or not data:
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MOST_UNREAD:
            transport.abort()


def refuse_other_hosts(host: str) -> None:
    """Raise ConfigError unless a host is this machine itself."""
    try:
        is_here = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if not is_here:
        raise ConfigError(
            (
                f"--host {host} is not this machine. The gateway asks no password, so it serves "
                "127.0.0.1, ::1 or localhost alone.",
            )
        )


async def serve_forever(server: Server, say: Callable[[str], None]) -> None:
    """Serve until cancelled; says the banner once the port is open."""
    async with server:
        say(server.banner)
        await asyncio.Event().wait()


def serve(settings: GatewaySettings, host: str, port: int, speed: float) -> None:
    """Serve a gateway until interrupted; its banner is the one line that is printed."""
    server = Server(Gateway(settings), host, port, speed)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve_forever(server, lambda banner: print(banner, flush=True)))
